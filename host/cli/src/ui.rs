//! The terminal: results on standard output, everything else on standard error. Progress bars only where someone looks.

use crate::render::number::count;
use diapason_core::Error;
use diapason_core::event::{Event, Sink};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex};

/// What goes to standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Text for people.
    #[default]
    Human,
    /// Exactly one JSON document.
    Json,
}

/// The terminal. Cheap to clone; every clone speaks to the same one.
#[derive(Clone)]
pub struct Ui(Arc<Inner>);

struct Inner {
    format: Format,
    quiet: bool,
    bars: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Ui {
    /// A terminal that speaks `format`; `quiet` leaves results and errors only.
    pub fn new(format: Format, quiet: bool) -> Self {
        let bars = !quiet && format == Format::Human && std::io::stderr().is_terminal();
        Self(Arc::new(Inner { format, quiet, bars, bar: Mutex::new(None) }))
    }

    /// The result: `human` is called only where text is wanted.
    pub fn result(&self, human: impl FnOnce(Paint) -> String, json: &Value) {
        let text = match self.0.format {
            Format::Human => human(Paint::for_stream(std::io::stdout().is_terminal())),
            Format::Json => format!("{json:#}\n"),
        };
        self.clear();
        write(&mut std::io::stdout().lock(), &text);
    }

    /// A line about what is going on, for people only.
    pub fn note(&self, line: impl FnOnce(Paint) -> String) {
        if !self.0.quiet && self.0.format == Format::Human {
            let line = line(Paint::for_stream(std::io::stderr().is_terminal()));
            self.stderr(&line);
        }
    }

    /// An error with its hint; as a JSON document too, where one is wanted.
    pub fn error(&self, error: &Error) {
        self.clear();
        let paint = Paint::for_stream(std::io::stderr().is_terminal());
        self.stderr(&format!("{} {error}", paint.red("Error:")));
        if let Some(hint) = error.hint_text() {
            self.stderr(&format!("{} {hint}", paint.bold("Hint:")));
        }
        if self.0.format == Format::Json {
            let class = format!("{:?}", error.class()).to_lowercase();
            let document = json!({"error": {"class": class, "message": error.to_string(), "hint": error.hint_text()}});
            write(&mut std::io::stdout().lock(), &format!("{document:#}\n"));
        }
    }

    fn stderr(&self, line: &str) {
        let print = || write(&mut std::io::stderr().lock(), &format!("{line}\n"));
        match self.bar().as_ref() {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn clear(&self) {
        if let Some(bar) = self.bar().take() {
            bar.finish_and_clear();
        }
    }

    fn bar(&self) -> std::sync::MutexGuard<'_, Option<ProgressBar>> {
        self.0.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn start(&self, stage: &str, total: Option<u64>) {
        self.clear();
        if self.0.bars {
            let target = ProgressDrawTarget::stderr();
            let bar = ProgressBar::with_draw_target(total, target).with_message(stage.to_owned());
            *self.bar() = Some(bar.with_style(style(total.is_some())));
        }
    }

    fn progress(&self, done: u64) {
        if let Some(bar) = self.bar().as_ref() {
            bar.set_position(done);
        }
    }

    fn warn(&self, from: &str, message: &str) {
        if !self.0.quiet {
            let paint = Paint::for_stream(std::io::stderr().is_terminal());
            self.stderr(&format!("{} {message}", paint.yellow(from)));
        }
    }
}

impl Sink for Ui {
    fn emit(&self, event: &Event) {
        match event {
            Event::StageStarted { stage, total } => self.start(stage, *total),
            Event::Progress { done } => self.progress(*done),
            Event::StageEnded { stage, summary } => {
                self.clear();
                self.note(|paint| format!("{} {stage:<15} {summary}", paint.green("✓")));
            }
            Event::Trainable { trainable, total } => {
                let share = 100.0 * *trainable as f64 / (*total).max(1) as f64;
                let (trainable, total) = (count(*trainable), count(*total));
                self.note(|paint| paint.dim(&format!("  trainable: {trainable} of {total} ({share:.4} %)")));
            }
            Event::Resumed { step, steps } => {
                self.note(|paint| paint.dim(&format!("  going on after step {step} of {steps}")));
            }
            Event::Evaluated { step, metric, value } => {
                let what = if metric == "loss" { "held-out loss" } else { metric };
                self.note(|paint| paint.dim(&format!("  step {step}: {what} {value:.4}")));
            }
            Event::Step(step) => self.progress(step.step),
            Event::Warning { message } => self.warn("Warning:", message),
            Event::PluginLog { plugin, level, message } if level == "warn" || level == "error" => {
                self.warn(&format!("{plugin}:"), message);
            }
            Event::PluginLog { .. } => {}
        }
    }
}

fn style(known: bool) -> ProgressStyle {
    let template = match known {
        true => "  {msg:<15} {bar:32} {pos}/{len} · {eta} left",
        false => "  {msg:<15} {spinner} {elapsed}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// A closed pipe is the reader's choice, so what cannot be written is dropped.
fn write(stream: &mut dyn Write, text: &str) {
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Colours, where they are wanted: on a terminal, and not where `NO_COLOR` is set.
#[derive(Debug, Clone, Copy)]
pub struct Paint(bool);

impl Paint {
    fn for_stream(terminal: bool) -> Self {
        Self(terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
    }

    /// Whether there are colours at all.
    pub(crate) fn is_colour(self) -> bool {
        self.0
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.wrap("1;32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.wrap("1;33", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
