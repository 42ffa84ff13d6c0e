//! What goes wrong in a template.

use std::fmt;

/// What sort of error it is: the exception of Python's that `transformers` would end with, or a refusal of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The template cannot be read.
    Syntax,
    /// What the template itself raises with `raise_exception`.
    Raised,
    /// An undefined value was used.
    Undefined,
    /// A value of the wrong type.
    Type,
    /// A value that does not serve.
    Value,
    /// Something that the sandbox forbids.
    Security,
    /// `transformers` would render it, we do not: the message names what.
    Unsupported,
    /// The template does not end.
    Fuel,
}

/// An error with the template's line, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What sort of error it is.
    pub kind: Kind,
    /// What is wrong, on one line.
    pub message: String,
    /// The template's line, from 1.
    pub line: Option<usize>,
}

/// What most functions of this crate return.
pub type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    /// An error whose line is not known yet.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), line: None }
    }

    /// A value of the wrong type.
    pub fn types(message: impl Into<String>) -> Self {
        Self::new(Kind::Type, message)
    }

    /// A value that does not serve.
    pub fn value(message: impl Into<String>) -> Self {
        Self::new(Kind::Value, message)
    }

    /// Something that Python can and we cannot.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Kind::Unsupported, message)
    }

    /// A template that cannot be read.
    pub fn syntax(message: impl Into<String>, line: usize) -> Self {
        Self { kind: Kind::Syntax, message: message.into(), line: Some(line) }
    }

    /// The same error at a line, unless it has one already.
    #[must_use]
    pub fn at(mut self, line: usize) -> Self {
        self.line.get_or_insert(line);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Syntax => write!(out, "syntax error: {}", self.message),
            _ => out.write_str(&self.message),
        }
    }
}

impl std::error::Error for Fault {}
