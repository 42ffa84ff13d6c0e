//! What the host lets a plugin use.

use crate::interface::Permission;
use diapason_core::event::{Silent, Sink};
use diapason_core::language_model::{Judge, Tokenizer};
use std::sync::{Arc, Mutex};

/// What a plugin gets when it asks for it by importing it.
#[derive(Clone)]
pub struct Grants {
    /// For `tokenizer`: the tokenizer of the model under evaluation.
    pub tokenizer: Option<Arc<dyn Tokenizer>>,
    /// For `model`: the judge.
    pub judge: Option<Arc<Mutex<dyn Judge>>>,
    /// Where `log` goes.
    pub sink: Arc<dyn Sink>,
}

impl Default for Grants {
    fn default() -> Self {
        Self { tokenizer: None, judge: None, sink: Arc::new(Silent) }
    }
}

impl Grants {
    /// Whether a plugin with this permission can be served.
    pub(crate) fn covers(&self, permission: Permission) -> bool {
        match permission {
            Permission::Log => true,
            Permission::Tokenizer => self.tokenizer.is_some(),
            Permission::Model => self.judge.is_some(),
        }
    }
}

impl std::fmt::Debug for Grants {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (tokenizer, judge) = (self.tokenizer.is_some(), self.judge.is_some());
        f.debug_struct("Grants").field("tokenizer", &tokenizer).field("judge", &judge).finish_non_exhaustive()
    }
}
