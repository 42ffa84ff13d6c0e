//! Development tasks: `cargo x ci | plugins | cuda-check | base | bench | gpu`.
//!
//! It depends on nothing heavy and builds in seconds. What needs candle or wasmtime is in `diapason-bench`, which is built
//! when it is asked for.

// A development tool speaks to whoever runs it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cuda;
mod plugins;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use std::ffi::OsString;
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
    /// Build and lint the feature `cuda`, with every kernel's PTX, and run what it built on the CPU. Needs CUDA's compiler,
    /// no GPU.
    CudaCheck,
    /// Write the demo's data and train its base model from scratch (about 20 minutes on two cores).
    Base(Further),
    /// Measure training, generation, evaluators and component loading.
    Bench(Further),
    /// Prove a GPU's kernels against their references and measure training on it.
    Gpu(Further),
}

/// Arguments of `diapason-bench`.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
struct Further {
    /// See `--help` of the task.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().task {
        Task::Ci => ci()?,
        Task::Plugins { check } => plugins::run(check)?,
        Task::CudaCheck => cuda::run(&root())?,
        Task::Base(further) => return bench("base", &further),
        Task::Bench(further) => return bench("bench", &further),
        Task::Gpu(further) => return bench("gpu", &further),
    }
    Ok(ExitCode::SUCCESS)
}

fn ci() -> Result<()> {
    let status = Command::new("bash").arg(".ci/run").current_dir(root()).status().context("failed to start .ci/run")?;
    ensure!(status.success(), "CI failed");
    Ok(())
}

/// Builds `diapason-bench` and runs a task of it, in the folder of the caller.
fn bench(task: &str, further: &Further) -> Result<ExitCode> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--release", "--quiet", "--package", "diapason-bench", "--manifest-path"]);
    command.arg(root().join("Cargo.toml")).arg("--").arg(task).args(&further.arguments);
    let status = command.status().context("failed to start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// The repository's root, where this crate was built.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
