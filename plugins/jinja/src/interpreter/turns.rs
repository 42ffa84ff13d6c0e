//! Which text a turn of the conversation wrote: what a loop over the turns writes while it is at one. It is found by the
//! identity of the turn's dictionary, or of its content where a template builds dictionaries of its own.

use crate::value::Value;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// A turn, by its place in the conversation, and the bytes it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Its place in the conversation, from 0.
    pub index: usize,
    /// The bytes of the rendering that it wrote.
    pub written: Range<usize>,
}

pub(crate) struct Turns {
    /// Where the turns' dictionaries and their contents lie.
    places: BTreeMap<usize, usize>,
    /// The turn that the outermost loop is at.
    current: Cell<Option<usize>>,
    /// How many loops write directly.
    loops: Cell<usize>,
    written: RefCell<Vec<Turn>>,
}

impl Turns {
    pub fn of(messages: &Value) -> Self {
        let mut places = BTreeMap::new();
        for (index, message) in messages.as_items().unwrap_or_default().iter().enumerate() {
            let Value::Dict(dict) = message else { continue };
            places.insert(Rc::as_ptr(dict) as usize, index);
            if let Some(Value::Str(content)) = dict.get_str("content").filter(|content| content.is_true()) {
                places.insert(content.as_ptr() as usize, index);
            }
        }
        Self { places, current: Cell::new(None), loops: Cell::new(0), written: RefCell::default() }
    }

    fn owner(&self, value: &Value) -> Option<usize> {
        let Value::Dict(dict) = value else { return None };
        let place = self.places.get(&(Rc::as_ptr(dict) as usize)).copied();
        place.or_else(|| match dict.get_str("content") {
            Some(Value::Str(content)) => self.places.get(&(content.as_ptr() as usize)).copied(),
            _ => None,
        })
    }

    /// A loop comes to an item. True where it is the one that says which turn it is.
    pub fn enter(&self, item: &Value) -> bool {
        let decides = self.current.get().is_none();
        self.loops.set(self.loops.get() + 1);
        if decides {
            self.current.set(self.owner(item));
        }
        decides
    }

    /// A variable is set inside a loop: the turn, where the loop goes over numbers.
    pub fn assigned(&self, value: &Value) {
        if self.loops.get() > 0 && self.current.get().is_none() {
            self.current.set(self.owner(value));
        }
    }

    /// The loop leaves the item.
    pub fn leave(&self, decides: bool, written: Range<usize>) {
        self.loops.set(self.loops.get() - 1);
        if !decides {
            return;
        }
        if let (Some(index), false) = (self.current.take(), written.is_empty()) {
            self.written.borrow_mut().push(Turn { index, written });
        }
    }

    pub fn written(self) -> Vec<Turn> {
        self.written.into_inner()
    }
}
