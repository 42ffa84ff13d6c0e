//! An evaluator: how many of the words that an answer needs are in it.

use diapason_plugin::{Evaluator, Judgement, Measure, MeasureInfo, Observation, Result};

/// What users may write under `settings`. The comments become the documentation of the settings.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The words that every answer needs.
    words: Vec<String>,
    /// Whether `Paris` and `paris` are different words.
    #[serde(default)]
    case_sensitive: bool,
}

struct Words(Settings);

impl Evaluator for Words {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self> {
        match settings.words.is_empty() {
            true => Err("`words` is empty: name at least one word".into()),
            false => Ok(Self(settings)),
        }
    }

    fn measures(&self) -> Vec<MeasureInfo> {
        vec![
            MeasureInfo::binary("all-words", "answers with every word"),
            MeasureInfo::fraction("words", "share of the words that are in the answer"),
        ]
    }

    fn score(&self, observation: &Observation) -> Result<Judgement> {
        let answer = observation.answer()?;
        let missing: Vec<&str> = self.0.words.iter().map(String::as_str).filter(|word| !self.has(answer, word)).collect();
        let found = self.0.words.len() - missing.len();
        let judgement = Judgement::scored([
            Measure::new("all-words", f64::from(missing.is_empty())),
            Measure::new("words", found as f64 / self.0.words.len() as f64),
        ]);
        Ok(if missing.is_empty() { judgement } else { judgement.note("missing", missing.join(", ")) })
    }
}

impl Words {
    fn has(&self, answer: &str, word: &str) -> bool {
        match self.0.case_sensitive {
            true => answer.contains(word),
            false => answer.to_lowercase().contains(&word.to_lowercase()),
        }
    }
}

diapason_plugin::plugin! { evaluator: Words }
