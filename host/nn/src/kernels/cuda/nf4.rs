//! Launches `nf4.cu`.

use super::array::Array;
use super::launch::{Module, arguments, each, module};
use crate::SaveType;
use crate::kernels::weight;
use crate::quant::nf4::{self, CODEBOOK};
use crate::quant::{self, dynamic};
use candle_core::{CudaDevice, Result, bail};

const MODULE: Module = module!("nf4");

/// A weight in 4 bits in a GPU's memory.
#[derive(Debug)]
pub(crate) struct Nf4 {
    packed: Array<'static>,
    absmax: Absmax,
    codebook: Array<'static>,
    /// What a number is rounded to, as `nf4.cu` counts.
    rounding: u32,
}

#[derive(Debug)]
enum Absmax {
    Plain(Array<'static>),
    Double(Box<Nested>),
}

/// Magnitudes that are quantised themselves: map[code]·nested + offset.
#[derive(Debug)]
struct Nested {
    codes: Array<'static>,
    map: Array<'static>,
    nested: Array<'static>,
    offset: f32,
}

impl Nf4 {
    /// `weight` in the memory of `device`, copied there the first time.
    pub(super) fn of<'a>(weight: &'a weight::Nf4, device: &CudaDevice) -> Result<&'a Self> {
        match weight.resident.get_or_upload(|| Self::upload(device, weight))? {
            Some(found) if found.packed.device().id() == device.id() => Ok(found),
            _ => bail!("a weight in 4 bits is in the memory of another GPU"),
        }
    }

    fn upload(device: &CudaDevice, weight: &quant::Nf4) -> Result<Self> {
        let absmax = match &weight.absmax {
            nf4::Absmax::Plain(values) => Absmax::Plain(Array::upload(device, values)?),
            nf4::Absmax::Double { codes, nested, offset } => Absmax::Double(Box::new(Nested {
                codes: Array::upload(device, codes)?,
                map: Array::upload(device, dynamic::SIGNED.as_slice())?,
                nested: Array::upload(device, nested)?,
                offset: *offset,
            })),
        };
        let rounding = match weight.dtype() {
            SaveType::F32 => 0,
            SaveType::Bf16 => 1,
            SaveType::F16 => 2,
        };
        let packed = Array::upload(device, &weight.packed)?;
        Ok(Self { packed, absmax, codebook: Array::upload(device, &CODEBOOK)?, rounding })
    }

    /// Fills the first `n` numbers of `out` with those from `start` on (row-major).
    pub(super) fn dequantize(&self, start: usize, n: usize, out: &Array) -> Result<()> {
        let (plain, codes, map, nested, offset) = match &self.absmax {
            Absmax::Plain(values) => (values.pointer(), 0, 0, 0, 0.0),
            Absmax::Double(double) => {
                let Nested { codes, map, nested, offset } = &**double;
                (0, codes.pointer(), map.pointer(), nested.pointer(), *offset)
            }
        };
        let Self { packed, codebook, rounding, .. } = self;
        let arguments = arguments![packed, plain, codes, map, nested, offset, codebook, out, start, n, *rounding];
        each(out.device(), &MODULE, "nf4", out.dtype(), n, arguments)
    }
}
