//! Tools and their calls: lists of objects, or JSON text that holds them.

use crate::fault::{Fault, Result};
use crate::json::{kind, parsed, without_nulls};
use serde_json::{Map, Value, json};

/// The tools of a row, each an object. Bare functions (`{"name": …, "parameters": …}`) are put into the shape that templates
/// read, `{"type": "function", "function": …}`, where `bare` says that the row's format writes them so.
pub(crate) fn tools(value: Value, bare: bool) -> Result<Option<Value>> {
    if value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(None);
    }
    let hint = "write a list of objects: [{\"type\": \"function\", \"function\": {\"name\": …, \"parameters\": …}}]";
    let wrong = |path: String, value: &Value| {
        Fault::new("wrong-tools", path, format!("`tools` has {} where an object belongs", kind(value)), hint)
    };
    let value = parsed(value, "/tools", "`tools`")?;
    if value.is_null() {
        return Ok(None);
    }
    let Value::Array(list) = value else {
        let message = format!("`tools` is {}, not a list", kind(&value));
        return Err(Fault::new("wrong-tools", "/tools", message, hint));
    };
    let mut tools = Vec::new();
    for (index, tool) in list.into_iter().enumerate() {
        let path = format!("/tools/{index}");
        let Value::Object(tool) = without_nulls(parsed(tool, &path, "a tool")?) else {
            return Err(wrong(path, &Value::Null));
        };
        check_name(&tool, &path)?;
        let wrap = bare && tool.contains_key("name") && !tool.contains_key("function");
        tools.push(if wrap { json!({"type": "function", "function": tool}) } else { Value::Object(tool) });
    }
    Ok(Some(Value::Array(tools)))
}

/// A template writes a tool by its name; of another API's wrapping it would write none.
fn check_name(tool: &Map<String, Value>, path: &str) -> Result<()> {
    let function = tool.get("function").map_or(Some(tool), Value::as_object);
    if function.and_then(|function| function.get("name")?.as_str()).is_some_and(|name| !name.is_empty()) {
        return Ok(());
    }
    let keys = tool.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let keys = if keys.is_empty() { "it is empty".into() } else { format!("its keys are {keys}") };
    let hint = "write {\"type\": \"function\", \"function\": {\"name\": …, \"parameters\": …}}";
    Err(Fault::new("wrong-tools", path, format!("a tool has no name: {keys}"), hint))
}

/// A turn's `tool_calls`, arguments parsed; `None` for an empty list.
pub(crate) fn calls(value: Value, path: &str) -> Result<Option<Value>> {
    let path = format!("{path}/tool_calls");
    if value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(None);
    }
    let value = parsed(value, &path, "`tool_calls`")?;
    if value.is_null() {
        return Ok(None);
    }
    let Value::Array(list) = value else {
        let message = format!("`tool_calls` is {}, not a list", kind(&value));
        return Err(Fault::new("wrong-call", path, message, "write a list of calls, one also as a list"));
    };
    let calls = list.into_iter().enumerate().map(|(index, one)| call(one, &format!("{path}/{index}")));
    let calls = calls.collect::<Result<Vec<_>>>()?;
    Ok((!calls.is_empty()).then_some(Value::Array(calls)))
}

/// One call, with or without `function` around name and arguments.
fn call(value: Value, path: &str) -> Result<Value> {
    let Value::Object(mut fields) = parsed(value, path, "a call")? else { return Err(no_call(path)) };
    fields.retain(|_, value| !value.is_null());
    // Members keep their order: templates may write a call as it stands.
    match fields.get("function").cloned() {
        Some(function) => {
            let path = format!("{path}/function");
            let Value::Object(function) = parsed(function, &path, "a call's function")? else {
                return Err(no_call(&path));
            };
            fields.insert("function".into(), Value::Object(named(function, &path)?));
            Ok(Value::Object(fields))
        }
        None => named(fields, path).map(Value::Object),
    }
}

/// Name and arguments, the latter as an object.
fn named(mut function: Map<String, Value>, path: &str) -> Result<Map<String, Value>> {
    if function.get("name").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(no_call(path));
    }
    function.retain(|_, value| !value.is_null());
    if let Some(other) = ARGUMENTS.iter().find(|key| function.contains_key(**key)) {
        let message = format!("the arguments of a call are in `{other}`, which no template reads");
        return Err(Fault::new("wrong-call", format!("{path}/{other}"), message, "write them as `arguments`"));
    }
    if let Some(given) = function.get("arguments").cloned() {
        let at = format!("{path}/arguments");
        // A text has the nulls that its writer meant; only what a typed column padded is taken away.
        let meant = given.is_string();
        let given = if given.as_str().is_some_and(|text| text.trim().is_empty()) { json!({}) } else { given };
        let read = parsed(given, &at, "`arguments`")?;
        if !read.is_object() {
            let message = format!("`arguments` is {}, not an object", kind(&read));
            return Err(Fault::new("wrong-call", at, message, "write {\"argument\": value, …}"));
        }
        function.insert("arguments".into(), if meant { read } else { without_nulls(read) });
    }
    Ok(function)
}

/// What other formats call the arguments of a call: Llama 3, Anthropic, LangChain and others.
const ARGUMENTS: [&str; 6] = ["parameters", "input", "args", "kwargs", "params", "argument"];

fn no_call(path: &str) -> Fault {
    let hint = "a call is {\"type\": \"function\", \"function\": {\"name\": …, \"arguments\": {…}}}";
    Fault::new("wrong-call", path, "this is no call: it has no `name`", hint)
}

/// A turn of ShareGPT's role `function_call`: the text before the call, and the calls in OpenAI's shape.
pub(crate) fn from_text(text: &str, path: &str) -> Result<(Option<String>, Value)> {
    let (thought, rest) = thought(text);
    let hint = "write {\"name\": …, \"arguments\": {…}}, or a list of such objects, as JSON";
    let fail = |message: String| Fault::new("wrong-call", path, message, hint);
    let value = parsed(Value::String(rest.trim().to_owned()), path, "the call")
        .map_err(|fault| fail(format!("a `function_call` turn is no call: {}", fault.message)))?;
    let list = if let Value::Array(list) = value { list } else { vec![value] };
    let mut calls = Vec::new();
    for one in list {
        let call = call(one, path).map_err(|fault| fail(format!("a `function_call` turn: {}", fault.message)))?;
        let wrapped = call.get("function").is_some();
        calls.push(if wrapped { call } else { json!({"type": "function", "function": call}) });
    }
    if calls.is_empty() {
        return Err(fail("a `function_call` turn has an empty list of calls".into()));
    }
    Ok(((!thought.is_empty()).then(|| thought.to_owned()), Value::Array(calls)))
}

/// Reasoning that stands before a call in the same text, which stays the turn's content.
fn thought(text: &str) -> (&str, &str) {
    let end = "</think>";
    match text.trim_start().starts_with("<think>").then(|| text.find(end)).flatten() {
        Some(at) => text.split_at(at + end.len()),
        None => ("", text),
    }
}

/// Calls as a reference that answers are compared with: names and arguments, one call as an object and several as a list.
pub(crate) fn reference(calls: &Value) -> String {
    let bare = |call: &Value| {
        let function = call.get("function").unwrap_or(call);
        let arguments = function.get("arguments").cloned().unwrap_or_else(|| json!({}));
        json!({"name": function["name"], "arguments": arguments})
    };
    match calls.as_array().map(Vec::as_slice) {
        Some([one]) => bare(one).to_string(),
        Some(list) => Value::Array(list.iter().map(bare).collect()).to_string(),
        None => calls.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_in_texts_are_read_and_padding_goes() {
        let weather = json!({"type": "function", "function": {"name": "weather"}});
        let padded = json!({"type": "function", "function": {"name": "weather", "description": null}});
        for given in [json!([weather]), json!([padded]), json!(format!("[{weather}]")), json!([weather.to_string()])] {
            assert_eq!(tools(given, false), Ok(Some(json!([weather]))));
        }
        assert_eq!(tools(json!([{"name": "weather"}]), true), Ok(Some(json!([weather]))));
        assert_eq!(tools(json!([{"name": "weather"}]), false), Ok(Some(json!([{"name": "weather"}]))));
        for none in [json!(""), json!("null")] {
            assert_eq!(tools(none, false), Ok(None));
        }
        for given in [
            json!("weather"),
            json!({}),
            json!([3]),
            json!("[{'name': 'x'}]"),
            json!([{"toolSpec": {"name": "weather"}}]),
            json!([{"functionDeclarations": [{"name": "weather"}]}]),
            json!([{"type": "function", "function": {"parameters": {}}}]),
        ] {
            assert!(tools(given.clone(), false).is_err(), "{given}");
        }
    }

    #[test]
    fn arguments_in_texts_are_read() {
        let expected = json!([{"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]);
        for arguments in [json!({"a": 1, "b": null}), json!("{\"a\": 1}")] {
            let given = json!([{"id": "c1", "index": null, "type": "function", "function": {"name": "f", "arguments": arguments}}]);
            let mut read = calls(given, "/m").expect("calls").expect("one");
            // The order of members is not compared.
            assert_eq!(read.as_array_mut().expect("a list").len(), 1);
            assert_eq!(read, expected);
        }
        let kept = calls(json!([{"name": "f", "arguments": "{\"a\": null}"}]), "/m").expect("calls");
        assert_eq!(kept, Some(json!([{"name": "f", "arguments": {"a": null}}])));
        for bad in [
            json!("x"),
            json!([{}]),
            json!([{"name": "f", "arguments": "x"}]),
            json!([{"name": "f", "arguments": [1]}]),
        ] {
            assert!(calls(bad.clone(), "/m").is_err(), "{bad}");
        }
        for none in [json!([]), json!(""), json!("null"), json!("[]")] {
            assert_eq!(calls(none, "/m"), Ok(None));
        }
    }

    #[test]
    fn arguments_of_another_name_are_refused() {
        for key in ["parameters", "input", "args", "kwargs"] {
            for call in [json!({"name": "f", key: {"a": 1}}), json!({"name": "f", "arguments": {}, key: {}})] {
                let fault = calls(json!([{"type": "function", "function": call}]), "/m").expect_err(key);
                assert_eq!((fault.rule, fault.path), ("wrong-call", format!("/m/tool_calls/0/function/{key}")));
                let text = from_text(&call.to_string(), "/c").expect_err(key);
                assert!(text.message.contains(key), "{text:?}");
            }
        }
        assert!(calls(json!([{"name": "f", "args": null}]), "/m").is_ok(), "null is absent");
    }

    #[test]
    fn function_call_turns() {
        let (thought, read) =
            from_text("<think>\nhm</think>\n{\"name\": \"f\", \"arguments\": {}}", "/c").expect("a call");
        assert_eq!(thought.as_deref(), Some("<think>\nhm</think>"));
        assert_eq!(read, json!([{"type": "function", "function": {"name": "f", "arguments": {}}}]));
        assert_eq!(reference(&read), r#"{"name":"f","arguments":{}}"#);
        assert!(from_text("call f", "/c").is_err() && from_text("[]", "/c").is_err());
    }
}
