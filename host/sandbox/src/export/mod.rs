//! What plugins can export, one file per WIT interface: the calls, and the checks of what comes back.

pub(crate) mod comparator;
pub(crate) mod evaluator;
mod judgement;
pub(crate) mod template;
pub(crate) mod validator;
