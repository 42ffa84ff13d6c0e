//! Rows as users have them: what is trained on, what a suite asks, and what is refused by name.

use crate::project::{self, diapason, put, said};
use std::path::Path;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/project/demo/base");
const PLAIN: &str = "{% if tools %}<|system|>{% for t in tools %}[{{ t | tojson }}]{% endfor %}<|end|>{% endif %}{% for m in messages \
                     %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

/// A project that trains on `rows` in a file called `name`, with these keys of `[data]` and this template.
fn training(name: &str, rows: &str, data: &str, template: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    put(folder.path(), "plain.jinja", PLAIN);
    put(folder.path(), name, rows);
    let config = format!("[model]\npath = {DEMO:?}\n[data]\ntrain = {name:?}\n{data}\n[template]\n{template}\n");
    put(folder.path(), "diapason.toml", &config);
    folder
}

/// The first row as `train --show` prints it, without the marks between tokens.
#[track_caller]
fn shown(folder: &Path) -> String {
    let output = diapason(folder, &["train", "--show", "1"]);
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    text.replace('·', "")
}

#[track_caller]
fn refused(folder: &Path, words: &[&str]) {
    for verb in ["validate", "train"] {
        let output = diapason(folder, &[verb]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(4), "{verb}: {text}");
        for word in words {
            assert!(text.contains(word), "{verb}: expected `{word}` in: {text}");
        }
    }
}

const CHATML: &str = "template = \"chatml\"";

#[test]
fn null_keys_on_the_last_turn_do_not_hide_the_answer() {
    let row = r#"{"messages": [{"role": "user", "content": "2+2?", "name": null, "tool_calls": null}, {"role": "assistant", "content": "four", "name": null, "tool_calls": null}]}"#;
    let folder = training("t.jsonl", row, "", CHATML);
    assert!(shown(folder.path()).contains("⟦four<|im_end|>⟧"));
}

#[test]
fn a_turn_with_weight_0_is_context() {
    let row = r#"{"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "five", "weight": 0}, {"role": "user", "content": "Wrong, again."}, {"role": "assistant", "content": "four"}]}"#;
    for template in [CHATML, "template = \"./plain.jinja\""] {
        let folder = training("t.jsonl", row, "", template);
        let text = shown(folder.path());
        assert!(text.contains("five<|") && text.contains("⟦four<|") && !text.contains("⟦five"), "{text}");
    }
    let all = row.replace("\"content\": \"four\"", "\"content\": \"four\", \"train\": false");
    refused(training("t.jsonl", &all, "", CHATML).path(), &["all of its assistant's turns are marked as context"]);
    let half = row.replace("\"weight\": 0", "\"weight\": 0.5");
    refused(training("t.jsonl", &half, "", CHATML).path(), &["line 1 /messages/1/weight", "`weight` is 0.5"]);
}

#[test]
fn a_function_call_of_sharegpt_is_learned() {
    let row = r#"{"system": "Be brief.", "conversations":[{"from":"human","value":"Area?"},{"from":"function_call","value":"{\"name\":\"area\",\"arguments\":{\"side\":3}}"},{"from":"observation","value":"{\"area\":9}"},{"from":"gpt","value":"It is nine."}]}"#;
    let folder = training("t.jsonl", row, "", CHATML);
    let text = shown(folder.path());
    for part in [
        "system\nBe brief.",
        "⟦<tool_call>",
        "{\"name\": \"area\", \"arguments\": {\"side\": 3}}",
        "tool\n{\"area\":9}",
        "⟦It is nine.",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let order = r#"{"conversations":[{"from":"gpt","value":"a"},{"from":"human","value":"b"}]}"#;
    refused(training("t.jsonl", order, "", CHATML).path(), &["line 1 /conversations/0", "before any user turn"]);
}

#[test]
fn tools_in_a_text_are_read() {
    let row = r#"{"messages":[{"role":"user","content":"Weather?"},{"role":"assistant","content":"Mild."}],"tools":"[{\"type\":\"function\",\"function\":{\"name\":\"weather\"}}]"}"#;
    let folder = training("t.jsonl", row, "", "template = \"./plain.jinja\"");
    let text = shown(folder.path());
    assert!(text.contains("[{\"type\": \"function\", \"function\": {\"name\": \"weather\"}}]"), "{text}");
    // A template that writes no tools is said.
    let folder = training("t.jsonl", row, "", CHATML);
    assert!(shown(folder.path()).contains("does not write the tool `weather`"));
}

#[test]
fn an_empty_text_beside_a_call_is_no_finding() {
    let row = r#"{"messages": [{"role": "user", "content": "Weather?"}, {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}]}, {"role": "tool", "content": "mild"}, {"role": "assistant", "content": "It is mild."}]}"#;
    let folder = training("t.jsonl", row, "", CHATML);
    let output = diapason(folder.path(), &["validate"]);
    assert!(output.status.success() && said(&output).contains("No errors, 0 warnings, 0 notes"), "{}", said(&output));
    // The same call at the end is learned, and lost where the template writes none.
    let last =
        row.replace(r#", {"role": "tool", "content": "mild"}, {"role": "assistant", "content": "It is mild."}"#, "");
    assert!(shown(training("t.jsonl", &last, "", CHATML).path()).contains("⟦<tool_call>"));
    let folder = training("t.jsonl", &last, "", "template = \"./plain.jinja\"");
    let output = diapason(folder.path(), &["train", "--show", "1"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(said(&output).contains("the template does not write the call of `weather`"), "{}", said(&output));
}

#[test]
fn tables_are_read_and_a_missing_column_is_named() {
    let table = "question,answer\n\"a, b?\",c\n";
    let names = "columns = { prompt = \"question\", completion = \"answer\" }";
    assert!(shown(training("t.csv", table, names, CHATML).path()).contains("⟦c<|im_end|>⟧"));
    assert!(
        shown(training("t.tsv", &table.replace(',', "\t").replace("a\t b", "a b"), names, CHATML).path())
            .contains("⟦c<")
    );
    refused(training("t.csv", table, "", CHATML).path(), &["its keys are question, answer", "columns = {"]);
    let folder = training("t.csv", table, "columns = { prompt = \"query\" }", CHATML);
    refused(folder.path(), &["no column `query`, which `columns.prompt` names"]);
}

#[test]
fn a_suite_does_not_show_the_answer_and_takes_any_reference() {
    let rows = concat!(
        r#"{"id": "a", "messages": [{"role": "user", "content": "Capital of Spain?"}, {"role": "assistant", "content": "Madrid", "tool_calls": null, "name": "x"}]}"#,
        "\n",
        r#"{"id": "b", "prompt": "Capital of Spain?", "reference": ["Oslo", "Madrid"]}"#,
    );
    let folder = tempfile::tempdir().expect("folder");
    project::write(folder.path(), &(project::head() + project::SUITE));
    put(folder.path(), "test.jsonl", rows);
    for verb in ["train", "eval"] {
        let output = diapason(folder.path(), &[verb, "-q"]);
        assert!(output.status.success(), "{verb}: {}", said(&output));
    }
    let outputs = std::fs::read_to_string(folder.path().join("run/outputs.base.jsonl")).expect("outputs");
    for line in outputs.lines() {
        let prompt = line.split("\"completions\"").next().unwrap_or_default();
        assert!(prompt.contains("Spain") && !prompt.contains("Madrid"), "{line}");
    }
}

#[test]
fn special_tokens_in_texts_are_found_and_encoded_as_text_where_asked() {
    let row = r#"{"prompt": "What does <|end|> mean?", "completion": "b"}"#;
    let folder = training("t.jsonl", row, "", "");
    let output = diapason(folder.path(), &["validate"]);
    assert!(
        output.status.success() && said(&output).contains("`<|end|>`, which the tokenizer reads"),
        "{}",
        said(&output)
    );
    let special = said(&diapason(folder.path(), &["train", "--show", "1"]));
    let folder = training("t.jsonl", row, "", "special_tokens_in_text = \"literal\"");
    assert!(said(&diapason(folder.path(), &["validate"])).contains("No errors, 0 warnings"));
    let literal = said(&diapason(folder.path(), &["train", "--show", "1"]));
    // The template's own token stays one.
    assert!(!special.contains("<·|·end·|·>") && special.matches("<|end|>").count() == 3, "{special}");
    assert!(literal.contains("<·|·end·|·>") && literal.matches("<|end|>").count() == 2, "{literal}");
}
