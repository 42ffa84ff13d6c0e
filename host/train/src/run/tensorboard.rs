//! `tensorboard/events.out.tfevents.0.diapason`: the figures of `train.jsonl` as TensorBoard reads them.
//!
//! A file is a row of TFRecords: length (u64), its masked CRC-32C, a protocol buffer `Event`, its masked CRC-32C, all
//! little-endian (tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto). Times are the seconds that the
//! steps took, added up: a run that was broken off in between has no gap.

use super::unwritable;
use diapason_core::event::Event;
use diapason_core::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// TensorBoard looks for `tfevents` in the name, and for nothing else.
const FILE: &str = "tensorboard/events.out.tfevents.0.diapason";

/// The event file of a run.
pub(super) struct Board {
    path: PathBuf,
    file: File,
    /// Seconds that the steps so far took.
    seconds: f64,
}

impl Board {
    /// Begins the file anew with what `log` holds, the lines of `train.jsonl` that a run goes on from.
    pub(super) fn open(folder: &Path, log: &str) -> Result<Self> {
        let path = folder.join(FILE);
        let create = || -> std::io::Result<File> {
            std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
            File::create(&path)
        };
        let file = create().map_err(|source| unwritable(&path, source))?;
        let mut board = Self { path, file, seconds: 0.0 };
        board.put(&record(&message(0.0, 0, |event| event.bytes(3, b"brain.Event:2"))))?;
        for (number, line) in (1..).zip(log.lines()) {
            let event = serde_json::from_str(line).map_err(|source| {
                Error::data(format!("failed to understand line {number} of {}", folder.join("train.jsonl").display()))
                    .because(source)
                    .hint("it was edited; remove the run folder to train from the start")
            })?;
            board.write(&event)?;
        }
        Ok(board)
    }

    /// Adds what happened, as far as it has figures.
    pub(super) fn write(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Step(step) => {
                self.seconds += step.seconds;
                let rate = step.tokens as f64 / step.seconds.max(f64::MIN_POSITIVE);
                let figures = [
                    ("train/loss", step.loss),
                    ("train/learning_rate", step.learning_rate),
                    ("train/gradient_norm", step.gradient_norm),
                    ("train/tokens_per_second", rate),
                    ("train/epoch", step.epoch),
                ];
                self.put(&record(&scalars(self.seconds, step.step, &figures)))
            }
            Event::Evaluated { step, metric, value } => {
                let tag = format!("eval/{metric}");
                self.put(&record(&scalars(self.seconds, *step, &[(&tag, *value)])))
            }
            _ => Ok(()),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|source| unwritable(&self.path, source))
    }
}

/// An `Event` with a `Summary` of these tags and values.
fn scalars(seconds: f64, step: u64, figures: &[(&str, f64)]) -> Vec<u8> {
    let mut summary = Message::default();
    for (tag, value) in figures {
        let mut entry = Message::default();
        entry.bytes(1, tag.as_bytes());
        entry.float(2, *value as f32);
        summary.bytes(1, &entry.0);
    }
    message(seconds, step, |event| event.bytes(5, &summary.0))
}

/// An `Event` with its time and step.
fn message(seconds: f64, step: u64, body: impl FnOnce(&mut Message)) -> Vec<u8> {
    let mut event = Message::default();
    event.double(1, seconds);
    event.integer(2, step);
    body(&mut event);
    event.0
}

/// A protocol buffer message in the making (<https://protobuf.dev/programming-guides/encoding/>).
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn integer(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.varint(field << 3 | 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn float(&mut self, field: u64, value: f32) {
        self.varint(field << 3 | 5);
        self.0.extend_from_slice(&value.to_le_bytes());
    }
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), data, &masked(data).to_le_bytes()].concat()
}

/// The checksum as TFRecords keep it: rotated and shifted, since a checksum of data with checksums in it is weak.
fn masked(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// CRC-32C (Castagnoli), bit by bit: the records are few and short.
fn crc32c(data: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0x82F6_3B78 } else { crc >> 1 };
    !data.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use diapason_core::event::Step;

    fn step(number: u64) -> Event {
        Event::Step(Step {
            step: number,
            steps: 3,
            epoch: number as f64 / 3.0,
            loss: 2.0 / number as f64,
            learning_rate: 1e-4,
            gradient_norm: 0.5,
            tokens: 300,
            supervised: 100,
            seconds: 1.5,
        })
    }

    fn written(folder: &Path, kept: &[Event], more: &[Event]) -> Vec<u8> {
        let log: String = kept.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
        let mut board = Board::open(folder, &log).unwrap();
        more.iter().for_each(|event| board.write(event).unwrap());
        std::fs::read(folder.join(FILE)).unwrap()
    }

    #[test]
    fn the_checksum_is_castagnolis() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        assert_eq!(masked(b""), 0xA282_EAD8);
    }

    #[test]
    fn a_run_that_goes_on_writes_what_an_uninterrupted_one_does() {
        let looked = Event::Evaluated { step: 2, metric: "loss".into(), value: 0.75 };
        let events = [step(1), step(2), looked, step(3)];
        let folder = tempfile::tempdir().unwrap();
        let whole = written(folder.path(), &[], &events);
        assert_eq!(written(folder.path(), &events[..3], &events[3..]), whole);
        assert_eq!(written(folder.path(), &events, &[]), whole);
    }

    #[test]
    fn records_hold_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = written(folder.path(), &[], &[step(2)]);
        let mut rest = &bytes[..];
        let mut records = Vec::new();
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            assert_eq!(rest[8..12], masked(&rest[..8]).to_le_bytes());
            let data = &rest[12..12 + length];
            assert_eq!(rest[12 + length..16 + length], masked(data).to_le_bytes());
            records.push(data);
            rest = &rest[16 + length..];
        }
        assert_eq!(records.len(), 2);
        assert!(records[0].ends_with(b"\x1a\x0dbrain.Event:2"));
        // Field 1 as a double, field 2 as a varint, field 5 with its length; in it the first value with its tag and loss.
        let mut expected = vec![0x09];
        expected.extend(1.5_f64.to_le_bytes());
        expected.extend([0x10, 2, 0x2a]);
        assert_eq!(records[1][..12], expected[..]);
        let loss = [&b"\x0a\x11\x0a\x0atrain/loss\x15"[..], &1.0_f32.to_le_bytes()].concat();
        assert!(records[1].windows(loss.len()).any(|window| window == loss));
    }

    #[test]
    fn a_log_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Board::open(folder.path(), "{\"x\": 1}\n").err().unwrap();
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
