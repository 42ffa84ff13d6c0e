//! Guests that misbehave while they are called. Each becomes an error that names plugin, version, call, sample and cause,
//! and leaves the host able to go on.

use crate::guest::{self, ENGINE, limits, observation, observations, values};
use diapason_core::config::Limits;
use diapason_core::{Class, Error};
use diapason_sandbox::Plugin;
use std::time::{Duration, Instant};

/// The error of scoring 40 samples of which the one called `x9` makes the guest misbehave.
fn guilty(file: &str) -> Error {
    let plugin = guest::plugin(&format!("hostile/{file}.wat"));
    let mut observed = observations(40);
    observed[23] = observation("x9", "Paris");
    let mut evaluator = guest::evaluator(&plugin);
    let error = evaluator.score(&observed).unwrap_err();
    observed.remove(23);
    assert_eq!(values(&evaluator.score(&observed).unwrap()), [1.0; 39], "the evaluator can still be used");
    error
}

fn assert_guilty(file: &str, cause: &str, hint: &str) {
    let error = guilty(file);
    let expected = format!("plugin test-guest 1.2.3 failed in evaluator.score at sample x9: {cause}");
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.class(), Class::Plugin);
    assert!(error.hint_text().unwrap().contains(hint), "{:?}", error.hint_text());
}

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    assert_guilty("loops", "out of fuel: it did not end within 2000000 instructions", "raise limits.fuel");
}

#[test]
fn unreachable_code() {
    assert_guilty("unreachable", "it panicked (unreachable code was reached)", "fault of the plugin");
}

#[test]
fn deep_recursion_is_a_trap_and_no_crash() {
    let limits = Limits { fuel: 1_000_000_000, ..limits() };
    let plugin = Plugin::from_bytes(&ENGINE, "deep", &guest::module("hostile/recurses.wat"), &limits).unwrap();
    // On a thread with Rust's default stack of 2 MiB, the smallest that the host calls plugins from.
    let score = move || guest::evaluator(&plugin).score(&[observation("a", ""), observation("x1", "")]).unwrap_err();
    let error = std::thread::spawn(score).join().unwrap().to_string();
    assert!(error.ends_with("at sample x1: stack overflow: it recursed too deeply"), "{error}");
}

#[test]
fn memory_is_capped() {
    assert_guilty("hoards", "out of memory: it needs more than 8 MiB", "raise limits.memory");
}

#[test]
fn tables_are_capped() {
    assert_guilty("tables", "out of memory: its tables need more than 1048576 elements", "limits.memory");
}

#[test]
fn reading_outside_of_memory() {
    assert_guilty("wild", "wasm trap: out of bounds memory access", "fault of the plugin");
}

#[test]
fn a_value_that_is_no_number() {
    assert_guilty("nan", "measure m is NaN, expected a finite number", "fault of the plugin");
}

#[test]
fn a_refusal_of_a_batch_is_pinned_on_its_sample() {
    assert_guilty("refuses", "refused", "the plugin refused this itself");
}

#[test]
fn too_few_results() {
    let error = guest::evaluator(&guest::plugin("hostile/drops.wat")).score(&observations(3)).unwrap_err();
    assert!(error.to_string().ends_with("at sample a0 to sample a2: 0 results for 3 inputs"), "{error}");
}

#[test]
fn a_result_that_is_too_large() {
    let error = guest::evaluator(&guest::plugin("hostile/floods.wat")).score(&observations(1)).unwrap_err();
    assert!(error.to_string().ends_with("at sample a0: its result is larger than 2 MiB"), "{error}");
    assert!(error.hint_text().unwrap().contains("limits.output"));
    let roomy = Limits { output: 4, ..limits() };
    let plugin = Plugin::from_bytes(&ENGINE, "floods", &guest::module("hostile/floods.wat"), &roomy).unwrap();
    let error = guest::evaluator(&plugin).score(&observations(1)).unwrap_err();
    assert!(
        error.to_string().ends_with("its reason for no score has 3145728 bytes, at most 16384 are kept"),
        "{error}"
    );
}

#[test]
fn a_result_outside_of_memory() {
    let error = guest::evaluator(&guest::plugin("hostile/claims.wat")).score(&observations(1)).unwrap_err();
    assert!(error.to_string().ends_with("at sample a0: list pointer/length out of bounds of memory"), "{error}");
}

#[test]
fn a_flood_of_log_lines_is_ended() {
    let limits = Limits { fuel: u64::MAX / 1000, ..limits() };
    let plugin = Plugin::from_bytes(&ENGINE, "shouts", &guest::module("hostile/shouts.wat"), &limits).unwrap();
    let error = guest::evaluator(&plugin).score(&observations(1)).unwrap_err();
    assert!(error.to_string().ends_with("it passed more than 2 MiB to the host"), "{error}");
}

/// With next to no limit on fuel, the clock ends a call.
#[test]
fn the_clock_is_the_backstop() {
    let limits = Limits { fuel: u64::MAX / 1000, seconds: 1, ..limits() };
    let plugin = Plugin::from_bytes(&ENGINE, "loops", &guest::module("hostile/loops.wat"), &limits).unwrap();
    let start = Instant::now();
    let error = guest::evaluator(&plugin).score(&[observation("x1", "")]).unwrap_err();
    assert!(error.to_string().ends_with("out of time: it took more than 1 s"), "{error}");
    assert!(start.elapsed() > Duration::from_millis(900) && start.elapsed() < Duration::from_secs(30));
}
