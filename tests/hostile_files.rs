//! Files that are none, that are empty, damaged or cannot be written: each ends at once, with the promised exit code, one
//! screen, and everything that was there before.
#![cfg(unix)]

use crate::project::add_merge;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/golden/llama-tied");
const ADAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/golden/train/llama-tied.lora");

/// Runs what a shell says, `diapason` being the binary; a command that waits for ever is a failure.
#[track_caller]
fn shell(folder: &Path, script: &str) -> Output {
    let script = format!("diapason() {{ {} \"$@\"; }}\n{script}", env!("CARGO_BIN_EXE_diapason"));
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(folder).env("DIAPASON_CACHE", folder.join("cache"));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let started = Instant::now();
    while child.try_wait().expect("state").is_none() {
        if started.elapsed() > Duration::from_secs(60) {
            child.kill().expect("killed");
            panic!("it hangs: {script}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("ended")
}

#[track_caller]
fn refused(folder: &Path, script: &str, code: i32, fragments: &[&str]) {
    let output = shell(folder, script);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{script}\n{said}");
    for fragment in fragments.iter().chain(&["Error: ", "Hint: "]) {
        assert!(said.contains(fragment), "expected `{fragment}` after {script}:\n{said}");
    }
    assert!(said.lines().count() <= 24 && !said.contains("panicked") && !said.contains("a fault in"), "{said}");
}

fn copy(from: &str, to: &Path) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("folder").map(|entry| entry.expect("entry")) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

/// A project with a model, an adapter and all that a run reads.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    copy(MODEL, &at("m"));
    copy(ADAPTER, &at("a"));
    let config = "validator = []\n[run]\nfolder = \"run\"\n[model]\npath = \"m\"\ndevice = \"cpu\"\n[data]\ntrain = \"train.jsonl\"\n\
                  [template]\ntemplate = \"./t.jinja\"\n[train]\nmax_steps = 1\nwarmup = 0\nrank = 4\n[[suite]]\nname = \"s\"\ndata = \"test.jsonl\"\n\
                  evaluator = [{ plugin = \"eval-accuracy\" }]\n";
    let row = "{\"prompt\": \"a\", \"completion\": \"b\"}\n";
    let template = "{% for message in messages %}{{ message.content }}</s>{% endfor %}";
    for (name, text) in [("diapason.toml", config), ("train.jsonl", row), ("test.jsonl", row), ("t.jinja", template)] {
        std::fs::write(at(name), text).expect("file");
    }
    folder
}

const GENERATE: &str = "diapason generate --model m --raw --prompt x --max-tokens 1";

#[test]
fn what_is_no_file_is_refused_and_nothing_waits() {
    let adapted = format!("{GENERATE} --adapter a");
    let cases: [(&str, &str, i32); 17] = [
        ("diapason.toml", "diapason run", 2),
        ("train.jsonl", "diapason validate", 4),
        ("train.jsonl", "diapason train", 4),
        ("test.jsonl", "diapason eval", 4),
        ("t.jinja", "diapason train", 4),
        ("m/config.json", GENERATE, 4),
        ("m/tokenizer.json", GENERATE, 4),
        ("m/tokenizer_config.json", GENERATE, 4),
        ("m/generation_config.json", GENERATE, 4),
        ("a/adapter_config.json", &adapted, 4),
        ("a/adapter_model.safetensors", &adapted, 4),
        ("p.wasm", "diapason plugin inspect p.wasm", 4),
        ("case.json", "diapason plugin test eval-accuracy case.json", 4),
        ("labels.xml", "diapason init --labels labels.xml new", 4),
        ("m.gguf", "diapason generate --model m.gguf --raw --prompt x", 4),
        ("run/manifest.json", "diapason train", 4),
        ("run/train.jsonl", "diapason train", 4),
    ];
    for (name, command, code) in cases {
        for make in ["mkfifo", "mkdir"] {
            // A model or a list of cases may well be a folder.
            if make == "mkdir" && ["m.gguf", "case.json"].contains(&name) {
                continue;
            }
            let folder = project();
            let script = format!("rm -f {name}; mkdir -p $(dirname {name}); {make} {name}; {command}");
            refused(folder.path(), &script, code, &["not a file"]);
        }
        let folder = project();
        let script = format!("rm -f {name}; mkdir -p $(dirname {name}); ln -s /dev/zero {name}; {command}");
        refused(folder.path(), &script, code, &["it is a device, not a file"]);
    }
    let folder = project();
    refused(folder.path(), "echo | diapason run --config /dev/stdin", 2, &["not a file"]);
    let linked = format!("mv m/config.json c; ln -s ../c m/config.json; {GENERATE}");
    assert_eq!(shell(folder.path(), &linked).status.code(), Some(0), "a link to a file is one");
}

#[test]
fn results_that_cannot_be_written_are_errors() {
    let folder = project();
    for command in ["plugin list", "--help", "--version", "plugin inspect eval-accuracy", "--format json plugin list"] {
        refused(folder.path(), &format!("diapason {command} > /dev/full"), 4, &["failed to write to standard output"]);
        let output = shell(folder.path(), &format!("diapason {command} | true; echo ${{PIPESTATUS[0]}}"));
        assert_eq!(
            (String::from_utf8_lossy(&output.stdout).trim(), output.stderr.as_slice()),
            ("0", &b""[..]),
            "{command}"
        );
    }
    refused(folder.path(), &format!("{GENERATE} > /dev/full"), 4, &["failed to write to standard output"]);
    let both = shell(folder.path(), "diapason run --config none > /dev/full 2> /dev/full");
    assert_eq!(both.status.code(), Some(2), "where nobody listens the exit code is left");
}

#[test]
fn outputs_that_cannot_be_written_leave_what_was_there() {
    let merge = "diapason merge --model m --adapter a --out";
    let export = "diapason export --model m --out";
    let cases = [
        ("touch o", format!("{merge} o")),
        ("mkfifo o", format!("{merge} o")),
        ("mkfifo o", format!("{export} o")),
        ("mkdir o", format!("{export} o")),
        ("touch o", format!("{export} o/m.gguf")),
        ("true", format!("{export} /dev/full")),
        ("true", format!("{merge} /dev/full/o")),
        ("touch o", "diapason quantize --model m --out o".into()),
        ("touch run", "diapason train".into()),
        ("mkfifo run", "diapason train".into()),
        ("mkdir -p run/findings.jsonl", "diapason validate".into()),
        ("touch o", "diapason init o/p".into()),
        ("mkdir -p o; mkfifo o/model.safetensors", format!("{merge} o")),
    ];
    for (before, command) in cases {
        let folder = project();
        assert!(shell(folder.path(), before).status.success());
        if command.starts_with(export) {
            add_merge(&folder.path().join("m"));
        }
        refused(folder.path(), &command, 4, &["failed to"]);
        let left = shell(folder.path(), "find . -name '.tmp*' | grep -v ./cache");
        assert!(left.stdout.is_empty(), "{command} left {}", String::from_utf8_lossy(&left.stdout));
        assert!(shell(folder.path(), "test -c /dev/full").status.success(), "{command} replaced a device");
    }
}

/// A disk that is full before the new model is whole: here, a file may not grow so large.
#[test]
fn a_model_is_replaced_whole_or_not_at_all() {
    for shards in ["", "--max-shard-size 0.00003"] {
        let folder = project();
        let merge = format!("diapason merge --model m --adapter a --out o {shards}");
        assert_eq!(shell(folder.path(), &format!("{merge} --dtype bf16")).status.code(), Some(0));
        let list = "cd o; sha256sum *";
        let before = shell(folder.path(), list).stdout;
        let limited = format!("trap '' XFSZ; ulimit -f 60; {merge} --dtype f32 --max-shard-size 1");
        refused(folder.path(), &limited.replace("--max-shard-size 0.00003", ""), 4, &["failed to write"]);
        let after = shell(folder.path(), list).stdout;
        assert_eq!(String::from_utf8_lossy(&after), String::from_utf8_lossy(&before), "the old model was harmed");
        assert!(shell(folder.path(), "ls -A o | grep tmp").stdout.is_empty(), "a temporary file is left");
        assert_eq!(shell(folder.path(), &format!("{merge} --dtype f16")).status.code(), Some(0), "with space again");
    }
}

#[test]
fn files_without_rows_are_findings() {
    let utf16: Vec<u8> = "{\"prompt\": \"a\"}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&str, &[u8], &str); 8] = [
        ("train.jsonl", b"", "the file has no rows"),
        ("train.jsonl", b"\n \n\t\r\n", "the file has no rows"),
        ("train.jsonl", b"\xef\xbb\xbf", "the file has no rows"),
        ("test.jsonl", b"", "the file has no rows"),
        ("train.jsonl", &[&[0xff, 0xfe], utf16.as_slice()].concat(), "it is in UTF-16"),
        ("train.jsonl", &utf16, "NUL bytes"),
        ("test.jsonl", b"{\"prompt\": \"a\"}\n{\"prompt\": \"b\0\"}\n", "the line holds NUL bytes"),
        ("train.jsonl", b"{\"prompt\": \"a\xff\"}\n", "line 1 is not UTF-8"),
    ];
    for (name, content, message) in cases {
        let folder = project();
        std::fs::write(folder.path().join(name), content).expect("file");
        let output = shell(folder.path(), "diapason validate");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(4), "{name} {content:?}: {said}");
        assert!(said.contains(message) && said.contains("1 error"), "expected `{message}` in {said}");
        let findings = std::fs::read_to_string(folder.path().join("run/findings.jsonl")).expect("findings");
        assert!(findings.contains("\"validator\":\"diapason\""), "{findings}");
    }
}
