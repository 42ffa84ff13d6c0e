//! `adapter_config.json`.

use diapason_core::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The fields that decide what an adapter does; the others are read by nobody here.
#[derive(Debug, Deserialize)]
pub(super) struct AdapterConfig {
    peft_type: String,
    r: usize,
    lora_alpha: f64,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    fan_in_fan_out: bool,
    #[serde(default)]
    bias: Option<String>,
    #[serde(default)]
    modules_to_save: Option<Vec<String>>,
    #[serde(default)]
    rank_pattern: Option<Map<String, Value>>,
    #[serde(default)]
    alpha_pattern: Option<Map<String, Value>>,
}

impl AdapterConfig {
    /// Reads the text; refuses what would change the result and is not supported.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let config: Self = serde_json::from_str(text).map_err(|source| {
            Error::data("failed to read adapter_config.json")
                .because(source)
                .hint("the file is cut short or was edited; PEFT and `diapason train` write it whole")
        })?;
        let refuse =
            |what: String| Err(Error::data(what).hint("merge the adapter into its base with PEFT, or train one here"));
        if config.peft_type != "LORA" {
            return refuse(format!("the adapter is of type {}, only LORA is supported", config.peft_type));
        }
        if config.r == 0 {
            return refuse("the adapter's rank is 0".into());
        }
        let unsupported = [
            ("fan_in_fan_out", config.fan_in_fan_out),
            ("bias", config.bias.as_deref().is_some_and(|bias| bias != "none")),
        ];
        if let Some((name, _)) = unsupported.iter().find(|(_, used)| *used) {
            return refuse(format!("the adapter uses {name}, which is not supported"));
        }
        let patterns = [&config.rank_pattern, &config.alpha_pattern];
        let mut keys = patterns.into_iter().flatten().flat_map(Map::keys);
        let expression = keys.find(|key| !key.chars().all(|c| c.is_alphanumeric() || "._-".contains(c))).cloned();
        drop(keys);
        if let Some(key) = expression {
            return refuse(format!("the adapter uses the regular expression `{key}`, which is not supported"));
        }
        Ok(config)
    }

    /// The rank in the layer `name`.
    pub(super) fn rank(&self, name: &str) -> usize {
        pattern(self.rank_pattern.as_ref(), name).and_then(Value::as_u64).map_or(self.r, |rank| rank as usize)
    }

    /// What the update of the layer `name` is multiplied by: alpha / rank, or alpha / √rank for rsLoRA.
    pub(super) fn scale(&self, name: &str) -> f64 {
        let alpha = pattern(self.alpha_pattern.as_ref(), name).and_then(Value::as_f64).unwrap_or(self.lora_alpha);
        let rank = self.rank(name) as f64;
        alpha / if self.use_rslora { rank.sqrt() } else { rank }
    }

    /// Whether the adapter has magnitudes.
    pub(super) fn is_dora(&self) -> bool {
        self.use_dora
    }

    /// The modules that were trained in full.
    pub(super) fn modules_to_save(&self) -> &[String] {
        self.modules_to_save.as_deref().unwrap_or_default()
    }
}

/// The value of the first key that is `name` or its last parts, as PEFT looks it up.
fn pattern<'a>(pattern: Option<&'a Map<String, Value>>, name: &str) -> Option<&'a Value> {
    pattern?.iter().find(|(key, _)| super::names_layer(key, name)).map(|(_, value)| value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(extra: &str) -> Result<AdapterConfig> {
        AdapterConfig::parse(&format!(r#"{{"peft_type": "LORA", "r": 4, "lora_alpha": 8{extra}}}"#))
    }

    #[test]
    fn scales() {
        assert_eq!(check("").unwrap().scale("q_proj"), 2.0);
        assert_eq!(check(r#", "use_rslora": true"#).unwrap().scale("q_proj"), 4.0);
    }

    #[test]
    fn the_first_pattern_that_fits_counts() {
        let patterns = r#", "rank_pattern": {"layers.0.q_proj": 2, "q_proj": 8}, "alpha_pattern": {"q_proj": 16}"#;
        let config = check(patterns).unwrap();
        assert_eq!((config.rank("model.layers.0.q_proj"), config.rank("model.layers.1.q_proj")), (2, 8));
        assert_eq!((config.rank("k_proj"), config.scale("k_proj")), (4, 2.0));
        assert_eq!((config.scale("model.layers.0.q_proj"), config.scale("model.layers.1.q_proj")), (8.0, 2.0));
    }

    #[test]
    fn what_would_change_the_result_is_refused() {
        let refused = [r#", "bias": "all""#, r#", "rank_pattern": {".*q_proj": 8}"#, r#", "fan_in_fan_out": true"#];
        for extra in refused {
            assert!(check(extra).unwrap_err().to_string().contains("not supported"), "{extra}");
        }
        assert!(check(r#", "bias": "none", "modules_to_save": null, "rank_pattern": {}"#).is_ok());
    }
}
