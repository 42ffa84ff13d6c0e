//! What plugins can import, one file per WIT interface.

mod log;
mod model;
mod tokenizer;

use crate::bindings::diapason::plugin as wit;
use crate::state::State;
use wasmtime::component::{HasSelf, Linker};

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
