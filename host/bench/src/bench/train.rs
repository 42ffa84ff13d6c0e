//! `cargo x bench train`: LoRA and QLoRA beside PyTorch with PEFT, each in a process of its own, taking turns.

use super::median_of;
use anyhow::{Context, Result, bail};
use diapason_core::config::{Method, Train};
use diapason_core::event::Event;
use diapason_models::Model;
use diapason_models::formats::Format;
use diapason_nn::SaveType;
use diapason_nn::device;
use diapason_train::encode::Example;
use diapason_train::forecast::{self, Load, Machine};
use diapason_train::run::{self, Run};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// What PyTorch runs, from the root of the repository.
const SCRIPT: &str = "tests/oracles/train_speed.py";

/// Options of `cargo x bench train`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A model folder or GGUF file.
    #[arg(long, env = "DIAPASON_SMOLLM2")]
    model: PathBuf,
    /// A Python with torch, transformers and peft, to be measured beside us.
    #[arg(long)]
    python: Option<PathBuf>,
    /// Optimizer steps to measure, after one that is not counted.
    #[arg(long, default_value_t = 4)]
    steps: usize,
    /// How often each takes its turn; medians are printed.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Rows of a step.
    #[arg(long, default_value_t = 4)]
    batch: usize,
    /// Tokens of a row.
    #[arg(long, default_value_t = 256)]
    length: usize,
    /// Threads of each process.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Measures this variant in this process and prints JSON: what the command starts for each turn.
    #[arg(long, hide = true)]
    turn: Option<Variant>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Variant {
    /// LoRA on a base in f32.
    Lora,
    /// LoRA with only the layers' inputs kept.
    LoraCheckpointing,
    /// LoRA on a base in NF4 with double quantisation.
    Qlora,
    /// LoRA by PyTorch and PEFT.
    Torch,
}

/// What one turn gave.
#[derive(Debug, Serialize, Deserialize)]
struct Turn {
    /// Median over the steps.
    tokens_per_second: f64,
    /// Largest resident size of the process in bytes (`VmHWM`).
    peak_bytes: u64,
    /// The peak that `diapason plan` would have foretold, in bytes; 0 of what is not ours.
    #[serde(default)]
    planned_bytes: u64,
    /// Bits for each parameter of the blocks' frozen linear layers.
    bits: f64,
    /// Loss of the last step in nats.
    loss: f64,
}

/// Measures and prints.
pub(super) fn run(arguments: &Arguments) -> Result<()> {
    if let Some(variant) = arguments.turn {
        println!("{}", serde_json::to_string(&turn(arguments, variant)?)?);
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    // The same files for everybody, whatever the model came as.
    Model::open(&arguments.model, &device::parse("cpu")?)?.save(folder.path(), SaveType::F32)?;
    let mut variants = vec![Variant::Lora, Variant::LoraCheckpointing, Variant::Qlora];
    variants.extend(arguments.python.is_some().then_some(Variant::Torch));
    let mut turns: Vec<Vec<Turn>> = variants.iter().map(|_| Vec::new()).collect();
    for _ in 0..arguments.rounds.max(1) {
        for (variant, turns) in variants.iter().zip(&mut turns) {
            turns.push(take_turn(arguments, *variant, folder.path())?);
        }
    }
    report(arguments, &variants, &turns);
    Ok(())
}

fn report(arguments: &Arguments, variants: &[Variant], turns: &[Vec<Turn>]) {
    let Arguments { batch, length, steps, rounds, threads, .. } = arguments;
    println!("LoRA r 16 on all linear layers, {batch} x {length} tokens, f32, {threads} threads;");
    println!("medians of {rounds} turns of {steps} steps; the ratios are to the last line\n");
    println!(
        "{:<20} {:>9} {:>7} {:>9} {:>7} {:>9} {:>6} {:>8}",
        "", "tokens/s", "ratio", "peak MiB", "ratio", "planned", "bits", "loss"
    );
    let of = |turns: &[Turn], field: fn(&Turn) -> f64| median_of(turns.iter().map(field).collect());
    let speed = |turns: &[Turn]| of(turns, |turn| turn.tokens_per_second);
    let peak = |turns: &[Turn]| of(turns, |turn| turn.peak_bytes as f64);
    let Some(last) = turns.last() else { return };
    for (variant, turns) in variants.iter().zip(turns) {
        println!(
            "{:<20} {:>9.1} {:>7.2} {:>9.0} {:>7.2} {:>9.0} {:>6.2} {:>8.4}",
            format!("{variant:?}"),
            speed(turns),
            speed(turns) / speed(last),
            peak(turns) / f64::from(1 << 20),
            peak(turns) / peak(last),
            of(turns, |turn| turn.planned_bytes as f64) / f64::from(1 << 20),
            of(turns, |turn| turn.bits),
            of(turns, |turn| turn.loss),
        );
    }
}

/// Starts the process of one turn and reads what it prints last.
fn take_turn(arguments: &Arguments, variant: Variant, model: &Path) -> Result<Turn> {
    let mut command = match (variant, &arguments.python) {
        (Variant::Torch, Some(python)) => {
            let mut command = Command::new(python);
            command.args(["-P", SCRIPT, "--threads", &arguments.threads.to_string()]);
            command
        }
        _ => {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["bench", "train", "--turn", &turn_name(variant)?]);
            command
        }
    };
    let settings = [("--steps", arguments.steps), ("--batch", arguments.batch), ("--length", arguments.length)];
    for (name, value) in settings {
        command.args([name, &value.to_string()]);
    }
    let output = command.arg("--model").arg(model).env("RAYON_NUM_THREADS", arguments.threads.to_string()).output()?;
    if !output.status.success() {
        bail!("{variant:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("{variant:?} printed no figures: {line}"))
}

fn turn_name(variant: Variant) -> Result<String> {
    use clap::ValueEnum;
    Ok(variant.to_possible_value().context("a variant without a name")?.get_name().to_owned())
}

fn turn(arguments: &Arguments, variant: Variant) -> Result<Turn> {
    let method = if variant == Variant::Qlora { Method::Qlora } else { Method::Lora };
    let settings = Train {
        method,
        batch_size: arguments.batch,
        gradient_accumulation: 1,
        epochs: 1,
        dropout: 0.0,
        logging_steps: 1,
        save_per_epoch: false,
        save_steps: usize::MAX,
        max_sequence_length: arguments.length + 1,
        gradient_checkpointing: variant == Variant::LoraCheckpointing,
        ..Train::default()
    };
    let mut model = Model::open_as(&arguments.model, Format::of_run(&settings, false), &device::parse("cpu")?)?;
    let bits = bits(&model);
    let examples = examples(arguments, arguments.batch * (arguments.steps + 1));
    let largest = Load::of(&examples, &settings, 1).largest;
    let file = std::fs::metadata(arguments.model.join("model.safetensors"))?.len();
    let planned = forecast::memory(model.llama(), &settings, largest, false, file, Machine::Cpu);
    let steps = Mutex::new(Vec::new());
    let sink = |event: &Event| {
        if let (Event::Step(step), Ok(mut steps)) = (event, steps.lock()) {
            steps.push((step.tokens as f64 / step.seconds, step.loss));
        }
    };
    let folder = tempfile::tempdir()?;
    run::train(&mut model, Run::new(&examples, &settings, 1, folder.path(), &sink))?;
    let steps = steps.into_inner().unwrap_or_default();
    let loss = steps.last().map_or(f64::NAN, |(_, loss)| *loss);
    let tokens_per_second = median_of(steps.iter().skip(1).map(|(rate, _)| *rate).collect());
    Ok(Turn { tokens_per_second, peak_bytes: peak_bytes()?, planned_bytes: planned.peak, bits, loss })
}

/// Rows that cost what real ones of this length cost: every token is learned.
fn examples(arguments: &Arguments, rows: usize) -> Vec<Example> {
    let length = arguments.length + 1;
    let ids = |row: usize| (0..length).map(|i| ((row * 7919 + i * 104_729) % 1000) as u32).collect();
    (0..rows).map(|row| Example { ids: ids(row), learn: vec![true; length] }).collect()
}

fn bits(model: &Model) -> f64 {
    let weights = model.llama().layers.iter().flat_map(|layer| {
        let (attention, mlp) = (&layer.attention, &layer.mlp);
        [&attention.q, &attention.k, &attention.v, &attention.o, &mlp.gate, &mlp.up, &mlp.down].map(|it| it.weight())
    });
    let (bytes, numbers) =
        weights.fold((0, 0), |(bytes, numbers), weight| (bytes + weight.bytes(), numbers + weight.elem_count()));
    bytes as f64 * 8.0 / numbers as f64
}

/// The largest resident size of this process.
fn peak_bytes() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("peak memory is read from /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in /proc/self/status")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib * 1024)
}
