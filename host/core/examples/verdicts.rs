#![allow(clippy::print_stdout, dead_code, missing_docs)]
#[path = "../../xtask/src/bench/verdicts/mod.rs"]
mod verdicts;
use clap::Parser;
#[derive(Parser)]
struct A {
    #[command(flatten)]
    a: verdicts::Arguments,
}
fn main() -> anyhow::Result<()> {
    verdicts::run(&A::parse().a)
}
