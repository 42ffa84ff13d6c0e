//! `diapason generate`: what of a conversation the model is asked, and what is refused.

use crate::project::{MODEL, diapason, put, said};
use std::path::Path;

/// Writes every turn, the tools' names, and two variables.
const TEMPLATE: &str = "{% for t in tools or [] %}[{{ t.function.name }}]{% endfor %}{% if thinking is defined %}{{ thinking | tojson }}\
                        {% endif %}{{ tone }}{% for m in messages %}<{{ m.role[0] }}>{{ m.content | trim }}</{{ m.role[0] }}>\
                        {% endfor %}{% if add_generation_prompt %}<a>{% endif %}";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    put(folder.path(), "t.jinja", TEMPLATE);
    folder
}

fn ask(folder: &Path, arguments: &[&str]) -> std::process::Output {
    let fixed = ["generate", "--model", MODEL, "--max-tokens", "1", "--format", "json"];
    let other = arguments.contains(&"--template");
    let template: &[&str] = if other { &[] } else { &["--template", "./t.jinja"] };
    diapason(folder, &[&fixed[..], template, arguments].concat())
}

#[track_caller]
fn asked(folder: &Path, arguments: &[&str], prompt: &str) {
    let output = ask(folder, arguments);
    assert!(output.status.success(), "{}", said(&output));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["prompt"], prompt, "{arguments:?}");
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let output = ask(folder, arguments);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{arguments:?}: expected `{word}` in: {text}");
    }
}

#[test]
fn what_is_typed_is_asked() {
    let folder = folder();
    put(folder.path(), "tools.json", r#"[{"type": "function", "function": {"name": "clock"}}]"#);
    asked(folder.path(), &["--prompt", "q"], "<u>q</u><a>");
    asked(folder.path(), &["--prompt", "q", "--system", "s"], "<s>s</s><u>q</u><a>");
    asked(folder.path(), &["--prompt", "q", "--system", ""], "<s></s><u>q</u><a>");
    let more = ["--tools", "tools.json", "--variable", "thinking=[1, \"=\"]", "--variable", "tone=\"short\""];
    asked(folder.path(), &[&["--prompt", "q"], &more[..]].concat(), "[clock][1, \"=\"]short<u>q</u><a>");
    let output = ask(folder.path(), &["--prompt", "q", "--variable", "tome=1"]);
    assert!(said(&output).contains("the chat template does not read the variable `tome`"), "{}", said(&output));
}

#[test]
fn a_conversation_is_read_as_rows_are() {
    let folder = folder();
    let turns =
        "[{\"role\": \"system\", \"content\": \"s\"},\n {\"role\": \"user\", \"content\": \"q\", \"name\": null}]";
    let row =
        format!("{{\n\"messages\": {turns},\n\"chat_template_kwargs\": {{\"tone\": \"long\", \"thinking\": true}}}}\n");
    put(folder.path(), "turns.json", turns);
    put(folder.path(), "row.json", &row);
    put(folder.path(), "row.jsonl", &(row.replace('\n', "") + "\n"));
    put(folder.path(), "list.json", &format!("[{row}]"));
    put(folder.path(), "sharegpt.json", r#"{"conversations": [{"from": "human", "value": "q"}], "system": "s"}"#);
    for (name, prompt) in [
        ("turns.json", "<s>s</s><u>q</u><a>"),
        ("row.json", "truelong<s>s</s><u>q</u><a>"),
        ("row.jsonl", "truelong<s>s</s><u>q</u><a>"),
        ("list.json", "truelong<s>s</s><u>q</u><a>"),
        ("sharegpt.json", "<s>s</s><u>q</u><a>"),
    ] {
        asked(folder.path(), &["--message", name], prompt);
    }
    // What is typed goes before what stands in the file.
    asked(folder.path(), &["--message", "row.json", "--variable", "tone=\"short\""], "trueshort<s>s</s><u>q</u><a>");
    asked(folder.path(), &["--message", "turns.json", "--system", "s"], "<s>s</s><u>q</u><a>");
    refused(folder.path(), &["--message", "turns.json", "--system", "t"], 2, &["both give a system message", "Hint: "]);
}

#[test]
fn a_begun_answer_is_gone_on_with_where_that_is_asked() {
    let folder = folder();
    let turns = |last: &str| format!(r#"[{{"role": "user", "content": "q"}}{last}]"#);
    put(folder.path(), "open.json", &turns(""));
    put(folder.path(), "begun.json", &turns(r#", {"role": "assistant", "content": "Once "}"#));
    put(
        folder.path(),
        "call.json",
        &turns(r#", {"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}"#),
    );
    asked(folder.path(), &["--message", "begun.json", "--continue"], "<u>q</u><a>Once");
    put(folder.path(), "kept.jinja", &TEMPLATE.replace(" | trim", ""));
    asked(folder.path(), &["--message", "begun.json", "--continue", "--template", "./kept.jinja"], "<u>q</u><a>Once ");
    refused(folder.path(), &["--message", "begun.json"], 4, &["ends with an assistant's turn", "`--continue`"]);
    refused(
        folder.path(),
        &["--message", "open.json", "--continue"],
        4,
        &["no begun answer", "of role `user`", "Hint: "],
    );
    refused(folder.path(), &["--message", "call.json", "--continue"], 4, &["no `content` to continue"]);
    put(folder.path(), "no.jinja", "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}");
    refused(
        folder.path(),
        &["--message", "begun.json", "--continue", "--template", "./no.jinja"],
        4,
        &["does not write"],
    );
    refused(folder.path(), &["--prompt", "q", "--continue"], 4, &["no begun answer", "`--message`"]);
}

#[test]
fn bad_conversations_tools_and_variables_are_refused_by_name() {
    let folder = folder();
    for (name, text) in [
        ("two.jsonl", "{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n"),
        ("broken.json", "{\"messages\": ["),
        ("empty.json", ""),
        ("shape.json", "{\"text\": \"a\"}"),
        ("order.json", r#"[{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]"#),
        ("role.json", r#"[{"role": "Chatbot", "content": "a"}]"#),
        ("critic.json", r#"[{"role": "user", "content": "a"}, {"role": "critic", "content": "b"}]"#),
        ("content.json", r#"[{"role": "user", "content": 3}]"#),
        ("image.json", r#"[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]"#),
        ("reserved.json", r#"{"prompt": "a", "chat_template_kwargs": {"template_name": "rag"}}"#),
        ("tools.json", "3"),
        ("cut.json", "[{"),
        ("own.json", r#"{"prompt": "a", "tools": [{"type": "function", "function": {"name": "clock"}}]}"#),
        ("more.json", r#"[{"type": "function", "function": {"name": "clock"}}]"#),
    ] {
        put(folder.path(), name, text);
    }
    for (arguments, code, words) in [
        (["--message", "nowhere.json"].as_slice(), 4, ["failed to read", "nowhere.json"].as_slice()),
        (&["--message", "two.jsonl"], 4, &["has 2 conversations", "Hint: "]),
        (&["--message", "broken.json"], 4, &["broken.json"]),
        (&["--message", "empty.json"], 4, &["empty.json has no conversation", "\"messages\": ["]),
        (&["--message", "shape.json"], 4, &["line 1", "no known shape"]),
        (&["--message", "content.json"], 4, &["/messages/0/content"]),
        (&["--message", "image.json"], 4, &["/messages/0/content/0"]),
        (&["--message", "reserved.json"], 4, &["`template_name` is not a row's to set"]),
        (&["--message", "own.json", "--tools", "more.json"], 2, &["both give tools"]),
        (&["--prompt", "q", "--tools", "nowhere.json"], 4, &["nowhere.json"]),
        (&["--prompt", "q", "--tools", "cut.json"], 4, &["failed to read cut.json", "Hint: tools are a JSON list"]),
        (&["--prompt", "q", "--tools", "tools.json"], 4, &["tools.json", "/tools"]),
        (&["--prompt", "q", "--variable", "thinking"], 2, &["has no name and value", "Hint: "]),
        (&["--prompt", "q", "--variable", "tone=short"], 2, &["is no JSON", "a text needs quotes"]),
        (&["--prompt", "q", "--variable", "a=1", "--variable", "a=2"], 2, &["given twice"]),
        (&["--prompt", "q", "--variable", "tools=[]"], 2, &["`--variable tools` cannot be set", "`--tools FILE`"]),
        (
            &["--prompt", "q", "--variable", "add_generation_prompt=false"],
            2,
            &["`--variable add_generation_prompt` cannot be set", "Hint: "],
        ),
        (&["--message", "order.json"], 4, &["order.json: line 1 /messages/0", "before any user turn"]),
        (
            &["--message", "role.json"],
            4,
            &["role.json: line 1 /messages/0/role", "the role is \"Chatbot\"", "`assistant`"],
        ),
        (&["--message", "critic.json"], 4, &["critic.json: line 1 /messages/1/role", "the role is \"critic\""]),
        (&["--prompt", "q", "--template-name", "rag"], 2, &["no chat template named \"rag\"", "`--template-name`"]),
        (&["--prompt", "q", "--message", "two.jsonl"], 2, &["cannot be used with"]),
        (&[], 2, &["--prompt"]),
    ] {
        refused(folder.path(), arguments, code, words);
    }
}
