//! Errors that validators find stop every verb that rests on the data, unless someone allows them by name.

use crate::project::{self, diapason, put, rule, said};
use serde_json::Value;
use std::path::Path;

const STOPPED: [&str; 3] = ["train", "eval", "run"];

fn leaky(folder: &Path) {
    let config =
        project::head().replace("\"validate-shape\"", "\"validate-leakage\"") + project::SUITE + &rule("gain = 0.5");
    project::write(folder, &config);
    put(folder, "test.jsonl", &project::rows(60, 100));
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("written")).expect("JSON")
}

#[test]
fn errors_stop_every_verb_and_an_allowed_rule_is_in_the_report() {
    let folder = tempfile::tempdir().expect("folder");
    leaky(folder.path());
    for verb in STOPPED {
        let output = diapason(folder.path(), &[verb]);
        assert_eq!(output.status.code(), Some(4), "{verb}: {}", said(&output));
        assert!(said(&output).contains("the datasets have 4 errors"), "{verb}: {}", said(&output));
        assert!(!folder.path().join("run/adapter").exists(), "{verb} trained");
    }
    let output = diapason(folder.path(), &["validate", "--allow", "leaked-prompt"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("allowed: leaked-prompt (4 findings)"), "{}", said(&output));
    let output = diapason(folder.path(), &["run", "--allow", "leaked-prompt"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let run = folder.path().join("run");
    assert_eq!(json(&run.join("manifest.json"))["allowed"]["leaked-prompt"], 4);
    assert_eq!(json(&run.join("report.json"))["allowed"]["leaked-prompt"], 4);
    for name in ["report.md", "report.html", "junit.xml"] {
        let text = std::fs::read_to_string(run.join(name)).expect("written");
        assert!(text.contains("allowed: leaked-prompt (4 findings)"), "{name}");
    }
    for verb in ["gate", "report", "eval"] {
        let output = diapason(folder.path(), &[verb]);
        assert_eq!(output.status.code(), Some(4), "{verb} goes on without the word: {}", said(&output));
        let output = diapason(folder.path(), &[verb, "--allow", "leaked-prompt"]);
        assert_eq!(output.status.code(), Some(0), "{verb}: {}", said(&output));
    }
}

#[test]
fn an_unknown_rule_is_refused_and_another_one_helps_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    leaky(folder.path());
    for verb in ["validate", "train", "eval", "run"] {
        let output = diapason(folder.path(), &[verb, "--allow", "leaked-promt"]);
        assert_eq!(output.status.code(), Some(2), "{verb}: {}", said(&output));
        assert!(said(&output).contains("did you mean `leaked-prompt`?"), "{verb}: {}", said(&output));
    }
    let output = diapason(folder.path(), &["run", "--allow", "no-answer"]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
}

/// Findings belong to the data of today: what changes later stops the gate, and a new error the next evaluation.
#[test]
fn stale_findings_are_made_anew() {
    let folder = tempfile::tempdir().expect("folder");
    leaky(folder.path());
    put(folder.path(), "test.jsonl", &project::rows(100, 140));
    assert_eq!(diapason(folder.path(), &["run"]).status.code(), Some(0));
    assert_eq!(diapason(folder.path(), &["gate"]).status.code(), Some(0));
    put(folder.path(), "train.jsonl", &(project::rows(0, 64) + &project::rows(100, 101)));
    let verbs =
        [("gate", "the training data changed"), ("report", "the training data changed"), ("eval", "leaked-prompt")];
    for (verb, why) in verbs {
        let output = diapason(folder.path(), &[verb]);
        assert_eq!(output.status.code(), Some(4), "{verb}: {}", said(&output));
        assert!(said(&output).contains(why), "{verb}: {}", said(&output));
    }
}

/// A gate must not rest on training rows, whichever validators are configured.
#[test]
fn the_host_itself_finds_training_rows_in_a_gated_suite() {
    let folder = tempfile::tempdir().expect("folder");
    leaky(folder.path());
    let path = folder.path().join("diapason.toml");
    let config = std::fs::read_to_string(&path).expect("configuration");
    let none = config.replace("validator = [{ plugin = \"validate-leakage\" }]", "validator = []");
    std::fs::write(&path, &none).expect("written");
    let output = diapason(folder.path(), &["run"]);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("4 errors") && said(&output).contains("leaked-prompt"), "{}", said(&output));
    std::fs::write(&path, none.split("[[rule]]").next().unwrap_or_default()).expect("written");
    assert_eq!(diapason(folder.path(), &["validate"]).status.code(), Some(0), "no gate rests on it");
}
