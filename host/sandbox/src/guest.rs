//! The functions of an interface in an instance. They are found by their types, so a component whose function takes or
//! gives something else is refused before its first call.

use crate::bindings::exports::diapason::plugin::{about, chat_template, comparator, evaluator, validator};
use crate::interface::Capability;
use crate::state::State;
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Result, Store};

/// Finds an interface's functions in an instance.
pub(crate) type Connect<G> = fn(&InstancePre<State>, &mut Store<State>, &Instance) -> Result<G>;

macro_rules! connect {
    ($($interface:ident),+) => {$(
        /// Finds this interface's functions.
        pub(crate) fn $interface(
            pre: &InstancePre<State>,
            store: &mut Store<State>,
            instance: &Instance,
        ) -> Result<$interface::Guest> {
            $interface::GuestIndices::new(pre)?.load(store, instance)
        }
    )+};
}

connect!(about, chat_template, validator, evaluator, comparator);

/// Errors if an instance's functions do not have the types that the interface gives them.
pub(crate) fn fits(
    capability: Capability,
    pre: &InstancePre<State>,
    store: &mut Store<State>,
    instance: &Instance,
) -> Result<()> {
    match capability {
        Capability::ChatTemplate => chat_template(pre, store, instance).map(drop),
        Capability::Validator => validator(pre, store, instance).map(drop),
        Capability::Evaluator => evaluator(pre, store, instance).map(drop),
        Capability::Comparator => comparator(pre, store, instance).map(drop),
    }
}
