//! One error type for the whole house: fragments with a cause and a hint.
//!
//! An error reads `failed to open adapter: rank 8, expected 16` and is followed by `Hint: …`. Its [`Class`] decides the
//! exit code.

use std::fmt;

/// A result with Diapason's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault an error is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The command line or `diapason.toml`: exit code 2.
    Config,
    /// A dataset, a model file or another artefact: exit code 4.
    Data,
    /// A plugin: exit code 4.
    Plugin,
    /// Anything that went wrong while running: exit code 4.
    Run,
}

/// What went wrong, why, and what to do about it.
#[derive(Debug)]
pub struct Error {
    class: Class,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of the given class. `message` is a fragment without a capital and without a full stop.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), hint: None, source: None }
    }

    /// The command line or the configuration is wrong.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(Class::Config, message)
    }

    /// A dataset, a model file or another artefact is wrong.
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(Class::Data, message)
    }

    /// A plugin misbehaved.
    pub fn plugin(message: impl Into<String>) -> Self {
        Self::new(Class::Plugin, message)
    }

    /// Something went wrong while running.
    pub fn run(message: impl Into<String>) -> Self {
        Self::new(Class::Run, message)
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Wraps this error in what was being attempted; class and hint stay.
    #[must_use]
    pub fn context(self, message: impl Into<String>) -> Self {
        Self { class: self.class, message: message.into(), hint: self.hint.clone(), source: Some(Box::new(self)) }
    }

    /// Whose fault it is.
    pub fn class(&self) -> Class {
        self.class
    }

    /// What to do about it.
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// The message and all of its causes, joined by `: `.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

// `Display` already shows the causes, so `source` would make every reporter print them twice.
impl std::error::Error for Error {}

/// Adds context to the error of a result.
pub trait Context<T> {
    /// Wraps the error in what was being attempted.
    fn context(self, message: impl Into<String>) -> Result<T>;

    /// Like [`Context::context`], with a message that is only made when it is needed.
    fn with_context<M: Into<String>>(self, message: impl FnOnce() -> M) -> Result<T>;
}

impl<T> Context<T> for Result<T> {
    fn context(self, message: impl Into<String>) -> Result<T> {
        self.map_err(|error| error.context(message))
    }

    fn with_context<M: Into<String>>(self, message: impl FnOnce() -> M) -> Result<T> {
        self.map_err(|error| error.context(message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_causes_and_keeps_the_hint() {
        let error =
            Error::data("rank 8, expected 16").hint("use the adapter's own rank").context("failed to open adapter");
        assert_eq!(error.to_string(), "failed to open adapter: rank 8, expected 16");
        assert_eq!(error.hint_text(), Some("use the adapter's own rank"));
        assert_eq!(error.class(), Class::Data);
    }
}
