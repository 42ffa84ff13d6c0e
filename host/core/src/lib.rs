//! Diapason's pure core: what a sample, a score, a comparison and a gate are.
//!
//! There is no clock, no environment, no network, no terminal, no model and no WebAssembly here: the same input gives
//! the same output. Randomness is an argument. The other crates implement the traits of [`language_model`] and
//! [`event`] and are joined in `diapason-cli`.

pub mod compare;
pub mod config;
pub mod dataset;
pub mod digest;
pub mod error;
pub mod escape;
pub mod event;
pub mod files;
pub mod finding;
pub mod foreign;
pub mod gate;
pub mod language_model;
pub mod manifest;
pub mod report;
pub mod sample;
pub mod score;
pub mod stats;

pub use error::{Class, Error, Result};
