//! The terminal: results on standard output, everything else on standard error. Progress bars only where someone looks.

use crate::exit::Exit;
use crate::number::count;
use crate::paint::{Paint, painted};
use diapason_core::escape;
use diapason_core::event::{Event, Sink};
use diapason_core::{Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

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
    /// Why the result could not be written.
    failed: Mutex<Option<std::io::Error>>,
}

impl Ui {
    /// A terminal that speaks `format`; `quiet` leaves results and errors only.
    pub fn new(format: Format, quiet: bool) -> Self {
        let bars = !quiet && format == Format::Human && std::io::stderr().is_terminal();
        Self(Arc::new(Inner { format, quiet, bars, bar: Mutex::new(None), failed: Mutex::new(None) }))
    }

    /// The result: `human` is called only where text is wanted.
    pub fn result(&self, human: impl FnOnce(Paint) -> String, json: &Value) {
        let text = match self.0.format {
            Format::Human => painted(&human(Paint::on(&std::io::stdout()))),
            Format::Json => escape::json(&format!("{json:#}\n")).into_owned(),
        };
        self.clear();
        self.stdout(&text);
    }

    /// Errors where a result could not be written; a pipe that its reader closed is the reader's choice.
    pub fn finish(&self) -> Result<()> {
        match self.0.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(source) if source.kind() != ErrorKind::BrokenPipe => Err(unwritten(source)),
            _ => Ok(()),
        }
    }

    fn stdout(&self, text: &str) {
        if let Err(source) = write(&mut std::io::stdout().lock(), text) {
            self.0.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(source);
        }
    }

    /// A line about what is going on, for people only.
    pub fn note(&self, line: impl FnOnce(Paint) -> String) {
        if !self.0.quiet && self.0.format == Format::Human {
            let line = line(Paint::on(&std::io::stderr()));
            self.stderr(&line);
        }
    }

    /// An error with its hint; as a JSON document too, where one is wanted.
    pub fn error(&self, error: &Error) {
        self.clear();
        let paint = Paint::on(&std::io::stderr());
        self.stderr(&format!("{} {}", paint.red("Error:"), screen(&escape::message(&error.to_string()))));
        if let Some(hint) = error.hint_text() {
            self.stderr(&format!("{} {}", paint.bold("Hint:"), screen(&escape::message(hint))));
        }
        if self.0.format == Format::Json {
            let class = format!("{:?}", error.class()).to_lowercase();
            let document = json!({"error": {"class": class, "message": error.to_string(), "hint": error.hint_text()}});
            self.stdout(&escape::json(&format!("{document:#}\n")));
        }
    }

    fn stderr(&self, line: &str) {
        // Where standard error is gone there is nobody left to tell.
        let print = || drop(write(&mut std::io::stderr().lock(), &painted(&format!("{line}\n"))));
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
        self.0.bar.lock().unwrap_or_else(PoisonError::into_inner)
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
            let paint = Paint::on(&std::io::stderr());
            self.stderr(&format!("{} {}", paint.yellow(&escape::line(from)), escape::line(message)));
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
                self.note(|paint| format!("{} {stage:<15} {}", paint.green("✓"), escape::line(summary)));
            }
            Event::Trainable { trainable, total } => {
                let share = 100.0 * *trainable as f64 / (*total).max(1) as f64;
                let (trainable, total) = (count(*trainable), count(*total));
                self.note(|paint| paint.dim(&format!("  trainable: {trainable} of {total} ({share:.4} %)")));
            }
            Event::Resumed { step, steps } => {
                self.note(|paint| paint.dim(&format!("  resuming after step {step} of {steps}")));
            }
            Event::Evaluated { step, metric, value } => {
                let what = if metric == "loss" { "held-out loss" } else { metric };
                self.note(|paint| paint.dim(&format!("  step {step}: {} {value:.4}", escape::line(what))));
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

fn write(stream: &mut dyn Write, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes()).and_then(|()| stream.flush())
}

/// Lines of an error at most, and characters of one of them: an error has to fit on a screen, whatever it repeats.
const SCREEN: (usize, usize) = (20, 800);

fn screen(text: &str) -> String {
    let cut = |line: &str| match line.char_indices().nth(SCREEN.1) {
        Some((end, _)) => format!("{} … ({} characters more)", &line[..end], line[end..].chars().count()),
        None => line.to_owned(),
    };
    let mut lines: Vec<String> = text.lines().take(SCREEN.0).map(cut).collect();
    if text.lines().count() > SCREEN.0 {
        lines.push(format!("  … ({} lines more)", text.lines().count() - SCREEN.0));
    }
    lines.join("\n")
}

fn unwritten(source: std::io::Error) -> Error {
    Error::run("failed to write to standard output")
        .because(source)
        .hint("is the disk full? what the command writes into files is whole")
}

/// Prints clap's answer to a command line that it did not take, or the help that was asked for.
pub(crate) fn answer(answer: &clap::Error) -> Exit {
    let acts = |argument: &String| argument.contains(|c| c == '\n' || escape::is_hidden(c));
    let foreign: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).filter(acts).collect();
    if answer.use_stderr() && !foreign.is_empty() {
        // clap's message repeats what was typed, line breaks included.
        let typed: Vec<_> = foreign.iter().map(|argument| escape::line(argument)).collect();
        let said = answer.kind().as_str().unwrap_or("the command line was not understood");
        let text = format!("error: {said}: '{}'\n\nFor more information, try '--help'.\n", typed.join("', '"));
        let _ = write(&mut std::io::stderr().lock(), &text);
    } else if let Err(source) = answer.print().and_then(|()| std::io::stdout().flush())
        && source.kind() != ErrorKind::BrokenPipe
    {
        Ui::new(Format::Human, false).error(&unwritten(source));
        return Exit::Error;
    }
    if answer.use_stderr() { Exit::Usage } else { Exit::Passed }
}

#[cfg(test)]
mod tests {
    use super::screen;

    #[test]
    fn an_error_fits_on_a_screen() {
        assert_eq!(screen("one\n  two"), "one\n  two");
        assert!(screen(&"ü".repeat(1_000_000)).ends_with(" … (999200 characters more)"));
        let lines = screen(&"  a\n".repeat(1000));
        assert!(lines.ends_with("… (980 lines more)") && lines.lines().count() == 21);
    }
}
