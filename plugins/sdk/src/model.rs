//! A judge model. Using it is asking for the permission `model`; the report says which plugin did.
//!
//! Outside of the sandbox, in a plugin's own tests, there is none and every call is an error.

pub use crate::bindings::about::diapason::plugin::model::{Continuation, Decoding};
use crate::{Completion, Likelihood, Message, Result};

/// One completion for each conversation.
#[cfg(target_family = "wasm")]
pub fn generate(conversations: &[Vec<Message>], decoding: &Decoding) -> Result<Vec<Completion>> {
    crate::bindings::about::diapason::plugin::model::generate(conversations, decoding)
}

/// How likely each continuation is.
#[cfg(target_family = "wasm")]
pub fn loglikelihood(continuations: &[Continuation]) -> Result<Vec<Likelihood>> {
    crate::bindings::about::diapason::plugin::model::loglikelihood(continuations)
}

/// One completion for each conversation.
#[cfg(not(target_family = "wasm"))]
pub fn generate(_conversations: &[Vec<Message>], _decoding: &Decoding) -> Result<Vec<Completion>> {
    Err("no model outside of the sandbox".into())
}

/// How likely each continuation is.
#[cfg(not(target_family = "wasm"))]
pub fn loglikelihood(_continuations: &[Continuation]) -> Result<Vec<Likelihood>> {
    Err("no model outside of the sandbox".into())
}
