//! End-to-end tests.

mod adapters;
mod allowed;
mod bad_input;
mod crash;
mod decoding;
mod generate;
mod hostile_files;
mod hostile_text;
mod one_folder;
mod plugins;
mod project;
mod refused;
mod resume_eval;
mod row_places;
mod rows;
mod schema;
mod swapped;
mod tampering;
mod tasks;
mod templates;
mod thread;
mod tidy;
mod transcripts;
