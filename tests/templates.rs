//! Whose chat template is used, which of several, and what it is given: for every row, suite and run, and for an adapter that
//! brings its own.

use crate::project::{self, MODEL, diapason, put, said};
use std::path::Path;

const ADAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/golden/train/llama-tied.lora");

/// A template that begins its renderings with `mark`.
fn template(mark: &str) -> String {
    format!(
        "{mark}:{{% for m in messages %}}{{{{ m.content }}}}{{% if m.role == 'assistant' %}}</s>{{% else %}}={{% endif %}}\
         {{% endfor %}}"
    )
}

fn copy(from: &str, to: &Path) {
    std::fs::create_dir_all(to).expect("folder");
    for entry in std::fs::read_dir(from).expect("folder").flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

/// A project with copies of the model and of an adapter.
fn project(keys: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    copy(MODEL, &folder.path().join("base"));
    copy(ADAPTER, &folder.path().join("adapter"));
    put(folder.path(), "test.jsonl", "{\"prompt\": \"q\", \"reference\": \"a\"}\n");
    configure(folder.path(), keys);
    folder
}

fn configure(folder: &Path, keys: &str) {
    let head = "validator = [{ plugin = \"validate-shape\" }]\n[model]\npath = \"base\"\nadapter = \"adapter\"\n\
                [generate]\nmax_tokens = 1\n[run]\nfolder = \"run\"\n[gate]\nresamples = 200\n";
    put(folder, "diapason.toml", &format!("{head}{keys}"));
}

const SUITE: &str = "[[suite]]\nname = \"s\"\ndata = \"test.jsonl\"\nevaluator = [{ plugin = \"eval-accuracy\" }]\n";

#[track_caller]
fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = diapason(folder, arguments);
    let text = said(&output);
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let output = diapason(folder, arguments);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    for word in words {
        assert!(text.contains(word), "expected `{word}` in: {text}");
    }
}

/// Asks the model with an adapter for one token, to see the prompt.
fn asked<'a>(model: &'a str, adapter: &'a str) -> [&'a str; 11] {
    let of = ["generate", "--model", model, "--adapter", adapter];
    let rest = ["--prompt", "q", "--max-tokens", "1", "--format", "json"];
    std::array::from_fn(|index| *of.iter().chain(&rest).nth(index).expect("eleven"))
}

/// The prompts of an arm, in the order of the rows.
fn prompts(folder: &Path, arm: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(format!("run/outputs.{arm}.jsonl"))).expect("outputs");
    let prompt = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        row["prompt"].as_str().expect("a prompt").to_owned()
    };
    text.lines().map(prompt).collect()
}

#[test]
fn the_models_own_templates_are_used_as_transformers_does() {
    let folder = tempfile::tempdir().expect("folder");
    let base = folder.path().join("base");
    copy(MODEL, &base);
    std::fs::create_dir(base.join("additional_chat_templates")).expect("folder");
    put(&base, "chat_template.jinja", &template("plain"));
    put(&base, "additional_chat_templates/tool_use.jinja", &template("tools{{ tools[0].function.name }}"));
    put(&base, "additional_chat_templates/rag.jinja", &template("rag"));
    let tools = r#", "tools": [{"type": "function", "function": {"name": "clock"}}]"#;
    let row = |tools: &str| format!("{{\"prompt\": \"q\", \"completion\": \"a\"{tools}}}\n");
    put(folder.path(), "t.jsonl", &(row("") + &row(tools)));
    let configure = |template: &str| {
        put(
            folder.path(),
            "diapason.toml",
            &format!("[model]\npath = \"base\"\n[data]\ntrain = \"t.jsonl\"\n{template}"),
        );
    };
    let shown = || done(folder.path(), &["train", "--show", "2"]).replace('·', "");
    configure("");
    let text = shown();
    assert!(text.contains("plain:q=⟦a</s>⟧") && text.contains("toolsclock:q=⟦a</s>⟧"), "{text}");
    configure("[template]\nsettings = { template_name = \"rag\" }\n");
    assert_eq!(shown().matches("rag:q=⟦a</s>⟧").count(), 2);
    configure("[template]\nsettings = { template_name = \"tool\" }\n");
    for verb in ["validate", "train"] {
        refused(folder.path(), &[verb], 2, &["line 6", "no chat template named \"tool\"", "default, rag, tool_use"]);
    }
    // A template that is configured stands alone.
    put(folder.path(), "own.jinja", &template("own"));
    configure("[template]\ntemplate = \"./own.jinja\"\n");
    assert_eq!(shown().matches("own:q=").count(), 2);
    // Without a default one, a conversation with tools has a template and another has none.
    std::fs::remove_file(base.join("chat_template.jinja")).expect("removed");
    configure("");
    put(folder.path(), "t.jsonl", &row(tools));
    assert!(shown().contains("toolsclock:q="));
    put(folder.path(), "t.jsonl", &row(""));
    refused(folder.path(), &["train", "--show", "1"], 4, &["none is the default", "`rag`", "`tool_use`"]);
}

#[test]
fn a_rows_variables_go_before_its_suites_and_those_before_the_settings() {
    let suite = |name: &str, keys: &str| SUITE.replace("\"s\"", &format!("\"{name}\"")) + keys;
    let keys = |a: &str| {
        "[template]\ntemplate = \"./t.jinja\"\nsettings = { v = \"settings\", w = 1 }\n".to_owned()
            + &suite("a", &format!("template_variables = {a}\n"))
            + &suite("b", "")
    };
    let a = "{ v = \"suite\", unread = true }";
    let folder = project(&keys(a));
    put(folder.path(), "t.jinja", &template("{{ v }}{{ w }}{{ (documents or []) | length }}"));
    let rows = concat!(
        r#"{"prompt": "p", "reference": "a"}"#,
        "\n",
        r#"{"prompt": "q", "reference": "a", "chat_template_kwargs": {"v": "row"}, "documents": [{"text": "d"}]}"#,
        "\n"
    );
    put(folder.path(), "test.jsonl", rows);
    let text = done(folder.path(), &["eval"]);
    assert!(text.contains("the chat template does not read the variable `unread`"), "{text}");
    for arm in ["base", "tuned"] {
        assert_eq!(prompts(folder.path(), arm), ["suite10:p=", "row11:q=", "settings10:p=", "row11:q="]);
    }
    // They are among what a verdict depends on, are shown, and can be verified.
    done(folder.path(), &["compare"]);
    done(folder.path(), &["report"]);
    let report = std::fs::read_to_string(folder.path().join("run/report.html")).expect("report");
    assert!(report.contains("template_variables.v"), "{report}");
    let verified = said(&diapason(folder.path(), &["verify", "run", "--config", "diapason.toml"]));
    assert!(verified.contains("the rows of its test data") && !verified.contains("not the rows"), "{verified}");
    configure(folder.path(), &keys("{ v = \"other\" }"));
    refused(folder.path(), &["report"], 2, &["`suite.a.template_variables.v` was \"suite\" and is \"other\""]);
    done(folder.path(), &["eval"]);
    assert_eq!(prompts(folder.path(), "base")[0], "other10:p=");
    configure(folder.path(), &keys("{ tools = [] }"));
    refused(folder.path(), &["eval"], 2, &["`tools` is not a suite's to set"]);
    configure(folder.path(), &keys("{ date = \"2026-02-02\" }"));
    refused(folder.path(), &["eval"], 2, &["`date` is not a suite's to set"]);
}

#[test]
fn base_and_tuned_are_asked_in_one_template_and_it_is_said_which() {
    let folder = project(SUITE);
    let adapter = folder.path().join("adapter");
    put(&adapter, "chat_template.jinja", &template("adapter"));
    let text = done(folder.path(), &["eval"]);
    assert!(
        text.contains("the base has no chat template: base and tuned model are both asked in the adapter's"),
        "{text}"
    );
    assert_eq!(
        (prompts(folder.path(), "base"), prompts(folder.path(), "tuned")),
        (vec!["adapter:q=".into()], vec!["adapter:q=".into()])
    );
    done(folder.path(), &["compare"]);
    done(folder.path(), &["report"]);
    let report = std::fs::read_to_string(folder.path().join("run/report.json")).expect("report");
    assert!(report.contains("\"template\": \"adapter\""), "{report}");
    // Both have one: nobody can guess which is meant.
    let base = folder.path().join("base");
    put(&base, "chat_template.jinja", &template("base"));
    for verb in ["validate", "eval"] {
        refused(folder.path(), &[verb], 2, &["line 4", "is not the base's", "`\"adapter\"`", "`\"base\"`"]);
    }
    for name in ["base", "adapter"] {
        configure(folder.path(), &format!("[template]\ntemplate = \"{name}\"\n{SUITE}"));
        done(folder.path(), &["eval"]);
        assert_eq!(prompts(folder.path(), "base"), [format!("{name}:q=")]);
        assert_eq!(prompts(folder.path(), "tuned"), [format!("{name}:q=")]);
    }
    // The base's answers depend on the adapter's template, too.
    put(&adapter, "chat_template.jinja", &template("again"));
    done(folder.path(), &["eval"]);
    assert_eq!(prompts(folder.path(), "base"), ["again:q="]);
    // The same one in another file needs no word.
    put(&adapter, "chat_template.jinja", &template("base"));
    configure(folder.path(), SUITE);
    assert!(!done(folder.path(), &["eval"]).contains("template"));
    std::fs::remove_file(adapter.join("chat_template.jinja")).expect("removed");
    configure(folder.path(), &format!("[template]\ntemplate = \"adapter\"\n{SUITE}"));
    refused(folder.path(), &["eval"], 2, &["line 12", "has no chat template"]);
}

#[test]
fn an_adapter_with_tokens_of_its_own_is_refused_by_every_verb() {
    let folder = project(&format!("[template]\ntemplate = \"chatml\"\n{SUITE}"));
    put(&folder.path().join("adapter"), "added_tokens.json", r#"{"<|im_start|>": 258}"#);
    let words = ["its tokenizer has a token that the base's has not: `<|im_start|>` (258)", "Hint: "];
    refused(folder.path(), &["validate"], 4, &words);
    refused(folder.path(), &["generate", "--model", "base", "--adapter", "adapter", "--prompt", "x"], 4, &words);
}

#[test]
fn an_adapters_template_answers_and_is_written_with_the_merged_model() {
    let folder = project("");
    put(&folder.path().join("base"), "chat_template.jinja", &template("base"));
    put(&folder.path().join("adapter"), "chat_template.jinja", &template("adapter"));
    let ask = asked("base", "adapter");
    let text = done(folder.path(), &ask);
    assert!(text.contains("the chat template is the adapter's: it is not the base's"), "{text}");
    assert!(text.contains(r#""prompt": "adapter:q=""#), "{text}");
    let text = done(folder.path(), &[&ask[..], &["--template", "base"]].concat());
    assert!(text.contains(r#""prompt": "base:q=""#) && !text.contains("Warning"), "{text}");
    let text = done(folder.path(), &["merge", "--model", "base", "--adapter", "adapter", "--out", "merged"]);
    assert!(text.contains("the chat template is the adapter's"), "{text}");
    let written = std::fs::read_to_string(folder.path().join("merged/chat_template.jinja")).expect("template");
    assert_eq!(written, template("adapter"));
}

#[test]
fn what_is_trained_is_written_with_the_template_of_its_configuration() {
    let folder = tempfile::tempdir().expect("folder");
    project::write(folder.path(), &project::head());
    let template = std::fs::read_to_string(folder.path().join("t.jinja")).expect("template");
    let written = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    done(folder.path(), &["train", "-q"]);
    assert_eq!(written("run/adapter/chat_template.jinja"), template);
    let ask = asked(MODEL, "run/adapter");
    let text = done(folder.path(), &ask);
    assert!(text.contains(r#""prompt": "q=""#) && text.contains("the base has none"), "{text}");
    let (head, _) = project::head().split_once("[train]").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a table");
    let full =
        "[train]\nmethod = \"full\"\nepochs = 2\nbatch_size = 8\ngradient_accumulation = 1\nmax_sequence_length = 64\n";
    put(folder.path(), "diapason.toml", &format!("{head}{full}[run]\nfolder = \"whole\"\n"));
    done(folder.path(), &["train", "-q"]);
    assert_eq!(written("whole/model/chat_template.jinja"), template);
}

/// A template that knows no system turn, and writes no calls.
const STRICT: &str = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system turns here') }}{% endif %}\
                      {{ m.content }}{% if m.role == 'assistant' %}</s>{% else %}={% endif %}{% endfor %}";

#[test]
fn validate_finds_the_rows_that_the_template_refuses() {
    let folder = project("");
    put(folder.path(), "strict.jinja", STRICT);
    let (right, refuses) =
        ("{\"prompt\": \"q\", \"completion\": \"a\"}", "{\"system\": \"s\", \"prompt\": \"q\", \"completion\": \"a\"}");
    let call = "{\"messages\": [{\"role\": \"user\", \"content\": \"q\"}, {\"role\": \"assistant\", \"content\": \"\", \"tool_calls\": \
                [{\"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": {}}}]}]}";
    put(folder.path(), "train.jsonl", &format!("{right}\n{refuses}\n\n{call}\n"));
    put(
        folder.path(),
        "test.jsonl",
        "{\"prompt\": \"Which one is it?\", \"reference\": \"a\"}\n{\"system\": \"s\", \"prompt\": \"Which one is it?\", \"reference\": \"a\"}\n",
    );
    let configure = |template: &str| {
        let keys = format!(
            "[model]\npath = \"base\"\n[template]\ntemplate = \"{template}\"\n[data]\ntrain = \"train.jsonl\"\n{SUITE}"
        );
        put(folder.path(), "diapason.toml", &keys);
    };
    configure("strict.jinja");
    let output = diapason(folder.path(), &["validate"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(4), "{text}");
    for said in ["train line 2: ", "no system turns here", "train line 4: ", "s line 2: ", "(unrendered)"] {
        assert!(text.contains(said), "expected `{said}` in: {text}");
    }
    assert!(!text.contains("train line 1: "), "{text}");
    // What was found is about that template.
    put(folder.path(), "train.jsonl", &format!("{right}\n{refuses}\n"));
    configure("chatml");
    done(folder.path(), &["validate"]);
}

/// A template that knows no developer turn, writes no text beside a call and no reasoning.
const SPARSE: &str = "{% for m in messages if m.role != 'developer' %}{% for c in m.tool_calls or [] %}[{{ c.function.name }}]</s>\
                      {% else %}{{ m.content.split('</think>')[-1] }}{% if m.role == 'assistant' %}</s>{% else %}={% endif %}\
                      {% endfor %}{% endfor %}";

#[test]
fn what_the_template_leaves_out_of_a_row_is_named() {
    let folder = project("");
    put(folder.path(), "sparse.jinja", SPARSE);
    let call = r#""tool_calls": [{"type": "function", "function": {"name": "f", "arguments": {}}}]"#;
    let rows = [
        r#"{"messages": [{"role": "user", "content": "q0"}, {"role": "assistant", "content": "a"}]}"#.to_owned(),
        r#"{"messages": [{"role": "developer", "content": "Be brief"}, {"role": "user", "content": "Be brief, q1"}, {"role": "assistant", "content": "a"}]}"#.to_owned(),
        format!(r#"{{"messages": [{{"role": "user", "content": "q2"}}, {{"role": "assistant", "content": "I look.", {call}}}]}}"#),
        r#"{"messages": [{"role": "user", "content": "q3"}, {"role": "assistant", "content": "<think>hm</think>a"}]}"#.to_owned(),
        r#"{"messages": [{"role": "user", "content": "q4"}, {"role": "assistant", "content": "<think>ah</think>a"}]}"#.to_owned(),
    ];
    put(folder.path(), "train.jsonl", &(rows.join("\n") + "\n"));
    put(
        folder.path(),
        "diapason.toml",
        "[model]\npath = \"base\"\n[template]\ntemplate = \"sparse.jinja\"\n[data]\ntrain = \"train.jsonl\"\n",
    );
    let text = done(folder.path(), &["validate"]);
    for said in [
        "train line 2: the template does not write the text of turn 0 (developer)",
        "train line 3: the template does not write the text beside the calls of turn 1",
        "train line 4: the template does not write the reasoning in the text of turn 1, and reasoning in 1 more rows",
        "(unwritten)",
    ] {
        assert!(text.contains(said), "expected `{said}` in: {text}");
    }
    assert!(!text.contains("train line 1: ") && !text.contains("train line 5: "), "{text}");
    let text = done(folder.path(), &["train", "--show", "1"]);
    for said in ["the text of turn 0 (developer)", "the text beside the calls", "the reasoning in the text of turn 1"] {
        assert!(text.contains(said), "expected `{said}` in: {text}");
    }
    // Nothing is left of such an answer.
    let only =
        r#"{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "<think>hm</think>"}]}"#;
    put(folder.path(), "train.jsonl", &format!("{only}\n"));
    for verb in ["validate", "train"] {
        refused(folder.path(), &[verb], 4, &["the template", "reasoning", "unrendered"]);
    }
}

#[test]
fn the_settings_of_a_template_are_written_with_what_is_trained_in_it() {
    let folder = tempfile::tempdir().expect("folder");
    let base = folder.path().join("base");
    copy(MODEL, &base);
    std::fs::create_dir(base.join("additional_chat_templates")).expect("folder");
    put(&base, "chat_template.jinja", &template("plain"));
    let rag = template("rag{{ think }}{{ unset }}");
    put(&base, "additional_chat_templates/rag.jinja", &rag);
    put(&base, "additional_chat_templates/tool_use.jinja", &template("tools"));
    project::write(folder.path(), "");
    let head =
        project::head().replace(&format!("path = {MODEL:?}"), "path = \"base\"").replace("epochs = 20", "epochs = 1");
    let settings = "settings = { template_name = \"rag\", think = \"on\", other = 1 }";
    put(folder.path(), "diapason.toml", &head.replace("template = \"./t.jinja\"", settings));
    done(folder.path(), &["train", "-q"]);
    let adapter = folder.path().join("run/adapter");
    let written = std::fs::read_to_string(adapter.join("chat_template.jinja")).expect("template");
    assert_eq!(written, format!("{{% if think is not defined %}}{{% set think = \"on\" %}}{{% endif %}}\n{rag}"));
    assert!(!adapter.join("additional_chat_templates").exists());
    let text = done(folder.path(), &asked("base", "run/adapter"));
    assert!(text.contains(r#""prompt": "ragon:q=""#), "{text}");
    // The same configuration has the same template, and what is given goes before.
    let config = format!(
        "[model]\npath = \"base\"\nadapter = \"run/adapter\"\n[template]\n{settings}\n[generate]\nmax_tokens = 1\n\
         [gate]\nresamples = 200\n[run]\nfolder = \"again\"\n{}",
        project::SUITE
    );
    put(folder.path(), "diapason.toml", &config);
    put(folder.path(), "test.jsonl", "{\"prompt\": \"q\", \"reference\": \"a\"}\n");
    done(folder.path(), &["eval"]);
    let given = [&asked("base", "run/adapter")[..], &["--variable", "think=\"off\""]].concat();
    assert!(done(folder.path(), &given).contains(r#""prompt": "ragoff:q=""#));
}
