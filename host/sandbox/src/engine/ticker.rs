//! The backstop behind the fuel: a thread that advances the engine's epoch while calls run, so that a call can be
//! stopped by the clock. It plays no part in results: fuel ends a runaway guest first, at the same instruction everywhere.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wasmtime::{Engine, EngineWeak};

const TICK: Duration = Duration::from_millis(50);

/// The thread ends after so many ticks without a call, so a program that has stopped calling plugins has no thread left.
const IDLE_TICKS: u32 = 10;

/// The number of ticks in `seconds`, at least one.
pub(crate) fn ticks(seconds: f64) -> u64 {
    (seconds / TICK.as_secs_f64()).ceil().max(1.0) as u64
}

/// Starts the thread when a call begins and lets it end when none runs.
pub(super) struct Ticker {
    engine: EngineWeak,
    calls: Arc<Mutex<Calls>>,
}

#[derive(Default)]
struct Calls {
    running: usize,
    ticking: bool,
}

/// A call that is going on.
pub(crate) struct Running<'a>(&'a Ticker);

impl Ticker {
    pub(super) fn new(engine: &Engine) -> Self {
        Self { engine: engine.weak(), calls: Arc::default() }
    }

    pub(super) fn run(&self) -> Running<'_> {
        let mut calls = lock(&self.calls);
        calls.running += 1;
        if !calls.ticking {
            let (engine, shared) = (self.engine.clone(), Arc::clone(&self.calls));
            let thread = std::thread::Builder::new().name("epoch".into());
            // Without a thread there is no backstop, but the fuel still ends every call.
            calls.ticking = thread.spawn(move || tick(&engine, &shared)).is_ok();
        }
        Running(self)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        lock(&self.0.calls).running -= 1;
    }
}

fn tick(engine: &EngineWeak, calls: &Mutex<Calls>) {
    let mut idle = 0;
    loop {
        std::thread::sleep(TICK);
        let engine = engine.upgrade();
        let mut calls = lock(calls);
        idle = if calls.running == 0 { idle + 1 } else { 0 };
        match engine {
            Some(engine) if idle < IDLE_TICKS => engine.increment_epoch(),
            _ => {
                calls.ticking = false;
                return;
            }
        }
    }
}

fn lock(calls: &Mutex<Calls>) -> MutexGuard<'_, Calls> {
    // Counts stay true when a caller panics: they are changed in one step.
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(TICK);
        }
    }

    #[test]
    fn the_thread_lives_only_while_calls_run() {
        let engine = Engine::default();
        let ticker = Ticker::new(&engine);
        assert!(!lock(&ticker.calls).ticking);
        for _ in 0..2 {
            let running = (ticker.run(), ticker.run());
            assert!(lock(&ticker.calls).ticking);
            assert_eq!(Arc::strong_count(&ticker.calls), 2, "two calls share one thread");
            drop(running);
            wait_until("the thread ends", || Arc::strong_count(&ticker.calls) == 1);
            assert!(!lock(&ticker.calls).ticking);
        }
    }

    #[test]
    fn the_thread_does_not_outlive_the_engine() {
        let engine = Engine::default();
        let ticker = Ticker::new(&engine);
        let running = ticker.run();
        drop(engine);
        wait_until("the thread ends though a call is still counted", || Arc::strong_count(&ticker.calls) == 1);
        drop(running);
    }

    #[test]
    fn seconds_to_ticks() {
        assert_eq!(ticks(0.0), 1);
        assert_eq!(ticks(120.0), 2400);
    }
}
