//! Every built-in component does in the sandbox what its cases say.

use std::path::Path;
use std::process::Command;

fn diapason(arguments: &[&str]) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_diapason")).args(["--format", "json"]).args(arguments).output();
    let output = output.expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).expect("one JSON document")
}

#[test]
fn cases_hold_in_the_sandbox() {
    let plugins = diapason(&["plugin", "list"]);
    let names: Vec<&str> = plugins.as_array().expect("a list").iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(names.len(), 10, "{names:?}");
    for name in names {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(name).join("cases");
        let tested = diapason(&["plugin", "test", name, &cases.display().to_string()]);
        assert_eq!(tested["failed"], 0, "{tested}");
        assert!(tested["cases"].as_u64() > Some(3), "{tested}");
    }
}

/// What `diapason plugin test --mutate` prints stands in each evaluator's README between two marks, word for word.
/// `DIAPASON_UPDATE=1` writes it there.
#[test]
fn readmes_say_how_good_the_evaluators_are() {
    const MARKS: [&str; 2] = ["<!-- mutations -->\n", "<!-- /mutations -->"];
    for name in ["eval-accuracy", "eval-format", "eval-hallucination", "eval-harness", "eval-regression"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(name);
        let cases = folder.join("cases/right.json").display().to_string();
        let arguments = ["plugin", "test", name, &cases, "--mutate"];
        let output = Command::new(env!("CARGO_BIN_EXE_diapason")).args(arguments).output().expect("runs");
        let table = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success() && table.starts_with("| measure |"), "{table}");
        let readme = std::fs::read_to_string(folder.join("README.md")).expect("README");
        let start = readme.find(MARKS[0]).expect("a mark before the table") + MARKS[0].len();
        let end = readme.find(MARKS[1]).expect("a mark after the table");
        if std::env::var_os("DIAPASON_UPDATE").is_some() {
            let text = format!("{}{table}{}", &readme[..start], &readme[end..]);
            std::fs::write(folder.join("README.md"), text).expect("written");
        } else {
            assert_eq!(readme[start..end], table, "{name}: DIAPASON_UPDATE=1 writes the table");
        }
    }
}

/// The figures below which an evaluator must not fall. Those of what it cannot see by design are stated in its README.
#[test]
fn planted_faults_are_seen() {
    let floors = [
        (
            "eval-accuracy",
            vec!["exact-match", "normalised-match", "token-f1", "numeric", "field-accuracy", "json-exact"],
        ),
        ("eval-format", vec!["json-valid", "schema-valid", "json-only", "pattern", "length"]),
        ("eval-hallucination", vec!["unsupported-numbers", "unsupported-entities", "unsupported-quotes", "answered"]),
        ("eval-regression", vec!["harmful-flip", "changed"]),
    ];
    for (name, measures) in floors {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(name).join("cases/right.json");
        let table = diapason(&["plugin", "test", name, &cases.display().to_string(), "--mutate"]);
        for measure in measures {
            let row = table["measures"].as_array().into_iter().flatten().find(|row| row["measure"] == measure);
            let row = row.unwrap_or_else(|| panic!("{name} has no {measure}: {table}"));
            assert_eq!(
                (&row["sensitivity"]["value"], &row["specificity"]["value"]),
                (&1.0.into(), &1.0.into()),
                "{row}"
            );
        }
    }
}

/// The same figures show an evaluator that is no good: one that asks only for words is blind to most faults.
#[test]
fn a_blind_evaluator_is_found_out() {
    let place = tempfile::tempdir().expect("folder");
    let file = place.path().join("blind.json");
    let case = serde_json::json!({
        "name": "any short text will do", "capability": "evaluator", "settings": {"max_words": 50},
        "input": {"samples": [{"completions": ["Paris is in France."]}]}, "expect": [{"scored": {"valid": 1, "length": 1}}],
    });
    std::fs::write(&file, case.to_string()).expect("written");
    let table = diapason(&["plugin", "test", "eval-format", &file.display().to_string(), "--mutate"]);
    let row = &table["measures"][0];
    assert_eq!((row["measure"].as_str(), row["right"].as_u64()), (Some("length"), Some(1)), "{table}");
    // Only the repeated text is too long; an empty one is short enough.
    assert!(row["sensitivity"]["value"].as_f64().is_some_and(|value| value < 0.5), "{row}");
    assert_eq!(row["specificity"]["value"], 1.0, "{row}");
}

#[test]
fn without_right_answers_there_is_nothing_to_mutate() {
    let place = tempfile::tempdir().expect("folder");
    let file = place.path().join("wrong.json");
    let case = serde_json::json!({
        "name": "wrong", "capability": "evaluator",
        "input": {"samples": [{"reference": "a b", "completions": ["c"]}]},
        "expect": [{"scored": {"exact-match": 0, "normalised-match": 0, "token-f1": 0}}],
    });
    std::fs::write(&file, case.to_string()).expect("written");
    let run = Command::new(env!("CARGO_BIN_EXE_diapason"))
        .args(["plugin", "test", "eval-accuracy", &file.display().to_string(), "--mutate"])
        .output()
        .expect("runs");
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).contains("nothing to mutate"));
}

#[test]
fn a_new_plugin_carries_its_folders_name() {
    let place = tempfile::tempdir().expect("folder");
    let folder = place.path().join("word-count");
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/sdk").canonicalize().expect("the SDK");
    let written = diapason(&["plugin", "new", &folder.display().to_string(), "--sdk", &sdk.display().to_string()]);
    assert_eq!(written["name"], "word-count");
    let manifest: toml::Table =
        std::fs::read_to_string(folder.join("Cargo.toml")).expect("manifest").parse().expect("TOML");
    assert_eq!(manifest["package"]["name"].as_str(), Some("word-count"));
    assert_eq!(manifest["dependencies"]["diapason-plugin"]["path"].as_str().map(Path::new), Some(sdk.as_path()));
    assert!(std::fs::read_to_string(folder.join("README.md")).expect("read").contains("word_count.wasm"));
}
