//! What measures and what takes long: `cargo x base | bench | gpu` run it.

// A development tool speaks to whoever runs it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod base;
mod bench;
mod gpu;

/// The binary's own allocator, so that benchmarks measure what people run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo x", about = "Measurements of Diapason, and the recipe of its demo")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write the demo's data and train its base model from scratch (about 20 minutes on two cores).
    Base(base::Arguments),
    /// Measure training, generation, evaluators and component loading.
    Bench(bench::Arguments),
    /// Prove a GPU's kernels against their references and measure training on it (build with `--features cuda`).
    Gpu(gpu::Arguments),
}

/// `mi_option_purge_delay` of mimalloc's `mimalloc.h`, which the bindings leave out.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

fn main() -> Result<ExitCode> {
    // Every training step frees and takes the same memory again. Given back to the system in between, it would have to be
    // cleared anew each time: a third of a step's time.
    // SAFETY: stores a number, while there is only this thread.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    match Arguments::parse().task {
        Task::Base(arguments) => base::run(&arguments)?,
        Task::Bench(arguments) => bench::run(&arguments)?,
        Task::Gpu(arguments) => return gpu::run(&arguments),
    }
    Ok(ExitCode::SUCCESS)
}

/// The repository's root, where this crate was built.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
