//! The rows that a project is made of.

use crate::pipeline::untaught;
use diapason_core::config::Columns;
use diapason_core::sample::Sample;
use diapason_core::{Error, Result};
use diapason_project::dataset::{self, Selection};
use std::path::Path;

/// Rows that can be learned, each of them.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) samples: Vec<Sample>,
    /// The shapes that they are written in, as a reader is told.
    pub(super) shapes: String,
    /// The file's name.
    pub(super) name: String,
}

impl Data {
    /// Reads the file at `path`. Errors if a row cannot be read, or nothing can be learned of it.
    pub(super) fn read(path: &Path, columns: &Columns) -> Result<Self> {
        let name = path.display().to_string();
        let (text, _) = dataset::read(path, columns)?;
        let samples = dataset::parse(&text, &name, &Selection::default()).map_err(|error| {
            let hint = error.hint_text().unwrap_or_default();
            // The reader speaks of the configuration, which is not written yet.
            let hint =
                hint.replace("`columns = { prompt = \"…\", completion = \"…\" }` beside the file's path", COLUMNS);
            error.hint(hint)
        })?;
        if let Some((sample, (message, hint))) = samples.iter().find_map(|sample| Some((sample, untaught(sample)?))) {
            return Err(Error::data(format!("{} {message}", sample.place)).hint(hint));
        }
        Ok(Self { shapes: shapes(&samples), samples, name })
    }

    /// The rows whose last answer is one to learn, so that they can be tested.
    pub(super) fn tested(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(|sample| can_be_tested(sample))
    }
}

const COLUMNS: &str = "`--column prompt=… --column completion=…`";

/// Whether the row has an answer to hold others against.
pub(super) fn can_be_tested(sample: &Sample) -> bool {
    sample.reference.is_some() && !sample.has_unlearned_reference()
}

fn shapes(samples: &[Sample]) -> String {
    let mut shapes: Vec<&str> = samples.iter().filter_map(|sample| dataset::shape(&sample.row)).collect();
    shapes.sort_unstable();
    shapes.dedup();
    shapes.join(" and ")
}
