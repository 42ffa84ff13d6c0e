//! Tasks of lm-evaluation-harness: a YAML and local data to rows, and to the evaluators that score them as the harness does.
//! What a task asks for and this cannot do is refused by name, with its line; nothing of a YAML is passed over that would
//! change a prompt or a score. Everything here is held against version 0.4.13.

mod cells;
mod docs;
mod field;
mod known;
mod literal;
mod node;
mod python_random;
mod rows;
mod sampler;
mod scalar;
mod scoring;
mod sources;
mod task;
mod value;
mod yaml;

pub use sources::Format;
pub use task::Task;

use diapason_core::config::{Delimiters, Plugin};

impl Task {
    /// How the data files are read, and each split with its files, as the YAML names them.
    pub fn files(&self) -> (Format, &[(String, Vec<String>)]) {
        (self.sources.format, &self.sources.splits)
    }

    /// What stands between the parts of a prompt of plain text.
    pub fn delimiters(&self) -> Delimiters {
        Delimiters { target: self.examples.target_delimiter.clone(), example: self.examples.delimiter.clone() }
    }

    /// Limit of new tokens, where answers are written.
    pub fn max_tokens(&self) -> Option<usize> {
        self.scoring.writing.max_tokens
    }

    /// The evaluators that score the task. A chat template ends a prompt by itself: nothing stands between it and a choice.
    pub fn evaluators(&self, chat: bool) -> Vec<Plugin> {
        self.scoring.evaluators(if chat { "" } else { &self.target_delimiter })
    }
}
