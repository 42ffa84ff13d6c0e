//! `cargo x bench`: what training, generation, scoring and loading cost on this machine.
//!
//! Figures of one run belong together; compare them with figures of the same run only.

mod components;
mod model;
mod train;
mod verdicts;

use anyhow::Result;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Options of `cargo x bench`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// A model folder or GGUF file; the figures of the README are SmolLM2-135M's. Without it only components are measured.
    #[arg(long, env = "DIAPASON_SMOLLM2")]
    model: Option<PathBuf>,
    /// Optimizer steps to measure, after one that is not counted.
    #[arg(long, default_value_t = 6)]
    steps: usize,
    /// Measurements of each short call; the median is printed.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
}

/// Benchmarks that are asked for by name.
#[derive(clap::Subcommand)]
enum What {
    /// Speed and peak memory of training, beside PyTorch with PEFT.
    Train(train::Arguments),
    /// How often intervals hold and gates err, by simulation: the tables of `host/core/STATISTICS.md`.
    Verdicts(verdicts::Arguments),
}

/// Measures and prints.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.what {
        Some(What::Train(arguments)) => return train::run(arguments),
        Some(What::Verdicts(arguments)) => return verdicts::run(arguments),
        None => {}
    }
    println!("{} threads\n", std::thread::available_parallelism().map_or(1, usize::from));
    components::run(arguments.repeats)?;
    match &arguments.model {
        Some(path) => model::run(path, arguments.steps),
        None => {
            println!("\nno --model given: training and generation not measured");
            Ok(())
        }
    }
}

/// The median wall time of `repeats` calls, after one that is not counted.
fn median(repeats: usize, mut call: impl FnMut() -> Result<()>) -> Result<Duration> {
    call()?;
    let mut times = (0..repeats.max(1)).map(|_| timed(&mut call)).collect::<Result<Vec<_>>>()?;
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

fn timed(call: &mut impl FnMut() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    call()?;
    Ok(start.elapsed())
}

/// The median; the upper of the middle two. Not a number where there is nothing.
fn median_of(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
