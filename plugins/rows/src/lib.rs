//! What the dataset validators share: a row's shape, its prompt and answer, its words, and a hash that is the same
//! everywhere.

mod exchange;
mod hash;
mod shape;
mod words;

pub use exchange::Exchange;
pub use hash::{fnv, mix};
pub use shape::{SHAPES, Shape};
pub use words::{Word, normalise, preview, words};
