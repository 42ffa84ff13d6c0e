//! Bytes that began as a component or a module, yet are none.

use diapason_core::Error;

/// What to do about a file that ends too early.
pub(super) const SHORT: &str = "the file is cut short: build or copy it again";

/// Returns the refusal of such a file; `cause` is the validator's.
pub(super) fn damaged(cause: &str) -> Error {
    let hint = if is_short(cause) { SHORT } else { "the file is damaged: build or copy it again" };
    Error::plugin("not a valid WebAssembly component").because(cause.to_owned()).hint(hint)
}

/// Whether a validator's cause is that the file ends too early.
pub(super) fn is_short(cause: &str) -> bool {
    cause.contains("unexpected end")
}
