//! The chat template of a run: a component, and the template's text where it takes one.

use super::{Literal, Origin, Plugins, literal, origin, unwritten};
use diapason_core::config::{SpecialTokens, Template};
use diapason_core::digest;
use diapason_core::sample::{Conversation, Message, Segment};
use diapason_core::schema;
use diapason_core::{Error, Result};
use diapason_model::{ChatTemplates, Model};
use diapason_sandbox::{ChatTemplate, Grants, Plugin};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The setting by which a prompt ends in its last turn.
const CONTINUE: &str = "continue_final_message";

/// Renders conversations for one model.
pub(crate) struct Renderer {
    template: ChatTemplate,
    plugin: Plugin,
    settings: Map<String, Value>,
    grants: Grants,
    /// Marks special tokens in the rows' texts, where they are to be text.
    literal: Option<Literal>,
    /// The templates; none where the plugin has its own.
    templates: ChatTemplates,
    /// Whether these are the configuration's, and not the model's.
    configured: bool,
    notes: Vec<String>,
    /// Digest of the component, the template's text and all settings.
    pub(crate) digest: String,
}

impl Renderer {
    /// For `model`, with the adapter in this folder where the configuration asks for its template. Errors with a hint where
    /// neither the configuration nor the model has a template.
    pub(crate) fn new(
        template: &Template,
        adapter: Option<&Path>,
        plugins: &mut Plugins,
        model: &Model,
        grants: &Grants,
    ) -> Result<Self> {
        let plugin = plugins.get(&template.plugin)?;
        let (mut settings, mut templates, mut configured) = (Map::new(), ChatTemplates::default(), false);
        if takes(plugin.settings_schema(), "template") {
            let origin = Origin::of(template, adapter)?;
            let chat = origin.chat(model);
            settings = origin::settings(&chat, template.settings.get(origin::NAME))?;
            (templates, configured) = (chat.templates, matches!(origin, Origin::Text(_)));
        }
        settings.extend(template.settings.clone());
        let literal = template.special_tokens_in_text == SpecialTokens::Literal;
        let literal = literal.then(|| Literal::new(model.specials()));
        let shown = Value::Object(settings.clone()).to_string();
        let mut parts = vec![("plugin", plugin.sha256()), ("settings", shown.as_str())];
        parts.extend(literal.iter().map(|_| ("special tokens in text", "literal")));
        let digest = digest::of_parts(parts);
        let own = &template.settings;
        let template = ChatTemplate::new(&plugin, &settings, grants)?;
        let (grants, notes) = (grants.clone(), Vec::new());
        let mut renderer = Self { template, plugin, settings, grants, literal, templates, configured, notes, digest };
        renderer.note_unread(own);
        Ok(renderer)
    }

    /// Conversations up to the point where the assistant answers.
    pub(crate) fn prompts(&mut self, conversations: &[Conversation]) -> Result<Vec<String>> {
        let rendered = self.each(conversations, ChatTemplate::render_prompt)?;
        for (number, (conversation, text)) in (1..).zip(conversations.iter().zip(&rendered)) {
            self.note(number, unwritten::lost(conversation, &literal::unmarked(text)));
        }
        Ok(rendered)
    }

    /// A conversation up to the end of its last turn's text, for the model to go on with.
    ///
    /// # Errors
    /// The plugin writes prompts in one way only, or the template leaves the text out.
    pub(crate) fn continued(&mut self, conversation: &Conversation) -> Result<String> {
        if !takes(self.plugin.settings_schema(), CONTINUE) {
            return Err(Error::config(format!("plugin {} cannot go on with a begun answer", self.plugin.id()))
                .hint(format!("it would need a setting `{CONTINUE}`, as `chat-jinja` has it")));
        }
        self.settings.insert(CONTINUE.into(), true.into());
        let template = self.with(&conversation.variables);
        self.settings.remove(CONTINUE);
        Ok(template?.render_prompt(std::slice::from_ref(conversation))?.concat())
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
        let known = self.notes.iter().any(|note| note.starts_with("row "));
        self.notes.extend(lost.filter(|_| !known).map(|what| format!("row {row}, and perhaps others: {what}")));
    }

    /// Says which of `variables` no template reads: a misspelt one would be without effect, and without a word.
    fn note_unread(&mut self, variables: &Map<String, Value>) {
        let settings = |name: &str| takes(self.plugin.settings_schema(), name);
        let read = |name: &str| settings(name) || self.templates.texts().any(|text| has_word(text, name));
        let unread = variables.keys().filter(|name| !self.templates.is_empty() && !read(name));
        let notes = unread.map(|name| format!("the chat template does not read the variable `{name}`"));
        let new: Vec<String> = notes.filter(|note| !self.notes.contains(note)).collect();
        self.notes.extend(new);
    }

    /// The template of the configuration, which readers of a model that is trained in it have to know.
    pub(crate) fn configured(&self) -> Option<&ChatTemplates> {
        Some(&self.templates).filter(|_| self.configured)
    }

    /// What there is to say of the conversations since the last time, each once.
    pub(crate) fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
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

    fn with(&mut self, variables: &Map<String, Value>) -> Result<ChatTemplate> {
        self.note_unread(variables);
        let schema = self.plugin.settings_schema();
        if let Some(name) = variables.keys().find(|name| takes(schema, name)) {
            return Err(Error::data(format!("`{name}` is a setting of plugin {}, not a variable", self.plugin.id()))
                .hint("it is the same for all rows: set it in `template.settings`"));
        }
        let mut settings = self.settings.clone();
        settings.extend(variables.clone());
        schema::check_settings(self.plugin.id(), self.plugin.settings_schema(), &settings).map_err(|error| {
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
        let plain = Conversation { messages, ..Conversation::default() };
        // Another template may be used for conversations with tools.
        let tool = json!([{"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}]);
        let with_tools = Conversation { tools: Some(tool), ..plain.clone() };
        let several = self.templates.names().count() > 1;
        for exchange in [plain].into_iter().chain(Some(with_tools).filter(|_| several)) {
            let Ok(rendered) = self.each(&[exchange], ChatTemplate::render_training) else { continue };
            let text: String = rendered.iter().flatten().map(|segment| segment.text.as_str()).collect();
            if let Some((_, behind)) = text.rsplit_once(ANSWER) {
                model.end_turns(model.first_special(behind)?);
            }
        }
        Ok(())
    }
}

fn takes(schema: &Value, key: &str) -> bool {
    schema.pointer(&format!("/properties/{key}")).is_some()
}

/// Whether `name` stands in `text` as a name of its own.
fn has_word(text: &str, name: &str) -> bool {
    let inside = |one: char| one.is_alphanumeric() || one == '_';
    let alone = |at: usize| {
        let (before, behind) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !before.is_some_and(inside) && !behind.is_some_and(inside)
    };
    text.match_indices(name).any(|(at, _)| alone(at))
}
