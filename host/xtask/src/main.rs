//! Development tasks: `cargo x ci | plugins | base | bench | gpu`.

// A development tool speaks to whoever runs it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod base;
mod bench;
mod gpu;
mod plugins;

/// The binary's own allocator, so that benchmarks measure what people run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

#[derive(Parser)]
#[command(name = "cargo x", about = "Development tasks of Diapason")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that CI runs.
    Ci,
    /// Rebuild the first-party plugins from source into `plugins/prebuilt`.
    Plugins {
        /// Change nothing; fail where source and built component disagree.
        #[arg(long)]
        check: bool,
    },
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
        Task::Ci => ci()?,
        Task::Plugins { check } => plugins::run(check)?,
        Task::Base(arguments) => base::run(&arguments)?,
        Task::Bench(arguments) => bench::run(&arguments)?,
        Task::Gpu(arguments) => return gpu::run(&arguments),
    }
    Ok(ExitCode::SUCCESS)
}

fn ci() -> Result<()> {
    let status = Command::new("bash").arg(".ci/run").current_dir(root()).status().context("failed to start .ci/run")?;
    ensure!(status.success(), "CI failed");
    Ok(())
}

/// The repository's root, where this crate was built.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
