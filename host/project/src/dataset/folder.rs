//! What `datasets` and pyarrow leave in Arrow: not read, but refused with the command that turns it into a file that is.

use diapason_core::Error;
use diapason_disk::files;
use serde_json::Value;
use std::path::Path;

/// How a file of Arrow's begins: as pyarrow writes whole files (Feather too), and as `datasets` streams them.
const FILES: [&[u8]; 2] = [b"ARROW1", b"FEA1"];
const STREAM: &[u8] = &[0xff; 4];

/// Why a folder is no dataset, and the command that makes one of it.
pub(super) fn refusal(path: &Path) -> Error {
    let shown = path.display();
    if path.join("dataset_dict.json").is_file() {
        let splits = splits(path);
        let split = splits.iter().find(|split| *split == "train").or(splits.first());
        let names = if splits.is_empty() { String::new() } else { format!(" ({})", splits.join(", ")) };
        let message =
            format!("failed to read {shown}: it is a folder of several splits{names} that `save_to_disk` wrote");
        return Error::data(message).hint(convert(path, split.map_or("train", String::as_str)));
    }
    if path.join("dataset_info.json").is_file() || path.join("state.json").is_file() {
        return Error::data(format!("failed to read {shown}: it is a folder that `save_to_disk` wrote, in Arrow"))
            .hint(convert(path, ""));
    }
    Error::data(format!("failed to read {shown}: it is a folder, not a file")).hint(super::FORMATS)
}

/// Why an Arrow file is no dataset, where `bytes` begin like one; `ending` is the name's.
pub(super) fn arrow(bytes: &[u8], ending: &str, path: &Path) -> Option<Error> {
    let whole = FILES.iter().any(|magic| bytes.starts_with(magic));
    if !whole && !bytes.starts_with(STREAM) && ending != "arrow" {
        return None;
    }
    let (from, to) = (quoted(&path.display().to_string()), quoted(&format!("{}.parquet", stem(path))));
    let code = match whole {
        true => format!("import pyarrow.feather as f, pyarrow.parquet as p; p.write_table(f.read_table({from}), {to})"),
        false => format!("from datasets import Dataset; Dataset.from_file({from}).to_parquet({to})"),
    };
    Some(Error::data(format!("failed to read {}: it is an Arrow file", path.display())).hint(python(&code)))
}

/// The splits that the folder says it has.
fn splits(path: &Path) -> Vec<String> {
    let text = files::read_text(&path.join("dataset_dict.json")).unwrap_or_default();
    let described: Value = serde_json::from_str(&text).unwrap_or_default();
    let splits = described["splits"].as_array().into_iter().flatten();
    splits.filter_map(|split| split.as_str().map(String::from)).collect()
}

fn convert(path: &Path, split: &str) -> String {
    let folder = quoted(&path.display().to_string());
    let (split, file) = match split {
        "" => (String::new(), format!("{}.parquet", name(path))),
        split => (format!("[{}]", quoted(split)), format!("{}-{split}.parquet", name(path))),
    };
    let file = quoted(&file);
    python(&format!("from datasets import load_from_disk; load_from_disk({folder}){split}.to_parquet({file})"))
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| "rows".into(), |name| name.to_string_lossy().into_owned())
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "rows".into(), |stem| stem.to_string_lossy().into_owned())
}

/// A text of Python. JSON's escapes are Python's too.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A command line of a POSIX shell; a single quote ends its text, so it stands outside of it.
fn python(code: &str) -> String {
    format!("convert it: python -c '{}'", code.replace('\'', r"'\''"))
}
