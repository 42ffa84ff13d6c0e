//! When the next request may go out: so many in a minute, and none while the server wants to be left alone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How soon a sleeper sees that it is to stop.
const NAP: Duration = Duration::from_millis(20);

/// The beat that requests go out in.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    next: Mutex<Instant>,
}

impl Pace {
    /// At most this many requests in a minute, evenly spread; without a number as many as there are.
    pub(crate) fn new(per_minute: Option<u32>) -> Self {
        let interval = per_minute.map_or(Duration::ZERO, |n| Duration::from_secs(60) / n.max(1));
        Self { interval, next: Mutex::new(Instant::now()) }
    }

    /// Waits until a request may go out; `false` if it is told to stop before.
    pub(crate) fn wait(&self, stop: &AtomicBool) -> bool {
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = (*next).max(Instant::now());
            *next = at + self.interval;
            at
        };
        rest(at, stop)
    }

    /// Lets no request out for so long.
    pub(crate) fn hold(&self, wait: Duration) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        *next = (*next).max(Instant::now() + wait);
    }
}

/// Sleeps until then; `false` if it is told to stop before.
pub(crate) fn rest(until: Instant, stop: &AtomicBool) -> bool {
    loop {
        if stop.load(Ordering::SeqCst) {
            return false;
        }
        match until.checked_duration_since(Instant::now()) {
            None | Some(Duration::ZERO) => return true,
            Some(left) => sleep(left.min(NAP)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_spread_and_sleepers_are_woken() {
        let (pace, go) = (Pace::new(Some(3000)), AtomicBool::new(false));
        let start = Instant::now();
        assert!((0..6).all(|_| pace.wait(&go)));
        assert!(start.elapsed() >= Duration::from_millis(100), "five intervals of 20 ms");
        pace.hold(Duration::from_secs(3600));
        assert!(!pace.wait(&AtomicBool::new(true)));
    }
}
