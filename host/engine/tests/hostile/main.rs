//! Thousands of damaged files: each is read or refused with an error, without a panic and without memory that is not there.
#![allow(clippy::unwrap_used, missing_docs)]

mod damage;
mod limits;
mod readers;
