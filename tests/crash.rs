//! A training run that is killed, interrupted or out of space loses nothing: started again, it ends with the bytes of a
//! run that nothing happened to.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/tests/golden/llama-tied");
const TEMPLATE: &str = "{% for message in messages %}{{ message.content }}{% if message.role == 'assistant' %}</s>{% else %}=\
                        {% endif %}{% endfor %}";
const KILLS: usize = 20;

/// A project whose run takes some seconds.
fn project(folder: &Path, rank: usize, optimizer: &str) {
    let rows: String =
        (0..512).map(|n| format!("{{\"prompt\": \"q{n}\", \"completion\": \"answer {}\"}}\n", n * 7 % 50)).collect();
    let config = format!(
        "validator = []\n[model]\npath = {MODEL:?}\ndevice = \"cpu\"\n[data]\ntrain = \"train.jsonl\"\nheld_out = 0.05\n\
         [template]\ntemplate = \"./t.jinja\"\n[train]\nlearning_rate = 2e-2\nepochs = 24\nrank = {rank}\nbatch_size = 2\n\
         gradient_accumulation = 1\nsave_steps = 3\neval_steps = 200\noptimizer = \"{optimizer}\"\nneftune_alpha = 5\n\
         max_sequence_length = 64\n[run]\nfolder = \"run\"\n"
    );
    for (name, text) in [("diapason.toml", config), ("train.jsonl", rows), ("t.jinja", TEMPLATE.into())] {
        std::fs::write(folder.join(name), text).expect("file");
    }
}

fn train(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_diapason"));
    command.arg("train").current_dir(folder).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Lets the process live until `moment` after its first training step could have been taken; says whether it ended first.
fn kill_after(mut child: Child, folder: &Path, moment: Duration) -> bool {
    let started = Instant::now();
    let log = folder.join("run/train.jsonl");
    while !log.exists() && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(moment);
    let ended = child.try_wait().expect("state").is_some();
    child.kill().expect("killed");
    child.wait().expect("gone");
    ended
}

fn adapter(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("run/adapter/adapter_model.safetensors")).expect("an adapter")
}

/// The log without its times.
fn log(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("run/train.jsonl")).expect("a log");
    text.lines().map(|line| line.split("\"seconds\"").next().unwrap_or_default().to_owned()).collect()
}

/// A run that nothing happened to.
fn whole(rank: usize, optimizer: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path(), rank, optimizer);
    let output = train(folder.path()).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

#[test]
fn killed_twenty_times_at_random_moments() {
    let expected = whole(8, "adamw-8bit");
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path(), 8, "adamw-8bit");
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    for kill in 0..KILLS {
        let child = train(folder.path()).spawn().expect("runs");
        let ended = kill_after(child, folder.path(), Duration::from_millis(rng.random_range(0..250)));
        assert!(!ended, "the run was over before kill {kill}: it is too short for this test");
    }
    let last = train(folder.path()).output().expect("runs");
    let said = String::from_utf8_lossy(&last.stderr);
    assert!(last.status.success() && said.contains("resuming after step"), "{said}");
    assert!(adapter(folder.path()) == adapter(expected.path()), "the adapters differ");
    assert_eq!(log(folder.path()), log(expected.path()));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_so_and_goes_on() {
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path(), 8, "adamw");
    let child = train(folder.path()).spawn().expect("runs");
    while !folder.path().join("run/train.jsonl").exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(100));
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(status.success());
    let output = child.wait_with_output().expect("ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("interrupted after step") && said.contains("run the same command again to resume"), "{said}");
    assert!(folder.path().join("run/checkpoints/resume.safetensors").exists());
}

/// The disk is full: here, a file may not grow to the size that the state needs.
#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_that_leaves_the_last_good_state() {
    let folder = tempfile::tempdir().expect("folder");
    project(folder.path(), 16, "adamw");
    let child = train(folder.path()).spawn().expect("runs");
    let state = folder.path().join("run/checkpoints/resume.safetensors");
    while !state.exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(!kill_after(child, folder.path(), Duration::ZERO));
    let before = std::fs::read(&state).expect("a state");
    let limit = before.len() / 1024 - 1;
    let script = format!("trap '' XFSZ; ulimit -f {limit}; exec {} train", env!("CARGO_BIN_EXE_diapason"));
    let output = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("failed to write") && said.contains("untouched"), "{said}");
    assert!(std::fs::read(&state).expect("still there") == before, "the last good state was harmed");
    let mut again = train(folder.path()).spawn().expect("runs");
    std::thread::sleep(Duration::from_secs(1));
    assert!(again.try_wait().expect("state").is_none(), "with space again, the run goes on");
    again.kill().expect("killed");
    again.wait().expect("gone");
}
