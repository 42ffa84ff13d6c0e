//! Which files hold a folder's weights: `model.safetensors`, or the shards that `model.safetensors.index.json` names.

use diapason_core::{Error, Result};
use diapason_disk::files;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// `weight_map` of `model.safetensors.index.json`.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    /// The shard of each tensor, by its name.
    pub(super) shards: BTreeMap<String, String>,
}

/// What to do about an index and shards that disagree.
const MIXED: &str = "index and shards come from different versions of the model; fetch the whole folder again";

impl Index {
    /// The files with a folder's weights in the order of their names, and the index if there is one. As in
    /// transformers, `model.safetensors` is read and the index left alone where both are there.
    pub(super) fn files(folder: &Path) -> Result<(Vec<PathBuf>, Option<Self>)> {
        let (single, path) = (folder.join("model.safetensors"), folder.join("model.safetensors.index.json"));
        if single.is_file() {
            return Ok((vec![single], None));
        }
        if !path.is_file() {
            let pickled =
                ["pytorch_model.bin", "pytorch_model.bin.index.json"].iter().any(|name| folder.join(name).is_file());
            return Err(Error::data(format!("{} holds no model.safetensors", folder.display())).hint(match pickled {
                true => {
                    "pytorch_model.bin is a pickle, which can run code: let transformers read it once, and write the \
                         folder with `save_pretrained`"
                }
                false => "give a folder with safetensors weights, config.json and tokenizer.json, or a .gguf file",
            }));
        }
        let index = Self::read(path)?;
        let names: BTreeSet<&String> = index.shards.values().collect();
        let paths = names.into_iter().map(|name| index.shard(folder, name)).collect::<Result<_>>()?;
        Ok((paths, Some(index)))
    }

    fn read(path: PathBuf) -> Result<Self> {
        let text = files::read_text(&path)?;
        let shards = weight_map(&text).ok_or_else(|| {
            Error::data(format!("{} has no usable `weight_map`", path.display()))
                .hint("it gives the file name of a shard for the name of each tensor; fetch the file again")
        })?;
        if serde_json::from_str::<Value>(&text).is_ok_and(|index| !index["metadata"].is_object()) {
            return Err(Error::data(format!("{} has no object `metadata`", path.display()))
                .hint("transformers does not open the folder without; `\"metadata\": {}` is enough"));
        }
        Ok(Self { path, shards })
    }

    /// The path of a shard, which must lie in the folder itself.
    fn shard(&self, folder: &Path, name: &str) -> Result<PathBuf> {
        if Path::new(name).file_name() != Some(name.as_ref()) {
            return Err(Error::data(format!("{} names the shard `{name}`", self.path.display()))
                .hint("a shard lies beside its index; its name has no folders in it"));
        }
        let path = folder.join(name);
        if path.is_file() {
            return Ok(path);
        }
        Err(Error::data(format!("{} names the shard {name}, which is not there", self.path.display()))
            .hint("the folder is incomplete; fetch the missing file"))
    }

    /// The error about a tensor that is not in its shard.
    pub(super) fn absent(&self, tensor: &str, shard: &str) -> Error {
        Error::data(format!("{} puts tensor `{tensor}` into {shard}, which has none", self.path.display())).hint(MIXED)
    }

    /// The error about a tensor with other values in a later shard than in its own.
    pub(super) fn contradicted(&self, tensor: &str, shard: &str, later: &str) -> Error {
        Error::data(format!("tensor `{tensor}` has other values in {later} than in {shard}"))
            .because(Error::data(format!("{} names {shard}, but transformers reads {later}", self.path.display())))
            .hint(MIXED)
    }
}

/// `None` if the index is malformed or empty.
fn weight_map(index: &str) -> Option<BTreeMap<String, String>> {
    let index: Value = serde_json::from_str(index).ok()?;
    let map = index.get("weight_map")?.as_object()?;
    let entries = map.iter().map(|(tensor, shard)| Some((tensor.clone(), shard.as_str()?.to_owned())));
    entries.collect::<Option<BTreeMap<_, _>>>().filter(|map| !map.is_empty())
}
