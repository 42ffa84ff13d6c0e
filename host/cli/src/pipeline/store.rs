//! Answers by content: a file for each identity (weights, adapter, tokenizer, template, decoding code), in which an answer is
//! found by the digest of its prompt and its decoding. Each is appended as it finishes, so that an interrupted evaluation
//! resumes, and one with another suite or arm asks only what is new.
//!
//! A line is a digest of its content and the content, one answer as JSON; the first names the identity that the answers
//! belong to. A line that was torn or damaged does not agree with its digest, and its prompt is asked again.

use diapason_core::engine::{Answer, Said};
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

/// Digits of an identity in a file's name.
const NAME: usize = 16;

/// The folder in the run's folder.
const FOLDER: &str = "answers";

/// The digest of all that an answer depends on beside who answers: the prompt, what is wanted, how it is decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Key(String);

impl Key {
    /// The key of what `asked` says.
    pub(super) fn of(asked: &serde_json::Value) -> Self {
        Self(digest::of_bytes(asked.to_string().as_bytes()))
    }
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    /// Digest of all that the answers depend on beside their keys.
    identity: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    key: Key,
    #[serde(flatten)]
    answer: Answer,
}

/// The answers of one identity.
#[derive(Debug, Default)]
pub(super) struct Store {
    known: HashMap<Key, Answer>,
    file: Option<Appended>,
}

#[derive(Debug)]
struct Appended {
    path: PathBuf,
    file: File,
    synced: Instant,
}

impl Store {
    /// Answers that are kept in memory only.
    pub(super) fn in_memory() -> Self {
        Self::default()
    }

    /// Opens the answers of `identity` in the run's folder. What belongs to another identity is dropped.
    ///
    /// Errors if they cannot be written.
    pub(super) fn open(run: &Path, identity: &str) -> Result<Self> {
        let folder = run.join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(|source| fail(&folder, source))?;
        let path = &folder.join(format!("{}.jsonl", &identity[..identity.len().min(NAME)]));
        let lines = read(path, identity)?;
        let head = Head { identity: identity.into() };
        let text =
            lines.iter().try_fold(sealed(&head, path)?, |text, line| Ok::<_, Error>(text + &sealed(line, path)?))?;
        files::write(path, text.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path).map_err(|source| fail(path, source))?;
        let known = lines.into_iter().map(|line| (line.key, line.answer)).collect();
        Ok(Self { known, file: Some(Appended { path: path.clone(), file, synced: Instant::now() }) })
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Answer> {
        self.known.get(key)
    }

    /// Keeps an answer. One that is lost is forgotten with the process, so that it is asked for again another time.
    ///
    /// Errors if it cannot be written.
    pub(super) fn add(&mut self, key: &Key, answer: Answer) -> Result<()> {
        let lost = matches!(answer.said, Said::Lost(_));
        if let Some(appended) = self.file.as_mut().filter(|_| !lost) {
            let line = Line { key: key.clone(), answer: answer.clone() };
            appended.write(&sealed(&line, &appended.path)?)?;
        }
        self.known.insert(key.clone(), answer);
        Ok(())
    }

    /// Removes the file, whose answers cannot be told apart from others'.
    pub(super) fn remove(self) {
        if let Some(appended) = self.file {
            // What stays does no harm where it names its identity; what fails here fails again when it is written.
            let _ = std::fs::remove_file(appended.path);
        }
    }
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

/// The lines that are whole, if the first says that they belong to `identity`.
fn read(path: &Path, identity: &str) -> Result<Vec<Line>> {
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
    if head.is_none_or(|head| head.identity != identity) {
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
    use diapason_core::engine::{Loss, Usage};
    use diapason_core::language_model::{Completion, Finish};

    fn key(job: usize) -> Key {
        Key::of(&serde_json::json!(job))
    }

    fn answer(job: usize) -> Answer {
        let completion = Completion { text: format!("größer {job}\n"), tokens: job, finish: Finish::Stop };
        let usage = Usage { prompt_tokens: Some(7), completion_tokens: None, seconds: 0.5 };
        Answer { said: Said::Completion(completion), usage }
    }

    fn three(run: &Path) -> PathBuf {
        let mut store = Store::open(run, "identity").unwrap();
        (0..3).for_each(|job| store.add(&key(job), answer(job)).unwrap());
        run.join("answers/identity.jsonl")
    }

    fn reopened(run: &Path) -> Store {
        Store::open(run, "identity").unwrap()
    }

    #[test]
    fn answers_survive_the_disk_and_belong_to_their_identity() {
        let folder = tempfile::tempdir().unwrap();
        let path = three(folder.path());
        let store = reopened(folder.path());
        assert_eq!(store.get(&key(2)), Some(&answer(2)));
        assert_eq!(Store::open(folder.path(), "other").unwrap().known.len(), 0);
        assert_eq!(reopened(folder.path()).known.len(), 3, "each identity has a file of its own");
        let other = std::fs::read_to_string(&path).unwrap().replace("identity", "identical");
        std::fs::write(&path, other).unwrap();
        assert_eq!(reopened(folder.path()).known.len(), 0, "a file that names another identity is not believed");
    }

    #[test]
    fn a_file_cut_at_any_byte_loses_one_answer_and_resumes() {
        let folder = tempfile::tempdir().unwrap();
        let path = three(folder.path());
        let whole = std::fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let kept = reopened(folder.path()).known.len();
            let ended = whole[..length].iter().filter(|byte| **byte == b'\n').count().saturating_sub(1);
            assert!(kept == ended || kept == ended + 1, "{kept} of {ended} after {length} bytes");
            reopened(folder.path()).add(&key(9), answer(9)).unwrap();
            assert_eq!(reopened(folder.path()).known.len(), kept + 1, "appended to a whole line");
        }
    }

    #[test]
    fn a_lost_answer_is_asked_for_again_another_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = reopened(folder.path());
        let lost = Answer { said: Said::Lost(Loss::Filtered), usage: Usage::default() };
        store.add(&key(1), lost.clone()).unwrap();
        assert_eq!(store.get(&key(1)), Some(&lost));
        assert_eq!(reopened(folder.path()).get(&key(1)), None);
    }

    #[test]
    fn a_damaged_line_is_dropped_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = three(folder.path());
        let text = std::fs::read_to_string(&path).unwrap().replace("größer 1", "kleiner 1");
        std::fs::write(&path, text).unwrap();
        let store = reopened(folder.path());
        assert_eq!((store.get(&key(1)), store.known.len()), (None, 2));
    }
}
