//! `diapason-remote` against servers that misbehave, and against what real servers said.
#![allow(missing_docs, clippy::unwrap_used)]

mod answers;
mod faults;
#[cfg(target_os = "linux")]
mod https;
mod limits;
mod llama_server;
mod secrets;
mod server;
