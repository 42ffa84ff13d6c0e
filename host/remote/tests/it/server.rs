//! A server of a test's own: it says what the test tells it to, byte for byte, and keeps what it was asked.

use diapason_core::arm::Arm;
use diapason_core::config::{Endpoint, Price};
use diapason_core::engine::{Answer, Engine, Moment, Prompt, Request, Said, Wanted};
use diapason_core::language_model::Decoding;
use diapason_core::sample::{Conversation, Message};
use diapason_core::{Error, Result};
use diapason_remote::Remote;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// What the server does with a request.
pub(crate) enum Reply {
    /// A whole answer: status, further headers, body.
    Whole(u16, &'static str, String),
    /// These bytes, and the connection's end.
    Raw(Vec<u8>),
    /// Nothing, for so long.
    Hang(Duration),
    /// The head, and then bytes without an end.
    Endless,
}

/// JSON with status 200.
pub(crate) fn ok(body: Value) -> Reply {
    Reply::Whole(200, "", body.to_string())
}

/// An answer of `/chat/completions` with this text.
pub(crate) fn said(text: &str) -> Reply {
    ok(chat(json!({"role": "assistant", "content": text}), "stop"))
}

/// The body of such an answer.
pub(crate) fn chat(message: Value, finish: &str) -> Value {
    json!({"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})
}

pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    most_at_once: Arc<AtomicUsize>,
}

impl Server {
    /// A server that answers what is asked of the model with `reply`, given the number of the request from 0. The list of
    /// models and the greeting are answered as they should be.
    pub(crate) fn new(reply: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        let count = AtomicUsize::new(0);
        Self::raw(move |seen| match (seen.path.as_str(), greets(seen)) {
            ("/v1/models", _) => ok(json!({"data": [{"id": "m", "created": 1}]})),
            ("/v1/chat/completions", true) => said("hello"),
            ("/v1/completions", true) => ok(
                json!({"model": "m", "choices": [{"text": "", "finish_reason": "length"}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}),
            ),
            _ => reply(count.fetch_add(1, Ordering::SeqCst), seen),
        })
    }

    /// A server that answers everything with `reply`.
    pub(crate) fn raw(reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (seen, most_at_once) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (reply, at_once) = (Arc::new(reply), Arc::new(AtomicUsize::new(0)));
        let (kept, most) = (seen.clone(), most_at_once.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (reply, kept, at_once, most) = (reply.clone(), kept.clone(), at_once.clone(), most.clone());
                std::thread::spawn(move || {
                    let Some(seen) = read(&stream) else { return };
                    most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    kept.lock().unwrap().push(seen.clone());
                    let reply = reply(&seen);
                    // Before the client knows: its next request is no second one at a time.
                    at_once.fetch_sub(1, Ordering::SeqCst);
                    write(stream, reply);
                });
            }
        });
        Self { url, seen, most_at_once }
    }

    /// All requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Those that were not the list of models, nor the greeting.
    pub(crate) fn asked(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path != "/v1/models" && !greets(seen)).collect()
    }

    /// How many requests were under way at the same time, at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::SeqCst)
    }

    /// An endpoint that leads here, with what `more` says in addition.
    pub(crate) fn endpoint(&self, more: Value) -> Endpoint {
        let mut all = json!({"url": self.url, "model": "m", "retries": 2, "timeout": 20});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    /// Opens it without a token and without a price.
    pub(crate) fn remote(&self, more: Value) -> Remote {
        Remote::open(&self.endpoint(more), None, &|_| None).unwrap()
    }

    /// The same with a price.
    pub(crate) fn priced(&self, more: Value, price: &Price) -> Remote {
        Remote::open(&self.endpoint(more), Some(price), &|_| None).unwrap()
    }
}

fn greets(seen: &Seen) -> bool {
    seen.body["prompt"] == "1" || seen.body["messages"][0]["content"] == "1"
}

/// Reads a request.
pub(crate) fn read(stream: impl Read) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Seen { path, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
}

/// Writes an answer.
pub(crate) fn write(mut stream: impl Write, reply: Reply) {
    match reply {
        Reply::Whole(status, headers, body) => {
            let head =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len());
            let _ = stream.write_all((head + &body).as_bytes());
        }
        Reply::Raw(bytes) => {
            let _ = stream.write_all(&bytes);
        }
        Reply::Hang(time) => std::thread::sleep(time),
        Reply::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"choices\": \"");
            while stream.write_all(&[b'a'; 1 << 16]).is_ok() {}
        }
    }
}

/// Conversations that are asked about.
pub(crate) fn conversations(count: usize) -> Vec<Conversation> {
    let one = |number| Conversation {
        messages: vec![Message::new("user", format!("question {number}"))],
        ..Conversation::default()
    };
    (0..count).map(one).collect()
}

/// Asks for the answers to `count` conversations; gives what came by index, and what ended it.
pub(crate) fn ask(remote: &mut Remote, count: usize, decoding: &Decoding) -> (BTreeMap<usize, Answer>, Result<()>) {
    let (arm, conversations) = (Arm::from("production"), conversations(count));
    let names: Vec<String> = (0..count).map(|number| format!("sample {number} of suite s")).collect();
    let requests: Vec<Request<'_>> = (0..count)
        .map(|i| Request {
            arm: &arm,
            name: &names[i],
            prompt: Prompt { conversation: Some(&conversations[i]), text: Some(&names[i]) },
            wanted: Wanted::Completion { decoding, stream: i as u64 },
        })
        .collect();
    gathered(remote, &requests)
}

/// Asks, and keeps what is handed over.
pub(crate) fn gathered(remote: &mut Remote, requests: &[Request<'_>]) -> (BTreeMap<usize, Answer>, Result<()>) {
    let mut found = BTreeMap::new();
    let done = remote.ask(requests, &|_| false, &mut |moment| {
        if let Moment::Answered(index, answer) = moment {
            assert!(found.insert(index, answer).is_none(), "answered twice");
        }
        Ok(())
    });
    (found, done)
}

/// The error that one question ends with.
pub(crate) fn error(remote: &mut Remote) -> Error {
    let (found, done) = ask(remote, 1, &Decoding::default());
    assert!(found.is_empty(), "{found:?}");
    done.unwrap_err()
}

/// What one question is answered.
pub(crate) fn only(remote: &mut Remote) -> Said {
    let (mut found, done) = ask(remote, 1, &Decoding::default());
    done.unwrap();
    found.remove(&0).unwrap().said
}
