//! The report: everything a reader, a renderer or a later gate needs to know about a run. The content of `report.json`.

use crate::compare::Comparison;
use crate::gate::GateResult;
use crate::sample::Message;
use crate::score::{Arm, Judgement};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the layout of `report.json`; a reader refuses another one.
pub const FORMAT: u32 = 1;

/// A run's report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// The run's name.
    pub name: String,
    /// The decision; `None` where the configuration has no rules.
    pub gate: Option<GateResult>,
    /// Base against tuned.
    pub comparison: Comparison,
    /// What the validators found.
    pub findings: FindingCounts,
    /// `None` where an existing adapter was evaluated.
    pub training: Option<Training>,
    /// What the report is about: role (`weights`, `adapter`, `data.train`, …) to sha-256.
    pub digests: BTreeMap<String, String>,
    /// What each plugin was allowed to use: plugin to names of permissions. Plugins without any are listed too.
    pub permissions: BTreeMap<String, Vec<String>>,
    /// Every sample side by side, in the order of the suites.
    pub samples: Vec<SideBySide>,
}

/// Numbers of findings by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingCounts {
    /// Training must not start.
    pub errors: usize,
    /// Someone should look.
    pub warnings: usize,
    /// Worth knowing.
    pub notes: usize,
}

/// What training did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Parameters that were trained.
    pub trainable: u64,
    /// All parameters.
    pub total: u64,
    /// Optimizer steps.
    pub steps: u64,
    /// Supervised and other tokens that went through the model.
    pub tokens: u64,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Step and mean cross-entropy in nats.
    pub loss: Vec<(u64, f64)>,
}

/// One sample with both answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SideBySide {
    /// The suite.
    pub suite: String,
    /// The sample's id.
    pub sample: String,
    /// The conversation up to the answer.
    pub messages: Vec<Message>,
    /// The expected answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What the base model wrote; `None` if it has no output.
    pub base: Option<String>,
    /// What the tuned model wrote; `None` if it has no output.
    pub tuned: Option<String>,
    /// What each evaluator and comparator said.
    pub scores: Vec<SampleScore>,
    /// What changed on the binary measures.
    pub flip: Flip,
}

/// One plugin's judgement of one arm of a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleScore {
    /// The plugin's name in the suite's configuration.
    pub evaluator: String,
    /// The model, or `None` for a comparator.
    pub arm: Option<Arm>,
    /// Measures or the reason why there are none, and notes.
    #[serde(flatten)]
    pub judgement: Judgement,
}

/// What changed from base to tuned on a sample's binary measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flip {
    /// At least one measure got worse and none better.
    Harmful,
    /// Some got worse, some better.
    Mixed,
    /// At least one got better and none worse.
    Beneficial,
    /// Nothing.
    #[default]
    None,
}
