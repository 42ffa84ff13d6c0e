//! What happens while a run goes on. Stages emit events; renderers speak. The same event reaches the progress bar and
//! `train.jsonl`.

use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A stage began; `total` counts its units where that is known.
    StageStarted {
        /// For a reader: `train`, `generate base`.
        stage: String,
        /// Number of units of work.
        total: Option<u64>,
    },
    /// `done` units of the current stage are finished.
    Progress {
        /// Units finished so far.
        done: u64,
    },
    /// The stage ended.
    StageEnded {
        /// The stage's name.
        stage: String,
        /// One line about what came of it.
        summary: String,
    },
    /// The number of parameters that training will change.
    Trainable {
        /// Parameters that get a gradient.
        trainable: u64,
        /// All parameters.
        total: u64,
    },
    /// An optimizer step was taken.
    Step(Step),
    /// A run that broke off goes on.
    Resumed {
        /// Steps that it had taken.
        step: u64,
        /// Steps in the whole run.
        steps: u64,
    },
    /// The model under training was looked at.
    Evaluated {
        /// Steps taken so far.
        step: u64,
        /// `loss` of the held-out rows in nats, or `suite.plugin.measure`.
        metric: String,
        /// The value.
        value: f64,
    },
    /// Something worth saying that is not an error.
    Warning {
        /// The text.
        message: String,
    },
    /// A plugin wrote to the log.
    PluginLog {
        /// The plugin's id.
        plugin: String,
        /// `debug`, `info`, `warn` or `error`.
        level: String,
        /// The text.
        message: String,
    },
}

/// One optimizer step, as written to `train.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// From 1.
    pub step: u64,
    /// Steps in the whole run.
    pub steps: u64,
    /// Passes over the data, with the fraction of the current one.
    pub epoch: f64,
    /// Mean cross-entropy over the step's supervised tokens, in nats.
    pub loss: f64,
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// L2 norm of all gradients before clipping.
    pub gradient_norm: f64,
    /// Tokens that went through the model in this step, padding not counted.
    pub tokens: u64,
    /// Supervised tokens of this step.
    pub supervised: u64,
    /// Wall time of this step in seconds; the only field that differs between two runs with the same seed.
    pub seconds: f64,
}

/// Receives events.
pub trait Sink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: &Event);
}

/// Drops every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Sink for Silent {
    fn emit(&self, _: &Event) {}
}

impl<F: Fn(&Event) + Send + Sync> Sink for F {
    fn emit(&self, event: &Event) {
        self(event);
    }
}
