//! Joins the crates: plugins from `diapason-sandbox`, models from `diapason-models`, seams from `diapason-core`.

mod defaults;
mod judge;
mod literal;
mod model;
pub(crate) mod origin;
mod plain;
mod plugins;
mod template;
mod unwritten;

pub(crate) use judge::{LateJudge, LateTokenizer};
pub(crate) use literal::{Literal, unmarked};
pub(crate) use model::{digests_of, files, joined, left_out, open, outline, untied};
pub(crate) use origin::Origin;
pub(crate) use plugins::{Plugins, built_in_digest, component_digest};
pub(crate) use template::Renderer;
pub(crate) use unwritten::{Kind, Loss};

/// The setting that chooses one of a model's several templates.
pub(crate) const TEMPLATE_NAME: &str = "template_name";
