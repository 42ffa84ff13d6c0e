//! The keys that other tools document for a row, one case each: read as they mean it, or refused by name.

use crate::{Reading, Turn, read};
use serde_json::{Value, json};

/// The row is read, and its learned turns say this.
#[track_caller]
fn learns(row: Value, said: &[&str]) -> Reading {
    let read = read(&row.to_string()).unwrap_or_else(|faults| panic!("{row}: {faults:?}"));
    let turns = read.messages.iter().chain(&read.answer).filter(|turn| turn.is_learned());
    assert_eq!(turns.map(Turn::answer).collect::<Vec<_>>(), said, "{row}");
    read
}

/// The row is refused at this place.
#[track_caller]
fn refused(row: Value, path: &str) {
    let fault = read(&row.to_string()).expect_err(&row.to_string()).remove(0);
    assert_eq!(fault.path, path, "{row}: {fault:?}");
    assert!(!fault.hint.is_empty(), "{fault:?}");
}

/// A row of one exchange with a further key beside its turns.
fn beside(key: &str, value: Value) -> Value {
    json!({"messages": [{"role": "user", "content": "Say A."}, {"role": "assistant", "content": "A"}], key: value})
}

/// A row of one exchange with a further key in its answer.
fn inside(key: &str, value: Value) -> Value {
    let answer = json!({"role": "assistant", "content": "A", key: value});
    json!({"messages": [{"role": "user", "content": "Say A."}, answer]})
}

fn roles(row: &Reading) -> Vec<&str> {
    row.messages.iter().map(|turn| turn.role.as_str()).collect()
}

/// <https://huggingface.co/docs/trl/dataset_formats>
#[test]
fn trl() {
    learns(beside("tools", json!([{"type": "function", "function": {"name": "f"}}])), &["A"]);
    let thinks = learns(inside("thinking", json!("hm")), &["A"]);
    assert_eq!(thinks.answer.expect("an answer").extra["thinking"], "hm");
    let row = learns(beside("chat_template_kwargs", json!({"enable_thinking": false})), &["A"]);
    assert_eq!(row.variables["enable_thinking"], false);
    learns(json!({"prompt": "Say A.", "completion": "A"}), &["A"]);
    let turns = json!({
        "prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}],
        "completion": [{"role": "assistant", "content": "A"}]
    });
    learns(turns, &["A"]);
    learns(json!({"prompt": [{"role": "user", "content": "Say A."}]}), &[]);
    // One turn without its list is no document.
    refused(json!({"prompt": "a", "completion": {"role": "assistant", "content": "A"}}), "/completion");
    refused(json!({"prompt": "a", "reference": {"role": "assistant", "content": "A"}}), "/reference");
    refused(json!({"instruction": "a", "output": {"from": "gpt", "value": "A"}}), "/output");
    learns(json!({"prompt": "a", "completion": {"role": "editor"}}), &["{\"role\":\"editor\"}"]);
    learns(json!({"prompt": "a", "completion": "A", "chat_template_kwargs": "null", "tools": "null"}), &["A"]);
    refused(json!({"text": "A"}), "");
    refused(json!({"prompt": "a", "chosen": "A", "rejected": "B"}), "/chosen");
    refused(json!({"chosen": "a A", "rejected": "a B"}), "");
    refused(json!({"prompt": "a", "completion": "A", "label": false}), "/label");
    refused(json!({"prompt": "a", "completions": ["A"], "labels": [true]}), "/completions");
    refused(beside("images", json!(["a.png"])), "/images");
    refused(json!({"prompt": "a", "completion": "A", "completion_mask": [0, 1]}), "/completion_mask");
    refused(beside("assistant_masks", json!([0, 1])), "/assistant_masks");
}

/// <https://platform.openai.com/docs/guides/supervised-fine-tuning>, <https://github.com/openai/openai-openapi>
/// (`FineTuneChatRequestInput`), <https://github.com/openai/evals/blob/main/docs/build-eval.md>
#[test]
fn openai() {
    learns(inside("weight", json!(0)), &[]);
    learns(inside("weight", json!(1)), &["A"]);
    refused(inside("weight", json!(0.5)), "/messages/1/weight");
    learns(beside("parallel_tool_calls", json!(false)), &["A"]);
    learns(inside("name", json!("bot")), &["A"]);
    for key in ["refusal", "audio", "function_call", "tool_calls"] {
        learns(inside(key, Value::Null), &["A"]);
    }
    refused(inside("refusal", json!("I will not.")), "/messages/1/refusal");
    refused(inside("audio", json!({"id": "a1"})), "/messages/1/audio");
    refused(inside("function_call", json!({"name": "f", "arguments": "{}"})), "/messages/1/function_call");
    refused(beside("functions", json!([{"name": "f"}])), "/functions");
    refused(
        inside("tool_calls", json!([{"type": "custom", "custom": {"name": "f", "input": "x"}}])),
        "/messages/1/tool_calls/0",
    );
    let image = json!([{"type": "image_url", "image_url": {"url": "x"}}]);
    refused(json!({"messages": [{"role": "user", "content": image}]}), "/messages/0/content/0");
    refused(json!({"input": {"messages": []}, "preferred_output": [], "non_preferred_output": []}), "");
    refused(beside("preferred_output", json!([{"role": "assistant", "content": "A"}])), "/preferred_output");
    refused(json!({"input": [{"role": "user", "content": "a"}], "ideal": "A"}), "");
    refused(json!({"item": {"prompt": "a"}}), "");
    refused(json!({"custom_id": "1", "method": "POST", "body": {"messages": []}}), "");
}

/// <https://github.com/hiyouga/LLaMA-Factory/blob/main/data/README.md>
#[test]
fn llama_factory() {
    learns(json!({"instruction": "Say", "input": "A", "output": "A"}), &["A"]);
    let bare = learns(json!({"instruction": "", "input": "Say A.", "output": "A"}), &["A"]);
    assert_eq!(bare.messages[0].text(), "Say A.", "an empty instruction leaves no empty line");
    let row = learns(json!({"instruction": "c", "output": "A", "history": [["a", "b"]], "system": "s"}), &["b", "A"]);
    assert_eq!(roles(&row), ["system", "user", "assistant", "user"]);
    refused(json!({"instruction": "a", "output": "A", "kto_tag": false}), "/kto_tag");
    refused(json!({"instruction": "a", "chosen": "A", "rejected": "B"}), "/chosen");
    for key in ["images", "videos", "audios"] {
        refused(json!({"instruction": "a", "output": "A", key: ["a.bin"]}), &format!("/{key}"));
    }
    let turns = json!([
        {"from": "system", "value": "s"}, {"from": "human", "value": "a"},
        {"from": "function_call", "value": "{\"name\": \"f\", \"arguments\": {}}"},
        {"from": "observation", "value": "1"}, {"from": "gpt", "value": "A"}
    ]);
    let row = learns(json!({"conversations": turns}), &["{\"name\":\"f\",\"arguments\":{}}", "A"]);
    assert_eq!(roles(&row), ["system", "user", "assistant", "tool"]);
    refused(json!({"conversations": turns, "system": "another"}), "/system");
    let tools = json!("[{\"name\": \"f\", \"description\": \"\", \"parameters\": {}}]");
    assert!(learns(json!({"conversations": [turns[1], turns[4]], "tools": tools}), &["A"]).tools.is_some());
    refused(json!({"conversations": [turns[1]], "chosen": turns[4], "rejected": turns[4]}), "/chosen");
    // The content tag is ShareGPT's, the role tag OpenAI's.
    refused(json!({"conversations": [{"role": "user", "value": "a"}]}), "/conversations/0/value");
    let parts = json!([{"type": "text", "value": "A"}]);
    refused(
        json!({"messages": [{"role": "user", "content": parts, "loss_weight": 0.0}]}),
        "/messages/0/content/0/text",
    );
}

/// <https://docs.axolotl.ai/docs/dataset-formats/conversation.html>, <https://docs.axolotl.ai/docs/dataset-formats/inst_tune.html>
#[test]
fn axolotl() {
    for (key, value) in [("train", json!(false)), ("training", json!(false)), ("weight", json!(0))] {
        learns(inside(key, value), &[]);
    }
    learns(inside("train", json!(true)), &["A"]);
    let asks = json!([{"from": "human", "value": "a", "train": true}, {"from": "assistant", "value": "A"}]);
    refused(json!({"conversations": asks}), "/conversations/0/train");
    for detail in [json!([{"begin_offset": 0, "end_offset": 1, "train": false}]), json!([])] {
        refused(inside("train_detail", detail.clone()), "/messages/1/train_detail");
        refused(inside("training_detail", detail), "/messages/1/training_detail");
    }
    let part = json!([{"type": "text", "text": "A", "train": false}]);
    refused(inside("content", part), "/messages/1/content/0/train");
    let thinks = learns(inside("reasoning_content", json!("hm")), &["A"]);
    assert_eq!(thinks.answer.expect("an answer").extra["reasoning_content"], "hm");
    refused(beside("roles_to_train", json!(["user"])), "/roles_to_train");
    refused(beside("train_on_eos", json!("none")), "/train_on_eos");
    refused(beside("train_on_inputs", json!(true)), "/train_on_inputs");
    let reflects = json!({"instruction": "a", "output": "B", "reflection": "No: A.", "corrected": "A"});
    refused(reflects, "/corrected");
    refused(json!({"system_prompt": "s", "prompt": "a", "completion": "A"}), "/system_prompt");
    refused(json!({"segments": [{"label": true, "text": "A"}]}), "");
    refused(json!({"input_ids": [1], "attention_mask": [1], "labels": [1]}), "");
    refused(json!({"question": "a", "answer": "A"}), "");
    let response = learns(json!({"instruction": "a", "response": "A"}), &[]);
    assert_eq!(response.unread, ["response"], "said to be missing where it is to be learned");
}

/// <https://swift.readthedocs.io/en/latest/Customization/Custom-dataset.html>,
/// <https://swift.readthedocs.io/en/latest/Instruction/Agent-support.html>
#[test]
fn ms_swift() {
    learns(inside("loss", json!(false)), &[]);
    learns(inside("loss", json!(true)), &["A"]);
    refused(inside("loss_scale", json!(0.5)), "/messages/1/loss_scale");
    let tool = json!({"type": "function", "function": {"name": "f"}}).to_string();
    assert!(learns(beside("tools", json!([tool])), &["A"]).tools.is_some_and(|tools| tools[0].is_object()));
    refused(beside("rejected_response", json!("B")), "/rejected_response");
    refused(beside("rejected_messages", json!([{"role": "assistant", "content": "B"}])), "/rejected_messages");
    refused(beside("label", json!(true)), "/label");
    refused(beside("objects", json!({"ref": [], "bbox": [[1, 2]]})), "/objects");
    refused(beside("videos", json!(["a.mp4"])), "/videos");
    for role in ["tool_call", "tool_response", "bot"] {
        refused(json!({"messages": [{"role": role, "content": "{}"}]}), "/messages/0/role");
    }
    refused(json!({"system": "s", "conversation": [{"human": "a", "assistant": "A"}]}), "");
    refused(json!({"query": "a", "response": "A", "history": [["b", "c"]]}), "");
}

/// <https://unsloth.ai/docs/get-started/fine-tuning-llms-guide/datasets-guide>,
/// <https://github.com/ml-explore/mlx-lm/blob/main/mlx_lm/LORA.md>
#[test]
fn unsloth_and_mlx() {
    learns(json!({"conversations": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "A"}]}), &["A"]);
    learns(json!({"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "A"}]}), &["A"]);
    for (role, content) in [("input", "a"), ("output", "A")] {
        refused(json!({"conversations": [{"from": role, "value": content}]}), "/conversations/0/from");
        refused(json!({"messages": [{"role": role, "content": content}]}), "/messages/0/role");
    }
    let call = json!([{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}]);
    let calls = json!({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": call}]});
    learns(calls, &["{\"name\":\"f\",\"arguments\":{\"a\":1}}"]);
    refused(json!({"system": "s", "prompt": "a", "chosen": "A", "rejected": "B"}), "/chosen");
}

/// <https://github.com/mistralai/mistral-finetune#instruct>, <https://docs.mistral.ai/api> (`AssistantMessage`)
#[test]
fn mistral() {
    learns(inside("weight", json!(0)), &[]);
    learns(inside("prefix", json!(false)), &["A"]);
    refused(inside("prefix", json!(true)), "/messages/1/prefix");
    let thinks =
        json!([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "A"}]);
    refused(inside("content", thinks), "/messages/1/content/0");
    refused(json!({"text": "A"}), "");
}

/// <https://docs.aws.amazon.com/bedrock/latest/userguide/preparing-text-data.html>,
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html>,
/// <https://docs.anthropic.com/en/api/messages>
#[test]
fn bedrock_and_anthropic() {
    let user = json!({"role": "user", "content": [{"text": "Say "}, {"text": "A."}]});
    let answer = json!({"role": "assistant", "content": [{"text": "A"}]});
    let row =
        json!({"schemaVersion": "bedrock-conversation-2024", "system": [{"text": "s"}], "messages": [user, answer]});
    let row = learns(row, &["A"]);
    assert_eq!(row.messages.iter().map(Turn::text).collect::<Vec<_>>(), ["s", "Say A."]);
    let marked = json!([{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]);
    assert_eq!(learns(beside("system", marked), &["A"]).messages[0].text(), "s");
    refused(beside("system", json!([{"cachePoint": {"type": "default"}}])), "/system/0");
    refused(beside("system", json!({"text": "s"})), "/system");
    for part in [json!({"toolUse": {"name": "f"}}), json!({"type": "tool_use", "name": "f", "input": {}})] {
        refused(inside("content", json!([part])), "/messages/1/content/0");
    }
    for tool in [json!({"toolSpec": {"name": "f"}}), json!({"type": "web_search_20250305"})] {
        refused(beside("tools", json!([tool])), "/tools/0");
    }
}

/// <https://docs.together.ai/docs/fine-tuning/data-preparation>,
/// <https://docs.fireworks.ai/fine-tuning/fine-tuning-models>,
/// <https://docs.cohere.com/docs/chat-preparing-the-data>
#[test]
fn together_fireworks_and_cohere() {
    learns(inside("weight", json!(0)), &[]);
    learns(inside("reasoning_content", json!("hm")), &["A"]);
    learns(beside("weight", json!(1.0)), &["A"]);
    refused(beside("weight", json!(0.5)), "/weight");
    refused(
        json!({"messages": [{"role": "user", "content": "a"}], "non_preferred_output": [{}]}),
        "/non_preferred_output",
    );
    for role in ["System", "User", "Chatbot", "CHATBOT", "Assistant"] {
        refused(json!({"messages": [{"role": role, "content": "A"}]}), "/messages/0/role");
    }
}

/// <https://cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare>
#[test]
fn gemini() {
    let contents = json!([{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "A"}]}]);
    refused(json!({"systemInstruction": {"parts": [{"text": "s"}]}, "contents": contents}), "");
    refused(json!({"messages": contents}), "/messages/0/parts");
    learns(json!({"messages": [{"role": "user", "content": "a"}, {"role": "model", "content": "A"}]}), &["A"]);
    refused(beside("tools", json!([{"functionDeclarations": [{"name": "f"}]}])), "/tools/0");
}
