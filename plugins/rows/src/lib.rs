//! Rows of datasets: the one reader that the host and the dataset validators share, and what the validators need beside it
//! (a row's words, and a hash that is the same everywhere).
//!
//! What [`read`] gives is what is trained on and evaluated; what it refuses, a validator reports. No column that changes a
//! row's meaning is left out without a word.

mod beside;
mod calls;
mod columns;
mod exchange;
mod fault;
mod hash;
mod json;
mod learning;
mod numbers;
mod order;
mod parts;
mod reading;
mod shape;
mod turns;
mod words;

pub use beside::RESERVED;
pub use columns::is_read;
pub use exchange::Exchange;
pub use fault::Fault;
pub use hash::{fnv, mix};
pub use json::object;
pub use learning::WEIGHT;
pub use numbers::inexact;
pub use reading::{Reading, read};
pub use shape::{SHAPES, Shape};
pub use turns::Turn;
pub use words::{Word, normalise, preview, words};

#[cfg(test)]
mod formats;
#[cfg(test)]
mod tests;
