//! The bearer token goes into one header and nowhere else; URLs with secrets are not taken.

use crate::server::{Reply, Server, ask, chat, error, ok, only};
use diapason_core::Class;
use diapason_core::engine::Said;
use diapason_core::language_model::Decoding;
use diapason_remote::Remote;
use serde_json::json;
use std::ffi::OsString;

const TOKEN: &str = "sk-0123456789abcdef0123";

fn environment(name: &str) -> Option<OsString> {
    (name == "SUPPORT_TOKEN").then(|| TOKEN.into())
}

fn open(server: &Server) -> Remote {
    let endpoint = server.endpoint(json!({"token_variable": "SUPPORT_TOKEN", "retries": 0}));
    Remote::open(&endpoint, None, &environment).unwrap()
}

#[test]
fn the_token_is_sent_and_shown_nowhere() {
    let server = Server::new(|_, seen| {
        let told = format!("no entry for {}", seen.headers["authorization"]);
        Reply::Whole(403, "", json!({"error": {"message": told}}).to_string())
    });
    let mut remote = open(&server);
    let (_, done) = ask(&mut remote, 1, &Decoding::default());
    let error = done.unwrap_err();
    assert!(error.to_string().ends_with("answered 403: no entry for Bearer [token]"), "{error}");
    assert_eq!(error.hint_text(), Some("the server does not accept the token in `SUPPORT_TOKEN`"));
    for shown in [format!("{error:?}"), format!("{remote:?}"), format!("{:?}", remote.origin().unwrap())] {
        assert!(!shown.contains("0123456789"), "{shown}");
    }
    let headers = server.seen().into_iter().map(|seen| seen.headers["authorization"].clone());
    assert!(headers.into_iter().all(|header| header == format!("Bearer {TOKEN}")));
}

#[test]
fn texts_of_every_kind_are_cleaned() {
    let replies: [fn() -> Reply; 4] = [
        || Reply::Whole(500, "", format!("plain {TOKEN}")),
        || Reply::Whole(200, "", format!("<html>{TOKEN}")),
        || Reply::Whole(302, "location: http://x/?key=sk-0123456789abcdef0123\r\n", String::new()),
        || ok(json!({"choices": [{"error": {"message": TOKEN}}]})),
    ];
    for reply in replies {
        let server = Server::new(move |_, _| reply());
        let (_, done) = ask(&mut open(&server), 1, &Decoding::default());
        let error = done.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("0123456789"), "{error}");
    }
}

#[test]
fn an_answer_that_gives_the_token_away_is_not_kept() {
    let server = Server::new(|_, _| ok(chat(json!({"content": format!("my key is {TOKEN}")}), "stop")));
    let error = error(&mut open(&server)).to_string();
    assert!(error.ends_with("/v1: the answer has the bearer token in it"), "{error}");
    let list = Server::raw(|seen| match seen.path.as_str() {
        "/v1/models" => ok(json!({"data": [{"id": "m", "note": TOKEN}]})),
        _ => ok(chat(json!({"content": "hello"}), "stop")),
    });
    assert_eq!(open(&list).origin().unwrap().listed, None);
    // What is no secret occurs in ordinary answers.
    let server = Server::new(|_, _| ok(chat(json!({"content": "the answer is none"}), "stop")));
    let endpoint = server.endpoint(json!({"token_variable": "T"}));
    let mut remote = Remote::open(&endpoint, None, &|_| Some("none".into())).unwrap();
    assert!(matches!(only(&mut remote), Said::Completion(_)));
}

#[test]
fn a_token_that_cannot_be_used_is_refused_without_showing_it() {
    let server = Server::new(|_, _| Reply::Raw(Vec::new()));
    let endpoint = server.endpoint(json!({"token_variable": "SUPPORT_TOKEN"}));
    for (value, expected) in [
        (None, "the environment variable `SUPPORT_TOKEN` is not set"),
        (Some(""), "the environment variable `SUPPORT_TOKEN` is empty"),
        (Some("sk-secret\n"), "has characters that no header takes"),
    ] {
        let error = Remote::open(&endpoint, None, &|_| value.map(OsString::from)).unwrap_err();
        assert_eq!(error.class(), Class::Config);
        assert!(error.to_string().contains(expected) && !error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn urls_that_cannot_be_used_are_refused_without_showing_them() {
    let server = Server::new(|_, _| Reply::Raw(Vec::new()));
    for (url, expected) in [
        ("http://me:secret@localhost/v1", "has a user name or a password in it"),
        ("ftp://localhost/v1", "is neither http:// nor https://"),
        ("localhost:8000/v1", "is"),
        ("http://localhost/v1?key=secret", "has something after the path"),
        ("http://localhost/v1#secret", "has something after the path"),
        ("/v1", "names no server"),
        ("http://a b/v1", "is no URL"),
    ] {
        let error = Remote::open(&server.endpoint(json!({"url": url})), None, &|_| None).unwrap_err();
        assert!(error.to_string().contains(expected) && !error.to_string().contains("secret"), "{url}: {error}");
    }
}
