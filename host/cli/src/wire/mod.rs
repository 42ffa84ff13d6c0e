//! Joins the crates: plugins from `diapason-sandbox`, models from `diapason-model`, seams from `diapason-core`.

mod defaults;
mod judge;
mod literal;
mod model;
pub(crate) mod origin;
mod plugins;
mod template;
mod unwritten;

pub(crate) use judge::{LateJudge, LateTokenizer};
pub(crate) use literal::{Literal, unmarked};
pub(crate) use model::{digests_of, files, joined, open, outline};
pub(crate) use origin::Origin;
pub(crate) use plugins::{Plugins, built_in_digest, component_digest};
pub(crate) use template::Renderer;
pub(crate) use unwritten::{Kind, Loss};
