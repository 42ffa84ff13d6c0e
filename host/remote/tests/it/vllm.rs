//! What vLLM's server said of SmolLM2, recorded by `tests/oracles/vllm_likelihoods.py`, said again; the likelihoods must be those
//! that transformers computed.

use crate::server::{Reply, Seen, Server, gathered};
use diapason_core::arm::Arm;
use diapason_core::engine::{Prompt, Request, Said, Wanted};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
struct Golden {
    exchanges: Vec<Exchange>,
    pairs: Vec<Pair>,
}

#[derive(Debug, Deserialize)]
struct Exchange {
    path: String,
    body: Value,
    status: u16,
    answer: Value,
}

#[derive(Debug, Deserialize)]
struct Pair {
    prompt: String,
    continuation: String,
    logprob: f64,
    tokens: usize,
    greedy: bool,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/vllm-server.json")).unwrap()
}

fn server() -> Server {
    let golden = golden();
    Server::raw(move |seen: &Seen| {
        let is_it = |one: &&Exchange| format!("/v1{}", one.path) == seen.path && one.body == seen.body;
        match golden.exchanges.iter().find(is_it) {
            Some(one) => Reply::Whole(one.status, "", one.answer.to_string()),
            None => Reply::Whole(418, "", format!("not recorded: {}", seen.body)),
        }
    })
}

#[test]
fn likelihoods_are_those_of_transformers() {
    let (server, pairs, arm) = (server(), golden().pairs, Arm::from("production"));
    let request = |pair: &'static Pair| Request {
        arm: &arm,
        name: &pair.continuation,
        prompt: Prompt { conversation: None, text: Some(&pair.prompt) },
        wanted: Wanted::Likelihood(&pair.continuation),
    };
    let pairs: &'static [Pair] = pairs.leak();
    let requests: Vec<Request<'_>> = pairs.iter().map(request).collect();
    let mut remote = server.remote(json!({"model": "smollm2", "protocol": "completions", "retries": 0}));
    let (found, done) = gathered(&mut remote, &requests);
    done.unwrap();
    assert!(pairs.iter().any(|pair| pair.greedy) && pairs.iter().any(|pair| !pair.greedy));
    for (index, pair) in pairs.iter().enumerate() {
        let Said::Likelihood(likelihood) = found[&index].said else { panic!("{:?}", found[&index]) };
        assert!((likelihood.logprob - pair.logprob).abs() < 2e-3, "{pair:?}: {likelihood:?}");
        let expected = (pair.tokens, pair.continuation.len(), pair.greedy);
        assert_eq!((likelihood.tokens, likelihood.bytes, likelihood.greedy), expected, "{pair:?}");
    }
    let known = golden();
    let listed = &known.exchanges[0].answer["data"][0];
    assert_eq!(remote.origin().unwrap().listed.as_ref(), Some(listed));
}
