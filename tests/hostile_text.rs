//! Text from plugins, datasets, file names and configurations cannot act: no control character of it reaches a terminal, a
//! log or a report, wherever it comes from.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/golden/llama-tied");
const PLUGIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/prebuilt/eval-accuracy.wasm");
const TEMPLATE: &str = "{% for message in messages %}{{ message.content }}{% if message.role == 'assistant' %}</s>{% else %}=\
                        {% endif %}{% endfor %}";

/// Clears the screen, takes a line back, sets a title, turns text around, hides a part, ends a line.
const HOSTILE: &str = "\u{1b}[2J\r\u{8}\u{7f}\u{9b}31m\u{9d}0;t\u{7}\u{202e}\u{2066}\u{200b}\u{2028}\u{feff}x";

fn diapason(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_diapason")).args(arguments).current_dir(folder).output().expect("runs")
}

/// No character that acts; line breaks are the layout's.
#[track_caller]
fn harmless(bytes: &[u8], what: &str) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|_| panic!("{what} is not UTF-8"));
    for (at, c) in text.char_indices() {
        let acts = (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        assert!(
            !acts,
            "{c:?} in {what}: …{:?}…",
            text[..at].chars().rev().take(60).collect::<Vec<_>>().iter().rev().collect::<String>()
        );
    }
}

#[track_caller]
fn quiet(output: &Output, code: i32, what: &str) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{what}: {said}");
    harmless(&output.stdout, &format!("{what}, standard output"));
    harmless(&output.stderr, &format!("{what}, standard error"));
    said
}

/// A component that says `to` where the built-in one says `from`, cut or filled with spaces to its length.
fn plugin_that_says(from: &str, to: &str) -> Vec<u8> {
    let mut bytes = std::fs::read(PLUGIN).expect("the built plugin");
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
    assert!(!places.is_empty(), "{from} is not in the plugin");
    let mut said = to.to_owned();
    while said.len() > from.len() {
        said.pop();
    }
    let said = format!("{said}{}", " ".repeat(from.len() - said.len()));
    for at in places {
        bytes[at..at + from.len()].copy_from_slice(said.as_bytes());
    }
    bytes
}

fn texts(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path()) {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if path.is_dir() {
            texts(&path, found);
        } else if ["json", "jsonl", "md", "xml", "html"].contains(&ending) {
            found.push(path);
        }
    }
}

/// A string of TOML, which holds no control characters but as escapes.
fn toml(text: &str) -> String {
    let escaped = |c: char| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("\\U{:08x}", c as u32) };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

#[test]
fn a_plugins_description() {
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("p.wasm"), plugin_that_says(SUMMARY, HOSTILE)).expect("file");
    for format in ["human", "json"] {
        quiet(&diapason(folder.path(), &["--format", format, "plugin", "inspect", "p.wasm"]), 0, format);
    }
    let said = quiet(&diapason(folder.path(), &["plugin", "inspect", "p.wasm"]), 0, "inspect");
    assert!(said.contains("\\u{1b}[2J") && said.contains("\\u{9b}31m") && said.contains("\\u{202e}"), "{said}");
}

const SUMMARY: &str =
    "Whether the answer is the expected one: exact, normalised, numeric, by choice, by pattern, by JSON field.";

/// A whole run whose rows, ids, tags, plugins, model and suite come with hostile names.
#[test]
fn a_run_over_hostile_data() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let model = format!("m{HOSTILE}");
    std::fs::create_dir(at(&model)).expect("folder");
    for entry in std::fs::read_dir(MODEL).expect("model").map(|entry| entry.expect("entry")) {
        std::fs::copy(entry.path(), at(&model).join(entry.file_name())).expect("copied");
    }
    let row = |n: usize| {
        let text = format!("q{n}{HOSTILE}\n| a | <img src=x> `b` @c");
        let tags = serde_json::json!({format!("k{HOSTILE}"): format!("v{HOSTILE}{}", n % 2)});
        serde_json::json!({"id": format!("{n}{HOSTILE}\nPASSED"), "prompt": text, "completion": "ok", "tags": tags})
            .to_string()
            + "\n"
    };
    let rows = |from: usize, to: usize| (from..to).map(row).collect::<String>();
    let config = format!(
        "validator = [{{ plugin = \"validate-shape\" }}, {{ plugin = \"validate-duplicates\" }}]\n[run]\nfolder = \"run\"\n\
         [model]\npath = {}\ndevice = \"cpu\"\n[data]\ntrain = \"train.jsonl\"\n[template]\ntemplate = \"./t.jinja\"\n\
         [train]\nlearning_rate = 2e-2\nepochs = 3\nwarmup = 0\ngradient_accumulation = 1\nrank = 8\nbatch_size = 8\nmax_sequence_length = 256\n[generate]\nmax_tokens = 4\n\
         [[suite]]\nname = \"s\"\ndata = {}\nevaluator = [{{ plugin = \"./p.wasm\" }}]\n\
         [[rule]]\nsuite = \"s\"\nmeasure = \"exact-match\"\ngain = 0.1\n",
        toml(&model),
        toml(&format!("test{HOSTILE}.jsonl")),
    );
    let test = format!("test{HOSTILE}.jsonl");
    for (name, text) in
        [("diapason.toml", config), ("train.jsonl", rows(0, 16)), (&test, rows(20, 32)), ("t.jinja", TEMPLATE.into())]
    {
        std::fs::write(at(name), text).expect("file");
    }
    std::fs::write(at("p.wasm"), plugin_that_says(SUMMARY, HOSTILE)).expect("file");
    let output = diapason(folder.path(), &["run"]);
    let code = output.status.code().expect("a code");
    assert!([0, 1, 3].contains(&code), "{}", String::from_utf8_lossy(&output.stderr));
    quiet(&output, code, "run");
    for verb in ["validate", "compare", "gate", "report"] {
        for format in ["human", "json"] {
            let output = diapason(folder.path(), &["--format", format, verb]);
            quiet(&output, output.status.code().expect("a code"), verb);
        }
    }
    quiet(&diapason(folder.path(), &["train", "--show", "2"]), 0, "show");
    let mut found = Vec::new();
    texts(&at("run"), &mut found);
    assert!(found.len() > 10, "{found:?}");
    for path in found {
        harmless(&std::fs::read(&path).expect("file"), &path.display().to_string());
    }
    let markdown = std::fs::read_to_string(at("run/report.md")).expect("report");
    assert!(!markdown.contains("<img") && !markdown.contains("@c"), "{markdown}");
}

/// Errors repeat what was wrong: names of files, keys, values, rows.
#[test]
fn errors_that_repeat_what_they_were_given() {
    let folder = tempfile::tempdir().expect("folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("file");
    let odd = format!("f{HOSTILE}\nPASSED  All rules hold.");
    let (toml, json) = (toml(&odd), serde_json::json!(odd).to_string());
    let fake = |said: &str| assert!(!said.lines().any(|line| line.starts_with("PASSED")), "a line was faked: {said}");
    let arguments: [&[&str]; 8] = [
        &["run", "--config", &odd],
        &["generate", "--model", &odd, "--prompt", "x"],
        &["merge", "--model", MODEL, "--adapter", &odd, "--out", "o"],
        &["plugin", "inspect", &odd],
        &["plugin", "test", "eval-accuracy", &odd],
        &["init", "--starter", &odd, "x"],
        &["generate", "--model", MODEL, "--prompt", "x", "--template", &odd],
        &["run", &odd],
    ];
    for arguments in arguments {
        let output = diapason(folder.path(), arguments);
        fake(&quiet(&output, output.status.code().expect("a code"), arguments[0]));
    }
    write("t.jsonl", "{\"prompt\": \"a\", \"completion\": \"b\"}\n");
    let good = &format!("[model]\npath = {MODEL:?}\n[data]\ntrain = \"t.jsonl\"\n");
    for config in [
        format!("{good}{toml} = 1\n"),
        format!("{good}[train]\nmethod = {toml}\n"),
        format!("{good}[train]\ntarget_modules = [{toml}]\n"),
        format!("{good}[run]\nname = {toml}\n"),
        format!("{good}[[suite]]\nname = {toml}\ndata = \"t.jsonl\"\n"),
        format!("{good}[[rule]]\nsuite = {toml}\nmeasure = \"m\"\ngain = 0\n"),
        format!("validator = [{{ plugin = {toml} }}]\n{good}"),
        format!("[model]\npath = {toml}\n[data]\ntrain = {toml}\n"),
        format!("{good}\u{9b}\u{202e} = {odd}"),
    ] {
        write("diapason.toml", &config);
        let output = diapason(folder.path(), &["validate"]);
        let code = output.status.code().expect("a code");
        assert!(code == 2 || code == 4, "{config}");
        fake(&quiet(&output, code, &config));
    }
    write("diapason.toml", &format!("validator = []\n{good}"));
    for rows in [
        format!("{{\"id\": {json}, \"prompt\": \"a\"}}\n{{\"id\": {json}, \"prompt\": \"b\"}}\n"),
        format!("{{{json}: 1}}\n"),
        format!("{{\"prompt\": 1, \"id\": [{json}]}}\n"),
        format!("{odd}\n"),
    ] {
        write("t.jsonl", &rows);
        let output = diapason(folder.path(), &["train"]);
        fake(&quiet(&output, 4, &rows));
    }
}
