//! Iterators, which give each item once and compute it only then: what `map`, `select`, `batch` and others return.

use crate::fault::Result;
use crate::interpreter::Interpreter;
use crate::value::Value;
use std::cell::RefCell;
use std::collections::VecDeque;

/// What is done with each item; nothing comes out where it is left out.
pub type Step = Box<dyn Fn(&Interpreter<'_>, Value) -> Result<Option<Value>>>;

enum Source {
    Items(VecDeque<Value>),
    Other(Value),
}

/// An iterator.
pub struct Stream {
    name: &'static str,
    source: RefCell<Source>,
    step: Option<Step>,
}

impl Stream {
    /// An iterator over items that are known already.
    pub fn of(name: &'static str, items: Vec<Value>) -> Self {
        Self { name, source: RefCell::new(Source::Items(items.into())), step: None }
    }

    /// An iterator that computes its items from another value's.
    pub fn computed(interpreter: &Interpreter<'_>, value: &Value, step: Step) -> Result<Self> {
        let source = match value {
            Value::Stream(_) => Source::Other(value.clone()),
            other => Source::Items(interpreter.items(other)?.into()),
        };
        Ok(Self { name: "generator", source: RefCell::new(source), step: Some(step) })
    }

    pub fn type_name(&self) -> &'static str {
        self.name
    }

    /// The next item, if there is one.
    pub fn next(&self, interpreter: &Interpreter<'_>) -> Result<Option<Value>> {
        loop {
            interpreter.spend(1)?;
            let Some(item) = self.pull(interpreter)? else { return Ok(None) };
            match &self.step {
                None => return Ok(Some(item)),
                Some(step) => {
                    if let Some(item) = step(interpreter, item)? {
                        return Ok(Some(item));
                    }
                }
            }
        }
    }

    fn pull(&self, interpreter: &Interpreter<'_>) -> Result<Option<Value>> {
        match &mut *self.source.borrow_mut() {
            Source::Items(items) => Ok(items.pop_front()),
            Source::Other(Value::Stream(stream)) => stream.next(interpreter),
            Source::Other(_) => Ok(None),
        }
    }
}
