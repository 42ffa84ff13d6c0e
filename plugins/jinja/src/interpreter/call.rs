//! Calls: functions, methods, macros, loops and blocks.

use super::{Interpreter, Out};
use crate::arguments::Given;
use crate::ast::Macro;
use crate::fault::{Fault, Kind, Result};
use crate::frame::Frame;
use crate::functions;
use crate::methods;
use crate::object::Object;
use crate::value::{Dict, Value};
use std::rc::Rc;

impl Interpreter<'_> {
    pub(super) fn call(&self, callee: &Value, given: Given) -> Result<Value> {
        callee.defined()?;
        let Value::Object(object) = callee else {
            return Err(Fault::types(format!("'{}' object is not callable", callee.type_name())));
        };
        match &**object {
            Object::Function(name) => functions::call(self, name, given),
            Object::Method(value, name) => {
                self.spend(1 + value.as_str().map_or(0, str::len) as u64 / 64)?;
                methods::call(self, value, name, given)
            }
            Object::Macro(definition, scope) => self.deeper(|| self.run_macro(definition, scope, given)),
            Object::Loop(state) => {
                let [items] = given.bind("loop", ["iterable"], 1)?;
                let Some((again, scope)) = &state.again else {
                    let message = "The loop must have the 'recursive' marker to be called recursively.";
                    return Err(Fault::types(message));
                };
                let mut out = Out::kept();
                let items = items.unwrap_or(Value::None);
                self.deeper(|| self.for_loop(again, &items, state.depth + 1, scope, &mut out))?;
                Ok(self.written(out))
            }
            Object::Joiner(separator, used) => {
                given.none("joiner")?;
                Ok(if used.replace(true) { separator.clone() } else { Value::text("") })
            }
            Object::Block(name) => {
                given.none(name)?;
                let missing = || Fault::new(Kind::Undefined, format!("there is no block named '{name}'"));
                let block = self.template.blocks.get(name).ok_or_else(missing)?;
                let mut out = Out::kept();
                self.deeper(|| self.body(&block.body, &Frame::inside(&self.top), &mut out))?;
                Ok(self.written(out))
            }
            _ => Err(Fault::types(format!("'{}' object is not callable", callee.type_name()))),
        }
    }

    /// What was written, as a value.
    pub(super) fn written(&self, out: Out) -> Value {
        if self.escaping.get() { Value::Markup(out.text.into()) } else { Value::text(out.text) }
    }

    fn run_macro(&self, definition: &Macro, scope: &Rc<Frame>, given: Given) -> Result<Value> {
        let frame = Frame::inside(scope);
        self.bind(definition, &frame, given)?;
        let mut out = Out::kept();
        self.body(&definition.body, &frame, &mut out).map_err(|fault| fault.at(definition.line))?;
        Ok(self.written(out))
    }

    /// Gives a macro its arguments, and with them `varargs`, `kwargs` and `caller` where it mentions them.
    fn bind(&self, definition: &Macro, frame: &Rc<Frame>, given: Given) -> Result<()> {
        let names = &self.template.names;
        let shown = definition.name.as_deref().unwrap_or("caller");
        let Given { positional, mut named } = given;
        let mut take = |name: &str| named.iter().position(|(known, _)| &**known == name).map(|at| named.remove(at).1);
        let count = definition.parameters.len();
        let mut rest = positional.into_iter();
        let arguments: Vec<Option<Value>> =
            definition.parameters.iter().map(|(name, _)| rest.next().or_else(|| take(&names.text(*name)))).collect();
        let explicit = definition.explicit_caller(names);
        if definition.takes_caller && !explicit {
            let absent = || Value::undefined("No caller defined");
            let caller = take("caller").filter(|caller| !caller.is_none()).unwrap_or_else(absent);
            if let Some(name) = names.find("caller") {
                frame.set(name, caller);
            }
        }
        self.bind_rest(definition, frame, shown, rest.collect(), named, count)?;
        for ((name, default), argument) in definition.parameters.iter().zip(arguments) {
            let value = match (argument, default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.value(default, frame)?,
                (None, None) => Value::undefined(format!("parameter '{}' was not provided", names.text(*name))),
            };
            frame.set(*name, value);
        }
        Ok(())
    }

    fn bind_rest(
        &self,
        definition: &Macro,
        frame: &Rc<Frame>,
        shown: &str,
        more: Vec<Value>,
        named: Vec<(Rc<str>, Value)>,
        count: usize,
    ) -> Result<()> {
        let names = &self.template.names;
        if let (true, Some(name)) = (definition.takes_named, names.find("kwargs")) {
            let entries = named.into_iter().map(|(name, value)| (Value::Str(name), value)).collect();
            frame.set(name, Value::dict(Dict::of_unique(entries)));
        } else if let Some((name, _)) = named.first() {
            return Err(Fault::types(format!("macro '{shown}' takes no keyword argument '{name}'")));
        }
        if let (true, Some(name)) = (definition.takes_more, names.find("varargs")) {
            frame.set(name, Value::tuple(more));
        } else if !more.is_empty() {
            return Err(Fault::types(format!("macro '{shown}' takes not more than {count} argument(s)")));
        }
        Ok(())
    }
}
