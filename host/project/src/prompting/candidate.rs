//! A row as an example.

use super::{head, named};
use crate::alike;
use diapason_core::sample::{Message, Sample};
use diapason_core::{Error, Result};
use serde_json::json;

/// A row that can stand as an example.
#[derive(Debug)]
pub(super) struct Candidate {
    /// The row.
    pub(super) sample: Sample,
    /// Its turns with the answer, without the system messages that it begins with.
    pub(super) turns: Vec<Message>,
}

impl Candidate {
    /// The row as an example; `None` if its answer is marked as not to be learned, which is usually a wrong one.
    ///
    /// Errors if the row has no answer.
    pub(super) fn of(sample: Sample) -> Result<Option<Self>> {
        if sample.answer.is_none() && sample.reference.is_none() {
            return Err(Error::data(format!("{} has no answer, so it cannot be an example", named(&sample)))
                .hint("give it an answer, or name a file whose rows all have one in the arm's `examples.from`"));
        }
        let Some(answer) = answer(&sample) else { return Ok(None) };
        let asked = &sample.messages[head(&sample.messages).len()..];
        let turns = asked.iter().cloned().chain([answer]).collect();
        Ok(Some(Self { sample, turns }))
    }

    /// Whether it says the same under `prompt`'s system message, tools and variables as under its own: it has none, or
    /// the same.
    pub(super) fn fits(&self, prompt: &Sample) -> bool {
        let own = &self.sample;
        let (system, given) = (head(&own.messages), head(&prompt.messages));
        let same_system = system.is_empty() || system == given;
        let same_tools = own.tools.is_none() || own.tools == prompt.tools;
        same_system && same_tools && own.variables.iter().all(|(name, value)| prompt.variables.get(name) == Some(value))
    }

    /// What it asks, as one text.
    pub(super) fn prompt(&self) -> String {
        alike::prompt(&self.sample.messages)
    }

    /// All that is read of it, for a digest; `tag` is the name of the tag that examples are chosen by.
    pub(super) fn identity(&self, tag: Option<&str>) -> String {
        let Sample { id, messages, tools, variables, tags, .. } = &self.sample;
        let tag = tag.and_then(|name| tags.get(name));
        json!([id, head(messages), self.turns, tools, variables, tag]).to_string()
    }
}

/// The answer that an example shows.
fn answer(sample: &Sample) -> Option<Message> {
    let reference = || sample.reference.as_deref().map(|text| Message::new("assistant", text));
    match &sample.answer {
        Some(answer) if answer.is_learned() => Some(answer.clone()),
        // The row's reference is another answer than the one that must not be learned.
        Some(wrong) => reference().filter(|right| alike::turn(wrong).answer() != right.content),
        None => reference(),
    }
}
