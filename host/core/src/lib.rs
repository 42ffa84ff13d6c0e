//! Diapason's pure core: what a sample, a score, a comparison and a gate are.
//!
//! There is no file, no clock, no environment, no network, no terminal, no model and no WebAssembly here: the same input gives
//! the same output. Randomness is an argument. The other crates implement the traits of [`language_model`] and
//! [`event`] and are joined in `diapason-cli`.

pub mod arm;
pub mod compare;
pub mod config;
pub mod digest;
pub mod engine;
pub mod error;
pub mod escape;
pub mod event;
pub mod finding;
pub mod frozen;
pub mod gate;
pub mod language_model;
pub mod report;
pub mod sample;
pub mod schema;
pub mod score;
pub mod stats;
pub mod worth;

pub use error::{Class, Error, Result};
