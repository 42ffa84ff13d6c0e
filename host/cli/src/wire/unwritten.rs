//! What a row says and a template leaves out: calls, tools, and the reasoning that is to be learned. Libraries drop it without a
//! word; here the row is refused.

use diapason_core::sample::{Conversation, Message};
use diapason_core::{Error, Result};
use serde_json::Value;

const TEMPLATE: &str =
    "use a template that writes it, such as `chatml` for calls and reasoning, or take it out of the rows";

/// Refuses a conversation of which `text`, its rendering, leaves out a call or a tool.
pub(super) fn refuse_lost(conversation: &Conversation, text: &str) -> Result<()> {
    for (index, message) in conversation.messages.iter().enumerate() {
        for name in names(message.extra.get("tool_calls")).filter(|name| !text.contains(name)) {
            let message = format!("the template does not write the call of `{name}` in turn {index}");
            return Err(Error::data(message).hint(TEMPLATE));
        }
    }
    match names(conversation.tools.as_ref()).find(|name| !text.contains(name)) {
        Some(name) => {
            Err(Error::data(format!("the template does not write the tool `{name}` of the row's `tools`"))
                .hint(TEMPLATE))
        }
        None => Ok(()),
    }
}

/// Refuses a conversation whose last turn is to be learned with reasoning that `text` leaves out.
pub(super) fn refuse_unreasoned(conversation: &Conversation, text: &str) -> Result<()> {
    let Some(last) = conversation.messages.last().filter(|last| last.is_learned()) else { return Ok(()) };
    match reasoning(last).filter(|reasoning| !text.contains(reasoning.trim())) {
        Some(_) => Err(Error::data("the template does not write the reasoning of the last turn").hint(TEMPLATE)),
        None => Ok(()),
    }
}

fn reasoning(message: &Message) -> Option<&str> {
    ["reasoning_content", "reasoning", "thinking"].iter().find_map(|key| message.extra.get(*key)?.as_str())
}

/// The names of functions, as tools and calls have them.
fn names(list: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|one| one.get("function").unwrap_or(one).get("name")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_template_leaves_out_is_named() {
        let mut answer = Message::new("assistant", "");
        answer.extra.insert("tool_calls".into(), json!([{"function": {"name": "area"}}]));
        answer.extra.insert("reasoning_content".into(), "hm".into());
        let tools = Some(json!([{"type": "function", "function": {"name": "clock"}}]));
        let conversation = Conversation { messages: vec![answer], tools, ..Conversation::default() };
        let lost = |text: &str| refuse_lost(&conversation, text).map_err(|error| error.to_string());
        assert!(lost("clock").is_err_and(|message| message.contains("the call of `area` in turn 0")));
        assert!(lost("area").is_err_and(|message| message.contains("the tool `clock`")));
        assert_eq!(lost("clock area"), Ok(()));
        assert!(refuse_unreasoned(&conversation, "area").is_err() && refuse_unreasoned(&conversation, "hm").is_ok());
    }
}
