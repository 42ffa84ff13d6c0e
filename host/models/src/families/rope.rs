//! The rotary embedding that a `config.json` describes, read as `RotaryEmbeddingConfigMixin` of transformers 5.24 does.

use super::fields::{DAMAGED, Fields, number};
use super::{Scaling, defaults, known};
use diapason_core::{Error, Result};
use serde_json::{Map, Value};
use std::sync::Arc;

/// `rope_scaling` or `rope_parameters`, with the top level beside it.
pub(super) struct Rope<'a> {
    fields: &'a Fields<'a>,
    /// Which of the two it is.
    source: &'static str,
    own: Option<&'a Map<String, Value>>,
    max_positions: usize,
}

impl<'a> Rope<'a> {
    /// `rope_scaling` if it says anything, and then nothing of `rope_parameters`.
    pub(super) fn of(fields: &'a Fields, max_positions: usize) -> Result<Self> {
        let mut rope = Self { fields, source: "rope_parameters", own: None, max_positions };
        for source in ["rope_parameters", "rope_scaling"] {
            let Some(value) = fields.get(source) else { continue };
            let own = value.as_object().ok_or_else(|| {
                Error::data(format!("`{source}` in config.json is {value}, expected an object")).hint(DAMAGED)
            })?;
            if !own.is_empty() {
                rope = Self { source, own: Some(own), ..rope };
            }
        }
        rope.refuse_unknown()?;
        Ok(rope)
    }

    fn refuse_unknown(&self) -> Result<()> {
        let mut keys = self.own.into_iter().flatten();
        if let Some((key, _)) = keys.find(|(key, value)| !value.is_null() && !known::ROPE.contains(&key.as_str())) {
            return Err(Error::data(format!("`{key}` in `{}` of config.json is not supported", self.source))
                .hint(format!("known keys: {}", known::ROPE.join(", "))));
        }
        let part = |value: &Value| !value.is_null() && value.as_f64() != Some(1.0);
        match self.inside("partial_rotary_factor").or_else(|| self.fields.0.get("partial_rotary_factor")) {
            Some(value) if part(value) => {
                Err(Error::data(format!("partial_rotary_factor {value} is not supported, only 1"))
                    .hint("the architectures of this family rotate whole heads"))
            }
            _ => Ok(()),
        }
    }

    fn inside(&self, name: &str) -> Option<&'a Value> {
        self.own?.get(name)
    }

    /// The base of the wavelengths: what stands beside the scaling counts before the top level.
    pub(super) fn theta(&self) -> Result<f64> {
        let found = self.inside("rope_theta").or_else(|| self.fields.0.get("rope_theta"));
        found.map_or(Ok(defaults::ROPE_THETA), |value| number("rope_theta", value))
    }

    pub(super) fn scaling(&self) -> Result<Scaling> {
        let kind = match self.inside("rope_type").or_else(|| self.inside("type")) {
            None => "default",
            Some(Value::String(kind)) => kind,
            Some(other) => return Err(Error::data(format!("`rope_type` in config.json is {other}")).hint(DAMAGED)),
        };
        match kind {
            "default" => Ok(Scaling::None),
            "linear" => Ok(Scaling::Linear { factor: self.number(kind, "factor")? }),
            "dynamic" => Ok(Scaling::Dynamic { factor: self.number(kind, "factor")? }),
            "llama3" => Ok(Scaling::Llama3 {
                factor: self.number(kind, "factor")?,
                low_freq_factor: self.number(kind, "low_freq_factor")?,
                high_freq_factor: self.number(kind, "high_freq_factor")?,
                original_context: self.original_context()?,
            }),
            "yarn" => self.yarn(),
            "longrope" => self.longrope(),
            _ => Err(Error::data(format!("rope scaling `{kind}` is not supported"))
                .hint("supported: default, linear, dynamic, llama3, yarn, longrope")),
        }
    }

    fn number(&self, kind: &str, name: &str) -> Result<f64> {
        let value = self.inside(name).ok_or_else(|| {
            Error::data(format!("rope scaling `{kind}` in config.json has no number `{name}`")).hint(DAMAGED)
        })?;
        number(name, value)
    }

    /// A number of which null or 0 is as good as none.
    fn optional(&self, name: &str) -> Result<Option<f64>> {
        let given = self.inside(name).filter(|value| !value.is_null());
        Ok(given.map(|value| number(name, value)).transpose()?.filter(|value| *value != 0.0))
    }

    /// What the top level says counts before what stands beside the scaling.
    fn original_context(&self) -> Result<f64> {
        let name = "original_max_position_embeddings";
        let found = self.fields.0.get(name).or_else(|| self.inside(name));
        found.map_or(Ok(self.max_positions as f64), |value| number(name, value))
    }

    /// `factor`, which may be null for the ratio of both contexts.
    fn factor(&self, original_context: f64) -> Result<f64> {
        let given = self.inside("factor").filter(|value| !value.is_null());
        given.map_or(Ok(self.max_positions as f64 / original_context), |value| number("factor", value))
    }

    fn yarn(&self) -> Result<Scaling> {
        let original_context = self.original_context()?;
        if self.inside("factor").is_none() {
            self.number("yarn", "factor")?;
        }
        let factor = self.factor(original_context)?;
        let mscale = self.optional("mscale")?.zip(self.optional("mscale_all_dim")?);
        let given = self.inside("attention_factor").filter(|value| !value.is_null());
        let attention_factor = match (given, mscale) {
            (Some(value), _) => number("attention_factor", value)?,
            (None, Some((one, all))) => Scaling::yarn_attention(factor, one) / Scaling::yarn_attention(factor, all),
            (None, None) => Scaling::yarn_attention(factor, 1.0),
        };
        let truncate = match self.inside("truncate") {
            None => true,
            Some(value) => value.as_bool().ok_or_else(|| {
                Error::data(format!("`truncate` in config.json is {value}, expected true or false")).hint(DAMAGED)
            })?,
        };
        let beta_fast = self.optional("beta_fast")?.unwrap_or(32.0);
        let beta_slow = self.optional("beta_slow")?.unwrap_or(1.0);
        Ok(Scaling::Yarn { factor, attention_factor, beta_fast, beta_slow, truncate, original_context })
    }

    fn longrope(&self) -> Result<Scaling> {
        let original_context = self.original_context()?;
        let factor = self.factor(original_context)?;
        let given = self.inside("attention_factor").filter(|value| !value.is_null());
        let attention_factor = match given {
            Some(value) => number("attention_factor", value)?,
            None if factor <= 1.0 => 1.0,
            None => (1.0 + factor.ln() / original_context.ln()).sqrt(),
        };
        let (short, long) = (self.list("short_factor")?, self.list("long_factor")?);
        Ok(Scaling::LongRope { short, long, attention_factor, original_context })
    }

    fn list(&self, name: &str) -> Result<Arc<[f64]>> {
        let numbers = self.inside(name).and_then(Value::as_array).map(|list| list.iter().map(Value::as_f64).collect());
        let numbers: Option<Option<Vec<f64>>> = numbers;
        numbers.flatten().map(Arc::from).ok_or_else(|| {
            Error::data(format!("rope scaling `longrope` in config.json has no list of numbers `{name}`")).hint(DAMAGED)
        })
    }
}
