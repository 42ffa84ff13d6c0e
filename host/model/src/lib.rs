//! Training and inference of Llama-family models on candle. The only crate that names candle.

pub mod adapter;
pub mod arch;
pub mod batch;
mod chat;
mod checkpoint;
pub mod compare;
pub mod device;
pub mod encode;
pub mod forecast;
mod generate;
pub mod kernels;
pub mod layout;
pub mod linear;
pub mod merge;
mod model;
mod open;
pub mod optim;
mod origin;
pub mod quant;
mod sampling;
mod save;
pub mod schedule;
mod score;
pub mod tape;
pub mod templates;
pub mod tokenizer;
pub mod tokens;
pub mod train;
pub mod weights;

pub use chat::Chat;
pub use model::{Digests, Model};
pub use templates::ChatTemplates;
pub use weights::SaveType;
