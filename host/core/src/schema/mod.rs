//! Documents against JSON Schemas: what is wrong, where, and what to do about it. Schemas may be foreign, so their work is
//! bounded.

mod bounds;
mod nearest;
mod problems;
mod settings;

pub use nearest::{did_you_mean, nearest};
pub use problems::{Problem, problems};
pub use settings::{check_schema, check_settings, settings_problems};
