//! The bearer token: it goes into one header and nowhere else.

use diapason_core::{Error, Result};
use serde_json::Value;
use std::ffi::OsString;
use std::fmt;

/// Shorter ones, as `none` and `EMPTY`, are no secrets, and occur in ordinary answers.
const SECRET: usize = 16;

/// A bearer token, which nothing shows.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// The token in the environment variable `name`.
    ///
    /// Errors if it is not set, is empty, or cannot stand in a header.
    pub(crate) fn find(name: &str, environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Self> {
        let fail = |what: &str| {
            Error::config(format!("the environment variable `{name}` {what}"))
                .hint("it holds the bearer token that `token_variable` names")
        };
        let value = environment(name).ok_or_else(|| fail("is not set"))?;
        let text = value.into_string().map_err(|_| fail("is not text"))?;
        if text.is_empty() {
            return Err(fail("is empty"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(fail("has characters that no header takes, such as a space or a line break"));
        }
        Ok(Self(text))
    }

    /// The value of the header `authorization`.
    pub(crate) fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// Returns `text` without the token.
    pub(crate) fn scrubbed(&self, text: &str) -> String {
        text.replace(&self.0, "[token]")
    }

    /// Whether a document gives the token away.
    pub(crate) fn is_in(&self, document: &Value) -> bool {
        // Quotes and backslashes look different in a document.
        let written = Value::from(self.0.as_str()).to_string();
        self.0.len() >= SECRET && document.to_string().contains(&written[1..written.len() - 1])
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
