//! A project on a tiny model, for tests that run the binary.

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Two layers, 32 wide, bytes as tokens.
pub(crate) const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/golden/llama-tied");
const TEMPLATE: &str = "{% for message in messages %}{{ message.content }}{% if message.role == 'assistant' %}</s>{% else %}=\
                        {% endif %}{% endfor %}";

/// All but suites and rules. Training takes a moment.
pub(crate) fn head() -> String {
    format!(
        "validator = [{{ plugin = \"validate-shape\" }}]\n[model]\npath = {MODEL:?}\ndevice = \"cpu\"\n\
         [data]\ntrain = \"train.jsonl\"\n[template]\ntemplate = \"./t.jinja\"\n\
         [train]\nlearning_rate = 2e-2\nepochs = 20\nrank = 8\ndropout = 0\nbatch_size = 8\ngradient_accumulation = 1\n\
         max_sequence_length = 64\n[gate]\nresamples = 200\n[run]\nfolder = \"run\"\n"
    )
}

/// A suite `ok` on `test.jsonl`, with these keys besides.
pub(crate) const SUITE: &str =
    "[[suite]]\nname = \"ok\"\ndata = \"test.jsonl\"\nevaluator = [{ plugin = \"eval-accuracy\" }]\n";

/// A rule on it.
pub(crate) fn rule(limit: &str) -> String {
    format!("[[rule]]\nsuite = \"ok\"\nmeasure = \"eval-accuracy.exact-match\"\n{limit}\n")
}

/// Rows of which every one has the same answer.
pub(crate) fn rows(from: usize, to: usize) -> String {
    (from..to).map(|n| format!("{{\"prompt\": \"q{n}\", \"completion\": \"ok\"}}\n")).collect()
}

/// Writes the project's files, with `config` as its configuration.
pub(crate) fn write(folder: &Path, config: &str) {
    put(folder, "diapason.toml", config);
    put(folder, "train.jsonl", &rows(0, 64));
    put(folder, "test.jsonl", &rows(100, 140));
    put(folder, "t.jinja", TEMPLATE);
}

pub(crate) fn put(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).expect("written");
}

pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diapason"));
    command.args(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn diapason(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().expect("runs")
}

/// Everything that was printed.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Gives the tokenizer of the model in `folder` a merge: llama.cpp opens none without.
pub(crate) fn add_merge(folder: &Path) {
    let path = folder.join("tokenizer.json");
    let text = std::fs::read_to_string(&path).expect("a tokenizer");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    json["model"]["vocab"]["ab"] = 256.into();
    json["model"]["merges"] = serde_json::json!([["a", "b"]]);
    std::fs::write(path, json.to_string()).expect("written");
}
