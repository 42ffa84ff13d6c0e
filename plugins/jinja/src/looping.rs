//! `loop`, which the body of `{% for %}` asks where it stands.

use crate::ast::For;
use crate::fault::Result;
use crate::frame::Frame;
use crate::value::Value;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The state of a loop.
pub struct Loop {
    /// What it goes over; a list is shared, not copied.
    pub items: Rc<Vec<Value>>,
    /// Which item it is at, from 0.
    pub at: Cell<usize>,
    /// How many loops it is inside of, by recursion.
    pub depth: usize,
    /// What `changed` was given last.
    pub seen: RefCell<Option<Vec<Value>>>,
    /// The loop itself and the scope around it, where it may be called again.
    pub again: Option<(Rc<For>, Rc<Frame>)>,
}

impl Loop {
    pub fn length(&self) -> usize {
        self.items.len()
    }

    pub fn attribute(&self, name: &str) -> Result<Option<Value>> {
        let (at, length) = (self.at.get(), self.items.len());
        let number = |number: usize| Some(Value::Int(number as i128));
        let item = |index: Option<usize>, absent: &str| {
            let item = index.and_then(|index| self.items.get(index)).cloned();
            Some(item.unwrap_or_else(|| Value::undefined(absent)))
        };
        Ok(match name {
            "index" => number(at + 1),
            "index0" => number(at),
            "revindex" => number(length - at),
            "revindex0" => Some(Value::Int(length as i128 - at as i128 - 1)),
            "first" => Some(Value::Bool(at == 0)),
            "last" => Some(Value::Bool(at + 1 >= length)),
            "length" => number(length),
            "depth" => number(self.depth + 1),
            "depth0" => number(self.depth),
            "previtem" => item(at.checked_sub(1), "there is no previous item"),
            "nextitem" => item(Some(at + 1), "there is no next item"),
            _ => None,
        })
    }
}
