use crate::{Fault, Reading, Turn, read};
use serde_json::{Value, json};

fn good(row: Value) -> Reading {
    read(&row.to_string()).unwrap_or_else(|faults| panic!("{row}: {faults:?}"))
}

fn bad(row: Value) -> Fault {
    read(&row.to_string()).expect_err(&row.to_string()).remove(0)
}

fn roles(turns: &[Turn]) -> Vec<&str> {
    turns.iter().map(|turn| turn.role.as_str()).collect()
}

#[test]
fn the_last_assistant_turn_is_the_answer_whatever_else_it_carries() {
    for extra in [
        json!({"tool_calls": null}),
        json!({"name": "bot"}),
        json!({"weight": 1}),
        json!({"reasoning_content": "hm"}),
        json!({"audio": null, "refusal": null, "function_call": null, "annotations": []}),
        json!({"weight": 0}),
    ] {
        let mut turn = json!({"role": "assistant", "content": "Madrid"});
        turn.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        let row = good(json!({"messages": [{"role": "user", "content": "Capital of Spain?"}, turn]}));
        assert_eq!((roles(&row.messages), row.references.as_slice()), (vec!["user"], &["Madrid".to_owned()][..]));
        assert_eq!(row.answer.expect("an answer").text(), "Madrid");
    }
}

#[test]
fn a_final_call_is_an_answer_and_its_reference() {
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}});
    let row = good(
        json!({"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "", "tool_calls": [call]}]}),
    );
    assert_eq!(row.references, [r#"{"name":"f","arguments":{"a":1}}"#]);
    assert!(row.answer.expect("an answer").calls().is_some());
}

#[test]
fn prompt_and_completion_as_lists_keep_every_message() {
    let call = json!({"function": {"name": "f", "arguments": {}}});
    let row = good(json!({
        "prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}],
        "completion": [
            {"role": "assistant", "content": null, "tool_calls": [call], "reasoning_content": "hm"},
            {"role": "tool", "content": "t"}, {"role": "assistant", "content": "d"}],
    }));
    assert_eq!(roles(&row.messages), ["user", "assistant", "user", "assistant", "tool"]);
    let learned: Vec<bool> = row.messages.iter().chain(&row.answer).map(Turn::is_learned).collect();
    assert_eq!(learned, [false, false, false, true, false, true]);
    assert_eq!(row.messages[3].extra["reasoning_content"], "hm");
    for completion in [json!([{"role": "user", "content": "x"}]), json!([])] {
        assert!(bad(json!({"prompt": "a", "completion": completion})).path.starts_with("/completion"));
    }
    let begun =
        json!({"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "completion": "c"});
    assert_eq!(bad(begun).path, "/prompt/1");
}

#[test]
fn sharegpt_is_mapped_as_llama_factory_does() {
    let row = good(json!({
        "system": "s", "tools": "[{\"name\": \"area\", \"parameters\": {}}]",
        "conversations": [
            {"from": "human", "value": "Area?"}, {"from": "function_call", "value": "{\"name\": \"area\", \"arguments\": {\"side\": 3}}"},
            {"from": "observation", "value": "{\"area\": 9}"}, {"from": "gpt", "value": "Nine."}]
    }));
    assert_eq!(roles(&row.messages), ["system", "user", "assistant", "tool"]);
    let call = json!([{"type": "function", "function": {"name": "area", "arguments": {"side": 3}}}]);
    assert_eq!((row.messages[2].calls(), row.messages[2].content.as_ref()), (Some(&call), None));
    assert_eq!(row.tools, Some(json!([{"type": "function", "function": {"name": "area", "parameters": {}}}])));
    for (turns, path) in [
        (json!([{"from": "gpt", "value": "a"}, {"from": "human", "value": "b"}]), "/conversations/0"),
        (
            json!([{"from": "human", "value": "a"}, {"from": "human", "value": "b"}, {"from": "gpt", "value": "c"}]),
            "/conversations/1",
        ),
        (
            json!([{"from": "human", "value": "a"}, {"from": "observation", "value": "b"}, {"from": "gpt", "value": "c"}]),
            "/conversations/1",
        ),
        (json!([{"from": "human", "value": "a"}, {"from": "critic", "value": "b"}]), "/conversations/1/from"),
        (
            json!([{"from": "human", "value": "a"}, {"from": "function_call", "value": "area(3)"}]),
            "/conversations/1/value",
        ),
    ] {
        assert_eq!(bad(json!({"conversations": turns})).path, path, "{turns}");
    }
}

#[test]
fn columns_beside_a_shape_are_honoured_in_every_shape() {
    let turns = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]);
    let rows = [
        json!({"system": "s", "messages": turns}),
        json!({"system": "s", "prompt": [{"role": "user", "content": "Hi"}], "completion": "Ho"}),
        json!({"system": "s", "prompt": "Hi", "completion": "Ho"}),
        json!({"system": "s", "instruction": "Hi", "output": "Ho"}),
        json!({"system": "s", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]}),
    ];
    for row in rows {
        assert_eq!(roles(&good(row.clone()).messages), ["system", "user"], "{row}");
    }
    let both = json!({"system": "s", "messages": [{"role": "system", "content": "t"}, turns[0], turns[1]]});
    assert_eq!(bad(both).rule, "two-systems");
    let row = good(json!({"instruction": "c", "output": "d", "history": [["a", "b"]]}));
    assert_eq!(row.messages.iter().map(Turn::text).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(row.messages[1].is_learned());
    assert_eq!(bad(json!({"instruction": "c", "output": "d", "history": [["a"]]})).path, "/history/0");
    assert_eq!(bad(json!({"messages": turns, "history": [["a", "b"]]})).path, "/history");
}

#[test]
fn variables_of_the_template() {
    let row = good(
        json!({"prompt": "a", "chat_template_kwargs": {"enable_thinking": false, "x": null}, "documents": [{"text": "d"}]}),
    );
    assert_eq!(Value::Object(row.variables), json!({"enable_thinking": false, "documents": [{"text": "d"}]}));
    let text =
        good(json!({"prompt": "a", "chat_template_kwargs": "{\"enable_thinking\": true}", "enable_thinking": true}));
    assert_eq!(Value::Object(text.variables), json!({"enable_thinking": true}));
    assert_eq!(bad(json!({"prompt": "a", "chat_template_kwargs": {"tools": []}})).path, "/chat_template_kwargs/tools");
    assert_eq!(bad(json!({"prompt": "a", "chat_template_kwargs": 3})).path, "/chat_template_kwargs");
    assert_eq!(
        bad(json!({"prompt": "a", "enable_thinking": true, "chat_template_kwargs": {"enable_thinking": false}})).path,
        "/enable_thinking"
    );
}

#[test]
fn references() {
    let of = |reference: Value| good(json!({"prompt": "a", "reference": reference})).references;
    assert_eq!(of(json!("x")), ["x"]);
    assert_eq!(of(json!(["Oslo", "Madrid"])), ["Oslo", "Madrid"]);
    assert_eq!((of(json!({"a": 1})), of(json!(72))), (vec![r#"{"a":1}"#.to_owned()], vec!["72".to_owned()]));
    for (reference, path) in [
        (json!([]), "/reference"),
        (json!(true), "/reference"),
        (json!(["a", 1]), "/reference/1"),
        (json!([[1, 2]]), "/reference/0"),
    ] {
        assert_eq!(bad(json!({"prompt": "a", "reference": reference})).path, path);
    }
    let both = good(json!({"prompt": "a", "completion": "long", "reference": "short"}));
    assert_eq!((both.references, both.answer.expect("an answer").text()), (vec!["short".to_owned()], "long"));
}

#[test]
fn what_nothing_reads_is_named() {
    let row = good(json!({"prompt": "a", "completion": "b", "source": "web", "score": 3, "messages_": []}));
    assert_eq!(row.unread, ["source", "score", "messages_"]);
    let padded = good(json!({"messages": null, "prompt": "a", "completion": "b", "tools": null, "images": null}));
    assert!(padded.unread.is_empty() && padded.tools.is_none());
    assert_eq!(bad(json!({"prompt": null, "completion": "b"})).path, "/prompt");
}

#[test]
fn integers_beyond_64_bits_are_refused_where_they_are_read() {
    let call = |arguments: &str| {
        let turns = format!(
            r#"[{{"role": "user", "content": "?"}}, {{"role": "assistant", "tool_calls": [{{"function": {{"name": "f", "arguments": {arguments}}}}}]}}]"#
        );
        read(&format!(r#"{{"messages": {turns}, "hash": 340282366920938463463374607431768211455}}"#))
    };
    let at = "/messages/1/tool_calls/0/function/arguments/id";
    for arguments in [r#"{"id": 12345678901234567890123}"#, r#""{\"id\": 12345678901234567890123}""#, r#"{"id": -0}"#] {
        let fault = call(arguments).expect_err(arguments).remove(0);
        assert_eq!((fault.rule, fault.path.as_str()), ("inexact-number", at), "{arguments}");
    }
    assert!(call(r#"{"id": 18446744073709551615}"#).is_ok(), "what nothing reads may hold any number");
    let id = read(r#"{"id": 12345678901234567890123, "prompt": "a"}"#).expect_err("an id").remove(0);
    assert_eq!(id.path, "/id");
}

#[test]
fn turns_in_a_text_are_read() {
    let turns = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]);
    assert_eq!(good(json!({"messages": turns.to_string()})), good(json!({"messages": turns})));
    assert_eq!(bad(json!({"messages": "[{'role': 'user'}]"})).rule, "invalid-json");
}

/// The table in validate-shape's README: what other tools' rows become.
#[test]
fn rows_of_other_tools() {
    let turns = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]);
    let with = |key: &str, value: Value| json!([turns[0], {"role": "assistant", "content": "b", key: value}]);
    for row in [
        json!({"messages": turns, "tools": "[]", "chat_template_kwargs": {}}),
        json!({"prompt": [turns[0]], "completion": [turns[1]]}),
        json!({"messages": with("weight", json!(0)), "parallel_tool_calls": false, "tools": []}),
        json!({"instruction": "a", "input": "", "output": "b", "history": [], "system": "", "tools": ""}),
        json!({"conversations": with("train", json!(true))}),
        json!({"messages": with("loss_scale", json!(0))}),
    ] {
        assert_eq!(good(row.clone()).references, ["b"], "{row}");
    }
    for (row, path) in [
        (json!({"text": "a"}), ""),
        (json!({"prompt": "a", "chosen": "b", "rejected": "c"}), "/chosen"),
        (json!({"prompt": "a", "completion": "b", "label": true}), "/label"),
        (json!({"prompt": "a", "completions": ["b"], "labels": [true]}), "/completions"),
        (json!({"messages": turns, "functions": [{"name": "f"}]}), "/functions"),
        (json!({"messages": with("function_call", json!({"name": "f"}))}), "/messages/1/function_call"),
        (json!({"input": {"messages": turns}, "preferred_output": turns}), ""),
        (json!({"messages": with("train_detail", json!([{"train": true}]))}), "/messages/1/train_detail"),
        (json!({"segments": [{"label": true, "text": "a"}]}), ""),
        (json!({"question": "a", "response": "b", "system": "s"}), ""),
        (json!({"messages": with("loss_scale", json!(0.5))}), "/messages/1/loss_scale"),
    ] {
        assert_eq!(bad(row.clone()).path, path, "{row}");
    }
}
