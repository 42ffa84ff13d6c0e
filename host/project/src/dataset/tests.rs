mod files;

use super::*;
use diapason_core::Class;
use diapason_core::sample::Message;

fn one(row: &str) -> Sample {
    parse(row, "rows.jsonl", &Selection::default()).expect("a good row").remove(0)
}

fn refused(text: &str) -> (String, String) {
    let error = parse(text, "rows.jsonl", &Selection::default()).expect_err("must be refused");
    assert_eq!(error.class(), Class::Data);
    (error.to_string(), error.hint_text().unwrap_or_default().to_owned())
}

#[test]
fn four_shapes_become_the_same_sample() {
    let rows = [
        r#"{"instruction": "Sum.", "input": "1 2", "output": "3", "system": "Be brief."}"#,
        r#"{"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Sum.\n\n1 2"}, {"role": "assistant", "content": "3"}]}"#,
        r#"{"prompt": "Sum.\n\n1 2", "completion": "3", "system": "Be brief."}"#,
        r#"{"conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "Sum.\n\n1 2"}, {"from": "gpt", "value": "3"}]}"#,
    ];
    for row in rows {
        let sample = one(row);
        assert_eq!(
            sample.messages,
            [Message::new("system", "Be brief."), Message::new("user", "Sum.\n\n1 2")],
            "{row}"
        );
        assert_eq!(sample.reference.as_deref(), Some("3"), "{row}");
        assert_eq!(sample.id, "1");
        assert_eq!(sample.row, row);
    }
}

#[test]
fn what_is_known_of_a_row_is_kept() {
    let sample = one(
        r#"{"id": "q7", "prompt": "?", "choices": ["a", "b"], "context": "c", "tags": {"cluster": "x", "year": 3}, "completion": {"a": 1}, "tools": [{"name": "f"}]}"#,
    );
    assert_eq!((sample.id.as_str(), sample.context.as_deref()), ("q7", Some("c")));
    assert_eq!(sample.choices, ["a", "b"]);
    assert_eq!(sample.tags["cluster"], "x");
    assert_eq!(sample.tags["year"], "3");
    assert_eq!(sample.reference.as_deref(), Some(r#"{"a":1}"#));
    assert!(sample.tools.is_some());
}

#[test]
fn a_broken_line_in_the_middle_is_named_with_column() {
    let (message, hint) = refused("{\"prompt\": \"a\"}\n\n{\"prompt\": \"b\n{\"prompt\": \"c\"}\n");
    assert!(message.starts_with("failed to read rows.jsonl: line 3, column "), "{message}");
    assert!(hint.contains("was it cut"), "{hint}");
}

#[test]
fn every_bad_row_is_listed() {
    let text = "{\"prompt\": 3}\n[]\n{\"text\": \"x\"}\n{\"messages\": [{\"role\": \"user\"}]}\n";
    let (message, _) = refused(text);
    for part in [
        "4 bad rows",
        "line 1 /prompt: `prompt` is 3",
        "line 2: not a JSON object",
        "keys are text",
        "/messages/0/content: the text is missing",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
    let (message, _) = refused(&"[]\n".repeat(13));
    assert!(message.ends_with("… and 3 more"), "{message}");
}

#[test]
fn an_id_is_used_once() {
    let (message, _) = refused("{\"id\": 1, \"prompt\": \"a\"}\n{\"id\": \"1\", \"prompt\": \"b\"}\n");
    assert!(message.contains("line 2: id `1` is already used on line 1"), "{message}");
    // A row without an id takes its line's number, which another row may have claimed.
    let (message, _) = refused("{\"id\": 2, \"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n");
    assert!(message.contains("line 2: id `2`"), "{message}");
}

#[test]
fn an_empty_file_is_refused() {
    assert!(refused("\n \n").0.ends_with("has no rows"));
}

#[test]
fn limit_and_system_message() {
    let text = "\u{feff}{\"prompt\": \"a\"}\n\n{\"prompt\": \"b\", \"system\": \"own\"}\nbroken\n";
    let selection = Selection { limit: Some(2), system: Some("house"), ..Selection::default() };
    let samples = parse(text, "rows.jsonl", &selection).expect("the broken row lies behind the limit");
    let systems: Vec<&str> = samples.iter().map(|sample| sample.messages[0].content.as_str()).collect();
    assert_eq!(systems, ["house", "own"]);
    assert_eq!(samples[1].id, "3");
}

/// Files by pyarrow (`tests/oracles/parquet_file.py`).
#[test]
fn parquet_is_read_like_json_lines() {
    let file = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.parquet"));
    let read = |name: &str| load(&file(name), &Columns::default(), &Selection::default()).expect(name);
    let messages = read("messages");
    assert_eq!(messages.iter().map(|sample| sample.id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(messages[1].messages[0].content, "Say nö");
    assert_eq!(messages[2].reference.as_deref(), Some("a \"quote\""));
    let alpaca = read("alpaca");
    assert_eq!(alpaca[0].messages.last().expect("a turn").content, "Add\n\n1 + 1");
    assert_eq!((alpaca[1].reference.as_deref(), alpaca[1].id.as_str()), (Some("Berlin"), "2"));
    assert_eq!(read("prompt")[1].reference.as_deref(), Some("2"));
    assert_eq!(read("sharegpt")[0].reference.as_deref(), Some("Ho"));
}

#[test]
fn what_is_no_readable_parquet_is_refused_with_a_hint() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let folder = tempfile::tempdir().expect("folder");
    let whole = std::fs::read(golden.join("messages.parquet")).expect("read");
    let cut = folder.path().join("cut.parquet");
    std::fs::write(&cut, &whole[..whole.len() / 2]).expect("write");
    for path in [cut, golden.join("lz4.parquet"), folder.path().join("none.parquet")] {
        let error = load(&path, &Columns::default(), &Selection::default()).expect_err("refused");
        assert!(error.to_string().contains("failed to read") && error.hint_text().is_some(), "{error}");
    }
}

#[test]
fn what_json_cannot_hold_is_refused_with_its_place() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let read = |name: &str| read(&golden.join(format!("{name}.parquet")), &Columns::default());
    for (name, message) in [
        ("bytes", "row 2 /completion is bytes, not text"),
        ("nan", "row 2 /tags/s is a number that is not finite"),
        ("nan-argument", "row 1 /messages/1/tool_calls/0/function/arguments/x is a number that is not finite"),
        ("two-columns", "two of its columns are named `completion`"),
    ] {
        let error = read(name).expect_err(name);
        assert!(error.to_string().ends_with(message) && error.hint_text().is_some(), "{error}");
    }
    assert!(read("bytes-unread").is_ok(), "a column that nothing reads may hold anything");
    let renamed = Columns { reference: Some("score".into()), ..Columns::default() };
    let error = super::read(&golden.join("bytes-unread.parquet"), &renamed).expect_err("read now");
    assert!(error.to_string().ends_with("row 1 /score is a number that is not finite"), "{error}");
}

/// A Parquet file with a column and no rows, as a writer leaves it that was closed at once.
#[test]
fn a_parquet_file_without_rows_is_refused() {
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("empty.parquet");
    let schema = parse_message_type("message rows { required binary prompt (UTF8); }").expect("a schema");
    let file = std::fs::File::create(&path).expect("file");
    let writer = SerializedFileWriter::new(file, schema.into(), WriterProperties::builder().build().into());
    writer.expect("a writer").close().expect("closed");
    assert_eq!(read(&path, &Columns::default()).expect("readable").0, "");
    let error = load(&path, &Columns::default(), &Selection::default()).expect_err("refused");
    assert!(error.to_string().ends_with("has no rows"), "{error}");
}
