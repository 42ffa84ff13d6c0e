//! Expressions.

use super::Interpreter;
use crate::arguments::Given;
use crate::ast::{Arguments, Compare, Expr, Filter, Name, Unary};
use crate::checks;
use crate::fault::{Fault, Kind, Result};
use crate::filters;
use crate::frame::Frame;
use crate::object::Object;
use crate::operators;
use crate::value::{Dict, Value};
use std::rc::Rc;

impl Interpreter<'_> {
    /// The value of an expression that is used.
    pub(super) fn value(&self, expression: &Expr, frame: &Rc<Frame>) -> Result<Value> {
        let value = self.maybe(expression, frame)?;
        self.check_defined(&value)?;
        Ok(value)
    }

    /// Refuses an undefined value in a plain template.
    pub(crate) fn check_defined(&self, value: &Value) -> Result<()> {
        match value {
            Value::Undefined(why) if self.template.plain && !why.implied => value.defined(),
            _ => Ok(()),
        }
    }

    /// The value of an expression, which may be undefined.
    fn maybe(&self, expression: &Expr, frame: &Rc<Frame>) -> Result<Value> {
        self.spend(1)?;
        let value = |expression: &Expr| self.value(expression, frame);
        match expression {
            Expr::Const(value) => Ok(value.clone()),
            Expr::Name(name) => Ok(self.variable(*name, frame)),
            Expr::List(items) => Ok(Value::list(items.iter().map(value).collect::<Result<_>>()?)),
            Expr::Tuple(items) => Ok(Value::tuple(items.iter().map(value).collect::<Result<_>>()?)),
            Expr::Dict(entries) => {
                let mut dict = Dict::default();
                for (key, item) in entries {
                    dict.set(value(key)?, value(item)?)?;
                }
                Ok(Value::dict(dict))
            }
            Expr::Unary(Unary::Not, operand) => Ok(Value::Bool(!self.truth(operand, frame)?)),
            Expr::Unary(unary, operand) => operators::unary(*unary, &value(operand)?),
            Expr::Binary(binary, operands) => {
                operators::binary(self, *binary, &value(&operands.0)?, &value(&operands.1)?)
            }
            Expr::And(operands) => {
                let left = value(&operands.0)?;
                if left.is_true() { value(&operands.1) } else { Ok(left) }
            }
            Expr::Or(operands) => {
                let left = value(&operands.0)?;
                if left.is_true() { Ok(left) } else { value(&operands.1) }
            }
            Expr::Compare(first, more) => self.compare(first, more, frame).map(Value::Bool),
            Expr::Concat(parts) => operators::concat(self, &parts.iter().map(value).collect::<Result<Vec<_>>>()?),
            Expr::If(parts) => match (self.truth(&parts.0, frame)?, &parts.2) {
                (true, _) => value(&parts.1),
                (false, Some(otherwise)) => value(otherwise),
                (false, None) => Ok(Value::implied()),
            },
            Expr::Attribute(object, name) => self.look(object, frame, |object| self.attribute(object, name)),
            Expr::Item(parts) => {
                let found = self.subscript(&parts.0, &parts.1, frame);
                let literal =
                    matches!((&parts.0, &parts.1), (Expr::Tuple(_) | Expr::List(_) | Expr::Const(_), Expr::Slice(_)));
                match found {
                    // Jinja looks up what it finds in literals beforehand, and there a wrong slice is only undefined.
                    Err(fault) if literal && fault.kind == Kind::Type => Ok(Value::undefined(fault.message)),
                    found => found,
                }
            }
            Expr::Slice(_) => Err(Fault::unsupported("a slice among several indices is not supported")),
            Expr::Call(call) => {
                let callee = value(&call.callee)?;
                let given = self.given(&call.arguments, frame)?;
                self.call(&callee, given).map_err(|fault| fault.at(call.line))
            }
            Expr::Filter(filter) => {
                let input = match &*filter.name {
                    "default" | "d" => self.maybe(&filter.input, frame)?,
                    _ => value(&filter.input)?,
                };
                let given = self.given(&filter.arguments, frame)?;
                self.filter(&filter.name, &input, given).map_err(|fault| fault.at(filter.line))
            }
            Expr::Test(test) => self.test(test, frame).map(Value::Bool),
            Expr::Captured => Ok(self.captured.borrow().last().cloned().unwrap_or(Value::None)),
        }
    }

    /// Whether the value of an expression is true.
    pub(super) fn truth(&self, expression: &Expr, frame: &Rc<Frame>) -> Result<bool> {
        match expression {
            Expr::Compare(first, more) => {
                self.spend(1)?;
                self.compare(first, more, frame)
            }
            Expr::Test(test) => {
                self.spend(1)?;
                self.test(test, frame)
            }
            Expr::Unary(Unary::Not, operand) => {
                self.spend(1)?;
                Ok(!self.truth(operand, frame)?)
            }
            Expr::And(operands) => {
                self.spend(1)?;
                Ok(self.truth(&operands.0, frame)? && self.truth(&operands.1, frame)?)
            }
            Expr::Or(operands) => {
                self.spend(1)?;
                Ok(self.truth(&operands.0, frame)? || self.truth(&operands.1, frame)?)
            }
            other => self.look(other, frame, |value| Ok(value.is_true())),
        }
    }

    /// Looks at the value of an expression, that of a variable or a constant without a copy. `look` evaluates nothing.
    fn look<T>(&self, expression: &Expr, frame: &Rc<Frame>, look: impl FnOnce(&Value) -> Result<T>) -> Result<T> {
        let look = |value: &Value| {
            self.check_defined(value)?;
            look(value)
        };
        match expression {
            Expr::Const(value) => {
                self.spend(1)?;
                look(value)
            }
            Expr::Name(name) => {
                self.spend(1)?;
                frame.look(*name, |value| match value {
                    Some(value) => look(value),
                    None => look(&self.global(*name)),
                })
            }
            other => look(&self.value(other, frame)?),
        }
    }

    fn test(&self, test: &Filter, frame: &Rc<Frame>) -> Result<bool> {
        let input = match &*test.name {
            "defined" | "undefined" => self.maybe(&test.input, frame)?,
            _ => self.value(&test.input, frame)?,
        };
        let given = self.given(&test.arguments, frame)?;
        checks::test(self, &test.name, &input, given).map_err(|fault| fault.at(test.line))
    }

    fn variable(&self, name: Name, frame: &Frame) -> Value {
        frame.get(name).unwrap_or_else(|| self.global(name))
    }

    /// What a name is that no scope has.
    fn global(&self, name: Name) -> Value {
        if let Some(value) = &self.globals[name as usize] {
            return value.clone();
        }
        match &*self.template.names.text(name) {
            "self" => Value::Object(Rc::new(Object::Blocks)),
            text => Value::undefined(format!("'{text}' is undefined")),
        }
    }

    fn compare(&self, first: &Expr, more: &[(Compare, Expr)], frame: &Rc<Frame>) -> Result<bool> {
        if let [(compare, right)] = more {
            let left = self.value(first, frame)?;
            return self.look(right, frame, |right| operators::compare(self, *compare, &left, right));
        }
        let mut left = self.value(first, frame)?;
        for (compare, right) in more {
            let right = self.value(right, frame)?;
            if !operators::compare(self, *compare, &left, &right)? {
                return Ok(false);
            }
            left = right;
        }
        Ok(true)
    }

    fn subscript(&self, of: &Expr, index: &Expr, frame: &Rc<Frame>) -> Result<Value> {
        let Expr::Slice(parts) = index else {
            if let Expr::Const(key) = index {
                self.spend(1)?;
                return self.look(of, frame, |value| self.item(value, key));
            }
            let value = self.value(of, frame)?;
            return self.look(index, frame, |key| self.item(&value, key));
        };
        let value = &self.value(of, frame)?;
        let bound = |part: &Option<Expr>| part.as_ref().map(|part| self.value(part, frame)).transpose();
        let bounds = [bound(&parts[0])?, bound(&parts[1])?, bound(&parts[2])?];
        let slice = operators::slice(value, bounds)?;
        let none = || Fault::types(format!("'{}' object has no slices", value.type_name()));
        let slice = slice.ok_or_else(none)?;
        self.spend(slice.length().unwrap_or(0) as u64 / 8)?;
        Ok(slice)
    }

    pub(super) fn given(&self, arguments: &Arguments, frame: &Rc<Frame>) -> Result<Given> {
        let mut given = Given::default();
        for argument in &arguments.positional {
            given.positional.push(self.value(argument, frame)?);
        }
        for (name, argument) in &arguments.named {
            given.named.push((name.clone(), self.value(argument, frame)?));
        }
        if let Some(more) = &arguments.more {
            given.positional.extend(self.items(&self.value(more, frame)?)?);
        }
        if let Some(more) = &arguments.more_named {
            let Value::Dict(dict) = self.value(more, frame)? else {
                return Err(Fault::types("the argument after ** must be a mapping"));
            };
            for (key, value) in dict.entries() {
                let name = key.as_str().ok_or_else(|| Fault::types("keywords must be strings"))?;
                if given.named.iter().any(|(known, _)| &**known == name) {
                    return Err(Fault::types(format!("got multiple values for keyword argument '{name}'")));
                }
                given.named.push((name.into(), value.clone()));
            }
        }
        Ok(given)
    }

    /// Applies a filter by its name.
    pub(crate) fn filter(&self, name: &str, input: &Value, given: Given) -> Result<Value> {
        if !filters::exists(name) {
            return Err(Fault::types(format!("unknown filter `{name}`")));
        }
        let length = input.as_str().map_or(0, str::len);
        self.spend(1 + length as u64 / 64)?;
        filters::apply(self, name, input, given)
    }
}
