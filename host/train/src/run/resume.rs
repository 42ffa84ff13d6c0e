//! What a run that broke off needs to go on as if nothing had happened: one file, written whole or not at all.
//!
//! `checkpoints/resume.safetensors` holds the variables (`var.…`), the optimizer's averages (`opt.…`), the best variables
//! so far where early stopping watches (`best.…`), and in its metadata [`Progress`] as JSON.

use super::trainer::Trainer;
use crate::encode::Example;
use candle_core::{Device, Tensor, Var};
use diapason_core::config::Train;
use diapason_core::{Error, Result, digest};
use diapason_disk::{files, foreign};
use diapason_models::formats::{self, Entry};
use diapason_nn::SaveType;
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Version of the layout; another one is not read.
const FORMAT: u32 = 1;

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    format: u32,
    /// What the run depends on.
    key: String,
    /// Steps taken.
    pub(super) step: u64,
    /// Forward passes made.
    passes: u64,
    /// Tokens that went through the model.
    pub(super) tokens: u64,
    /// Loss of the last step.
    pub(super) loss: f64,
    /// Length of `train.jsonl` in bytes.
    pub(super) log: u64,
    /// Best value that early stopping saw.
    pub(super) best: Option<f64>,
    /// Looks since then.
    pub(super) without_gain: usize,
}

/// Where the state is kept.
pub(super) struct Store {
    path: PathBuf,
    key: String,
}

impl Store {
    /// The state of a run with these settings on these examples, in the run folder `folder`. `base` is the digest of what
    /// is trained.
    pub(super) fn new(folder: &Path, base: &str, examples: [&[Example]; 2], config: &Train, seed: u64) -> Self {
        // How often it is saved, logged or kept changes nothing of what is learned.
        let settings = Train { save_steps: 1, logging_steps: 1, save_per_epoch: false, ..config.clone() };
        let mut bytes = serde_json::json!([base, settings, seed]).to_string().into_bytes();
        for example in examples.into_iter().flatten() {
            bytes.extend(example.ids.iter().flat_map(|id| id.to_le_bytes()));
            bytes.extend(example.learn.iter().map(|learn| u8::from(*learn)));
            bytes.push(u8::MAX);
        }
        Self { path: folder.join("checkpoints/resume.safetensors"), key: digest::of_bytes(&bytes) }
    }

    /// Saves the state after `progress.step` steps.
    pub(super) fn save(
        &self,
        vars: &[(String, Var)],
        trainer: &Trainer,
        best: &[Tensor],
        progress: &Progress,
    ) -> Result<()> {
        let progress = Progress { format: FORMAT, key: self.key.clone(), passes: trainer.passes, ..progress.clone() };
        let json = serde_json::to_string(&progress)
            .map_err(|source| Error::run("failed to write the state as JSON").because(source))?;
        let mut tensors = Vec::new();
        for (name, var) in vars {
            tensors.extend(Entry::of(&format!("var.{name}"), &var.as_detached_tensor().into(), SaveType::F32));
        }
        for ((name, _), best) in vars.iter().zip(best) {
            tensors.extend(Entry::of(&format!("best.{name}"), &best.clone().into(), SaveType::F32));
        }
        let moments = trainer.optimizer.state().map_err(super::failed)?.into_iter();
        tensors
            .extend(moments.map(|(name, dtype, shape, bytes)| Entry::raw(format!("opt.{name}"), dtype, shape, bytes)));
        formats::write(&self.path, tensors, HashMap::from([("progress".to_owned(), json)]))
    }

    /// Takes over a saved state, if there is one of this very run; gives how far it is and the best variables.
    ///
    /// # Errors
    /// The file belongs to this run but is damaged.
    pub(super) fn restore(
        &self,
        vars: &[(String, Var)],
        trainer: &mut Trainer,
    ) -> Result<Option<(Progress, Vec<Tensor>)>> {
        if self.path.symlink_metadata().is_err() {
            return Ok(None);
        }
        foreign::guarded(self.path.display(), || self.read(vars, trainer))
    }

    fn read(&self, vars: &[(String, Var)], trainer: &mut Trainer) -> Result<Option<(Progress, Vec<Tensor>)>> {
        let damaged = |why: &str| {
            Error::data(format!("failed to go on from {}", self.path.display()))
                .because(why.to_owned())
                .hint("remove the file to train from the start")
        };
        let bytes = files::contents(&self.path, u64::MAX - 1).map_err(|source| damaged(&source.to_string()))?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|source| damaged(&source.to_string()))?;
        let json = metadata.metadata().as_ref().and_then(|map| map.get("progress"));
        let progress: Option<Progress> = json.and_then(|json| serde_json::from_str(json).ok());
        // Another run's state is no error: it is written over.
        let Some(progress) = progress.filter(|found| (found.format, &found.key) == (FORMAT, &self.key)) else {
            return Ok(None);
        };
        let tensors = SafeTensors::deserialize(&bytes).map_err(|source| damaged(&source.to_string()))?;
        let find = |name: &str| tensors.tensor(name).ok().map(|view| view.data());
        let mut best = Vec::new();
        for (name, var) in vars {
            let read = |kind: &str| find(&format!("{kind}.{name}")).map(|bytes| tensor(bytes, var)).transpose();
            let found = read("var")?.ok_or_else(|| damaged(&format!("it has no `{name}`")))?;
            var.set(&found).map_err(super::failed)?;
            best.extend(read("best")?);
        }
        trainer.optimizer.restore(progress.step, |name| find(&format!("opt.{name}")))?;
        trainer.passes = progress.passes;
        Ok(Some((progress, best)))
    }

    /// Forgets the state of a run that is done.
    pub(super) fn remove(&self) -> Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::run(format!("failed to remove {}", self.path.display())).because(source))
            }
            _ => Ok(()),
        }
    }
}

fn tensor(bytes: &[u8], like: &Var) -> Result<Tensor> {
    let (values, _) = bytes.as_chunks::<4>();
    let values: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
    let tensor = Tensor::from_vec(values, like.shape(), &Device::Cpu);
    tensor.and_then(|tensor| tensor.to_device(like.device())).map_err(super::failed)
}
