//! The chat templates that come with a model: one, or several with names, as transformers and llama.cpp keep them.

use crate::formats::Gguf;
use candle_core::quantized::gguf_file::Value as Metadata;
use diapason_core::{Error, Result};
use diapason_disk::files;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The template that is used where no other is asked for.
pub const DEFAULT: &str = "default";
/// The template that is used for conversations with tools, where there is one of this name.
pub const TOOL_USE: &str = "tool_use";

const FILE: &str = "chat_template.jinja";
/// The folder of the templates beside the default one.
pub const FOLDER: &str = "additional_chat_templates";
const ENDING: &str = ".jinja";

/// llama.cpp's keys.
const KEY: &str = "tokenizer.chat_template";
const NAMES: &str = "tokenizer.chat_templates";

/// Templates by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatTemplates(BTreeMap<String, String>);

impl ChatTemplates {
    /// A template that has no others beside it.
    pub fn only(template: Option<String>) -> Self {
        Self(template.map(|text| (DEFAULT.to_owned(), text)).into_iter().collect())
    }

    /// The template of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Names and texts of all but the default one.
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str())).filter(|(name, _)| *name != DEFAULT)
    }

    /// Their texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// The same names with other texts.
    #[must_use]
    pub fn map(&self, text: impl Fn(&str) -> String) -> Self {
        Self(self.0.iter().map(|(name, own)| (name.clone(), text(own))).collect())
    }

    /// Those of the folder of a model or an adapter, whose `tokenizer_config.json` is given.
    ///
    /// # Errors
    /// A file cannot be read, or `chat_template` is neither a text nor texts with names.
    pub(crate) fn of_folder(folder: &Path, tokenizer_config: &Value) -> Result<Self> {
        let files = of_files(folder)?;
        if !files.is_empty() {
            return Ok(Self(files));
        }
        configured(&tokenizer_config["chat_template"]).map(Self).map_err(|error| {
            error.context(format!("failed to read {}", folder.join("tokenizer_config.json").display()))
        })
    }

    /// Those of a GGUF file, each in a key of its own.
    ///
    /// # Errors
    /// A template is no text, or is only named.
    pub(crate) fn of_gguf(gguf: &Gguf) -> Result<Self> {
        let mut found = BTreeMap::new();
        for key in gguf.keys().filter(|key| key.starts_with(KEY) && *key != NAMES) {
            let name = if key == KEY { Some(DEFAULT) } else { key[KEY.len()..].strip_prefix('.') };
            if let Some(name) = name {
                found.insert(name.to_owned(), gguf.text(key)?.to_owned());
            }
        }
        let names = if gguf.value(NAMES).is_some() { gguf.texts(NAMES)? } else { Vec::new() };
        match names.iter().find(|name| !found.contains_key(**name)) {
            Some(name) => Err(Error::data(format!("`{NAMES}` names `{name}`, but there is no `{KEY}.{name}`"))
                .hint("the file is damaged; fetch it again")),
            None => Ok(Self(found)),
        }
    }

    /// Writes them as transformers does; those of an earlier model are removed, since they would be read.
    ///
    /// # Errors
    /// A name cannot be that of a file, or a file not be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        if let Some((name, _)) = self.named().find(|(name, _)| name.is_empty() || name.contains(['/', '\\', '\0'])) {
            return Err(Error::data(format!("a chat template is called `{name}`, which cannot be the name of a file"))
                .hint("rename it in the base's `tokenizer_config.json`"));
        }
        // transformers takes files of these names for the default template.
        if let Some(name) = ["file"].into_iter().find(|name| self.0.contains_key(*name)) {
            return Err(Error::data(format!(
                "a chat template is called `{name}`, and {FOLDER}/{name}{ENDING} would be read as the default one"
            ))
            .hint("rename it in the base's `tokenizer_config.json`"));
        }
        let mut wanted: BTreeMap<PathBuf, &str> =
            self.named().map(|(name, text)| (folder.join(FOLDER).join(format!("{name}{ENDING}")), text)).collect();
        wanted.extend(self.get(DEFAULT).map(|text| (folder.join(FILE), text)));
        let further = further(folder)?.into_iter().map(|(_, path)| path);
        let old = further.chain(Some(folder.join(FILE)).filter(|path| path.symlink_metadata().is_ok()));
        for path in old.filter(|path| !wanted.contains_key(path)) {
            std::fs::remove_file(&path)
                .map_err(|source| Error::run(format!("failed to remove {}", path.display())).because(source))?;
        }
        wanted.into_iter().try_for_each(|(path, text)| files::write(&path, text.as_bytes()))
    }

    /// What a GGUF file says of them, as llama.cpp's converter writes it.
    ///
    /// # Errors
    /// Two have the same name there.
    pub(crate) fn metadata(&self) -> Result<Vec<(String, Metadata)>> {
        let mut names: Vec<String> = Vec::new();
        let mut metadata = Vec::new();
        for (given, text) in self.named() {
            let name = given.replace(|one: char| !one.is_ascii_alphanumeric(), "_");
            if name.is_empty() || name == DEFAULT || names.contains(&name) {
                return Err(Error::data(format!(
                    "the chat template `{given}` would be called `{name}` in a GGUF file"
                ))
                .because("names there are of letters, digits and `_`, and each stands once")
                .hint("rename the template in the base's folder"));
            }
            metadata.push((format!("{KEY}.{name}"), Metadata::String(text.to_owned())));
            names.push(name);
        }
        if !names.is_empty() {
            let names = names.into_iter().map(Metadata::String).collect();
            metadata.push((NAMES.to_owned(), Metadata::Array(names)));
        }
        metadata.extend(self.get(DEFAULT).map(|text| (KEY.to_owned(), Metadata::String(text.to_owned()))));
        Ok(metadata)
    }
}

impl FromIterator<(String, String)> for ChatTemplates {
    /// Templates by their names.
    fn from_iter<T: IntoIterator<Item = (String, String)>>(templates: T) -> Self {
        Self(templates.into_iter().collect())
    }
}

/// `chat_template.jinja` and the files of `additional_chat_templates`: where there is one of them, `tokenizer_config.json`
/// is not asked. A further file called `default`, or `file`, stands in the place of the first; both are so in transformers
/// (5.24, `_from_pretrained`).
fn of_files(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    // What is there but is no file is refused, not passed over.
    if folder.join(FILE).symlink_metadata().is_ok() {
        found.insert(DEFAULT.to_owned(), read(&folder.join(FILE))?);
    }
    let (first, rest): (Vec<_>, Vec<_>) = further(folder)?.into_iter().partition(|(name, _)| name == "file");
    for (_, path) in first {
        found.insert(DEFAULT.to_owned(), read(&path)?);
    }
    for (name, path) in rest {
        found.insert(name, read(&path)?);
    }
    Ok(found)
}

/// Names and paths of the files in `additional_chat_templates`.
fn further(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let folder = folder.join(FOLDER);
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let fail = |source| Error::data(format!("failed to list {}", folder.display())).because(source);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        found.extend(name.strip_suffix(ENDING).map(|name| (name.to_owned(), entry.path())));
    }
    found.sort();
    Ok(found)
}

/// Python reads a text file's line breaks, whichever they are, as `\n`.
fn read(path: &Path) -> Result<String> {
    Ok(files::read_text(path)?.replace("\r\n", "\n").replace('\r', "\n"))
}

/// `chat_template` of `tokenizer_config.json`: a text, a list of objects with `name` and `template`, or an object.
fn configured(value: &Value) -> Result<BTreeMap<String, String>> {
    let text = |name: &Value, text: &Value| Some((name.as_str()?.to_owned(), text.as_str()?.to_owned()));
    let found = match value {
        Value::Null => Some(BTreeMap::new()),
        Value::String(one) => Some(BTreeMap::from([(DEFAULT.to_owned(), one.clone())])),
        Value::Array(list) => list.iter().map(|one| text(&one["name"], &one["template"])).collect(),
        Value::Object(map) => map.iter().map(|(name, one)| text(&name.as_str().into(), one)).collect(),
        _ => None,
    };
    found.ok_or_else(|| {
        Error::data("`chat_template` is neither a text nor a list of objects with `name` and `template`")
            .hint("write the template into `chat_template.jinja` beside it, which is read instead")
    })
}
