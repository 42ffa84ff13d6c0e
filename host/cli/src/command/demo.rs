//! `diapason demo`: not part of this build yet.

use crate::args::Demo;
use crate::exit::Exit;
use crate::ui::Ui;
use diapason_core::{Error, Result};

pub(super) fn run(_: &Demo, _: &Ui) -> Result<Exit> {
    Err(Error::run("the demo is not part of this build"))
}
