//! What a run does: the configuration, checked, with paths that no longer depend on where it stood.

use diapason_core::Result;
use diapason_core::config::{self, Config};
use std::path::Path;

/// A checked configuration. The stages see nothing else of the command line.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The configuration.
    pub config: Config,
}

impl Plan {
    /// Reads the file at `path`. Errors with [`diapason_core::Class::Config`].
    pub fn load(path: &Path) -> Result<Self> {
        Ok(Self { config: config::load(path)? })
    }

    /// Takes the configuration's text; `name` is for messages, relative paths start from `folder`.
    pub fn parse(text: &str, name: &str, folder: &Path) -> Result<Self> {
        Ok(Self { config: config::parse(text, name, folder)? })
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        &self.config.run.folder
    }
}
