//! `log`: lines for the run's log, bounded in number and size. Has no effect on results.

use crate::bindings::diapason::plugin::log::{Host, Level};
use crate::state::State;
use diapason_core::event::{Event, Sink};
use std::sync::atomic::Ordering;

/// Lines that one call may write.
const LINES: usize = 100;

/// Lines that a plugin may write in all calls of a run together.
pub(crate) const TOTAL_LINES: usize = 10_000;

/// Bytes of one line; the rest is cut.
const LINE_BYTES: usize = 4096;

/// What one call may still write.
pub(crate) struct LogBudget {
    /// Calls that are repeated to find the guilty sample do not write their lines a second time.
    pub(crate) muted: bool,
    left: usize,
    dropped: usize,
}

impl Default for LogBudget {
    fn default() -> Self {
        Self { muted: false, left: LINES, dropped: 0 }
    }
}

impl LogBudget {
    fn take(&mut self) -> bool {
        match (self.muted, self.left) {
            (true, _) => false,
            (false, 0) => {
                self.dropped += 1;
                false
            }
            (false, _) => {
                self.left -= 1;
                true
            }
        }
    }

    /// Says how many lines were left out, if any were; `left` is what the plugin may still write in this run.
    pub(crate) fn close(&mut self, plugin: &str, left: usize, sink: &dyn Sink) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 && left > 0 {
            emit(sink, plugin, "warn", format!("… and {dropped} more lines in this call"));
        }
    }
}

impl Host for State {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.pass([message.len()])?;
        if !self.log.take() {
            return Ok(());
        }
        match self.lines.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
            // The last line says that it is the last.
            Ok(1) => {
                let last = format!("… its further lines are left out: a plugin writes at most {TOTAL_LINES} in a run");
                emit(&*self.grants.sink, &self.plugin, "warn", last);
            }
            Ok(_) => emit(&*self.grants.sink, &self.plugin, name(level), cut(message)),
            Err(_) => {}
        }
        Ok(())
    }
}

fn emit(sink: &dyn Sink, plugin: &str, level: &str, message: String) {
    sink.emit(&Event::PluginLog { plugin: plugin.into(), level: level.into(), message });
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

fn cut(mut message: String) -> String {
    if message.len() > LINE_BYTES {
        message.truncate(message.floor_char_boundary(LINE_BYTES));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_between_characters() {
        let cut = cut("é".repeat(LINE_BYTES));
        assert_eq!(cut.chars().count(), LINE_BYTES / 2 + 1);
        assert!(cut.ends_with("é…"));
        assert_eq!(super::cut("short".into()), "short");
    }
}
