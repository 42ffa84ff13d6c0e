//! What templates have beside plain values: functions, bound methods, macros, loops, namespaces, cyclers and joiners.

use crate::ast::{Macro, Names};
use crate::fault::{Fault, Result};
use crate::frame::Frame;
use crate::looping::Loop;
use crate::value::{Dict, Value};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// An object.
pub enum Object {
    /// A function of the environment: `range`, `dict`, `raise_exception`, …
    Function(&'static str),
    /// A method with the value that it belongs to.
    Method(Value, &'static str),
    /// A macro with the scope that it was defined in.
    Macro(Rc<Macro>, Rc<Frame>),
    /// What `{% for %}` calls `loop`.
    Loop(Rc<Loop>),
    /// `namespace()`.
    Namespace(RefCell<Dict>),
    /// `cycler()`.
    Cycler(Vec<Value>, Cell<usize>),
    /// `joiner()`.
    Joiner(Value, Cell<bool>),
    /// The template's blocks, by the name `self`.
    Blocks,
    /// A block that can be rendered once more.
    Block(Rc<str>),
}

impl Object {
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Function("dict") => "TemplateDict",
            Self::Function("cycler" | "joiner" | "namespace") => "type",
            Self::Function(_) => "function",
            Self::Method(..) => "builtin_function_or_method",
            Self::Macro(..) => "Macro",
            Self::Loop(_) => "LoopContext",
            Self::Namespace(_) => "TemplateNamespace",
            Self::Cycler(..) => "Cycler",
            Self::Joiner(..) => "Joiner",
            Self::Blocks => "TemplateReference",
            Self::Block(_) => "BlockReference",
        }
    }

    pub fn is_true(&self) -> bool {
        self.length() != Some(0)
    }

    pub fn length(&self) -> Option<usize> {
        match self {
            Self::Loop(state) => Some(state.length()),
            _ => None,
        }
    }

    pub fn is_callable(&self) -> bool {
        !matches!(self, Self::Namespace(_) | Self::Cycler(..) | Self::Blocks)
    }

    /// An attribute, none where there is no such.
    pub fn attribute(&self, name: &str, names: &Names) -> Result<Option<Value>> {
        Ok(match self {
            Self::Macro(definition, _) => definition.attribute(name, names),
            Self::Loop(state) => state.attribute(name)?,
            Self::Namespace(fields) => fields.borrow().get_str(name).cloned(),
            Self::Cycler(items, at) => match name {
                "items" => Some(Value::tuple(items.clone())),
                "pos" => Some(Value::Int(at.get() as i128)),
                "current" => Some(items[at.get()].clone()),
                _ => None,
            },
            Self::Joiner(separator, used) => match name {
                "sep" => Some(separator.clone()),
                "used" => Some(Value::Bool(used.get())),
                _ => None,
            },
            _ => None,
        })
    }

    /// The methods that can be called, but not looked at.
    pub fn method(&self, name: &str) -> Option<&'static str> {
        let known: &[&'static str] = match self {
            Self::Loop(_) => &["cycle", "changed"],
            Self::Cycler(..) => &["next", "reset"],
            Self::Function("dict") => &["fromkeys"],
            _ => &[],
        };
        known.iter().find(|known| **known == name).copied()
    }
}

impl Macro {
    fn attribute(&self, name: &str, names: &Names) -> Option<Value> {
        Some(match name {
            "name" => self.name.clone().map_or(Value::None, Value::Str),
            "arguments" => {
                Value::tuple(self.parameters.iter().map(|(name, _)| Value::text(names.text(*name))).collect())
            }
            "catch_kwargs" => Value::Bool(self.takes_named),
            "catch_varargs" => Value::Bool(self.takes_more),
            "caller" => Value::Bool(self.takes_caller),
            "explicit_caller" => Value::Bool(self.explicit_caller(names)),
            _ => return None,
        })
    }

    /// Whether a parameter is called `caller`.
    pub fn explicit_caller(&self, names: &Names) -> bool {
        self.parameters.iter().any(|(name, _)| &*names.text(*name) == "caller")
    }
}

/// Puts a field into a namespace. An error where the value is none, or the name is reserved.
pub fn set_field(target: &Value, name: &str, value: Value) -> Result<()> {
    match target {
        Value::Object(object) => match &**object {
            Object::Namespace(fields) => {
                check_field(name)?;
                fields.borrow_mut().set(Value::text(name), value)
            }
            _ => Err(Fault::types("cannot assign attribute on non-namespace object")),
        },
        _ => Err(Fault::types("cannot assign attribute on non-namespace object")),
    }
}

/// `transformers` keeps names with a leading underscore to itself.
pub fn check_field(name: &str) -> Result<()> {
    match name.starts_with('_') {
        true => Err(Fault::new(
            crate::fault::Kind::Security,
            format!("a namespace cannot have a field with a leading underscore, such as `{name}`"),
        )),
        false => Ok(()),
    }
}
