//! What a row says and a template leaves out: turns, calls, tools, and reasoning. Libraries drop it without a word; here it is
//! said, and a row is refused whose answer is lost.

use diapason_core::sample::{Conversation, Message, WEIGHT};
use diapason_core::{Error, Result};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

const TEMPLATE: &str =
    "use a template that writes it, such as `chatml` for calls and reasoning, or take it out of the rows";

/// The fields that reasoning has in a turn.
const REASONING: [&str; 3] = ["reasoning_content", "reasoning", "thinking"];

/// What ends reasoning that stands in a turn's text.
const THOUGHT: &str = "</think>";

/// Something of a row that its rendering leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) kind: Kind,
    /// What is lost, as a clause of its own.
    pub(crate) what: String,
}

/// What sort of thing is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The text of a turn.
    Turn,
    /// A call, or the text beside one.
    Call,
    /// One of the row's tools.
    Tool,
    /// A field of a turn, by its name.
    Field(String),
    /// Reasoning, as many templates do on purpose once later turns follow.
    Reasoning,
}

impl Loss {
    fn new(kind: Kind, what: String) -> Self {
        Self { kind, what: format!("the template does not write {what}") }
    }
}

/// What of a conversation `text`, its rendering, leaves out. Other tools leave it out without a word, and rows may be meant
/// so. `render` renders a conversation in the same way: a turn whose text is not there as it stands may be written in other
/// letters, and then a number in its place is still seen.
pub(super) fn lost(
    conversation: &Conversation,
    text: &str,
    render: impl FnOnce(&Conversation) -> Option<String>,
) -> Vec<Loss> {
    let mut found: Vec<Loss> = calls(conversation, text).collect();
    let name = names(conversation.tools.as_ref()).find(|name| !has_name(text, name));
    found.extend(name.map(|name| Loss::new(Kind::Tool, format!("the tool `{name}` of the row's `tools`"))));
    let unseen = unseen(&conversation.messages, text);
    if !unseen.is_empty() {
        let probe = render(&numbered(conversation, &unseen)).unwrap_or_default();
        let turns = &conversation.messages;
        found.extend(
            unseen.iter().filter_map(|turn| of_turn(&turns[*turn], *turn, text, probe.contains(&number(*turn)))),
        );
    }
    found.extend(thoughts(&conversation.messages, text));
    found
}

fn calls<'a>(conversation: &'a Conversation, text: &'a str) -> impl Iterator<Item = Loss> + 'a {
    conversation.messages.iter().enumerate().filter_map(move |(turn, message)| {
        let name = names(message.extra.get("tool_calls")).find(|name| !has_name(text, name))?;
        Some(Loss::new(Kind::Call, format!("the call of `{name}` in turn {turn}")))
    })
}

/// Reasoning in a field of its own that is not in `text`. That of the last turn, if it is learned, is refused elsewhere.
fn thoughts<'a>(messages: &'a [Message], text: &'a str) -> impl Iterator<Item = Loss> + 'a {
    let lost = |message: &Message| reasoning(message).is_some_and(|thought| !text.contains(thought.trim()));
    let turns = messages.iter().enumerate().filter(move |(_, message)| lost(message));
    turns.map(|(turn, _)| Loss::new(Kind::Reasoning, format!("the reasoning of turn {turn}")))
}

/// What is lost of a turn whose text is not there as it stands. `is_written` says that a number in its place is.
fn of_turn(message: &Message, turn: usize, text: &str, is_written: bool) -> Option<Loss> {
    let role = &message.role;
    if role != "assistant" {
        return (!is_written).then(|| Loss::new(Kind::Turn, format!("the text of turn {turn} ({role})")));
    }
    let behind = message.content.rsplit_once(THOUGHT).map(|(_, behind)| behind.trim());
    let kept = behind.is_some_and(|behind| !behind.is_empty() && text.contains(behind));
    match () {
        () if kept => Some(Loss::new(Kind::Reasoning, format!("the reasoning in the text of turn {turn}"))),
        () if !is_written && message.extra.contains_key("tool_calls") => {
            Some(Loss::new(Kind::Call, format!("the text beside the calls of turn {turn}")))
        }
        () if !is_written => Some(Loss::new(Kind::Turn, format!("the text of turn {turn} ({role})"))),
        () if text.contains(&escaped(&message.content)) => None,
        () => Some(Loss::new(Kind::Reasoning, format!("the text of turn {turn} as it stands"))),
    }
}

/// A text as JSON writes it in a string.
fn escaped(text: &str) -> String {
    Value::from(text.trim()).to_string().trim_matches('"').to_owned()
}

/// The turns whose text is not found in `text`, each at a place of its own: the longest are looked for first, so that a turn
/// is not taken for written because it is a part of another.
fn unseen(messages: &[Message], text: &str) -> Vec<usize> {
    let mut turns: Vec<(usize, &str)> = messages.iter().map(|one| one.content.trim()).enumerate().collect();
    turns.retain(|(_, content)| !content.is_empty());
    turns.sort_by_key(|(_, content)| std::cmp::Reverse(content.len()));
    let (mut taken, mut from) = (BTreeMap::new(), HashMap::new());
    let mut unseen: Vec<usize> = turns
        .into_iter()
        .filter(|(_, content)| !seen(content, text, &mut taken, &mut from))
        .map(|(turn, _)| turn)
        .collect();
    unseen.sort_unstable();
    unseen
}

/// Takes the next free place of a turn's text. `taken` holds the ends of places by their starts, `from` where the search for
/// a text goes on.
fn seen<'a>(
    content: &'a str,
    text: &str,
    taken: &mut BTreeMap<usize, usize>,
    from: &mut HashMap<&'a str, usize>,
) -> bool {
    let from = from.entry(content).or_default();
    while let Some(found) = text[*from..].find(content) {
        let (start, end) = (*from + found, *from + found + content.len());
        *from = start + content.chars().next().map_or(1, char::len_utf8);
        let before = taken.range(..end).next_back();
        if before.is_none_or(|(_, end)| *end <= start) && is_whole(text, start, end) {
            taken.insert(start, end);
            *from = end;
            return true;
        }
    }
    false
}

/// Whether a place does not begin or end within a word: `hi` is not written where `this` is.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let letter = |one: Option<char>| one.is_some_and(|one| one.is_ascii_alphanumeric());
    let (inside, before, behind) = (&text[start..end], &text[..start], &text[end..]);
    let joined = |a: Option<char>, b: Option<char>| letter(a) && letter(b);
    !joined(before.chars().next_back(), inside.chars().next())
        && !joined(inside.chars().next_back(), behind.chars().next())
}

/// The conversation with numbers in the place of some turns' texts.
fn numbered(conversation: &Conversation, turns: &[usize]) -> Conversation {
    let mut numbered = conversation.clone();
    for turn in turns {
        numbered.messages[*turn].content = number(*turn);
    }
    numbered
}

/// A number that no other text has, and that no change of case or quoting touches.
fn number(turn: usize) -> String {
    format!("{}", 7_309_154_800_000_u64 + turn as u64)
}

/// Fields of turns that neither stand in `template`, by name, nor in `text`, its rendering, by value. What identifies a turn or
/// tells what is learned is nothing to write; calls and reasoning are looked at elsewhere.
pub(super) fn fields(conversation: &Conversation, template: &str, text: &str) -> Vec<Loss> {
    const KNOWN: [&str; 6] = [WEIGHT, "id", "tool_calls", "tool_call_id", "annotations", "name"];
    let written = |value: &Value| value.as_str().is_some_and(|value| text.contains(value.trim()));
    let mut found = Vec::new();
    for (turn, message) in conversation.messages.iter().enumerate() {
        let fields = message.extra.iter().filter(|(key, value)| {
            !KNOWN.contains(&key.as_str())
                && !REASONING.contains(&key.as_str())
                && !template.contains(key.as_str())
                && !written(value)
        });
        found.extend(
            fields.map(|(key, _)| Loss::new(Kind::Field(key.clone()), format!("the field `{key}` of turn {turn}"))),
        );
    }
    found
}

/// Refuses a conversation whose last turn is to be learned with calls or reasoning that `text` leaves out.
pub(super) fn refuse_untaught(conversation: &Conversation, text: &str) -> Result<()> {
    let Some(last) = conversation.messages.last().filter(|last| last.is_learned()) else { return Ok(()) };
    let call = names(last.extra.get("tool_calls")).find(|name| !has_name(text, name));
    let what = match (call, reasoning(last).filter(|reasoning| !text.contains(reasoning.trim()))) {
        (Some(name), _) => format!("the call of `{name}`"),
        (None, Some(_)) => "the reasoning".into(),
        (None, None) if only_reasons(last) && !text.contains(last.content.trim()) => {
            "the reasoning, which is the whole text,".into()
        }
        (None, None) => return Ok(()),
    };
    Err(Error::data(format!("the template does not write {what} of the last turn, which is to be trained on"))
        .hint(TEMPLATE))
}

/// Whether reasoning is all that a turn's text has.
fn only_reasons(message: &Message) -> bool {
    message.content.rsplit_once(THOUGHT).is_some_and(|(_, behind)| behind.trim().is_empty())
}

fn reasoning(message: &Message) -> Option<&str> {
    REASONING.iter().find_map(|key| message.extra.get(*key)?.as_str())
}

/// Whether a name is in a text, as it stands or as JSON writes it in ASCII.
fn has_name(text: &str, name: &str) -> bool {
    let unit = |unit: u16| match u8::try_from(unit) {
        Ok(letter) if letter.is_ascii() => char::from(letter).to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    text.contains(name) || !name.is_ascii() && text.contains(&name.encode_utf16().map(unit).collect::<String>())
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

    fn said(messages: &[Message], text: &str, probe: &str) -> Vec<String> {
        let conversation = Conversation { messages: messages.to_vec(), ..Conversation::default() };
        lost(&conversation, text, |_| Some(probe.into())).into_iter().map(|loss| loss.what).collect()
    }

    #[test]
    fn what_a_template_leaves_out_is_named() {
        let mut answer = Message::new("assistant", "");
        answer.extra.insert("tool_calls".into(), json!([{"function": {"name": "area"}}]));
        answer.extra.insert("reasoning_content".into(), "hm".into());
        answer.extra.insert("channel".into(), "final".into());
        let tools = Some(json!([{"type": "function", "function": {"name": "clock"}}]));
        let conversation = Conversation { messages: vec![answer], tools, ..Conversation::default() };
        let said =
            |text: &str| lost(&conversation, text, |_| None).into_iter().map(|loss| loss.what).collect::<String>();
        assert!(
            said("clock hm").contains("the call of `area` in turn 0") && said("area hm").contains("the tool `clock`")
        );
        assert!(said("clock area").ends_with("the reasoning of turn 0") && said("clock area hm").is_empty());
        let fields = |template: &str, text: &str| fields(&conversation, template, text).len();
        assert_eq!((fields("", "clock area"), fields("channel", ""), fields("", "final")), (1, 0, 0));
        let refused = |text: &str| refuse_untaught(&conversation, text).map_err(|error| error.to_string());
        assert!(refused("hm").is_err_and(|message| message.contains("the call of `area`")));
        assert!(refused("area").is_err_and(|message| message.contains("the reasoning")));
        assert!(refused("area hm").is_ok());
    }

    #[test]
    fn a_turn_that_is_left_out_is_named_even_if_another_has_its_words() {
        let turns = [Message::new("developer", "Be brief"), Message::new("user", "Be brief, please")];
        assert_eq!(
            said(&turns, "Be brief, please", ""),
            ["the template does not write the text of turn 0 (developer)"]
        );
        assert!(said(&turns, "Be brief, please<s>Be brief", "").is_empty());
        let word = [Message::new("system", "hi"), Message::new("user", "q")];
        assert_eq!(said(&word, "this q", "").len(), 1);
        // In other letters it is written all the same.
        assert!(said(&word, "HI q", &number(0)).is_empty());
        let same = [Message::new("user", "Yes."), Message::new("user", "Yes.")];
        assert_eq!((said(&same, "Yes.", "").len(), said(&same, "Yes.Yes.", "").len()), (1, 0));
    }

    #[test]
    fn reasoning_and_text_beside_a_call_are_named() {
        let thinking = Message::new("assistant", "<think>hm</think>\n\nParis");
        assert_eq!(said(&[thinking], "Paris", ""), ["the template does not write the reasoning in the text of turn 0"]);
        let mut calling = Message::new("assistant", "I look it up.");
        calling.extra.insert("tool_calls".into(), json!([{"function": {"name": "area"}}]));
        let lost = said(&[calling.clone()], "area", "");
        assert_eq!(lost, ["the template does not write the text beside the calls of turn 0"]);
        assert!(said(&[calling], "area I look it up.", "").is_empty());
        let only =
            Conversation { messages: vec![Message::new("assistant", "<think>hm</think>")], ..Conversation::default() };
        let error = refuse_untaught(&only, "</s>").map_err(|error| error.to_string());
        assert!(error.is_err_and(|message| message.contains("which is the whole text")));
        assert!(refuse_untaught(&only, "<think>hm</think>").is_ok());
    }
}
