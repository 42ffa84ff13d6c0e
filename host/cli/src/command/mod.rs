//! One file for each verb.

mod conversation;
mod convert;
mod demo;
mod generate;
mod hand_off;
mod init;
mod plan;
mod plugin;
mod run;
mod stages;
mod verify;

use crate::args::Command;
use crate::exit::Exit;
use crate::ui::Ui;
use diapason_core::Result;

/// Does what the command line says.
pub(crate) fn run(command: Command, ui: &Ui) -> Result<Exit> {
    match command {
        Command::Init(arguments) => init::run(&arguments, ui),
        Command::Validate(arguments) => stages::validate(&arguments, ui),
        Command::Plan(arguments) => plan::run(&arguments, ui),
        Command::Train(arguments) => stages::train(&arguments, ui),
        Command::HandOff(arguments) => hand_off::run(&arguments, ui),
        Command::Eval(arguments) => stages::eval(&arguments, ui),
        Command::Compare(arguments) => stages::compare(&arguments, ui),
        Command::Report(arguments) => stages::report(&arguments, ui),
        Command::Gate(arguments) => stages::gate(&arguments, ui),
        Command::Verify(arguments) => verify::run(&arguments, ui),
        Command::Run(arguments) => run::run(&arguments, ui),
        Command::Generate(arguments) => generate::run(&arguments, ui),
        Command::Merge(arguments) => convert::merge(&arguments, ui),
        Command::Export(arguments) => convert::export(&arguments, ui),
        Command::Quantize(arguments) => convert::quantize(&arguments, ui),
        Command::Plugin(arguments) => plugin::run(&arguments, ui),
        Command::Demo(arguments) => demo::run(&arguments, ui),
    }
}
