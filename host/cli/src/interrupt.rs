//! Ctrl-C: while a model is trained it asks for the state to be saved, otherwise it ends the program.

use diapason_core::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static TRAINING: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicBool = AtomicBool::new(false);

/// What a shell reports of a program that Ctrl-C ended.
const STATUS: i32 = 130;

/// Takes Ctrl-C and SIGTERM over for the whole program.
///
/// # Errors
/// The system refuses.
pub(crate) fn install() -> Result<()> {
    let handle = || {
        if !TRAINING.load(Ordering::SeqCst) || ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(STATUS);
        }
    };
    ctrlc::set_handler(handle).map_err(|source| Error::run("failed to watch for Ctrl-C").because(source))
}

/// Calls `body`, during which Ctrl-C only raises a flag: the first time, at least.
pub(crate) fn while_training<T>(body: impl FnOnce(&'static dyn Fn() -> bool) -> T) -> T {
    ASKED.store(false, Ordering::SeqCst);
    TRAINING.store(true, Ordering::SeqCst);
    let result = body(&asked);
    TRAINING.store(false, Ordering::SeqCst);
    result
}

fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
