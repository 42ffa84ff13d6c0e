//! A first look at a GGUF file's header: whether it is whole, and whether its tensors are of types that can be read
//! (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>).

use diapason_core::{Error, Result};
use std::path::Path;

/// The types of tensors that are read, by their numbers in `ggml_type`.
const READABLE: [(u32, &str); 13] = [
    (0, "F32"),
    (1, "F16"),
    (30, "BF16"),
    (2, "Q4_0"),
    (3, "Q4_1"),
    (6, "Q5_0"),
    (7, "Q5_1"),
    (8, "Q8_0"),
    (10, "Q2_K"),
    (11, "Q3_K"),
    (12, "Q4_K"),
    (13, "Q5_K"),
    (14, "Q6_K"),
];

/// The others that ggml has or had.
const OTHERS: [(u32, &str); 28] = [
    (4, "Q4_2"),
    (5, "Q4_3"),
    (9, "Q8_1"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (24, "I8"),
    (25, "I16"),
    (26, "I32"),
    (27, "I64"),
    (28, "F64"),
    (29, "IQ1_M"),
    (31, "Q4_0_4_4"),
    (32, "Q4_0_4_8"),
    (33, "Q4_0_8_8"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (36, "IQ4_NL_4_4"),
    (37, "IQ4_NL_4_8"),
    (39, "MXFP4"),
    (40, "NVFP4"),
    (41, "Q1_0"),
];

/// Arrays of metadata within arrays.
const DEEPEST: usize = 8;

/// What is wrong with a header.
enum Fault {
    NoGguf,
    Version(u32),
    End,
    Value(u32),
    Nested,
    Type { tensor: String, number: u32 },
}

/// Refuses a file whose header is damaged or names a type of tensors that is not readable.
///
/// # Errors
/// See above; the error names tensor and type.
pub(super) fn survey(path: &Path, bytes: &[u8]) -> Result<()> {
    Header { rest: bytes, wide: true }.survey().map_err(|fault| fault.error(path))
}

impl Fault {
    fn error(self, path: &Path) -> Error {
        let file = path.display();
        let error = match &self {
            Self::NoGguf => Error::data(format!("failed to read {file}: it does not begin with GGUF")),
            Self::Version(version) => Error::data(format!("{file} is of version {version:#x} of GGUF")),
            Self::End => Error::data(format!("failed to read {file}: it ends within its header")),
            Self::Value(kind) => Error::data(format!("{file} has metadata of the unknown type {kind}")),
            Self::Nested => Error::data(format!("{file} has metadata of more than {DEEPEST} lists in each other")),
            Self::Type { tensor, number } => {
                let name = OTHERS.iter().find(|(known, _)| known == number);
                let name = name.map_or_else(|| format!("number {number}"), |(_, name)| (*name).to_owned());
                Error::data(format!("tensor type {name} is not supported: tensor `{tensor}` in {file}"))
            }
        };
        let readable: Vec<&str> = READABLE.iter().map(|(_, name)| *name).collect();
        error.hint(match self {
            Self::NoGguf => {
                "the file is not in GGUF format; give a .gguf file, or a folder with safetensors weights".into()
            }
            Self::Version(_) => "readable: versions 1 to 3 in little-endian order".into(),
            Self::End => "the file is truncated; fetch it again and compare its size".to_owned(),
            Self::Value(_) | Self::Nested => "the file is damaged, or newer than this reader; fetch it again".into(),
            Self::Type { .. } => format!("supported: {}; fetch the model in one of these types", readable.join(", ")),
        })
    }
}

struct Header<'a> {
    rest: &'a [u8],
    /// Whether lengths are in 64 bits; in 32 in version 1.
    wide: bool,
}

impl Header<'_> {
    fn survey(&mut self) -> std::result::Result<(), Fault> {
        if self.rest.len() >= 4 && !self.rest.starts_with(b"GGUF") {
            return Err(Fault::NoGguf);
        }
        self.skip(4)?;
        let version = self.u32()?;
        if !(1..=3).contains(&version) {
            return Err(Fault::Version(version));
        }
        self.wide = version > 1;
        let (tensors, values) = (self.length()?, self.length()?);
        for _ in 0..values {
            self.text()?;
            let kind = self.u32()?;
            self.value(kind, 0)?;
        }
        (0..tensors).try_for_each(|_| self.tensor())
    }

    fn tensor(&mut self) -> std::result::Result<(), Fault> {
        let tensor = self.text()?;
        let dimensions = u64::from(self.u32()?);
        self.skip(dimensions.saturating_mul(if self.wide { 8 } else { 4 }))?;
        let number = self.u32()?;
        self.skip(8)?;
        if READABLE.iter().any(|(known, _)| *known == number) {
            return Ok(());
        }
        Err(Fault::Type { tensor, number })
    }

    fn value(&mut self, kind: u32, depth: usize) -> std::result::Result<(), Fault> {
        match (kind, size(kind)) {
            (_, Some(size)) => self.skip(size),
            (8, _) => self.text().map(drop),
            (9, _) => self.array(depth),
            _ => Err(Fault::Value(kind)),
        }
    }

    fn array(&mut self, depth: usize) -> std::result::Result<(), Fault> {
        if depth >= DEEPEST {
            return Err(Fault::Nested);
        }
        let (kind, count) = (self.u32()?, self.length()?);
        match size(kind) {
            Some(size) => self.skip(count.saturating_mul(size)),
            None => (0..count).try_for_each(|_| self.value(kind, depth + 1)),
        }
    }

    fn text(&mut self) -> std::result::Result<String, Fault> {
        let length = self.length()?;
        self.take(length).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    fn length(&mut self) -> std::result::Result<u64, Fault> {
        let bytes = self.take(if self.wide { 8 } else { 4 })?;
        Ok(bytes.iter().rev().fold(0, |length, byte| length << 8 | u64::from(*byte)))
    }

    fn u32(&mut self) -> std::result::Result<u32, Fault> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn skip(&mut self, count: u64) -> std::result::Result<(), Fault> {
        self.take(count).map(drop)
    }

    fn take(&mut self, count: u64) -> std::result::Result<&[u8], Fault> {
        let count = usize::try_from(count).map_err(|_| Fault::End)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Fault::End)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// The bytes of a value of metadata, where they do not depend on it.
fn size(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}
