//! `chat-template`: turns conversations into the text that the model was trained on.

use crate::bindings::exports::diapason::plugin::chat_template::Guest;
use crate::component::Plugin;
use crate::grants::Grants;
use crate::guest;
use crate::interface::Capability;
use crate::session::Session;
use crate::size;
use crate::translate;
use diapason_core::Result;
use diapason_core::sample::{Conversation, Segment};
use serde_json::{Map, Value};

/// A plugin used as a chat template, under some settings.
pub struct ChatTemplate {
    session: Session<Guest>,
}

impl ChatTemplate {
    /// Errors where the plugin is no chat template, does not take these settings or imports what is not granted.
    pub fn new(plugin: &Plugin, settings: &Map<String, Value>, grants: &Grants) -> Result<Self> {
        Ok(Self { session: Session::open(plugin, Capability::ChatTemplate, settings, grants, guest::chat_template)? })
    }

    /// Whole conversations, for training. The segments of each, joined, are its text.
    pub fn render_training(&mut self, conversations: &[Conversation]) -> Result<Vec<Vec<Segment>>> {
        let rendered = self.session.map_weighed(
            "render-training",
            conversations,
            name,
            weight,
            |store, guest, settings, batch| {
                let batch: Vec<_> = batch.iter().map(translate::conversation_to_wit).collect();
                guest.call_render_training(store, settings, &batch)
            },
        )?;
        let segments = |segments: Vec<_>| segments.into_iter().map(translate::segment_from_wit).collect();
        let rendered: Vec<Vec<Segment>> = rendered.into_iter().map(segments).collect();
        self.spend("render-training", conversations, rendered.iter().map(|one| size::segments(one)).sum())?;
        Ok(rendered)
    }

    /// Conversations up to the point where the assistant answers.
    pub fn render_prompt(&mut self, conversations: &[Conversation]) -> Result<Vec<String>> {
        let rendered = self.session.map_weighed(
            "render-prompt",
            conversations,
            name,
            weight,
            |store, guest, settings, batch| {
                let batch: Vec<_> = batch.iter().map(translate::conversation_to_wit).collect();
                guest.call_render_prompt(store, settings, &batch)
            },
        )?;
        self.spend("render-prompt", conversations, size::texts(&rendered))?;
        Ok(rendered)
    }

    fn spend(&mut self, call: &str, conversations: &[Conversation], kept: usize) -> Result<()> {
        self.session.spend(call, conversations.iter().map(size::conversation).sum(), kept)
    }
}

/// Where the row of a conversation stands. Those of no file are counted from 1, in the order they were given.
fn name(index: usize, conversation: &Conversation) -> String {
    match conversation.place.as_str() {
        "" => format!("conversation {}", index + 1),
        place => place.to_owned(),
    }
}

/// So many turns of a conversation may use the fuel of a row.
const TURNS: usize = 16;

/// How many times the fuel of a row a conversation may use.
fn weight(conversation: &Conversation) -> usize {
    1 + conversation.messages.len() / TURNS
}
