//! Case files of plugins, as the README of Diapason's `plugins` folder describes them: one reader for the SDK, which runs
//! them on the host without a sandbox, and for `diapason plugin test`, which runs them in it.
//!
//! [`Case::read`] reads a file, [`input`] what a case gives to a plugin, [`expect`] holds what came of it against what the
//! case expects. Both sides turn these types into their own.

mod case;
pub mod expect;
pub mod input;

pub use case::Case;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A result whose error says what is wrong, for a person.
pub type Result<T> = std::result::Result<T, String>;

fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|cause| cause.to_string())
}
