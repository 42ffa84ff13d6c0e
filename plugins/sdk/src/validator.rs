//! Validators: plugins that find what is wrong with a dataset.

use crate::bindings::validator::exports::diapason::plugin::validator as wit;
pub use crate::bindings::validator::exports::diapason::plugin::validator::{Finding, Row, Severity};
use crate::{Exported, Result, instance};
use serde::de::DeserializeOwned;
use std::cell::RefCell;

/// Finds what is wrong with a dataset in one pass: all rows of `train`, then all rows of `test`.
pub trait Validator: Sized + 'static {
    /// What a user may set; see [`Evaluator::Settings`](crate::Evaluator::Settings).
    type Settings: DeserializeOwned + schemars::JsonSchema;

    /// Starts a pass. An error says which setting is wrong, and why.
    fn start(settings: Self::Settings) -> Result<Self>;

    /// Takes the next row and gives what can be said already.
    fn push(&mut self, row: &Row) -> Result<Vec<Finding>>;

    /// Gives what can only be said at the end.
    fn finish(&mut self) -> Result<Vec<Finding>> {
        Ok(Vec::new())
    }
}

impl Finding {
    /// Training must not start.
    pub fn error(rule: impl Into<String>, row: &Row, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, rule, row, message)
    }

    /// Someone should look.
    pub fn warning(rule: impl Into<String>, row: &Row, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, rule, row, message)
    }

    /// Worth knowing.
    pub fn note(rule: impl Into<String>, row: &Row, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, rule, row, message)
    }

    /// A finding about a dataset as a whole.
    pub fn dataset(severity: Severity, rule: impl Into<String>, split: &str, message: impl Into<String>) -> Self {
        Self::new(severity, rule, &Row { split: split.to_owned(), line: 0, text: String::new() }, message)
    }

    /// The same finding at a place inside the row, given as a JSON Pointer.
    pub fn at(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// The same finding with what to do about it.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    fn new(severity: Severity, rule: impl Into<String>, row: &Row, message: impl Into<String>) -> Self {
        let (split, line) = (row.split.clone(), row.line);
        Self {
            severity,
            rule: rule.into(),
            split,
            line,
            path: String::new(),
            message: message.into(),
            hint: String::new(),
        }
    }
}

impl<T: Validator> wit::Guest for Exported<T> {
    type Validation = Validation<T>;
}

/// One pass, as the host holds it.
#[doc(hidden)]
pub struct Validation<T>(RefCell<T>);

impl<T: Validator> wit::GuestValidation for Validation<T> {
    fn start(settings: String) -> Result<wit::Validation> {
        Ok(wit::Validation::new(Self(RefCell::new(T::start(instance::read(&settings)?)?))))
    }

    fn push(&self, rows: Vec<Row>) -> Result<Vec<Finding>> {
        let mut pass = self.0.borrow_mut();
        let mut findings = Vec::new();
        for row in &rows {
            let found = pass.push(row).map_err(|cause| format!("{} line {}: {cause}", row.split, row.line))?;
            findings.extend(found);
        }
        Ok(findings)
    }

    fn finish(&self) -> Result<Vec<Finding>> {
        self.0.borrow_mut().finish()
    }
}
