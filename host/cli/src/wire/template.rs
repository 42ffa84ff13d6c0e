//! The chat template of a run: a component, and the template's text where it takes one.

use super::{Literal, Plugins, literal, unwritten};
use crate::embedded;
use diapason_core::config::{self, SpecialTokens, Template};
use diapason_core::sample::{Conversation, Message, Segment};
use diapason_core::{Error, Result, files, manifest};
use diapason_model::Model;
use diapason_sandbox::{ChatTemplate, Grants, Plugin};
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
    plugin: Plugin,
    settings: Map<String, Value>,
    grants: Grants,
    /// Marks special tokens in the rows' texts, where they are to be text.
    literal: Option<Literal>,
    lost: Option<String>,
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
        let literal = template.special_tokens_in_text == SpecialTokens::Literal;
        let literal = literal.then(|| Literal::new(model.specials()));
        let shown = Value::Object(settings.clone()).to_string();
        let mut parts = vec![("plugin", plugin.sha256()), ("settings", shown.as_str())];
        parts.extend(literal.iter().map(|_| ("special tokens in text", "literal")));
        let digest = manifest::digest_of(parts);
        let template = ChatTemplate::new(&plugin, &settings, grants)?;
        Ok(Self { template, plugin, settings, grants: grants.clone(), literal, lost: None, digest })
    }

    /// Conversations up to the point where the assistant answers.
    pub(crate) fn prompts(&mut self, conversations: &[Conversation]) -> Result<Vec<String>> {
        let rendered = self.each(conversations, ChatTemplate::render_prompt)?;
        for (number, (conversation, text)) in (1..).zip(conversations.iter().zip(&rendered)) {
            self.note(number, unwritten::lost(conversation, &literal::unmarked(text)));
        }
        Ok(rendered)
    }

    /// Whole conversations, with what is to be learnt.
    pub(crate) fn training(&mut self, conversations: &[Conversation]) -> Result<Vec<Vec<Segment>>> {
        let rendered = self.each(conversations, ChatTemplate::render_training)?;
        for (number, (conversation, segments)) in (1..).zip(conversations.iter().zip(&rendered)) {
            let text: String = segments.iter().map(|segment| segment.text.as_str()).collect();
            let text = literal::unmarked(&text);
            unwritten::refuse_untaught(conversation, &text).map_err(|error| {
                Error::data(format!("row {number}: {error}")).hint(error.hint_text().unwrap_or_default().to_owned())
            })?;
            self.note(number, unwritten::lost(conversation, &text));
        }
        Ok(rendered)
    }

    /// Keeps the first thing that a template leaves out.
    fn note(&mut self, row: usize, lost: Option<String>) {
        self.lost = self.lost.take().or_else(|| lost.map(|what| format!("row {row}, and perhaps others: {what}")));
    }

    /// What the template left out since the last time, said once.
    pub(crate) fn lost(&mut self) -> Option<String> {
        self.lost.take()
    }

    /// Renders neighbours with the same variables together. A row's own variables go before the settings': the template is
    /// set up anew for them, because the interface knows no variables of a row.
    fn each<T>(
        &mut self,
        conversations: &[Conversation],
        render: fn(&mut ChatTemplate, &[Conversation]) -> Result<Vec<T>>,
    ) -> Result<Vec<T>> {
        let mut rendered = Vec::with_capacity(conversations.len());
        let marked: Option<Vec<Conversation>> = match &self.literal {
            Some(literal) => Some(conversations.iter().map(|one| literal.marked(one)).collect::<Result<_>>()?),
            None => None,
        };
        let conversations = marked.as_deref().unwrap_or(conversations);
        for alike in conversations.chunk_by(|a, b| a.variables == b.variables) {
            let variables = &alike[0].variables;
            rendered.extend(match variables.is_empty() {
                true => render(&mut self.template, alike)?,
                false => render(&mut self.with(variables)?, alike)?,
            });
        }
        Ok(rendered)
    }

    fn with(&self, variables: &Map<String, Value>) -> Result<ChatTemplate> {
        let mut settings = self.settings.clone();
        settings.extend(variables.clone());
        config::check_settings(self.plugin.id(), self.plugin.settings_schema(), &settings).map_err(|error| {
            Error::data(format!("the template does not take a row's variables: {error}"))
                .hint("`chat_template_kwargs`, `documents` and `enable_thinking` are variables of Jinja templates")
        })?;
        ChatTemplate::new(&self.plugin, &settings, &self.grants)
    }
}

/// Stands for an answer, to see what a template puts behind it.
const ANSWER: &str = "Q7Zanswer9K";

impl Renderer {
    /// Makes the token that ends an assistant's turn in this template end the model's generations too. A template that
    /// renders no plain exchange has none; it says why where its own conversations are rendered.
    pub(crate) fn end_turns(&mut self, model: &mut Model) -> Result<()> {
        let messages = vec![Message::new("user", "Q"), Message::new("assistant", ANSWER)];
        let Ok(rendered) = self.training(&[Conversation { messages, ..Conversation::default() }]) else {
            return Ok(());
        };
        let text: String = rendered.iter().flatten().map(|segment| segment.text.as_str()).collect();
        if let Some((_, behind)) = text.rsplit_once(ANSWER) {
            model.end_turns(model.first_special(behind)?);
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
