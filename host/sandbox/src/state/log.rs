//! What an instance may still write to the run's log, in number and size. Has no effect on results.

use diapason_core::event::{Event, Sink};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Lines that one call may write.
const LINES: usize = 100;

/// Lines that a plugin may write in all calls of a run together.
const TOTAL_LINES: usize = 10_000;

/// Bytes of one line; the rest is cut.
const LINE_BYTES: usize = 4096;

/// Lines that a plugin may still write in this run, whichever instance writes them.
#[derive(Clone)]
pub(crate) struct RunBudget(Arc<AtomicUsize>);

impl Default for RunBudget {
    fn default() -> Self {
        Self(Arc::new(AtomicUsize::new(TOTAL_LINES)))
    }
}

/// What one instance may still write, and where it goes.
pub(crate) struct Log {
    plugin: String,
    sink: Arc<dyn Sink>,
    run: RunBudget,
    /// Calls that are repeated to find the guilty sample do not write their lines a second time.
    muted: bool,
    left: usize,
    dropped: usize,
}

impl Log {
    pub(super) fn new(plugin: &str, sink: Arc<dyn Sink>, run: RunBudget) -> Self {
        Self { plugin: plugin.into(), sink, run, muted: false, left: LINES, dropped: 0 }
    }

    /// Starts a call: what it may write is whole again.
    pub(super) fn begin_call(&mut self) {
        (self.muted, self.left, self.dropped) = (false, LINES, 0);
    }

    /// Keeps this call's lines out of the log.
    pub(crate) fn mute(&mut self, muted: bool) {
        self.muted = muted;
    }

    /// Ends a call: says how many lines were left out, if any were and the plugin may still write.
    pub(super) fn end_call(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 && self.run.0.load(Ordering::Relaxed) > 0 {
            self.emit("warn", format!("… and {dropped} more lines in this call"));
        }
    }

    /// Writes a line, if there may be one more.
    pub(crate) fn write(&mut self, level: &str, message: String) {
        if !self.take() {
            return;
        }
        match self.run.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
            // The last line says that it is the last.
            Ok(1) => {
                let last = format!("… its further lines are left out: a plugin writes at most {TOTAL_LINES} in a run");
                self.emit("warn", last);
            }
            Ok(_) => self.emit(level, cut(message)),
            Err(_) => {}
        }
    }

    fn take(&mut self) -> bool {
        if self.muted {
            return false;
        }
        if self.left == 0 {
            self.dropped += 1;
            return false;
        }
        self.left -= 1;
        true
    }

    fn emit(&self, level: &str, message: String) {
        self.sink.emit(&Event::PluginLog { plugin: self.plugin.clone(), level: level.into(), message });
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
