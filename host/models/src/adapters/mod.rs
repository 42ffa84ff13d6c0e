//! Low-rank adapters in the format of PEFT (`adapter_config.json`, `adapter_model.safetensors`).

mod config;
mod fields;
mod known;
mod load;
pub mod merge;
mod method;
mod modules;
mod pattern;
mod save;
mod targets;
mod tokens;

pub use load::{check, load};
pub use modules::tied;
pub use save::is_saved;
pub use save::save;

use crate::Model;
use diapason_core::Result;
use diapason_disk::foreign;
use std::path::Path;

/// What PEFT puts before the names of a causal model's layers.
const PREFIX: &str = "base_model.model.";

/// The weights' file.
const WEIGHTS: &str = "adapter_model.safetensors";

/// The weights' file of older versions of PEFT.
const PICKLED: &str = "adapter_model.bin";

/// The description's file.
const CONFIG: &str = "adapter_config.json";

/// What we record beside PEFT's files: which base the adapter belongs to.
const BASE: &str = "diapason.json";

/// What `modules_to_save` may name, in full.
pub const MODULES: [&str; 2] = ["lm_head", "model.embed_tokens"];

/// Whether `target`, as in `target_modules`, names the layer `name`: in full, by its last parts, or as `all-linear`.
pub fn names_layer(target: &str, name: &str) -> bool {
    match target {
        "all-linear" => name != "lm_head",
        _ => name.strip_suffix(target).is_some_and(|before| before.is_empty() || before.ends_with('.')),
    }
}

impl Model {
    /// Attaches the adapter in the folder `dir`; one that is attached already is taken away.
    ///
    /// # Errors
    /// The folder holds no adapter for this model: see [`load`]. The model is then as it was.
    pub fn attach_adapter(&mut self, dir: &Path) -> Result<()> {
        let opened = |model: &mut Self| tokens::check(model.own_tokenizer(), dir).and_then(|()| load(model, dir));
        let digest = foreign::guarded(dir.display(), || opened(self))
            .map_err(|error| error.context(format!("failed to open adapter {}", dir.display())))?;
        self.set_adapter_digest(Some(digest));
        Ok(())
    }

    /// Holds the adapter in the folder `dir` against the model, of which names and shapes suffice: see [`check`].
    ///
    /// # Errors
    /// The folder holds no adapter for this model.
    pub fn check_adapter(&self, dir: &Path) -> Result<()> {
        let checked = || tokens::check(self.own_tokenizer(), dir).and_then(|()| check(self, dir));
        foreign::guarded(dir.display(), checked)
            .map_err(|error| error.context(format!("failed to open adapter {}", dir.display())))
    }

    /// Takes the adapter away, if there is one.
    pub fn detach_adapter(&mut self) {
        for (_, linear) in self.llama_mut().linears_mut() {
            linear.detach_lora();
        }
        self.restore_modules();
        self.set_adapter_digest(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_match_whole_parts_of_a_name() {
        let name = "model.layers.0.self_attn.q_proj";
        assert!(names_layer("q_proj", name) && names_layer("self_attn.q_proj", name) && names_layer(name, name));
        assert!(names_layer("all-linear", name) && !names_layer("all-linear", "lm_head"));
        assert!(!names_layer("proj", name) && !names_layer("k_proj", name));
    }
}
