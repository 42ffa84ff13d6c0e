//! Small files that would keep a compiler busy for minutes or fill the memory: refused by name before anything is
//! compiled. Each is made in a size that is refused, and the largest that is accepted can be measured.

use crate::guest::{self, ENGINE, limits};
use diapason_core::Class;
use diapason_sandbox::Plugin;
use std::time::{Duration, Instant};

/// A guest that works, with `extra` in its module.
fn guest_with(extra: &str) -> Vec<u8> {
    guest::module_with("guests/exact.wat", extra, "evaluator-plugin")
}

/// A file that begins as our component would, and is nothing but `text`.
fn component(text: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {text})")).unwrap()
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect()
}

fn repeat(count: usize, text: &str) -> String {
    text.repeat(count)
}

/// Locals that change at every branch, so that each branch passes all of them on.
fn branches(locals: usize, count: usize) -> String {
    let branch = |n: usize| {
        format!("(local.set {0} (i32.add (local.get {0}) (local.get 0))) (br_if 0 (local.get {0}))\n", n % locals)
    };
    format!("(func (local {}) (loop {}))", repeat(locals, "i32 "), list(count, branch))
}

fn tables(locals: usize, targets: usize) -> String {
    let change = list(locals, |n| format!("(local.set {n} (i32.add (local.get {n}) (i32.const 1)))"));
    format!(
        "(func (local {}) (loop {change} (br_table {} (local.get 0))))",
        repeat(locals, "i32 "),
        repeat(targets, "0 ")
    )
}

fn diamonds(locals: usize, count: usize) -> String {
    let set = |n: usize| format!("(local.set {0} (i32.add (local.get {0}) (i32.const 1)))", n % locals);
    let one = |n: usize| format!("(if (local.get 0) (then {}) (else {}))\n", set(n), set(n + 1));
    let read = list(locals, |n| format!("(drop (local.get {n}))"));
    format!("(func (local {}) {} {read})", repeat(locals, "i32 "), list(count, one))
}

fn wide_loops(width: usize, count: usize) -> String {
    let wide = repeat(width, "i32 ");
    let values = repeat(width, "(i32.const 1) ");
    let one = "loop (type $wide) i32.const 0 br_if 0 end\n";
    format!(
        "(type $wide (func (param {wide}) (result {wide}))) (func {values} {} {})",
        repeat(count, one),
        repeat(width, "drop ")
    )
}

fn wide_calls(width: usize, count: usize) -> String {
    let wide = repeat(width, "i32 ");
    let values = repeat(width, "(i32.const 1) ");
    format!(
        "(func $wide (param {wide}) (result {wide}) unreachable) (func {values} {} {})",
        repeat(count, "call $wide\n"),
        repeat(width, "drop ")
    )
}

fn tall(height: usize, count: usize) -> String {
    let one = "(block (br_if 0 (local.get 0)))\n";
    format!(
        "(func (param i32) {} {} {})",
        repeat(height, "(local.get 0) "),
        repeat(count, one),
        repeat(height, "drop ")
    )
}

fn nested(depth: usize) -> String {
    format!("(func (param i32) {} {})", repeat(depth, "block local.get 0 br_if 0\n"), repeat(depth, "end "))
}

/// Loops in loops, each of which changes all locals.
fn nested_loops(locals: usize, depth: usize) -> String {
    let change = list(locals, |n| format!("(local.set {n} (i32.add (local.get {n}) (local.get 0)))"));
    format!(
        "(func (local {}) {} {})",
        repeat(locals, "i32 "),
        repeat(depth, &format!("loop {change}\n")),
        repeat(depth, "local.get 1 br_if 0 end\n")
    )
}

fn loops_in_turn(locals: usize, count: usize) -> String {
    let change = list(locals, |n| format!("(local.set {n} (i32.add (local.get {n}) (local.get 0)))"));
    let one = format!("loop {change} local.get 1 br_if 0 end\n");
    format!("(func (local {}) {})", repeat(locals, "i32 "), repeat(count, &one))
}

fn many(count: usize, one: &str) -> String {
    format!(
        "(table 9 funcref) (func (param i32) (result i32) (local i32) {} local.get 1)",
        repeat(count, &format!("{one}\n"))
    )
}

const IF: &str = "(if (local.get 0) (then (local.set 1 (i32.add (local.get 1) (i32.const 1)))))";
const TABLE: &str = "(block (br_table 0 0 0 0 0 0 0 0 (local.get 0)))";
const COPY: &str = "(memory.copy (local.get 0) (local.get 1) (local.get 0))";
const INDIRECT: &str = "(drop (call_indirect (param i32) (result i32) (local.get 0) (local.get 1)))";

fn straight(count: usize) -> String {
    format!("(func (param i32) (result i32) local.get 0 {})", repeat(count, "local.get 0 i32.add\n"))
}

fn deep_operands(count: usize) -> String {
    format!(
        "(func (param i32) (result i32) {} {})",
        repeat(count, "local.get 0 i32.load\n"),
        repeat(count - 1, "i32.mul\n")
    )
}

fn functions(count: usize) -> String {
    repeat(count, "(func)\n")
}

fn locals(count: usize, each: usize) -> String {
    repeat(count, &format!("(func (local {}))\n", repeat(each, "i32 ")))
}

fn signatures(count: usize, width: usize) -> String {
    list(count, |n| {
        let bits = list(12, |bit| if n >> bit & 1 == 1 { "i64 ".into() } else { "i32 ".into() });
        format!("(type (func (param {bits} {})))\n", repeat(width - 12, "f32 "))
    })
}

fn exports(count: usize) -> String {
    list(count, |n| format!("(global (export \"g{n}\") i32 (i32.const 0))\n"))
}

fn doublings(levels: usize) -> String {
    let level = |n: usize| {
        let inner = n - 1;
        format!(
            "(component $c{n} (alias outer 1 $c{inner} (component $i)) (instance (instantiate $i)) (instance (instantiate $i)))\n"
        )
    };
    format!("(component $c0 (core module))\n{} (instance (instantiate $c{}))", list(levels, |n| level(n + 1)), levels)
}

fn tuples(levels: usize, functions: usize) -> String {
    let level = |n: usize| format!("(type $t{} (tuple $t{n} $t{n}))\n", n + 1);
    format!(
        "(core module $m (memory (export \"m\") 1) (func (export \"f\") (param i32)) (func (export \"r\") (param i32 i32 i32 i32) (result i32) unreachable)) (core instance $i (instantiate $m))
        (type $t0 u8) {} (type $f (func (param \"a\" $t{levels}))) {}",
        list(levels, level),
        repeat(functions, "(func (type $f) (canon lift (core func $i \"f\") (memory (core memory $i \"m\")) (realloc (core func $i \"r\"))))\n")
    )
}

/// A component type in a component type, so deep. Text would be parsed by recursion, so these are bytes.
fn deep_types(depth: usize) -> Vec<u8> {
    let mut section = vec![1];
    section.extend(b"\x41\x01\x01".repeat(depth));
    section.extend(b"\x41\x00");
    let mut bytes = b"\0asm\x0d\0\x01\0\x07".to_vec();
    let mut length = section.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    [bytes, section].concat()
}

#[track_caller]
fn assert_refused(bytes: &[u8], cause: &str) {
    let start = Instant::now();
    let error = Plugin::from_bytes(&ENGINE, "p.wasm", bytes, &limits()).unwrap_err();
    assert_eq!(error.class(), Class::Plugin);
    let text = error.to_string();
    assert!(text.starts_with("failed to load plugin p.wasm: ") && text.contains(cause), "{text}");
    assert!(error.hint_text().is_some());
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn values_that_pass_through_many_branches() {
    let cause = "units of work, at most 2000000";
    assert_refused(&guest_with(&branches(1000, 5000)), cause);
    assert_refused(&guest_with(&branches(200, 15_000)), cause);
    assert_refused(&guest_with(&tables(300, 10_000)), cause);
    assert_refused(&guest_with(&diamonds(1000, 2000)), cause);
    let loops = "at most 64 and 2000 are taken";
    assert_refused(&guest_with(&wide_loops(50, 41)), loops);
    assert_refused(&guest_with(&wide_loops(1, 2001)), loops);
    assert_refused(&guest_with(&nested_loops(50, 65)), loops);
    assert_refused(&guest_with(&wide_calls(50, 4_000)), cause);
    assert_refused(&guest_with(&wide_calls(51, 1)), "one has 102 parameters and results, at most 100 are taken");
    assert_refused(&guest_with(&tall(1000, 5000)), cause);
}

#[test]
fn branches_that_are_too_many() {
    let cause = "branches, at most 60000 are taken";
    for (count, one) in [(30_000, IF), (7000, TABLE), (8000, COPY), (8000, INDIRECT)] {
        assert_refused(&guest_with(&many(count, one)), cause);
    }
    let file = format!("(table 9 funcref) {}", repeat(31, &many(19_000, IF).replace("(table 9 funcref)", "")));
    assert_refused(&guest_with(&file), "together they have more than 1500000 branches");
}

#[test]
fn functions_that_are_too_large_or_too_many() {
    assert_refused(&guest_with(&nested(5000)), "its blocks are nested 5001 deep, at most 4000 are taken");
    assert_refused(&guest_with(&straight(1_100_000)), "a function has at most 2929 KiB");
    assert_refused(&guest_with(&functions(100_000)), "functions or more, at most 100000 are compiled");
    assert_refused(&guest_with(&locals(1000, 49_000)), "together they are more than");
    assert_refused(&guest_with(&repeat(50, &branches(500, 3000))), "together they are more than");
    assert_refused(&guest_with(&exports(260_000)), "entries or more, at most 500000 are read");
}

#[test]
fn components_that_multiply() {
    assert_refused(&component(&doublings(40)), "its components make up to");
    let empty = repeat(1001, "(core instance)");
    assert_refused(&component(&empty), "it has 1001 instances or more, at most 1000 are made");
    assert_refused(&component(&tuples(17, 100)), "types, at most 200000 are taken");
    assert_refused(&deep_types(150), "they are nested 151 deep, at most 100 are taken");
    assert_refused(&deep_types(43_000), "they are nested 43001 deep, at most 100 are taken");
    assert_refused(&deep_types(3_000_000), "a section of types has 8789 KiB, at most 128 are read");
}

/// What a guest declares is granted only as far as its limits go, before it runs.
#[test]
fn memories_and_tables_that_are_large_from_the_start() {
    let cause = "it failed while it was asked who it is: out of memory: ";
    assert_refused(&guest_with("(memory 60000)"), cause);
    assert_refused(&guest_with(&repeat(20, "(memory 10)")), cause);
    assert_refused(&guest_with("(table 9000000 funcref)"), cause);
    assert_refused(&guest_with(&repeat(30, "(table 90000 funcref)")), cause);
}

/// Prints what the largest accepted file of each kind costs: `cargo test --release -- --ignored --nocapture costs`.
#[test]
#[ignore = "measures and asserts nothing that another test does not"]
fn costs() {
    let kinds: &[(&str, Vec<u8>)] = &[
        ("nothing", guest_with("")),
        ("branches, many locals", guest_with(&branches(1000, 1900))),
        ("branches, few locals", guest_with(&branches(100, 16_000))),
        ("tables", guest_with(&tables(300, 6_500))),
        ("diamonds", guest_with(&diamonds(1000, 480))),
        ("wide loops", guest_with(&wide_loops(50, 40))),
        ("narrow loops", guest_with(&wide_loops(1, 2000))),
        ("nested loops", guest_with(&nested_loops(500, 64))),
        ("loops in turn", guest_with(&loops_in_turn(100, 1_900))),
        ("wide calls", guest_with(&wide_calls(50, 3_500))),
        ("tall", guest_with(&tall(1000, 900))),
        ("nested", guest_with(&nested(3900))),
        ("ifs", guest_with(&many(19_900, IF))),
        ("small tables", guest_with(&many(6_600, TABLE))),
        ("copies", guest_with(&many(3_700, COPY))),
        ("indirect calls", guest_with(&many(3_700, INDIRECT))),
        ("straight", guest_with(&straight(740_000))),
        ("deep operands", guest_with(&deep_operands(400_000))),
        ("functions", guest_with(&functions(99_000))),
        ("locals", guest_with(&locals(700, 49_000))),
        ("signatures", guest_with(&signatures(4000, 100))),
        ("exports", guest_with(&exports(240_000))),
        ("all of it", guest_with(&repeat(17, &branches(1000, 1900)))),
    ];
    for (kind, bytes) in kinds {
        let before = reset_peak();
        let start = Instant::now();
        let loaded = Plugin::from_bytes(&ENGINE, "p.wasm", bytes, &limits());
        let outcome = loaded.map_or_else(|error| error.to_string(), |_| "accepted".into());
        println!(
            "{kind:24} {:8} KiB {:7.2} s, peak {:5} to {:5} MiB, {outcome}",
            bytes.len() >> 10,
            start.elapsed().as_secs_f64(),
            before,
            peak()
        );
    }
}

/// Forgets the most memory there was, and gives what there is, in MiB.
fn reset_peak() -> u64 {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    peak()
}

/// The most memory that this process had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) >> 10
}
