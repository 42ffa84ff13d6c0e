//! `diapason.toml`, from its text to a checked [`Config`](diapason_core::config::Config). Unknown keys are refused, with the
//! nearest known one.

mod arms;
mod existing;
mod load;
mod numbers;
mod rules;
mod tasks;
mod watched;

pub use load::{is_path, line, load, parse, read, refuse, schema};
pub use tasks::adopt;

#[cfg(test)]
mod tests;
