//! Two processes in one folder: the second is refused, and neither ever speaks of the other's configuration.

use crate::project::{self, command, diapason, put, rule, said};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

const ROUNDS: usize = 30;

#[test]
fn two_runs_at_once_never_print_the_others_verdict() {
    let folder = tempfile::tempdir().expect("folder");
    let config = |limit| project::head() + "[generate]\nmax_tokens = 4\n" + project::SUITE + &rule(limit);
    project::write(folder.path(), &config("gain = 0.5"));
    put(folder.path(), "passes.toml", &config("gain = 0.5"));
    put(folder.path(), "fails.toml", &config("maximum = 0.2"));
    assert_eq!(diapason(folder.path(), &["train"]).status.code(), Some(0));
    let mut rng = ChaCha8Rng::seed_from_u64(90);
    let (mut refused, mut decided) = (0, 0);
    for round in 0..ROUNDS {
        // Answers and scores stand from the second round on, so that the verdicts follow each other closely.
        let arguments = |name| ["run", "--config", name];
        let first = command(folder.path(), &arguments("passes.toml")).spawn().expect("runs");
        std::thread::sleep(Duration::from_millis(rng.random_range(0..60)));
        let second = command(folder.path(), &arguments("fails.toml")).spawn().expect("runs");
        for (child, code, word) in [(first, 0, "PASSED"), (second, 1, "FAILED")] {
            let output = child.wait_with_output().expect("ends");
            let text = said(&output);
            if output.status.code() == Some(4) {
                assert!(text.contains("another diapason process"), "round {round}: {text}");
                assert!(text.contains("is working in") && text.contains("Hint: "), "round {round}: {text}");
                refused += 1;
            } else {
                assert_eq!(output.status.code(), Some(code), "round {round}: {text}");
                assert!(String::from_utf8_lossy(&output.stdout).starts_with(word), "round {round}: {text}");
                decided += 1;
            }
        }
    }
    assert!(refused > 0 && decided >= ROUNDS, "{refused} refused, {decided} decided: the test did not meet");
    assert!(!folder.path().join("run/.lock").exists(), "the last one cleans up");
}

/// Every verb that writes is kept out while a training run is at work; those that only read are too.
#[test]
fn every_verb_is_kept_out_of_a_folder_at_work() {
    let folder = tempfile::tempdir().expect("folder");
    let config = project::head().replace("epochs = 20", "epochs = 2000") + project::SUITE + &rule("gain = 0.5");
    project::write(folder.path(), &config);
    let mut training = command(folder.path(), &["train"]).spawn().expect("runs");
    while !folder.path().join("run/train.jsonl").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    for verb in ["validate", "train", "eval", "compare", "report", "gate", "run"] {
        let output = diapason(folder.path(), &[verb]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(4), "{verb}: {text}");
        let id = training.id();
        assert!(text.contains(&format!("another diapason process (pid {id}) is working in")), "{verb}: {text}");
    }
    let output = diapason(folder.path(), &["plan"]);
    assert_eq!(output.status.code(), Some(0), "what writes nothing may look on: {}", said(&output));
    assert!(training.try_wait().expect("state").is_none(), "training was at work all the time");
    training.kill().expect("killed");
    training.wait().expect("gone");
    let output = diapason(folder.path(), &["validate"]);
    assert_eq!(output.status.code(), Some(0), "a death releases the lock: {}", said(&output));
}

/// The verbs that write elsewhere are kept out of what another process holds; here, this test.
#[test]
fn every_other_writer_is_kept_out_too() {
    let folder = tempfile::tempdir().expect("folder");
    let hold = |name: &str| {
        let file = std::fs::File::create(folder.path().join(name)).expect("created");
        file.lock().expect("locked");
        file
    };
    let held = [hold(".lock"), hold(".out.lock")];
    let refused = |arguments: &[&str]| {
        let output = diapason(folder.path(), arguments);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {text}");
        assert!(text.contains("another diapason process is working in"), "{arguments:?}: {text}");
    };
    let all: [&[&str]; 4] = [
        &["init", ".", "--starter", "demo"],
        &["demo", "."],
        &["quantize", "--model", project::MODEL, "--out", "out"],
        &["export", "--model", project::MODEL, "--out", "out"],
    ];
    all.iter().for_each(|arguments| refused(arguments));
    assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 2, "nothing was written");
    drop(held);
    let output = diapason(folder.path(), all[2]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn verbs_that_only_read_make_no_folder() {
    let folder = tempfile::tempdir().expect("folder");
    project::write(folder.path(), &(project::head() + project::SUITE + &rule("gain = 0.5")));
    for verb in ["plan", "compare", "report", "gate"] {
        diapason(folder.path(), &[verb]);
        assert!(!folder.path().join("run").exists(), "{verb} made the run's folder");
    }
}
