//! What the host keeps for one instance: its limits, and what its imports reach.

mod log;

use crate::grants::Grants;
use crate::size::ITEM;
use diapason_core::config::Limits;
use std::fmt;
use std::time::{Duration, Instant};
use wasmtime::ResourceLimiter;

pub(crate) use log::{Log, RunBudget};

/// Core instances, tables and memories of one component. A component of one module has about three instances; one of a
/// scripting language's runtime some thirty.
const INSTANCES: usize = 100;

/// Elements of all tables of an instance together.
const TABLE_ELEMENTS: usize = 1 << 20;

/// The data of a store.
pub(crate) struct State {
    pub(crate) log: Log,
    grants: Grants,
    memory: Memory,
    /// Bytes that this call may still pass to imports.
    passing: usize,
    output: usize,
    /// Time that the host's own work took out of this call's wall time.
    hosted: Duration,
}

impl State {
    pub(crate) fn new(plugin: &str, grants: Grants, limits: &Limits, lines: &RunBudget) -> Self {
        let output = bytes(limits.output);
        Self {
            log: Log::new(plugin, grants.sink.clone(), lines.clone()),
            grants,
            memory: Memory { limit: bytes(limits.memory), used: 0, elements: 0 },
            passing: output,
            output,
            hosted: Duration::ZERO,
        }
    }

    /// Starts a call: what it may log and pass is whole again.
    pub(crate) fn begin_call(&mut self) {
        self.log.begin_call();
        self.passing = self.output;
        self.hosted = Duration::ZERO;
    }

    /// Ends a call.
    pub(crate) fn end_call(&mut self) {
        self.log.end_call();
    }

    pub(crate) fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.memory
    }

    /// Accounts for `sizes`, in bytes, of the items that an import was given.
    pub(crate) fn pass(&mut self, sizes: impl IntoIterator<Item = usize>) -> wasmtime::Result<()> {
        for size in sizes {
            self.passing = self.passing.checked_sub(size + ITEM).ok_or(Exceeded::Passed(self.output))?;
        }
        Ok(())
    }

    /// Does work of the host's own, which is not the guest's time.
    pub(crate) fn host<R>(&mut self, work: impl FnOnce(&Grants) -> R) -> R {
        let start = Instant::now();
        let result = work(&self.grants);
        self.hosted += start.elapsed();
        result
    }

    /// The host's own time since this was last asked.
    pub(crate) fn take_hosted(&mut self) -> Duration {
        std::mem::take(&mut self.hosted)
    }
}

/// A limit that a guest ran into, as the cause of its trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    /// Bytes of memory.
    Memory(usize),
    /// Elements of tables.
    Table(usize),
    /// Bytes passed to imports.
    Passed(usize),
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(limit) => write!(f, "out of memory: it needs more than {} MiB", limit >> 20),
            Self::Table(limit) => write!(f, "out of memory: its tables need more than {limit} elements"),
            Self::Passed(limit) => write!(f, "it passed more than {} MiB to the host", limit >> 20),
        }
    }
}

impl std::error::Error for Exceeded {}

/// Counts all memories and all tables of an instance together; wasmtime's own `StoreLimits` limits each one apart. A
/// refused growth is a trap rather than a -1, so that the message names the limit and not what the guest made of it.
struct Memory {
    limit: usize,
    used: usize,
    elements: usize,
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            return Err(Exceeded::Memory(self.limit).into());
        }
        if maximum.is_none_or(|maximum| desired <= maximum) {
            self.used = used;
        }
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let elements = self.elements.saturating_add(desired.saturating_sub(current));
        if elements > TABLE_ELEMENTS {
            return Err(Exceeded::Table(TABLE_ELEMENTS).into());
        }
        if maximum.is_none_or(|maximum| desired <= maximum) {
            self.elements = elements;
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        INSTANCES
    }

    fn memories(&self) -> usize {
        INSTANCES
    }
}

/// MiB to bytes.
pub(crate) fn bytes(mebibytes: u64) -> usize {
    usize::try_from(mebibytes).unwrap_or(usize::MAX).saturating_mul(1 << 20)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn memories_count_together_and_a_declared_maximum_is_the_guests_own() {
        let mut memory = Memory { limit: 100, used: 0, elements: 0 };
        assert!(memory.memory_growing(0, 60, None).unwrap());
        assert!(memory.memory_growing(0, 40, Some(30)).unwrap(), "wasmtime refuses it, and it is not counted");
        assert!(memory.memory_growing(0, 40, None).unwrap());
        let error = memory.memory_growing(40, 41, None).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Exceeded::Memory(100)));
    }

    #[test]
    fn empty_items_passed_to_imports_are_limited_too() {
        let limits = Limits { output: 1, ..Limits::default() };
        let mut state = State::new("p", Grants::default(), &limits, &RunBudget::default());
        state.pass([1 << 19, 0, 0]).unwrap();
        let error = state.pass(std::iter::repeat_n(0, 1 << 14)).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Exceeded::Passed(1 << 20)));
        state.begin_call();
        state.pass([1 << 19]).unwrap();
    }
}
