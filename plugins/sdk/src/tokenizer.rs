//! The tokenizer of the model under evaluation. Using it is asking for the permission `tokenizer`.
//!
//! Outside of the sandbox, in a plugin's own tests, there is none and every call is an error.

use crate::Result;

/// Token ids of each text, without added special tokens.
#[cfg(target_family = "wasm")]
pub fn encode(texts: &[String]) -> Result<Vec<Vec<u32>>> {
    crate::bindings::about::diapason::plugin::tokenizer::encode(texts)
}

/// The text of each list of token ids.
#[cfg(target_family = "wasm")]
pub fn decode(ids: &[Vec<u32>]) -> Result<Vec<String>> {
    crate::bindings::about::diapason::plugin::tokenizer::decode(ids)
}

/// Token ids of each text, without added special tokens.
#[cfg(not(target_family = "wasm"))]
pub fn encode(_texts: &[String]) -> Result<Vec<Vec<u32>>> {
    Err("no tokenizer outside of the sandbox".into())
}

/// The text of each list of token ids.
#[cfg(not(target_family = "wasm"))]
pub fn decode(_ids: &[Vec<u32>]) -> Result<Vec<String>> {
    Err("no tokenizer outside of the sandbox".into())
}
