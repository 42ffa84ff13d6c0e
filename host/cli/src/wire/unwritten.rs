//! What a row says and a template leaves out: calls, tools, and the reasoning that is to be learned. Libraries drop it without a
//! word; here it is said, and a row is refused whose answer is lost.

use diapason_core::sample::{Conversation, Message};
use diapason_core::{Error, Result};
use serde_json::Value;

const TEMPLATE: &str =
    "use a template that writes it, such as `chatml` for calls and reasoning, or take it out of the rows";

/// What of a conversation `text`, its rendering, leaves out: a call of an earlier turn, or a tool. Other tools leave it out
/// without a word, and rows may be meant so.
pub(super) fn lost(conversation: &Conversation, text: &str) -> Option<String> {
    for (index, message) in conversation.messages.iter().enumerate() {
        if let Some(name) = names(message.extra.get("tool_calls")).find(|name| !text.contains(name)) {
            return Some(format!("the template does not write the call of `{name}` in turn {index}"));
        }
    }
    let name = names(conversation.tools.as_ref()).find(|name| !text.contains(name))?;
    Some(format!("the template does not write the tool `{name}` of the row's `tools`"))
}

/// Refuses a conversation whose last turn is to be learned with calls or reasoning that `text` leaves out.
pub(super) fn refuse_untaught(conversation: &Conversation, text: &str) -> Result<()> {
    let Some(last) = conversation.messages.last().filter(|last| last.is_learned()) else { return Ok(()) };
    let call = names(last.extra.get("tool_calls")).find(|name| !text.contains(name));
    let what = match (call, reasoning(last).filter(|reasoning| !text.contains(reasoning.trim()))) {
        (Some(name), _) => format!("the call of `{name}`"),
        (None, Some(_)) => "the reasoning".into(),
        (None, None) => return Ok(()),
    };
    Err(Error::data(format!("the template does not write {what} of the last turn, which is to be trained on"))
        .hint(TEMPLATE))
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
        let said = |text: &str| lost(&conversation, text).unwrap_or_default();
        assert!(said("clock").contains("the call of `area` in turn 0") && said("area").contains("the tool `clock`"));
        assert_eq!(lost(&conversation, "clock area"), None);
        let refused = |text: &str| refuse_untaught(&conversation, text).map_err(|error| error.to_string());
        assert!(refused("hm").is_err_and(|message| message.contains("the call of `area`")));
        assert!(refused("area").is_err_and(|message| message.contains("the reasoning")));
        assert!(refused("area hm").is_ok());
    }
}
