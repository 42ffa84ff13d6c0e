//! The templates of a model and which of them a conversation is rendered with, by the rules of `transformers`'
//! `get_chat_template`.

use crate::template::Template;
use diapason_plugin::Result;
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// The name of the template that is used where nothing speaks for another.
const DEFAULT: &str = "default";

/// The name of the template for conversations with tools.
const TOOL_USE: &str = "tool_use";

/// Templates by name, each read when it is first used: a model folder may carry one that cannot be read and is never
/// needed.
pub(crate) struct Library {
    templates: BTreeMap<String, Entry>,
    chosen: Option<String>,
}

struct Entry {
    source: String,
    read: OnceCell<Result<Template>>,
}

impl Library {
    /// A default template, others by name, and the name that the user chose. An error if the name is not among them, or
    /// there are two defaults.
    pub(crate) fn new(
        default: Option<String>,
        named: BTreeMap<String, String>,
        chosen: Option<String>,
    ) -> Result<Self> {
        let mut sources = named;
        if let Some(text) = default {
            match sources.insert(DEFAULT.into(), text.clone()) {
                Some(other) if other != text => {
                    return Err(format!("`named_templates` has another `{DEFAULT}` than `template`"));
                }
                _ => {}
            }
        }
        if sources.is_empty() {
            return Err("no template: set `template` to its text".into());
        }
        let entry = |(name, source)| (name, Entry { source, read: OnceCell::new() });
        let library = Self { templates: sources.into_iter().map(entry).collect(), chosen };
        match &library.chosen {
            Some(name) if !library.templates.contains_key(name) => {
                Err(format!("there is no template named `{name}`; `template_name` is one of {}", library.names()))
            }
            _ => Ok(library),
        }
    }

    /// The template for a conversation. An error if none is the default, or if it cannot be read.
    pub(crate) fn choose(&self, has_tools: bool) -> Result<&Template> {
        let tool_use = has_tools.then_some(TOOL_USE).filter(|name| self.templates.contains_key(*name));
        let name = self.chosen.as_deref().or(tool_use).unwrap_or(DEFAULT);
        let entry = self.templates.get(name).ok_or_else(|| {
            format!(
                "the model has several templates and none is the default: set `template_name` to one of {}",
                self.names()
            )
        })?;
        entry.read.get_or_init(|| Template::read(entry.source.clone())).as_ref().map_err(Clone::clone)
    }

    fn names(&self) -> String {
        self.templates.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    }
}
