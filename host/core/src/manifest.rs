//! `manifest.json`: what a run is made of, and which of its stages still stand.
//!
//! A stage is finished when the digest of everything that it depends on is recorded with the digests of what it wrote.
//! It is skipped when both still agree, so an interrupted run goes on where it stopped and nothing stale survives.

use crate::{Error, Result, digest, escape, files};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Version of the layout of `manifest.json`; another one is refused.
pub const FORMAT: u32 = 1;
const FILE: &str = "manifest.json";

/// A run's manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of Diapason that wrote it.
    pub diapason: String,
    /// Name of what is random to its seed.
    pub seeds: BTreeMap<String, u64>,
    /// Role (`weights`, `tokenizer`, `data.train`, `plugin.eval-accuracy`, `config`, …) to sha-256.
    pub digests: BTreeMap<String, String>,
    /// Finished stages by name.
    pub stages: BTreeMap<String, Stage>,
}

/// A finished stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Digest of everything that the stage depends on.
    pub inputs: String,
    /// Path in the run folder to sha-256 of what the stage wrote.
    pub outputs: BTreeMap<String, String>,
}

impl Manifest {
    /// An empty manifest written by version `diapason`.
    pub fn new(diapason: impl Into<String>) -> Self {
        let (seeds, digests, stages) = Default::default();
        Self { format: FORMAT, diapason: diapason.into(), seeds, digests, stages }
    }

    /// The manifest of the run in `folder`, or a new one where there is none.
    ///
    /// Errors with [`crate::Class::Data`] where the file cannot be understood or has another format.
    pub fn open(folder: &Path, diapason: &str) -> Result<Self> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Ok(Self::new(diapason));
        }
        let fail = |message: String| {
            Error::data(message).hint("choose another `run.folder`, or remove this one to start the run again")
        };
        let manifest: Self = serde_json::from_str(&files::read_text(&path)?)
            .map_err(|source| fail(format!("failed to understand {}", path.display())).because(source))?;
        match manifest.format {
            FORMAT => Ok(Self { diapason: diapason.into(), ..manifest }),
            other => Err(fail(format!("{} has format {other}, expected {FORMAT}", path.display()))),
        }
    }

    /// Writes the manifest into `folder`.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|source| Error::run("failed to write manifest").because(source))?;
        files::write(&folder.join(FILE), escape::json(&format!("{text}\n")).as_bytes())
    }

    /// Whether `stage` is finished for these `inputs` and its outputs in `folder` are the ones that it wrote.
    pub fn stands(&self, stage: &str, inputs: &str, folder: &Path) -> bool {
        let Some(stage) = self.stages.get(stage) else { return false };
        let same = |(path, recorded): (&String, &String)| {
            digest::of_file(&folder.join(path)).is_ok_and(|found| found == *recorded)
        };
        stage.inputs == inputs && stage.outputs.iter().all(same)
    }

    /// Records that `stage` is finished; `outputs` are paths of files in `folder`.
    pub fn finish(&mut self, stage: &str, inputs: &str, folder: &Path, outputs: &[String]) -> Result<()> {
        let digest = |path: &String| Ok((path.clone(), digest::of_file(&folder.join(path))?));
        let outputs = outputs.iter().map(digest).collect::<Result<_>>()?;
        self.stages.insert(stage.into(), Stage { inputs: inputs.into(), outputs });
        Ok(())
    }
}

/// One digest of named parts; the order of the parts matters, and no two lists of parts share a digest by concatenation.
pub fn digest_of<'a>(parts: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let list: Vec<(&str, &str)> = parts.into_iter().collect();
    digest::of_bytes(serde_json::json!(list).to_string().as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn finished(folder: &Path) -> Manifest {
        files::write(&folder.join("scores.jsonl"), b"one").unwrap();
        let mut manifest = Manifest::new("0.1.0");
        manifest.finish("score", "inputs", folder, &["scores.jsonl".into()]).unwrap();
        manifest
    }

    #[test]
    fn a_stage_stands_until_inputs_or_outputs_change() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = finished(folder.path());
        assert!(manifest.stands("score", "inputs", folder.path()));
        assert!(!manifest.stands("score", "other inputs", folder.path()));
        assert!(!manifest.stands("train", "inputs", folder.path()));
        files::write(&folder.path().join("scores.jsonl"), b"two").unwrap();
        assert!(!manifest.stands("score", "inputs", folder.path()), "a changed output is made again");
        std::fs::remove_file(folder.path().join("scores.jsonl")).unwrap();
        assert!(!manifest.stands("score", "inputs", folder.path()), "a lost output is made again");
    }

    #[test]
    fn it_survives_the_disk_and_refuses_another_format() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = finished(folder.path());
        manifest.save(folder.path()).unwrap();
        assert_eq!(Manifest::open(folder.path(), "0.1.0").unwrap(), manifest);
        Manifest { format: 9, ..manifest }.save(folder.path()).unwrap();
        let error = Manifest::open(folder.path(), "0.1.0").unwrap_err();
        assert!(error.to_string().ends_with("has format 9, expected 1"), "{error}");
    }

    #[test]
    fn digests_of_parts_do_not_run_together() {
        assert_ne!(digest_of([("a", "bc")]), digest_of([("ab", "c")]));
        assert_ne!(digest_of([("a", "b"), ("c", "d")]), digest_of([("c", "d"), ("a", "b")]));
    }
}
