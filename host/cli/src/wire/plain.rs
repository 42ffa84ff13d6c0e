//! Prompts of plain text, which no chat template writes.

use super::Literal;
use diapason_core::language_model::{PLAIN, Tokenizer};
use diapason_core::sample::Conversation;
use diapason_core::{Error, Result};
use diapason_models::Model;
use std::sync::Arc;

/// What plain prompts need to know of a model.
pub(super) struct Plain {
    tokenizer: Arc<dyn Tokenizer>,
    /// Whether the model's files say that plain text begins with the beginning-of-text token.
    begins: Option<bool>,
}

impl Plain {
    pub(super) fn of(model: &Model) -> Self {
        Self { tokenizer: model.tokenizer(), begins: model.chat().begins }
    }

    /// The prompts of plain conversations, marked for the tokenizer. An empty one stays empty: engines have their own
    /// beginning for it.
    ///
    /// # Errors
    /// The model's files disagree on how plain text begins, or a text contains a mark.
    pub(super) fn prompts(&self, conversations: &[Conversation], literal: Option<&Literal>) -> Result<Vec<String>> {
        self.check()?;
        let prompt = |conversation: &Conversation| {
            let conversation =
                literal.map_or_else(|| Ok(conversation.clone()), |literal| literal.marked(conversation))?;
            let text: String = conversation.messages.into_iter().map(|message| message.content).collect();
            if text.contains(PLAIN) {
                let error = Error::data("a text contains U+FDD3, which is no character and is reserved");
                return Err(error.hint("remove it"));
            }
            Ok(if text.is_empty() { text } else { format!("{PLAIN}{text}") })
        };
        conversations.iter().map(prompt).collect()
    }

    /// The tokenizer alone decides how text begins; what another file says of it must be the same.
    fn check(&self) -> Result<()> {
        let begins = !self.tokenizer.encode(&PLAIN.to_string())?.is_empty();
        if self.begins.is_none_or(|said| said == begins) {
            return Ok(());
        }
        let (does, says) = if begins { ("puts a token", "no") } else { ("puts nothing", "yes") };
        let message = format!(
            "the tokenizer {does} before plain text, but `add_bos_token` of the model's other files says {says}"
        );
        Err(Error::data(message).hint(
            "make tokenizer_config.json say what tokenizer.json does, or ask through the chat template: \
             `apply_chat_template = true` in the suite's `task`",
        ))
    }
}
