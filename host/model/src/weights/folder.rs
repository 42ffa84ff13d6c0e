//! Safetensors folders, in one file or in shards, as transformers writes them.

use super::{Format, SaveType, check_shape, map, missing};
use crate::kernels::Weight;
use crate::quant::Nf4;
use candle_core::{Device, Tensor};
use diapason_core::{Error, Result, digest, files};
use memmap2::Mmap;
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The weights of a model folder.
#[derive(Debug)]
pub struct Folder {
    shards: Vec<Shard>,
}

#[derive(Debug)]
struct Shard {
    path: PathBuf,
    bytes: Mmap,
    metadata: Metadata,
    /// Where the tensors' data begin in the file.
    start: usize,
}

impl Folder {
    /// Opens `model.safetensors`, or the shards that `model.safetensors.index.json` names.
    ///
    /// # Errors
    /// Neither is there, a shard is missing, or a file is not whole.
    pub fn open(path: &Path) -> Result<Self> {
        let shards = shard_paths(path)?.into_iter().map(Shard::open).collect::<Result<_>>()?;
        Ok(Self { shards })
    }

    /// The tensor `name` of the given shape, as f32.
    ///
    /// # Errors
    /// It is missing, has another shape, or elements that are no floating point numbers.
    pub fn parameter(&self, name: &str, shape: &[usize], device: &Device) -> Result<Tensor> {
        let Some((shard, info)) = self.find(name) else {
            let first = self.shards.first().map_or(Path::new("model.safetensors"), |shard| &shard.path);
            return Err(missing(first, name, shape));
        };
        check_shape(&shard.path, name, shape, &info.shape)?;
        let (from, to) = info.data_offsets;
        let values = floats(info.dtype, &shard.bytes[shard.start + from..shard.start + to]).ok_or_else(|| {
            Error::data(format!("tensor `{name}` in {} has elements of type {}", shard.path.display(), info.dtype))
                .hint("readable types: F64, F32, F16, BF16")
        })?;
        Tensor::from_vec(values, shape, device)
            .map_err(|source| Error::run(format!("failed to place tensor `{name}`")).because(source))
    }

    /// The weight `name` [out, in] of a linear layer in the given format. One that is in 4 bits in the file stays so.
    ///
    /// # Errors
    /// See [`Folder::parameter`]; a quantised weight of another kind than NF4.
    pub fn weight(&self, name: &str, shape: [usize; 2], format: Format, device: &Device) -> Result<Weight> {
        if let Some(weight) = self.quantised(name)? {
            let [out, input] = weight.shape();
            check_shape(&self.shards[0].path, name, &shape, &[out, input])?;
            return Ok(Weight::Nf4(Arc::new(weight)));
        }
        let dense = self.parameter(name, &shape, device)?;
        let dtype = self.find(name).map_or(Dtype::F32, |(_, info)| info.dtype);
        format
            .of(dense, SaveType::of(dtype))
            .map_err(|source| Error::run(format!("failed to place tensor `{name}`")).because(source))
    }

    fn quantised(&self, name: &str) -> Result<Option<Nf4>> {
        let state = |kind: &str| self.contains(&format!("{name}.quant_state.bitsandbytes__{kind}"));
        if state("fp4") {
            return Err(Error::data(format!("tensor `{name}` is in 4-bit floating point (fp4)"))
                .hint("readable: bitsandbytes' nf4; open the model that it was made of"));
        }
        if !state("nf4") {
            return Ok(None);
        }
        let find = |suffix: &str| {
            let (shard, info) = self.find(&format!("{name}{suffix}"))?;
            let (from, to) = info.data_offsets;
            Some((info.dtype, &shard.bytes[shard.start + from..shard.start + to]))
        };
        Nf4::from_parts(name, find).map(Some)
    }

    fn find(&self, name: &str) -> Option<(&Shard, &TensorInfo)> {
        self.shards.iter().find_map(|shard| Some((shard, shard.metadata.info(name)?)))
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The SHA-256 of the weights: of the file, or for shards of the list that `sha256sum` prints of them in the order
    /// of their names.
    pub fn digest(&self) -> String {
        match self.shards.as_slice() {
            [one] => digest::of_bytes(&one.bytes),
            many => digest::of_bytes(many.iter().fold(String::new(), Shard::list).as_bytes()),
        }
    }
}

impl Shard {
    fn open(path: PathBuf) -> Result<Self> {
        let bytes = map(&path)?;
        let (header, metadata) = SafeTensors::read_metadata(&bytes).map_err(|source| {
            Error::data(format!("failed to read {}", path.display()))
                .because(source)
                .hint("the file is truncated or not in safetensors format; fetch it again and compare its size")
        })?;
        Ok(Self { path, bytes, metadata, start: header + size_of::<u64>() })
    }

    fn list(mut list: String, shard: &Self) -> String {
        let name = shard.path.file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(list, "{}  {name}", digest::of_bytes(&shard.bytes));
        list
    }
}

fn shard_paths(folder: &Path) -> Result<Vec<PathBuf>> {
    let (single, index) = (folder.join("model.safetensors"), folder.join("model.safetensors.index.json"));
    if single.is_file() {
        return Ok(vec![single]);
    }
    if !index.is_file() {
        return Err(Error::data(format!("{} holds no model.safetensors", folder.display()))
            .hint("give a folder with safetensors weights, config.json and tokenizer.json, or a .gguf file"));
    }
    let names = shard_names(&files::read_text(&index)?)
        .ok_or_else(|| Error::data(format!("{} has no usable `weight_map`", index.display())))?;
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// The shards' names, sorted; `None` if the index is malformed or leaves the folder.
fn shard_names(index: &str) -> Option<BTreeSet<String>> {
    let index: Value = serde_json::from_str(index).ok()?;
    let names = index.get("weight_map")?.as_object()?.values().map(|name| name.as_str().map(str::to_owned));
    let plain = |name: &String| Path::new(name).file_name() == Some(name.as_ref());
    names.collect::<Option<BTreeSet<_>>>().filter(|names| !names.is_empty() && names.iter().all(plain))
}

/// Little-endian floating point numbers of any width as f32.
fn floats(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    fn each<const N: usize>(bytes: &[u8], convert: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        let (values, _) = bytes.as_chunks::<N>();
        values.iter().map(|value| convert(*value)).collect()
    }
    match dtype {
        Dtype::F32 => Some(each(bytes, f32::from_le_bytes)),
        Dtype::F64 => Some(each(bytes, |value| f64::from_le_bytes(value) as f32)),
        Dtype::F16 => Some(each(bytes, |value| half::f16::from_le_bytes(value).to_f32())),
        Dtype::BF16 => Some(each(bytes, |value| half::bf16::from_le_bytes(value).to_f32())),
        _ => None,
    }
}
