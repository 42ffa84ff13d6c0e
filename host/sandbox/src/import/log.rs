//! `log`: lines for the run's log, bounded in number and size. Has no effect on results.

use crate::bindings::diapason::plugin::log::{Host, Level};
use crate::state::State;
use diapason_core::event::{Event, Sink};

/// Lines that one call may write.
const LINES: usize = 100;

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

    /// Says how many lines were left out, if any were.
    pub(crate) fn close(&mut self, plugin: &str, sink: &dyn Sink) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            emit(sink, plugin, "warn", format!("… and {dropped} more lines in this call"));
        }
    }
}

impl Host for State {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.pass([message.len()])?;
        if self.log.take() {
            emit(&*self.grants.sink, &self.plugin, name(level), cut(message));
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
