//! `diapason demo`: the whole way twice, on the model that the binary carries. A careful adapter passes its gate; one that
//! was trained too hard is better at its task and has forgotten the rest, and fails.

use crate::args::Demo;
use crate::embedded;
use crate::exit::Exit;
use crate::lock::Lock;
use crate::pipeline;
use crate::plan::Plan;
use crate::render::{json, terminal};
use crate::ui::Ui;
use diapason_core::gate::Verdict;
use diapason_core::report::Report;
use diapason_core::{Error, Result};
use diapason_disk::files;
use serde_json::json;
use std::path::Path;
use std::time::Instant;

const CAREFUL: &str = "diapason.toml";
const OVERTRAINED: &str = "overtrained.toml";

/// Line of `diapason.toml`, and what stands in its place in `overtrained.toml`.
const DIFFERENCES: [(&str, &str); 5] = [
    (r#"name = "orders to JSON""#, r#"name = "orders to JSON, over-trained""#),
    (r#"folder = "run""#, r#"folder = "run-overtrained""#),
    (r#"train = "data/rehearsed.train.jsonl""#, r#"train = "data/extraction.train.jsonl""#),
    ("learning_rate = 1e-3", "learning_rate = 1e-2"),
    ("epochs = 3", "epochs = 4"),
];

pub(super) fn run(arguments: &Demo, ui: &Ui) -> Result<Exit> {
    let start = Instant::now();
    let _lock = Lock::write(&arguments.folder)?;
    write(&arguments.folder)?;
    ui.note(|paint| {
        let task =
            "A model of 0.8 million parameters learns to write orders as JSON and must not forget what it could do.";
        format!("{}\n\n{}", paint.bold(task), paint.bold("1. A careful adapter, with rehearsal rows among its data"))
    });
    let careful = one(&arguments.folder, CAREFUL, ui)?;
    ui.note(|paint| paint.bold("\n2. The same without rehearsal, at ten times the learning rate"));
    let overtrained = one(&arguments.folder, OVERTRAINED, ui)?;
    let folders = ["run", "run-overtrained"].map(|name| arguments.folder.join(name));
    let seconds = start.elapsed().as_secs_f64();
    ui.result(
        |paint| {
            let first = terminal::report(&careful, &folders[0], paint);
            let second = terminal::report(&overtrained, &folders[1], paint);
            let titles = ["1. The careful adapter", "2. The over-trained adapter"].map(|title| paint.bold(title));
            format!("\n{}\n{first}\n{}\n{second}\nboth in {seconds:.0} s\n", titles[0], titles[1])
        },
        &json!({
            "careful": json::report(&careful, &folders[0]),
            "overtrained": json::report(&overtrained, &folders[1]),
            "seconds": seconds,
        }),
    );
    expected(&careful, &overtrained)
}

/// Writes the project; a run in the folder goes on where it stopped.
fn write(folder: &Path) -> Result<()> {
    for (path, content) in embedded::starter("demo")? {
        files::write(&folder.join(path), content)?;
        if path == CAREFUL {
            files::write(&folder.join(OVERTRAINED), overtrained(&String::from_utf8_lossy(content))?.as_bytes())?;
        }
    }
    Ok(())
}

fn overtrained(careful: &str) -> Result<String> {
    DIFFERENCES.iter().try_fold(careful.to_owned(), |text, (from, to)| match text.matches(from).count() {
        1 => Ok(text.replace(from, to)),
        count => Err(Error::run(format!("the demo's configuration has `{from}` {count} times, expected once"))),
    })
}

fn one(folder: &Path, config: &str, ui: &Ui) -> Result<Report> {
    pipeline::run(&Plan::load(&folder.join(config))?, ui, &[])
}

/// The demo works when it shows both: a gate that passes and one that fails.
fn expected(careful: &Report, overtrained: &Report) -> Result<Exit> {
    match (pipeline::verdict(careful), pipeline::verdict(overtrained)) {
        (Some(Verdict::Passed), Some(Verdict::Failed)) => Ok(Exit::Passed),
        verdicts => Err(Error::run(format!("expected one gate to pass and one to fail, got {verdicts:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_stands_once_in_the_starter() {
        let files = embedded::starter("demo").expect("the demo is built in");
        let (_, text) = files.iter().find(|(path, _)| *path == CAREFUL).expect("its configuration");
        let changed = overtrained(std::str::from_utf8(text).expect("UTF-8")).expect("each difference applies");
        assert!(DIFFERENCES.iter().all(|(_, to)| changed.contains(to)));
    }
}
