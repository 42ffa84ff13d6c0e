//! Writing weights as safetensors, one tensor at a time: no second copy of a model is made.

use crate::linear::Linear;

use diapason_core::{Error, Result};
use diapason_disk::files;
use diapason_nn::SaveType;
use diapason_nn::kernels::Weight;
use diapason_nn::quant::{self, Part};
use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// A tensor to be written.
pub struct Entry<'a> {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    /// Its elements, made when they are due.
    bytes: Box<dyn Fn() -> candle_core::Result<Vec<u8>> + 'a>,
}

impl<'a> Entry<'a> {
    /// A tensor of little-endian elements that are there already.
    pub fn raw(name: String, dtype: Dtype, shape: Vec<usize>, bytes: Vec<u8>) -> Self {
        Self { name, dtype, shape, bytes: Box::new(move || Ok(bytes.clone())) }
    }

    /// The tensors of a weight: several if it is in 4 bits, otherwise one of numbers of type `dtype`.
    pub fn of(name: &str, weight: &Weight, dtype: SaveType) -> Vec<Self> {
        match weight {
            Weight::Dense(tensor) => {
                let (shape, tensor) = (tensor.dims().to_vec(), tensor.clone());
                vec![Self::made(name, dtype, shape, move || dtype.bytes(&tensor))]
            }
            Weight::Nf4(weight) => {
                let entry =
                    |Part { suffix, dtype, shape, bytes }| Self::raw(format!("{name}{suffix}"), dtype, shape, bytes);
                quant::parts(weight).into_iter().map(entry).collect()
            }
        }
    }

    /// The weight [out, in] of a layer with its adapter in it, as numbers of type `dtype`.
    pub fn merged(name: &str, layer: &'a Linear, shape: Vec<usize>, dtype: SaveType) -> Self {
        Self::made(name, dtype, shape, move || dtype.bytes(&layer.merged()?))
    }

    fn made(
        name: &str,
        dtype: SaveType,
        shape: Vec<usize>,
        bytes: impl Fn() -> candle_core::Result<Vec<u8>> + 'a,
    ) -> Self {
        Self { name: name.to_owned(), dtype: dtype.dtype(), shape, bytes: Box::new(bytes) }
    }

    fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    fn size(&self) -> usize {
        self.elements() * self.dtype.bitsize() / 8
    }
}

/// Writes named weights into one safetensors file: those in 4 bits as bitsandbytes does, the others as numbers of type
/// `dtype`.
pub fn save(path: &Path, weights: &[(String, Weight)], dtype: SaveType) -> Result<()> {
    let entries = weights.iter().flat_map(|(name, weight)| Entry::of(name, weight, dtype)).collect();
    write(path, entries, HashMap::from([("format".to_owned(), "pt".to_owned())]))
}

/// Writes a model's weights into `folder` as transformers does: `model.safetensors`, or shards of at most `limit` bytes
/// with an index. Shards of what was there before are removed. Gives the number of files.
pub fn save_sharded(folder: &Path, entries: Vec<Entry>, limit: u64) -> Result<usize> {
    let (size, parameters) =
        entries.iter().fold((0, 0), |(size, n), entry| (size + entry.size() as u64, n + entry.elements() as u64));
    if size <= limit {
        write(&folder.join(SINGLE), entries, pt())?;
        return remove_others(folder, &[SINGLE.to_owned()]).map(|()| 1);
    }
    save_shards(folder, entries, limit, json!({"total_parameters": parameters, "total_size": size}))
}

const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

fn pt() -> HashMap<String, String> {
    HashMap::from([("format".to_owned(), "pt".to_owned())])
}

/// All shards are written before the first is put in its place, so that a full disk leaves the old model whole.
fn save_shards(folder: &Path, entries: Vec<Entry>, limit: u64, metadata: Value) -> Result<usize> {
    let mut shards: Vec<(u64, Vec<Entry>)> = Vec::new();
    for entry in entries {
        let size = entry.size() as u64;
        match shards.last_mut().filter(|(taken, _)| taken + size <= limit) {
            Some((taken, shard)) => {
                *taken += size;
                shard.push(entry);
            }
            None => shards.push((size, vec![entry])),
        }
    }
    let count = shards.len();
    let (mut weight_map, mut names, mut staged) = (Map::new(), vec![INDEX.to_owned()], Vec::new());
    for (number, (_, shard)) in (1..).zip(shards) {
        let name = format!("model-{number:05}-of-{count:05}.safetensors");
        weight_map.extend(shard.iter().map(|entry| (entry.name.clone(), Value::from(name.as_str()))));
        staged.push(stage(&folder.join(&name), shard, pt())?);
        names.push(name);
    }
    let index = json!({"metadata": metadata, "weight_map": weight_map});
    staged.push(files::stage(&folder.join(INDEX), |file| file.write_all(format!("{index:#}\n").as_bytes()))?);
    staged.into_iter().try_for_each(files::Staged::commit)?;
    remove_others(folder, &names).map(|()| count)
}

/// Weights of an earlier model would be read instead of the new ones, or beside them.
fn remove_others(folder: &Path, written: &[String]) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let is_weights = |name: &str| name.starts_with("model") && name.contains(".safetensors");
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| is_weights(name) && !written.iter().any(|own| own == name)) {
            std::fs::remove_file(&path)
                .map_err(|source| Error::run(format!("failed to remove {}", path.display())).because(source))?;
        }
    }
    Ok(())
}

/// Writes one safetensors file, its tensors in the order of the reference implementation: by type, then by name.
///
/// # Errors
/// A tensor cannot be made, or the file not be written; what was there before is then untouched.
pub fn write(path: &Path, entries: Vec<Entry>, metadata: HashMap<String, String>) -> Result<()> {
    stage(path, entries, metadata)?.commit()
}

/// Like [`write()`], without putting the file in its place.
fn stage(path: &Path, mut entries: Vec<Entry>, metadata: HashMap<String, String>) -> Result<files::Staged> {
    entries.sort_by(|a, b| b.dtype.cmp(&a.dtype).then_with(|| a.name.cmp(&b.name)));
    let header = header(&entries, metadata)
        .map_err(|source| Error::run(format!("failed to describe {}", path.display())).because(source))?;
    files::stage(path, |file| {
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        for entry in &entries {
            file.write_all(&(entry.bytes)().map_err(std::io::Error::other)?)?;
        }
        file.flush()
    })
}

/// The JSON header, padded so that the tensors start at a multiple of 8 bytes.
fn header(entries: &[Entry], metadata: HashMap<String, String>) -> serde_json::Result<Vec<u8>> {
    let mut start = 0;
    let infos = entries.iter().map(|entry| {
        let data_offsets = (start, start + entry.size());
        start = data_offsets.1;
        (entry.name.clone(), TensorInfo { dtype: entry.dtype, shape: entry.shape.clone(), data_offsets })
    });
    let metadata = Metadata::new(Some(metadata), infos.collect()).map_err(serde::ser::Error::custom)?;
    let mut header = serde_json::to_vec(&metadata)?;
    header.resize(header.len().next_multiple_of(size_of::<u64>()), b' ');
    Ok(header)
}
