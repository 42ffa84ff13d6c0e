//! `[limits]`: what a plugin's call may use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits of plugin calls: the same on every machine, so that a verdict does not depend on one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// wasmtime fuel for each row or sample of a call, for each 16 turns of a conversation that is rendered, and once for the
    /// call: about one unit an instruction.
    #[schemars(range(min = 1_000_000, max = 1_000_000_000_000_u64))]
    pub fuel: u64,
    /// Memory of an instance in MiB.
    #[schemars(range(min = 1, max = 4096))]
    pub memory: u64,
    /// Size of what one call may return, in MiB.
    #[schemars(range(min = 1, max = 4096))]
    pub output: u64,
    /// Size of all that one use of a plugin may return over a run, in MiB: judgements, findings, requests, rendered text.
    /// What it was given counts sixteen times on top, so that large datasets need no larger limit.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub total_output: u64,
    /// Wall time of one call in seconds: only a backstop behind the fuel.
    #[schemars(range(min = 1, max = 86_400))]
    pub seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { fuel: 1_000_000_000, memory: 256, output: 64, total_output: 256, seconds: 120 }
    }
}
