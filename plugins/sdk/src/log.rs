//! The run's log. Writing to it has no effect on any result.

pub use crate::bindings::about::diapason::plugin::log::Level;

/// Adds a line at level `debug`.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Adds a line at level `info`.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Adds a line at level `warn`.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Adds a line at level `error`.
pub fn error(message: &str) {
    write(Level::Error, message);
}

/// Adds a line. Outside of the sandbox, in a plugin's own tests, it goes to standard error.
#[cfg(target_family = "wasm")]
pub fn write(level: Level, message: &str) {
    crate::bindings::about::diapason::plugin::log::write(level, message);
}

/// Adds a line. Outside of the sandbox, in a plugin's own tests, it goes to standard error.
#[cfg(not(target_family = "wasm"))]
#[allow(clippy::print_stderr)]
pub fn write(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
}
