//! Which tokens a layer looks back to.

use super::fields::{DAMAGED, Fields};
use super::{Architecture, defaults::Defaults};
use diapason_core::{Error, Result};
use serde_json::Value;

const SLIDING: &str = "sliding_attention";

impl Fields<'_> {
    /// The window of the layers that have one, as transformers reads it: Mistral's are all limited, to 4,096 tokens where
    /// the key is absent, Ministral's by `layer_types`; Qwen says whether and from which layer on. In Llama's class only the
    /// cache knows of a window, so that sequences beyond it have no one meaning, and none is read.
    pub(super) fn window(&self, architecture: Architecture, layers: usize) -> Result<Option<usize>> {
        let types = self.layer_types(layers)?;
        let limited = types.as_ref().is_some_and(|types| types.contains(&SLIDING));
        let defaults = Defaults::of(architecture);
        let given = match self.0.get("sliding_window") {
            // Ministral's class fails without, even where no layer has one.
            Some(Value::Null) if self.is_ministral() => Some(self.count("sliding_window")?),
            Some(Value::Null) => None,
            Some(_) => Some(self.count("sliding_window")?),
            None => defaults.sliding_window,
        };
        if self.is_ministral() {
            return Ok(given.filter(|_| types.is_none() || limited));
        }
        let qwen = matches!(architecture, Architecture::Qwen2 | Architecture::Qwen3);
        let used = if qwen && !self.flag("use_sliding_window")? { None } else { given };
        if limited && used.is_none() {
            return Err(Error::data(format!("`layer_types` in config.json names {SLIDING}, but there is no window"))
                .hint("set `sliding_window` (and for Qwen `use_sliding_window`), or name full_attention"));
        }
        let first = self.count_from_0("max_window_layers", defaults.max_window_layers)?;
        let any = if types.is_some() { limited } else { first < layers };
        Ok(if qwen && !any { None } else { used })
    }

    /// The kinds of attention of each layer, where they are given.
    fn layer_types(&self, layers: usize) -> Result<Option<Vec<&str>>> {
        let Some(value) = self.0.get("layer_types") else { return Ok(None) };
        if value.is_null() {
            return Ok(None);
        }
        let wrong = |what: String| Err(Error::data(format!("`layer_types` in config.json {what}")).hint(DAMAGED));
        let Some(list) = value.as_array() else { return wrong(format!("is {value}, expected a list")) };
        if list.len() != layers {
            return wrong(format!("has {} entries for {layers} layers", list.len()));
        }
        let kind = |value: &'_ Value| match value.as_str() {
            // Transformers' own name of earlier days.
            Some("full_attention" | "attention") => Some("full_attention"),
            Some(SLIDING) => Some(SLIDING),
            _ => None,
        };
        match list.iter().map(|value| kind(value).ok_or(value)).collect::<std::result::Result<_, _>>() {
            Ok(types) => Ok(Some(types)),
            Err(other) => Err(Error::data(format!("attention of the kind {other} is not supported"))
                .hint(format!("supported `layer_types`: full_attention, {SLIDING}"))),
        }
    }
}
