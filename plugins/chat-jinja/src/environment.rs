//! The environment that a template finds itself in: the one of `transformers`' `apply_chat_template`.

use crate::{clock::Date, generation, json, methods};
use diapason_plugin::Result;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, Error, ErrorKind};
use serde_json::{Map, Value};

/// How much a template may do to one conversation: well below the sandbox's own limit, so that the error can say what
/// happened. A loop that does not end runs out of it.
const FUEL: u64 = 2_000_000;

const NAME: &str = "chat template";

/// A compiled template and the variables it is given every time.
pub(crate) struct Template {
    environment: Environment<'static>,
    variables: Map<String, Value>,
    marks_generation: bool,
}

impl Template {
    /// Compiles a template. An error names its line and what is wrong there.
    pub(crate) fn compile(source: &str, date: Date, variables: Map<String, Value>) -> Result<Self> {
        let (source, marks_generation) = generation::rewrite(source)?;
        let mut environment = environment(date)?;
        environment.add_template_owned(NAME, source).map_err(|error| explain("failed to read", &error))?;
        Ok(Self { environment, variables, marks_generation })
    }

    /// Whether the template has `{% generation %}` blocks.
    pub(crate) fn marks_generation(&self) -> bool {
        self.marks_generation
    }

    /// Renders turns, with the marks of generation still in the text.
    pub(crate) fn render(&self, messages: &[Value], tools: &Value, add_generation_prompt: bool) -> Result<String> {
        let mut context = self.variables.clone();
        context.insert("messages".into(), messages.into());
        context.insert("tools".into(), tools.clone());
        context.insert("documents".into(), Value::Null);
        context.insert("add_generation_prompt".into(), add_generation_prompt.into());
        let render = |template: minijinja::Template| template.render(Serde(context));
        self.environment.get_template(NAME).and_then(render).map_err(|error| explain("failed to render", &error))
    }
}

fn environment(date: Date) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .map_err(|error| explain("failed to set up", &error))?;
    environment.set_syntax(syntax);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(true);
    environment.set_unknown_method_callback(methods::call);
    environment.add_filter("tojson", json::filter);
    environment.add_function("raise_exception", raise);
    environment.add_function("strftime_now", move |format: String| date.format(&format).map_err(refuse));
    generation::add_marks(&mut environment);
    Ok(environment)
}

fn raise(message: String, _named: Kwargs) -> std::result::Result<String, Error> {
    Err(refuse(message))
}

fn refuse(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// An error as one line: what failed, where, and why.
fn explain(failed: &str, error: &Error) -> String {
    let place = error.line().map_or(String::new(), |line| format!(" line {line} of"));
    let mut text = format!("{failed}{place} the template: {}", reason(error));
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// An error's kind and detail, or for what a template says itself just that.
fn reason(error: &Error) -> String {
    match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it does not end".into(),
        (ErrorKind::InvalidOperation, Some(detail)) => detail.into(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    }
}
