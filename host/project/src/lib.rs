//! What a project has on disk: its configuration, its datasets, and the manifest of a run. Decisions about it are
//! `diapason-core`'s.

pub mod config;
pub mod dataset;
pub mod manifest;
pub mod tasks;
