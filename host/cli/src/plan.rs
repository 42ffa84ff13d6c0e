//! What a run does: the configuration, checked, with paths that no longer depend on where it stood.

use diapason_core::Result;
use diapason_core::config::Config;
use diapason_project::config;
use std::path::Path;

/// A checked configuration. The stages see nothing else of the command line.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The configuration.
    pub config: Config,
    /// The configuration's text, for messages that name its lines.
    pub text: String,
    /// What messages call it.
    pub name: String,
}

impl Plan {
    /// Reads the file at `path`. Errors with [`diapason_core::Class::Config`].
    pub fn load(path: &Path) -> Result<Self> {
        let text = config::read(path)?;
        Self::parse(&text, &path.display().to_string(), path.parent().unwrap_or(Path::new("")))
    }

    /// Takes the configuration's text; `name` is for messages, relative paths start from `folder`.
    pub fn parse(text: &str, name: &str, folder: &Path) -> Result<Self> {
        let mut config = config::parse(text, name, folder)?;
        config::adopt(&mut config)?;
        Ok(Self { config, text: text.into(), name: name.into() })
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.config.run.folder
    }
}
