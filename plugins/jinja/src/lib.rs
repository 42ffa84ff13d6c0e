//! Jinja templates, rendered byte for byte as `transformers` 5.24 renders them with Jinja 3.1 under Python 3.11: the
//! language, its filters and tests, and the values of Python with their methods, printing and arithmetic.
//!
//! What Python can and this cannot is refused by name ([`fault::Kind::Unsupported`]); nothing is rendered otherwise.
//!
//! [`parse`] reads a template, [`Interpreter::render`] runs it. [`parse_plain`] reads one for an environment that is not
//! `transformers`': nothing is trimmed, and what is undefined is an error.

mod arguments;
mod ast;
mod checks;
mod clock;
mod escape;
pub mod fault;
mod filters;
mod formatting;
mod frame;
mod functions;
mod interpreter;
mod json;
mod lexer;
mod looping;
mod methods;
mod numbers;
mod object;
mod operators;
mod parser;
mod printf;
mod python;
mod show;
mod stream;
mod value;

pub use ast::Template;
pub use clock::Clock;
pub use interpreter::{Interpreter, MARKS, Rendered, Trace, Turn};
pub use parser::{parse, parse_plain};
pub use value::{Dict, Value};
