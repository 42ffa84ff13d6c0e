//! Damaged versions of files, and what must hold of whoever reads them.

use candle_core::Device;
use diapason_core::language_model::{Decoding, LanguageModel as _};
use diapason_core::{Class, Error};
use diapason_engine::Local;
use diapason_models::Model;
use rand::{Rng as _, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tests/golden").join(name)
}

pub(crate) fn copy(from: &Path) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

/// Damaged versions of `bytes`: cut at every place up to `cuts` of them, bits and bytes changed, pieces moved, and numbers
/// of four and eight bytes replaced by those that overflow something. `head` is where the damage is done.
pub(crate) fn damaged(
    bytes: &[u8],
    head: usize,
    cuts: usize,
    others: usize,
    seed: u64,
) -> impl Iterator<Item = Vec<u8>> + '_ {
    const NUMBERS: [u64; 10] =
        [0, 1, 0x7f, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 40, 1 << 62, i64::MAX as u64, u64::MAX];
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let step = (bytes.len() / cuts.max(1)).max(1);
    let cut = (0..bytes.len()).step_by(step).take(cuts).map(|to| bytes[..to].to_vec());
    cut.chain((0..others).map(move |_| {
        let mut spoilt = bytes.to_vec();
        let at = rng.random_range(0..head.min(bytes.len()));
        match rng.random_range(0..5) {
            0 => spoilt[at] ^= 1 << rng.random_range(0..8),
            1 => spoilt[at] = rng.next_u32() as u8,
            2 => {
                let number = NUMBERS[rng.random_range(0..NUMBERS.len())].to_le_bytes();
                let width = [4, 8][rng.random_range(0..2)].min(spoilt.len() - at);
                spoilt[at..at + width].copy_from_slice(&number[..width]);
            }
            3 => drop(spoilt.drain(at..(at + rng.random_range(1..40)).min(bytes.len()))),
            _ => {
                let piece = spoilt[at..(at + 30).min(bytes.len())].to_vec();
                let to = rng.random_range(0..head.min(bytes.len()));
                spoilt.splice(to..to, piece);
            }
        }
        spoilt
    }))
}

pub(crate) fn hostile() -> Vec<Value> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1),
        json!(3),
        json!(1_000_000_000_u64),
        json!(1e18),
        json!(u64::MAX),
        json!(1e308),
        json!(-1e308),
        json!(0.5),
        json!(""),
        json!("x"),
        json!("((((((((((a*)*)*)*)*)*)*)*)*)*b"),
        json!("\\"),
        json!("(".repeat(5000)),
        json!([]),
        json!({}),
        json!([[]]),
        json!({"type": "Sequence"}),
        json!([1, "a", null]),
        deep,
    ]
}

/// Versions of a JSON document in which one place after another holds something else, or is gone.
pub(crate) fn replaced(document: &Value, values: &[Value]) -> Vec<String> {
    fn places(value: &Value, at: String, found: &mut Vec<String>) {
        found.push(at.clone());
        match value {
            // Vocabularies and merges are long and alike.
            Value::Array(list) => {
                list.iter().take(3).enumerate().for_each(|(i, inner)| places(inner, format!("{at}/{i}"), found))
            }
            Value::Object(map) => map.iter().take(40).for_each(|(key, inner)| {
                places(inner, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }),
            _ => {}
        }
    }
    let mut found = Vec::new();
    places(document, String::new(), &mut found);
    let mut versions = Vec::new();
    for place in &found {
        for value in values {
            let mut version = document.clone();
            *version.pointer_mut(place).unwrap() = value.clone();
            versions.push(version.to_string());
        }
        let mut version = document.clone();
        if let Some((parent, key)) = place.rsplit_once('/')
            && let Some(Value::Object(map)) = version.pointer_mut(parent)
        {
            map.shift_remove(&key.replace("~1", "/").replace("~0", "~"));
            versions.push(version.to_string());
        }
    }
    versions
}

/// An error that a person can act on, of the right class.
#[track_caller]
pub(crate) fn sound(error: &Error, what: &str) {
    assert!(matches!(error.class(), Class::Data | Class::Run), "{what}: {error}");
    let text = error.to_string();
    assert!(!text.is_empty(), "{what}: no message");
    assert!(error.hint_text().is_some_and(|hint| !hint.is_empty()), "{what}: no hint: {error}");
}

/// No more memory was ever taken than some hundred megabytes.
pub(crate) fn small() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").trim().parse().unwrap();
    assert!(kib < 900 << 10, "a reader took {} MiB", kib >> 10);
}

/// Uses what was opened: damage may show only then.
pub(crate) fn used(model: &Model) {
    let decoding = Decoding { max_tokens: 2, ..Decoding::default() };
    let _ = Local::new(model)
        .generate(&["Hello, wörld 42!\n".to_owned()], &decoding, &mut |_| {})
        .map_err(|error| sound(&error, "use"));
    let _ = Local::new(model)
        .loglikelihood(&[("a b".into(), " c".into())], &mut |_| {})
        .map_err(|error| sound(&error, "use"));
}

/// Opens `folder` with each version of its file `name`; gives how many of them were opened.
pub(crate) fn opened(folder: &Path, name: &str, versions: impl IntoIterator<Item = Vec<u8>>) -> (usize, usize) {
    let (mut good, mut all) = (0, 0);
    for version in versions {
        std::fs::write(folder.join(name), &version).unwrap();
        all += 1;
        match Model::open(folder, &Device::Cpu) {
            Ok(model) => {
                used(&model);
                good += 1;
            }
            Err(error) => sound(&error, name),
        }
    }
    small();
    (good, all)
}

pub(crate) fn texts(versions: Vec<String>) -> impl Iterator<Item = Vec<u8>> {
    versions.into_iter().map(String::into_bytes)
}

/// Where a safetensors file's tensors begin.
pub(crate) fn header_end(bytes: &[u8]) -> usize {
    8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
}
