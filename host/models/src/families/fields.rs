//! The fields of a `config.json`.

use super::{ARCHITECTURES, Architecture, defaults::Defaults, known};
use diapason_core::{Error, Result};
use serde_json::{Map, Value};

pub(super) const DAMAGED: &str = "the model's configuration is damaged or was edited; fetch it again";

const MINISTRAL: &str = "ministral";

/// The fields of a `config.json`, with errors that name them.
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl Fields<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A number; `None` where the field is absent.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>> {
        self.0.get(name).map(|value| number(name, value)).transpose()
    }

    /// A flag; false where the field is absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        self.0.get(name).map_or(Ok(false), |value| {
            value.as_bool().ok_or_else(|| {
                Error::data(format!("`{name}` in config.json is {value}, expected true or false")).hint(DAMAGED)
            })
        })
    }

    /// A flag that only some architectures look at; false for the others.
    pub(super) fn flag_of(&self, name: &str, architecture: Architecture) -> Result<bool> {
        if known::applies(name, architecture) { self.flag(name) } else { Ok(false) }
    }

    pub(super) fn count(&self, name: &str) -> Result<usize> {
        let value = self.0.get(name).unwrap_or(&Value::Null);
        match value.as_u64() {
            Some(count) if count > 0 => Ok(count as usize),
            _ => {
                Err(Error::data(format!("`{name}` in config.json is {value}, expected a positive integer"))
                    .hint(DAMAGED))
            }
        }
    }

    /// A count; `default` where the field is absent.
    pub(super) fn count_or(&self, name: &str, default: usize) -> Result<usize> {
        if self.0.contains_key(name) { self.count(name) } else { Ok(default) }
    }

    /// A count that may be 0; `default` where the field is absent.
    pub(super) fn count_from_0(&self, name: &str, default: usize) -> Result<usize> {
        let zero = self.0.get(name).and_then(Value::as_u64) == Some(0);
        if zero { Ok(0) } else { self.count_or(name, default) }
    }

    /// Key and value heads. Null means as many as query heads, but not to Mistral's class.
    pub(super) fn kv_heads(&self, architecture: Architecture, heads: usize) -> Result<usize> {
        let null = self.0.get("num_key_value_heads").is_some_and(Value::is_null);
        if null && (architecture != Architecture::Mistral || self.is_ministral()) {
            return Ok(heads);
        }
        self.count_or("num_key_value_heads", Defaults::of(architecture).kv_heads.unwrap_or(heads))
    }

    /// The width of a head. Null means `hidden_size` over heads, but not to Qwen's classes.
    pub(super) fn head_dim(&self, architecture: Architecture, hidden_size: usize, heads: usize) -> Result<usize> {
        if self.is_ministral() {
            // Its class has no default for it, and transformers fails without.
            return self.count("head_dim");
        }
        let null = self.0.get("head_dim").is_some_and(Value::is_null);
        if null && matches!(architecture, Architecture::Llama | Architecture::Mistral) {
            return Ok(hidden_size / heads);
        }
        self.count_or("head_dim", Defaults::of(architecture).head_dim.unwrap_or(hidden_size / heads))
    }

    /// `model_type`, without which transformers does not know a configuration; `architectures` is not asked there.
    pub(super) fn model_type(&self) -> Result<String> {
        if let Some(name) = self.get("model_type").and_then(Value::as_str) {
            return Ok(if name == MINISTRAL { Architecture::Mistral.model_type() } else { name }.to_owned());
        }
        let class = self.get("architectures").and_then(|list| list.get(0)?.as_str());
        let known = class.and_then(|class| ARCHITECTURES.iter().find(|(.., known)| *known == class));
        let hint = match known {
            Some((_, name, class)) => format!("a model of the class {class} has `\"model_type\": \"{name}\"`"),
            None => DAMAGED.to_owned(),
        };
        Err(Error::data("config.json has no `model_type`").hint(hint))
    }

    /// Whether transformers takes this for Ministral's class: by its name, or as one of Mistral's with kinds of layers.
    pub(super) fn is_ministral(&self) -> bool {
        let named = |name: &str| self.get("model_type").and_then(Value::as_str) == Some(name);
        named(MINISTRAL) || named(Architecture::Mistral.model_type()) && self.0.contains_key("layer_types")
    }

    pub(super) fn refuse_unsupported(&self) -> Result<()> {
        self.refuse_unknown()?;
        let activation = self.0.get("hidden_act").map_or(Some("silu"), Value::as_str).unwrap_or("null");
        // Two names of one function.
        if !["silu", "swish"].contains(&activation) {
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
        Ok(())
    }

    fn refuse_unknown(&self) -> Result<()> {
        let mut keys = self.0.iter().filter_map(|(key, value)| Some((key, value, known::objection(key, value)?)));
        keys.next().map_or(Ok(()), |(key, value, meaning)| {
            let value = value.to_string();
            let shown: String = value.chars().take(60).collect();
            Err(Error::data(format!("`{key}` in config.json is not supported: {meaning}"))
                .because(Error::data(format!("it is {shown}")))
                .hint("if it changes nothing about the model, remove it; otherwise the architecture is none that is known"))
        })
    }
}

pub(super) fn number(name: &str, value: &Value) -> Result<f64> {
    value
        .as_f64()
        .ok_or_else(|| Error::data(format!("`{name}` in config.json is {value}, expected a number")).hint(DAMAGED))
}
