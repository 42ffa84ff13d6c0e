//! Numbers in 4 and 8 bits, as bitsandbytes keeps them: the same input gives the same bytes.
//!
//! Facts were read from bitsandbytes 0.50 and checked against it (`tests/oracles/nf4.py`).

mod bitsandbytes;
pub mod dynamic;
pub(crate) mod nf4;

pub use bitsandbytes::{CONFIG_KEY, Part, config, parts};
pub use nf4::{BLOCK, CODEBOOK, Nf4};
