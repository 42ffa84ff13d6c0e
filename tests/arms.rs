//! More than two arms, from the configuration to the verdict: prompts with examples and passages, another adapter, another
//! model, answers made elsewhere, and projects without a model.

use crate::project::{self, command, diapason, put, said};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A project whose adapter is trained, with `arms` beside it.
fn trained(arms: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    project::write(folder.path(), &(project::head() + project::SUITE + &project::rule("minimum = 0.5")));
    run(folder.path(), "train", 0);
    set(folder.path(), arms);
    folder
}

/// The project's configuration with `arms` behind it.
fn set(folder: &Path, arms: &str) {
    put(folder, "diapason.toml", &(project::head() + project::SUITE + &project::rule("minimum = 0.5") + arms));
}

fn run(folder: &Path, verb: &str, code: i32) -> String {
    let output = diapason(folder, &[verb]);
    assert_eq!(output.status.code(), Some(code), "{verb}: {}", said(&output));
    said(&output)
}

fn rows(folder: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("run").join(name)).expect("artefact");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn report(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("run/report.json")).expect("report")).expect("JSON")
}

const FEW_SHOT: &str = "[[arm]]\nname = \"few-shot\"\nexamples = { from = \"train\", count = 2 }\n";

#[test]
fn every_kind_of_local_arm_answers_and_only_what_is_new_is_asked() {
    let folder = trained(FEW_SHOT);
    let said = run(folder.path(), "run", 0);
    let prompt = rows(folder.path(), "outputs.few-shot.jsonl")[0]["prompt"].as_str().expect("text").to_owned();
    assert_eq!(prompt.matches("=ok</s>").count(), 2, "two examples of the training data: {prompt}");
    assert!(said.contains("few-shot") && said.contains("Fine-tuning beat few-shot"), "{said}");
    std::fs::create_dir(folder.path().join("handbook")).expect("folder");
    put(folder.path(), "handbook/a.md", "# About q105\n\nThe answer to q105 is ok.\n");
    let copy = std::process::Command::new("cp").args(["-r", "run/adapter", "v2"]).current_dir(folder.path()).status();
    assert!(copy.expect("cp").success());
    let more = "[[arm]]\nname = \"retrieval\"\nretrieve = { folder = \"handbook\", top = 1 }\n\
         [[arm]]\nname = \"v2\"\nadapter = \"v2\"\n"
        .to_owned()
        + &format!("[[arm]]\nname = \"other\"\nmodel = {OTHER:?}\ntemplate = \"./t.jinja\"\n")
        + "[[compare]]\narm = \"v2\"\nagainst = \"retrieval\"\n";
    set(folder.path(), &(FEW_SHOT.to_owned() + &more));
    let said = run(folder.path(), "run", 0);
    for arm in ["base", "tuned", "few-shot"] {
        assert!(said.contains(&format!("answers, {arm}")) && said.contains("up to date"), "{arm}: {said}");
    }
    let prompts = rows(folder.path(), "outputs.retrieval.jsonl");
    let asked = prompts.iter().find(|row| row["prompt"].as_str().is_some_and(|text| text.contains("q105")));
    assert!(asked.expect("a row")["prompt"].to_string().contains("The answer to q105 is ok."));
    let same = |a: &str, b: &str| rows(folder.path(), a) == rows(folder.path(), b);
    assert!(same("outputs.v2.jsonl", "outputs.tuned.jsonl"), "the same adapter says the same");
    assert!(!same("outputs.other.jsonl", "outputs.base.jsonl"), "another model, another template");
    assert_eq!(report(folder.path())["gate"]["looked_before"], 0, "another arm is no other look at the tuned model");
    let contrasts = report(folder.path())["comparison"]["contrasts"].clone();
    let expected = json!([
        { "candidate": "tuned", "reference": "base" },
        { "candidate": "tuned", "reference": "few-shot" },
        { "candidate": "tuned", "reference": "retrieval" },
        { "candidate": "v2", "reference": "retrieval" },
    ]);
    assert_eq!(contrasts, expected);
    let output = diapason(folder.path(), &["verify", "run", "--config", "diapason.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", project::said(&output));
}

#[test]
fn an_example_stands_under_the_prompts_own_system_message() {
    let folder = tempfile::tempdir().expect("folder");
    let head = project::head().replace("train = \"train.jsonl\"", "train = \"train.jsonl\"\nsystem = \"Be brief.\"");
    project::write(folder.path(), &(head + project::SUITE + FEW_SHOT));
    run(folder.path(), "run", 0);
    let prompt = rows(folder.path(), "outputs.few-shot.jsonl")[0]["prompt"].as_str().expect("text").to_owned();
    assert_eq!((prompt.matches("=ok</s>").count(), prompt.matches("Be brief.").count()), (2, 0), "{prompt}");
}

const OTHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/golden/qwen2");

#[test]
fn an_arms_files_are_held_against_what_was_evaluated() {
    let folder = trained("[[arm]]\nname = \"book\"\nretrieve = { folder = \"handbook\" }\n");
    std::fs::create_dir(folder.path().join("handbook")).expect("folder");
    put(folder.path(), "handbook/a.md", "q105 is ok.\n");
    run(folder.path(), "run", 0);
    put(folder.path(), "handbook/a.md", "q105 is not ok.\n");
    let said = run(folder.path(), "gate", 4);
    assert!(said.contains("arm `book`'s passages changed"), "{said}");
    set(folder.path(), "");
    let said = run(folder.path(), "gate", 2);
    assert!(said.contains("arm.book"), "an arm that is gone: {said}");
}

/// Answers to the rows of the suite `ok`, right ones up to `right`.
fn outputs(right: usize) -> String {
    let row =
        |n: usize| json!({ "id": (n + 1).to_string(), "output": if n < right { "ok" } else { "no" } }).to_string();
    (0..40).map(row).collect::<Vec<_>>().join("\n")
}

fn elsewhere(rules: &str) -> String {
    "validator = [{ plugin = \"validate-shape\" }]\n[run]\nfolder = \"run\"\n[[arm]]\nname = \"monday\"\noutputs = \"monday.jsonl\"\n\
     [[arm]]\nname = \"tuesday\"\noutputs = \"tuesday.jsonl\"\n[[compare]]\narm = \"tuesday\"\nagainst = \"monday\"\n"
        .to_owned()
        + project::SUITE
        + rules
}

fn rule(keys: &str) -> String {
    format!("[[rule]]\nsuite = \"ok\"\nmeasure = \"eval-accuracy.exact-match\"\n{keys}\n")
}

/// Suites' rows have ids, so that answers made elsewhere can name them.
fn identified() -> String {
    (0..40)
        .map(|n| json!({ "id": (n + 1).to_string(), "prompt": format!("q{n}"), "completion": "ok" }).to_string() + "\n")
        .collect()
}

#[test]
fn a_project_without_a_model_compares_answers_made_elsewhere() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    put(path, "test.jsonl", &identified());
    put(path, "monday.jsonl", &outputs(4));
    put(path, "tuesday.jsonl", &outputs(38));
    let keys = "arm = \"tuesday\"\nagainst = \"monday\"\ngain = 0.2\nminimum = 0.7";
    put(path, "diapason.toml", &elsewhere(&rule(keys)));
    let said = run(path, "run", 0);
    assert!(said.contains("Tuesday") || said.contains("tuesday"), "{said}");
    assert!(!said.to_lowercase().contains("tuned"), "nothing is tuned here: {said}");
    run(path, "gate", 0);
    run(path, "verify", 2);
    let output = diapason(path, &["verify", "run", "--config", "diapason.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", project::said(&output));
}

#[test]
fn an_answer_that_is_missing_is_lost_and_never_a_zero_nor_a_pass() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    put(path, "test.jsonl", &identified());
    put(path, "monday.jsonl", &outputs(4));
    put(path, "tuesday.jsonl", &outputs(40).lines().take(39).collect::<Vec<_>>().join("\n"));
    put(path, "diapason.toml", &elsewhere(&rule("arm = \"tuesday\"\nminimum = 0.5")));
    let said = run(path, "run", 3);
    assert!(said.contains("sample 40 of suite `ok` has no answer in the file"), "{said}");
    let level = report(path)["comparison"]["suites"][0]["measures"][0]["levels"][1].clone();
    assert_eq!((level["n"].as_u64(), &level["lost"]), (Some(39), &json!(["40"])));
}

/// A server that answers every chat with `ok` and refuses whoever has not this token; counts the chats.
fn server(token: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let chats = Arc::new(AtomicUsize::new(0));
    let counted = chats.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counted = counted.clone();
            std::thread::spawn(move || serve(&stream, token, &counted));
        }
    });
    (url, chats)
}

fn serve(mut stream: &TcpStream, token: &str, counted: &AtomicUsize) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    for line in head.to_ascii_lowercase().lines() {
        length = line.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().expect("a length"));
    }
    reader.read_exact(&mut vec![0; length]).expect("a body");
    let (status, body) = if !head.contains(&format!("Bearer {token}")) {
        ("401 Unauthorized", json!({ "error": { "message": "who are you?" } }))
    } else if head.starts_with("POST") {
        counted.fetch_add(1, Ordering::SeqCst);
        let choice =
            json!({ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": "ok" } });
        let usage = json!({ "prompt_tokens": 5, "completion_tokens": 1 });
        ("200 OK", json!({ "model": "m", "choices": [choice], "usage": usage }))
    } else {
        ("404 Not Found", json!({}))
    };
    let body = body.to_string();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    stream.write_all(answer.as_bytes()).expect("answered");
}

/// Evaluates with `token` as what the environment has for the server.
fn with_token(folder: &Path, token: &str) -> std::process::Output {
    command(folder, &["run"]).env("DIAPASON_TEST_TOKEN", token).output().expect("runs")
}

#[test]
fn a_server_is_an_arm_that_is_asked_once_and_whose_token_is_written_nowhere() {
    const TOKEN: &str = "sk-never-written-anywhere";
    let (url, chats) = server(TOKEN);
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path();
    put(path, "test.jsonl", &identified());
    put(path, "monday.jsonl", &outputs(4));
    let arm = |url: &str| {
        "validator = []\n[run]\nfolder = \"run\"\n[[arm]]\nname = \"monday\"\noutputs = \"monday.jsonl\"\n".to_owned()
            + &format!(
                "[[arm]]\nname = \"server\"\nprice = {{ prompt_million = 10, completion_million = 100 }}\nendpoint = {{ url = \"{url}\", model = \"m\", token_variable = \"DIAPASON_TEST_TOKEN\", retries = 0 }}\n"
            )
            + project::SUITE
            + &rule("arm = \"server\"\nagainst = \"monday\"\ngain = 0.5")
    };
    put(path, "diapason.toml", &arm(&url));
    let refused = with_token(path, "wrong");
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    assert!(said(&refused).contains("arm `server`") && !said(&refused).contains("wrong"), "{}", said(&refused));
    let first = with_token(path, TOKEN);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let asked = chats.load(Ordering::SeqCst);
    assert_eq!(asked, 41, "40 prompts and a greeting");
    let second = with_token(path, "not needed any more");
    assert_eq!((second.status.code(), chats.load(Ordering::SeqCst)), (Some(0), asked), "{}", said(&second));
    let cost = &report(path)["costs"][1];
    let money = cost["money"].as_f64().expect("priced");
    assert!(cost["arm"] == "server" && (money - 0.15).abs() < 1e-12, "a thousand answers: {cost}");
    for entry in files(path) {
        let bytes = std::fs::read(&entry).expect("a file");
        assert!(!bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()), "{} has the token", entry.display());
    }
    assert!(!said(&first).contains(TOKEN));
    put(path, "diapason.toml", &arm("http://127.0.0.1:9/v1"));
    let down = with_token(path, TOKEN);
    assert_eq!(down.status.code(), Some(4), "{}", said(&down));
    assert!(said(&down).contains("arm `server`") && said(&down).contains("127.0.0.1:9"), "{}", said(&down));
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn configurations_that_make_no_sense_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("folder");
    let arm = |keys: &str| format!("[[arm]]\nname = \"a\"\n{keys}\n");
    let cases = [
        (arm(""), "arm `a` is the base model once more"),
        (arm("outputs = \"x\"\nadapter = \"y\""), "`adapter` would be ignored"),
        (arm("endpoint = { url = \"ftp://x\", model = \"m\" }"), "is no address of a server"),
        (arm("model = \"m\"\nendpoint = { url = \"http://x\", model = \"m\" }"), "`model` would be ignored"),
        (arm("model = \"m\"") + &arm("adapter = \"v\""), "two arms are named `a`"),
        ("[[arm]]\nname = \"base\"\nmodel = \"m\"\n".into(), "`base` is there without being configured"),
        ("[[arm]]\nname = \"A/b\"\nmodel = \"m\"\n".into(), "name"),
        (arm("examples = { from = \"train\", count = 1, choose = \"tag\" }"), "needs a `tag`"),
        (arm("examples = { from = \"train\", count = 1, tag = \"t\" }"), "`/arm/0/examples/tag`"),
        (rule("arm = \"tunde\"\nminimum = 0.5"), "there is no arm `tunde`"),
        (rule("against = \"tuned\"\ngain = 0.1"), "`tuned` is held against itself"),
        ("[[compare]]\narm = \"tuned\"\nagainst = \"few\"\n".into(), "there is no arm `few`"),
    ];
    for (text, message) in cases {
        project::write(folder.path(), &(project::head() + project::SUITE + &text));
        let output = command(folder.path(), &["validate"]).output().expect("runs");
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text}: {said}");
        let place = message.trim_matches('`').trim_start_matches('/').replace('/', ".");
        assert!(said.contains(message) || said.contains(&place) || said.contains("would be ignored"), "{text}: {said}");
    }
}
