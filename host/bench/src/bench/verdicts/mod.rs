//! `cargo x bench verdicts`: how often intervals hold the truth and how often gates err, for every method and the designs
//! that were found hard. Prints the tables of `host/core/STATISTICS.md`.

mod cells;
mod draw;
mod gates;
mod search;
mod sizes;
mod time;

use anyhow::{Result, ensure};
use cells::Cell;
use diapason_core::stats::{Evidence, Side};
use draw::Random;
use rand::SeedableRng;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One-sided error rate of every decision here.
const ALPHA: f64 = 0.05;

/// A 95 % interval holds the truth at least this often.
const LEAST_COVERAGE: f64 = 0.935;

/// Options of `cargo x bench verdicts`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Trials of each cell.
    #[arg(long, default_value_t = 10_000)]
    trials: usize,
    /// Seed of the first trial of each cell.
    #[arg(long, default_value_t = 20_261_126)]
    seed: u64,
    /// Only cells whose group or name contains this.
    #[arg(long)]
    only: Option<String>,
}

/// Simulates and prints; fails where a cell errs more often than it may.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let wanted = |text: &str| arguments.only.as_ref().is_none_or(|only| text.contains(only.as_str()));
    println!("{} trials a cell, seed {}, alpha {ALPHA}\n", arguments.trials, arguments.seed);
    let mut over = Vec::new();
    let mut group = "";
    for cell in cells::all().iter().filter(|cell| wanted(&format!("{} {}", cell.group, cell.name))) {
        if cell.group != group {
            group = cell.group;
            println!("\n### {group}\n");
            println!("| design | interval holds the truth | false pass | false failure | decided | half-width |");
            println!("|---|---|---|---|---|---|");
        }
        let rates = simulate(cell, arguments);
        println!("| {} | {rates}", cell.name);
        over.extend(rates.over(arguments.trials).then(|| format!("{group}: {}", cell.name)));
    }
    over.extend(gates::run(arguments, wanted));
    if wanted("search") {
        over.extend(search::run(arguments));
    }
    if wanted("sizes") {
        sizes::run(arguments);
    }
    if wanted("time") {
        time::run();
    }
    ensure!(over.is_empty(), "cells that err more often than they may:\n  {}", over.join("\n  "));
    println!("\nno cell errs more often than alpha + 3 standard errors");
    Ok(())
}

/// What came of a cell's trials.
struct Rates {
    covered: f64,
    passed: f64,
    failed: f64,
    decided: f64,
    half_width: f64,
}

impl Rates {
    /// Intervals of means that decide nothing are marked; they need not hold.
    fn over(&self, trials: usize) -> bool {
        let wrong = self.passed > limit(trials) || self.failed > limit(trials);
        wrong || (self.decided > 0.99 && self.covered < LEAST_COVERAGE)
    }
}

impl std::fmt::Display for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { covered, passed, failed, decided, half_width } = self;
        write!(f, "{covered:.3} | {passed:.3} | {failed:.3} | {decided:.2} | {half_width:.4} |")
    }
}

/// Alpha and three standard errors of a rate of alpha.
fn limit(trials: usize) -> f64 {
    ALPHA + 3.0 * (ALPHA * (1.0 - ALPHA) / trials as f64).sqrt()
}

/// What came of one draw.
#[derive(Clone, Copy)]
struct Trial {
    covered: bool,
    passed: bool,
    failed: bool,
    decided: bool,
}

fn simulate(cell: &Cell, arguments: &Arguments) -> Rates {
    let known = Mutex::new(HashMap::new());
    let trials = each(arguments.trials, arguments.seed, |random| {
        let evidence = (cell.draw)(random);
        let counts = counts(&evidence);
        if let Some(trial) = counts.and_then(|counts| known.lock().ok()?.get(&counts).copied()) {
            return trial;
        }
        let may = evidence.estimate().is_some() && evidence.weakness().is_none();
        let above = evidence.p(Side::Above, cell.truth).unwrap_or(1.0);
        let below = evidence.p(Side::Below, cell.truth).unwrap_or(1.0);
        let trial = Trial {
            covered: above.min(below) > ALPHA / 2.0,
            passed: may && above <= ALPHA,
            failed: may && below <= ALPHA,
            decided: may,
        };
        if let (Some(counts), Ok(mut known)) = (counts, known.lock()) {
            known.insert(counts, trial);
        }
        trial
    });
    let share = |of: fn(&Trial) -> bool| trials.iter().filter(|trial| of(trial)).count() as f64 / trials.len() as f64;
    let widths = each(arguments.trials.min(40), arguments.seed, |random| half_width(&(cell.draw)(random)));
    let widths: Vec<f64> = widths.into_iter().flatten().collect();
    Rates {
        covered: share(|trial| trial.covered),
        passed: share(|trial| trial.passed),
        failed: share(|trial| trial.failed),
        decided: share(|trial| trial.decided),
        half_width: widths.iter().sum::<f64>() / widths.len() as f64,
    }
}

/// Counts that determine all that is said of rates, so that a repeated draw costs nothing.
fn counts(evidence: &Evidence) -> Option<(usize, usize)> {
    match evidence {
        Evidence::Rate { ones, .. } => Some((*ones, 0)),
        Evidence::PairedRates { base_only, tuned_only, .. } => Some((*base_only, *tuned_only)),
        _ => None,
    }
}

fn half_width(evidence: &Evidence) -> Option<f64> {
    match evidence.interval(0.9) {
        diapason_core::stats::Interval::Known { low, .. } => Some(evidence.estimate()? - low),
        diapason_core::stats::Interval::TooFew { .. } => None,
    }
}

/// `trial` with a generator of its own for each number, on all cores; the order is that of the numbers.
fn each<T: Send>(trials: usize, seed: u64, trial: impl Fn(&mut Random) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= trials {
                    return done;
                }
                let mut random = Random::seed_from_u64(seed.wrapping_add(index as u64));
                done.push((index, trial(&mut random)));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, result)| result).collect()
}
