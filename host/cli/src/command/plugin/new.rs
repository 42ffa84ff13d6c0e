//! `diapason plugin new`: a plugin to start from.

use crate::embedded;
use crate::exit::Exit;
use crate::paint::Paint;
use crate::starter::{File, write};
use crate::ui::Ui;
use diapason_core::escape::line;
use diapason_core::{Error, Result};
use serde_json::json;
use std::path::Path;

const LANGUAGE: &str = "rust";

/// What the starter calls itself, as package and as library.
const NAME: [&str; 2] = ["my-evaluator", "my_evaluator"];

const MANIFEST: &str = "Cargo.toml";
const SDK: &str = "diapason-plugin = ";

/// Writes the starter, named after its folder.
pub(super) fn run(folder: &Path, sdk: Option<&Path>, ui: &Ui) -> Result<Exit> {
    let name = name(folder)?;
    let sdk = sdk.map(dependency).transpose()?;
    let contents = embedded::plugin_starter(LANGUAGE)?;
    let contents: Vec<File<'_>> = contents
        .into_iter()
        .map(|(path, content)| {
            let text = String::from_utf8_lossy(content);
            let text = text.replace(NAME[0], &name).replace(NAME[1], &name.replace('-', "_"));
            let text = match &sdk {
                Some(line) if path == MANIFEST => with_sdk(&text, line),
                _ => text,
            };
            (path, text.into_bytes().into())
        })
        .collect();
    let written = write(folder, &contents)?;
    let human = |paint: Paint| {
        let list: String = written.iter().map(|name| format!("  {}\n", line(name))).collect();
        format!("{}\n{list}Next: {}\n", paint.bold("Written:"), line(&folder.join("README.md").display().to_string()))
    };
    ui.result(human, &json!({"name": name, "written": written}));
    Ok(Exit::Passed)
}

/// The folder's name, which must do as the name of a package and as a plugin's id.
fn name(folder: &Path) -> Result<String> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let letters = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if letters && name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-') {
        return Ok(name);
    }
    Err(Error::config(format!("`{name}` is no name for a plugin"))
        .hint("the folder's name becomes the plugin's: lower-case letters, digits and hyphens, a letter first"))
}

/// The line of the manifest that takes the SDK from a folder.
fn dependency(sdk: &Path) -> Result<String> {
    if !sdk.join(MANIFEST).is_file() {
        return Err(Error::config(format!("{} is not the SDK: it has no {MANIFEST}", sdk.display()))
            .hint("in a checkout of Diapason it is `plugins/sdk`"));
    }
    let path = std::path::absolute(sdk)
        .map_err(|source| Error::config(format!("failed to understand {}", sdk.display())).because(source))?;
    // JSON's quotes and escapes are TOML's too.
    Ok(format!("{SDK}{{ path = {} }}", json!(path.display().to_string())))
}

fn with_sdk(manifest: &str, line: &str) -> String {
    manifest.lines().map(|old| format!("{}\n", if old.starts_with(SDK) { line } else { old })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_packages() {
        assert_eq!(name(Path::new("a/b-2")).ok().as_deref(), Some("b-2"));
        for wrong in ["", "..", "2b", "a_b", "Ab", "a-", "ä"] {
            assert!(name(Path::new(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_starter_names_its_sdk_once() {
        let files = embedded::plugin_starter(LANGUAGE).expect("the starter is built in");
        let (_, manifest) = files.iter().find(|(path, _)| *path == MANIFEST).expect("its manifest");
        let changed = with_sdk(std::str::from_utf8(manifest).expect("UTF-8"), "diapason-plugin = { path = \"/sdk\" }");
        assert_eq!(changed.matches(SDK).count(), 1);
        assert!(changed.contains("/sdk"));
    }
}
