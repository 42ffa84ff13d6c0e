//! Where a run's chat template comes from, and which of several is used.

use super::TEMPLATE_NAME;
use super::defaults;
use crate::embedded;
use diapason_core::config::{Config, Template};
use diapason_core::{Error, Result, digest};
use diapason_disk::files;
use diapason_models::{Chat, Model, templates};
use diapason_project::config::is_path;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// What `template.template` says for the base's own template, and for the adapter's.
const BASE: &str = "base";
const ADAPTER: &str = "adapter";

/// The settings of `chat-jinja` that are no variables of a template.
const OWN: [&str; 6] =
    ["template", "named_templates", TEMPLATE_NAME, "add_generation_prompt", "continue_final_message", "date"];

/// Where the template's text comes from, settled before a model is opened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Origin {
    /// The model's own.
    Model,
    /// That of the adapter, whose folder has one.
    Adapter(Chat),
    /// This text.
    Text(String),
}

/// The configured template's file, where it is one.
pub(crate) fn file(template: &Template) -> Option<PathBuf> {
    template.template.as_ref().filter(|name| is_path(name, "jinja")).map(PathBuf::from)
}

impl Origin {
    /// Reads the file or takes one of our own templates, where the configuration names one.
    pub(crate) fn of(template: &Template, adapter: Option<&Path>) -> Result<Self> {
        match template.template.as_deref() {
            None | Some(BASE) => Ok(Self::Model),
            Some(ADAPTER) => of_adapter(adapter).map(Self::Adapter),
            Some(path) if is_path(path, "jinja") => files::read_text(Path::new(path)).map(Self::Text),
            Some(name) => embedded::template(name).map(|text| Self::Text(text.into())),
        }
    }

    /// What is known of it without the model.
    pub(crate) fn digest(&self) -> String {
        match self {
            Self::Model => "the model's own".into(),
            Self::Adapter(chat) => digest::of_bytes(Value::Object(written(chat)).to_string().as_bytes()),
            Self::Text(text) => digest::of_bytes(text.as_bytes()),
        }
    }

    /// The templates and special tokens that a plugin is given for `model`.
    pub(super) fn chat(&self, model: &Model) -> Chat {
        let mut chat = model.chat().clone();
        match self {
            Self::Model => {}
            Self::Adapter(own) => {
                chat.templates.clone_from(&own.templates);
                chat.special_tokens.extend(own.special_tokens.clone());
            }
            Self::Text(text) => chat.templates = templates::ChatTemplates::only(Some(text.clone())),
        }
        chat
    }
}

fn of_adapter(adapter: Option<&Path>) -> Result<Chat> {
    let fail = |message: String| {
        Error::config(message)
            .hint("an adapter's folder has a template of its own where its trainer saved the tokenizer")
    };
    let adapter = adapter.ok_or_else(|| fail("the adapter's template is asked for, but no adapter is given".into()))?;
    let chat = Chat::of(adapter)?;
    if chat.templates.is_empty() {
        return Err(fail(format!("the adapter {} has no chat template", adapter.display())));
    }
    Ok(chat)
}

/// How an adapter's own template stands to its base's, where the configuration names neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The adapter has none, or it writes every conversation as the base's does.
    Same,
    /// Only the adapter has one.
    Alone,
    /// Both have one, and they differ.
    Differs,
}

impl Standing {
    /// Of the adapter in this folder.
    ///
    /// # Errors
    /// A file is damaged.
    pub(crate) fn of(base: &Chat, adapter: &Path) -> Result<Self> {
        let own = Chat::of(adapter)?;
        Ok(match () {
            () if own.templates.is_empty() || base.writes_like(&own) => Self::Same,
            () if base.templates.is_empty() => Self::Alone,
            () => Self::Differs,
        })
    }
}

/// Settles whose template is used where an adapter's folder has one and the configuration names none. The base and the tuned
/// model are asked in one template, or the comparison would be one of templates; which of two it is, nobody can guess.
///
/// Gives what is to be said where the adapter's is taken, because the base has none.
///
/// # Errors
/// The templates differ, or a file is damaged.
pub(crate) fn settle(config: &mut Config) -> Result<Option<String>> {
    let Some(model) = config.model.as_ref().filter(|_| config.template.template.is_none()) else { return Ok(None) };
    let Some(adapter) = &model.adapter else { return Ok(None) };
    if !(model.path.exists() && adapter.is_dir()) {
        // That is said where all that is missing is said.
        return Ok(None);
    }
    let base = Chat::of(&model.path)?;
    // An adapter that was trained in the base's template with these settings has it with them as its defaults.
    let written = defaults::written(&base.templates, &config.template.settings, |name| OWN.contains(&name));
    let trained = Chat { templates: written, ..base.clone() };
    if Standing::of(&trained, adapter)? == Standing::Same {
        return Ok(None);
    }
    match Standing::of(&base, adapter)? {
        Standing::Same => Ok(None),
        Standing::Alone => {
            config.template.template = Some(ADAPTER.into());
            Ok(Some("the base has no chat template: base and tuned model are both asked in the adapter's".into()))
        }
        Standing::Differs => Err(Error::config(format!(
            "the chat template in {} is not the base's, and base and tuned model are asked in one",
            adapter.display()
        ))
        .hint(format!(
            "set `template.template` to `\"{ADAPTER}\"`, in which it was probably trained, or to `\"{BASE}\"`"
        ))),
    }
}

/// Holds the name of a template against those that there are.
///
/// # Errors
/// There is none of that name, or a file is damaged.
pub(crate) fn check_name(config: &Config) -> Result<()> {
    let Some(name) = config.template.settings.get(TEMPLATE_NAME) else { return Ok(()) };
    let chat = match Origin::of(&config.template, config.adapter())? {
        Origin::Model => Chat::of(&config.base()?.path)?,
        Origin::Adapter(chat) => chat,
        Origin::Text(text) => Chat { templates: templates::ChatTemplates::only(Some(text)), ..Chat::default() },
    };
    settings(&chat, Some(name)).map(drop)
}

/// Uses the template of an adapter that a model answers with, as `AutoTokenizer.from_pretrained` on its folder does; says so
/// where the base has another.
///
/// # Errors
/// A file is damaged.
pub(crate) fn prefer(template: &mut Template, base: &Chat, adapter: &Path) -> Result<Option<String>> {
    if template.template.is_some() {
        return Ok(None);
    }
    let standing = Standing::of(base, adapter)?;
    if standing == Standing::Same {
        return Ok(None);
    }
    template.template = Some(ADAPTER.into());
    let what = if standing == Standing::Alone { "the base has none" } else { "it is not the base's" };
    Ok(Some(format!("the chat template is the adapter's: {what}")))
}

/// Gives a model that is written with its adapter merged in the adapter's own template; says so where the base has another.
///
/// # Errors
/// A file is damaged.
pub(crate) fn adopt(model: &mut Model, adapter: &Path) -> Result<Option<String>> {
    let mut template = Template::default();
    let said = prefer(&mut template, model.chat(), adapter)?;
    let chat = Origin::of(&template, Some(adapter))?.chat(model);
    model.set_chat(chat);
    Ok(said)
}

/// The settings by which the plugin writes `chat`: special tokens, `template` and `named_templates`. `name` is the one that
/// is chosen.
///
/// # Errors
/// There is no template, or none of that name.
pub(super) fn settings(chat: &Chat, name: Option<&Value>) -> Result<Map<String, Value>> {
    if chat.templates.is_empty() {
        let ours = embedded::templates().collect::<Vec<_>>().join(", ");
        return Err(Error::config("the model has no chat template, and none is configured")
            .hint(format!("set `template.template` to one of ours ({ours}) or to a Jinja file")));
    }
    if let Some(name) = name.filter(|name| name.as_str().is_none_or(|name| chat.templates.get(name).is_none())) {
        let names = chat.templates.names().collect::<Vec<_>>().join(", ");
        return Err(Error::config(format!("there is no chat template named {name}"))
            .hint(format!("set `{TEMPLATE_NAME}` in `template.settings` to one of: {names}")));
    }
    Ok(written(chat))
}

/// The templates that the plugin has by its settings.
pub(super) fn of_settings(settings: &Map<String, Value>) -> templates::ChatTemplates {
    let named = settings.get("named_templates").and_then(Value::as_object).into_iter().flatten();
    let named = named.map(|(name, text)| (name.as_str(), text));
    let all = named.chain(settings.get("template").map(|text| (templates::DEFAULT, text)));
    all.filter_map(|(name, text)| Some((name.to_owned(), text.as_str()?.to_owned()))).collect()
}

fn written(chat: &Chat) -> Map<String, Value> {
    let mut settings = chat.special_tokens.clone();
    settings.extend(chat.templates.get(templates::DEFAULT).map(|text| ("template".to_owned(), text.into())));
    let named: Map<String, Value> = chat.templates.named().map(|(name, text)| (name.to_owned(), text.into())).collect();
    if !named.is_empty() {
        settings.insert("named_templates".into(), named.into());
    }
    settings
}
