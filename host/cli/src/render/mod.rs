//! From a report to text: for the terminal, for machines, and the report's files.

pub(crate) mod about;
mod arms;
mod axis;
mod cell;
mod curve;
#[cfg(test)]
mod fixture;
pub(crate) mod flips;
mod forest;
pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod markdown;
mod markdown_tables;
mod page;
mod samples;
mod tables;
pub(crate) mod terminal;
mod terminal_tables;
pub(crate) mod words;
mod worth;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
