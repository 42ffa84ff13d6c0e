//! What starter projects need beyond their files.

pub mod address;
