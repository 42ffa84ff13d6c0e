//! Chat templates: plugins that turn conversations into the text that a model was trained on.

use crate::bindings::chat_template::exports::diapason::plugin::chat_template as wit;
pub use crate::bindings::chat_template::exports::diapason::plugin::chat_template::{Conversation, Segment};
use crate::{Exported, Result, instance};
use serde::de::DeserializeOwned;

/// Turns conversations into text.
pub trait ChatTemplate: Sized + 'static {
    /// What a user may set; see [`Evaluator::Settings`](crate::Evaluator::Settings).
    type Settings: DeserializeOwned + schemars::JsonSchema;

    /// Prepares for these settings. An error says which setting is wrong, and why.
    fn new(settings: Self::Settings) -> Result<Self>;

    /// Renders a whole conversation. The segments joined are the rendering; those to learn are marked.
    fn render_training(&self, conversation: &Conversation) -> Result<Vec<Segment>>;

    /// Renders a conversation up to the point where the assistant answers.
    fn render_prompt(&self, conversation: &Conversation) -> Result<String>;
}

impl Segment {
    /// Text that the model is given.
    pub fn given(text: impl Into<String>) -> Self {
        Self { text: text.into(), learn: false }
    }

    /// Text that the model is trained to produce.
    pub fn learnt(text: impl Into<String>) -> Self {
        Self { text: text.into(), learn: true }
    }
}

impl<T: ChatTemplate> wit::Guest for Exported<T> {
    fn render_training(settings: String, conversations: Vec<Conversation>) -> Result<Vec<Vec<Segment>>> {
        let template = instance::of(&settings, T::new)?;
        each(&conversations, |conversation| template.render_training(conversation))
    }

    fn render_prompt(settings: String, conversations: Vec<Conversation>) -> Result<Vec<String>> {
        let template = instance::of(&settings, T::new)?;
        each(&conversations, |conversation| template.render_prompt(conversation))
    }
}

/// Renders each; an error says which conversation of a batch it was.
fn each<R>(conversations: &[Conversation], render: impl Fn(&Conversation) -> Result<R>) -> Result<Vec<R>> {
    let count = conversations.len();
    let place = |index: usize, cause: String| match count {
        1 => cause,
        _ => format!("conversation {} of {count}: {cause}", index + 1),
    };
    let render = |(index, conversation)| render(conversation).map_err(|cause| place(index, cause));
    conversations.iter().enumerate().map(render).collect()
}
