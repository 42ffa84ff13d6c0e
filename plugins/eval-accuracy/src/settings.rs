//! What a user may set.

use crate::extract::Extraction;
use crate::number::{Convention, DecimalSign, Percent, Tolerance};
use diapason_plugin::json::Choice;
use diapason_plugin::{MeasureInfo, Reasoning, Result};
use schemars::JsonSchema;
use serde::Deserialize;

/// One way of being right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The reference, but for white space at the ends.
    ExactMatch,
    /// The reference, but for case, punctuation, articles and white space (SQuAD's normal form).
    NormalisedMatch,
    /// Overlap with the reference's words (SQuAD's F1).
    TokenF1,
    /// The quantity that the answer comes to is the reference's, within the tolerance, units converted.
    Numeric,
    /// The likeliest choice is the right one.
    Choice,
    /// The likeliest choice per byte is the right one.
    ChoicePerByte,
    /// The likeliest choice per token is the right one.
    ChoicePerToken,
    /// What the `strict` pattern finds first is the reference.
    ExtractStrict,
    /// What the `flexible` pattern finds last is the reference.
    ExtractFlexible,
    /// Share of JSON fields that are the reference's.
    FieldAccuracy,
    /// The JSON document is the reference's.
    JsonExact,
    /// Chance that one of `k` completions is the reference (pass@k, unbiased).
    AnyExact,
}

/// How accuracy is measured.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What to measure.
    pub metrics: Vec<Metric>,
    /// Also measure `field-accuracy` and `json-exact`: the references are JSON objects or arrays.
    pub json: bool,
    /// How far a number may be off, as a share of the expected one. Without it, whole numbers must be equal and others may
    /// be a millionth apart.
    #[schemars(range(min = 0.0))]
    pub relative_tolerance: Option<f64>,
    /// How far a number may be off, in the expected one's unit. The larger of the two tolerances counts.
    #[schemars(range(min = 0.0))]
    pub absolute_tolerance: f64,
    /// What `,` and `.` mean in a number that could be read both ways, such as `1,234` or `1.234`.
    pub decimal_sign: DecimalSign,
    /// What `50%` means beside a number without a unit.
    pub percent: Percent,
    /// Which JSON document of an answer counts where there are several.
    pub document: Choice,
    /// What becomes of reasoning (`<think>…</think>`) before the answer.
    pub reasoning: Reasoning,
    /// Put before each choice when its likelihood is asked for.
    pub choice_prefix: String,
    /// Pattern for `extract-strict`: its first group (or all of it) is the answer.
    pub strict: String,
    /// Pattern for `extract-flexible`.
    pub flexible: String,
    /// How many completions `any-exact` draws; the other metrics judge the first.
    #[schemars(range(min = 1))]
    pub completions: u32,
    /// The k of `any-exact`, at most `completions`.
    #[schemars(range(min = 1))]
    pub k: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            metrics: vec![Metric::ExactMatch, Metric::NormalisedMatch, Metric::TokenF1],
            json: false,
            relative_tolerance: None,
            absolute_tolerance: 0.0,
            decimal_sign: DecimalSign::default(),
            percent: Percent::default(),
            document: Choice::default(),
            reasoning: Reasoning::default(),
            choice_prefix: String::new(),
            strict: r"#### (-?[0-9.,]+)".to_owned(),
            flexible: r"-?[$€£]?[0-9][0-9,]*(?:\.[0-9]+)?".to_owned(),
            completions: 1,
            k: 1,
        }
    }
}

impl Settings {
    /// Checks what the schema cannot say.
    pub fn check(&self) -> Result<()> {
        if self.all_metrics().is_empty() {
            return Err("setting `metrics` is empty: there is nothing to measure".to_owned());
        }
        if self.k == 0 || self.k > self.completions {
            return Err(format!("setting `k` is {}, expected 1 to `completions` ({})", self.k, self.completions));
        }
        let tolerances = [self.relative_tolerance.unwrap_or(0.0), self.absolute_tolerance];
        if tolerances.iter().any(|tolerance| !tolerance.is_finite() || *tolerance < 0.0) {
            return Err("a tolerance must be a number from 0".to_owned());
        }
        Ok(())
    }

    /// The metrics to give, each once, in the order they were asked for.
    pub fn all_metrics(&self) -> Vec<Metric> {
        let json = [Metric::FieldAccuracy, Metric::JsonExact];
        let mut all = Vec::new();
        for metric in self.metrics.iter().chain(json.iter().filter(|_| self.json)) {
            if !all.contains(metric) {
                all.push(*metric);
            }
        }
        all
    }

    /// The two tolerances.
    pub fn tolerance(&self) -> Tolerance {
        Tolerance { relative: self.relative_tolerance, absolute: self.absolute_tolerance }
    }

    /// How numbers are written.
    pub fn convention(&self) -> Convention {
        Convention { decimal_sign: self.decimal_sign }
    }

    /// The two patterns, compiled.
    pub fn extraction(&self) -> Result<Extraction> {
        Extraction::new(&self.strict, &self.flexible, self.tolerance(), self.convention())
    }
}

impl Metric {
    /// The measure's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExactMatch => "exact-match",
            Self::NormalisedMatch => "normalised-match",
            Self::TokenF1 => "token-f1",
            Self::Numeric => "numeric",
            Self::Choice => "choice",
            Self::ChoicePerByte => "choice-per-byte",
            Self::ChoicePerToken => "choice-per-token",
            Self::ExtractStrict => "extract-strict",
            Self::ExtractFlexible => "extract-flexible",
            Self::FieldAccuracy => "field-accuracy",
            Self::JsonExact => "json-exact",
            Self::AnyExact => "any-exact",
        }
    }

    /// Whether it is read off likelihoods rather than off a completion.
    pub fn is_choice(self) -> bool {
        matches!(self, Self::Choice | Self::ChoicePerByte | Self::ChoicePerToken)
    }

    /// The measure, as the report explains it.
    pub fn info(self, settings: &Settings) -> MeasureInfo {
        let summary = match self {
            Self::ExactMatch => "answers equal to the reference",
            Self::NormalisedMatch => "answers equal to the reference but for case, punctuation and articles",
            Self::TokenF1 => "overlap of the answer's and the reference's words",
            Self::Numeric => "answers that come to the reference's quantity",
            Self::Choice => "samples whose likeliest choice is right",
            Self::ChoicePerByte => "samples whose likeliest choice per byte is right",
            Self::ChoicePerToken => "samples whose likeliest choice per token is right",
            Self::ExtractStrict => "answers in the required form and right",
            Self::ExtractFlexible => "answers right wherever they stand in the response",
            Self::FieldAccuracy => "JSON fields equal to the reference's",
            Self::JsonExact => "JSON documents equal to the reference's",
            Self::AnyExact => "chance that one of k completions is equal to the reference",
        };
        let graded = matches!(self, Self::TokenF1 | Self::FieldAccuracy)
            || (self == Self::AnyExact && settings.k < settings.completions);
        if graded { MeasureInfo::fraction(self.name(), summary) } else { MeasureInfo::binary(self.name(), summary) }
    }
}
