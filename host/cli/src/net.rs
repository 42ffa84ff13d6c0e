//! The last net: whatever goes wrong, the program ends with a code that it promises and a screen that says why.
//!
//! Commands run on a thread with a stack of their own, so deep that nothing that the readers let in exhausts it. A panic
//! behind [`diapason_disk::foreign`]'s door is an error already; any other one is a fault of ours and is reported so.

use crate::exit::Exit;
use crate::ui::{Format, Ui};
use diapason_core::Error;
use diapason_disk::foreign;
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Bytes of the stack. Only what is used is ever taken.
const STACK: usize = 256 << 20;

/// Who speaks for the command.
static UI: OnceLock<Ui> = OnceLock::new();

/// What the last panic said.
static SAID: Mutex<String> = Mutex::new(String::new());

/// Runs `body` and gives its exit code, or 4 where it panics.
pub(crate) fn caught(body: fn() -> ExitCode) -> ExitCode {
    std::panic::set_hook(Box::new(note));
    let thread = std::thread::Builder::new().name("diapason".into()).stack_size(STACK).spawn(body);
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => fault(),
        // A system that grants no such stack may grant the main thread's.
        Err(_) => std::panic::catch_unwind(body).unwrap_or_else(|_| fault()),
    }
}

/// Names who speaks for the command from now on.
pub(crate) fn speaks(ui: &Ui) {
    let _ = UI.set(ui.clone());
}

fn note(panic: &PanicHookInfo<'_>) {
    if !foreign::is_inside() {
        let place = panic.location().map(|place| format!(" ({}:{})", place.file(), place.line())).unwrap_or_default();
        let said = format!("{}{place}", foreign::said(panic.payload()));
        *SAID.lock().unwrap_or_else(PoisonError::into_inner) = said;
    }
}

fn fault() -> ExitCode {
    let said = SAID.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let error = Error::run("this is a fault in Diapason")
        .because(said)
        .hint("please report it with this message, the command and the files that it read");
    UI.get().cloned().unwrap_or_else(|| Ui::new(Format::Human, false)).error(&error);
    Exit::Error.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_in_the_code_of_an_error() {
        let before = std::panic::take_hook();
        let code = caught(|| if std::hint::black_box(true) { panic!("a fault of ours") } else { ExitCode::SUCCESS });
        std::panic::set_hook(before);
        assert_eq!(code, ExitCode::from(4));
        assert!(SAID.lock().is_ok_and(|said| said.starts_with("a fault of ours (") && said.contains("net.rs")));
    }

    /// Half a megabyte in each of four hundred frames: more than a main thread has.
    #[test]
    fn the_stack_is_deep() {
        fn deep(left: usize) -> usize {
            let room = std::hint::black_box([left as u8; 400_000]);
            if left == 0 { usize::from(room[3]) } else { deep(left - 1) + usize::from(room[left]) }
        }
        let before = std::panic::take_hook();
        let code = caught(|| if deep(400) > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        std::panic::set_hook(before);
        assert_eq!(code, ExitCode::SUCCESS);
    }
}
