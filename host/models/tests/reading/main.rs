//! Model folders and GGUF files as users leave them: which tensor is read, and what the configuration means.
#![allow(clippy::unwrap_used, missing_docs)]

mod configs;
mod folders;
mod gguf;
mod head;
mod shards;
#[allow(dead_code)]
#[path = "../shared/mod.rs"]
mod shared;
