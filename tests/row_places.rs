//! Every refusal of a row names its file and line; what a template does not read of a row is said.

use crate::project::{diapason, put, said};
use std::path::Path;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/project/demo/base");
const GOOD: &str = r#"{"prompt": "a", "completion": "b"}"#;
/// Refuses a text, and reads no documents.
const REFUSING: &str = "{% for m in messages %}{% if m.content == 'no' %}{{ raise_exception('never') }}{% endif %}<|{{ m.role }}|>\
                        {{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

/// A project with `rows` as training data and as suite.
fn project(rows: &[&str], keys: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    put(folder.path(), "t.jinja", REFUSING);
    // The first line is empty, so that a row's number is not its line.
    put(folder.path(), "t.jsonl", &format!("\n{}\n", rows.join("\n")));
    put(folder.path(), "s.jsonl", r#"{"prompt": "q", "completion": "b"}"#);
    let config = format!(
        "[model]\npath = {DEMO:?}\n[data]\ntrain = \"t.jsonl\"\n[train]\n{keys}\n[template]\ntemplate = \"./t.jinja\"\n\
         [[suite]]\nname = \"s\"\ndata = \"s.jsonl\"\nevaluator = [{{ plugin = \"eval-accuracy\" }}]\n"
    );
    put(folder.path(), "diapason.toml", &config);
    folder
}

#[track_caller]
fn ends(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) -> String {
    let output = diapason(folder, arguments);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{arguments:?}: expected `{word}` in: {text}");
    }
    text
}

#[test]
fn refusals_of_rows_name_file_and_line() {
    let show = ["train", "--show", "1"];
    for (row, keys, words) in [
        (r#"{"prompt": "no", "completion": "b"}"#, "", "at line 3 of t.jsonl: "),
        (r#"{"id": "x", "prompt": "no", "completion": "b"}"#, "", "at line 3 of t.jsonl (id `x`): "),
        (r#"{"prompt": "no"}"#, "", "line 3 of t.jsonl has no answer to learn"),
        (r#"{"prompt": "a", "reference": ["b", "c"]}"#, "", "line 3 of t.jsonl has several references"),
        (r#"{"prompt": "a", "completion": 3}"#, "", "t.jsonl: line 3 /completion: "),
    ] {
        let folder = project(&[GOOD, row], keys);
        let text = ends(folder.path(), &show, 4, &[words]);
        assert!(!text.contains("conversation 1"), "{text}");
        ends(folder.path(), &["validate"], 4, &["train line 3"]);
        ends(folder.path(), &["train"], 4, &["train line 3"]);
    }
    // A row without an id goes by its line.
    let folder = project(&[r#"{"id": "3", "prompt": "x", "completion": "b"}"#, GOOD], "");
    for verb in ["validate", "train"] {
        ends(folder.path(), &[verb], 4, &["train line 3: id `3` is already used on line 2 (duplicate-id)"]);
    }
    let long = r#"{"prompt": "a b c d e f g h i j", "completion": "b"}"#;
    let folder = project(&[GOOD, long], "max_sequence_length = 8\nwarmup = 0");
    ends(folder.path(), &["train"], 4, &["1 row has more than 8 tokens: line 3 of t.jsonl ("]);
}

#[test]
fn a_suite_names_the_line_too() {
    let folder = project(&[GOOD], "");
    put(folder.path(), "s.jsonl", "\n{\"prompt\": \"no\", \"completion\": \"b\"}\n");
    ends(folder.path(), &["validate"], 4, &["s line 2: ", "never"]);
    ends(folder.path(), &["eval", "--allow", "unrendered"], 4, &["at line 2 of s.jsonl: "]);
}

#[test]
fn show_ends_as_validate_does() {
    let folder = project(&[GOOD, GOOD], "");
    put(folder.path(), "s.jsonl", "{\"prompt\": \"no\", \"completion\": \"b\"}");
    let text = ends(folder.path(), &["train", "--show", "1"], 4, &["⟦b", "the datasets have 1 error:", "s line 1"]);
    assert!(text.contains("`diapason validate` lists all findings"), "{text}");
    ends(folder.path(), &["train", "--show", "1", "--allow", "unrendered"], 0, &["⟦b"]);
    assert!(!folder.path().join("runs").exists(), "nothing is written");
    ends(folder.path(), &["validate"], 4, &["1 error"]);
}

#[test]
fn what_the_template_in_use_does_not_read_is_said() {
    let field = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "channel": "final"}]}"#;
    let documents = r#"{"prompt": "a", "completion": "b", "documents": [{"text": "d"}]}"#;
    let folder = project(&[field, documents], "");
    let said = [
        "line 2 of t.jsonl, and perhaps others: the template does not write the field `channel` of turn 1",
        "does not read the variable `documents`",
    ];
    ends(folder.path(), &["train", "--show", "1"], 0, &said);
    // Another template of the model reads them, which is not the one in use.
    let base = folder.path().join("base");
    copy(Path::new(DEMO), &base);
    let named = base.join("additional_chat_templates");
    std::fs::create_dir(&named).expect("created");
    put(&base, "chat_template.jinja", REFUSING);
    put(&named, "rag.jinja", &format!("{{{{ documents | tojson }}}}{REFUSING}"));
    for (settings, warns) in [("", true), ("[template.settings]\ntemplate_name = \"rag\"\n", false)] {
        put(
            folder.path(),
            "diapason.toml",
            &format!("[model]\npath = \"base\"\n[data]\ntrain = \"t.jsonl\"\n{settings}"),
        );
        let text = ends(folder.path(), &["train", "--show", "1"], 0, &[]);
        assert_eq!(text.contains("does not read the variable `documents`"), warns, "{settings}: {text}");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("created");
    for entry in std::fs::read_dir(from).expect("listed") {
        let path = entry.expect("an entry").path();
        std::fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("copied");
    }
}
