//! Thousands of damaged datasets, configurations and manifests: each is read or refused with an error, without a panic and
//! without memory that is not there.
#![allow(clippy::unwrap_used, missing_docs)]

use diapason_core::config::Columns;
use diapason_core::{Class, Error};
use diapason_disk::files;
use diapason_disk::files::{read_text, write};
use diapason_project::config;
use diapason_project::dataset::{self, Selection};
use diapason_project::manifest::Manifest;
use diapason_project::tasks::Task;
use rand::{Rng as _, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};

/// `bytes` cut at every place, and `others` versions with bits, bytes and numbers changed or pieces moved.
fn damaged(bytes: &[u8], others: usize, seed: u64) -> impl Iterator<Item = Vec<u8>> + '_ {
    const NUMBERS: [u64; 8] = [0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 40, 1 << 62, i64::MAX as u64, u64::MAX];
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let cut = (0..bytes.len()).map(|to| bytes[..to].to_vec());
    cut.chain((0..others).map(move |_| {
        let mut spoilt = bytes.to_vec();
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..5) {
            0 => spoilt[at] ^= 1 << rng.random_range(0..8),
            1 => spoilt[at] = rng.next_u32() as u8,
            2 => {
                let number = NUMBERS[rng.random_range(0..NUMBERS.len())].to_le_bytes();
                let width = [4, 8][rng.random_range(0..2)].min(spoilt.len() - at);
                spoilt[at..at + width].copy_from_slice(&number[..width]);
            }
            // A variable-length number of many bytes, as Parquet's footer has them.
            3 => drop(spoilt.splice(at..at + 1, [0xff, 0xff, 0xff, 0xff, 0x7f])),
            _ => {
                let piece = spoilt[at..(at + 30).min(bytes.len())].to_vec();
                let to = rng.random_range(0..bytes.len());
                spoilt.splice(to..to, piece);
            }
        }
        spoilt
    }))
}

#[track_caller]
fn sound(error: &Error, class: Class) {
    assert_eq!(error.class(), class, "{error}");
    assert!(error.hint_text().is_some_and(|hint| !hint.is_empty()), "no hint: {error}");
}

fn small() {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").trim().parse().unwrap();
    assert!(kib < 900 << 10, "a reader took {} MiB", kib >> 10);
}

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)).unwrap()
}

#[test]
fn parquet_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.parquet");
    let (mut read, mut refused) = (0, 0);
    for name in ["messages", "alpaca", "prompt", "sharegpt", "lz4"] {
        let bytes = golden(&format!("{name}.parquet"));
        for version in damaged(&bytes, 1200, 1) {
            std::fs::write(&path, version).unwrap();
            match dataset::load(&path, &Columns::default(), &Selection::default()) {
                Ok(_) => read += 1,
                Err(error) => {
                    sound(&error, Class::Data);
                    refused += 1;
                }
            }
        }
    }
    small();
    assert!(read > 0 && refused > 5000, "{read} read, {refused} refused");
}

/// The depth of a schema is the depth of the library's recursion: a chain of a million groups in five megabytes.
#[test]
fn a_parquet_schema_that_is_too_deep_is_refused_before_it_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.parquet");
    let elements = 1_000_000_u32;
    // Version 1; a list of structs with its length as a varint; each struct: field 4 (name) "a", field 5 one child.
    let mut footer = vec![0x15, 0x02, 0x19, 0xfc];
    let mut rest = elements;
    while rest >= 0x80 {
        footer.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    footer.push(rest as u8);
    footer.extend((0..elements).flat_map(|_| [0x48, 0x01, b'a', 0x15, 0x02, 0x00]));
    footer.extend([0x16, 0x02, 0x00]);
    let bytes = [b"PAR1", footer.as_slice(), &(footer.len() as u32).to_le_bytes(), b"PAR1"].concat();
    std::fs::write(&path, bytes).unwrap();
    let error = dataset::load(&path, &Columns::default(), &Selection::default()).unwrap_err();
    sound(&error, Class::Data);
    assert!(error.to_string().contains("it has 1000000 columns, at most 2000 are read"), "{error}");
    small();
}

#[test]
fn json_lines() {
    let rows = r#"{"id": "a", "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}], "tags": {"k": 1}}
{"instruction": "Sum.", "input": "1 2", "output": "3", "system": "Be brief."}
{"prompt": "a", "completion": {"b": [1, 2]}, "choices": ["a"], "context": "c", "tools": [{}]}
{"conversations": [{"from": "human", "value": "?"}, {"from": "gpt", "value": "!"}]}
"#;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.jsonl");
    let deep = |depth: usize| format!("{{\"prompt\": {}1{}}}\n", "[".repeat(depth), "]".repeat(depth)).into_bytes();
    let numbers = ["1e999", "-0", "18446744073709551616", "1e-999", "NaN", "9".repeat(100_000).as_str()]
        .map(|number| format!("{{\"prompt\": \"a\", \"id\": {number}}}\n").into_bytes());
    let odd = [deep(100), deep(1_000), deep(1_000_000)].into_iter().chain(numbers);
    for version in damaged(rows.as_bytes(), 5000, 2).chain(odd) {
        std::fs::write(&path, version).unwrap();
        let _ = dataset::load(&path, &Columns::default(), &Selection::default())
            .map_err(|error| sound(&error, Class::Data));
    }
    small();
}

#[test]
fn configurations() {
    let text = include_str!("../../../templates/project/demo/diapason.toml");
    for version in damaged(text.as_bytes(), 4000, 3) {
        let text = String::from_utf8_lossy(&version);
        let _ = config::parse(&text, "diapason.toml", Path::new("")).map_err(|error| sound(&error, Class::Config));
    }
    small();
}

#[test]
fn tasks() {
    let row = serde_json::json!({"country": "Spain", "cities": ["Riga", "Madrid"], "label": 1});
    let rows = vec![row.as_object().cloned().unwrap(); 4];
    for name in ["capitals", "letters", "reading"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/tasks/{name}.yaml"));
        for version in damaged(&std::fs::read(path).unwrap(), 1000, 5) {
            let text = String::from_utf8_lossy(&version);
            let task = match Task::parse(&text) {
                Ok(task) => task,
                Err(error) => {
                    sound(&error, Class::Config);
                    continue;
                }
            };
            let splits = task.files().1.iter().map(|(name, _)| (name.clone(), rows.clone())).collect();
            let _ = task.rows(splits).map_err(|error| sound(&error, Class::Data));
        }
    }
    small();
}

#[test]
fn manifests() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    std::fs::write(folder.path().join("a.jsonl"), "{}\n").unwrap();
    let mut manifest = Manifest::new("0.1.0");
    manifest.finish("eval", "inputs", folder.path(), &["a.jsonl".into()]).unwrap();
    manifest.save(folder.path()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for version in damaged(&bytes, 2000, 4) {
        std::fs::write(&path, version).unwrap();
        match Manifest::open(folder.path(), "0.1.0") {
            Ok(manifest) => drop(manifest.stands("eval", "inputs", folder.path())),
            Err(error) => sound(&error, Class::Data),
        }
    }
    small();
}

/// A named pipe without a writer: opening it would wait for ever.
#[cfg(unix)]
fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn only_files_are_read_and_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    pipe(&at("pipe"));
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    std::fs::write(at("file"), "text").unwrap();
    for name in ["pipe", "socket", "folder", "file"] {
        std::os::unix::fs::symlink(at(name), at(&format!("link-{name}"))).unwrap();
    }
    let odd = ["pipe", "socket", "folder", "link-pipe", "link-socket", "link-folder"].map(at);
    for path in odd.into_iter().chain(["/dev/null", "/dev/full", "/dev/zero"].map(PathBuf::from)) {
        let before = std::fs::symlink_metadata(&path).unwrap().file_type();
        for error in [read_text(&path).unwrap_err(), files::digest(&path).unwrap_err()] {
            assert!(error.class() == Class::Data && error.to_string().contains("not a file"), "{error}");
        }
        let error = write(&path, b"x").unwrap_err();
        assert!(error.class() == Class::Run && error.to_string().contains("not a file"), "{error}");
        assert_eq!(std::fs::symlink_metadata(&path).unwrap().file_type(), before, "{} was replaced", path.display());
    }
    write(&at("link-file"), b"through the link").unwrap();
    assert_eq!(read_text(&at("file")).unwrap(), "through the link");
    assert!(std::fs::symlink_metadata(at("link-file")).unwrap().is_symlink());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 8, "no temporary file is left");
}
