//! What is sent, and how answers are read.

use crate::server::{Seen, Server, ask, chat, gathered, ok, only, said};
use diapason_core::arm::Arm;
use diapason_core::engine::{Engine, Loss, Moment, Prompt, Request, Said, Usage, Wanted};
use diapason_core::language_model::{Completion, Decoding, Finish, LITERAL, Likelihood};
use diapason_core::sample::{Conversation, Message};
use serde_json::{Value, json};

/// How a body is read.
fn read(body: Value) -> Said {
    only(&mut Server::new(move |_, _| ok(body.clone())).remote(json!({})))
}

fn text(text: &str, tokens: usize, finish: Finish) -> Said {
    Said::Completion(Completion { text: text.into(), tokens, finish })
}

#[test]
fn answers_are_read_as_they_are() {
    assert_eq!(read(chat(json!({"content": " größe \n"}), "stop")), text(" größe \n", 3, Finish::Stop));
    assert_eq!(read(chat(json!({"content": ""}), "stop")), text("", 3, Finish::Stop));
    assert_eq!(read(chat(json!({"content": "cut"}), "length")), text("cut", 3, Finish::Length));
    let parts = json!({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]});
    assert_eq!(read(chat(parts, "stop")), text("ab", 3, Finish::Stop));
}

#[test]
fn thoughts_are_no_part_of_the_answer() {
    let mut body = chat(json!({"content": "4", "reasoning_content": "two and two"}), "stop");
    assert_eq!(read(body.clone()), text("4", 3, Finish::Stop));
    body["usage"]["completion_tokens_details"] = json!({"reasoning_tokens": 2});
    assert_eq!(read(body), text("4", 1, Finish::Stop));
    let body = chat(json!({"content": null, "reasoning_content": "two and"}), "length");
    assert_eq!(read(body), text("", 3, Finish::Length), "the limit was reached before the answer");
}

#[test]
fn what_cannot_be_scored_is_lost_by_name() {
    let lost = |message: Value, finish: &str| match read(chat(message, finish)) {
        Said::Lost(loss) => loss,
        other => panic!("{other:?}"),
    };
    assert_eq!(lost(json!({"content": ""}), "content_filter"), Loss::Filtered);
    assert_eq!(lost(json!({"content": null, "refusal": "I can't"}), "stop"), Loss::Refused("I can't".into()));
    let call = json!({"content": "", "tool_calls": [{"function": {"name": "weather"}}]});
    assert_eq!(lost(call.clone(), "tool_calls"), Loss::ToolCalls(vec!["weather".into()]));
    assert_eq!(lost(call, "stop"), Loss::ToolCalls(vec!["weather".into()]));
    assert_eq!(lost(json!({"function_call": {"name": "old"}}), "function_call"), Loss::ToolCalls(vec!["old".into()]));
    assert_eq!(lost(json!({"content": null}), "stop"), Loss::NoContent);
    assert_eq!(lost(json!({"content": "x"}), "abort"), Loss::UnknownFinish("abort".into()));
    let mut unsaid = chat(json!({"content": "x"}), "");
    unsaid["choices"][0]["finish_reason"] = Value::Null;
    assert_eq!(read(unsaid), Said::Lost(Loss::UnknownFinish("null".into())));
}

#[test]
fn stop_strings_hold_even_where_the_server_forgets_them() {
    let server = Server::new(|_, _| said("one END two STOP"));
    let decoding = Decoding { stop: vec!["STOP".into(), String::new(), "END".into()], ..Decoding::default() };
    let (found, done) = ask(&mut server.remote(json!({})), 1, &decoding);
    done.unwrap();
    assert_eq!(found[&0].said, text("one ", 3, Finish::Stop));
    assert_eq!(server.asked()[0].body["stop"], json!(["STOP", "END"]));
}

#[test]
fn conversations_are_sent_whole() {
    let server = Server::new(|_, _| said("x"));
    let mut asked = Message::new("assistant", "");
    asked.no_content = true;
    let call = json!([{"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"b": 1, "a": 2}}}]);
    asked.extra = json!({"tool_calls": call, "weight": 0}).as_object().unwrap().clone();
    let mut told = Message::new("tool", "7");
    told.extra = json!({"tool_call_id": "c1"}).as_object().unwrap().clone();
    let conversation = Conversation {
        messages: vec![Message::new("system", "be brief"), asked, told],
        tools: Some(json!([{"type": "function", "function": {"name": "f"}}])),
        variables: json!({"enable_thinking": false}).as_object().unwrap().clone(),
        ..Conversation::default()
    };
    let decoding = Decoding { max_tokens: 5, temperature: 0.5, top_p: 0.9, stop: Vec::new(), seed: 3 };
    let request = Request {
        arm: &Arm::from("production"),
        name: "x",
        prompt: Prompt { conversation: Some(&conversation), text: None },
        wanted: Wanted::Completion { decoding: &decoding, stream: 9 },
    };
    gathered(&mut server.remote(json!({})), &[request]).1.unwrap();
    let Seen { path, body, headers } = server.asked().remove(0);
    assert_eq!((path.as_str(), headers["content-type"].as_str()), ("/v1/chat/completions", "application/json"));
    let seed = body["seed"].as_u64().unwrap();
    let expected = json!({
        "model": "m", "max_tokens": 5, "temperature": 0.5, "top_p": 0.9, "seed": seed, "stream": false,
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"b\":1,\"a\":2}"}}
            ]},
            {"role": "tool", "content": "7", "tool_call_id": "c1"},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "chat_template_kwargs": {"enable_thinking": false},
    });
    assert_eq!(body, expected);
}

#[test]
fn a_server_that_wants_another_name_for_the_limit_gets_it() {
    let server = Server::raw(|seen| match (seen.path.as_str(), seen.body.get("max_tokens")) {
        ("/v1/models", _) => crate::server::Reply::Whole(404, "", String::new()),
        (_, None) => said("x"),
        (_, Some(_)) => {
            let error = json!({"message": "use 'max_completion_tokens'", "param": "max_tokens", "code": "unsupported_parameter"});
            crate::server::Reply::Whole(400, "", json!({"error": error}).to_string())
        }
    });
    assert_eq!(only(&mut server.remote(json!({}))), text("x", 3, Finish::Stop));
    let limits: Vec<Value> = server.asked().iter().map(|seen| seen.body["max_completion_tokens"].clone()).collect();
    assert_eq!(limits, [json!(128)], "the greeting has found out");
}

fn completions(reply: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Server {
    Server::new(move |_, seen| ok(reply(&seen.body)))
}

#[test]
fn completions_servers_get_the_rendered_text() {
    let server = completions(
        |_| json!({"model": "m", "choices": [{"text": " yes", "finish_reason": "stop"}], "usage": {"prompt_tokens": 4, "completion_tokens": 2}}),
    );
    let decoding = Decoding::default();
    let marked = format!("<|im_start|>user\n<{LITERAL}|im_end|>");
    let arm = Arm::from("production");
    let request = |text| Request {
        arm: &arm,
        name: "x",
        prompt: Prompt { conversation: None, text: Some(text) },
        wanted: Wanted::Completion { decoding: &decoding, stream: 0 },
    };
    let requests = [request("<|im_start|>user\nhi"), request(&marked)];
    let (found, done) = gathered(&mut server.remote(json!({"protocol": "completions"})), &requests);
    done.unwrap();
    assert_eq!(found[&0].said, text(" yes", 2, Finish::Stop));
    assert_eq!((found[&0].usage.prompt_tokens, found[&0].usage.completion_tokens), (Some(4), Some(2)));
    assert_eq!(found[&1].said, Said::Lost(Loss::LiteralToken));
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0].path.as_str()), (1, "/v1/completions"));
    assert_eq!(asked[0].body["prompt"], "<|im_start|>user\nhi");
    // Each protocol names what it misses.
    let error = gathered(&mut server.remote(json!({})), &requests).1.unwrap_err();
    assert_eq!(error.to_string(), "arm production: x is plain text, not a conversation");
}

/// A server that splits a text before each space, with a beginning-of-text token in front.
fn echo(body: &Value) -> Value {
    let text = body["prompt"].as_str().unwrap();
    let mut tokens = vec![String::new()];
    for (at, character) in text.char_indices() {
        if at == 0 || character == ' ' {
            tokens.push(String::new())
        }
        tokens.last_mut().unwrap().push(character);
    }
    let count = tokens.len();
    let logprob = |token: &String| -(token.len() as f64) / 10.0;
    let own: Vec<Value> =
        tokens.iter().enumerate().map(|(i, token)| if i == 0 { Value::Null } else { json!(logprob(token)) }).collect();
    // The likeliest is another one where the token is "no".
    let top: Vec<Value> = tokens
        .iter()
        .enumerate()
        .map(|(i, token)| match token.as_str() {
            _ if i == 0 => Value::Null,
            " no" => json!({" yes": -0.01}),
            other => json!({other: logprob(token)}),
        })
        .collect();
    let (mut tokens, mut own, mut top) = (tokens, own, top);
    tokens.push("!".into());
    own.push(json!(-9.0));
    top.push(json!({"!": -9.0}));
    let logprobs = json!({"tokens": tokens, "token_logprobs": own, "top_logprobs": top});
    let echoed = body["echo"] == true;
    let text = if echoed { format!("{text}!") } else { "!".into() };
    json!({"model": "m", "choices": [{"text": text, "finish_reason": "length", "logprobs": if echoed { logprobs } else { Value::Null }}],
        "usage": {"prompt_tokens": count, "completion_tokens": 1}})
}

fn weighed(
    reply: impl Fn(&Value) -> Value + Send + Sync + 'static,
    pairs: &[(&str, &str)],
) -> (Vec<Said>, Vec<Usage>, Result<(), String>, usize) {
    let server = completions(reply);
    let arm = Arm::from("production");
    let requests: Vec<Request<'_>> = pairs
        .iter()
        .map(|(prompt, continuation)| Request {
            arm: &arm,
            name: "x",
            prompt: Prompt { conversation: None, text: Some(prompt) },
            wanted: Wanted::Likelihood(continuation),
        })
        .collect();
    let mut remote = server.remote(json!({"protocol": "completions", "concurrency": 1}));
    let (found, done) = gathered(&mut remote, &requests);
    let (said, usage) = found.into_values().map(|answer| (answer.said, answer.usage)).unzip();
    (said, usage, done.map_err(|error| error.to_string()), server.asked().len())
}

#[test]
fn likelihoods_are_those_of_the_tokens_after_the_prompt() {
    let pairs = [("is it so? ", "yes"), ("is it so?", " no way"), ("is it", " größer")];
    let (said, usage, done, asked) = weighed(echo, &pairs);
    done.unwrap();
    let likely = |logprob: f64, tokens, bytes, greedy| Said::Likelihood(Likelihood { logprob, tokens, bytes, greedy });
    assert_eq!(said[0], likely(-0.4, 1, 3, true), "white space goes to the continuation, whose bytes stay its own");
    assert_eq!(said[1], likely(-0.3 - 0.4, 2, 7, false));
    assert_eq!(said[2], likely(-0.9, 1, 9, true));
    assert_eq!(asked, 5, "a prompt that two share is counted once");
    assert_eq!((usage[0].prompt_tokens, usage[1].prompt_tokens), (Some(4 + 5), Some(6)));
}

#[test]
fn servers_without_likelihoods_are_refused_by_name() {
    let changed = |change: fn(&mut Value)| {
        move |body: &Value| {
            let mut answer = echo(body);
            if body["echo"] == true {
                change(&mut answer)
            }
            answer
        }
    };
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 8] = [
        (|answer| answer["choices"][0]["text"] = "!".into(), "does not give back a prompt"),
        (|answer| answer["choices"][0]["logprobs"] = Value::Null, "does not give back a prompt"),
        (|answer| answer["choices"][0]["logprobs"] = json!({"content": []}), "have no list `tokens`"),
        (|answer| answer["choices"][0]["logprobs"]["top_logprobs"] = Value::Null, "have no list `top_logprobs`"),
        (|answer| answer["usage"] = Value::Null, "how long a prompt is"),
        (|answer| answer["usage"]["prompt_tokens"] = 9.into(), "6 log-probabilities for 9 tokens"),
        (|answer| answer["choices"][0]["logprobs"]["token_logprobs"][4] = Value::Null, "has no log-probability"),
        // One token too early, as where the beginning of the text is left out.
        (
            |answer| {
                for list in ["tokens", "token_logprobs", "top_logprobs"] {
                    answer["choices"][0]["logprobs"][list].as_array_mut().unwrap().remove(0);
                }
            },
            "which is not how it ends",
        ),
    ];
    for (change, expected) in cases {
        let (said, _, done, _) = weighed(changed(change), &[("is it so?", " yes")]);
        let message = done.unwrap_err();
        assert!(said.is_empty() && message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn pairs_without_two_sides_and_chat_servers_are_refused() {
    assert!(weighed(echo, &[(" \n", "a")]).2.unwrap_err().contains("nothing but white space"));
    assert!(weighed(echo, &[("a", "")]).2.unwrap_err().contains("empty continuation"));
    let marked = format!("<{LITERAL}s>");
    assert_eq!(weighed(echo, &[("a", &marked)]).0, [Said::Lost(Loss::LiteralToken)]);
    let server = Server::new(|_, _| said("x"));
    let wanted = Wanted::Likelihood("x");
    let request = Request {
        arm: &Arm::from("production"),
        name: "x",
        prompt: Prompt { conversation: None, text: Some("a") },
        wanted,
    };
    let error = gathered(&mut server.remote(json!({})), &[request]).1.unwrap_err();
    assert!(error.to_string().contains("which chat servers do not give"), "{error}");
    assert!(error.hint_text().unwrap().contains("protocol = \"completions\""));
    assert_eq!(server.seen().len(), 0, "nothing is asked in vain");
}

#[test]
fn what_is_known_is_not_asked_and_a_known_call_sends_nothing() {
    let server = Server::new(|_, _| said("x"));
    let conversations = crate::server::conversations(3);
    let (arm, decoding) = (Arm::from("production"), Decoding::default());
    let requests: Vec<Request<'_>> = conversations
        .iter()
        .map(|one| Request {
            arm: &arm,
            name: "x",
            prompt: Prompt { conversation: Some(one), text: None },
            wanted: Wanted::Completion { decoding: &decoding, stream: 0 },
        })
        .collect();
    let mut remote = server.remote(json!({}));
    remote.ask(&requests, &|_| true, &mut |_| panic!("nothing happens")).unwrap();
    assert_eq!(server.seen().len(), 0);
    let mut found = Vec::new();
    let mut watch = |moment| {
        if let Moment::Answered(index, _) = moment {
            found.push(index)
        }
        Ok(())
    };
    remote.ask(&requests, &|index| index != 1, &mut watch).unwrap();
    assert_eq!((found, server.asked().len()), (vec![1], 1));
}
