//! Tasks of lm-evaluation-harness from their YAML to their figures, held against the harness itself with the same model and
//! data (`tests/oracles/tasks.py`): the same prompts and answers, likelihoods but for rounding, the same metrics.

use crate::project::{diapason, put, said};
use crate::tampering::project::copy;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const TASKS: [&str; 5] = ["capitals", "letters", "lastword", "reading", "words"];
const WAYS: [(&str, &str); 3] = [
    ("plain", ""),
    ("turns", ", apply_chat_template = true"),
    ("turn", ", apply_chat_template = true, fewshot_as_multiturn = false"),
];

/// Rounding of sums of logarithms of 32 bits.
const CLOSE: f64 = 1e-3;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A project that asks every task in every way.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    copy(&root().join("templates/project/demo/base"), &folder.path().join("base"));
    // As the oracle has it: the harness needs an end-of-text token by name.
    let tokenizer = r#"{"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>", "pad_token": "<|pad|>"}"#;
    put(folder.path(), "base/tokenizer_config.json", tokenizer);
    copy(&root().join("tests/tasks"), &folder.path().join("tasks"));
    let mut config = String::from("[run]\nfolder = \"run\"\n[model]\npath = \"base\"\n");
    for task in TASKS {
        for (way, more) in WAYS {
            let suite =
                format!("[[suite]]\nname = \"{task} {way}\"\ntask = {{ file = \"tasks/{task}.yaml\"{more} }}\n");
            config.push_str(&suite);
        }
    }
    put(folder.path(), "diapason.toml", &config);
    folder
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("readable");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The base model's measures: suite, evaluator, sample to name and value.
fn scores(run: &Path) -> BTreeMap<(String, String, String), Value> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let base = lines(&run.join("scores.jsonl")).into_iter().filter(|row| row["arm"] == "base");
    let key = |row: &Value| (text(&row["suite"]), text(&row["evaluator"]), text(&row["sample"]));
    base.map(|row| (key(&row), row["outcome"]["scored"].clone())).collect()
}

/// The harness's name of a metric, and its value of a sample from ours.
fn metric(measure: &Value) -> (String, f64) {
    let (name, value) = (measure["name"].as_str().expect("a name"), measure["value"].as_f64().expect("a number"));
    if name == "log-perplexity" { ("perplexity".into(), -value) } else { (name.replace('-', "_"), value) }
}

#[test]
fn answers_and_figures_are_those_of_the_harness() {
    let folder = folder();
    let output = diapason(folder.path(), &["eval"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let golden = std::fs::read_to_string(root().join("tests/tasks/expected.json")).expect("golden");
    let golden: Value = serde_json::from_str(&golden).expect("JSON");
    let run = folder.path().join("run");
    let outputs = lines(&run.join("outputs.base.jsonl"));
    let scores = scores(&run);
    for (suite, expected) in golden.as_object().expect("suites") {
        let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        for sample in expected["samples"].as_array().expect("samples") {
            let id = sample["id"].to_string();
            let place = format!("{suite} {id}");
            let output = outputs.iter().find(|row| row["suite"] == **suite && row["sample"] == id).expect(&place);
            assert_eq!(output["prompt"], sample["prompt"], "{place}");
            likelihoods(output, sample, &place);
            let filter = sample["filter"].as_str().expect("a filter");
            let evaluator = if filter == "none" { "eval-harness" } else { filter };
            if let Some(answer) = sample["answer"].as_str() {
                let text = output["completions"][0]["text"].as_str().expect("a completion");
                assert!(text.starts_with(answer), "{place}: {text:?}, expected {answer:?}");
            }
            for measure in scores[&(suite.clone(), evaluator.into(), id)].as_array().expect("measures") {
                let (name, value) = metric(measure);
                let theirs = sample["metrics"][&name].as_f64().expect("a metric");
                let close = if name == "perplexity" { CLOSE } else { 0.0 };
                assert!((value - theirs).abs() <= close, "{place} {filter} {name}: {value}, expected {theirs}");
                let sum = sums.entry(format!("{name},{filter}")).or_default();
                *sum = (sum.0 + value, sum.1 + 1.0);
            }
        }
        let figures = expected["figures"].as_object().expect("figures");
        assert_eq!(sums.keys().collect::<Vec<_>>(), sorted(figures), "{suite}");
        for (name, (sum, count)) in sums {
            let mean = sum / count;
            let figure = if name.starts_with("perplexity") { (-mean).exp() } else { mean };
            let theirs = figures[&name].as_f64().expect("a figure");
            // Of a perplexity its logarithm is what is computed, in 32 bits.
            let (figure, theirs) =
                if name.starts_with("perplexity") { (figure.ln(), theirs.ln()) } else { (figure, theirs) };
            let close = 1e-6_f64.max(f64::from(f32::EPSILON) * theirs.abs());
            assert!((figure - theirs).abs() <= close, "{suite} {name}: {figure}, expected {theirs}");
        }
    }
}

fn sorted(figures: &serde_json::Map<String, Value>) -> Vec<&String> {
    let mut names: Vec<&String> = figures.keys().collect();
    names.sort();
    names
}

fn likelihoods(output: &Value, sample: &Value, place: &str) {
    let Some(expected) = sample["likelihoods"].as_array() else { return };
    let found = output["likelihoods"].as_array().expect("likelihoods");
    assert_eq!(found.len(), expected.len(), "{place}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found[0], expected[0], "{place}");
        let logprobs = (found[1]["logprob"].as_f64().expect("a number"), expected[1].as_f64().expect("a number"));
        assert!((logprobs.0 - logprobs.1).abs() < CLOSE, "{place}: {logprobs:?}");
        assert_eq!(found[1]["greedy"], expected[2], "{place}");
    }
}

#[test]
fn another_data_file_is_another_evaluation() {
    let folder = folder();
    for verb in ["eval", "compare"] {
        let output = diapason(folder.path(), &[verb]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    let data = folder.path().join("tasks/words.jsonl");
    let text = std::fs::read_to_string(&data).expect("data");
    put(folder.path(), "tasks/words.jsonl", &text.replacen("tables", "chairs", 1));
    let output = diapason(folder.path(), &["compare"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("words.jsonl"), "{}", said(&output));
}
