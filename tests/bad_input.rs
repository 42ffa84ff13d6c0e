//! Bad input: each a one-screen error with cause and hint, the promised exit code, and nothing half-written.

use std::path::Path;
use std::process::{Command, Output};

fn diapason(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_diapason"))
        .args(arguments)
        .current_dir(folder)
        .env("DIAPASON_CACHE", folder.join("cache"))
        .output()
        .expect("runs")
}

/// Runs in a folder with `files` and expects the exit code, the fragments on standard error, a hint, one screen, and no
/// file that was not there before but those of the stages that were finished.
#[track_caller]
fn refused(files: &[(&str, &[u8])], arguments: &[&str], code: i32, fragments: &[&str]) {
    let folder = tempfile::tempdir().expect("folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("inner")).expect("folder");
        std::fs::write(path, content).expect("file");
    }
    let output = diapason(folder.path(), arguments);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    for fragment in fragments {
        assert!(text.contains(fragment), "expected `{fragment}` in:\n{text}");
    }
    assert!(text.contains("Hint: "), "no hint in:\n{text}");
    assert!(text.lines().count() <= 24, "more than a screen:\n{text}");
    assert!(!text.contains("panicked"), "{text}");
    assert!(output.stdout.is_empty(), "a result beside the error");
    for finished in ["cache", "runs/latest/findings.jsonl", "runs/latest/manifest.json"] {
        let path = folder.path().join(finished);
        let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    }
    assert_eq!(count(folder.path()), files.len(), "something was left behind");
}

fn count(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path());
    entries.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
}

const CONFIG: &[u8] = b"validator = []\n[model]\npath = \"base.gguf\"\n[data]\ntrain = \"train.jsonl\"\n";

#[test]
fn a_missing_configuration() {
    refused(&[], &["run"], 2, &["failed to read diapason.toml", "diapason init"]);
}

#[test]
fn a_broken_line_in_the_middle() {
    let rows =
        b"{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"a\n{\"prompt\": \"c\", \"completion\": \"d\"}\n";
    let files: [(&str, &[u8]); 3] = [("diapason.toml", CONFIG), ("train.jsonl", rows), ("base.gguf", b"")];
    refused(&files, &["train"], 4, &["train line 2: not JSON: ", " at column ", "was it cut"]);
}

#[test]
fn a_missing_model() {
    refused(&[], &["generate", "--model", "nowhere", "--prompt", "x"], 4, &["failed to open model nowhere"]);
}

#[test]
fn a_truncated_gguf() {
    let bytes = b"GGUF\x03\0\0\0\x02\0\0\0\0\0\0\0";
    refused(&[("m.gguf", bytes)], &["generate", "--model", "m.gguf", "--prompt", "x"], 4, &["m.gguf"]);
}

#[test]
fn a_truncated_safetensors_file() {
    let config = br#"{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 8, "intermediate_size": 16,
        "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": 16, "rms_norm_eps": 1e-5,
        "max_position_embeddings": 64, "tie_word_embeddings": true}"#;
    let files: [(&str, &[u8]); 2] = [("m/config.json", config), ("m/model.safetensors", b"\x40\0\0\0\0\0\0\0{\"a\":")];
    refused(&files, &["generate", "--model", "m", "--prompt", "x"], 4, &["m"]);
}

#[test]
fn a_file_that_is_no_component() {
    refused(&[("p.wasm", b"hello")], &["plugin", "inspect", "p.wasm"], 4, &["not a WebAssembly component"]);
    refused(&[("p.wasm", b"\0asm")], &["plugin", "inspect", "p.wasm"], 4, &["p.wasm"]);
}

#[test]
fn a_core_module_and_an_empty_component() {
    let module = wat::parse_str("(module)").expect("wat");
    refused(&[("p.wasm", &module)], &["plugin", "inspect", "p.wasm"], 4, &["a core module, not a component"]);
    let component = wat::parse_str("(component)").expect("wat");
    refused(&[("p.wasm", &component)], &["plugin", "inspect", "p.wasm"], 4, &["p.wasm"]);
}

#[test]
fn a_component_that_wants_files() {
    let text = r#"(component (import "wasi:filesystem/types@0.2.0" (instance)))"#;
    let component = wat::parse_str(text).expect("wat");
    refused(&[("p.wasm", &component)], &["plugin", "inspect", "p.wasm"], 4, &["wasi:filesystem/types"]);
}

#[test]
fn a_template_that_loops_for_ever() {
    let case = br#"{"name": "loops", "capability": "chat-template",
        "settings": {"template": "{% for a in range(10000) %}{% for b in range(10000) %}{% for c in range(10000) %}{% endfor %}{% endfor %}{% endfor %}"},
        "input": {"mode": "prompt", "conversations": [{"messages": [{"role": "user", "content": "x"}]}]}, "error": "not end"}"#;
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("case.json"), case).expect("file");
    let output = diapason(folder.path(), &["plugin", "test", "chat-jinja", "case.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn an_unknown_plugin_and_an_unknown_setting() {
    refused(&[], &["plugin", "inspect", "eval-acuracy"], 2, &["unknown plugin", "did you mean `eval-accuracy`?"]);
    let config = "validator = []\n[model]\npath = \"m\"\n[data]\ntrain = \"s.jsonl\"\n[[suite]]\nname = \"s\"\ndata = \"s.jsonl\"\n\
                  evaluator = [{ plugin = \"eval-accuracy\", settings = { jsn = true } }]\n\
                  [[rule]]\nsuite = \"s\"\nmeasure = \"x\"\ngain = 0\n";
    let row: &[u8] = b"{\"prompt\": \"a\", \"completion\": \"b\"}\n";
    let files: [(&str, &[u8]); 3] = [("diapason.toml", config.as_bytes()), ("s.jsonl", row), ("m", b"")];
    refused(&files, &["run"], 2, &["unknown key `jsn`", "did you mean `json`?"]);
    let config = config.replace("jsn", "json");
    let files: [(&str, &[u8]); 3] = [("diapason.toml", config.as_bytes()), files[1], files[2]];
    refused(&files, &["run"], 2, &["no plugin of suite `s` gives the measure `x`"]);
}

#[test]
fn an_artefact_that_is_not_there_yet() {
    let files: [(&str, &[u8]); 3] = [("diapason.toml", CONFIG), ("train.jsonl", b""), ("base.gguf", b"")];
    refused(&files, &["gate"], 2, &["has no rules", "`[[rule]]`"]);
    refused(&files, &["report"], 4, &["comparison.json is missing", "run `diapason compare` first"]);
}

#[test]
fn errors_are_one_json_document_for_machines() {
    let folder = tempfile::tempdir().expect("folder");
    let output = diapason(folder.path(), &["--format", "json", "run"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(document["error"]["class"], "config");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_number_out_of_bounds_stops_every_verb() {
    for (line, said) in [
        ("rank = 9223372036854775807", "train.rank: 9223372036854775807 is too large, at most 65536 is possible"),
        ("learning_rate = nan", "train.learning_rate: `nan` is not a number"),
        ("epochs = 1e300", "train.epochs: 1e300 is not a whole number"),
        ("batch_size = -1", "train.batch_size: -1 is too small"),
    ] {
        let config = format!("[model]\npath = \"m\"\n[data]\ntrain = \"t.jsonl\"\n[train]\n{line}\n");
        for verb in ["validate", "plan", "train", "eval", "compare", "report", "gate", "run"] {
            refused(&[("diapason.toml", config.as_bytes())], &[verb], 2, &["line 6: ", said]);
        }
    }
}

#[test]
fn hints_that_fit() {
    let with = |line: &str| [CONFIG, line.as_bytes()].concat();
    let cases: [(&str, &[&str]); 5] = [
        ("[run]\nseed = 1\nseed = 2\n", &["line 8", "duplicate key", "remove one of the two"]),
        ("[run]\nseed = 9223372036854775808\n", &["line 7", "whole numbers go from"]),
        ("[limits]\nfuel = 1\n", &["limits.fuel: 1 is too small, at least 1000000 is needed", "`fuel`: wasmtime fuel"]),
        ("[train]\nepochs = 0\n", &["train.epochs: 0 is too small", "`epochs`: "]),
        ("[generate]\nsampling_temperature = 1000\n", &["1000 is too large", "`sampling_temperature`: "]),
    ];
    let rows = b"{\"prompt\": \"a\", \"completion\": \"b\"}\n";
    for (line, fragments) in cases {
        let files: [(&str, &[u8]); 3] = [("diapason.toml", &with(line)), ("train.jsonl", rows), ("base.gguf", b"")];
        refused(&files, &["validate"], 2, fragments);
    }
}

#[test]
fn a_negative_memory_to_plan_for() {
    let rows = b"{\"prompt\": \"a\", \"completion\": \"b\"}\n";
    let files: [(&str, &[u8]); 3] = [("diapason.toml", CONFIG), ("train.jsonl", rows), ("base.gguf", b"")];
    refused(&files, &["plan", "--memory", "-1"], 2, &["--memory is -1, expected more than 0", "it is in GB"]);
}

#[test]
fn a_run_folder_that_is_a_file() {
    let config = [CONFIG, b"[run]\nfolder = \"train.jsonl\"\n"].concat();
    let rows = b"{\"prompt\": \"a\", \"completion\": \"b\"}\n";
    let files: [(&str, &[u8]); 3] = [("diapason.toml", &config), ("train.jsonl", rows), ("base.gguf", b"")];
    let said = ["failed to open the run folder train.jsonl: it is not a folder", "another `run.folder`"];
    refused(&files, &["validate"], 4, &said);
}

/// The header of a GGUF file with one tensor, of type IQ4_XS: named, and neither called truncated nor shown with a backtrace.
#[test]
fn a_type_of_tensors_that_is_not_read() {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let architecture = [text("general.architecture"), vec![8, 0, 0, 0], text("llama")].concat();
    let numbers = |numbers: [u64; 2]| numbers.map(u64::to_le_bytes).concat();
    let shape = [vec![2, 0, 0, 0], numbers([32, 256]), vec![23, 0, 0, 0], vec![0; 8]].concat();
    let tensor = [text("token_embd.weight"), shape].concat();
    let file = [b"GGUF".to_vec(), vec![3, 0, 0, 0], numbers([1, 1]), architecture, tensor, vec![0; 64]].concat();
    let expected =
        ["tensor type IQ4_XS is not supported: tensor `token_embd.weight`", "supported: F32, F16, BF16, Q4_0"];
    refused(&[("m.gguf", &file)], &["generate", "--model", "m.gguf", "--prompt", "x"], 4, &expected);
    let folder = tempfile::tempdir().expect("folder");
    std::fs::write(folder.path().join("m.gguf"), file).expect("file");
    let output = Command::new(env!("CARGO_BIN_EXE_diapason"))
        .args(["generate", "--model", "m.gguf", "--prompt", "x"])
        .current_dir(folder.path())
        .env("RUST_BACKTRACE", "1")
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!text.contains("truncated") && !text.contains("candle") && text.lines().count() < 6, "{text}");
}
