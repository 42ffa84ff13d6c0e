//! The command line: the only crate that prints, and the one that joins core, sandbox and model.
//!
//! [`args`] are parsed low and converted once into a [`Plan`]; [`pipeline`] has one file for each stage of a run;
//! `command` has one for each verb; `render` turns what came of it into text.

pub mod args;
mod artefact;
mod clock;
mod command;
mod embedded;
mod exit;
mod interrupt;
mod lock;
mod net;
mod number;
mod paint;
pub mod pipeline;
mod plan;
mod render;
pub mod starter;
mod ui;
mod wire;

pub use exit::Exit;
pub use plan::Plan;
pub use ui::{Format, Ui};

use clap::Parser;
use std::process::ExitCode;

/// Parses the command line, does what it says and gives the exit code.
pub fn main() -> ExitCode {
    net::caught(command_line)
}

fn command_line() -> ExitCode {
    let arguments = match args::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(answer) => return ui::answer(&answer).into(),
    };
    let ui = Ui::new(arguments.format, arguments.quiet);
    net::speaks(&ui);
    let done = interrupt::install().and_then(|()| command::run(arguments.command, &ui));
    let exit = done.and_then(|exit| ui.finish().map(|()| exit)).unwrap_or_else(|error| {
        ui.error(&error);
        Exit::of(&error)
    });
    exit.into()
}
