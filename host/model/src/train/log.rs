//! `train.jsonl`: every step as a line; every few steps as an event.

use diapason_core::event::{Event, Sink, Step};
use diapason_core::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes steps to the file as they happen, so that a run that breaks off leaves its record.
pub(super) struct Log<'a> {
    path: PathBuf,
    file: File,
    sink: &'a dyn Sink,
    every: u64,
}

impl<'a> Log<'a> {
    pub(super) fn create(folder: &Path, sink: &'a dyn Sink, every: usize) -> Result<Self> {
        let path = folder.join("train.jsonl");
        let file = std::fs::create_dir_all(folder).and_then(|()| File::create(&path));
        let file = file.map_err(|source| unwritable(&path, source))?;
        Ok(Self { path, file, sink, every: every.max(1) as u64 })
    }

    pub(super) fn step(&mut self, step: &Step) -> Result<()> {
        let event = Event::Step(step.clone());
        let line = serde_json::to_string(&event)
            .map_err(|source| Error::run("failed to write a step as JSON").because(source))?;
        writeln!(self.file, "{line}").map_err(|source| unwritable(&self.path, source))?;
        if step.step == 1 || step.step == step.steps || step.step.is_multiple_of(self.every) {
            self.sink.emit(&event);
        }
        Ok(())
    }
}

fn unwritable(path: &Path, source: std::io::Error) -> Error {
    Error::run(format!("failed to write {}", path.display()))
        .because(source)
        .hint("check that the folder can be written to and that there is space")
}
