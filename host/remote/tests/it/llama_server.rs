//! What llama.cpp's own server said of SmolLM2, recorded by `tests/oracles/openai_server.py`, said again: a request that is not
//! sent to the letter as it was recorded finds no answer.

use crate::server::{Reply, Seen, Server, gathered};
use diapason_core::arm::Arm;
use diapason_core::engine::{Answer, Prompt, Request, Said, Wanted};
use diapason_core::language_model::{Completion, Decoding, Finish};
use diapason_core::sample::{Conversation, Message};
use diapason_core::{Error, Result};
use diapason_remote::Remote;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Clone, Deserialize)]
struct Exchange {
    path: String,
    body: Value,
    status: u16,
    answer: Value,
    key: Option<String>,
}

fn recorded() -> Vec<Exchange> {
    serde_json::from_str(include_str!("../golden/llama-server.json")).unwrap()
}

fn server() -> Server {
    let exchanges = recorded();
    Server::raw(move |seen: &Seen| {
        let wrong = seen.headers.get("authorization").is_none_or(|header| !header.ends_with("-0123456789abcdef0123"));
        let is_it = |one: &&Exchange| {
            format!("/v1{}", one.path) == seen.path && (one.body == seen.body || wrong) && one.key.is_some() == wrong
        };
        match exchanges.iter().find(is_it) {
            Some(one) => Reply::Whole(one.status, "", one.answer.to_string()),
            None if seen.path == "/v1/models" => Reply::Whole(404, "", String::new()),
            None => Reply::Whole(418, "", format!("not recorded: {}", seen.body)),
        }
    })
}

fn remote(server: &Server, protocol: &str, token: &'static str) -> Remote {
    let endpoint =
        server.endpoint(json!({"model": "smollm2", "protocol": protocol, "token_variable": "T", "retries": 0}));
    Remote::open(&endpoint, None, &|_| Some(token.into())).unwrap()
}

const TOKEN: &str = "sk-0123456789abcdef0123";

/// Asks for one answer of up to 24 tokens; `stream` is the recording's number.
fn ask(protocol: &str, conversation: &Conversation, stream: u64, stop: &[&str]) -> Result<Answer> {
    let decoding = Decoding {
        max_tokens: 24,
        seed: 42,
        stop: stop.iter().map(|stop| (*stop).to_owned()).collect(),
        ..Decoding::default()
    };
    let text = format!("<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n", conversation.messages[0].content);
    let request = Request {
        arm: &Arm::from("production"),
        name: "x",
        prompt: Prompt { conversation: Some(conversation), text: Some(&text) },
        wanted: Wanted::Completion { decoding: &decoding, stream },
    };
    let (mut found, done) = gathered(&mut remote(&server(), protocol, TOKEN), &[request]);
    done?;
    found.remove(&0).ok_or_else(|| Error::run("no answer"))
}

fn user(text: &str) -> Conversation {
    Conversation { messages: vec![Message::new("user", text)], ..Conversation::default() }
}

fn text(answer: &Answer) -> &Completion {
    match &answer.said {
        Said::Completion(completion) => completion,
        other => panic!("{other:?}"),
    }
}

const QUESTIONS: [&str; 3] = ["What is the capital of France?", "Name three colours.", "Write „grün“ in English."];

#[test]
fn greedy_answers_of_the_chat_come_through_to_the_letter() {
    let expected = recorded();
    for (stream, question) in (0..).zip(QUESTIONS) {
        let answer = ask("chat", &user(question), stream, &[]).unwrap();
        let said = expected.iter().find(|one| one.body["messages"][0]["content"] == question).unwrap();
        let message = said.answer["choices"][0]["message"]["content"].as_str().unwrap();
        assert_eq!(*text(&answer), Completion { text: message.into(), tokens: 24, finish: Finish::Length });
        assert_eq!(answer.usage.prompt_tokens, said.answer["usage"]["prompt_tokens"].as_u64());
    }
    let variables = json!({"enable_thinking": false}).as_object().unwrap().clone();
    let with_variables = Conversation { variables, ..user(QUESTIONS[0]) };
    ask("chat", &with_variables, 6, &[]).unwrap();
}

#[test]
fn a_prompt_in_our_template_is_answered_by_completions() {
    let answer = ask("completions", &user(QUESTIONS[0]), 7, &[]).unwrap();
    let expected = Completion { text: "The capital of France is Paris.".into(), tokens: 8, finish: Finish::Stop };
    assert_eq!((text(&answer), answer.usage.prompt_tokens), (&expected, Some(16)));
    let stopped = ask("completions", &user(QUESTIONS[0]), 3, &["Paris"]).unwrap();
    assert_eq!((text(&stopped).text.as_str(), text(&stopped).finish), ("The capital of France is ", Finish::Stop));
}

#[test]
fn likelihoods_are_refused_because_it_leaves_echo_out_without_a_word() {
    let arm = Arm::from("production");
    let prompt = Prompt { conversation: None, text: Some("The capital of France is") };
    let request = Request { arm: &arm, name: "x", prompt, wanted: Wanted::Likelihood(" Paris") };
    let (found, done) = gathered(&mut remote(&server(), "completions", TOKEN), &[request]);
    let message = done.unwrap_err().to_string();
    assert!(found.is_empty() && message.contains("does not give back a prompt with log-probabilities"), "{message}");
}

#[test]
fn its_refusals_are_shown_in_its_words() {
    let message = ask("chat", &user(&"word ".repeat(300)), 5, &[]).unwrap_err().to_string();
    assert!(
        message.ends_with(
            "answered 400: request (331 tokens) exceeds the available context size (256 tokens), try increasing it"
        ),
        "{message}"
    );
    let error = remote(&server(), "chat", "sk-another-key-0123456").origin().unwrap_err();
    assert!(error.to_string().ends_with("answered 401: Invalid API Key"), "{error}");
    assert_eq!(error.hint_text(), Some("the server does not accept the token in `T`"));
}

#[test]
fn it_says_what_it_runs() {
    let (server, known) = (server(), recorded());
    let origin = remote(&server, "chat", TOKEN).origin().unwrap().clone();
    assert_eq!((origin.answers_as.as_deref(), origin.fingerprint.as_deref()), (Some("smollm2"), Some("b0-unknown")));
    assert_eq!(origin.listed.as_ref(), Some(&known[0].answer["data"][0]));
    assert_eq!(origin.listed.unwrap()["meta"]["n_params"], 134_515_008);
}
