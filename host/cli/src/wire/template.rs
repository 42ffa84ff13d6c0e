//! The chat template of a run: a component, and the template's text where it takes one.

use super::Plugins;
use crate::embedded;
use diapason_core::config::{self, Template};
use diapason_core::sample::{Conversation, Message, Segment};
use diapason_core::{Error, Result, files, manifest};
use diapason_model::Model;
use diapason_sandbox::{ChatTemplate, Grants};
use serde_json::{Map, Value};
use std::path::Path;

/// Where the template's text comes from, settled before a model is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The model's own.
    Model,
    /// This text.
    Text(String),
}

impl Origin {
    /// Reads the file or takes one of our own templates, where the configuration names one.
    pub(crate) fn of(template: &Template) -> Result<Self> {
        match template.template.as_deref() {
            None => Ok(Self::Model),
            Some(path) if config::is_path(path, "jinja") => files::read_text(Path::new(path)).map(Self::Text),
            Some(name) => embedded::template(name).map(|text| Self::Text(text.into())),
        }
    }

    /// What is known of it without the model.
    pub(crate) fn digest(&self) -> String {
        match self {
            Self::Model => "the model's own".into(),
            Self::Text(text) => diapason_core::digest::of_bytes(text.as_bytes()),
        }
    }
}

/// Renders conversations for one model.
pub(crate) struct Renderer {
    template: ChatTemplate,
    /// Digest of the component, the template's text and all settings.
    pub(crate) digest: String,
}

impl Renderer {
    /// For `model`; errors with a hint where neither the configuration nor the model has a template.
    pub(crate) fn new(template: &Template, plugins: &mut Plugins, model: &Model, grants: &Grants) -> Result<Self> {
        let plugin = plugins.get(&template.plugin)?;
        let mut settings = Map::new();
        if takes(plugin.settings_schema(), "template") {
            settings.extend(model.special_tokens());
            settings.insert("template".into(), text(&Origin::of(template)?, model)?.into());
        }
        settings.extend(template.settings.clone());
        let digest = manifest::digest_of([
            ("plugin", plugin.sha256()),
            ("settings", Value::Object(settings.clone()).to_string().as_str()),
        ]);
        Ok(Self { template: ChatTemplate::new(&plugin, &settings, grants)?, digest })
    }

    /// Conversations up to the point where the assistant answers.
    pub(crate) fn prompts(&mut self, conversations: &[Conversation]) -> Result<Vec<String>> {
        self.template.render_prompt(conversations)
    }

    /// Whole conversations, with what is to be learnt.
    pub(crate) fn training(&mut self, conversations: &[Conversation]) -> Result<Vec<Vec<Segment>>> {
        self.template.render_training(conversations)
    }
}

/// Stands for an answer, to see what a template puts behind it.
const ANSWER: &str = "Q7Zanswer9K";

impl Renderer {
    /// Makes the token that ends an assistant's turn in this template end the model's generations too. A template that
    /// renders no plain exchange has none; it says why where its own conversations are rendered.
    pub(crate) fn end_turns(&mut self, model: &mut Model) -> Result<()> {
        let messages = vec![Message::new("user", "Q"), Message::new("assistant", ANSWER)];
        let Ok(rendered) = self.training(&[Conversation { messages, tools: None }]) else { return Ok(()) };
        let text: String = rendered.iter().flatten().map(|segment| segment.text.as_str()).collect();
        if let Some((_, behind)) = text.rsplit_once(ANSWER) {
            model.add_stops(model.first_special(behind)?);
        }
        Ok(())
    }
}

fn text(origin: &Origin, model: &Model) -> Result<String> {
    match origin {
        Origin::Text(text) => Ok(text.clone()),
        Origin::Model => model.chat_template().map(String::from).ok_or_else(|| {
            let ours = embedded::templates().collect::<Vec<_>>().join(", ");
            Error::config("the model has no chat template of its own, and none is configured")
                .hint(format!("set `template.template` to one of ours ({ours}) or to a Jinja file"))
        }),
    }
}

fn takes(schema: &Value, key: &str) -> bool {
    schema.pointer(&format!("/properties/{key}")).is_some()
}
