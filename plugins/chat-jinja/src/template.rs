//! One template, rendered as `transformers`' `apply_chat_template` renders it.

use diapason_plugin::Result;
use jinja::fault::{Fault, Kind};
use jinja::{Clock, Interpreter, Rendered, Trace, Value};
use std::rc::Rc;

/// How much a template may do to one conversation: well below the sandbox's own limit, so that the error can say what
/// happened. A loop that does not end runs out of it.
const FUEL: u64 = 10_000_000;

/// How much more it may do for each turn: some templates go over all turns at each of them, and do so a few times.
const FUEL_OF_TURN: u64 = 100_000;

/// A template that has been read.
pub(crate) struct Template {
    source: String,
    parsed: jinja::Template,
}

impl Template {
    /// Reads a template. An error names its line and what is wrong there.
    pub(crate) fn read(source: String) -> Result<Self> {
        let parsed = jinja::parse(&source).map_err(|fault| explain("read", &fault))?;
        Ok(Self { source, parsed })
    }

    /// The template's text.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whether the template has `{% generation %}` blocks.
    pub(crate) fn marks_generation(&self) -> bool {
        self.parsed.marks_generation
    }

    /// Renders with variables. An error names the template's line and what is wrong there.
    pub(crate) fn render(&self, clock: Clock, variables: &[(Rc<str>, Value)], trace: Trace) -> Result<Rendered> {
        let turns = variables.iter().find(|(name, _)| &**name == "messages").and_then(|(_, turns)| turns.as_items());
        let fuel = FUEL + FUEL_OF_TURN * turns.map_or(0, <[Value]>::len) as u64;
        Interpreter::render(&self.parsed, clock, variables, trace, fuel).map_err(|fault| explain("render", &fault))
    }
}

/// An error as one line: what failed, where, and why.
fn explain(failed: &str, fault: &Fault) -> String {
    let place = fault.line.map_or(String::new(), |line| format!("line {line} of "));
    let hint = match fault.kind {
        Kind::Unsupported => " (Jinja renders it, Diapason does not)",
        _ => "",
    };
    format!("failed to {failed} {place}the template: {fault}{hint}")
}
