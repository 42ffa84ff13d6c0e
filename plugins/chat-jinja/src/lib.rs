//! Chat templates in Jinja, rendered as `transformers` renders them.
//!
//! A template that marks the assistant's text with `{% generation %}` says itself what is learnt. For any other template
//! the plugin finds the answers in the rendering and learns what stands behind the prompt for each.

mod answers;
mod arguments;
mod cut;
mod generation;
mod library;
mod proceed;
mod prompts;
mod replies;
mod stage;
mod stand_in;
mod template;
#[cfg(test)]
mod transformed;
mod turns;
mod untraced;

use diapason_plugin::{ChatTemplate, Conversation, Result, Segment};
use generation::Context;
use jinja::{Clock, Rendered, Trace, Value};
use library::Library;
use std::collections::BTreeMap;
use std::rc::Rc;
use template::Template;
use turns::Turn;

/// The settings.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Settings {
    /// The template's text, as it stands in `chat_template.jinja` or under `chat_template` in `tokenizer_config.json`.
    template: Option<String>,
    /// Further templates of the model, name to text. `tool_use` is used for conversations with tools.
    #[serde(default)]
    named_templates: BTreeMap<String, String>,
    /// The name of the template to use whatever the conversation; `default` is `template`.
    template_name: Option<String>,
    /// Whether a prompt ends with the header of the assistant's turn; true unless `continue_final_message` is.
    add_generation_prompt: Option<bool>,
    /// Whether a prompt ends with the text of its last turn, for the model to go on with it.
    #[serde(default)]
    continue_final_message: bool,
    /// The day that templates see as today, as `2026-01-01`: a plugin has no clock, so that results can be repeated.
    #[serde(default = "first_day")]
    date: String,
    /// Everything else is a variable of the template: `bos_token`, `eos_token`, `enable_thinking`, `documents`, …
    #[serde(flatten)]
    variables: serde_json::Map<String, serde_json::Value>,
}

/// Templates and what they are given every time.
pub struct Jinja {
    templates: Library,
    clock: Clock,
    add_generation_prompt: bool,
    continue_final_message: bool,
    variables: Vec<(Rc<str>, Value)>,
}

impl ChatTemplate for Jinja {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self> {
        if settings.continue_final_message && settings.add_generation_prompt == Some(true) {
            return Err(
                "`continue_final_message` and `add_generation_prompt` exclude each other: a prompt ends in the \
                        last turn or begins a new one"
                    .into(),
            );
        }
        let date = &settings.date;
        let clock = Clock::parse(date).ok_or_else(|| format!("`date` is `{date}`: expected a day like 2026-01-01"))?;
        let library = Library::new(settings.template, settings.named_templates, settings.template_name)?;
        Ok(Self {
            templates: library,
            clock,
            add_generation_prompt: settings.add_generation_prompt.unwrap_or(!settings.continue_final_message),
            continue_final_message: settings.continue_final_message,
            variables: variables(&settings.variables)?,
        })
    }

    fn render_training(&self, conversation: &Conversation) -> Result<Vec<Segment>> {
        let (scene, turns) = self.scene(conversation)?;
        arguments::as_taken(&turns, |turns| match scene.template.marks_generation() {
            true => marked(&scene, turns),
            false => answers::segments(&scene, turns),
        })
    }

    fn render_prompt(&self, conversation: &Conversation) -> Result<String> {
        let (scene, turns) = self.scene(conversation)?;
        arguments::as_taken(&turns, |turns| match self.continue_final_message {
            true => {
                let mut turns = turns.to_vec();
                let last = proceed::tag(&mut turns, scene.template.source())?;
                proceed::cut(&scene.text(&turns, false)?, &last)
            }
            false => scene.text(turns, self.add_generation_prompt),
        })
    }
}

diapason_plugin::plugin! { chat_template: Jinja }

impl Jinja {
    /// What a conversation's renderings have in common, and its turns.
    fn scene(&self, conversation: &Conversation) -> Result<(Scene<'_>, Vec<Turn>)> {
        let turns = turns::read(conversation)?;
        let tools = turns::tools(conversation)?;
        let template = self.templates.choose(tools.is_some())?;
        let tools = tools.as_ref().map_or(Value::None, Value::from);
        Ok((Scene { template, clock: self.clock, variables: &self.variables, tools }, turns))
    }
}

/// What the renderings of one conversation have in common.
struct Scene<'a> {
    template: &'a Template,
    clock: Clock,
    variables: &'a [(Rc<str>, Value)],
    tools: Value,
}

impl Scene<'_> {
    fn render(&self, turns: &[Value], add_generation_prompt: bool, trace: Trace) -> Result<Rendered> {
        let mut variables = self.variables.to_vec();
        variables.push(("messages".into(), Value::list(turns.to_vec())));
        variables.push(("tools".into(), self.tools.clone()));
        variables.push(("add_generation_prompt".into(), Value::Bool(add_generation_prompt)));
        self.template.render(self.clock, &variables, trace)
    }

    /// The token that ends a text, if the settings say it.
    fn eos(&self) -> Option<String> {
        let (_, eos) = self.variables.iter().find(|(name, _)| &**name == "eos_token")?;
        eos.as_str().filter(|eos| !eos.is_empty()).map(str::to_owned)
    }

    fn text(&self, turns: &[Turn], add_generation_prompt: bool) -> Result<String> {
        Ok(self.render(&turns::values(turns), add_generation_prompt, Trace::None)?.text)
    }
}

/// The segments where the template marks what is learnt.
fn marked(scene: &Scene, turns: &[Turn]) -> Result<Vec<Segment>> {
    let values = turns::values(turns);
    let plain = scene.render(&values, false, Trace::Turns)?;
    generation::refuse_marks(&plain.text)?;
    let marked = scene.render(&values, false, Trace::Generation)?.text;
    generation::segments(&plain.text, &marked, &Context::of(turns, &plain))
}

/// The variables of the settings. An error names one that a rendering sets itself, and documents that are none.
fn variables(given: &serde_json::Map<String, serde_json::Value>) -> Result<Vec<(Rc<str>, Value)>> {
    if let Some(name) = ["messages", "tools"].into_iter().find(|name| given.contains_key(*name)) {
        return Err(format!("`{name}` comes with the conversation and cannot be set"));
    }
    let documents = given.get("documents").filter(|documents| !documents.is_null());
    let is_list = |documents: &serde_json::Value| {
        documents.as_array().is_some_and(|list| list.iter().all(serde_json::Value::is_object))
    };
    if documents.is_some_and(|documents| !is_list(documents)) {
        return Err("`documents` is a list of objects, with `title` and `text`".into());
    }
    let mut variables: Vec<(Rc<str>, Value)> =
        given.iter().map(|(name, value)| (name.as_str().into(), Value::from(value))).collect();
    if documents.is_none() {
        variables.retain(|(name, _)| &**name != "documents");
        variables.push(("documents".into(), Value::None));
    }
    Ok(variables)
}

fn first_day() -> String {
    "2026-01-01".into()
}
