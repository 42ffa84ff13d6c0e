//! Ctrl-C: while a model is trained or asked it raises a flag, so that what is done is kept; otherwise it ends the program.

use diapason_core::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static GENTLE: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicBool = AtomicBool::new(false);

/// What a shell reports of a program that Ctrl-C ended.
const STATUS: i32 = 130;

/// Takes Ctrl-C and SIGTERM over for the whole program.
///
/// # Errors
/// The system refuses.
pub(crate) fn install() -> Result<()> {
    let handle = || {
        if !GENTLE.load(Ordering::SeqCst) || ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(STATUS);
        }
    };
    ctrlc::set_handler(handle).map_err(|source| Error::run("failed to watch for Ctrl-C").because(source))
}

/// Calls `body`, during which Ctrl-C only raises a flag: the first time, at least.
pub(crate) fn gently<T>(body: impl FnOnce(&'static dyn Fn() -> bool) -> T) -> T {
    ASKED.store(false, Ordering::SeqCst);
    GENTLE.store(true, Ordering::SeqCst);
    let result = body(&asked);
    GENTLE.store(false, Ordering::SeqCst);
    result
}

fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
