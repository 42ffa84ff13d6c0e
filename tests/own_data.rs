//! `init --data`: projects for rows of one's own, for every task, and what is refused.

use crate::project::{diapason, put, said};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// The demo's model: 0.8 million parameters, with a chat template.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/project/demo/base");

/// Words that make rows differ.
const WORDS: [&str; 12] =
    ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jetty", "knoll", "ledge"];

fn question(at: usize) -> String {
    let word = |at: usize| WORDS[at % WORDS.len()];
    format!("{} {} {} no {at}", word(at), word(at / 12 + at * 5), word(at * 7 + 3))
}

fn rows(count: usize, row: impl Fn(usize) -> Value) -> String {
    (0..count).map(|at| format!("{}\n", row(at))).collect()
}

fn init(folder: &Path, further: &[&str]) -> std::process::Output {
    let arguments = [&["init", "new", "--data", "mine.jsonl", "--model", MODEL], further].concat();
    diapason(folder, &arguments)
}

fn lines(folder: &Path, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("new").join(name)).expect("written");
    text.lines().map(String::from).collect()
}

/// The project that is written for the rows passes `validate` and `plan`; gives its configuration.
fn passes(text: &str, further: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("folder");
    put(folder.path(), "mine.jsonl", text);
    let output = init(folder.path(), further);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for verb in ["validate", "plan"] {
        let output = diapason(folder.path(), &[verb, "--config", "new/diapason.toml"]);
        assert_eq!(output.status.code(), Some(0), "{further:?} {verb}: {}", said(&output));
    }
    let (train, test) = (lines(folder.path(), "train.jsonl"), lines(folder.path(), "test.jsonl"));
    let mut written = [train, test].concat();
    let mut given: Vec<&str> = text.lines().collect();
    written.sort();
    given.sort_unstable();
    assert_eq!(written, given, "every row is written, and as it was");
    lines(folder.path(), "diapason.toml").join("\n")
}

fn refused(text: &str, further: &[&str], code: i32, expected: &[&str]) {
    let folder = tempfile::tempdir().expect("folder");
    put(folder.path(), "mine.jsonl", text);
    let output = init(folder.path(), further);
    let printed = said(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(code), "{printed}");
    for part in expected {
        assert!(printed.contains(part), "expected {part:?} in {printed}");
    }
    assert!(printed.contains("Hint:") || code == 2, "{printed}");
    assert!(!folder.path().join("new/diapason.toml").exists(), "nothing is written");
}

#[test]
fn every_task_gets_a_project_that_passes_its_checks() {
    let label = |at: usize| if at.is_multiple_of(3) { "late (order)" } else { "on time" };
    let config = passes(
        &rows(150, |at| json!({"prompt": question(at), "completion": label(at)})),
        &["--task", "classification"],
    );
    assert!(config.contains(r#"settings = { pattern = "late \\(order\\)|on time" }"#), "{config}");
    let config = passes(
        &rows(
            150,
            |at| json!({"prompt": question(at), "completion": json!({"no": at, "word": WORDS[at % 12]}).to_string()}),
        ),
        &["--task", "extraction"],
    );
    assert!(
        config.contains(r#"required = ["no", "word"]"#) && config.contains("eval-accuracy.field-accuracy"),
        "{config}"
    );
    passes(
        &rows(150, |at| json!({"prompt": question(at), "reference": WORDS[at % 12], "choices": WORDS})),
        &["--task", "choice"],
    );
    passes(
        &rows(150, |at| json!({"instruction": question(at), "output": format!("{} km", at * 3)})),
        &["--task", "numeric"],
    );
    passes(
        &rows(150, |at| json!({"prompt": question(at), "completion": question(at + 1)})),
        &["--task", "short-answer"],
    );
    let turns = |at: usize| json!([{"role": "user", "content": question(at)}, {"role": "assistant", "content": question(at + 2)}]);
    let config =
        passes(&rows(150, |at| json!({"messages": turns(at), "context": question(at + 2)})), &["--task", "generation"]);
    assert!(config.contains("eval-hallucination.hallucinated"), "{config}");
}

#[test]
fn what_is_written_says_what_was_done() {
    let folder = tempfile::tempdir().expect("folder");
    let row = |at: usize| json!({"question": question(at), "answer": if at.is_multiple_of(2) { "even" } else { "odd" }, "kept": at});
    put(folder.path(), "mine.jsonl", &rows(400, row));
    let columns = ["--task", "classification", "--column", "prompt=question", "--column", "completion=answer"];
    let output = init(folder.path(), &columns);
    let printed = said(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    for part in [
        "classification, measured by eval-accuracy.exact-match",
        "400 in the shape prompt/completion",
        "320 rows",
        "80 rows, enough to show a gain of",
        "Next: diapason run --config new/diapason.toml",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let test = lines(folder.path(), "test.jsonl");
    let even = test.iter().filter(|line| line.contains(r#""completion":"even""#)).count();
    assert!(test.len() == 80 && (2 * even).abs_diff(80) <= 2, "{even} of {}", test.len());
    assert!(test.iter().all(|line| line.contains(r#""kept":"#)), "further columns stay");
    let again = init(folder.path(), &columns);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    assert!(said(&again).contains("exists already"), "{}", said(&again));
    assert_eq!(lines(folder.path(), "test.jsonl"), test, "nothing is replaced");
}

#[test]
fn rows_that_are_alike_are_on_one_side() {
    let folder = tempfile::tempdir().expect("folder");
    let long = |at: usize| {
        format!("please say which of these it is {} and why that is so, thank you very much {at}", question(at))
    };
    let row = |at: usize| match at % 3 {
        0 => json!({"prompt": long(at), "completion": format!("answer {at}")}),
        1 => json!({"prompt": long(at - 1).to_uppercase(), "completion": format!("answer {at}")}),
        _ => json!({"prompt": format!("{} extra", long(at - 2)), "completion": format!("answer {at}")}),
    };
    put(folder.path(), "mine.jsonl", &rows(600, row));
    let output = init(folder.path(), &["--task", "short-answer"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("200 groups"), "{}", said(&output));
    let families = |name: &str| -> BTreeSet<usize> {
        let number = |line: &String| -> usize {
            let row: Value = serde_json::from_str(line).expect("a row");
            let answer = row["completion"].as_str().expect("an answer").trim_start_matches("answer ");
            answer.parse::<usize>().expect("a number") / 3
        };
        lines(folder.path(), name).iter().map(number).collect()
    };
    let (train, test) = (families("train.jsonl"), families("test.jsonl"));
    assert!(train.is_disjoint(&test) && train.len() + test.len() == 200);
    let output = diapason(folder.path(), &["validate", "--config", "new/diapason.toml"]);
    assert!(!said(&output).contains("leaked"), "{}", said(&output));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let labelled =
        |label: fn(usize) -> &'static str| rows(150, |at| json!({"prompt": question(at), "completion": label(at)}));
    let two = labelled(|at| if at.is_multiple_of(2) { "yes" } else { "no" });
    let mixed = labelled(|at| ["yes", "no", "Yes"][at % 3]);
    let few =
        rows(40, |at| json!({"prompt": question(at), "completion": if at.is_multiple_of(2) { "yes" } else { "no" }}));
    refused(&few, &["--task", "classification"], 4, &["40 rows are too few for a decision", "that differ are needed"]);
    refused(
        &mixed,
        &["--task", "classification"],
        4,
        &["`Yes` (50 rows) and `yes` (50) differ in their spelling only"],
    );
    refused(&labelled(|_| "yes"), &["--task", "classification"], 4, &["all answers in mine.jsonl are the same: `yes`"]);
    refused(&two, &["--task", "extraction"], 4, &["line 1 of mine.jsonl has an answer that is no JSON object or list"]);
    refused(&two, &["--task", "numeric"], 4, &["line 1 of mine.jsonl has an answer without a number"]);
    refused(&two, &["--task", "choice"], 4, &["line 1 of mine.jsonl has no choices"]);
    refused(&two, &[], 2, &["`--task` is missing", "fits: classification, short-answer, generation"]);
    refused(
        &rows(150, |at| json!({"q": at})),
        &["--task", "choice"],
        4,
        &["no known shape: its keys are q", "`--column prompt=…"],
    );
    refused(
        &rows(150, |at| json!({"prompt": question(at)})),
        &["--task", "choice"],
        4,
        &["line 1 of mine.jsonl has no answer to learn"],
    );
    refused(&two, &["--task", "classification", "--column", "promt=x"], 2, &["unknown field `promt`"]);
    refused(
        &two,
        &["--task", "classification", "--template", "chatmll"],
        2,
        &["unknown chat template `chatmll`", "chatml"],
    );
    refused(&two, &["--task", "classification", "--labels", "x.xml"], 2, &["cannot be used with"]);
    refused("", &["--task", "generation"], 4, &["mine.jsonl has no rows"]);
}
