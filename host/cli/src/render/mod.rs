//! From a report to text: for the terminal, for machines, and the report's files.

mod curve;
#[cfg(test)]
mod fixture;
mod forest;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod markdown;
pub(crate) mod number;
mod page;
mod samples;
pub(crate) mod terminal;
mod words;
