//! Expressions.

use super::Interpreter;
use crate::arguments::Given;
use crate::ast::{Arguments, Compare, Expr, Name};
use crate::checks;
use crate::fault::{Fault, Kind, Result};
use crate::filters;
use crate::frame::Frame;
use crate::object::Object;
use crate::operators;
use crate::value::{Dict, Value};
use std::rc::Rc;

impl Interpreter<'_> {
    pub(super) fn value(&self, expression: &Expr, frame: &Rc<Frame>) -> Result<Value> {
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
            Expr::Compare(first, more) => self.compare(value(first)?, more, frame),
            Expr::Concat(parts) => operators::concat(self, &parts.iter().map(value).collect::<Result<Vec<_>>>()?),
            Expr::If(parts) => match (value(&parts.0)?.is_true(), &parts.2) {
                (true, _) => value(&parts.1),
                (false, Some(otherwise)) => value(otherwise),
                (false, None) => {
                    Ok(Value::undefined("the inline if-expression evaluated to false and no else section was defined"))
                }
            },
            Expr::Attribute(object, name) => self.attribute(&value(object)?, name),
            Expr::Item(parts) => {
                let found = self.subscript(&value(&parts.0)?, &parts.1, frame);
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
                let input = value(&filter.input)?;
                let given = self.given(&filter.arguments, frame)?;
                self.filter(&filter.name, &input, given).map_err(|fault| fault.at(filter.line))
            }
            Expr::Test(test) => {
                let input = value(&test.input)?;
                let given = self.given(&test.arguments, frame)?;
                let passes = checks::test(self, &test.name, &input, given).map_err(|fault| fault.at(test.line))?;
                Ok(Value::Bool(passes))
            }
            Expr::Captured => Ok(self.captured.borrow().last().cloned().unwrap_or(Value::None)),
        }
    }

    fn variable(&self, name: Name, frame: &Frame) -> Value {
        if let Some(value) = frame.get(name) {
            return value;
        }
        if let Some(value) = &self.globals[name as usize] {
            return value.clone();
        }
        match &*self.template.names.text(name) {
            "self" => Value::Object(Rc::new(Object::Blocks)),
            text => Value::undefined(format!("'{text}' is undefined")),
        }
    }

    fn compare(&self, first: Value, more: &[(Compare, Expr)], frame: &Rc<Frame>) -> Result<Value> {
        let mut left = first;
        for (compare, right) in more {
            let right = self.value(right, frame)?;
            if !operators::compare(self, *compare, &left, &right)? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    fn subscript(&self, value: &Value, index: &Expr, frame: &Rc<Frame>) -> Result<Value> {
        let Expr::Slice(parts) = index else { return self.item(value, &self.value(index, frame)?) };
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
