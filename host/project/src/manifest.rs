//! `manifest.json`: what a run is made of, and which of its stages still stand.
//!
//! A stage is finished when the digest of everything that it depends on is recorded with the digests of what it wrote.
//! It is skipped when both still agree, so an interrupted run goes on where it stopped and nothing stale survives.
//!
//! What a verb used is frozen when it is done ([`Frozen`]); the verbs after it never record over it, but compare it with
//! what they find.

use diapason_core::frozen::{Frozen, Verb};
use diapason_core::gate::Look;
use diapason_core::{Error, Result, digest, escape};
use diapason_disk::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Version of the layout of `manifest.json`; another one is refused.
pub const FORMAT: u32 = 2;
const FILE: &str = "manifest.json";

/// A run's manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of Diapason that wrote it.
    pub diapason: String,
    /// SHA-256 of everything else in it, so that an edit shows.
    pub seal: String,
    /// Rules of validators whose errors were accepted with `--allow`, with the number of their findings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub allowed: BTreeMap<String, usize>,
    /// Finished stages by name.
    pub stages: BTreeMap<String, Stage>,
    /// What each verb used and made.
    pub frozen: BTreeMap<Verb, Frozen>,
    /// Looks that the gate took, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Look>,
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
        let (seal, allowed, stages, frozen, looks) = Default::default();
        Self { format: FORMAT, diapason: diapason.into(), seal, allowed, stages, frozen, looks }
    }

    /// The manifest of the run in `folder`, or a new one where there is none.
    ///
    /// Errors with [`diapason_core::Class::Data`] where the file cannot be understood, has another format or was edited.
    pub fn open(folder: &Path, diapason: &str) -> Result<Self> {
        if !folder.join(FILE).exists() {
            return Ok(Self::new(diapason));
        }
        Ok(Self { diapason: diapason.into(), ..Self::read(folder)? })
    }

    /// The manifest in `folder` as it stands there.
    ///
    /// Errors as [`Manifest::open`] does, and where there is none.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let fail = |message: String| {
            Error::data(message).hint("choose another `run.folder`, or remove this one to start the run again")
        };
        let not_understood = |source| fail(format!("failed to understand {}", path.display())).because(source);
        let value: serde_json::Value = serde_json::from_str(&files::read_text(&path)?).map_err(not_understood)?;
        if value["format"] != FORMAT {
            return Err(fail(format!("{} has format {}, expected {FORMAT}", path.display(), value["format"])));
        }
        let manifest: Self = serde_json::from_value(value).map_err(not_understood)?;
        if manifest.sealed()?.seal != manifest.seal {
            return Err(Error::data(format!("{} was edited after Diapason wrote it", path.display())).hint(
                "what it says of the run cannot be trusted: remove it, and `diapason run` makes all of it anew",
            ));
        }
        Ok(manifest)
    }

    /// Writes the manifest into `folder`, sealed.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.sealed()?).map_err(unwritable)?;
        files::write(&folder.join(FILE), escape::json(&format!("{text}\n")).as_bytes())
    }

    fn sealed(&self) -> Result<Self> {
        let open = Self { seal: String::new(), ..self.clone() };
        let text = serde_json::to_string(&open).map_err(unwritable)?;
        Ok(Self { seal: digest::of_bytes(text.as_bytes()), ..open })
    }

    /// Whether `stage` is finished for these `inputs` and its outputs in `folder` are the ones that it wrote.
    pub fn stands(&self, stage: &str, inputs: &str, folder: &Path) -> bool {
        let Some(stage) = self.stages.get(stage) else { return false };
        let same = |(path, recorded): (&String, &String)| {
            files::digest(&folder.join(path)).is_ok_and(|found| found == *recorded)
        };
        stage.inputs == inputs && stage.outputs.iter().all(same)
    }

    /// Outputs of `stage`, made of these `inputs`, that somebody else has written to since.
    pub fn edited(&self, stage: &str, inputs: &str, folder: &Path) -> Vec<String> {
        let Some(stage) = self.stages.get(stage).filter(|stage| stage.inputs == inputs) else { return Vec::new() };
        let other = |(path, recorded): &(&String, &String)| {
            files::digest(&folder.join(path)).is_ok_and(|found| found != **recorded)
        };
        stage.outputs.iter().filter(other).map(|(path, _)| path.clone()).collect()
    }

    /// Records that `stage` is finished; `outputs` are paths of files in `folder`.
    pub fn finish(&mut self, stage: &str, inputs: &str, folder: &Path, outputs: &[String]) -> Result<()> {
        let digest = |path: &String| Ok((path.clone(), files::digest(&folder.join(path))?));
        let outputs = outputs.iter().map(digest).collect::<Result<_>>()?;
        self.stages.insert(stage.into(), Stage { inputs: inputs.into(), outputs });
        Ok(())
    }
}

fn unwritable(source: serde_json::Error) -> Error {
    Error::run("failed to write manifest").because(source)
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
        let read = Manifest::open(folder.path(), "0.1.0").unwrap();
        assert_eq!(Manifest { seal: String::new(), ..read }, manifest);
        Manifest { format: 9, ..manifest }.save(folder.path()).unwrap();
        let error = Manifest::open(folder.path(), "0.1.0").unwrap_err();
        assert!(error.to_string().ends_with("has format 9, expected 2"), "{error}");
    }

    #[test]
    fn every_edit_breaks_the_seal_and_a_new_layout_of_the_text_does_not() {
        let folder = tempfile::tempdir().unwrap();
        finished(folder.path()).save(folder.path()).unwrap();
        let path = folder.path().join(FILE);
        let text = files::read_text(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        files::write(&path, value.to_string().as_bytes()).unwrap();
        Manifest::read(folder.path()).unwrap();
        for (from, to) in [("\"0.1.0\"", "\"0.1.1\""), ("\"inputs\": \"inputs\"", "\"inputs\": \"other\"")] {
            assert!(text.contains(from));
            files::write(&path, text.replace(from, to).as_bytes()).unwrap();
            let error = Manifest::open(folder.path(), "0.1.0").unwrap_err();
            assert!(error.to_string().ends_with("was edited after Diapason wrote it"), "{error}");
        }
    }
}
