//! The whole thread on a tiny model: dataset, training, answers, scores, verdict, report; and what a second run does.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// Two layers, 32 wide, bytes as tokens.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/golden/llama-tied");
const TEMPLATE: &str = "{% for message in messages %}{{ message.content }}{% if message.role == 'assistant' %}</s>{% else %}=\
                        {% endif %}{% endfor %}";
const ANSWERS: [&str; 4] = ["answers, base", "answers, tuned", "score", "train"];

/// A project in `folder` in which every question has the same answer; `rule` is the gate's only rule.
fn project(folder: &Path, rule: &str) {
    let rows = |from: usize, to: usize| -> String {
        (from..to).map(|n| format!("{{\"prompt\": \"q{n}\", \"completion\": \"ok\"}}\n")).collect()
    };
    let config = format!(
        "validator = [{{ plugin = \"validate-shape\" }}]\n\
         [model]\npath = {MODEL:?}\ndevice = \"cpu\"\n[data]\ntrain = \"train.jsonl\"\n[template]\ntemplate = \"./t.jinja\"\n\
         [train]\nlearning_rate = 2e-2\nepochs = 20\nrank = 8\ndropout = 0\nbatch_size = 8\ngradient_accumulation = 1\n\
         target_modules = [\"q_proj\", \"v_proj\", \"o_proj\", \"gate_proj\", \"up_proj\", \"down_proj\"]\nmax_sequence_length = 64\n\
         [generate]\nmax_tokens = 4\n[gate]\nresamples = 200\n[run]\nfolder = \"run\"\n\
         [[suite]]\nname = \"ok\"\ndata = \"test.jsonl\"\nevaluator = [{{ plugin = \"eval-accuracy\" }}]\n\
         [[rule]]\nsuite = \"ok\"\nmeasure = \"eval-accuracy.exact-match\"\n{rule}\n"
    );
    for (name, text) in [
        ("diapason.toml", config),
        ("train.jsonl", rows(0, 64)),
        ("test.jsonl", rows(100, 140)),
        ("t.jinja", TEMPLATE.into()),
    ] {
        std::fs::write(folder.join(name), text).expect("file");
    }
}

fn diapason(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_diapason")).args(arguments).current_dir(folder).output().expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("written")).expect("JSON")
}

#[test]
fn from_dataset_to_verdict_and_again() {
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path(), "gain = 0.5");
    let first = diapason(folder.path(), &["run"]);
    assert_eq!(first.status.code(), Some(0), "{}{}", text(&first.stdout), text(&first.stderr));
    assert!(text(&first.stdout).starts_with("PASSED"), "the verdict comes first: {}", text(&first.stdout));
    let run = folder.path().join("run");
    for name in [
        "findings.jsonl",
        "train.jsonl",
        "adapter/adapter_model.safetensors",
        "outputs.base.jsonl",
        "outputs.tuned.jsonl",
        "scores.jsonl",
        "comparison.json",
        "report.html",
        "report.md",
        "junit.xml",
    ] {
        assert!(run.join(name).exists(), "{name} is missing");
    }
    let report = std::fs::read(run.join("report.json")).expect("report");
    assert_eq!(json(&run.join("report.json"))["gate"]["verdict"], "passed");
    let manifest = json(&run.join("manifest.json"));
    for role in [
        "base/model.safetensors",
        "base/config.json",
        "base/tokenizer.json",
        "tuned/adapter_model.safetensors",
        "template",
        "data/train",
        "data/test/ok",
        "plugin/suite/ok/eval-accuracy",
        "run/scores.jsonl",
    ] {
        assert_eq!(manifest["frozen"]["eval"]["files"][role]["sha256"].as_str().map(str::len), Some(64), "{role}");
    }

    let second = diapason(folder.path(), &["run"]);
    let log = text(&second.stderr);
    for stage in ANSWERS.iter().chain(&["validate", "compare"]) {
        assert!(log.lines().any(|line| line.contains(stage) && line.contains("up to date")), "{stage}: {log}");
    }
    assert_eq!(std::fs::read(run.join("report.json")).expect("report"), report, "the same bytes again");
}

#[test]
fn a_project_that_moved_goes_on_where_it_stood() {
    let folder = tempfile::tempdir().expect("folder");
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    std::fs::create_dir(&old).expect("folder");
    project(&old, "gain = 0.5");
    assert_eq!(diapason(&old, &["run"]).status.code(), Some(0));
    std::fs::rename(&old, &new).expect("moved");
    let log = text(&diapason(&new, &["run"]).stderr);
    for stage in ANSWERS.iter().chain(&["validate", "compare"]) {
        assert!(log.lines().any(|line| line.contains(stage) && line.contains("up to date")), "{stage}: {log}");
    }
}

#[test]
fn another_rule_is_decided_without_the_model() {
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path(), "gain = 0.5");
    assert_eq!(diapason(folder.path(), &["run"]).status.code(), Some(0));
    project(folder.path(), "maximum = 0.2");
    let gate = diapason(folder.path(), &["gate", "--format", "json"]);
    assert_eq!(gate.status.code(), Some(1), "{}", text(&gate.stderr));
    let document: Value = serde_json::from_slice(&gate.stdout).expect("one JSON document");
    assert_eq!(document["verdict"], "failed");

    let adapter = folder.path().join("run/adapter/adapter_model.safetensors");
    let mut bytes = std::fs::read(&adapter).expect("adapter");
    *bytes.last_mut().expect("not empty") ^= 1;
    std::fs::write(&adapter, bytes).expect("written");
    let gate = diapason(folder.path(), &["gate"]);
    assert_eq!(gate.status.code(), Some(4), "an adapter that was not evaluated must not pass");
    assert!(text(&gate.stderr).contains("changed since the evaluation"), "{}", text(&gate.stderr));
}

#[test]
fn a_plan_is_what_training_then_does() {
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path(), "gain = 0.5");
    let plan = diapason(folder.path(), &["plan", "--format", "json"]);
    assert_eq!(plan.status.code(), Some(0), "{}", text(&plan.stderr));
    let plan: Value = serde_json::from_slice(&plan.stdout).expect("one JSON document");
    let tight = diapason(folder.path(), &["plan", "--memory", "0.001"]);
    assert_eq!(tight.status.code(), Some(1), "a plan that does not fit says so in its exit code");
    let said = text(&tight.stdout);
    assert!(said.contains("it does not fit") && said.contains("batch_size = 4, gradient_accumulation = 2"), "{said}");

    assert_eq!(diapason(folder.path(), &["train"]).status.code(), Some(0));
    let training = json(&folder.path().join("run/training.json"));
    assert_eq!(plan["load"]["steps"], training["steps"]);
    assert_eq!(plan["load"]["tokens"], training["tokens"]);
}

#[test]
fn an_adapter_without_effect_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path(), "gain = 0.5");
    assert_eq!(diapason(folder.path(), &["train"]).status.code(), Some(0));
    zero(&folder.path().join("run/adapter/adapter_model.safetensors"));
    let output = diapason(folder.path(), &["eval"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("the adapter changes nothing"), "{}", text(&output.stderr));
    assert!(!folder.path().join("run/outputs.tuned.jsonl").exists());
}

/// Every parameter trained, several sampled answers to a question, and a comparator that holds tuned against base.
#[test]
fn full_fine_tuning_with_samples_and_a_comparator() {
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path(), "gain = 0.5");
    let path = folder.path().join("diapason.toml");
    let config = std::fs::read_to_string(&path)
        .expect("configuration")
        .replace("[train]\nlearning_rate = 2e-2\nepochs = 20", "[train]\nmethod = \"full\"\nlearning_rate = 3e-3\nepochs = 12")
        .replace("max_tokens = 4", "max_tokens = 4\ntemperature = 0.7")
        .replace(
            "[{ plugin = \"eval-accuracy\" }]",
            "[{ plugin = \"eval-accuracy\", settings = { metrics = [\"exact-match\", \"any-exact\"], completions = 3, k = 2 } },\
             { plugin = \"eval-regression\" }]",
        );
    std::fs::write(&path, config).expect("written");
    let output = diapason(folder.path(), &["run"]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let run = folder.path().join("run");
    assert!(run.join("model/model.safetensors").exists() && !run.join("adapter").exists());
    let answers = std::fs::read_to_string(run.join("outputs.tuned.jsonl")).expect("answers");
    let count =
        |line: &str, key: &str| serde_json::from_str::<Value>(line).expect("JSON")[key].as_array().map(Vec::len);
    assert!(answers.lines().all(|line| count(line, "samples") == Some(3)), "{answers}");
    let ordinary = answers.lines().all(|line| count(line, "completions") == Some(1));
    assert!(ordinary, "the comparator sees the ordinary completion: {answers}");
    let comparison = std::fs::read_to_string(run.join("comparison.json")).expect("comparison");
    for measure in ["\"any-exact\"", "\"harmful-flip\"", "\"beneficial-flip\""] {
        assert!(comparison.contains(measure), "{measure}: {comparison}");
    }
}

/// Sets every number of a safetensors file to 0; the header, after its length in 8 bytes, stays.
fn zero(path: &Path) {
    let mut bytes = std::fs::read(path).expect("file");
    let header = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    bytes[8 + header..].fill(0);
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn an_error_among_the_findings_stops_before_training() {
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path(), "gain = 0.5");
    let path = folder.path().join("train.jsonl");
    let rows =
        std::fs::read_to_string(&path).expect("rows") + "{\"prompt\": \"q\", \"completion\": \"\"}\n{\"x\": 1}\n";
    std::fs::write(&path, rows).expect("rows");
    let output = diapason(folder.path(), &["run"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("train line 66"), "{}", text(&output.stderr));
    assert!(!folder.path().join("run/adapter").exists());
}

#[test]
fn generate_prints_the_completion_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let ask = ["generate", "--model", MODEL, "--raw", "--prompt", "Hello", "--max-tokens", "3", "--format", "json"];
    let output = diapason(folder.path(), &ask);
    let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(document["tokens"], 3);
    let plain = diapason(folder.path(), &ask[..8]);
    assert_eq!(text(&plain.stdout), format!("{}\n", document["text"].as_str().expect("text")));
}
