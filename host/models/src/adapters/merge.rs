//! Merging an adapter into its base, and proving that the merged model still is the model.

use crate::decoder::Llama;
use crate::decoder::argmax;
use crate::formats::{Entry, save_sharded};
use crate::linear::Mode;
use crate::model::Model;
use candle_core::Tensor;
use diapason_core::{Error, Result};
use diapason_nn::SaveType;
use diapason_nn::layout::{Sequences, Span};
use std::path::Path;

/// How a merged model differs from base and adapter.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Merged {
    /// Files that hold the weights.
    pub files: usize,
    /// Positions of the probe text.
    pub positions: usize,
    /// Positions at which the likeliest token is the same.
    pub same_token: usize,
    /// Largest difference of a logit.
    pub largest: f64,
    /// Mean difference of the logits.
    pub mean: f64,
    /// Largest difference that the adapter makes to the base's logits.
    pub adapter: f64,
}

/// What logits are compared on.
const PROBE: &str = "The tuning fork gave its note, and the whole orchestra listened. \"Is 440 hertz right?\" asked the \
                     oboist.\n\n1. Compare the two pitches.\n2. Tell {\"sharp\": true} from {\"flat\": false}.\n";

/// Writes `model` with its adapter merged into the folder `out`, in shards of at most `limit` bytes; reads it back and
/// compares.
///
/// # Errors
/// There is no adapter, it changes no logit, or the folder cannot be written.
pub fn merge(model: &mut Model, out: &Path, dtype: SaveType, limit: u64) -> Result<Merged> {
    let tuned = probe(model)?;
    let files = model.save_merged(out, dtype, limit)?;
    let merged = probe(&Model::open(out, model.device())?)?;
    model.detach_adapter();
    let base = probe(model)?;
    let adapter = differences(&base, &tuned).fold(0.0, f64::max);
    if adapter == 0.0 {
        return Err(Error::data("the adapter changes no logit").hint("it was not trained, or belongs to another base"));
    }
    let vocabulary = model.llama().config().vocab_size;
    let rows = || tuned.chunks(vocabulary).zip(merged.chunks(vocabulary));
    Ok(Merged {
        files,
        positions: rows().count(),
        same_token: rows().filter(|(a, b)| argmax(a) == argmax(b)).count(),
        largest: differences(&tuned, &merged).fold(0.0, f64::max),
        mean: differences(&tuned, &merged).sum::<f64>() / tuned.len() as f64,
        adapter,
    })
}

fn differences(a: &[f32], b: &[f32]) -> impl Iterator<Item = f64> {
    a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs()))
}

/// The logits of every position of the probe text, or of so much of it as the model takes.
fn probe(model: &Model) -> Result<Vec<f32>> {
    let mut ids = model.tokenizer().encode(PROBE)?;
    ids.truncate(model.context_length());
    let logits = || -> candle_core::Result<Vec<f32>> {
        let input = Tensor::new(ids.as_slice(), model.device())?.unsqueeze(0)?;
        let sequences = Sequences::Padded(vec![Span { offset: 0, keys: ids.len() }]);
        let hidden = model.llama().forward_hidden(&input, &sequences, None, &Mode::Inference)?;
        model.llama().logits(&hidden, &Mode::Inference)?.flatten_all()?.to_vec1()
    };
    logits().map_err(|source| Error::run("failed to compute the probe's logits").because(source))
}

impl Llama {
    /// Every parameter, with the adapters in the layers' weights.
    pub(crate) fn merged(&self, dtype: SaveType) -> Vec<Entry<'_>> {
        let layers: std::collections::HashMap<String, _> =
            self.linears().map(|(name, layer)| (format!("{name}.weight"), layer)).collect();
        let entry = |(name, weight): (String, diapason_nn::kernels::Weight)| match layers.get(&name) {
            Some(layer) => {
                let (out, input) = weight.dims().unwrap_or_default();
                vec![Entry::merged(&name, layer, vec![out, input], dtype)]
            }
            None => Entry::of(&name, &weight, dtype),
        };
        self.parameters().into_iter().flat_map(entry).collect()
    }
}

impl Model {
    /// Writes a folder like [`Model::save`] does, with the adapter merged into the weights; gives the number of files that
    /// hold these.
    pub(crate) fn save_merged(&self, folder: &Path, dtype: SaveType, limit: u64) -> Result<usize> {
        let files = save_sharded(folder, self.llama().merged(dtype), limit)?;
        self.save_rest(folder, dtype, None)?;
        Ok(files)
    }
}
