//! Runs that are broken off and started again end with the same bytes.
#![allow(clippy::unwrap_used, missing_docs)]

use candle_core::Device;
use diapason_core::config::{EarlyStopping, Method, Optimizer, Train};
use diapason_core::event::Silent;
use diapason_models::Model;
use diapason_models::formats::Format;
use diapason_train::encode::Example;
use diapason_train::run::{Outcome, Run, train};
use std::cell::Cell;
use std::path::Path;

fn model(config: &Train) -> Model {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden/llama-tied");
    Model::open_as(&path, Format::of_run(config, false), &Device::Cpu).unwrap()
}

fn examples() -> Vec<Example> {
    let row = |i: u32| {
        let n = 3 + (i * 5 % 11) as usize;
        let ids = (0..n as u32).map(|j| (i % 4 * 31 + j * 17) % 256).collect();
        Example { ids, learn: (0..n).map(|j| j > 0).collect() }
    };
    (0..20).map(row).collect()
}

fn settings(method: Method) -> Train {
    Train {
        method,
        rank: 8,
        batch_size: 2,
        gradient_accumulation: 2,
        epochs: 3,
        save_steps: 2,
        learning_rate: 1e-2,
        neftune_alpha: 1.0,
        ..Train::default()
    }
}

/// Trains, stopping and starting again after `passes` forward passes each time, 0 for never.
fn run(config: &Train, folder: &Path, passes: usize) -> (Outcome, usize) {
    let rows = examples();
    let (held_out, examples) = rows.split_at(4);
    for starts in 1.. {
        let left = Cell::new(passes);
        let interrupted = || {
            left.set(left.get().wrapping_sub(1));
            passes > 0 && left.get() == usize::MAX
        };
        let run = Run { held_out, interrupted: &interrupted, ..Run::new(examples, config, 3, folder, &Silent) };
        match train(&mut model(config), run) {
            Ok(outcome) => return (outcome, starts),
            Err(error) => assert!(error.to_string().contains("interrupted"), "{error}"),
        }
    }
    unreachable!()
}

/// Every file of the result, and the log without its times.
fn result(folder: &Path, config: &Train) -> Vec<(String, Vec<u8>)> {
    let dir = folder.join(if config.method == Method::Full { "model" } else { "adapter" });
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    let log = std::fs::read_to_string(folder.join("train.jsonl")).unwrap();
    let timeless = log.lines().map(|line| line.split("\"seconds\"").next().unwrap().to_owned() + "\n");
    files.push(("log".into(), timeless.collect::<String>().into_bytes()));
    files
}

fn check(config: &Train) {
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (expected, _) = run(config, whole.path(), 0);
    let (found, starts) = run(config, broken.path(), 5);
    assert!(starts > 2, "{starts} starts");
    assert_eq!(found, expected);
    for (a, b) in result(whole.path(), config).iter().zip(&result(broken.path(), config)) {
        assert!(a == b, "{:?}: {} differs", config.method, a.0);
    }
    assert!(!broken.path().join("checkpoints/resume.safetensors").exists());
}

#[test]
fn broken_off_mid_epoch_and_mid_step() {
    for method in [Method::Lora, Method::Qlora, Method::Full] {
        check(&settings(method));
    }
}

#[test]
fn with_averages_in_8_bits_and_magnitudes() {
    check(&Train { optimizer: Optimizer::AdamW8bit, dora: true, ..settings(Method::Lora) });
    check(&Train { optimizer: Optimizer::AdamW8bit, ..settings(Method::Full) });
}

#[test]
fn under_early_stopping() {
    let early = EarlyStopping { patience: 2, ..EarlyStopping::default() };
    let config = Train { early_stopping: Some(early), eval_steps: Some(1), epochs: 30, ..settings(Method::Lora) };
    check(&config);
    let folder = tempfile::tempdir().unwrap();
    let (outcome, _) = run(&config, folder.path(), 0);
    assert!(outcome.stopped_early && outcome.steps < 120, "{outcome:?}");
}

#[test]
fn another_run_starts_from_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let config = settings(Method::Lora);
    let left = Cell::new(9);
    let interrupted = || left.replace(left.get() - 1) == 0;
    let rows = examples();
    let run = Run { interrupted: &interrupted, ..Run::new(&rows, &config, 3, folder.path(), &Silent) };
    train(&mut model(&config), run).unwrap_err();
    assert!(folder.path().join("checkpoints/resume.safetensors").exists());
    let other = Train { learning_rate: 2e-2, ..config };
    train(&mut model(&other), Run::new(&rows, &other, 3, folder.path(), &Silent)).unwrap();
    let log = std::fs::read_to_string(folder.path().join("train.jsonl")).unwrap();
    assert!(log.starts_with("{\"event\":\"step\",\"step\":1,") && log.lines().count() == 15, "{log}");
}

#[test]
fn a_damaged_state_is_an_error_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints/resume.safetensors");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, b"half of it").unwrap();
    let config = settings(Method::Lora);
    let rows = examples();
    let error = train(&mut model(&config), Run::new(&rows, &config, 3, folder.path(), &Silent)).unwrap_err();
    assert!(error.to_string().contains("failed to go on from"), "{error}");
    assert!(error.hint_text().unwrap().contains("remove the file"));
}
