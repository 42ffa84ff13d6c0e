//! Every way in which a server fails is an error by name, or passes and is tried again.

use crate::server::{Reply, Server, ask, chat, error, ok, only, said};
use diapason_core::Class;
use diapason_core::engine::Said;
use diapason_core::language_model::Decoding;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The message of what ends a question that is always answered so, and how often it was asked.
fn always(reply: impl Fn() -> Reply + Send + Sync + 'static) -> (String, usize) {
    let server = Server::new(move |_, _| reply());
    let error = error(&mut server.remote(json!({"retries": 1, "timeout": 2})));
    assert_eq!(error.class(), Class::Run);
    assert!(error.hint_text().is_some(), "{error}");
    (error.to_string(), server.asked().len())
}

#[test]
fn faults_that_pass_are_tried_again() {
    let replies: [fn() -> Reply; 7] = [
        || Reply::Whole(500, "", "{}".into()),
        || Reply::Whole(429, "retry-after: 0\r\n", String::new()),
        || Reply::Whole(503, "", "<html>".into()),
        || Reply::Raw(Vec::new()),
        || Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"choices\"".to_vec()),
        || Reply::Raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"cho".to_vec()),
        || Reply::Raw(b"HTTP/1.1 200 OK\r\n\r\n{\"choices\": [".to_vec()),
    ];
    for (which, reply) in replies.into_iter().enumerate() {
        let server = Server::new(move |number, _| if number == 0 { reply() } else { said("yes") });
        let Said::Completion(completion) = only(&mut server.remote(json!({}))) else { panic!("reply {which}") };
        assert_eq!((completion.text.as_str(), server.asked().len()), ("yes", 2), "reply {which}");
    }
}

#[test]
fn a_server_that_stays_broken_is_named_with_its_words() {
    let body = json!({"error": {"message": "out of memory", "type": "server_error"}}).to_string();
    let (message, asked) = always(move || Reply::Whole(500, "", body.clone()));
    assert!(message.starts_with("arm production: sample 0 of suite s: http://127.0.0.1:"), "{message}");
    assert!(message.ends_with("/v1 answered 500 (2 tries): out of memory"), "{message}");
    assert_eq!(asked, 2);
    let (message, asked) = always(|| Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()));
    assert!(message.contains("(2 tries): the connection failed: "), "{message}");
    assert_eq!(asked, 2);
    let (message, _) = always(|| Reply::Hang(Duration::from_secs(3)));
    assert!(message.contains("(2 tries): no whole answer within `endpoint.timeout`"), "{message}");
}

#[test]
fn what_does_not_pass_is_asked_once() {
    for code in [400, 401, 403, 404, 413, 422] {
        let (message, asked) = always(move || Reply::Whole(code, "", json!({"error": {"message": "no"}}).to_string()));
        assert!(message.ends_with(&format!("answered {code}: no")), "{message}");
        assert_eq!(asked, 1, "{code}");
    }
    let quota = json!({"error": {"message": "pay first", "code": "insufficient_quota"}}).to_string();
    let (message, asked) = always(move || Reply::Whole(429, "", quota.clone()));
    assert!(message.ends_with("answered 429: pay first") && asked == 1, "{message}");
    let (message, asked) = always(|| Reply::Whole(429, "retry-after: 86400\r\n", "later".into()));
    assert!(message.ends_with("answered 429: later") && asked == 1, "a day is not waited for: {message}");
    let (message, asked) = always(|| Reply::Whole(307, "location: http://elsewhere/v1\r\n", String::new()));
    assert!(message.ends_with("answered 307: it sends on to http://elsewhere/v1") && asked == 1, "{message}");
}

#[test]
fn what_is_no_answer_is_named() {
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 1});
    let long = json!({"model": "m", "choices": [{"message": {"content": "x"}, "finish_reason": "length"}], "usage": {"completion_tokens": 129}});
    let cases: Vec<(Value, &str)> = vec![
        (json!("text"), "its answer has no `choices`"),
        (json!({"usage": usage}), "its answer has no `choices`"),
        (json!({"choices": []}), "its answer has 0 choices where 1 was asked for"),
        (json!({"choices": [{}, {}]}), "its answer has 2 choices where 1 was asked for"),
        (json!({"choices": [{"finish_reason": "stop"}]}), "its answer has no `choices[0].message`"),
        (json!({"choices": [{"error": {"message": "upstream"}}]}), "its answer is an error: upstream"),
        (json!({"choices": [{"message": {"content": 5}, "finish_reason": "stop"}]}), "neither text nor a list"),
        (
            json!({"choices": [{"message": {"content": [{"type": "image"}]}, "finish_reason": "stop"}]}),
            "a part of the type \"image\"",
        ),
        (json!({"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}), "(`usage.completion_tokens`)"),
        (long, "its answer has 129 tokens, though the limit is 128"),
        (json!({"error": {"message": "overloaded", "code": 400}}), "answered 400: overloaded"),
    ];
    for (body, expected) in cases {
        let shown = body.to_string();
        let (message, asked) = always(move || ok(body.clone()));
        assert!(message.contains(expected) && asked == 1, "{shown}: {message}");
    }
    let (message, _) = always(|| Reply::Whole(200, "", "<html>login</html>".into()));
    assert!(message.contains("the answer is not JSON") && message.contains("<html>login</html>"), "{message}");
    let (message, asked) = always(|| Reply::Endless);
    assert!(message.contains("longer than 64 MiB") || message.contains("within `endpoint.timeout`"), "{message}");
    assert!(asked <= 2);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let server = Server::new(|_, _| said("x"));
    let mut remote = server.remote(json!({"url": "http://127.0.0.1:9/v1", "retries": 0}));
    let error = error(&mut remote);
    assert!(error.to_string().starts_with("failed to meet `m`: failed to ask http://127.0.0.1:9/v1: "), "{error}");
    assert!(error.hint_text().unwrap().contains("runs and is reachable"));
}

#[test]
fn answers_of_two_models_are_refused() {
    let other = || {
        let mut answer = chat(json!({"content": "x"}), "stop");
        answer["model"] = "other".into();
        answer
    };
    let (message, _) = always(move || ok(other()));
    assert!(message.contains("it answered as `m` and now answers as `other`"), "{message}");
    let server = Server::raw(move |seen| match seen.path.as_str() {
        "/v1/models" => ok(json!({"data": [{"id": "other"}]})),
        _ => ok(other()),
    });
    let error = error(&mut server.remote(json!({})));
    assert_eq!(error.class(), Class::Config);
    assert!(error.to_string().ends_with("was asked for the model `m` and answers as `other`"), "{error}");
}

#[test]
fn what_came_before_a_fault_is_kept() {
    let server = Server::new(|_, seen| match seen.body["messages"][0]["content"].as_str() {
        Some("question 5") => Reply::Whole(400, "", json!({"error": {"message": "too long"}}).to_string()),
        _ => said("yes"),
    });
    let (found, done) = ask(&mut server.remote(json!({"concurrency": 1})), 20, &Decoding::default());
    assert!(done.unwrap_err().to_string().contains("sample 5 of suite s"));
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(server.asked().len(), 6, "nothing is asked after that");
}

#[test]
fn a_server_that_wants_to_rest_is_left_alone() {
    let server = Server::new(|number, _| match number {
        0 => Reply::Whole(429, "retry-after: 1\r\n", String::new()),
        _ => said("yes"),
    });
    let start = Instant::now();
    let (found, done) = ask(&mut server.remote(json!({"concurrency": 2})), 4, &Decoding::default());
    done.unwrap();
    assert_eq!(found.len(), 4);
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
}
