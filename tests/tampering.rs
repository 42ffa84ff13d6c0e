//! The tampering table: whatever is changed after an evaluation is found by name, by the verb that would rest on it.

pub(crate) mod project;

use project::{CONFIG, copy, diapason, edit, finished, flip, forge, project, said};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// What is done, the exit codes of `compare`, `report`, `gate` and `verify`, and what each that refuses must name.
type Case = (&'static str, fn(&Path), [i32; 4], &'static str);

/// Refused by all: something that the evaluation used or made.
const ALL: [i32; 4] = [4, 4, 4, 4];
/// Another configuration: a matter of usage, but for `verify`, which speaks of the folder.
const CONFIGURED: [i32; 4] = [2, 2, 2, 4];
/// `compare` generates it again and says so.
const COMPARED: [i32; 4] = [0, 4, 4, 4];
/// `report` writes it anew.
const REPORTED: [i32; 4] = [0, 0, 4, 4];
/// The manifest was forged with it, seal included: only computing it again finds it.
const FORGED: [i32; 4] = [0, 0, 0, 4];

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("a test row", |at| edit(&at.join("test.jsonl"), "q103", "q903"), ALL, "the test data of suite `ok`"),
    ("another test file", |at| drop(std::fs::copy(at.join("train.jsonl"), at.join("test.jsonl"))), ALL, "the test data of suite `ok`"),
    ("the order of test rows", |at| {
        let path = at.join("test.jsonl");
        let text = std::fs::read_to_string(&path).expect("text");
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(0, 1);
        std::fs::write(path, lines.join("\n") + "\n").expect("written");
    }, ALL, "the test data of suite `ok`"),
    ("a test row beyond the limit", |at| edit(&at.join("test.jsonl"), "q129", "q929"), ALL, "the test data of suite `ok`"),
    ("the test file is gone", |at| std::fs::remove_file(at.join("test.jsonl")).expect("removed"), CONFIGURED, "test"),
    ("training data", |at| edit(&at.join("train.jsonl"), "q7\"", "q8\""), ALL, "the training data"),
    ("base weights", |at| flip(&at.join("base/model.safetensors")), ALL, "the base model's model.safetensors"),
    ("base configuration", |at| edit(&at.join("base/config.json"), "{", "{ "), ALL, "the base model's config.json"),
    ("tokenizer", |at| edit(&at.join("base/tokenizer.json"), "{", "{ "), ALL, "the base model's tokenizer.json"),
    ("a chat template of the model's own", |at| std::fs::write(at.join("base/chat_template.jinja"), "x").expect("written"), ALL, "the base model's chat_template.jinja"),
    ("a further chat template of the model's own", |at| {
        std::fs::create_dir(at.join("base/additional_chat_templates")).expect("folder");
        std::fs::write(at.join("base/additional_chat_templates/tool_use.jinja"), "x").expect("written");
    }, ALL, "the base model's additional_chat_templates/tool_use.jinja"),
    ("variables of a suite", |at| edit(&at.join("diapason.toml"), "limit = 24", "limit = 24\ntemplate_variables = { x = 1 }"), CONFIGURED, "suite.ok.template_variables.x"),
    ("chat template", |at| std::fs::write(at.join("t.jinja"), "x").expect("written"), ALL, "the chat template"),
    ("adapter weights", |at| flip(&at.join("run/adapter/adapter_model.safetensors")), ALL, "the tuned model's adapter_model.safetensors"),
    ("adapter configuration", |at| edit(&at.join("run/adapter/adapter_config.json"), "\"lora_alpha\"", " \"lora_alpha\""), ALL, "the tuned model's adapter_config.json"),
    ("the adapter is gone", |at| std::fs::remove_file(at.join("run/adapter/adapter_model.safetensors")).expect("removed"), ALL, "the tuned model's adapter_model.safetensors"),
    ("a component's bytes", |at| {
        let mut bytes = std::fs::read(at.join("own.wasm")).expect("component");
        bytes.extend([0, 2, 1, b'x']); // a custom section: still the same functions
        std::fs::write(at.join("own.wasm"), bytes).expect("written");
    }, ALL, "plugin `own` of suite `ok`"),
    ("a plugin's settings", |at| edit(&at.join("diapason.toml"), "[\"exact-match\"]", "[\"exact-match\", \"token-f1\"]"), CONFIGURED, "suite.ok.evaluator.own.settings.metrics"),
    ("max_tokens", |at| edit(&at.join("diapason.toml"), "max_tokens = 4", "max_tokens = 5"), CONFIGURED, "generate.max_tokens"),
    ("temperature", |at| edit(&at.join("diapason.toml"), "temperature = 0.0", "temperature = 0.5"), CONFIGURED, "generate.temperature"),
    ("stop", |at| edit(&at.join("diapason.toml"), "stop = [\"#\"]", "stop = []"), CONFIGURED, "generate.stop"),
    ("seed", |at| edit(&at.join("diapason.toml"), "seed = 42", "seed = 43"), CONFIGURED, "run.seed"),
    ("a system message", |at| edit(&at.join("diapason.toml"), "limit = 24", "limit = 24\nsystem = \"Hi\""), CONFIGURED, "suite.ok.system"),
    ("a suite's limit", |at| edit(&at.join("diapason.toml"), "limit = 24", "limit = 20"), CONFIGURED, "suite.ok.limit"),
    ("a training setting", |at| edit(&at.join("diapason.toml"), "epochs = 12", "epochs = 13"), CONFIGURED, "train.epochs"),
    ("the validators", |at| edit(&at.join("diapason.toml"), "validate-shape", "validate-duplicates"), CONFIGURED, "validator.validate-duplicates"),
    ("a limit of plugins", |at| edit(&at.join("diapason.toml"), "[gate]", "[limits]\nmemory = 200\n[gate]"), CONFIGURED, "limits.memory"),
    ("base answers", |at| edit(&at.join("run/outputs.base.jsonl"), "\"text\":\"", "\"text\":\"x"), ALL, "outputs.base.jsonl"),
    ("tuned answers", |at| edit(&at.join("run/outputs.tuned.jsonl"), "\"text\":\"", "\"text\":\"x"), ALL, "outputs.tuned.jsonl"),
    ("scores", |at| edit(&at.join("run/scores.jsonl"), "\"value\":0.0", "\"value\":1.0"), ALL, "scores.jsonl"),
    ("samples", |at| edit(&at.join("run/samples.jsonl"), "q103", "q903"), ALL, "samples.jsonl"),
    ("findings", |at| std::fs::write(at.join("run/findings.jsonl"), "{}\n").expect("written"), ALL, "findings.jsonl"),
    ("the log of training", |at| edit(&at.join("run/train.jsonl"), "\"loss\":", "\"loss\":1"), ALL, "train.jsonl"),
    ("the summary of training", |at| edit(&at.join("run/training.json"), "\"steps\":", "\"steps\":1"), ALL, "training.json"),
    ("an estimate in the comparison", |at| edit(&at.join("run/comparison.json"), "\"mean\": ", "\"mean\": 0"), COMPARED, "comparison.json"),
    ("evidence in the comparison", |at| edit(&at.join("run/comparison.json"), "\"evidence\": {", "\"evidence\": { "), COMPARED, "comparison.json"),
    ("report.json", |at| edit(&at.join("run/report.json"), "\"passed\"", "\"failed\""), REPORTED, "report.json"),
    ("report.html", |at| edit(&at.join("run/report.html"), "Passed", "Failed"), REPORTED, "report.html"),
    ("report.md", |at| edit(&at.join("run/report.md"), "Passed", "Failed"), REPORTED, "report.md"),
    ("junit.xml", |at| edit(&at.join("run/junit.xml"), "failures=\"0\"", "failures=\"1\""), REPORTED, "junit.xml"),
    ("the manifest alone", |at| edit(&at.join("run/manifest.json"), "\"rows\": 24", "\"rows\": 25"), ALL, "manifest.json was edited"),
    ("answers, with the manifest", |at| {
        edit(&at.join("run/outputs.tuned.jsonl"), "\"text\":\"ok\"", "\"text\":\"no\"");
        forge(at, "outputs.tuned.jsonl");
    }, FORGED, "the scores of `ok` by `own`"),
    ("scores, with the manifest", |at| {
        edit(&at.join("run/scores.jsonl"), "\"value\":0.0", "\"value\":1.0");
        forge(at, "scores.jsonl");
    }, FORGED, "the scores of `ok` by"),
    ("samples, with the manifest", |at| {
        edit(&at.join("run/samples.jsonl"), "\"reference\":\"ok\"", "\"reference\":\"no\"");
        forge(at, "samples.jsonl");
    }, FORGED, "the samples of `ok`"),
    ("findings, with the manifest", |at| {
        let finding = r#"{"validator":"a","severity":"note","rule":"b","split":"train","line":1,"path":"","message":"c","hint":"d"}"#;
        std::fs::write(at.join("run/findings.jsonl"), format!("{finding}\n")).expect("written");
        forge(at, "findings.jsonl");
    }, FORGED, "the findings"),
    ("the summary of training, with the manifest", |at| {
        edit(&at.join("run/training.json"), "\"steps\":", "\"steps\":1");
        forge(at, "training.json");
    }, FORGED, "the summary of training"),
    ("the comparison, with the manifest", |at| {
        edit(&at.join("run/comparison.json"), "\"wins\": ", "\"wins\": 1");
        forge(at, "comparison.json");
    }, FORGED, "the comparison"),
    ("the report, with the manifest", |at| {
        edit(&at.join("run/report.md"), "Passed", "Failed");
        forge(at, "report.md");
    }, FORGED, "what report.md says"),
    ("the verdict in report.json, with the manifest", |at| {
        edit(&at.join("run/report.json"), "\"passed\"", "\"failed\"");
        forge(at, "report.json");
    }, FORGED, "the verdict"),
    ("another run's answers", |at| drop(std::fs::copy(at.join("other/outputs.tuned.jsonl"), at.join("run/outputs.tuned.jsonl"))), ALL, "outputs.tuned.jsonl"),
    ("another run's scores", |at| drop(std::fs::copy(at.join("other/scores.jsonl"), at.join("run/scores.jsonl"))), ALL, "scores.jsonl"),
    ("another run's comparison", |at| drop(std::fs::copy(at.join("other/comparison.json"), at.join("run/comparison.json"))), COMPARED, "comparison.json"),
    ("another run's adapter", |at| copy(&at.join("other/adapter"), &at.join("run/adapter")), ALL, "the tuned model's adapter_model.safetensors"),
    ("another run's manifest", |at| drop(std::fs::copy(at.join("other/manifest.json"), at.join("run/manifest.json"))), CONFIGURED, "run.seed"),
    ("all of another run", |at| copy(&at.join("other"), &at.join("run")), CONFIGURED, "run.seed"),
];

const VERBS: [&[&str]; 4] = [&["compare"], &["report"], &["gate"], &["verify", "run", "--config", "diapason.toml"]];

#[test]
fn everything_that_is_changed_after_the_evaluation_is_found_by_name() {
    let folder = tempfile::tempdir().expect("folder");
    finished(folder.path());
    for verb in VERBS {
        let place = tempfile::tempdir().expect("folder");
        copy(folder.path(), place.path());
        let output = diapason(place.path(), verb);
        assert_eq!(output.status.code(), Some(0), "nothing was changed, {verb:?}: {}", said(&output));
    }
    let mut missed = Vec::new();
    for (name, tamper, codes, named) in CASES {
        for (verb, code) in VERBS.iter().zip(codes) {
            let place = tempfile::tempdir().expect("folder");
            copy(folder.path(), place.path());
            tamper(place.path());
            let output = diapason(place.path(), verb);
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.code() != Some(*code) || *code != 0 && !stderr.contains(named) {
                missed.push(format!(
                    "{name}, {verb:?}: {:?}, expected {code}: {}",
                    output.status.code(),
                    said(&output)
                ));
            }
        }
    }
    assert!(missed.is_empty(), "{} were missed:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn a_replaced_test_file_is_never_reported_as_evaluated() {
    let folder = tempfile::tempdir().expect("folder");
    finished(folder.path());
    let manifest = || std::fs::read(folder.path().join("run/manifest.json")).expect("manifest");
    let before = manifest();
    edit(&folder.path().join("test.jsonl"), "q103", "q903");
    for verb in ["compare", "report", "gate"] {
        assert_eq!(diapason(folder.path(), &[verb]).status.code(), Some(4));
    }
    assert!(manifest() == before, "no verb but `eval` may record another digest");
    let again = diapason(folder.path(), &["run"]);
    assert_eq!(again.status.code(), Some(0), "to evaluate it is the user's wish: {}", said(&again));
    assert!(manifest() != before);
    assert_eq!(diapason(folder.path(), &["gate"]).status.code(), Some(0));
}

/// Two configurations that share a run folder: the one that was not evaluated is refused; other rules alone are not.
#[test]
fn artefacts_name_the_configuration_that_made_them() {
    let folder = tempfile::tempdir().expect("folder");
    finished(folder.path());
    let second = |from: &str, to: &str| {
        std::fs::write(folder.path().join("second.toml"), CONFIG.replace(from, to)).expect("written");
        diapason(folder.path(), &["gate", "--config", "second.toml"])
    };
    let refused = second("epochs = 12", "epochs = 1");
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    let text = said(&refused);
    assert!(text.contains("the configuration changed since the evaluation: `train.epochs` was 12 and is 1"), "{text}");
    assert!(text.contains("run `diapason run` to start over"), "`eval` would refuse this adapter: {text}");
    let resampled = second("resamples = 200", "resamples = 300");
    assert_eq!(resampled.status.code(), Some(2), "{}", said(&resampled));
    assert!(said(&resampled).contains("`gate.resamples` was 200 and is 300"), "{}", said(&resampled));
    let strict = second("gain = 0.1", "maximum = 0.01");
    assert_eq!(strict.status.code(), Some(1), "another rule is decided without the model: {}", said(&strict));
    assert!(said(&strict).contains("the report in the run folder is out of date"), "{}", said(&strict));
}

/// A copy of the run folder, without base, data and own component, in an empty place.
#[test]
fn a_run_folder_is_verified_with_what_is_there() {
    let folder = tempfile::tempdir().expect("folder");
    finished(folder.path());
    let place = tempfile::tempdir().expect("folder");
    copy(&folder.path().join("run"), &place.path().join("copy"));
    let verify = |arguments: &[&str]| {
        let output = diapason(place.path(), &[&["verify", "copy", "--format", "json"], arguments].concat());
        let document: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
        (output.status.code(), document)
    };
    let status = |document: &Value, what: &str| -> Vec<String> {
        let checks = document["checks"].as_array().expect("checks").iter();
        let mine = checks.filter(|check| check["what"].as_str().is_some_and(|text| text.contains(what)));
        mine.map(|check| check["status"].as_str().expect("status").to_owned()).collect()
    };
    let (code, document) = verify(&[]);
    assert_eq!(code, Some(3), "a rule rests on a component that is not here: {document:#}");
    assert_eq!((&document["trusted"], &document["recomputed"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(status(&document, "the scores of `ok` by `own`"), ["unchecked"]);
    assert_eq!(status(&document, "the scores of `ok` by `eval-format`"), ["agrees"]);
    assert_eq!(status(&document, "the comparison"), ["agrees"]);
    assert_eq!(status(&document, "the base model"), ["unchecked"]);
    assert_eq!(status(&document, "the tuned model"), ["agrees"]);

    let config = folder.path().join("diapason.toml");
    let (code, document) = verify(&["--config", config.to_str().expect("UTF-8")]);
    assert_eq!(code, Some(0), "{document:#}");
    assert_eq!((&document["verdict"], &document["recomputed"]), (&"passed".into(), &Value::Bool(true)));
    for what in ["the scores of `ok` by `own`", "the base model", "the test data of suite `ok`", "the samples of `ok`"]
    {
        assert_eq!(status(&document, what), ["agrees"], "{what}");
    }
    std::fs::remove_file(place.path().join("copy/outputs.base.jsonl")).expect("removed");
    let (code, document) = verify(&[]);
    assert_eq!((code, &document["recomputed"]), (Some(3), &Value::Bool(false)), "{document:#}");
    let nothing = diapason(place.path(), &["verify", "elsewhere"]);
    assert_eq!(nothing.status.code(), Some(4));
    assert!(said(&nothing).contains("there is no run in elsewhere"), "{}", said(&nothing));
}

/// The date is the evaluation's: given by `SOURCE_DATE_EPOCH`, it makes runs reproducible, and it outlives re-rendering.
#[test]
fn the_report_has_the_date_of_the_evaluation() {
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path());
    let dated = |verb: &str, epoch: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_diapason"));
        command.arg(verb).current_dir(folder.path()).env("SOURCE_DATE_EPOCH", epoch).output().expect("runs")
    };
    assert_eq!(dated("run", "1772366400").status.code(), Some(0));
    let report = || std::fs::read_to_string(folder.path().join("run/report.json")).expect("report");
    let before = report();
    assert!(before.contains("\"date\": \"2026-03-01T12:00:00Z\""), "{before}");
    for verb in ["report", "run"] {
        assert_eq!(dated(verb, "1900000000").status.code(), Some(0));
        assert!(report() == before, "`{verb}` changed the report");
    }
    let wrong = dated("run", "tomorrow");
    assert_eq!(wrong.status.code(), Some(2), "{}", said(&wrong));
}

/// `eval` alone must not freeze an adapter as made by a configuration that did not make it.
#[test]
fn an_adapter_that_another_configuration_trained_is_not_evaluated_as_this_ones() {
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path());
    assert_eq!(diapason(folder.path(), &["train"]).status.code(), Some(0));
    edit(&folder.path().join("diapason.toml"), "rank = 8", "rank = 4");
    let eval = diapason(folder.path(), &["eval"]);
    assert_eq!(eval.status.code(), Some(2), "{}", said(&eval));
    assert!(said(&eval).contains("changed since the training: `train.rank` was 8 and is 4"), "{}", said(&eval));
    edit(&folder.path().join("diapason.toml"), "rank = 4", "rank = 8");
    edit(&folder.path().join("train.jsonl"), "q7\"", "q8\"");
    let eval = diapason(folder.path(), &["eval"]);
    assert_eq!(eval.status.code(), Some(4), "{}", said(&eval));
    assert!(said(&eval).contains("the training data changed since the training"), "{}", said(&eval));
}

/// `eval` alone must not freeze findings as those of validators that never ran.
#[test]
fn findings_of_other_validators_are_not_evaluated_as_these_ones() {
    let folder = tempfile::tempdir().expect("folder");
    finished(folder.path());
    edit(&folder.path().join("diapason.toml"), "validate-shape", "validate-duplicates");
    let eval = diapason(folder.path(), &["eval"]);
    if eval.status.code() == Some(0) {
        let log = said(&eval);
        assert!(log.contains("validate") && !log.contains("validate        up to date"), "made anew: {log}");
    } else {
        assert!(said(&eval).contains("findings.jsonl is about other data or of other validators"), "{}", said(&eval));
    }
    assert_eq!(diapason(folder.path(), &["validate"]).status.code(), Some(0));
    for verb in ["eval", "compare", "report", "gate"] {
        let output = diapason(folder.path(), &[verb]);
        assert_eq!(output.status.code(), Some(0), "{verb}: {}", said(&output));
    }
}
