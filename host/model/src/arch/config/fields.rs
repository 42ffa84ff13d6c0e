//! The fields of a `config.json`.

use super::{ARCHITECTURES, Architecture, Scaling};
use diapason_core::{Error, Result};
use serde_json::{Map, Value};

const DAMAGED: &str = "the model's configuration is damaged or was edited; fetch it again";

/// The fields of a `config.json`, with errors that name them.
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl Fields<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A number; `None` where the field is missing.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>> {
        self.get(name).map(|value| number(name, value)).transpose()
    }

    /// A flag; false where the field is missing.
    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        self.get(name).map_or(Ok(false), |value| {
            value.as_bool().ok_or_else(|| {
                Error::data(format!("`{name}` in config.json is {value}, expected true or false")).hint(DAMAGED)
            })
        })
    }

    pub(super) fn count(&self, name: &str) -> Result<usize> {
        let value = self.get(name).ok_or_else(|| Error::data(format!("config.json has no `{name}`")).hint(DAMAGED))?;
        match value.as_u64() {
            Some(count) if count > 0 => Ok(count as usize),
            _ => {
                Err(Error::data(format!("`{name}` in config.json is {value}, expected a positive integer"))
                    .hint(DAMAGED))
            }
        }
    }

    pub(super) fn count_or(&self, name: &str, default: usize) -> Result<usize> {
        if self.get(name).is_some() { self.count(name) } else { Ok(default) }
    }

    /// `model_type`, or the class where only `architectures` is given.
    pub(super) fn model_type(&self) -> Result<String> {
        let class = || self.get("architectures")?.get(0)?.as_str();
        let by_class = |class: &str| ARCHITECTURES.iter().find(|(.., known)| *known == class).map(|entry| entry.1);
        match (self.get("model_type").and_then(Value::as_str), class()) {
            (Some(name), _) => Ok(name.to_owned()),
            (None, Some(class)) => Ok(by_class(class).unwrap_or(class).to_owned()),
            (None, None) => Err(Error::data("config.json has neither `model_type` nor `architectures`")),
        }
    }

    pub(super) fn refuse_unsupported(&self) -> Result<()> {
        let activation = self.get("hidden_act").and_then(Value::as_str).unwrap_or("silu");
        if activation != "silu" {
            return Err(Error::data(format!("activation `{activation}` is not supported"))
                .hint("models of the Llama family use silu"));
        }
        if let Some(quantization) = self.get("quantization_config") {
            let text = |key: &str| quantization.get(key).and_then(Value::as_str);
            let method = text("quant_method").unwrap_or("an unknown method");
            if method != "bitsandbytes" || text("bnb_4bit_quant_type") != Some("nf4") {
                let kind = text("bnb_4bit_quant_type").map(|kind| format!(" ({kind})")).unwrap_or_default();
                return Err(Error::data(format!(
                    "the weights are quantised by {method}{kind}, which is not supported"
                ))
                .hint("readable: bitsandbytes' nf4, GGUF files, and folders that are not quantised"));
            }
        }
        match self.rope_parameter("partial_rotary_factor").and_then(Value::as_f64) {
            Some(part) if part != 1.0 => {
                Err(Error::data(format!("partial_rotary_factor {part} is not supported, only 1")))
            }
            _ => Ok(()),
        }
    }

    /// A field of `rope_parameters` (transformers 5) or of the top level (transformers 4).
    pub(super) fn rope_parameter(&self, name: &str) -> Option<&Value> {
        self.get("rope_parameters").and_then(|parameters| parameters.get(name)).or_else(|| self.get(name))
    }

    pub(super) fn rope_theta(&self) -> Result<f64> {
        let found = self.rope_parameter("rope_theta").filter(|value| !value.is_null());
        found.map_or(Ok(10_000.0), |value| number("rope_theta", value))
    }

    pub(super) fn scaling(&self) -> Result<Scaling> {
        let Some(rope) = self.get("rope_parameters").or_else(|| self.get("rope_scaling")) else {
            return Ok(Scaling::None);
        };
        let kind = rope.get("rope_type").or_else(|| rope.get("type")).and_then(Value::as_str).unwrap_or("default");
        let number = |name: &str| {
            rope.get(name)
                .and_then(Value::as_f64)
                .ok_or_else(|| Error::data(format!("rope scaling `{kind}` in config.json has no number `{name}`")))
        };
        match kind {
            "default" => Ok(Scaling::None),
            "linear" => Ok(Scaling::Linear { factor: number("factor")? }),
            "llama3" => Ok(Scaling::Llama3 {
                factor: number("factor")?,
                low_freq_factor: number("low_freq_factor")?,
                high_freq_factor: number("high_freq_factor")?,
                original_context: number("original_max_position_embeddings")?,
            }),
            _ => Err(Error::data(format!("rope scaling `{kind}` is not supported"))
                .hint("supported: default, linear, llama3")),
        }
    }

    /// Qwen keeps a window in its configuration and says beside it whether it is used.
    pub(super) fn sliding_window(&self, architecture: Architecture) -> Result<Option<usize>> {
        let used = match architecture {
            Architecture::Llama => false,
            Architecture::Mistral => true,
            Architecture::Qwen2 | Architecture::Qwen3 => self.flag("use_sliding_window")?,
        };
        if used && self.get("sliding_window").is_some() { self.count("sliding_window").map(Some) } else { Ok(None) }
    }
}

fn number(name: &str, value: &Value) -> Result<f64> {
    value
        .as_f64()
        .ok_or_else(|| Error::data(format!("`{name}` in config.json is {value}, expected a number")).hint(DAMAGED))
}
