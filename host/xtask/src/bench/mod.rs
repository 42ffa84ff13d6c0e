//! `cargo x bench`: what training, generation, scoring and loading cost on this machine.
//!
//! Figures of one run belong together; compare them with figures of the same run only.

mod components;
mod model;

use anyhow::Result;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Options of `cargo x bench`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
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

/// Measures and prints.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
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
