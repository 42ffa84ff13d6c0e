//! What plugins can import, one file per WIT interface.

pub(crate) mod log;
mod model;
mod tokenizer;

use crate::bindings::diapason::plugin as wit;
use crate::component::Permission;
use crate::state::State;
use diapason_core::event::{Silent, Sink};
use diapason_core::language_model::{Judge, Tokenizer};
use std::sync::{Arc, Mutex};
use wasmtime::component::{HasSelf, Linker};

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

/// Everything that can be imported. Whether it may be used is decided by the grants, call by call.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wit::types::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    wit::log::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    wit::tokenizer::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    wit::model::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
    Ok(linker)
}

impl wit::types::Host for State {}
