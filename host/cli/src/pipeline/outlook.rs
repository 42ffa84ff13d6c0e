//! `diapason plan`: what training will take, and what to change where that is too much.

use super::{Session, tokens};
use crate::number::{count, counted, duration};
use crate::paint::Paint;
use diapason_core::config::{Method, Optimizer, Train};
use diapason_core::{Error, Result};
use diapason_models::decoder::Llama;
use diapason_train::encode::Example;
use diapason_train::forecast::{self, Load, Machine, Memory};
use diapason_train::run::trainable;
use serde::Serialize;
use std::path::Path;
use sysinfo::{MemoryRefreshKind, System};

/// Where training is planned for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// Memory that there is, in bytes.
    pub(crate) bytes: u64,
    /// What computes.
    pub(crate) machine: Machine,
    /// Floating-point operations per second that training reaches there; measured here where it is not given.
    pub(crate) flops: Option<f64>,
}

/// What was foretold.
#[derive(Debug, Serialize)]
pub(crate) struct Outlook {
    load: Load,
    memory: Memory,
    /// Memory that there is, in bytes.
    available: u64,
    fits: bool,
    /// Floating-point operations.
    flops: f64,
    /// Seconds of training, evaluation left out.
    seconds: f64,
    /// Other settings with their peaks, the mildest change first, up to the first that fits; empty where nothing has to be
    /// changed.
    instead: Vec<Change>,
}

impl Outlook {
    /// Whether there is enough memory.
    pub(crate) fn fits(&self) -> bool {
        self.fits
    }
}

/// Other settings.
#[derive(Debug, Serialize)]
struct Change {
    /// As they stand in `[train]`.
    settings: Vec<String>,
    /// Peak memory in bytes.
    peak: u64,
}

/// Foretells the training of a run. The model's weights are not read.
pub(crate) fn outlook(session: &mut Session, target: Target) -> Result<Outlook> {
    session.open_outline()?;
    let samples = tokens::samples(session)?;
    let rows = tokens::rows(session, &samples)?.train;
    let (config, seed) = (session.plan.config.train.clone(), session.plan.config.run.seed);
    let file_bytes = size(&session.plan.config.base()?.path)?;
    let llama = session.base()?.model.llama();
    trainable::check_ranks(llama, &config)?;
    let load = Load::of(&rows, &config, seed);
    let run = Planned { llama, rows: &rows, seed, file_bytes, machine: target.machine };
    let memory = run.memory(&config);
    let fits = memory.peak <= target.bytes;
    let flops = forecast::flops(llama, &config, &load);
    let rate = target.flops.unwrap_or_else(|| forecast::measured_rate(llama).training);
    let instead = if fits { Vec::new() } else { run.changes(&config, target.bytes) };
    Ok(Outlook { load, memory, available: target.bytes, fits, flops, seconds: flops / rate, instead })
}

struct Planned<'a> {
    llama: &'a Llama,
    rows: &'a [Example],
    seed: u64,
    file_bytes: u64,
    machine: Machine,
}

impl Planned<'_> {
    fn memory(&self, config: &Train) -> Memory {
        let load = Load::of(self.rows, config, self.seed);
        let accumulates = load.passes > load.steps;
        forecast::memory(self.llama, config, load.largest, accumulates, self.file_bytes, self.machine)
    }

    /// Milder changes first: those that change no result, then fewer bits.
    fn changes(&self, config: &Train, available: u64) -> Vec<Change> {
        let mut tried = Vec::new();
        for candidate in candidates(config) {
            let peak = self.memory(&candidate).peak;
            tried.push(Change { settings: difference(config, &candidate), peak });
            if peak <= available {
                break;
            }
        }
        tried
    }
}

/// Settings to try in place of `config`, each with less memory than the one before.
fn candidates(config: &Train) -> Vec<Train> {
    let mut found = Vec::new();
    let mut push = |next: Train| {
        if &next != config && found.last() != Some(&next) {
            found.push(next);
        }
    };
    let mut now = config.clone();
    while now.batch_size > 1 && !now.packing {
        now.gradient_accumulation *= now.batch_size.div_ceil(now.batch_size / 2);
        now.batch_size /= 2;
        push(now.clone());
    }
    now.gradient_checkpointing = true;
    push(Train { gradient_checkpointing: true, ..config.clone() });
    push(now.clone());
    now.optimizer = Optimizer::AdamW8bit;
    push(now.clone());
    match now.method {
        Method::Full => push(Train { method: Method::Lora, ..now.clone() }),
        Method::Lora | Method::Qlora => {}
    }
    push(Train { method: Method::Qlora, ..now });
    found
}

/// The settings that differ, as they stand in the file.
fn difference(config: &Train, other: &Train) -> Vec<String> {
    let fields = |train: &Train| serde_json::to_value(train).ok().and_then(|json| json.as_object().cloned());
    let (before, after) = (fields(config).unwrap_or_default(), fields(other).unwrap_or_default());
    let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    changed.map(|(name, value)| format!("{name} = {value}")).collect()
}

/// Bytes of a model's weight files.
fn size(path: &Path) -> Result<u64> {
    let fail = |source| Error::data(format!("failed to read {}", path.display())).because(source);
    if !path.is_dir() {
        return std::fs::metadata(path).map(|file| file.len()).map_err(fail);
    }
    let mut bytes = 0;
    for entry in std::fs::read_dir(path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if entry.path().extension().is_some_and(|extension| extension == "safetensors") {
            bytes += entry.metadata().map_err(fail)?.len();
        }
    }
    Ok(bytes)
}

/// Returns the memory that is available on this machine, in bytes, within the limits of its control group.
///
/// # Errors
/// The system does not say.
pub(crate) fn available() -> Result<u64> {
    let unknown =
        || Error::config("this system does not say how much memory is available").hint("give `--memory` in GB");
    let mut system = System::new().map_err(|source| unknown().because(source))?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    // What the group's files have in the page cache is given back when memory is needed, so only its processes' count.
    let left = system.cgroup_limits().map(|limits| limits.total_memory.saturating_sub(limits.rss));
    match left.map_or(system.available_memory(), |left| left.min(system.available_memory())) {
        0 => Err(unknown()),
        bytes => Ok(bytes),
    }
}

/// The outlook for a reader.
pub(crate) fn text(outlook: &Outlook, paint: Paint) -> String {
    let Outlook { load, memory, available, fits, seconds, instead, .. } = outlook;
    let parts = [
        ("weights", memory.weights),
        ("adapter", memory.adapter),
        ("gradients", memory.gradients),
        ("optimizer", memory.optimizer),
        ("activations", memory.activations),
        ("logits, passing", memory.transient),
        ("program", memory.fixed),
    ];
    let mut lines = vec![
        format!("steps        {} with {} micro-batches in total", count(load.steps), count(load.passes)),
        format!("tokens       {}, of which {} are trained", count(load.tokens), count(load.trained)),
        format!("largest      micro-batch of {}", counted(load.largest.tokens as usize, "token")),
        format!("time         about {}, without evaluation", duration(*seconds)),
        format!("peak memory  {} of {} available", gigabytes(memory.peak), gigabytes(*available)),
    ];
    lines.extend(parts.iter().map(|(name, bytes)| format!("  {name:<16} {:>10}", gigabytes(*bytes))));
    lines.push(match fits {
        true => paint.bold("it fits"),
        false => paint.bold("it does not fit"),
    });
    for change in instead {
        let verdict = if change.peak <= *available { "fits" } else { "not enough" };
        lines.push(format!("  {verdict:<10} {:>10}  {}", gigabytes(change.peak), change.settings.join(", ")));
    }
    lines.join("\n") + "\n"
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.2} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milder_changes_come_first_and_keep_the_rows_of_a_step() {
        let config = Train { batch_size: 6, gradient_accumulation: 2, ..Train::default() };
        let tried = candidates(&config);
        for candidate in &tried {
            assert!(candidate.batch_size * candidate.gradient_accumulation >= 12);
            assert!(!difference(&config, candidate).is_empty());
        }
        assert_eq!(difference(&config, &tried[0]), ["batch_size = 3", "gradient_accumulation = 4"]);
        assert_eq!(tried.last().map(|last| last.method), Some(Method::Qlora));
    }
}
