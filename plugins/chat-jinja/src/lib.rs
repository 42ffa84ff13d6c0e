//! Chat templates in Jinja, rendered as `transformers` renders them.
//!
//! A template that marks the assistant's text with `{% generation %}` says itself what is learnt. For any other
//! template the plugin renders the conversation up to each answer and with it, and takes the difference.

mod clock;
mod environment;
mod generation;
mod json;
mod methods;
mod prefix;

use diapason_plugin::{ChatTemplate, Conversation, Message, Result, Segment};
use environment::Template;
use serde_json::{Map, Value};

/// The settings.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Settings {
    /// The template's text, as it stands in `chat_template.jinja` or under `chat_template` in `tokenizer_config.json`.
    template: String,
    /// Whether a prompt ends with the header of the assistant's turn.
    #[serde(default = "yes")]
    add_generation_prompt: bool,
    /// The day that templates see as today, as `2026-01-01`: a plugin has no clock, so that results can be repeated.
    #[serde(default = "first_day")]
    date: String,
    /// Everything else is a variable of the template: `bos_token`, `eos_token`, `enable_thinking`, …
    #[serde(flatten)]
    variables: Map<String, Value>,
}

/// A compiled template.
pub struct Jinja {
    template: Template,
    add_generation_prompt: bool,
}

impl ChatTemplate for Jinja {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self> {
        let date = clock::Date::parse(&settings.date)?;
        let template = Template::compile(&settings.template, date, settings.variables)?;
        Ok(Self { template, add_generation_prompt: settings.add_generation_prompt })
    }

    fn render_training(&self, conversation: &Conversation) -> Result<Vec<Segment>> {
        let (messages, tools) = values(conversation)?;
        let turns = prefix::Turns { template: &self.template, messages: &messages, tools: &tools };
        match self.template.marks_generation() {
            true => generation::without_context(
                generation::segments(&turns.render(messages.len(), false)?)?,
                &turns.learnt(),
            ),
            false => prefix::segments(&turns),
        }
    }

    fn render_prompt(&self, conversation: &Conversation) -> Result<String> {
        let (messages, tools) = values(conversation)?;
        let turns = prefix::Turns { template: &self.template, messages: &messages, tools: &tools };
        Ok(generation::unmarked(&turns.render(messages.len(), self.add_generation_prompt)?))
    }
}

diapason_plugin::plugin! { chat_template: Jinja }

/// The names that a turn's reasoning goes by; templates read the first, those of gpt-oss the second.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

/// The conversation as a template sees it: a list of objects, and the tools or null.
fn values(conversation: &Conversation) -> Result<(Vec<Value>, Value)> {
    let messages = conversation.messages.iter().map(value).collect::<Result<_>>()?;
    let tools = conversation.tools.as_deref().unwrap_or("null");
    let tools = serde_json::from_str(tools).map_err(|cause| format!("failed to read tools: {cause}"))?;
    Ok((messages, tools))
}

fn value(message: &Message) -> Result<Value> {
    generation::refuse_marks(&message.content)?;
    let mut fields = Map::new();
    fields.insert("role".into(), message.role.as_str().into());
    fields.insert("content".into(), message.content.as_str().into());
    if let Some(extra) = &message.extra {
        generation::refuse_marks(extra)?;
        let extra: Map<String, Value> =
            serde_json::from_str(extra).map_err(|cause| format!("failed to read a turn's fields: {cause}"))?;
        fields.extend(extra);
    }
    fields.retain(|_, value| !value.is_null());
    alias_reasoning(&mut fields);
    Ok(Value::Object(fields))
}

/// Gives a turn's reasoning the names that templates look for, as `transformers` does.
fn alias_reasoning(fields: &mut Map<String, Value>) {
    let known = REASONING.iter().find_map(|name| fields.get(*name).filter(|value| !value.is_null()));
    if let Some(reasoning) = known.cloned() {
        fields.entry("thinking").or_insert(reasoning.clone());
        fields.insert("reasoning_content".into(), reasoning);
    }
}

fn yes() -> bool {
    true
}

fn first_day() -> String {
    "2026-01-01".into()
}
