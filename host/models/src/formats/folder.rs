//! Safetensors folders, in one file or in shards, as transformers writes them.

use super::index::Index;
use super::{Format, check_shape, map, missing, unused};
use crate::families::Config;
use candle_core::{Device, Tensor};
use diapason_core::{Error, Result, digest};
use diapason_nn::SaveType;
use diapason_nn::kernels::Weight;
use diapason_nn::quant::Nf4;
use memmap2::Mmap;
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The weights of a model folder.
#[derive(Debug)]
pub struct Folder {
    /// In the order of their names.
    shards: Vec<Shard>,
    /// By name: the number of its shard, and what the shard says of it.
    tensors: BTreeMap<String, (usize, TensorInfo)>,
}

#[derive(Debug)]
struct Shard {
    path: PathBuf,
    map: Mmap,
    metadata: Metadata,
    /// Where the tensors' data begin in the file.
    start: usize,
}

impl Folder {
    /// Opens `model.safetensors`, or the shards that `model.safetensors.index.json` names.
    ///
    /// # Errors
    /// Neither is there, a shard is missing, a file is not whole, or the index contradicts its shards.
    pub fn open(path: &Path) -> Result<Self> {
        let (paths, index) = Index::files(path)?;
        let shards = paths.into_iter().map(Shard::open).collect::<Result<Vec<_>>>()?;
        // As in transformers, which does not look into the index for this, the last of several tensors of a name counts.
        let tensors = shards.iter().enumerate().flat_map(|(i, shard)| {
            shard.metadata.tensors().into_iter().map(move |(name, info)| (name, (i, info.clone())))
        });
        let folder = Self { tensors: tensors.collect(), shards };
        index.map_or(Ok(()), |index| folder.hold_against(&index))?;
        Ok(folder)
    }

    /// Refuses an index that names another tensor than the one that is read.
    fn hold_against(&self, index: &Index) -> Result<()> {
        for (name, file) in &index.shards {
            let own = self.shards.iter().find(|shard| shard.name() == *file);
            let found = own.and_then(|shard| Some((shard, shard.metadata.info(name)?)));
            let Some((own, info)) = found else { return Err(index.absent(name, file)) };
            let Some((last, read)) = self.find(name) else { return Err(index.absent(name, file)) };
            let same = (&info.shape, info.dtype) == (&read.shape, read.dtype) && own.bytes(info) == last.bytes(read);
            if !same {
                return Err(index.contradicted(name, file, &last.name()));
            }
        }
        Ok(())
    }

    /// Decides as transformers does (`PreTrainedModel.tie_weights`) whether the output head is the embedding where the
    /// configuration says so: not if the file has both with different values; if it has only the head, that is both.
    ///
    /// # Errors
    /// They have other shapes than the configuration asks for, or elements that are no floating point numbers.
    pub fn settle_tied(&mut self, config: &mut Config) -> Result<()> {
        const EMBEDDING: &str = "model.embed_tokens.weight";
        const HEAD: &str = "lm_head.weight";
        if !config.tied || !self.contains(HEAD) {
            return Ok(());
        }
        let shape = [config.vocab_size, config.hidden_size];
        if self.contains(EMBEDDING) && !self.equal(EMBEDDING, HEAD, &shape)? {
            config.tied = false;
            return Ok(());
        }
        if let Some(head) = self.tensors.remove(HEAD) {
            self.tensors.entry(EMBEDDING.to_owned()).or_insert(head);
        }
        Ok(())
    }

    /// Whether two tensors of this shape have the same values.
    fn equal(&self, first: &str, second: &str, shape: &[usize]) -> Result<bool> {
        let bytes = |name: &str| self.find(name).map(|(shard, info)| (info.dtype, shard.bytes(info)));
        self.check(first, shape)?;
        self.check(second, shape)?;
        Ok(bytes(first) == bytes(second) || self.values(first, shape)? == self.values(second, shape)?)
    }

    /// Refuses tensors that are no part of the model with the parameters `known`, apart from what transformers passes
    /// over too: the rotary frequencies of old files.
    ///
    /// # Errors
    /// There is such a tensor.
    pub fn refuse_unused(&self, known: &BTreeSet<String>) -> Result<()> {
        let used = |name: &str| {
            let quantised = quant_parts(name).is_some_and(|weight| known.contains(weight));
            known.contains(name) || quantised || name.ends_with("rotary_emb.inv_freq")
        };
        let names: Vec<&str> = self.tensors.keys().map(String::as_str).filter(|name| !used(name)).collect();
        let file = names.first().and_then(|name| self.find(name)).map(|(shard, _)| shard.path.as_path());
        file.map_or(Ok(()), |file| Err(unused(file, &names)))
    }

    /// The tensor `name` of the given shape, as f32.
    ///
    /// # Errors
    /// It is missing, has another shape, or elements that are no floating point numbers.
    pub fn parameter(&self, name: &str, shape: &[usize], device: &Device) -> Result<Tensor> {
        let values = self.values(name, shape)?;
        Tensor::from_vec(values, shape, device)
            .map_err(|source| Error::run(format!("failed to place tensor `{name}`")).because(source))
    }

    fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let Some((shard, info)) = self.find(name) else {
            let first = self.shards.first().map_or(Path::new("model.safetensors"), |shard| &shard.path);
            return Err(missing(first, name, shape));
        };
        check_shape(&shard.path, name, shape, &info.shape)?;
        floats(info.dtype, shard.bytes(info)).ok_or_else(|| {
            Error::data(format!("tensor `{name}` in {} has elements of type {}", shard.path.display(), info.dtype))
                .hint("readable types: F64, F32, F16, BF16")
        })
    }

    /// The weight `name` [out, in] of a linear layer in the given format. One that is in 4 bits in the file stays so.
    ///
    /// # Errors
    /// See [`Folder::parameter`]; a quantised weight of another kind than NF4.
    pub fn weight(&self, name: &str, shape: [usize; 2], format: Format, device: &Device) -> Result<Weight> {
        if let Some(weight) = self.quantised(name)? {
            let [out, input] = weight.shape();
            check_shape(&self.shards[0].path, name, &shape, &[out, input])?;
            return Ok(weight.into());
        }
        let dense = self.parameter(name, &shape, device)?;
        let dtype = self.find(name).map_or(Dtype::F32, |(_, info)| info.dtype);
        format
            .of(dense, SaveType::of(dtype))
            .map_err(|source| Error::run(format!("failed to place tensor `{name}`")).because(source))
    }

    /// Whether there is a tensor `name` of this shape. Of one in 4 bits the shape is not looked at.
    pub(crate) fn check(&self, name: &str, shape: &[usize]) -> Result<()> {
        if self.contains(&format!("{name}.quant_state.bitsandbytes__nf4")) {
            return Ok(());
        }
        let (shard, info) = self.find(name).ok_or_else(|| missing(Path::new("model.safetensors"), name, shape))?;
        check_shape(&shard.path, name, shape, &info.shape)
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
            Some((info.dtype, shard.bytes(info)))
        };
        Nf4::from_parts(name, find).map(Some)
    }

    fn find(&self, name: &str) -> Option<(&Shard, &TensorInfo)> {
        let (shard, info) = self.tensors.get(name)?;
        Some((&self.shards[*shard], info))
    }

    /// Whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The SHA-256 of the weights: of the file, or for shards of the list that `sha256sum` prints of them in the order
    /// of their names.
    pub fn digest(&self) -> String {
        match self.shards.as_slice() {
            [one] => digest::of_bytes(&one.map),
            many => digest::of_bytes(many.iter().fold(String::new(), Shard::list).as_bytes()),
        }
    }
}

impl Shard {
    fn open(path: PathBuf) -> Result<Self> {
        let map = map(&path)?;
        let (header, metadata) = SafeTensors::read_metadata(&map).map_err(|source| {
            Error::data(format!("failed to read {}", path.display()))
                .because(source)
                .hint("the file is truncated or not in safetensors format; fetch it again and compare its size")
        })?;
        Ok(Self { path, map, metadata, start: header + size_of::<u64>() })
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// A tensor's elements.
    fn bytes(&self, info: &TensorInfo) -> &[u8] {
        let (from, to) = info.data_offsets;
        &self.map[self.start + from..self.start + to]
    }

    fn list(mut list: String, shard: &Self) -> String {
        let _ = writeln!(list, "{}  {}", digest::of_bytes(&shard.map), shard.name());
        list
    }
}

/// The weight that a tensor of a weight in 4 bits belongs to.
fn quant_parts(name: &str) -> Option<&str> {
    let suffixes = [".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", ".quant_state.bitsandbytes__nf4"];
    suffixes.iter().find_map(|suffix| name.strip_suffix(suffix))
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
