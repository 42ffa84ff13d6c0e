//! Files as other tools leave them (`tests/oracles/dataset_files.py`).

use super::*;
use diapason_core::sample::WEIGHT;
use serde_json::json;
use std::path::PathBuf;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/datasets").join(name)
}

fn samples(name: &str, columns: &str) -> Vec<Sample> {
    let columns: Columns = serde_json::from_str(columns).expect("columns");
    load(&golden(name), &columns, &Selection::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Turns and calls padded with nulls, in every format and packing, are what was meant.
#[test]
fn what_datasets_pads_is_read_as_it_was_meant() {
    let call = |name: &str, arguments: serde_json::Value| json!([{"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}]);
    let mut first = None;
    for name in ["padded.parquet", "padded.jsonl", "padded.json", "padded.jsonl.gz", "padded.jsonl.zst"] {
        let rows = samples(name, "{}");
        assert_eq!(rows.len(), 3, "{name}");
        let [weather, square, sums] = rows.as_slice() else { panic!("three rows") };
        assert_eq!(weather.messages[1].extra["tool_calls"], call("weather", json!({"city": "Oslo"})), "{name}");
        assert!(weather.messages[1].no_content && weather.messages[0].extra.is_empty(), "{name}");
        assert_eq!(weather.reference.as_deref(), Some("It is mild."));
        let tools = json!([{"type": "function", "function": {"name": "weather", "description": "Tells it."}}, {"type": "function", "function": {"name": "clock"}}]);
        assert_eq!((weather.tools.as_ref(), square.tools.as_ref()), (Some(&tools), None), "{name}");
        assert_eq!(
            square.answer.as_ref().expect("a call").extra["tool_calls"],
            call("square", json!({"x": 7})),
            "{name}"
        );
        assert_eq!(square.reference.as_deref(), Some(r#"{"name":"square","arguments":{"x":7}}"#));
        let learned: Vec<bool> = sums.conversation().iter().map(Message::is_learned).collect();
        assert_eq!((learned, &sums.messages[1].extra[WEIGHT]), (vec![false, false, false, true], &json!(0)), "{name}");
        assert_eq!(sums.answer.as_ref().expect("an answer").extra["reasoning_content"], "two and two");
        let known: Vec<_> = rows.into_iter().map(|row| (row.messages, row.answer, row.tools)).collect();
        assert_eq!(*first.get_or_insert_with(|| known.clone()), known, "{name}");
    }
}

#[test]
fn tables_are_read_with_their_columns_renamed() {
    for name in ["pairs.csv", "pairs.tsv", "pairs.csv.gz"] {
        let text = read(
            &golden(name),
            &serde_json::from_str(r#"{"prompt": "question", "completion": "answer"}"#).expect("columns"),
        );
        let (text, _) = text.expect(name);
        let rows = rows(&text, "", None);
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3, 5], "{name}: lines of the file");
        let samples = samples(name, r#"{"prompt": "question", "completion": "answer"}"#);
        assert_eq!(samples[0].messages, [Message::new("user", "Cap, of \"France\"?")]);
        assert_eq!(
            (samples[1].messages[0].content.as_str(), samples[1].reference.as_deref()),
            ("2+2?\nSay it.", Some("4"))
        );
        assert_eq!(
            (samples[2].messages[0].content.as_str(), samples[2].reference.as_deref()),
            ("None", None),
            "an empty cell is absent"
        );
    }
    let columns = serde_json::from_str(r#"{"prompt": "qestion"}"#).expect("columns");
    let error = load(&golden("pairs.csv"), &columns, &Selection::default()).expect_err("no such column");
    assert!(
        error.to_string().contains("no column `qestion`")
            && error.hint_text().is_some_and(|hint| hint.contains("question, answer"))
    );
}

#[test]
fn a_row_of_an_openai_export() {
    let row = samples("openai.jsonl", "{}").remove(0);
    assert_eq!(row.messages, [Message::new("system", "Be brief."), Message::new("user", "Capital of Spain?")]);
    let answer = row.answer.expect("an answer");
    assert_eq!((answer.content.as_str(), answer.is_learned()), ("Madrid", true));
    assert_eq!(answer.extra.keys().collect::<Vec<_>>(), ["annotations"], "nothing that is null is left");
}

#[test]
fn folders_and_formats_that_are_not_read_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    for (name, file) in [("one", "dataset_info.json"), ("many", "dataset_dict.json"), ("none", "x")] {
        std::fs::create_dir(at(name)).expect("folder");
        std::fs::write(at(name).join(file), "{}").expect("file");
    }
    for (name, splits) in [("both", "[\"test\", \"train\"]"), ("it's one", "[\"validation\"]")] {
        std::fs::create_dir(at(name)).expect("folder");
        let described = format!("{{\"splits\": {splits}}}");
        std::fs::write(at(name).join("dataset_dict.json"), described).expect("file");
    }
    for (name, content) in [
        ("a.arrow", b"ARROW1\0\0".as_slice()),
        ("b.jsonl", b"\xff\xff\xff\xff\xa0\0\0\0"),
        ("a.xlsx", b"PK\x03\x04"),
        ("a.jsonl.gz", b"{}"),
        ("b.jsonl.gz", b"\x1f\x8b\x08cut"),
        ("a.zst", b"\x28\xb5\x2f\xfdcut"),
    ] {
        std::fs::write(at(name), content).expect("file");
    }
    for (name, message, hint) in [
        ("one", "`save_to_disk` wrote", "to_parquet(\"one.parquet\")"),
        ("many", "several splits", "[\"train\"].to_parquet(\"many-train.parquet\")"),
        ("both", "several splits (test, train)", "both\")[\"train\"].to_parquet(\"both-train.parquet\")"),
        ("it's one", "(validation)", "it'\\''s one\")[\"validation\"].to_parquet(\"it'\\''s one-validation.parquet\")"),
        ("none", "a folder, not a file", "readable are JSONL"),
        ("a.arrow", "an Arrow file", "f.read_table"),
        ("b.jsonl", "an Arrow file", "b.jsonl\").to_parquet(\"b.parquet\")"),
        ("a.xlsx", "an Excel file", "readable are JSONL"),
        ("a.jsonl.gz", "not packed", "ending"),
        ("b.jsonl.gz", "failed to unpack", "cut off"),
        ("a.zst", "failed to unpack", "cut off"),
    ] {
        let error = load(&at(name), &Columns::default(), &Selection::default()).expect_err(name);
        assert_eq!(error.class(), Class::Data);
        assert!(error.to_string().contains(message), "{name}: {error}");
        assert!(error.hint_text().unwrap_or_default().contains(hint), "{name}: {:?}", error.hint_text());
    }
}
