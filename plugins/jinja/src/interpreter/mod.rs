//! Runs a template.

mod call;
mod expression;
mod statement;
mod turns;

pub use turns::Turn;

use crate::ast::Template;
use crate::clock::Clock;
use crate::fault::{Fault, Kind, Result};
use crate::frame::Frame;
use crate::functions;
use crate::methods;
use crate::object::Object;
use crate::operators;
use crate::show;
use crate::value::Value;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use turns::Turns;

/// What stands around the text of a `{% generation %}` block while a rendering is traced. They are no characters of
/// Unicode, so that no text has them.
pub const MARKS: [char; 2] = ['\u{fdd0}', '\u{fdd1}'];

/// How deep macros, blocks and recursive loops may call each other.
const DEPTH: usize = 64;

/// What a rendering is to say beside the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// Nothing.
    None,
    /// Which text a turn of the conversation wrote.
    Turns,
    /// What stands in `{% generation %}` blocks, between [`MARKS`].
    Generation,
}

/// A rendering.
pub struct Rendered {
    /// What the template wrote.
    pub text: String,
    /// The text of each turn that a loop went over, in the order it was written; bytes.
    pub turns: Vec<Turn>,
    /// Whether a mark went through a macro, a set block or a filter, which may have done something to it.
    pub carried_marks: bool,
}

/// What is being written.
pub(crate) struct Out {
    text: String,
    /// Whether it is the rendering itself, and not the text of a macro or of a block that is kept.
    main: bool,
}

impl Out {
    fn kept() -> Self {
        Self { text: String::new(), main: false }
    }
}

/// Runs one template once.
pub struct Interpreter<'t> {
    template: &'t Template,
    clock: Clock,
    fuel: Cell<u64>,
    depth: Cell<usize>,
    /// Whether what is printed is escaped for HTML.
    escaping: Cell<bool>,
    globals: Vec<Option<Value>>,
    /// The template's own variables, which macros and blocks see.
    top: Rc<Frame>,
    /// What the bodies of filter blocks wrote.
    captured: RefCell<Vec<Value>>,
    marking: bool,
    carried_marks: Cell<bool>,
    turns: Option<Turns>,
}

impl<'t> Interpreter<'t> {
    /// Renders with variables. `fuel` bounds what the template may do: about one for each expression.
    pub fn render(
        template: &'t Template,
        clock: Clock,
        variables: &[(Rc<str>, Value)],
        trace: Trace,
        fuel: u64,
    ) -> Result<Rendered> {
        let base = Rc::new(Frame::default());
        for (name, value) in variables {
            if let Some(name) = template.names.find(name) {
                base.set(name, value.clone());
            }
        }
        let messages = variables.iter().find(|(name, _)| &**name == "messages");
        let interpreter = Self {
            template,
            clock,
            fuel: Cell::new(fuel),
            depth: Cell::new(0),
            escaping: Cell::new(false),
            globals: template.names.all().map(|name| functions::find(name, template.plain)).collect(),
            top: Frame::inside(&base),
            captured: RefCell::default(),
            marking: trace == Trace::Generation,
            carried_marks: Cell::new(false),
            turns: messages.filter(|_| trace == Trace::Turns).map(|(_, messages)| Turns::of(messages)),
        };
        let mut out = Out { text: String::new(), main: true };
        interpreter.body(&template.body, &interpreter.top.clone(), &mut out)?;
        let turns = interpreter.turns.map(Turns::written).unwrap_or_default();
        Ok(Rendered { text: out.text, turns, carried_marks: interpreter.carried_marks.get() })
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    pub(crate) fn escapes(&self) -> bool {
        self.escaping.get()
    }

    /// Takes fuel. An error where there is none left: the template does not end.
    pub fn spend(&self, amount: u64) -> Result<()> {
        match self.fuel.get().checked_sub(amount) {
            Some(left) => {
                self.fuel.set(left);
                Ok(())
            }
            None => Err(Fault::new(Kind::Fuel, "it does not end")),
        }
    }

    /// Runs something one level deeper.
    fn deeper<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.depth.get() >= DEPTH {
            return Err(Fault::new(
                Kind::Fuel,
                format!("macros or loops call each other more than {DEPTH} levels deep"),
            ));
        }
        self.depth.set(self.depth.get() + 1);
        let result = run();
        self.depth.set(self.depth.get() - 1);
        result
    }

    /// Whether Python can iterate over it.
    pub(crate) fn is_iterable(&self, value: &Value) -> bool {
        match value {
            Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) => false,
            Value::Object(object) => object.length().is_some(),
            _ => true,
        }
    }

    /// All items of an iterable; an iterator is empty afterwards.
    pub(crate) fn items(&self, value: &Value) -> Result<Vec<Value>> {
        let items = match value {
            Value::Undefined(_) => Vec::new(),
            Value::List(items) => items.to_vec(),
            Value::Tuple(tuple) => tuple.items.clone(),
            Value::Dict(dict) => dict.entries().iter().map(|(key, _)| key.clone()).collect(),
            Value::View(kind, dict) => dict.entries().iter().map(|entry| show::view_item(*kind, entry)).collect(),
            // Python takes text that is safe apart into text that is not.
            Value::Str(text) | Value::Markup(text) => {
                text.chars().map(|character| Value::text(character.encode_utf8(&mut [0; 4]) as &str)).collect()
            }
            Value::Range(range) => (0..range.length()).map(|index| range.get(index)).collect(),
            Value::Stream(stream) => {
                let mut items = Vec::new();
                while let Some(item) = stream.next(self)? {
                    items.push(item);
                }
                items
            }
            Value::Object(object) => match &**object {
                Object::Loop(state) => state.items.to_vec(),
                _ => return Err(not_iterable(value)),
            },
            _ => return Err(not_iterable(value)),
        };
        self.spend(items.len() as u64 / 8)?;
        Ok(items)
    }

    /// All items of an iterable, those of a list without a copy.
    fn shared_items(&self, value: &Value) -> Result<Rc<Vec<Value>>> {
        match value {
            Value::List(items) => {
                self.spend(items.len() as u64 / 8)?;
                Ok(items.clone())
            }
            other => Ok(Rc::new(self.items(other)?)),
        }
    }

    /// An attribute or method of the type itself.
    pub(crate) fn own_attribute(&self, value: &Value, name: &str) -> Result<Option<Value>> {
        methods::attribute(value, name, &self.template.names)
    }

    /// `value.name`: the type's own attribute first, then an item.
    pub(crate) fn attribute(&self, value: &Value, name: &str) -> Result<Value> {
        if let Some(found) = self.own_attribute(value, name)? {
            return Ok(found);
        }
        let item = match value {
            Value::Dict(dict) => dict.get_str(name).cloned(),
            _ => None,
        };
        Ok(item
            .unwrap_or_else(|| Value::undefined(format!("'{} object' has no attribute '{name}'", value.type_name()))))
    }

    /// `value[key]`: an item first, then for a text the type's own attribute.
    pub(crate) fn item(&self, value: &Value, key: &Value) -> Result<Value> {
        if let Some(item) = operators::item(value, key)? {
            return Ok(item);
        }
        let of = value.type_name();
        match key.as_str() {
            Some(name) => {
                let own = self.own_attribute(value, name)?;
                Ok(own.unwrap_or_else(|| Value::undefined(format!("'{of} object' has no attribute '{name}'"))))
            }
            None => Ok(Value::undefined(format!("{of} object has no element {}", show::repr(key).unwrap_or_default()))),
        }
    }
}

fn not_iterable(value: &Value) -> Fault {
    Fault::types(format!("'{}' object is not iterable", value.type_name()))
}
