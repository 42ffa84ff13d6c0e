//! Sets the candidate's answers against the reference's. See the package's README for the measures and settings.

use diapason_plugin::{Comparator, Judgement, Measure, MeasureInfo, Pair, Reasoning, Result};
use schemars::JsonSchema;
use serde::Deserialize;

/// How a regression is told.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The measure to watch, as `plugin.measure`. Without it, the first of the suite's measures.
    pub measure: Option<String>,
    /// A value from here on counts as right; below, as wrong.
    pub threshold: f64,
    /// Set to false for a measure that is better when smaller.
    pub higher_is_better: bool,
    /// What becomes of reasoning (`<think>…</think>`) before the answers that `changed` compares.
    pub reasoning: Reasoning,
}

impl Default for Settings {
    fn default() -> Self {
        Self { measure: None, threshold: 0.5, higher_is_better: true, reasoning: Reasoning::default() }
    }
}

/// Where the candidate falls behind the reference.
pub struct Regression(Settings);

impl Comparator for Regression {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self> {
        if settings.threshold.is_finite() { Ok(Self(settings)) } else { Err("`threshold` must be a number".to_owned()) }
    }

    fn measures(&self) -> Vec<MeasureInfo> {
        vec![
            MeasureInfo::binary("harmful-flip", "the reference is right and the candidate wrong").lower_is_better(),
            MeasureInfo::binary("beneficial-flip", "the reference is wrong and the candidate right"),
            MeasureInfo {
                bounds: None,
                ..MeasureInfo::number("drop", "how much worse the candidate's value is").lower_is_better()
            },
            MeasureInfo::binary("changed", "the two answers differ").lower_is_better(),
        ]
    }

    fn reasoning(&self) -> Reasoning {
        self.0.reasoning
    }

    fn compare(&self, pair: &Pair) -> Result<Judgement> {
        let Some(name) = self.watched(pair) else {
            return Ok(Judgement::unscored("neither side has a measure: no evaluator scored the sample"));
        };
        match (pair.reference.measure(name), pair.candidate.measure(name)) {
            (Some(reference), Some(candidate)) => Ok(self.judge(pair, name, reference, candidate)),
            (None, None) => Ok(Judgement::unscored(format!("neither side has `{name}`: {}", known(pair)))),
            (None, _) => Ok(Judgement::unscored(format!("the reference arm has no `{name}`"))),
            (_, None) => Ok(Judgement::unscored(format!("the candidate arm has no `{name}`"))),
        }
    }
}

impl Regression {
    fn watched<'a>(&'a self, pair: &'a Pair) -> Option<&'a str> {
        let first = || pair.reference.measures.first().or(pair.candidate.measures.first()).map(|m| m.name.as_str());
        self.0.measure.as_deref().or_else(first)
    }

    fn judge(&self, pair: &Pair, name: &str, reference: f64, candidate: f64) -> Judgement {
        let (was, is) = (self.right(reference), self.right(candidate));
        let fell = if self.0.higher_is_better { reference - candidate } else { candidate - reference };
        let mut measures = vec![
            measure("harmful-flip", was && !is),
            measure("beneficial-flip", !was && is),
            Measure::new("drop", fell.max(0.0)),
        ];
        if let (Some(before), Some(after)) = (pair.reference.answer(), pair.candidate.answer()) {
            measures.push(measure("changed", before != after));
        }
        let judgement = Judgement::scored(measures);
        if reference == candidate {
            judgement
        } else {
            judgement.note("measure", format!("{name}: {reference} → {candidate}"))
        }
    }

    fn right(&self, value: f64) -> bool {
        if self.0.higher_is_better { value >= self.0.threshold } else { value < self.0.threshold }
    }
}

fn measure(name: &str, holds: bool) -> Measure {
    Measure::new(name, f64::from(u8::from(holds)))
}

/// The measures that there are, for someone who misspelt one.
fn known(pair: &Pair) -> String {
    let names: Vec<&str> =
        pair.reference.measures.iter().chain(&pair.candidate.measures).map(|measure| measure.name.as_str()).collect();
    if names.is_empty() {
        "no evaluator scored the sample".to_owned()
    } else {
        format!("there is {}", names.join(", "))
    }
}

diapason_plugin::plugin! { comparator: Regression }
