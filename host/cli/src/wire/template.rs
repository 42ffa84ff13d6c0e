//! The chat template of a run: a component, and the template's text where it takes one.

use super::plain::Plain;
use super::unwritten::{self, Kind, Loss};
use super::{Literal, Origin, Plugins, defaults, literal, origin};
use diapason_core::config::{SpecialTokens, Template};
use diapason_core::digest;
use diapason_core::sample::{Conversation, Message, Segment};
use diapason_core::schema;
use diapason_core::{Error, Result};
use diapason_models::templates::{DEFAULT, TOOL_USE};
use diapason_models::{ChatTemplates, Model};
use diapason_sandbox::{ChatTemplate, Grants, Plugin};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
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
    /// Prompts that no template writes.
    plain: Plain,
    /// The templates; none where the plugin has its own.
    templates: ChatTemplates,
    /// What readers of a model that is trained in them have to know, where that is not what its base says.
    configured: Option<ChatTemplates>,
    notes: Vec<String>,
    /// What the last rows lost, by their place among them.
    losses: Vec<(usize, Loss)>,
    /// What was noted.
    noted: Vec<Kind>,
    /// Variables that the template in use does not read, already noted.
    unread: BTreeSet<String>,
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
        let (mut settings, mut templates, mut configured) = (Map::new(), ChatTemplates::default(), None);
        if takes(plugin.settings_schema(), "template") {
            let origin = Origin::of(template, adapter)?;
            let chat = origin.chat(model);
            settings = origin::settings(&chat, template.settings.get(super::TEMPLATE_NAME))?;
            settings.extend(template.settings.clone());
            templates = origin::of_settings(&settings);
            let is_setting = |name: &str| takes(plugin.settings_schema(), name);
            let written = defaults::written(&templates, &template.settings, is_setting);
            configured =
                Some(written).filter(|written| matches!(origin, Origin::Text(_)) || *written != chat.templates);
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
        let (grants, notes, losses, noted, unread) =
            (grants.clone(), Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
        let mut renderer = Self {
            template,
            plugin,
            settings,
            grants,
            literal,
            plain: Plain::of(model),
            templates,
            configured,
            notes,
            losses,
            noted,
            unread,
            digest,
        };
        let own =
            own.iter().filter(|(name, _)| !renderer.used(true).is_some_and(|text| defaults::has_word(text, name)));
        let own = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        renderer.note_unread(&own, false);
        Ok(renderer)
    }

    /// Conversations up to the point where the assistant answers.
    pub(crate) fn prompts(&mut self, conversations: &[Conversation]) -> Result<Vec<String>> {
        let rendered = self.written(conversations)?;
        self.losses.clear();
        for (row, (conversation, text)) in
            conversations.iter().zip(&rendered).enumerate().filter(|(_, (one, _))| !one.plain)
        {
            let text = literal::unmarked(text);
            let losses = unwritten::lost(conversation, &text, |probe| {
                Some(self.each(std::slice::from_ref(probe), ChatTemplate::render_prompt).ok()?.concat())
            });
            self.note(row, conversation, &text, losses);
        }
        Ok(rendered)
    }

    /// A conversation up to the end of its last turn's text, for the model to go on with.
    ///
    /// # Errors
    /// The plugin writes prompts in one way only, or the template leaves the text out.
    pub(crate) fn continued(&mut self, conversation: &Conversation) -> Result<String> {
        if !takes(self.plugin.settings_schema(), CONTINUE) {
            return Err(Error::config(format!("plugin {} cannot continue a partial answer", self.plugin.id()))
                .hint(format!("it would need a setting `{CONTINUE}`, as `chat-jinja` has it")));
        }
        self.settings.insert(CONTINUE.into(), true.into());
        self.note_unread(&conversation.variables, conversation.tools.is_some());
        let template = self.with(&conversation.variables);
        self.settings.remove(CONTINUE);
        Ok(template?.render_prompt(std::slice::from_ref(conversation))?.concat())
    }

    /// Whole conversations, with what is to be learnt.
    pub(crate) fn training(&mut self, conversations: &[Conversation]) -> Result<Vec<Vec<Segment>>> {
        let rendered = self.each(conversations, ChatTemplate::render_training)?;
        self.losses.clear();
        for (row, (conversation, segments)) in conversations.iter().zip(&rendered).enumerate() {
            let text = literal::unmarked(&joined(segments));
            unwritten::refuse_untaught(conversation, &text).map_err(|error| {
                if conversation.place.is_empty() { error } else { error.context(&*conversation.place) }
            })?;
            let losses = unwritten::lost(conversation, &text, |probe| {
                let rendered = self.each(std::slice::from_ref(probe), ChatTemplate::render_training).ok()?;
                Some(rendered.iter().map(|segments| joined(segments)).collect())
            });
            self.note(row, conversation, &text, losses);
        }
        Ok(rendered)
    }

    /// Keeps what the template leaves out of a row, of which `text` is the rendering, and notes the first thing of each kind.
    fn note(&mut self, row: usize, conversation: &Conversation, text: &str, mut losses: Vec<Loss>) {
        let has_tools = conversation.tools.is_some();
        self.note_unread(&conversation.variables, has_tools);
        losses.extend(self.used(has_tools).into_iter().flat_map(|used| unwritten::fields(conversation, used, text)));
        let place = if conversation.place.is_empty() { "a conversation" } else { &conversation.place };
        for loss in losses {
            if !self.noted.contains(&loss.kind) {
                self.noted.push(loss.kind.clone());
                self.notes.push(format!("{place}, and perhaps others: {}", loss.what));
            }
            self.losses.push((row, loss));
        }
    }

    /// What the template left out of the rows of the last call, by their place among them.
    pub(crate) fn losses(&mut self) -> Vec<(usize, Loss)> {
        std::mem::take(&mut self.losses)
    }

    /// Says which of `variables` the template that is used does not read: a misspelt one would be without effect, and without a
    /// word.
    fn note_unread(&mut self, variables: &Map<String, Value>, has_tools: bool) {
        let Some(used) = self.used(has_tools) else { return };
        let settings = |name: &str| takes(self.plugin.settings_schema(), name);
        let unread = variables
            .keys()
            .filter(|name| !self.unread.contains(*name) && !settings(name) && !defaults::has_word(used, name));
        let unread: Vec<String> = unread.cloned().collect();
        for name in unread {
            self.notes.push(format!("the chat template does not read the variable `{name}`"));
            self.unread.insert(name);
        }
    }

    /// The template of a conversation, where the plugin takes templates: the one that the settings name, else the one for tools.
    fn used(&self, has_tools: bool) -> Option<&str> {
        match self.settings.get(super::TEMPLATE_NAME).and_then(Value::as_str) {
            Some(name) => self.templates.get(name),
            None => self.templates.get(TOOL_USE).filter(|_| has_tools).or_else(|| self.templates.get(DEFAULT)),
        }
    }

    /// The templates of the configuration, or the model's with the configuration's settings as their defaults: readers of a
    /// model that is trained in them have to know. None where that is what the base says.
    pub(crate) fn configured(&self) -> Option<&ChatTemplates> {
        self.configured.as_ref()
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

    /// The texts of conversations, which the template writes unless they are plain.
    fn written(&mut self, conversations: &[Conversation]) -> Result<Vec<String>> {
        let mut written = Vec::with_capacity(conversations.len());
        for alike in conversations.chunk_by(|a, b| a.plain == b.plain) {
            written.extend(if alike[0].plain {
                self.plain.prompts(alike, self.literal.as_ref())?
            } else {
                self.each(alike, ChatTemplate::render_prompt)?
            });
        }
        Ok(written)
    }

    fn with(&mut self, variables: &Map<String, Value>) -> Result<ChatTemplate> {
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
            let text: String = rendered.iter().map(|segments| joined(segments)).collect();
            if let Some((_, behind)) = text.rsplit_once(ANSWER) {
                model.end_turns(model.first_special(behind)?);
            }
        }
        Ok(())
    }
}

fn joined(segments: &[Segment]) -> String {
    segments.iter().map(|segment| segment.text.as_str()).collect()
}

fn takes(schema: &Value, key: &str) -> bool {
    schema.pointer(&format!("/properties/{key}")).is_some()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ui::{Format, Ui};
    use diapason_core::config::Limits;

    /// The tokens that end generations in this template, by their texts. The model has gpt-oss's special tokens.
    fn ends(template: &str) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden/llama-tied");
        let folder = tempfile::tempdir().unwrap();
        for name in ["config.json", "generation_config.json", "tokenizer_config.json", "model.safetensors"] {
            std::fs::copy(root.join(name), folder.path().join(name)).unwrap();
        }
        let text = std::fs::read_to_string(root.join("tokenizer.json")).unwrap();
        let mut tokenizer: Value = serde_json::from_str(&text).unwrap();
        let mut token = tokenizer["added_tokens"][0].clone();
        for (id, content) in
            (258..).zip(["<|start|>", "<|message|>", "<|channel|>", "<|end|>", "<|return|>", "<|call|>"])
        {
            (token["id"], token["content"]) = (json!(id), content.into());
            tokenizer["added_tokens"].as_array_mut().unwrap().push(token.clone());
        }
        std::fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
        let mut model = Model::outline(folder.path()).unwrap();
        let template = Template { template: Some(template.to_owned()), ..Template::default() };
        let mut plugins = Plugins::new(&Limits::default(), &Ui::new(Format::Human, true)).unwrap();
        let mut renderer = Renderer::new(&template, None, &mut plugins, &model, &Grants::default()).unwrap();
        renderer.end_turns(&mut model).unwrap();
        model.stop_ids().iter().map(|id| model.shown(*id)).collect()
    }

    /// gpt-oss ends its reasoning with `<|end|>` too, before it answers: only what ends the last turn ends a generation.
    #[test]
    fn gpt_oss_ends_its_turn_with_return() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/chat-jinja/families/gpt-oss.jinja");
        assert_eq!(ends(path.to_str().unwrap()), ["</s>", "<|return|>"]);
    }
}
