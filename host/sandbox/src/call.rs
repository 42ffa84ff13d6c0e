//! One call into an instance: what it may use, and why it gave no result.

use crate::engine::ticks;
use crate::state::{Exceeded, State, bytes};
use diapason_core::config::Limits;
use wasmtime::{Store, Trap, UpdateDeadline};

/// Why a call gave no result.
pub(crate) enum Failure {
    /// The guest returned an error.
    Refused(String),
    /// The guest trapped; its instance is gone.
    Trapped {
        /// Why.
        cause: String,
        /// What to do about it.
        hint: String,
    },
    /// The guest returned something, but not one result for each input.
    Count {
        /// Results.
        given: usize,
        /// Inputs.
        expected: usize,
    },
}

/// A store with this plugin's limits.
pub(crate) fn store(engine: &wasmtime::Engine, state: State, limits: &Limits) -> wasmtime::Result<Store<State>> {
    let mut store = Store::new(engine, state);
    store.limiter(State::limiter);
    store.set_hostcall_fuel(bytes(limits.output));
    store.epoch_deadline_callback(|mut context| {
        // The judge's time is not the plugin's: give back what it took before calling the plugin too slow.
        let hosted = context.data_mut().take_hosted();
        let owed = if hosted.is_zero() { 0 } else { ticks(hosted.as_secs_f64()) };
        Ok(if owed > 1 { UpdateDeadline::Continue(owed) } else { UpdateDeadline::Interrupt })
    });
    begin(&mut store, limits, limits.fuel)?;
    Ok(store)
}

/// Fills up what a call may use.
pub(crate) fn begin(store: &mut Store<State>, limits: &Limits, fuel: u64) -> wasmtime::Result<()> {
    store.data_mut().begin_call();
    store.set_epoch_deadline(ticks(limits.seconds as f64));
    store.set_fuel(fuel)
}

/// The fuel of a call with so many items.
pub(crate) fn fuel(limits: &Limits, items: usize) -> u64 {
    limits.fuel.saturating_mul((items as u64).saturating_add(1))
}

/// Names the limit or the fault behind a trap.
pub(crate) fn trapped(error: &wasmtime::Error, limits: &Limits, fuel: u64) -> Failure {
    const BUG: &str = "this is a fault of the plugin: report it to its author";
    let limit =
        |key: &str| format!("raise limits.{key} if the plugin is known to need more; otherwise this is its fault");
    let (cause, hint) = match (error.downcast_ref::<Exceeded>(), error.downcast_ref::<Trap>()) {
        (Some(exceeded @ Exceeded::Passed(_)), _) => (exceeded.to_string(), limit("output")),
        (Some(exceeded), _) => (exceeded.to_string(), limit("memory")),
        (_, Some(Trap::OutOfFuel)) => {
            (format!("out of fuel: it did not end within {fuel} instructions"), limit("fuel"))
        }
        (_, Some(Trap::Interrupt)) => {
            (format!("out of time: it took more than {} s", limits.seconds), limit("seconds"))
        }
        (_, Some(Trap::StackOverflow)) => ("stack overflow: it recursed too deeply".into(), BUG.into()),
        (_, Some(Trap::UnreachableCodeReached)) => ("it panicked (unreachable code was reached)".into(), BUG.into()),
        (_, Some(trap)) => (trap.to_string(), BUG.into()),
        // wasmtime keeps the type of this one to itself.
        _ if error.root_cause().to_string().contains("fuel allocated for hostcalls") => {
            (format!("its result is larger than {} MiB", limits.output), limit("output"))
        }
        _ => (error.root_cause().to_string(), BUG.into()),
    };
    Failure::Trapped { cause, hint }
}
