//! End-to-end tests.

mod bad_input;
mod crash;
mod hostile_files;
mod hostile_text;
mod plugins;
mod schema;
mod thread;
mod tidy;
mod transcripts;
