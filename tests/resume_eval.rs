//! An evaluation that is interrupted or killed keeps what was answered: started again, it ends with the bytes of one that
//! nothing happened to.

use crate::project::{self, command, diapason, said};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const BATCH: usize = 4;
const OUTPUTS: [&str; 3] = ["outputs.base.jsonl", "outputs.tuned.jsonl", "scores.jsonl"];

/// Greedy and drawn completions, and likelihoods.
fn write(folder: &Path) {
    let config = project::head().replace("epochs = 20", "epochs = 1")
        + &format!("[generate]\nmax_tokens = 48\nsampling_temperature = 0.9\nbatch_size = {BATCH}\n")
        + "[[suite]]\nname = \"ok\"\ndata = \"test.jsonl\"\nevaluator = [\
           { plugin = \"eval-accuracy\", settings = { metrics = [\"exact-match\", \"choice\"] } }, \
           { plugin = \"eval-accuracy\", name = \"draws\", settings = { metrics = [\"any-exact\"], completions = 3, k = 2 } }]\n";
    project::write(folder, &config);
    let row = |n: usize| {
        let filler = "long ".repeat(n % 7);
        format!(
            "{{\"prompt\": \"{filler}q{n}\", \"completion\": \"ok\", \"choices\": [\"ok\", \"no {n}\", \"perhaps\"]}}\n"
        )
    };
    project::put(folder, "test.jsonl", &(100..220).map(row).collect::<String>());
}

fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    write(folder.path());
    let output = diapason(folder.path(), &["train"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    folder
}

/// The same project with the same adapter.
fn copy(from: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let status = Command::new("cp").arg("-r").arg(from.join(".")).arg(folder.path()).status().expect("cp");
    assert!(status.success());
    folder
}

/// Answers that are kept, of both arms.
fn kept(run: &Path) -> usize {
    let Ok(files) = std::fs::read_dir(run.join("answers")) else { return 0 };
    let lines = |path: &Path| std::fs::read(path).map_or(0, |bytes| bytes.iter().filter(|b| **b == b'\n').count());
    files.map(|file| lines(&file.expect("file").path()).saturating_sub(1)).sum()
}

/// How many answers a start said that it had: `120 of 600 answered before`, for each arm that was asked.
fn found(text: &str) -> Option<usize> {
    let of = |line: &str| line.split_once(" answered before")?.0.rsplit(": ").next()?.split(' ').next()?.parse().ok();
    text.lines().filter_map(of).reduce(|one: usize, other| one + other)
}

fn kill(child: &std::process::Child, signal: &str) {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
}

#[cfg(unix)]
#[test]
fn killed_and_interrupted_at_random_moments() {
    let whole = trained();
    let broken = copy(whole.path());
    let output = diapason(whole.path(), &["eval"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let run = broken.path().join("run");
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut before, mut resumed, mut interrupted) = (kept(&run), 0, 0);
    for round in 0.. {
        assert!(round < 400, "no end in sight");
        let signal = ["-INT", "-KILL", "-TERM"][round % 3];
        let mut child = command(broken.path(), &["eval"]).spawn().expect("runs");
        let answers = rng.random_range(1..150);
        while kept(&run).abs_diff(before) < answers && child.try_wait().expect("state").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(rng.random_range(0..3000)));
        if child.try_wait().expect("state").is_none() {
            kill(&child, signal);
        }
        let output = child.wait_with_output().expect("ends");
        let text = said(&output);
        if let Some(found) = found(&text) {
            // Whole lines are whole answers; an arm that is done is not asked, so that its answers are not counted.
            let done = text.matches("up to date").count();
            assert!(done > 0 || found >= before, "round {round}: {before} were kept, {found} were found: {text}");
            resumed += 1;
        }
        interrupted += usize::from(text.contains("answers are saved"));
        before = kept(&run);
        if output.status.code() == Some(0) {
            break;
        }
    }
    assert!(resumed >= 6 && interrupted >= 3, "{resumed} resumed, {interrupted} interrupted: too short for this test");
    for name in OUTPUTS {
        let read = |folder: &Path| std::fs::read(folder.join("run").join(name)).expect("outputs");
        assert!(read(whole.path()) == read(broken.path()), "{name} differs");
    }
}

#[cfg(unix)]
#[test]
fn an_interruption_says_what_is_kept_and_other_settings_start_afresh() {
    let folder = trained();
    let run = folder.path().join("run");
    let child = command(folder.path(), &["eval"]).spawn().expect("runs");
    while kept(&run) < 20 {
        std::thread::sleep(Duration::from_millis(2));
    }
    kill(&child, "-INT");
    let output = child.wait_with_output().expect("ends");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(
        text.contains("of 840 answers are saved") && text.contains("run the same command again to resume"),
        "{text}"
    );
    let path = folder.path().join("diapason.toml");
    let config = std::fs::read_to_string(&path).expect("configuration").replace("max_tokens = 48", "max_tokens = 2");
    std::fs::write(path, config).expect("written");
    let output = diapason(folder.path(), &["eval"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(found(&said(&output)), None, "answers of other settings are not taken");
}
