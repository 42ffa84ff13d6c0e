//! Decoders of the Llama family, and all that belongs to a model on disk: weights, configuration, tokenizer, chat templates,
//! adapters.

pub mod adapters;
mod chat;
pub mod decoder;
pub mod decoding;
pub mod export;
pub mod families;
pub mod formats;
pub mod linear;
mod model;
pub mod templates;
pub mod tokenizer;

pub use chat::Chat;
pub use model::{Digests, Model};
pub use templates::ChatTemplates;
