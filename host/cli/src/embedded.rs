//! What the binary carries: built plugins, chat templates, project and plugin starters.

use diapason_core::schema::did_you_mean;
use diapason_core::{Error, Result};

mod tables {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// Names of the built-in plugins, sorted.
pub(crate) fn plugins() -> impl Iterator<Item = &'static str> {
    tables::PLUGINS.iter().map(|(name, _)| *name)
}

/// A built-in plugin's component.
pub(crate) fn plugin(name: &str) -> Result<&'static [u8]> {
    let found = tables::PLUGINS.iter().find(|(known, _)| *known == name);
    found.map(|(_, bytes)| *bytes).ok_or_else(|| {
        let hint = format!(
            "{} to use your own component, give its path, ending in .wasm",
            sentence(did_you_mean(name, plugins()))
        );
        Error::config(format!("unknown plugin `{name}`")).hint(hint)
    })
}

/// Names of our chat templates, sorted.
pub(crate) fn templates() -> impl Iterator<Item = &'static str> {
    tables::TEMPLATES.iter().map(|(name, _)| *name)
}

/// The text of one of our chat templates.
pub(crate) fn template(name: &str) -> Result<&'static str> {
    let found = tables::TEMPLATES.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| *text).ok_or_else(|| {
        let hint = format!(
            "{} to use your own template, give its path, ending in .jinja",
            sentence(did_you_mean(name, templates()))
        );
        Error::config(format!("unknown chat template `{name}`")).hint(hint)
    })
}

/// Path in its folder, and content, of a starter's file.
pub(crate) type File = (&'static str, &'static [u8]);

/// The files of a project starter.
pub(crate) fn starter(name: &str) -> Result<Vec<File>> {
    files(tables::STARTERS, name)
}

/// The files of the plugin starter for a programming language.
pub(crate) fn plugin_starter(language: &str) -> Result<Vec<File>> {
    files(tables::PLUGIN_STARTERS, language)
}

fn files(table: &[(&'static str, &'static str, &'static [u8])], name: &str) -> Result<Vec<File>> {
    let files: Vec<_> =
        table.iter().filter(|(starter, ..)| *starter == name).map(|(_, path, content)| (*path, *content)).collect();
    if files.is_empty() {
        let known = table.iter().map(|(starter, ..)| *starter).collect::<std::collections::BTreeSet<_>>();
        return Err(Error::config(format!("unknown starter `{name}`")).hint(did_you_mean(name, known)));
    }
    Ok(files)
}

fn sentence(text: String) -> String {
    if text.ends_with('?') { text } else { format!("{text};") }
}
