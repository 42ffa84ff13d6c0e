//! What a user may set. `diapason` sets it for a suite with a `task`.

use diapason_plugin::{MeasureInfo, Result};
use schemars::JsonSchema;
use serde::Deserialize;

/// How the task asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// Which of `choices` is the likeliest.
    MultipleChoice,
    /// How likely the reference is.
    Loglikelihood,
    /// What the model writes.
    GenerateUntil,
}

/// One of the harness's metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The likeliest choice is right, or the reference is what greedy decoding would write.
    Acc,
    /// The likeliest choice per character is right.
    AccNorm,
    /// The likeliest choice per byte is right.
    AccBytes,
    /// The filtered answer is the reference; of choices: greedy decoding would write the right one.
    ExactMatch,
    /// Logarithm of the perplexity of the reference: the mean over samples is that of the harness's `perplexity`.
    LogPerplexity,
}

/// A step between what the model wrote and what is compared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "function", deny_unknown_fields)]
pub enum Filter {
    /// What a regular expression of Python's finds.
    Regex {
        /// The expression. Default: GSM8K's.
        #[serde(default = "gsm8k")]
        pattern: String,
        /// Which of several finds counts, from 0; negative ones count from the end.
        #[serde(default)]
        group: i64,
        /// What counts where nothing is found.
        #[serde(default = "invalid")]
        fallback: String,
    },
    /// Lower case.
    Lowercase,
    /// Upper case.
    Uppercase,
    /// White space at the ends is taken off.
    RemoveWhitespace,
}

fn gsm8k() -> String {
    r"#### (\-?[0-9\.\,]+)".to_owned()
}

fn invalid() -> String {
    "[invalid]".to_owned()
}

/// How answers are scored.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How the task asks.
    pub output: Output,
    /// What is measured.
    pub metrics: Vec<Metric>,
    /// Put before each choice when its likelihood is asked for.
    #[serde(default)]
    pub choice_prefix: String,
    /// Texts that end an answer.
    #[serde(default)]
    pub until: Vec<String>,
    /// What is done to an answer before it is compared, in this order.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// Regular expressions of Python's whose finds are taken out of answer and reference.
    #[serde(default)]
    pub regexes_to_ignore: Vec<String>,
    /// Whether case is ignored.
    #[serde(default)]
    pub ignore_case: bool,
    /// Whether ASCII punctuation is ignored.
    #[serde(default)]
    pub ignore_punctuation: bool,
    /// Whether ASCII digits are ignored.
    #[serde(default)]
    pub ignore_numbers: bool,
}

impl Settings {
    /// Checks what the schema cannot say.
    pub fn check(&self) -> Result<()> {
        if self.metrics.is_empty() {
            return Err("setting `metrics` is empty: there is nothing to measure".to_owned());
        }
        for (place, metric) in self.metrics.iter().enumerate() {
            if self.metrics[..place].contains(metric) {
                return Err(format!("setting `metrics` names `{}` twice", metric.name()));
            }
            if !self.output.has(*metric) {
                return Err(format!("setting `metrics`: this `output` has no `{}`", metric.name()));
            }
        }
        Ok(())
    }
}

impl Output {
    fn has(self, metric: Metric) -> bool {
        match self {
            Self::MultipleChoice => metric != Metric::LogPerplexity,
            Self::Loglikelihood => matches!(metric, Metric::Acc | Metric::LogPerplexity),
            Self::GenerateUntil => metric == Metric::ExactMatch,
        }
    }
}

impl Metric {
    /// The measure's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Acc => "acc",
            Self::AccNorm => "acc-norm",
            Self::AccBytes => "acc-bytes",
            Self::ExactMatch => "exact-match",
            Self::LogPerplexity => "log-perplexity",
        }
    }

    /// The measure, as the report explains it.
    pub fn info(self, output: Output) -> MeasureInfo {
        let summary = match (self, output) {
            (Self::Acc, Output::Loglikelihood) => "references that greedy decoding would write",
            (Self::Acc, _) => "samples whose likeliest choice is right",
            (Self::AccNorm, _) => "samples whose likeliest choice per character is right",
            (Self::AccBytes, _) => "samples whose likeliest choice per byte is right",
            (Self::ExactMatch, Output::MultipleChoice) => "samples whose right choice greedy decoding would write",
            (Self::ExactMatch, _) => "filtered answers equal to the reference",
            (Self::LogPerplexity, _) => "logarithm of the reference's perplexity",
        };
        if self == Self::LogPerplexity {
            return MeasureInfo {
                name: self.name().into(),
                summary: summary.into(),
                higher_is_better: false,
                binary: false,
                bounds: None,
            };
        }
        MeasureInfo::binary(self.name(), summary)
    }
}
