//! Which answer belongs to which sample, what is refused, and what no damaged file may do.
#![allow(clippy::unwrap_used, missing_docs)]

use diapason_core::config::Columns;
use diapason_core::sample::Sample;
use diapason_core::{Class, Error, Result};
use diapason_project::dataset::{self, Selection};
use diapason_project::foreign::{self, Answers, By, Finish, Format, Lost, Matched, Stranger, Suite, Why, matched};
use std::path::Path;

fn parse(rows: &str) -> Vec<Sample> {
    dataset::parse(rows, "rows.jsonl", &Selection::default()).unwrap()
}

/// Writes a file and reads its answers.
fn answers(name: &str, content: impl AsRef<[u8]>) -> Result<Answers> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    foreign::read(&path)
}

fn rows(content: &str) -> Answers {
    answers("answers.jsonl", content).unwrap()
}

/// Two suites: one with ids of its own, one whose ids are the numbers of its lines.
fn given(answers: Answers) -> Result<Matched> {
    let own = parse("{\"id\": \"a\", \"prompt\": \"Name a fork.\"}\n{\"id\": \"b\", \"prompt\": \"Name a knife.\"}\n");
    let lines = parse("{\"prompt\": \"Say one.\"}\n{\"prompt\": \"Say two.\\nTwice.\"}\n");
    let suite = |name, samples| Suite { name, samples, prompts: &[] };
    matched(answers, &[suite("own", &own), suite("lines", &lines)], "answers.jsonl")
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>, part: &str) {
    let error: Error = result.unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    assert!(error.hint_text().is_some_and(|hint| !hint.is_empty()), "no hint: {error}");
    assert!(error.to_string().contains(part), "{part} in {error}");
}

fn names(matched: &Matched) -> Vec<(String, By)> {
    matched.found.iter().map(|found| (format!("{}/{}", found.suite, found.sample), found.by)).collect()
}

#[test]
fn rows_of_id_and_output() {
    let read = rows(
        "{\"id\": \"a\", \"output\": \"\", \"tokens\": 0, \"finish\": \"stop\", \"note\": 1}\n\n{\"id\": 2, \"output\": [\"x\", \"y\"]}\n\
         {\"id\": \"b\", \"output\": null, \"error\": \"no server\"}\n{\"id\": \"z\", \"output\": \"?\"}\n",
    );
    assert_eq!((read.format, read.unread.as_slice()), (Format::Rows, ["note".to_owned()].as_slice()));
    let matched = given(read).unwrap();
    assert_eq!(names(&matched), [("own/a".into(), By::Id), ("lines/2".into(), By::Id)]);
    let empty = matched.found[0].made.ordinary.as_ref().unwrap();
    assert_eq!((empty.text.as_str(), empty.tokens, empty.finish.as_ref()), ("", Some(0), Some(&Finish::Stop)));
    assert_eq!(matched.found[1].made.draws.len(), 2);
    let failed = Why::Failed { place: "line 4".into(), reason: "no server".into() };
    assert_eq!(
        matched.lost,
        [
            Lost { suite: "own".into(), sample: "b".into(), why: failed },
            Lost { suite: "lines".into(), sample: "1".into(), why: Why::Missing },
        ]
    );
    assert_eq!(matched.strangers, [Stranger { place: "line 5".into(), id: Some("z".into()) }]);
}

#[test]
fn tables_and_lists_are_rows_too() {
    for (name, content) in [
        ("a.csv", "id,output,tokens\na,\"x, \"\"y\"\"\",2\n2,z,\n"),
        ("a.tsv", "id\toutput\ttokens\na\t\"x, \"\"y\"\"\"\t2\n2\tz\t\n"),
        ("a.json", "[\n{\"id\": \"a\", \"output\": \"x, \\\"y\\\"\", \"tokens\": 2},\n{\"id\": 2, \"output\": \"z\"}]"),
        (
            "a.jsonl",
            "\u{feff}{\"id\": \"a\", \"output\": \"x, \\\"y\\\"\", \"tokens\": 2}\n{\"id\": 2, \"output\": \"z\"}",
        ),
    ] {
        let matched = given(answers(name, content).unwrap()).unwrap();
        assert_eq!(names(&matched), [("own/a".into(), By::Id), ("lines/2".into(), By::Id)], "{name}");
        let first = matched.found[0].made.ordinary.as_ref().unwrap();
        assert_eq!((first.text.as_str(), first.tokens), ("x, \"y\"", Some(2)), "{name}");
    }
    // An empty cell is no empty answer: nobody knows what it is.
    refused(answers("a.csv", "id,output\na,\n"), "line 2: the form of its answers is not known: its keys are id");
    refused(answers("a.csv", "id,output\na,b\nc,\n"), "line 3: the form of its answers is not known: its keys are id");
    let matched = given(answers("a.csv", "id,output,error\na,x,\nb,,no server\n").unwrap()).unwrap();
    assert_eq!((matched.found.len(), matched.lost.len()), (1, 3));
    assert!(matches!(&matched.lost[0].why, Why::Failed { reason, .. } if reason == "no server"));
}

#[test]
fn our_own_outputs_belong_to_the_suite_that_they_name() {
    let row = |suite: &str, sample: &str, prompt: &str| {
        format!(
            "{{\"suite\": \"{suite}\", \"sample\": \"{sample}\", \"prompt\": \"{prompt}\", \"completions\": [{{\"text\": \"t\", \
             \"tokens\": 1, \"finish\": \"length\"}}], \"samples\": [{{\"text\": \"u\", \"tokens\": 2, \"finish\": \"stop\"}}], \
             \"likelihoods\": [[\"c\", {{\"logprob\": -1.5, \"tokens\": 1, \"bytes\": 1, \"greedy\": true}}]]}}\n"
        )
    };
    let read = rows(&(row("own", "a", "<u>Name a fork.</u>") + &row("other", "b", "Name a knife.")));
    assert_eq!(read.format, Format::Outputs);
    let matched = given(read).unwrap();
    assert_eq!(names(&matched), [("own/a".into(), By::Id)]);
    let found = &matched.found[0];
    assert_eq!((found.made.draws.len(), found.usage.completion_tokens), (1, Some(3)));
    assert_eq!(found.made.ordinary.as_ref().unwrap().finish, Some(Finish::Length));
    assert_eq!((found.made.likelihoods[0].0.as_str(), found.made.likelihoods[0].1.tokens), ("c", Some(1)));
    assert_eq!(matched.strangers.len(), 1, "a suite that is not asked");
    let more = row("own", "a", "p").replace("\"suite\"", "\"sweet\": 1, \"suite\"");
    refused(answers("o.jsonl", more), "line 1: unknown field `sweet`");
}

#[test]
fn an_id_with_its_suite_decides() {
    let same = "{\"id\": \"1\", \"prompt\": \"Left?\"}\n";
    let (left, right) = (parse(same), parse(&same.replace("Left", "Right")));
    let suite = |name, samples| Suite { name, samples, prompts: &[] };
    let suites = [suite("left", &left), suite("right", &right)];
    let given = |content: &str| matched(rows(content), &suites, "a.jsonl");
    refused(
        given("{\"id\": 1, \"output\": \"x\"}"),
        "1 answer could belong to several samples: line 1 (`left/1`, `right/1`)",
    );
    for content in [
        "{\"id\": \"right/1\", \"output\": \"x\"}",
        "{\"id\": 1, \"suite\": \"right\", \"output\": \"x\"}",
        "{\"id\": 1, \"prompt\": \"Q: Right? A:\", \"output\": \"x\"}",
    ] {
        assert_eq!(names(&given(content).unwrap()), [("right/1".into(), By::Id)], "{content}");
    }
}

#[test]
fn contradictions_are_refused_by_name() {
    for (content, part) in [
        (
            "{\"id\": \"a\", \"output\": \"x\"}\n{\"id\": \"own/a\", \"output\": \"x\"}",
            "several answers belong to 1 sample: `own/a` (line 1 and line 2)",
        ),
        (
            "{\"id\": \"2\", \"prompt\": \"Say one more.\", \"output\": \"x\"}",
            "answers to another prompt have the ids of 1 sample: `lines/2` (line 1)",
        ),
        (
            "{\"id\": \"q\", \"output\": \"x\"}\n{\"id\": \"r\", \"output\": \"x\"}",
            "none of its answers belongs to a sample: `q`, `r`",
        ),
    ] {
        refused(given(rows(content)), part);
    }
}

/// Numbers from 0 would each fit the line before, and one is left over.
#[test]
fn numbers_that_count_otherwise_than_lines_are_refused() {
    let count =
        |from: usize| format!("{{\"id\": {from}, \"output\": \"x\"}}\n{{\"id\": {}, \"output\": \"y\"}}", from + 1);
    refused(given(rows(&count(0))), "numbers that count otherwise than the suite's lines: `0`");
    assert_eq!(names(&given(rows(&count(1))).unwrap()), [("lines/1".into(), By::Id), ("lines/2".into(), By::Id)]);
}

/// Who asks exactly what a sample asks answers that sample, whatever the id says.
#[test]
fn the_whole_prompt_goes_before_an_id() {
    let content = "{\"id\": \"1\", \"prompt\": \"Say two.\\nTwice.\", \"output\": \"x\"}\n\
                   {\"id\": \"7\", \"messages\": [{\"role\": \"user\", \"content\": \"Say one.\"}], \"output\": \"y\"}";
    let matched = given(rows(content)).unwrap();
    assert_eq!(names(&matched), [("lines/1".into(), By::Prompt), ("lines/2".into(), By::Prompt)]);
    // A part of the prompt is not enough without an id.
    refused(given(rows("{\"id\": \"7\", \"prompt\": \"Well, Say one.\", \"output\": \"x\"}")), "none of its answers");
}

#[test]
fn what_is_no_file_of_answers_is_refused_with_its_reason() {
    for (name, content, part) in [
        ("a.jsonl", "", "it is empty"),
        ("a.jsonl", "[]", "it is empty"),
        ("a.jsonl", "{\"id\": 1, \"answer\": \"x\"}", "its keys are answer, id"),
        (
            "a.jsonl",
            "{\"custom_id\": \"a\", \"method\": \"POST\", \"url\": \"/v1\", \"body\": {}}",
            "form of its answers is not known",
        ),
        (
            "a.jsonl",
            "{\"id\": 1, \"output\": \"x\"}\n{\"custom_id\": \"a\", \"response\": {}}",
            "line 2: these are OpenAI batch output",
        ),
        ("a.jsonl", "{\"id\": 1, \"output\": \"x\"}\n{\"id\": 2, \"output\"", "line 2: EOF while parsing"),
        ("a.jsonl", "{\"id\": 1.5, \"output\": \"x\"}", "a whole number, not 1.5"),
        ("a.jsonl", "{\"id\": 1, \"output\": {\"a\": 1}}", "`output` is a text, or a list of texts"),
        ("a.jsonl", "{\"id\": 1, \"output\": null}", "`output` is null"),
        ("a.jsonl", "{\"id\": 1, \"output\": []}", "`output` is an empty list"),
        ("a.jsonl", "{\"id\": 1, \"output\": \"x\", \"error\": \"y\"}", "an `output` and an `error`"),
        ("a.jsonl", "{\"id\": 1, \"output\": \"x\", \"seconds\": -1}", "took -1, which is no time"),
        (
            "a.jsonl",
            "{\"id\": 1, \"output\": \"x\", \"model\": \"m\"}\n{\"id\": 2, \"output\": \"x\", \"model\": \"n\"}",
            "answers of 2 models: `m`, `n`",
        ),
        ("a.json", "{\"results\": {}, \"configs\": {}, \"config\": {}}", "form of its answers is not known"),
        (
            "a.json",
            "{\"version\": 2, \"status\": \"started\", \"eval\": {\"task\": \"t\", \"model\": \"m\"}}",
            "it has no answers",
        ),
        ("a.zip", "PK\u{3}\u{4}", "the archive"),
        ("a.txt", "Paris", "expected value at line 1"),
    ] {
        let error = answers(name, content).expect_err(content);
        let said = format!("{error} {}", error.hint_text().unwrap_or_default());
        assert!(error.class() == Class::Data && error.hint_text().is_some(), "{said}");
        assert!(said.contains(part), "{part} in {said}");
    }
}

/// Cut at every byte, or a byte changed: an error that is ours, or answers. Never a panic that the door had to catch.
#[test]
fn damaged_files_end_in_a_result() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign");
    let scratch = tempfile::tempdir().unwrap();
    let (mut read, mut refused) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let at = scratch.path().join(path.file_name().unwrap());
        let step = bytes.len() / 150 + 1;
        let cut = (0..bytes.len()).step_by(step).map(|to| bytes[..to].to_vec());
        let spoilt = (0..bytes.len()).step_by(step).map(|place| {
            let mut spoilt = bytes.clone();
            spoilt[place] = spoilt[place].wrapping_mul(31).wrapping_add(97);
            spoilt
        });
        for version in cut.chain(spoilt) {
            std::fs::write(&at, version).unwrap();
            match foreign::read(&at).and_then(given) {
                Ok(_) => read += 1,
                Err(error) => {
                    assert!(error.class() == Class::Data && error.hint_text().is_some(), "{error}");
                    assert!(!error.to_string().contains("gave up on it"), "a panic: {error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 3000, "{read} read, {refused} refused");
}

#[test]
fn rows_of_a_dataset_are_no_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/foreign/support.jsonl");
    assert_eq!(dataset::load(&path, &Columns::default(), &Selection::default()).unwrap().len(), 3);
    refused(foreign::read(&path), "form of its answers is not known");
}
