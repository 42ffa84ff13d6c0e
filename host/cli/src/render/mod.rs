//! From a report to text: for the terminal, for machines, and the report's files.

pub(crate) mod about;
mod curve;
#[cfg(test)]
mod fixture;
pub(crate) mod flips;
mod forest;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod markdown;
mod page;
mod samples;
pub(crate) mod terminal;
pub(crate) mod words;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
