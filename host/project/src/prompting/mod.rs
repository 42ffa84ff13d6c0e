//! What an arm puts in front of a suite's prompts: examples, and passages of documents.
//!
//! An example stands as turns of its own, after the prompt's system message and before everything else. Passages stand
//! in the prompt's last user turn, in front of its text; examples get none. Nothing else of a prompt is changed: its tools
//! and variables, and the `context` that evaluators see, stay the sample's.
//!
//! Both depend on the sample alone and never on what else is asked. [`Prompting::digest`] covers all that shapes them.

mod bm25;
mod candidate;
mod examples;
mod folder;
mod passages;
mod split;

pub use examples::Examples;
pub use folder::LeftOut;
pub use passages::{Passage, Passages};

use diapason_core::sample::{Conversation, Message, Sample};
use diapason_core::{Result, digest};

/// Examples, passages, both or neither, in front of a suite's prompts.
#[derive(Debug, Default)]
pub struct Prompting {
    /// Examples as turns before the prompt.
    pub examples: Option<Examples>,
    /// Passages in the prompt's last user turn.
    pub passages: Option<Passages>,
}

impl Prompting {
    /// Returns what a template needs to write the prompt of `sample`.
    ///
    /// Errors if too few examples are left for it, it lacks the tag that they are chosen by, or it has no user turn for
    /// passages.
    pub fn prompt(&self, sample: &Sample) -> Result<Conversation> {
        let mut prompt = Conversation::prompt(sample);
        if let Some(passages) = &self.passages {
            passages.put_into(&mut prompt.messages, sample)?;
        }
        if let Some(examples) = &self.examples {
            let turns = examples.turns(sample)?;
            let after = head(&prompt.messages).len();
            prompt.messages.splice(after..after, turns);
        }
        Ok(prompt)
    }

    /// Whether prompts stay as they are.
    pub fn is_empty(&self) -> bool {
        self.examples.is_none() && self.passages.is_none()
    }

    /// Returns the digest of everything that shapes what is put in front of prompts, beside the prompts themselves.
    pub fn digest(&self) -> String {
        let examples = self.examples.as_ref().map_or("", Examples::digest);
        let passages = self.passages.as_ref().map_or("", Passages::digest);
        digest::of_parts([("examples", examples), ("passages", passages)])
    }
}

/// The system messages that a conversation begins with.
fn head(messages: &[Message]) -> &[Message] {
    let is_system = |message: &Message| matches!(message.role.as_str(), "system" | "developer");
    &messages[..messages.iter().take_while(|message| is_system(message)).count()]
}

/// How messages name a sample.
fn named(sample: &Sample) -> String {
    if sample.place.is_empty() { format!("sample `{}`", sample.id) } else { sample.place.clone() }
}

#[cfg(test)]
mod tests;
