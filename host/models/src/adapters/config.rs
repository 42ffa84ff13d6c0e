//! `adapter_config.json`, as PEFT 0.21.2 reads it: every field is applied, known to change nothing, or refused by name.

use super::fields::{EDITED, Fields};
use super::known::{APPLIED, INERT, NEVER_NULL, REFUSED};
use super::method::{self, MERGE};
use super::pattern::Pattern;
use super::targets::{Names, Targets};
use diapason_core::{Error, Result};
use serde_json::Value;

/// What an adapter does.
#[derive(Debug)]
pub(super) struct AdapterConfig {
    rank: usize,
    alpha: f64,
    rslora: bool,
    dora: bool,
    bias: bool,
    targets: Targets,
    saved: Vec<String>,
    token_rows: Vec<(String, Vec<u32>)>,
    ranks: Vec<(Pattern, usize)>,
    alphas: Vec<(Pattern, f64)>,
}

impl AdapterConfig {
    /// Reads the text.
    ///
    /// # Errors
    /// It is no JSON, a field has a value that it cannot have, or one would change the result in a way that is not
    /// supported; each is named with its line.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let fields = Fields::read(text)?;
        let peft_type = fields.text("peft_type")?.ok_or_else(|| {
            Error::data("adapter_config.json has no `peft_type`")
                .hint("it is no adapter of PEFT, or was edited: PEFT writes `\"peft_type\": \"LORA\"`")
        })?;
        method::check(peft_type, &fields.place("peft_type"))?;
        fields.check_names()?;
        fields.check_nulls()?;
        fields.check_refused()?;
        fields.check_task()?;
        fields.check_initialisation()?;
        let bias = fields.text("bias")?.unwrap_or("none");
        if !["none", "all", "lora_only"].contains(&bias) {
            return fields.refuse("bias", "expected \"none\", \"all\" or \"lora_only\"", EDITED);
        }
        Ok(Self {
            rank: fields.rank("r", fields.get("r"))?.unwrap_or(8),
            alpha: fields.number("lora_alpha", fields.get("lora_alpha"))?.unwrap_or(8.0),
            rslora: fields.flag("use_rslora")?,
            dora: fields.flag("use_dora")?,
            bias: bias != "none",
            targets: fields.targets()?,
            saved: fields.names("modules_to_save")?.unwrap_or_default(),
            token_rows: fields.token_rows()?,
            ranks: fields.patterns("rank_pattern", Fields::rank)?,
            alphas: fields.patterns("alpha_pattern", Fields::number)?,
        })
    }

    /// The rank in the layer `name`: that of the first pattern that fits.
    pub(super) fn rank(&self, name: &str) -> Result<usize> {
        first(&self.ranks, name).map(|found| found.unwrap_or(self.rank))
    }

    /// What the update of the layer `name` is multiplied by: alpha / rank, or alpha / √rank for rsLoRA.
    pub(super) fn scale(&self, name: &str) -> Result<f64> {
        let alpha = first(&self.alphas, name)?.unwrap_or(self.alpha);
        let rank = self.rank(name)? as f64;
        Ok(alpha / if self.rslora { rank.sqrt() } else { rank })
    }

    /// Whether the adapter has magnitudes.
    pub(super) fn is_dora(&self) -> bool {
        self.dora
    }

    /// Whether biases of the base were trained, where it has any.
    pub(super) fn trains_biases(&self) -> bool {
        self.bias
    }

    /// Whether the adapter belongs on the module `name`.
    pub(super) fn targets(&self, name: &str) -> Result<bool> {
        self.targets.contain(name).map_err(failed)
    }

    /// The modules that were trained in full, as they are named: a module whose name ends so is meant.
    pub(super) fn modules_to_save(&self) -> &[String] {
        &self.saved
    }

    /// The rows of embeddings that were trained, by the last part of the module's name.
    pub(super) fn token_rows(&self) -> &[(String, Vec<u32>)] {
        &self.token_rows
    }
}

/// The value of the first key that fits, as PEFT's `get_pattern_key` finds it.
fn first<T: Copy>(patterns: &[(Pattern, T)], name: &str) -> Result<Option<T>> {
    for (pattern, value) in patterns {
        if pattern.matches(name).map_err(failed)? {
            return Ok(Some(*value));
        }
    }
    Ok(None)
}

fn failed(fault: String) -> Error {
    Error::data(fault).hint("name the modules in adapter_config.json one by one")
}

impl Fields<'_> {
    /// Refuses fields that nobody knows: a version of PEFT to come may mean anything by them.
    fn check_names(&self) -> Result<()> {
        let known = |key: &str| {
            INERT.contains(&key) || APPLIED.contains(&key) || REFUSED.iter().any(|(refused, _)| *refused == key)
        };
        match self.object.iter().find(|(key, value)| !known(key) && !value.is_null()) {
            Some((key, _)) => self.refuse(
                key,
                "PEFT 0.21.2 has no such field, so what it changes is not known",
                "remove it if it changes nothing, or merge the adapter into its base with the program that wrote it",
            ),
            None => Ok(()),
        }
    }

    fn check_nulls(&self) -> Result<()> {
        match NEVER_NULL.iter().find(|key| self.object.get(**key).is_some_and(Value::is_null)) {
            Some(key) => {
                self.refuse(key, "PEFT fails at it", "give the value, or leave the field out for PEFT's default")
            }
            None => Ok(()),
        }
    }

    fn check_refused(&self) -> Result<()> {
        // PEFT takes an empty settings' object as on, and an empty list as off.
        let off = |value: &Value| *value == Value::Bool(false) || value.as_array().is_some_and(Vec::is_empty);
        match REFUSED.iter().find(|(key, _)| self.get(key).is_some_and(|value| !off(value))) {
            Some((key, what)) => self.refuse(key, format!("{what}, which is not supported"), MERGE),
            None => Ok(()),
        }
    }

    fn check_task(&self) -> Result<()> {
        match self.text("task_type")? {
            None | Some("CAUSAL_LM") => Ok(()),
            Some(_) => self.refuse(
                "task_type",
                "only adapters of causal language models are read here",
                "evaluate it with PEFT; where the field is wrong, put \"CAUSAL_LM\"",
            ),
        }
    }

    /// Initialisations that take something away from the base's weights are refused: what is left would be needed.
    fn check_initialisation(&self) -> Result<()> {
        const KEY: &str = "init_lora_weights";
        let text = match self.get(KEY) {
            None | Some(Value::Bool(_)) => return Ok(()),
            Some(Value::String(text)) => text.as_str(),
            Some(_) => return self.refuse(KEY, "expected true, false or a name", EDITED),
        };
        let base = |name: &str| text.to_lowercase().starts_with(name);
        let changed =
            "the base's weights were changed before training, and the adapter belongs to what was left of them";
        if base("loftq") {
            return self.refuse(KEY, changed, "merge it with PEFT into the base that LoftQ wrote, and open the result");
        }
        if ["pissa", "olora", "corda", "lora_ga"].into_iter().any(base) {
            let hint = "write it as a plain LoRA with PEFT: `save_pretrained(…, path_initial_model_for_weight_conversion=…)`, \
                        or merge it (`merge_and_unload`) and open the merged folder";
            return self.refuse(KEY, changed, hint);
        }
        // The adapter's own matrices alone are set, and the file's take their place.
        if ["eva", "orthogonal"].contains(&text) || ["gaussian", "mica"].contains(&text.to_lowercase().as_str()) {
            Ok(())
        } else {
            self.refuse(KEY, "PEFT 0.21.2 has no such initialisation", EDITED)
        }
    }

    fn targets(&self) -> Result<Targets> {
        let Some(names) = self.module_names("target_modules")? else {
            return Err(Error::data("adapter_config.json has no `target_modules`")
                .hint("name the adapted layers, for example `\"target_modules\": [\"q_proj\", \"v_proj\"]`"));
        };
        let layers = self.layers()?;
        let layers_pattern = self.names("layers_pattern")?.unwrap_or_default();
        for (key, given) in
            [("layers_to_transform", !layers.is_empty()), ("layers_pattern", !layers_pattern.is_empty())]
        {
            if given && !matches!(names, Names::List(_)) {
                return self.refuse(key, "`target_modules` is one text, which PEFT refuses beside it", EDITED);
            }
        }
        if !layers_pattern.is_empty() && layers.is_empty() {
            return self.refuse("layers_pattern", "it needs `layers_to_transform` beside it", EDITED);
        }
        let compile = |key: &'static str, names: &[String], make: fn(&str) -> Result<Pattern, String>| {
            let patterns = names.iter().map(|name| make(name).or_else(|fault| self.refuse(key, fault, ONE_BY_ONE)));
            patterns.collect::<Result<Vec<_>>>()
        };
        let saved = self.names("modules_to_save")?.unwrap_or_default();
        Ok(Targets {
            names,
            exclude: self.module_names("exclude_modules")?,
            saved: compile("modules_to_save", &saved, Pattern::part)?,
            layers,
            layers_pattern: compile("layers_pattern", &layers_pattern, Pattern::layer)?,
        })
    }

    /// A text, which is an expression, or a list of names.
    fn module_names(&self, key: &str) -> Result<Option<Names>> {
        match self.get(key) {
            Some(Value::String(text)) if key == "target_modules" && text.to_lowercase() == "all-linear" => {
                Ok(Some(Names::AllLinear))
            }
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => match Pattern::full(text) {
                Ok(pattern) => Ok(Some(Names::Expression(pattern))),
                Err(fault) => self.refuse(key, fault, ONE_BY_ONE),
            },
            _ => Ok(self.names(key)?.map(Names::List)),
        }
    }

    /// A list is about the embedding; an object names the modules.
    fn token_rows(&self) -> Result<Vec<(String, Vec<u32>)>> {
        const KEY: &str = "trainable_token_indices";
        let ids = |value: &Value| -> Option<Vec<u32>> {
            value.as_array()?.iter().map(|id| id.as_u64().and_then(|id| u32::try_from(id).ok())).collect()
        };
        let rows = match self.get(KEY) {
            None => Some(Vec::new()),
            Some(Value::Object(object)) => {
                object.iter().map(|(name, value)| Some((name.clone(), ids(value)?))).collect()
            }
            Some(list) => ids(list).map(|list| vec![("embed_tokens".to_owned(), list)]),
        };
        match rows {
            Some(rows) => Ok(rows),
            None => self.refuse(KEY, "expected a list of token ids, or lists by the names of modules", EDITED),
        }
    }

    fn patterns<T>(
        &self,
        key: &str,
        read: impl Fn(&Self, &str, Option<&Value>) -> Result<Option<T>>,
    ) -> Result<Vec<(Pattern, T)>> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let Some(object) = value.as_object() else { return self.refuse(key, "expected an object", EDITED) };
        let mut patterns = Vec::with_capacity(object.len());
        for (name, value) in object {
            let pattern = Pattern::suffix(name).or_else(|fault| self.refuse(key, fault, ONE_BY_ONE))?;
            match read(self, key, Some(value))? {
                Some(value) => patterns.push((pattern, value)),
                None => return self.refuse(key, format!("`{name}` has no value"), EDITED),
            }
        }
        Ok(patterns)
    }
}

/// What to do about an expression that is not read.
const ONE_BY_ONE: &str = "name the modules one by one; what the adapter does stays the same";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HEAD: &str =
        "{\n  \"peft_type\": \"LORA\",\n  \"r\": 4,\n  \"lora_alpha\": 8,\n  \"target_modules\": [\"q_proj\"]";

    fn parse(extra: &str) -> Result<AdapterConfig> {
        AdapterConfig::parse(&format!("{HEAD}{extra}\n}}"))
    }

    #[test]
    fn scales() {
        assert_eq!(parse("").unwrap().scale("q_proj").unwrap(), 2.0);
        assert_eq!(parse(",\n\"use_rslora\": true").unwrap().scale("q_proj").unwrap(), 4.0);
    }

    #[test]
    fn the_first_pattern_that_fits_counts() {
        let patterns =
            r#", "rank_pattern": {"layers\\.0\\..*q_proj": 2, "q_proj": 8}, "alpha_pattern": {"q_proj|k_proj": 16}"#;
        let config = parse(patterns).unwrap();
        let rank = |name: &str| config.rank(name).unwrap();
        assert_eq!((rank("model.layers.0.q_proj"), rank("model.layers.1.q_proj"), rank("k_proj")), (2, 8, 4));
        assert_eq!((config.scale("model.layers.0.q_proj").unwrap(), config.scale("k_proj").unwrap()), (8.0, 4.0));
        assert_eq!(config.scale("v_proj").unwrap(), 2.0);
    }

    #[track_caller]
    fn refused(field: &str, fragment: &str) {
        let error = parse(&format!(",\n{field}")).unwrap_err();
        let key = field.split('"').nth(1).unwrap();
        let message = error.to_string();
        assert!(message.starts_with(&format!("adapter_config.json line 6: `{key}` is ")), "{message}");
        assert!(message.contains(fragment), "{message}");
        assert!(error.hint_text().is_some(), "{message}");
    }

    #[test]
    fn a_null_without_meaning_is_refused() {
        for (field, null) in [("\"r\": 4", "\"r\": null"), ("\"lora_alpha\": 8", "\"lora_alpha\": null")] {
            let message = AdapterConfig::parse(&format!("{}}}", HEAD.replace(field, null))).unwrap_err().to_string();
            assert!(message.contains("is null: PEFT fails at it"), "{message}");
        }
    }

    #[test]
    fn what_would_change_the_result_is_refused_by_name_and_line() {
        for (field, fragment) in [
            (r#""init_lora_weights": "pissa""#, "base's weights were changed"),
            (r#""init_lora_weights": "pissa_niter_16""#, "base's weights were changed"),
            (r#""init_lora_weights": "OLoRA""#, "base's weights were changed"),
            (r#""init_lora_weights": "corda""#, "base's weights were changed"),
            (r#""init_lora_weights": "loftq""#, "base's weights were changed"),
            (r#""init_lora_weights": "lora_ga""#, "base's weights were changed"),
            (r#""init_lora_weights": "new""#, "no such initialisation"),
            (r#""init_lora_weights": 3"#, "expected true, false or a name"),
            (r#""alora_invocation_tokens": [1, 2]"#, "aLoRA"),
            (r#""arrow_config": {}"#, "Arrow"),
            (r#""kasa_config": {"beta": 1}"#, "KaSA"),
            (r#""layer_replication": [[0, 2], [1, 2]]"#, "repeated"),
            (r#""lora_bias": true"#, "bias of its own"),
            (r#""megatron_config": {}"#, "Megatron"),
            (r#""monteclora_config": {}"#, "sampled"),
            (r#""target_parameters": ["experts.w1"]"#, "outside of linear layers"),
            (r#""use_bdlora": {"nblocks": 2}"#, "block-diagonal"),
            (r#""use_qalora": true"#, "pooled"),
            (r#""velora_config": {}"#, "VeLoRA"),
            (r#""bias": "some""#, "expected \"none\""),
            (r#""bias": null"#, "PEFT fails"),
            (r#""lora_dropout": null"#, "PEFT fails"),
            (r#""rank_pattern": null"#, "PEFT fails"),
            (r#""alpha_pattern": null"#, "PEFT fails"),
            (r#""task_type": "SEQ_CLS""#, "causal language models"),
            (r#""layers_pattern": "layers""#, "needs `layers_to_transform`"),
            (r#""layers_to_transform": ["1"]"#, "layers' numbers"),
            (r#""exclude_modules": "[a[b]]""#, "engines read differently"),
            (r#""rank_pattern": {"(?i)q": 2}"#, "engines read differently"),
            (r#""rank_pattern": {"q_proj": 0}"#, "at least 1"),
            (r#""alpha_pattern": {"q_proj": 0}"#, "other than 0"),
            (r#""use_dora": "yes""#, "true or false"),
            (r#""trainable_token_indices": [-1]"#, "token ids"),
            (r#""some_new_field": false"#, "no such field"),
        ] {
            refused(field, fragment);
        }
    }

    #[test]
    fn what_is_off_or_changes_nothing_is_accepted() {
        for field in [
            r#""init_lora_weights": "gaussian""#,
            r#""init_lora_weights": "eva", "eva_config": {"rho": 2.0}"#,
            r#""init_lora_weights": "orthogonal""#,
            r#""init_lora_weights": "mica""#,
            r#""init_lora_weights": false"#,
            r#""fan_in_fan_out": true"#,
            r#""lora_bias": false, "layer_replication": [], "target_parameters": null, "use_bdlora": null"#,
            r#""loftq_config": {}, "lora_dropout": 0.1, "megatron_core": "megatron.core", "inference_mode": true"#,
            r#""layers_pattern": null, "exclude_modules": null, "modules_to_save": null, "some_new_field": null"#,
        ] {
            parse(&format!(", {field}")).unwrap();
        }
    }

    #[test]
    fn the_method_is_looked_at_first() {
        let error = AdapterConfig::parse(r#"{"peft_type": "IA3", "feedforward_modules": ["down_proj"]}"#).unwrap_err();
        assert!(error.to_string().contains("adapter_config.json: `peft_type` is \"IA3\""), "{error}");
        let error = AdapterConfig::parse(r#"{"r": 4}"#).unwrap_err();
        assert!(error.to_string().contains("has no `peft_type`"), "{error}");
    }

    #[test]
    fn an_expression_stands_for_names_and_layers_cannot_be_chosen_beside_it() {
        let text = HEAD.replace("[\"q_proj\"]", "\".*(q|v)_proj\"");
        let config = AdapterConfig::parse(&format!("{text}}}")).unwrap();
        assert!(config.targets("model.layers.0.self_attn.v_proj").unwrap());
        assert!(!config.targets("model.layers.0.self_attn.k_proj").unwrap());
        let error = AdapterConfig::parse(&format!("{text}, \"layers_to_transform\": [0]}}")).unwrap_err();
        assert!(error.to_string().contains("PEFT refuses beside it"), "{error}");
    }
}
