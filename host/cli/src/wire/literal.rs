//! Special tokens in the rows' texts: where they stand, and marked so that they are encoded as text.

use diapason_core::language_model::{LITERAL, PLAIN};
use diapason_core::sample::{Conversation, Message};
use diapason_core::{Error, Result};
use serde_json::{Map, Value};

/// The special tokens of a model that are taken for text where rows contain them.
pub(crate) struct Literal(Vec<String>);

impl Literal {
    /// For a model with these special tokens, the longest first.
    pub(crate) fn new(specials: Vec<String>) -> Self {
        Self(specials)
    }

    /// The first special token that stands in `text`.
    pub(crate) fn find(&self, text: &str) -> Option<&str> {
        self.0.iter().map(String::as_str).find(|special| text.contains(special))
    }

    /// The first special token that stands in a text of `value`.
    pub(crate) fn find_in(&self, value: &Value) -> Option<&str> {
        match value {
            Value::String(text) => self.find(text),
            Value::Array(list) => list.iter().find_map(|one| self.find_in(one)),
            Value::Object(map) => map.values().find_map(|one| self.find_in(one)),
            _ => None,
        }
    }

    /// The conversation with every special token in its texts marked.
    ///
    /// # Errors
    /// A text contains the mark.
    pub(super) fn marked(&self, conversation: &Conversation) -> Result<Conversation> {
        let marked = |map: &Map<String, Value>| -> Result<Map<String, Value>> {
            map.iter().map(|(key, value)| Ok((key.clone(), self.value(value)?))).collect()
        };
        let message = |message: &Message| {
            Ok(Message { content: self.text(&message.content)?, extra: marked(&message.extra)?, ..message.clone() })
        };
        Ok(Conversation {
            messages: conversation.messages.iter().map(message).collect::<Result<_>>()?,
            tools: conversation.tools.as_ref().map(|tools| self.value(tools)).transpose()?,
            // Documents are text of others as well.
            variables: marked(&conversation.variables)?,
            plain: conversation.plain,
            place: conversation.place.clone(),
        })
    }

    fn value(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => self.text(text)?.into(),
            Value::Array(list) => Value::Array(list.iter().map(|one| self.value(one)).collect::<Result<_>>()?),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(key, one)| Ok((key.clone(), self.value(one)?))).collect::<Result<_>>()?)
            }
            other => other.clone(),
        })
    }

    fn text(&self, text: &str) -> Result<String> {
        if text.contains(LITERAL) {
            return Err(Error::data("a text contains U+FDD2, which is no character and is reserved").hint("remove it"));
        }
        let mark = |text: String, special: &String| {
            let first = special.chars().next().map_or(0, char::len_utf8);
            text.replace(special, &format!("{}{LITERAL}{}", &special[..first], &special[first..]))
        };
        Ok(self.0.iter().fold(text.to_owned(), mark))
    }
}

/// A text without marks, as a reader sees it.
pub(crate) fn unmarked(text: &str) -> String {
    text.replace([LITERAL, PLAIN], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_tokens_in_texts_are_marked() {
        let literal = Literal::new(vec!["<|end|>".into(), "<s>".into()]);
        let mut user = Message::new("user", "What is <|end|>?");
        user.extra.insert("name".into(), "<s>".into());
        let documents = serde_json::json!({"documents": [{"text": "a <s>"}]});
        assert_eq!(literal.find_in(&documents), Some("<s>"));
        let variables = documents.as_object().expect("variables").clone();
        let conversation = Conversation { messages: vec![user], variables, ..Conversation::default() };
        let marked = literal.marked(&conversation).expect("marked");
        assert_eq!(marked.messages[0].content, "What is <\u{fdd2}|end|>?");
        assert_eq!(marked.messages[0].extra["name"], "<\u{fdd2}s>");
        assert_eq!(marked.variables["documents"][0]["text"], "a <\u{fdd2}s>");
        assert_eq!(unmarked(&marked.messages[0].content), "What is <|end|>?");
        assert_eq!((literal.find("a <s>"), literal.find("a")), (Some("<s>"), None));
        assert!(literal.marked(&marked).is_err());
    }
}
