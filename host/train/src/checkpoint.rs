//! What training leaves in the run folder.

use diapason_core::Result;
use diapason_core::config::{Method, Train};
use diapason_models::{Model, adapters};
use diapason_nn::SaveType;
use std::path::Path;

/// Keeps the current state under `folder/checkpoints/name`: the adapter, or the whole model.
pub(crate) fn save(model: &Model, config: &Train, folder: &Path, name: &str) -> Result<()> {
    let folder = folder.join("checkpoints").join(name);
    match config.method {
        Method::Lora | Method::Qlora => adapters::save(model, config, &folder).map(drop),
        Method::Full => model.save(&folder, SaveType::F32),
    }
}

/// Writes the result of a run: `folder/adapter` or `folder/model`.
pub(crate) fn save_result(model: &mut Model, config: &Train, folder: &Path) -> Result<()> {
    match config.method {
        Method::Lora | Method::Qlora => {
            let digest = adapters::save(model, config, &folder.join("adapter"))?;
            model.set_adapter_digest(Some(digest));
            Ok(())
        }
        Method::Full => model.save(&folder.join("model"), SaveType::F32),
    }
}
