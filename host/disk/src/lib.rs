//! What lies on disk: regular files, read within limits and written whole or not at all, and the door that foreign bytes
//! come in by. Every crate that reads or writes goes through here.

pub mod files;
pub mod foreign;
