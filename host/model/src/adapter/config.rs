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
        let config: Self = serde_json::from_str(text)
            .map_err(|source| Error::data("failed to read adapter_config.json").because(source))?;
        let refuse =
            |what: String| Err(Error::data(what).hint("merge the adapter into its base with PEFT, or train one here"));
        if config.peft_type != "LORA" {
            return refuse(format!("the adapter is of type {}, only LORA is supported", config.peft_type));
        }
        if config.r == 0 {
            return refuse("the adapter's rank is 0".into());
        }
        let patterns = [&config.rank_pattern, &config.alpha_pattern];
        let unsupported = [
            ("use_dora", config.use_dora),
            ("fan_in_fan_out", config.fan_in_fan_out),
            ("bias", config.bias.as_deref().is_some_and(|bias| bias != "none")),
            ("modules_to_save", config.modules_to_save.as_ref().is_some_and(|modules| !modules.is_empty())),
            (
                "rank_pattern or alpha_pattern",
                patterns.iter().any(|map| map.as_ref().is_some_and(|map| !map.is_empty())),
            ),
        ];
        match unsupported.iter().find(|(_, used)| *used) {
            Some((name, _)) => refuse(format!("the adapter uses {name}, which is not supported")),
            None => Ok(config),
        }
    }

    pub(super) fn rank(&self) -> usize {
        self.r
    }

    /// What the update is multiplied by: alpha / rank, or alpha / √rank for rsLoRA.
    pub(super) fn scale(&self) -> f64 {
        self.lora_alpha / if self.use_rslora { (self.r as f64).sqrt() } else { self.r as f64 }
    }
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
        assert_eq!(check("").unwrap().scale(), 2.0);
        assert_eq!(check(r#", "use_rslora": true"#).unwrap().scale(), 4.0);
    }

    #[test]
    fn what_would_change_the_result_is_refused() {
        let refused = [
            r#", "use_dora": true"#,
            r#", "bias": "all""#,
            r#", "modules_to_save": ["lm_head"]"#,
            r#", "rank_pattern": {"q_proj": 8}"#,
            r#", "fan_in_fan_out": true"#,
        ];
        for extra in refused {
            assert!(check(extra).unwrap_err().to_string().contains("not supported"), "{extra}");
        }
        assert!(check(r#", "bias": "none", "modules_to_save": null, "rank_pattern": {}"#).is_ok());
    }
}
