//! How bitsandbytes writes a quantised weight into safetensors, and reads it back.

use super::dynamic;
use super::nf4::{Absmax, BLOCK, CODEBOOK, Nf4};
use crate::SaveType;
use diapason_core::{Error, Result};
use safetensors::Dtype;
use serde_json::{Value, json};

/// Where `config.json` describes a quantised model.
pub const CONFIG_KEY: &str = "quantization_config";

/// What follows the weight's name in the key of its description.
const STATE: &str = ".quant_state.bitsandbytes__nf4";

/// A tensor that belongs to a quantised weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What follows the weight's name in the tensor's.
    pub suffix: &'static str,
    /// Type of the elements.
    pub dtype: Dtype,
    /// Shape of the tensor.
    pub shape: Vec<usize>,
    /// The elements, little-endian.
    pub bytes: Vec<u8>,
}

/// The tensors of a weight in bitsandbytes' serialisation.
pub fn parts(weight: &Nf4) -> Vec<Part> {
    let part = |suffix, dtype, shape: &[usize], bytes| Part { suffix, dtype, shape: shape.to_vec(), bytes };
    let packed = weight.packed.clone();
    let elements = packed.len() / (weight.storage.bitsize() / 8);
    let mut parts = vec![
        part("", weight.storage, &[elements, 1], packed),
        part(".quant_map", Dtype::F32, &[16], floats(&CODEBOOK)),
        part(STATE, Dtype::U8, &[0], state(weight).into_bytes()),
    ];
    match &weight.absmax {
        Absmax::Plain(values) => parts.push(part(".absmax", Dtype::F32, &[values.len()], floats(values))),
        Absmax::Double { codes, nested, .. } => parts.extend([
            part(".absmax", Dtype::U8, &[codes.len()], codes.clone()),
            part(".nested_absmax", Dtype::F32, &[nested.len()], floats(nested)),
            part(".nested_quant_map", Dtype::F32, &[256], floats(&*dynamic::SIGNED)),
        ]),
    }
    if let Some(state) = parts.iter_mut().find(|part| part.suffix == STATE) {
        state.shape = vec![state.bytes.len()];
    }
    parts
}

/// `quantization_config` of a model whose linear layers are in 4 bits, as transformers 5 writes it.
pub fn config(double: bool, compute: SaveType) -> Value {
    json!({
        "_load_in_4bit": true,
        "_load_in_8bit": false,
        "bnb_4bit_compute_dtype": compute.name(),
        "bnb_4bit_quant_storage": "uint8",
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": double,
        "llm_int8_enable_fp32_cpu_offload": false,
        "llm_int8_has_fp16_weight": false,
        "llm_int8_skip_modules": null,
        "llm_int8_threshold": 6.0,
        "load_in_4bit": true,
        "load_in_8bit": false,
        "quant_method": "bitsandbytes",
    })
}

/// The description, with Python's `json.dumps` spacing.
fn state(weight: &Nf4) -> String {
    let [out, input] = weight.shape;
    let nested = match &weight.absmax {
        Absmax::Plain(_) => String::new(),
        Absmax::Double { offset, .. } => format!(
            ", \"nested_blocksize\": {}, \"nested_dtype\": \"float32\", \"nested_offset\": {}",
            dynamic::BLOCK,
            python_float(f64::from(*offset))
        ),
    };
    format!(
        "{{\"quant_type\": \"nf4\", \"blocksize\": {BLOCK}, \"dtype\": \"{}\", \"shape\": [{out}, {input}]{nested}}}",
        weight.dtype.name()
    )
}

/// A number as Python's `repr` writes it: the shortest digits that give it back, with an exponent below 1e-4.
fn python_float(value: f64) -> String {
    let scientific = format!("{value:e}");
    match scientific.split_once('e').and_then(|(digits, exponent)| Some((digits, exponent.parse::<i32>().ok()?))) {
        Some((digits, exponent)) if !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => format!("{value:?}"),
    }
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

impl Nf4 {
    /// Reads a weight: `find(suffix)` gives the type, shape and bytes of the tensor whose name is the weight's with this
    /// behind it.
    ///
    /// # Errors
    /// A tensor is missing or has another size, or the weight was quantised in another way (fp4, other blocks, other
    /// maps).
    pub fn from_parts<'a>(name: &str, find: impl Fn(&str) -> Option<(Dtype, &'a [u8])>) -> Result<Self> {
        let reader = Reader { name, find };
        let state = reader.state()?;
        let (storage, packed) = reader.get("")?;
        let shape = reader.shape(&state)?;
        let n = shape[0].checked_mul(shape[1]).filter(|n| *n / 8 <= packed.len());
        let n = n.ok_or_else(|| reader.fail(format!("has shape {shape:?}, more than its {} bytes", packed.len())))?;
        let blocks = n.div_ceil(BLOCK);
        reader.expect_map(".quant_map", &CODEBOOK)?;
        let absmax = match state["nested_offset"].as_f64() {
            None => Absmax::Plain(reader.floats(".absmax", blocks)?),
            Some(offset) => reader.double(blocks, offset as f32)?,
        };
        // A storage type of several bytes pads the last element.
        if packed.len() < n.div_ceil(2) || packed.len() > n.div_ceil(2) + 3 {
            return Err(reader.fail(format!("has {} bytes, expected {}", packed.len(), n.div_ceil(2))));
        }
        Ok(Self { shape, packed: packed.to_vec(), absmax, dtype: reader.dtype(&state)?, storage })
    }
}

/// The tensors of one weight.
struct Reader<'n, F> {
    name: &'n str,
    find: F,
}

impl<'a, F: Fn(&str) -> Option<(Dtype, &'a [u8])>> Reader<'_, F> {
    fn fail(&self, what: String) -> Error {
        Error::data(format!("quantised weight `{}` {what}", self.name))
            .hint("readable: bitsandbytes' nf4 with blocks of 64, with or without double quantisation")
    }

    fn get(&self, suffix: &str) -> Result<(Dtype, &'a [u8])> {
        (self.find)(suffix).ok_or_else(|| self.fail(format!("has no tensor `{}{suffix}`", self.name)))
    }

    fn state(&self) -> Result<Value> {
        let (_, bytes) = self.get(STATE)?;
        let state: Value = serde_json::from_slice(bytes)
            .map_err(|source| self.fail("has no readable description".into()).because(source))?;
        let (kind, block) = (state["quant_type"].as_str(), state["blocksize"].as_u64());
        if kind != Some("nf4") || block != Some(BLOCK as u64) {
            return Err(self.fail(format!("is {} in blocks of {}", state["quant_type"], state["blocksize"])));
        }
        Ok(state)
    }

    fn shape(&self, state: &Value) -> Result<[usize; 2]> {
        let sizes: Option<Vec<usize>> = state["shape"]
            .as_array()
            .and_then(|sizes| sizes.iter().map(|size| Some(size.as_u64()? as usize)).collect());
        let shape = sizes.and_then(|sizes| sizes.try_into().ok());
        shape.ok_or_else(|| self.fail(format!("has shape {}, expected two sizes", state["shape"])))
    }

    fn dtype(&self, state: &Value) -> Result<SaveType> {
        let known = [SaveType::F32, SaveType::Bf16, SaveType::F16];
        let found = known.into_iter().find(|dtype| state["dtype"].as_str() == Some(dtype.name()));
        found.ok_or_else(|| self.fail(format!("was of type {}", state["dtype"])))
    }

    fn floats(&self, suffix: &str, n: usize) -> Result<Vec<f32>> {
        let (dtype, bytes) = self.get(suffix)?;
        let (values, rest) = bytes.as_chunks::<4>();
        if dtype != Dtype::F32 || values.len() != n || !rest.is_empty() {
            return Err(self.fail(format!("has {dtype:?} `{suffix}` of {} bytes, expected {n} of F32", bytes.len())));
        }
        Ok(values.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }

    fn expect_map(&self, suffix: &str, expected: &[f32]) -> Result<()> {
        if self.floats(suffix, expected.len())? == expected {
            Ok(())
        } else {
            Err(self.fail(format!("has another map in `{suffix}`")))
        }
    }

    fn double(&self, blocks: usize, offset: f32) -> Result<Absmax> {
        self.expect_map(".nested_quant_map", &*dynamic::SIGNED)?;
        let nested = self.floats(".nested_absmax", blocks.div_ceil(dynamic::BLOCK))?;
        let (dtype, codes) = self.get(".absmax")?;
        if dtype != Dtype::U8 || codes.len() != blocks {
            return Err(self.fail(format!("has {} quantised magnitudes of {dtype:?}, expected {blocks}", codes.len())));
        }
        Ok(Absmax::Double { codes: codes.to_vec(), nested, offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_python_does() {
        let cases = [(0.05, "0.05"), (5e-5, "5e-05"), (1.0, "1.0"), (-0.25, "-0.25"), (1.5e-7, "1.5e-07")];
        for (value, expected) in cases {
            assert_eq!(python_float(value), expected);
        }
    }
}
