//! `diapason merge`, `export` and `quantize`: a model in another form.

use crate::args::{Dtype, Export, Kind, Merge, Quantize};
use crate::exit::Exit;
use crate::lock::Lock;
use crate::ui::Ui;
use crate::wire::{self, origin};
use diapason_core::escape::line;
use diapason_core::event::{Event, Sink as _};
use diapason_core::{Error, Result};
use diapason_models::Model;
use diapason_models::adapters::merge::{self, Merged};
use diapason_models::export::{self, Differences, Exported, GgufType};
use diapason_models::formats::Format;
use diapason_nn::SaveType;
use serde_json::json;
use std::path::Path;

/// `diapason merge`.
pub(super) fn merge(arguments: &Merge, ui: &Ui) -> Result<Exit> {
    let limit = arguments.max_shard_size;
    if !(limit > 0.0 && limit.is_finite()) {
        return Err(Error::config(format!("--max-shard-size is {limit}, expected more than 0"))
            .hint("it is in GB: `--max-shard-size 5`"));
    }
    apart(&arguments.out, &[&arguments.model, &arguments.adapter])?;
    let mut model = open(&arguments.model, Format::F32, ui)?;
    attach(&mut model, &arguments.adapter, ui)?;
    let _lock = Lock::beside(&arguments.out)?;
    let merged = merge::merge(&mut model, &arguments.out, save_type(arguments.dtype), (limit * 1e9) as u64)?;
    let Merged { files, positions, same_token, largest, mean, adapter } = merged;
    let out = arguments.out.display().to_string();
    let weights = if files == 1 { "1 file".into() } else { format!("{files} files") };
    let text = format!(
        "merged: {}, weights in {weights}\n\
         logits change by at most {largest:.4}, {mean:.5} in the mean (the adapter itself: at most {adapter:.4})\n\
         the likeliest token is the same at {same_token} of {positions} positions of a probe text\n",
        line(&out)
    );
    ui.result(|_| text, &json!({"written": out, "merged": merged}));
    Ok(Exit::Passed)
}

/// `diapason export`.
pub(super) fn export(arguments: &Export, ui: &Ui) -> Result<Exit> {
    apart(&arguments.out, &[&arguments.model])?;
    let mut model = open(&arguments.model, Format::F32, ui)?;
    if let Some(adapter) = &arguments.adapter {
        attach(&mut model, adapter, ui)?;
    }
    let _lock = Lock::beside(&arguments.out)?;
    let Exported { wide, differences } = export::export(&model, &arguments.out, gguf_type(arguments.kind))?;
    let out = arguments.out.display().to_string();
    let mut note = match wide.as_slice() {
        [] => String::new(),
        [first, ..] => {
            format!("{} tensors stay in 16 bits, their rows are no multiple of 32 (first: {first})\n", wide.len())
        }
    };
    notes(&differences).iter().for_each(|one| note.push_str(&format!("{one}\n")));
    let left_out = model.changed_decoding();
    if !left_out.is_empty() {
        let fields: Vec<String> = left_out.iter().map(|field| format!("`{}`", line(field))).collect();
        note.push_str(&format!(
            "a GGUF file has no place for {}, by which the model's own files change its answers: llama.cpp answers without\n",
            fields.join(", ")
        ));
    }
    let Differences { composes, ends, hidden, shown, without_token, around } = differences;
    let json = json!({
        "written": out, "in_16_bits": wide, "composes_characters": composes, "llama_cpp_ends_at": ends,
        "llama_cpp_hides": hidden, "llama_cpp_shows": shown, "bytes_without_token": without_token, "put_around_texts": around,
        "left_out": left_out,
    });
    ui.result(|_| format!("exported: {}\n{note}", line(&out)), &json);
    Ok(Exit::Passed)
}

/// What llama.cpp does otherwise, a line for each.
fn notes(differences: &Differences) -> Vec<String> {
    let Differences { composes, ends, hidden, shown, without_token, around } = differences;
    let list = |tokens: &[String]| line(&tokens.join(", ")).to_string();
    let mut notes = Vec::new();
    if *composes {
        notes.push(
            "llama.cpp does not compose characters (NFC): texts with decomposed ones get other tokens there".into(),
        );
    }
    if !ends.is_empty() {
        notes.push(format!("llama.cpp also ends an answer at {}, by the names of these tokens", list(ends)));
    }
    if !hidden.is_empty() {
        notes.push(format!(
            "llama.cpp takes {} for control tokens, by their names, and leaves them out of answers",
            list(hidden)
        ));
    }
    if !shown.is_empty() {
        notes.push(format!("llama.cpp writes {} into answers, by the names of these tokens", list(shown)));
    }
    if *without_token > 0 {
        notes.push(format!(
            "the tokenizer has no token for {without_token} of the bytes of UTF-8 and leaves them out; llama.cpp does too, but \
             does not merge what is around them"
        ));
    }
    if !around.is_empty() {
        notes.push(format!(
            "transformers puts {} around a text without a chat template; llama.cpp is told not to, as templates write their own",
            list(around)
        ));
    }
    notes
}

/// `diapason quantize`.
pub(super) fn quantize(arguments: &Quantize, ui: &Ui) -> Result<Exit> {
    apart(&arguments.out, &[&arguments.model])?;
    let format = Format::Nf4 { double: !arguments.no_double_quantization };
    let model = open(&arguments.model, format, ui)?;
    let _lock = Lock::beside(&arguments.out)?;
    model.save(&arguments.out, save_type(arguments.dtype))?;
    let weights =
        || model.llama().linears().map(|(_, layer)| layer.weight()).filter(|weight| weight.trainable().is_none());
    let (bytes, numbers) =
        weights().fold((0, 0), |(bytes, numbers), weight| (bytes + weight.bytes(), numbers + weight.elem_count()));
    let bits = bytes as f64 * 8.0 / (numbers as f64).max(1.0);
    let out = arguments.out.display().to_string();
    let text = format!("quantized: {}, {numbers} parameters in {bits:.3} bits each\n", line(&out));
    ui.result(|_| text, &json!({"written": out, "quantized": numbers, "bits": bits}));
    Ok(Exit::Passed)
}

fn open(path: &Path, format: Format, ui: &Ui) -> Result<Model> {
    let model = wire::open(path, format, "cpu")?;
    if let Some(message) = wire::untied(&model) {
        ui.emit(&Event::Warning { message });
    }
    Ok(model)
}

/// Attaches an adapter, with the chat template that it brings.
fn attach(model: &mut Model, adapter: &Path, ui: &Ui) -> Result<()> {
    model.attach_adapter(adapter)?;
    if let Some(message) = origin::adopt(model, adapter)? {
        ui.emit(&Event::Warning { message });
    }
    Ok(())
}

/// Refuses to write over what is read.
fn apart(out: &Path, inputs: &[&Path]) -> Result<()> {
    let real = |path: &Path| path.canonicalize().ok();
    match inputs.iter().find(|input| real(out).is_some() && real(out) == real(input)) {
        Some(input) => Err(Error::config(format!("{} would be written over", input.display()))
            .hint("name another folder or file with `--out`")),
        None => Ok(()),
    }
}

fn save_type(dtype: Dtype) -> SaveType {
    match dtype {
        Dtype::Bf16 => SaveType::Bf16,
        Dtype::F16 => SaveType::F16,
        Dtype::F32 => SaveType::F32,
    }
}

fn gguf_type(kind: Kind) -> GgufType {
    match kind {
        Kind::F16 => GgufType::F16,
        Kind::Q8_0 => GgufType::Q8_0,
        Kind::Q4_0 => GgufType::Q4_0,
    }
}
