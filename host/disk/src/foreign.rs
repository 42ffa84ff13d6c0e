//! The one door through which foreign bytes come in: whatever a reader does with them, it ends in a result.
//!
//! Readers check first and return errors. Behind the door a reader that panics all the same, our own or a library's,
//! ends in an error that names what it read. Who runs the program gives it a stack that the readers' depth cannot
//! exhaust (`diapason-cli`'s `net`), and keeps its panic hook silent while [`is_inside`].

use diapason_core::{Error, Result};
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is reading foreign bytes: a panic is then turned into an error, and nothing needs to be printed.
pub fn is_inside() -> bool {
    DEPTH.get() > 0
}

/// Reads something foreign, called `what` in messages.
///
/// # Errors
/// What `read` returns, never without a hint; with [`diapason_core::Class::Data`] where it panics.
pub fn guarded<T>(what: impl std::fmt::Display, read: impl FnOnce() -> Result<T>) -> Result<T> {
    DEPTH.set(DEPTH.get() + 1);
    // What `read` left half-done is never seen: the callers give up what they were making.
    let done = catch_unwind(AssertUnwindSafe(read));
    DEPTH.set(DEPTH.get() - 1);
    let done = done.unwrap_or_else(|payload| {
        let cause = format!("its reader gave up on it: {}", said(payload.as_ref()));
        Err(Error::data(format!("failed to read {what}")).because(cause))
    });
    done.map_err(|error| if error.hint_text().is_none() { error.hint(DAMAGED) } else { error })
}

/// What to do where nobody knows better.
const DAMAGED: &str = "the content is damaged or not what it says it is; fetch or write it again";

/// What a panic said.
pub fn said(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it did not say why")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use diapason_core::Class;

    #[test]
    fn a_panic_becomes_an_error_that_names_what_was_read() {
        let error = guarded("a.json", || {
            assert!(is_inside());
            let bytes: Vec<u8> = Vec::new();
            Ok(bytes[std::hint::black_box(3)])
        });
        let error = error.unwrap_err();
        assert_eq!(error.class(), Class::Data);
        assert!(error.to_string().starts_with("failed to read a.json: its reader gave up on it: index out"), "{error}");
        assert!(error.hint_text().is_some() && !is_inside());
    }

    #[test]
    fn what_ends_well_or_in_an_error_passes() {
        assert_eq!(guarded("a", || guarded("b", || Ok(1))).unwrap(), 1);
        let error = guarded("a", || guarded("b", || Err::<(), _>(Error::config("no")))).unwrap_err();
        assert_eq!((error.class(), error.to_string().as_str()), (Class::Config, "no"));
        assert!(error.hint_text().is_some(), "nothing comes out without a hint");
    }
}
