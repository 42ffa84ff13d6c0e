//! The sandbox against guests written as WebAssembly text: `guests/` behaves, `hostile/` does not.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod bombs;
mod damage;
mod excess;
mod exports;
mod guest;
mod hostile;
mod imports;
mod loading;
mod prebuilt;
