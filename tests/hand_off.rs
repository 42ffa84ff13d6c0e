//! Training elsewhere: what is handed over, and that other trainers get our losses from it
//! (`tests/oracles/hand_off.py`).

use crate::project::{command, diapason, put, said};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// How far the losses of two trainers may be apart, in nats.
const TOLERANCE: f64 = 1e-4;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles/hand_off.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("a golden")).expect("JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Writes the project of a case.
fn write(folder: &Path, golden: &Value, case: &Value) {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden");
    let (from, to) = (models.join(text(&case["model"])), folder.join("model"));
    std::fs::create_dir(&to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a model") {
        let path = entry.expect("an entry").path();
        std::fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("copied");
    }
    // As in the oracle: LLaMA-Factory computes in the format that is named here.
    let path = to.join("config.json");
    let mut config: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("read")).expect("JSON");
    config["dtype"] = "float32".into();
    std::fs::write(path, config.to_string()).expect("written");
    put(folder, "train.jsonl", text(&golden["data"]));
    put(folder, "t.jinja", text(&golden["template"]));
    put(folder, "diapason.toml", text(&case["config"]));
}

/// The losses of our own training, a step each.
fn losses(folder: &Path) -> Vec<f64> {
    let output = diapason(folder, &["train", "-q"]);
    assert!(output.status.success(), "{}", said(&output));
    let log = std::fs::read_to_string(folder.join("run/train.jsonl")).expect("a log");
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter_map(|event| (event["event"] == "step").then(|| event["loss"].as_f64().expect("a loss"))).collect()
}

#[test]
fn other_trainers_get_our_losses() {
    let golden = golden();
    for (name, case) in golden["cases"].as_object().expect("cases") {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), &golden, case);
        let ours = losses(folder.path());
        for (trainer, run) in case["trainers"].as_object().expect("trainers") {
            let theirs: Vec<f64> = run["losses"].as_array().expect("losses").iter().filter_map(Value::as_f64).collect();
            assert_eq!(ours.len(), theirs.len(), "{name}, {trainer}: steps");
            let far = (1..).zip(ours.iter().zip(&theirs)).find(|(_, (a, b))| (**a - **b).abs() > TOLERANCE);
            assert!(far.is_none(), "{name}, {trainer}: step and losses {far:?}");
        }
    }
}

/// Hands a case over, into `hand` of its project.
fn hand_off(case: &str, trainer: &str, more: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let (golden, folder) = (golden(), tempfile::tempdir().expect("a folder"));
    write(folder.path(), &golden, &golden["cases"][case]);
    let arguments = [&["hand-off", trainer, "--out", "hand"], more].concat();
    let output = diapason(folder.path(), &arguments);
    assert!(output.status.success(), "{}", said(&output));
    let hand = folder.path().join("hand");
    (folder, hand)
}

/// The columns of a Parquet file, as the oracle writes them down.
fn columns(path: &Path) -> Value {
    let (text, _) = diapason_project::dataset::read(path, &Default::default()).expect("a Parquet file");
    let mut columns = serde_json::json!({});
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).expect("JSON");
        for (name, list) in row.as_object().expect("a row") {
            if columns[name].is_null() {
                columns[name] = serde_json::json!([]);
            }
            columns[name].as_array_mut().expect("a column").push(list.clone());
        }
    }
    columns
}

#[test]
fn the_rows_are_those_that_were_trained_elsewhere() {
    let golden = golden();
    for (case, trainer) in [("lora", "trl"), ("lora", "axolotl"), ("lora", "llama-factory"), ("packed", "trl")] {
        let (_folder, hand) = hand_off(case, trainer, &[]);
        let expected = &golden["cases"][case]["trainers"][trainer]["rows"];
        assert!(&columns(&hand.join("rows.parquet")) == expected, "{case}, {trainer}: other rows");
    }
}

#[test]
fn a_folder_has_all_that_its_trainer_needs() {
    let own = [
        ("trl", vec!["settings.json", "train.py", "ray_train.py"]),
        ("axolotl", vec!["axolotl.yaml", "diapason_handoff.py"]),
        ("llama-factory", vec!["llama-factory.yaml", "prepare.py"]),
    ];
    for (trainer, mut expected) in own {
        let (_folder, hand) = hand_off("lora", trainer, &["--gpus", "8", "--nodes", "2", "--base", "/models/base"]);
        expected.extend(["README.md", "adapter", "held_out.parquet", "rows.parquet", "tokenizer", "train.sbatch"]);
        expected.sort_unstable();
        let mut found: Vec<String> = std::fs::read_dir(&hand)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
            .collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{trainer}");
        let page = std::fs::read_to_string(hand.join("README.md")).expect("a page");
        let job = std::fs::read_to_string(hand.join("train.sbatch")).expect("a job");
        assert!(page.contains("| processes | 16: 2 × 8 GPUs |") && page.contains("`/models/base`"), "{page}");
        assert!(job.contains("#SBATCH --nodes=2\n") && job.contains("#SBATCH --gpus-per-node=8\n"), "{job}");
        let template = std::fs::read_to_string(hand.join("tokenizer/chat_template.jinja")).expect("a template");
        assert!(template.contains("message.content"), "the rows' template");
        let adapter: Vec<_> = std::fs::read_dir(hand.join("adapter")).expect("an adapter").collect();
        assert_eq!(adapter.len(), 2, "adapter_config.json and adapter_model.safetensors");
    }
}

#[test]
fn what_cannot_be_handed_over_is_refused_and_leaves_nothing() {
    let (folder, hand) = hand_off("lora", "trl", &[]);
    let refused = |arguments: &[&str], code: i32, expected: &[&str]| {
        let output = command(folder.path(), arguments).output().expect("runs");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(expected.iter().all(|one| said.contains(one)), "{said}");
    };
    let before = std::fs::read(hand.join("rows.parquet")).expect("rows");
    refused(&["hand-off", "trl", "--out", "hand"], 2, &["hand exists already"]);
    assert_eq!(std::fs::read(hand.join("rows.parquet")).expect("rows"), before);
    let config = std::fs::read_to_string(folder.path().join("diapason.toml")).expect("a configuration");
    put(folder.path(), "diapason.toml", &format!("{config}packing = true\n[train.early_stopping]\n"));
    let both = ["cannot be handed to Axolotl", "`train.early_stopping`", "`train.packing`", "remove the table"];
    refused(&["hand-off", "axolotl", "--out", "other"], 2, &both);
    put(folder.path(), "diapason.toml", &config.replace("\"model\"", "\"model.gguf\""));
    put(folder.path(), "model.gguf", "GGUF");
    refused(&["hand-off", "trl", "--out", "other"], 2, &["GGUF file"]);
    assert!(!folder.path().join("other").exists());
    let left: Vec<String> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .filter(|name| name.starts_with(".other"))
        .collect();
    assert_eq!(left, [""; 0]);
}
