//! Concurrency, pace, budget and interruption.

use crate::server::{Reply, Server, ask, conversations, said};
use diapason_core::arm::Arm;
use diapason_core::config::Price;
use diapason_core::engine::{Engine, Moment, Prompt, Request, Wanted};
use diapason_core::language_model::Decoding;
use diapason_core::{Class, Error};
use diapason_remote::Remote;
use serde_json::json;
use std::time::{Duration, Instant};

fn slow(text: &'static str) -> Reply {
    std::thread::sleep(Duration::from_millis(60));
    said(text)
}

#[test]
fn as_many_requests_as_configured_are_under_way() {
    for concurrency in [1, 5] {
        let server = Server::new(|_, _| slow("x"));
        let (found, done) = ask(&mut server.remote(json!({"concurrency": concurrency})), 15, &Decoding::default());
        done.unwrap();
        assert_eq!((found.len(), server.most_at_once()), (15, concurrency));
        let sum: f64 = found.values().map(|answer| answer.usage.seconds).sum();
        assert!(sum > 0.1 && sum < 60.0, "{sum}");
    }
}

#[test]
fn requests_keep_the_pace() {
    let server = Server::new(|_, _| said("x"));
    let start = Instant::now();
    ask(&mut server.remote(json!({"requests_per_minute": 600, "concurrency": 8})), 8, &Decoding::default()).1.unwrap();
    // The list of models, the greeting and eight questions: nine intervals of 100 ms.
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
}

/// How many of 30 questions are answered and asked under a budget, what ends that, and what was spent.
fn within(budget: serde_json::Value, price: &Price) -> (usize, usize, Error, Remote) {
    let server = Server::new(|_, _| slow("x"));
    let mut remote = server.priced(json!({"budget": budget, "concurrency": 4}), price);
    let (found, done) = ask(&mut remote, 30, &Decoding { max_tokens: 3, ..Decoding::default() });
    (found.len(), server.asked().len(), done.unwrap_err(), remote)
}

#[test]
fn a_budget_ends_the_work_and_all_that_was_paid_for_is_kept() {
    let price = Price { prompt_million: Some(1e5), completion_million: Some(1e5), hour: None };
    let (answered, asked, error, remote) = within(json!({"requests": 12}), &price);
    assert_eq!((answered, asked, remote.spent().requests), (11, 11, 12), "the greeting counts");
    assert!(error.to_string().contains("the budget of 12 requests does not cover the next request"), "{error}");
    assert!(error.hint_text().unwrap().contains("kept"));
    // Each answer takes 7 tokens and 3, and no request is sent that might not be covered.
    let (answered, asked, _, remote) = within(json!({"tokens": 400}), &price);
    let spent = remote.spent();
    assert_eq!(answered, asked);
    assert!(answered > 3 && spent.prompt_tokens + spent.completion_tokens <= 400, "{answered} {spent:?}");
    let (answered, _, error, remote) = within(json!({"cost": 40.0}), &price);
    assert!(answered > 3 && remote.spent().cost.unwrap() <= 40.0, "{answered} {:?}", remote.spent());
    assert!(error.to_string().contains("the budget of 40 (money)"), "{error}");
}

#[test]
fn retries_count_and_what_was_cut_off_counts_in_full() {
    let server = Server::new(|_, _| Reply::Raw(Vec::new()));
    let mut remote = server.remote(json!({"retries": 1, "timeout": 2}));
    ask(&mut remote, 1, &Decoding::default()).1.unwrap_err();
    let spent = remote.spent();
    assert_eq!((spent.requests, spent.completion_tokens), (3, 3 + 2 * 128), "the greeting, and two tries");
    let endpoint = server.endpoint(json!({"budget": {"cost": 1.0}}));
    let error = Remote::open(&endpoint, None, &|_| None).unwrap_err();
    assert_eq!(error.class(), Class::Config);
}

/// Asks 40 questions and errs at the given kind of moment once `after` are answered.
fn interrupted(at_pause: bool, after: usize) -> (usize, usize, String) {
    let server = Server::new(|_, _| slow("x"));
    let (arm, decoding, conversations) = (Arm::from("production"), Decoding::default(), conversations(40));
    let request = |conversation| Request {
        arm: &arm,
        name: "x",
        prompt: Prompt { conversation: Some(conversation), text: None },
        wanted: Wanted::Completion { decoding: &decoding, stream: 0 },
    };
    let requests: Vec<Request<'_>> = conversations.iter().map(request).collect();
    let mut count = 0;
    let done = server.remote(json!({"concurrency": 4})).ask(&requests, &|_| false, &mut |moment| {
        let is_answer = matches!(moment, Moment::Answered(..));
        count += usize::from(is_answer);
        if is_answer != at_pause && count >= after { Err(Error::run("enough")) } else { Ok(()) }
    });
    (count, server.asked().len(), done.unwrap_err().to_string())
}

#[test]
fn an_interruption_keeps_what_is_under_way() {
    let (handed, asked, error) = interrupted(true, 5);
    assert_eq!(error, "enough");
    assert_eq!(handed, asked, "all that was asked is handed over");
    assert!((5..20).contains(&asked), "{asked}");
    let (handed, asked, _) = interrupted(false, 5);
    assert_eq!(handed, 5, "who cannot keep answers is given no more");
    assert!(asked < 20, "{asked}");
}

#[test]
fn an_interruption_is_seen_while_nothing_comes() {
    let server = Server::new(|_, _| Reply::Whole(503, "retry-after: 300\r\n", String::new()));
    let (arm, decoding, conversations) = (Arm::from("production"), Decoding::default(), conversations(1));
    let request = Request {
        arm: &arm,
        name: "x",
        prompt: Prompt { conversation: Some(&conversations[0]), text: None },
        wanted: Wanted::Completion { decoding: &decoding, stream: 0 },
    };
    let start = Instant::now();
    let done = server.remote(json!({})).ask(&[request], &|_| false, &mut |_| Err(Error::run("interrupted")));
    assert_eq!(done.unwrap_err().to_string(), "interrupted");
    assert!(start.elapsed() < Duration::from_secs(20));
}
