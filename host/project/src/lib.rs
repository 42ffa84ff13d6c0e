//! What a project has on disk: its configuration, its datasets, which of their rows are alike, what is put in front of
//! prompts, and the manifest of a run. Decisions about it are `diapason-core`'s.

pub mod alike;
pub mod config;
pub mod dataset;
pub mod foreign;
pub mod manifest;
pub mod prompting;
pub mod tasks;
