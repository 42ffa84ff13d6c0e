//! The one door through which foreign bytes come in: what reads them runs on a thread of its own, whose stack has a known
//! size, and where a panic ends in an error.

use diapason_core::{Error, Result};
use std::thread;

/// Names the thread. Panics of threads whose name begins so are reported as errors, not printed.
const THREAD: &str = "guarded plugin loader";

/// The tools recurse over types, whose nesting the survey bounds; this is many times what that takes. Only what is used
/// of it becomes memory.
const STACK: usize = 256 << 20;

/// Does `work`, and makes an error of a panic in it.
pub(super) fn guarded<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().name(THREAD.into()).stack_size(STACK);
        match thread.spawn_scoped(scope, work) {
            Ok(running) => running.join().unwrap_or_else(|panic| Err(panicked(&*panic))),
            Err(source) => Err(Error::run("failed to start a thread").because(source)),
        }
    })
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Error::plugin("the WebAssembly tools fail on this file")
        .because(text.unwrap_or("no reason given").to_owned())
        .hint("the file is damaged, or no compiler made it: build or copy it again")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn deep(n: usize) -> usize {
        if n == 0 { 0 } else { 1 + std::hint::black_box(deep(n - 1)) }
    }

    #[test]
    fn a_panic_is_an_error_and_deep_recursion_has_room() {
        let error = guarded::<()>(|| panic!("range end index {}", 621)).unwrap_err();
        assert!(error.to_string().ends_with("fail on this file: range end index 621"), "{error}");
        assert_eq!(error.class(), diapason_core::Class::Plugin);
        assert_eq!(guarded(|| Ok(deep(500_000))).unwrap(), 500_000);
    }
}
