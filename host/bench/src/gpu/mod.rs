//! `cargo x gpu`: proves the kernels of a GPU against their references and measures training on it.
//!
//! Where there is an NVIDIA driver it builds itself again with the feature `cuda`, as `cargo run --release -p diapason-bench
//! --features cuda -- gpu` does at once. With `--device cpu --shape tiny` it checks itself where there is no GPU. The line that a run prints for each training belongs into
//! `host/bench/MODEL.md`.

mod cost;
mod method;
mod python;
mod shape;
mod training;

use anyhow::{Context, Result, bail};
use diapason_nn::{compare, device};
use method::Method;
use shape::Shape;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use training::{Measured, Plan};

/// What Linux shows of a loaded driver.
const DRIVER: &str = "/proc/driver/nvidia/version";

/// What `cargo x gpu` ends with where there is no GPU to be had.
const NO_DEVICE: u8 = 2;

/// Options of `cargo x gpu`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// `cuda:N`, or `cpu` for a self-check.
    #[arg(long, default_value = "cuda:0")]
    device: String,
    /// Shapes to train; may be given several times.
    #[arg(long, value_enum, default_values = ["1b", "8b"])]
    shape: Vec<Shape>,
    /// Tokens of a row. Default: 4096, of `tiny` 64.
    #[arg(long)]
    sequence: Option<usize>,
    /// Rows of a step.
    #[arg(long, default_value_t = 1)]
    rows: usize,
    /// Steps to measure, after two that are not counted.
    #[arg(long, default_value_t = 10)]
    steps: usize,
    /// Keep only each layer's input and compute the rest again in the backward pass.
    #[arg(long)]
    gradient_checkpointing: bool,
    /// Peak of the device in TFLOP/s for dense bf16 products, which MFU is measured against. Default: what is known of
    /// its name.
    #[arg(long)]
    peak: Option<f64>,
    /// The Python in which PyTorch and PEFT are measured beside.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Measure nothing beside.
    #[arg(long)]
    no_python: bool,
    /// Do not compare the kernels with their references.
    #[arg(long)]
    no_kernels: bool,
    /// Only compare the kernels with their references.
    #[arg(long)]
    no_training: bool,
}

/// Compares, measures and prints; the exit code is 1 if a kernel is wrong, 2 if there is no such device.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if !cfg!(feature = "cuda") && arguments.device != "cpu" && Path::new(DRIVER).is_file() {
        return again();
    }
    let device = match device::parse(&arguments.device) {
        Ok(device) => device,
        Err(error) => {
            eprintln!("error: {error}");
            eprintln!("hint: {}", error.hint_text().unwrap_or("look at `nvidia-smi`"));
            eprintln!("hint: `cargo x gpu --device cpu --shape tiny` checks this command without one");
            return Ok(ExitCode::from(NO_DEVICE));
        }
    };
    let gpu = device::gpu(&device)?;
    let name = gpu.as_ref().map_or("CPU", |gpu| gpu.name.as_str());
    println!("device: {name}{}", gpu.as_ref().map(described).unwrap_or_default());
    let wrong = if arguments.no_kernels { 0 } else { kernels(&device)? };
    if !arguments.no_training {
        let peak = arguments.peak.map(|tera| tera * 1e12).or_else(|| cost::peak_of(name));
        train(arguments, &device, peak)?;
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The same command line in a build with CUDA.
fn again() -> Result<ExitCode> {
    println!("there is an NVIDIA driver: building with the feature `cuda`");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["run", "--release", "--package", "diapason-bench", "--features", "cuda", "--"])
        .args(std::env::args_os().skip(1));
    let status = command.current_dir(crate::root()).status().context("failed to start cargo")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

fn described(gpu: &device::Gpu) -> String {
    let driver = Command::new("nvidia-smi").args(["--query-gpu=driver_version", "--format=csv,noheader"]).output();
    let driver = driver.ok().filter(|output| output.status.success());
    let driver = driver.and_then(|output| Some(String::from_utf8(output.stdout).ok()?.lines().next()?.to_owned()));
    let driver = driver.unwrap_or_else(|| "unknown".to_owned());
    format!(", {:.1} GiB, driver {driver} (CUDA {})", gibibytes(gpu.memory), gpu.cuda)
}

fn gibibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

/// Prints how far every operation is from its reference; gives how many are too far.
fn kernels(device: &training::Device) -> Result<usize> {
    println!("\n{:<35} {:>5} {:>12} {:>8}  shapes", "operation", "type", "error", "");
    let mut wrong = 0;
    for dtype in compare::types(device) {
        for found in compare::all(device, *dtype).context("failed to compare the kernels")? {
            let verdict = if found.ok() { "ok" } else { "FAILED" };
            wrong += usize::from(!found.ok());
            let dtype = format!("{:?}", found.dtype).to_lowercase();
            println!("{:<35} {dtype:>5} {:>12.2e} {verdict:>8}  {}", found.operation, found.error, found.shapes);
        }
    }
    println!("{wrong} operations are too far from their references");
    Ok(wrong)
}

/// Trains every shape by every method that is measured for it; prints what it cost.
fn train(arguments: &Arguments, device: &training::Device, peak: Option<f64>) -> Result<()> {
    if arguments.steps == 0 || arguments.rows == 0 {
        bail!("there is nothing to measure in 0 steps or rows");
    }
    match peak {
        Some(peak) => println!("\nMFU: model FLOP/s over an assumed peak of {:.0} TFLOP/s (dense bf16)", peak / 1e12),
        None => println!("\nMFU: not given, the device's peak is unknown; `--peak` states it"),
    }
    println!("{}\n\n{}", cost::FORMULA, Measured::header());
    for shape in &arguments.shape {
        for method in shape.methods() {
            let plan = Plan {
                shape: *shape,
                method: *method,
                sequence: arguments.sequence.unwrap_or(shape.sequence()),
                rows: arguments.rows,
                steps: arguments.steps,
                gradient_checkpointing: arguments.gradient_checkpointing,
            };
            one(arguments, &plan, device, peak)?;
        }
    }
    Ok(())
}

/// One training of ours, and the same in PyTorch beside it. What fails, for want of memory say, is said, and the others
/// go on.
fn one(arguments: &Arguments, plan: &Plan, device: &training::Device, peak: Option<f64>) -> Result<()> {
    match plan.measure(device) {
        Ok(measured) => println!("{}", measured.line("diapason", plan, peak)),
        Err(error) => println!("| diapason | {} | {} | failed: {error:#} |", plan.shape, plan.method),
    }
    if arguments.no_python {
        return Ok(());
    }
    match python::measure(&arguments.python, plan, &arguments.device) {
        Ok((versions, measured)) => println!("{}", measured.line(&versions, plan, peak)),
        Err(error) => println!("| PyTorch + PEFT | {} | {} | not measured: {error:#} |", plan.shape, plan.method),
    }
    Ok(())
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
