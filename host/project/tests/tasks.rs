//! Tasks of lm-evaluation-harness: what is asked, held against the harness itself (`tests/oracles/tasks.py`), and what is
//! refused by name.

#![allow(clippy::unwrap_used)]

use diapason_core::Class;
use diapason_core::config::{Config, Suite};
use diapason_core::sample::Sample;
use diapason_project::config;
use diapason_project::dataset::{self, Selection};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tasks")
}

/// A configuration with one suite, a task of this name asked in this way.
fn configured(folder: &Path, task: &str, more: &str) -> diapason_core::Result<Config> {
    let text =
        format!("[model]\npath = \"m\"\n[[suite]]\nname = \"{task}\"\ntask = {{ file = \"{task}.yaml\"{more} }}\n");
    let mut config = config::parse(&text, "diapason.toml", folder)?;
    config::adopt(&mut config)?;
    Ok(config)
}

fn samples(suite: &Suite) -> Vec<Sample> {
    let selection = Selection { task: suite.task.as_ref(), ..Selection::default() };
    dataset::load(&suite.data, &suite.columns, &selection).unwrap()
}

/// A sample as the harness would ask it: with the demo's chat template, unless it is plain.
fn prompt(sample: &Sample) -> String {
    if sample.plain {
        return sample.messages[0].content.clone();
    }
    let turns = sample.messages.iter().map(|turn| format!("<|{}|>{}<|end|>", turn.role, turn.content));
    turns.collect::<String>() + "<|assistant|>"
}

#[test]
fn prompts_choices_and_references_are_those_of_the_harness() {
    let golden: Value =
        serde_json::from_str(&std::fs::read_to_string(folder().join("expected.json")).unwrap()).unwrap();
    let ways = [
        ("plain", ""),
        ("turns", ", apply_chat_template = true"),
        ("turn", ", apply_chat_template = true, fewshot_as_multiturn = false"),
    ];
    let mut compared = 0;
    for task in ["capitals", "letters", "lastword", "reading", "words"] {
        for (way, more) in ways {
            let suite = configured(&folder(), task, more).unwrap().suites.remove(0);
            let expected = golden[format!("{task} {way}")]["samples"].as_array().unwrap();
            let first = &expected[0]["filter"];
            let expected: Vec<&Value> = expected.iter().filter(|row| row["filter"] == *first).collect();
            let samples = samples(&suite);
            assert_eq!(samples.len(), expected.len(), "{task}");
            for (sample, expected) in samples.iter().zip(expected) {
                assert_eq!(prompt(sample), expected["prompt"].as_str().unwrap(), "{task} {way} {}", sample.id);
                let prefix = suite.evaluators[0].settings.get("choice_prefix").and_then(Value::as_str).unwrap_or("");
                let asked: Vec<String> = sample.choices.iter().map(|choice| format!("{prefix}{choice}")).collect();
                let asked = if asked.is_empty() { sample.reference.iter().cloned().collect() } else { asked };
                if let Some(likelihoods) = expected["likelihoods"].as_array() {
                    let theirs: Vec<&str> = likelihoods.iter().filter_map(|one| one[0].as_str()).collect();
                    assert_eq!(asked, theirs, "{task} {way} {}", sample.id);
                }
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 3 * (10 + 10 + 14 + 14 + 8));
}

#[test]
fn evaluators_and_limits_are_those_of_the_task() {
    let reading = configured(&folder(), "reading", "").unwrap().suites.remove(0);
    let labels: Vec<_> = reading.evaluators.iter().map(|plugin| plugin.name.as_deref()).collect();
    assert_eq!(labels, [Some("whole"), Some("first-word")]);
    assert_eq!(reading.max_tokens, Some(24));
    let settings = Value::Object(reading.evaluators[1].settings.clone());
    assert_eq!(settings["until"], serde_json::json!(["\n\n", "Which"]));
    assert_eq!(settings["filters"][0]["pattern"], "([A-Z][a-z]+)|([0-9]+)");
    assert_eq!(settings["ignore_case"], true);
    let task = reading.task.unwrap();
    assert_eq!((task.delimiters.target.as_str(), task.delimiters.example.as_str()), ("\n", "\n\n"));
    assert_eq!(task.data.keys().collect::<Vec<_>>(), ["reading.jsonl"]);
    let capitals = configured(&folder(), "capitals", "").unwrap().suites.remove(0);
    assert_eq!(capitals.evaluators[0].settings["choice_prefix"], " ");
    let capitals = configured(&folder(), "capitals", ", apply_chat_template = true").unwrap().suites.remove(0);
    assert_eq!(capitals.evaluators[0].settings["choice_prefix"], "");
}

/// The smallest task.
const TASK: &str = "dataset_path: json\ndataset_kwargs: {data_files: {test: t.jsonl}}\ntest_split: test\n\
                    doc_to_text: \"{{q}}\"\ndoc_to_target: a\n";
const ROWS: &str = "{\"q\": \"Q\", \"a\": \"A\", \"c\": [\"A\", \"B\"], \"n\": 1}\n{\"q\": \"R\", \"a\": \"B\", \"c\": [\"B\", \"A\"], \"n\": 0}\n";

/// What is said of a task with these rows; empty where nothing is wrong.
fn said(task: &str, rows: &str, class: Class) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.yaml"), task).unwrap();
    std::fs::write(folder.path().join("t.jsonl"), rows).unwrap();
    let read = configured(folder.path(), "t", "").and_then(|config| {
        let suite = &config.suites[0];
        let selection = Selection { task: suite.task.as_ref(), ..Selection::default() };
        dataset::load(&suite.data, &suite.columns, &selection)
    });
    let Err(error) = read else { return String::new() };
    assert!(error.hint_text().is_some_and(|hint| !hint.is_empty()), "{error}");
    assert_eq!(error.class(), class, "{error}");
    error.to_string()
}

#[test]
fn what_a_task_asks_for_and_is_not_supported_is_named_with_its_line() {
    assert_eq!(said(TASK, ROWS, Class::Config), "");
    for (more, parts) in [
        ("include: other.yaml", "line 6: `include`"),
        ("group: g", "`group`"),
        ("dataset_name: en", "`dataset_name`"),
        ("process_docs: !function utils.f", "`process_docs`"),
        ("process_results: !function utils.f", "`process_results`"),
        ("use_prompt: promptsource", "`use_prompt`"),
        ("gen_prefix: x", "`gen_prefix`"),
        ("output_type: loglikelihood_rolling", "`output_type: loglikelihood_rolling`"),
        ("output_type: multiple_choice", "`doc_to_choice` is missing"),
        ("doc_to_txt: x", "unknown key `doc_to_txt`"),
        ("should_decontaminate: true", "`should_decontaminate`"),
        ("training_split: train", "no split `train`"),
        ("generation_kwargs: {do_sample: true}", "`do_sample: true`"),
        ("generation_kwargs: {temperature: 0.7}", "`temperature`"),
        ("generation_kwargs: {top_k: 3}", "unknown key `top_k`"),
        ("generation_kwargs: {max_gen_toks: 0}", "`max_gen_toks` is 0"),
        ("repeats: 0", "`repeats` is 0"),
        ("metric_list: [{metric: bleu}]", "the metric `bleu`"),
        ("metric_list: [{metric: acc}]", "the metric `acc`"),
        ("metric_list: [{metric: !function u.f}]", "`metric` is the Python function `u.f`"),
        ("metric_list: [{metric: exact_match, aggregation: median}]", "`aggregation`"),
        ("metric_list: [{metric: exact_match, higher_is_better: false}]", "`higher_is_better`"),
        ("metric_list: [{metric: exact_match, ignore_cases: true}]", "unknown key `ignore_cases`"),
        ("metric_list: []", "`metric_list` is empty"),
        ("filter_list: [{name: a, filter: [{function: regex}]}]", "do not end with `take_first`"),
        ("filter_list: [{name: a, filter: [{function: custom}]}]", "the filter `custom`"),
        ("filter_list: [{name: a, filter: [{function: take_first}, {function: lowercase}]}]", "after `take_first`"),
        ("filter_list: [{filter: [{function: take_first}]}]", "without a name"),
        ("filter_list: [{name: a, filter: [{function: take_first_k, k: 2}, {function: take_first}]}]", "`k`"),
        ("fewshot_config: {sampler: balanced}", "unknown sampler `balanced`"),
        ("fewshot_config: {fewshot_indices: [1]}", "`fewshot_indices`"),
        ("fewshot_config: {samples: !function u.f}", "the Python function"),
        ("num_fewshot: many", "`num_fewshot` is not a whole number"),
        ("doc_to_image: x", "`doc_to_image`"),
        ("task: [a, b]", "a list of tasks"),
    ] {
        let error = said(&format!("{TASK}{more}\n"), ROWS, Class::Config);
        assert!(error.contains(parts) && error.contains("line "), "{more}: {error}");
    }
    for (task, part) in [
        (TASK.replace("json\n", "hub/name\n"), "`dataset_path: hub/name`"),
        (TASK.replace("t.jsonl", "https://x/t.jsonl"), "no path of a local file"),
        (TASK.replace("t.jsonl", "other.jsonl"), "other.jsonl does not exist"),
        (TASK.replace("test_split: test\n", ""), "neither `test_split` nor"),
        (TASK.replace("doc_to_target: a\n", ""), "`doc_to_target` is missing"),
        (TASK.replace("doc_to_target: a", "doc_to_target: !function u.f"), "the Python function `u.f`"),
        (TASK.replace("{test: t.jsonl}", "{}"), "no split `test`"),
        ("- a\n".into(), "not a mapping"),
    ] {
        let error = said(&task, ROWS, Class::Config);
        assert!(error.contains(part), "{part} in {error}");
    }
}

#[test]
fn rows_that_do_not_fit_the_task_are_refused() {
    let choice = "output_type: multiple_choice\ndoc_to_choice: c\n";
    let target = |field: &str| TASK.replace("doc_to_target: a", &format!("doc_to_target: {field}"));
    let text = |field: &str| TASK.replace("\"{{q}}\"", field);
    let cases = [
        (format!("{TASK}{choice}"), ROWS, ""),
        (format!("{}{choice}", target("n")), ROWS, ""),
        (format!("{}{choice}", target("2")), ROWS, "choice 2 is expected"),
        (format!("{}{choice}", target("q")), ROWS, "none of the choices"),
        (format!("{}{choice}", target("\"{{n + 1}}\"")), ROWS, "choice 2 is expected"),
        (format!("{}{choice}", target("n")), r#"{"q": "Q", "n": 1, "c": ["A", "A"]}"#, "is the same as one before it"),
        (
            format!("{TASK}output_type: multiple_choice\ndoc_to_choice: \"{{{{c | join(',')}}}}\"\n"),
            ROWS,
            "no list of Python",
        ),
        (format!("{TASK}output_type: multiple_choice\ndoc_to_choice: \"{{{{c}}}}\"\n"), ROWS, ""),
        (format!("{}{choice}", text("n")), ROWS, "`doc_to_text` is no text"),
        (format!("{}{choice}", text("\"{{n}}\"")), ROWS, "`doc_to_text` is no text"),
        (text("\"{{missing}}\""), ROWS, "'missing' is undefined"),
        (text("\"{{q\""), ROWS, "the template of `doc_to_text`"),
        (text("\"{{q | tojson}}\""), ROWS, "`tojson`"),
        (target("c"), ROWS, ""),
        (target("\"[{{n}}, {{n}}]\""), ROWS, "no list of texts"),
        (target("\"[{{n}}, +1]\""), ROWS, "`doc_to_target` is"),
        (target("\"[{{a}} b]\""), ROWS, ""),
        (format!("{TASK}num_fewshot: 3\n"), ROWS, "to draw examples from"),
        (TASK.into(), "{\"q\": \"Q\", \"a\": \"A\"}\n{\"q\": 1, \"a\": \"B\"}", "values of different types"),
        (TASK.into(), "{\"q\": \"2020-01-01\", \"a\": \"A\"}", "all texts of the column `q` are dates"),
        (TASK.into(), "{\"q\": \"Q\", \"a\": \"A\", \"x\": 18446744073709551615}", "no integer of 64 bits"),
        (
            TASK.into(),
            "{\"q\": \"Q\", \"a\": \"A\", \"x\": {\"y\": 1}}\n{\"q\": \"Q\", \"a\": \"A\", \"x\": {\"z\": 1}}",
            "different keys",
        ),
        (TASK.into(), "{\"q\": \"Q\"", "line 1"),
        (TASK.into(), "", "has no rows"),
        (target("\"{{a or 1}}\""), "{\"q\": \"Q\", \"a\": null}", ""),
    ];
    for (task, rows, part) in cases {
        let error = said(&task, rows, Class::Data);
        assert!(error.contains(part) && error.is_empty() == part.is_empty(), "{part:?} in {error:?} of\n{task}");
    }
}

#[test]
fn a_configuration_says_nothing_else_of_a_task() {
    let parsed = |text: &str| {
        let text = format!("[model]\npath = \"m\"\n{text}\n");
        let mut config = config::parse(&text, "diapason.toml", &folder())?;
        config::adopt(&mut config).map(|()| config)
    };
    let suite = "[[suite]]\nname = \"s\"\n";
    let task = format!("{suite}task = {{ file = \"reading.yaml\" }}\n");
    parsed(&task).unwrap();
    for (text, part) in [
        (suite.into(), "a suite without rows"),
        (format!("{suite}data = \"reading.yaml\""), "a YAML file is no dataset"),
        (format!("[data]\ntrain = \"reading.yaml\"\n{task}"), "a YAML file is no dataset"),
        (format!("{suite}task = {{ file = \"reading.jsonl\" }}"), "the file is no YAML"),
        (format!("{task}data = \"t.jsonl\""), "`data` beside `task`"),
        (format!("{task}columns = {{ prompt = \"ask\" }}"), "`columns` beside `task`"),
        (format!("{task}system = \"x\""), "`system` beside `task`"),
        (format!("{task}template_variables = {{ a = 1 }}"), "`template_variables` beside `task`"),
        (format!("{task}max_tokens = 3"), "`max_tokens` is given"),
        (format!("{task}[generate]\nstop = [\"x\"]"), "`generate.stop` is given"),
        (format!("{task}[generate]\ntemperature = 0.5"), "`generate.temperature` is not 0"),
        (
            format!("{task}evaluator = [{{ plugin = \"eval-format\", name = \"whole\" }}]"),
            "an evaluator is named `whole`",
        ),
        (format!("{suite}task = {{ file = \"absent.yaml\" }}"), "absent.yaml"),
        (format!("{suite}task = {{ file = \"reading.yaml\", data = {{}} }}"), "data"),
    ] {
        let error = parsed(&text).expect_err(&text);
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
}
