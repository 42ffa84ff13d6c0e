//! End-to-end tests.

mod bad_input;
mod crash;
mod plugins;
mod schema;
mod tampering;
mod thread;
mod tidy;
mod transcripts;
