//! `train.jsonl`: every step and every look as a line; the same for TensorBoard; every few steps as an event.

use super::tensorboard::Board;
use super::unwritable;
use diapason_core::event::{Event, Sink};
use diapason_core::{Error, Result};
use diapason_disk::files;
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Writes steps to the file as they happen, so that a run that breaks off leaves its record.
pub(super) struct Log<'a> {
    path: PathBuf,
    file: File,
    bytes: u64,
    board: Board,
    sink: &'a dyn Sink,
    every: u64,
}

impl<'a> Log<'a> {
    /// Opens the file in the run folder and cuts it to `bytes`: what came after the state that a run goes on from will
    /// come again.
    pub(super) fn open(folder: &Path, bytes: u64, sink: &'a dyn Sink, every: usize) -> Result<Self> {
        let path = folder.join("train.jsonl");
        let open = || -> std::io::Result<(File, u64)> {
            std::fs::create_dir_all(folder)?;
            if path.exists() {
                files::open(&path)?;
            }
            let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(&path)?;
            let kept = bytes.min(file.metadata()?.len());
            file.set_len(kept)?;
            file.seek(SeekFrom::End(0))?;
            Ok((file, kept))
        };
        let (file, bytes) = open().map_err(|source| unwritable(&path, source))?;
        let kept = files::read_text(&path)?;
        let board = Board::open(folder, &kept)?;
        Ok(Self { path, file, bytes, board, sink, every: every.max(1) as u64 })
    }

    /// Length of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes what happened; passes it on, steps only every so often.
    pub(super) fn write(&mut self, event: &Event) -> Result<()> {
        let mut line = serde_json::to_string(event)
            .map_err(|source| Error::run("failed to write a step as JSON").because(source))?;
        line.push('\n');
        self.file.write_all(line.as_bytes()).map_err(|source| unwritable(&self.path, source))?;
        self.bytes += line.len() as u64;
        self.board.write(event)?;
        let quiet = |step: u64, steps: u64| step != 1 && step != steps && !step.is_multiple_of(self.every);
        if !matches!(event, Event::Step(step) if quiet(step.step, step.steps)) {
            self.sink.emit(event);
        }
        Ok(())
    }
}
