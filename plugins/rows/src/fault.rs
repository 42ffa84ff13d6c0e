//! Why a row is not read.

/// What is wrong with a row, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The rule that is broken, in kebab-case.
    pub rule: &'static str,
    /// JSON Pointer into the row; empty for the whole row.
    pub path: String,
    /// Column of the line, from 1, where the row is not JSON.
    pub column: Option<usize>,
    /// What is wrong, as a sentence's beginning.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl Fault {
    /// A fault at `path`.
    pub fn new(
        rule: &'static str,
        path: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { rule, path: path.into(), column: None, message: message.into(), hint: hint.into() }
    }
}

/// What reading a part of a row gives.
pub(crate) type Result<T> = std::result::Result<T, Fault>;
