//! NF4 against bitsandbytes (`tests/oracles/nf4.py`): the same bytes in both directions.
#![allow(clippy::unwrap_used, missing_docs)]

use diapason_core::digest;
use diapason_nn::SaveType;
use diapason_nn::kernels::Weight;
use diapason_nn::quant::Nf4;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Case {
    shape: [usize; 2],
    dtype: String,
    double: bool,
    storage: String,
    file: String,
    numbers: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/nf4")
}

fn cases() -> BTreeMap<String, Case> {
    serde_json::from_str(&std::fs::read_to_string(folder().join("expected.json")).unwrap()).unwrap()
}

/// The oracle's `values`.
fn values(name: &str, n: usize) -> Vec<f32> {
    let number = |i: usize| {
        let hash = (i * 7919 + i * i % 523) % 10007;
        (hash as f32 - 5003.0) / 4096.0 * ((i / 64) % 7 + 1) as f32 / 8.0
    };
    let mut numbers: Vec<f32> = (0..n).map(number).collect();
    if name.starts_with("zeros") {
        numbers[..128].fill(0.0);
        numbers[n - 16..].fill(0.0);
    }
    numbers
}

fn dtype(name: &str) -> SaveType {
    [SaveType::F32, SaveType::Bf16, SaveType::F16].into_iter().find(|dtype| dtype.name() == name).unwrap()
}

fn quantize(name: &str, case: &Case) -> Nf4 {
    let dtype = dtype(&case.dtype);
    let rounded = |value: f32| match dtype {
        SaveType::F32 => value,
        SaveType::Bf16 => half::bf16::from_f32(value).to_f32(),
        SaveType::F16 => half::f16::from_f32(value).to_f32(),
    };
    let values: Vec<f32> = values(name, case.shape[0] * case.shape[1]).into_iter().map(rounded).collect();
    let weight = Nf4::quantize(&values, case.shape, dtype, case.double);
    match case.storage.as_str() {
        "uint8" => weight,
        "bfloat16" => weight.stored_as(Dtype::BF16).unwrap(),
        "float32" => weight.stored_as(Dtype::F32).unwrap(),
        other => unreachable!("{other}"),
    }
}

fn file(weight: &Nf4) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors");
    let weight = Weight::from(weight.clone());
    diapason_models::formats::save(&path, &[("w.weight".into(), weight)], SaveType::F32).unwrap();
    std::fs::read(path).unwrap()
}

fn numbers(weight: &Nf4) -> String {
    let mut numbers = vec![0.0_f32; weight.shape().iter().product()];
    weight.dequantize(0, &mut numbers);
    digest::of_bytes(&numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>())
}

#[test]
fn files_are_the_same_bytes() {
    for (name, case) in cases() {
        let weight = quantize(&name, &case);
        assert_eq!(numbers(&weight), case.numbers, "{name}: numbers");
        let bytes = file(&weight);
        // For `nf4.py --check`, which reads these with bitsandbytes.
        if let Some(out) = std::env::var_os("DIAPASON_NF4_OUT") {
            std::fs::write(Path::new(&out).join(format!("{name}.safetensors")), &bytes).unwrap();
        }
        assert_eq!(digest::of_bytes(&bytes), case.file, "{name}: file");
    }
}

#[test]
fn files_of_bitsandbytes_are_read_and_written_again() {
    let mut read = 0;
    for (name, case) in cases() {
        let Ok(bytes) = std::fs::read(folder().join(format!("{name}.safetensors"))) else { continue };
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let find = |suffix: &str| {
            let view = tensors.tensor(&format!("w.weight{suffix}")).ok()?;
            Some((view.dtype(), view.data()))
        };
        let weight = Nf4::from_parts("w.weight", find).unwrap();
        assert_eq!((weight.shape(), weight.dtype(), weight.is_double()), (case.shape, dtype(&case.dtype), case.double));
        assert_eq!(numbers(&weight), case.numbers, "{name}: numbers");
        assert_eq!(file(&weight), bytes, "{name}: file");
        read += 1;
    }
    assert!(read >= 9, "{read} files");
}

#[test]
fn what_is_not_nf4_is_refused() {
    let bytes = std::fs::read(folder().join("double.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let read = |left_out: &str, changed: &str, to: &str| {
        let state =
            String::from_utf8(tensors.tensor("w.weight.quant_state.bitsandbytes__nf4").unwrap().data().to_vec());
        let state = state.unwrap().replace(changed, to).into_bytes();
        let find = |suffix: &str| {
            let view = tensors.tensor(&format!("w.weight{suffix}")).ok().filter(|_| suffix != left_out)?;
            let data = if suffix.starts_with(".quant_state") { state.as_slice() } else { view.data() };
            Some((view.dtype(), data))
        };
        Nf4::from_parts("w.weight", find).map(drop).unwrap_err().to_string()
    };
    let cases = [
        ("-", "\"nf4\"", "\"fp4\"", "is \"fp4\" in blocks of 64"),
        ("-", ": 64,", ": 128,", "in blocks of 128"),
        (".quant_map", "", "", "has no tensor `w.weight.quant_map`"),
        (".nested_absmax", "", "", "has no tensor `w.weight.nested_absmax`"),
        ("-", "[6, 96]", "[6, 960]", "has shape [6, 960], more than its 288 bytes"),
        ("-", "[6, 96]", "[6, 90]", "has 288 bytes, expected 270"),
        ("-", "bfloat16", "int8", "was of type \"int8\""),
    ];
    for (left_out, from, to, expected) in cases {
        let error = read(left_out, from, to);
        assert!(error.contains(expected), "expected `{expected}` in `{error}`");
    }
}
