//! Answers as they finish: a file to which each is appended, so that an evaluation that is interrupted or killed goes on
//! without asking again.
//!
//! A line is a digest of its content and the content, one answer as JSON; the first names the inputs that the answers
//! belong to. A line that was torn or damaged does not agree with its digest, and its prompt is asked again.

use diapason_core::language_model::{Completion, Likelihood};
use diapason_core::{Error, Result, digest};
use diapason_disk::files;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A power cut loses at most what finished in this time.
const SYNC: Duration = Duration::from_secs(2);

/// Digits of a line's digest.
const DIGITS: usize = 16;

/// Which answer of which job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Key {
    /// Number of the job.
    pub(super) job: usize,
    pub(super) part: Part,
}

/// Which of a job's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Part {
    /// The ordinary completion.
    Ordinary,
    /// One of several draws.
    Draw(usize),
    /// The likelihood of a continuation.
    Continuation(usize),
}

/// What the model said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answer {
    Completion(Completion),
    Likelihood(Likelihood),
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// Digest of all that the answers depend on.
    inputs: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    key: Key,
    answer: Answer,
}

/// The answers so far.
#[derive(Debug, Default)]
pub(super) struct Journal {
    known: HashMap<Key, Answer>,
    file: Option<Appended>,
}

#[derive(Debug)]
struct Appended {
    path: PathBuf,
    file: File,
    synced: Instant,
}

impl Journal {
    /// Answers that are kept in memory only.
    pub(super) fn in_memory() -> Self {
        Self::default()
    }

    /// Opens the file at `path` with the answers that belong to `inputs`; others are dropped.
    ///
    /// Errors if the file cannot be written.
    pub(super) fn open(path: &Path, inputs: &str) -> Result<Self> {
        let lines = read(path, inputs)?;
        let head = Head { inputs: inputs.into() };
        let text =
            lines.iter().try_fold(sealed(&head, path)?, |text, line| Ok::<_, Error>(text + &sealed(line, path)?))?;
        files::write(path, text.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path).map_err(|source| fail(path, source))?;
        let known = lines.into_iter().map(|line| (line.key, line.answer)).collect();
        Ok(Self { known, file: Some(Appended { path: path.into(), file, synced: Instant::now() }) })
    }

    /// How many answers there are.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn get(&self, key: Key) -> Option<&Answer> {
        self.known.get(&key)
    }

    /// Keeps an answer.
    ///
    /// Errors if it cannot be written.
    pub(super) fn add(&mut self, key: Key, answer: Answer) -> Result<()> {
        if let Some(appended) = &mut self.file {
            let line = Line { key, answer: answer.clone() };
            appended.write(&sealed(&line, &appended.path)?)?;
        }
        self.known.insert(key, answer);
        Ok(())
    }

    /// Removes the file, whose answers are kept elsewhere now.
    pub(super) fn remove(self) {
        if let Some(appended) = self.file {
            remove(&appended.path);
        }
    }
}

/// Removes what an earlier run left at `path`. What stays does no harm: it names its inputs.
pub(super) fn remove(path: &Path) {
    let _ = std::fs::remove_file(path);
}

impl Appended {
    fn write(&mut self, line: &str) -> Result<()> {
        self.file.write_all(line.as_bytes()).map_err(|source| fail(&self.path, source))?;
        if self.synced.elapsed() >= SYNC {
            self.file.sync_data().map_err(|source| fail(&self.path, source))?;
            self.synced = Instant::now();
        }
        Ok(())
    }
}

fn fail(path: &Path, source: std::io::Error) -> Error {
    Error::run(format!("failed to write {}", path.display()))
        .because(source)
        .hint("free some space, then run the same command again to resume: the answers so far are saved")
}

fn sealed<T: Serialize>(row: &T, path: &Path) -> Result<String> {
    let text = serde_json::to_string(row)
        .map_err(|source| Error::run(format!("failed to write {}", path.display())).because(source))?;
    Ok(format!("{} {text}\n", seal(&text)))
}

fn seal(text: &str) -> String {
    digest::of_bytes(text.as_bytes())[..DIGITS].to_owned()
}

/// The lines that are whole, if the first says that they belong to `inputs`.
fn read(path: &Path, inputs: &str) -> Result<Vec<Line>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = files::contents(path, files::LARGEST_TEXT).map_err(|source| {
        Error::run(format!("failed to read {}", path.display())).because(source).hint("remove it to start again")
    })?;
    // A torn line may end within a character.
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines().map(opened);
    let head = lines.next().flatten().and_then(|text| serde_json::from_str::<Head>(text).ok());
    if head.is_none_or(|head| head.inputs != inputs) {
        return Ok(Vec::new());
    }
    Ok(lines.flatten().filter_map(|text| serde_json::from_str(text).ok()).collect())
}

/// A line's content, if it agrees with its digest.
fn opened(line: &str) -> Option<&str> {
    line.split_once(' ').filter(|(given, text)| *given == seal(text)).map(|(_, text)| text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use diapason_core::language_model::Finish;

    fn key(job: usize) -> Key {
        Key { job, part: Part::Draw(job) }
    }

    fn answer(job: usize) -> Answer {
        Answer::Completion(Completion { text: format!("größer {job}\n"), tokens: job, finish: Finish::Stop })
    }

    fn three(path: &Path) {
        let mut journal = Journal::open(path, "inputs").unwrap();
        (0..3).for_each(|job| journal.add(key(job), answer(job)).unwrap());
    }

    #[test]
    fn answers_survive_the_disk_and_belong_to_their_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("partial.jsonl");
        three(&path);
        let journal = Journal::open(&path, "inputs").unwrap();
        assert_eq!(journal.get(key(2)), Some(&answer(2)));
        assert_eq!(Journal::open(&path, "other").unwrap().len(), 0);
        assert_eq!(Journal::open(&path, "inputs").unwrap().len(), 0, "the others were dropped for good");
    }

    #[test]
    fn a_file_cut_at_any_byte_loses_one_answer_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("partial.jsonl");
        three(&path);
        let whole = std::fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let kept = Journal::open(&path, "inputs").unwrap().len();
            let ended = whole[..length].iter().filter(|byte| **byte == b'\n').count().saturating_sub(1);
            assert!(kept == ended || kept == ended + 1, "{kept} of {ended} after {length} bytes");
            let mut journal = Journal::open(&path, "inputs").unwrap();
            journal.add(key(9), answer(9)).unwrap();
            assert_eq!(Journal::open(&path, "inputs").unwrap().len(), kept + 1, "appended to a whole line");
        }
    }

    #[test]
    fn a_damaged_line_is_dropped_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("partial.jsonl");
        three(&path);
        let text = std::fs::read_to_string(&path).unwrap().replace("größer 1", "kleiner 1");
        std::fs::write(&path, text).unwrap();
        let journal = Journal::open(&path, "inputs").unwrap();
        assert_eq!((journal.get(key(1)), journal.len()), (None, 2));
    }
}
