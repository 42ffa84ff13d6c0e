//! Write Diapason plugins in ordinary Rust.
//!
//! A plugin is a struct with its settings inside and one of four traits: [`Evaluator`], [`Comparator`], [`Validator`]
//! or [`ChatTemplate`]. [`plugin!`] exports it; the plugin's name, version and summary are those of its `Cargo.toml`,
//! and the schema of its settings is derived from the settings' type. Nobody who writes a plugin sees WIT.
//!
//! ```
//! use diapason_plugin::{Evaluator, Judgement, MeasureInfo, Observation, Result};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Settings {
//!     /// The longest answer that counts as short, in bytes.
//!     limit: usize,
//! }
//!
//! struct Short(Settings);
//!
//! impl Evaluator for Short {
//!     type Settings = Settings;
//!
//!     fn new(settings: Settings) -> Result<Self> {
//!         Ok(Self(settings))
//!     }
//!
//!     fn measures(&self) -> Vec<MeasureInfo> {
//!         vec![MeasureInfo::binary("short", "answers within the limit")]
//!     }
//!
//!     fn score(&self, observation: &Observation) -> Result<Judgement> {
//!         Ok(Judgement::passes("short", observation.answer()?.len() <= self.0.limit))
//!     }
//! }
//!
//! diapason_plugin::plugin! { evaluator: Short }
//! # fn main() {}
//! ```
//!
//! A plugin has no clock, no randomness, no file and no network; what it may use beyond its arguments is in [`log`],
//! [`tokenizer`] and [`model`], and using one of them is asking for the permission.

pub mod bindings;
#[cfg(not(target_family = "wasm"))]
pub mod cases;
pub mod json;
pub mod log;
pub mod model;
pub mod reasoning;
pub mod tokenizer;

mod chat_template;
mod comparator;
mod evaluator;
mod export;
mod instance;
mod types;
mod validator;

pub use chat_template::{ChatTemplate, Conversation, Segment};
pub use comparator::{Comparator, Pair, Side};
pub use evaluator::{Evaluator, Observation, Request};
use export::Exported;
pub use reasoning::Reasoning;
pub use types::{Completion, Finish, Judgement, Likelihood, Measure, MeasureInfo, Message, Outcome, Sample};
pub use validator::{Finding, Row, Severity, Validator};

/// What a plugin's functions give: an error is a fragment in lower case that says what failed and why.
///
/// An error ends the whole call, and with it the run. A sample that cannot be scored is not an error:
/// see [`Judgement::unscored`].
pub type Result<T> = std::result::Result<T, String>;

/// What [`plugin!`] needs and plugins do not.
#[doc(hidden)]
pub mod glue {
    pub use crate::export::{Exported, description};
}
