//! Statements.

use super::{Interpreter, MARKS, Out};
use crate::ast::{Body, Expr, For, Statement, StatementKind, Target};
use crate::escape::escape;
use crate::fault::{Fault, Result};
use crate::frame::Frame;
use crate::looping::Loop;
use crate::object::{self, Object};
use crate::operators::check_size;
use crate::show;
use crate::value::Value;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The fuel of a loop for one item: its scope and its variables are worth some expressions.
const ITERATION: u64 = 8;

/// How a body ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
}

impl Interpreter<'_> {
    pub(super) fn body(&self, body: &Body, frame: &Rc<Frame>, out: &mut Out) -> Result<Flow> {
        for statement in body {
            let flow = self.statement(statement, frame, out).map_err(|fault| fault.at(statement.line))?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&self, statement: &Statement, frame: &Rc<Frame>, out: &mut Out) -> Result<Flow> {
        self.spend(1)?;
        match &statement.kind {
            StatementKind::Text(text) => self.write(out, text)?,
            StatementKind::Print(expressions) => {
                for expression in expressions {
                    self.print(&self.value(expression, frame)?, out)?;
                }
            }
            StatementKind::For(definition) => {
                let items = self.value(&definition.items, frame)?;
                self.for_loop(definition, &items, 0, frame, out)?;
            }
            StatementKind::If(branches, otherwise) => {
                for (test, body) in branches {
                    if self.truth(test, frame)? {
                        return self.body(body, frame, out);
                    }
                }
                return self.body(otherwise, frame, out);
            }
            StatementKind::Set(target, expression) => {
                let value = self.value(expression, frame)?;
                if let (Some(turns), true) = (&self.turns, out.main) {
                    turns.assigned(&value);
                }
                self.assign(target, value, frame)?;
            }
            StatementKind::SetBlock(target, filter, body) => {
                let value = self.capture(body, frame)?;
                let value = match filter {
                    Some(filter) => self.filtered(filter, value, frame)?,
                    None => value,
                };
                self.assign(target, value, frame)?;
            }
            StatementKind::Macro(definition) => {
                let value = Value::Object(Rc::new(Object::Macro(definition.clone(), frame.clone())));
                if let Some(name) = definition.name.as_deref().and_then(|name| self.template.names.find(name)) {
                    frame.set(name, value);
                }
            }
            StatementKind::Call(call, caller) => {
                let callee = self.value(&call.callee, frame)?;
                let mut given = self.given(&call.arguments, frame)?;
                let caller = Value::Object(Rc::new(Object::Macro(caller.clone(), frame.clone())));
                given.named.push(("caller".into(), caller));
                let value = self.call(&callee, given)?;
                let text = value.as_str();
                let wrong = || Fault::types(format!("a call block's call gives a {}, not a text", value.type_name()));
                self.write(out, text.ok_or_else(wrong)?)?;
            }
            StatementKind::Filter(filter, body) => {
                let value = self.capture(body, frame)?;
                let value = self.filtered(filter, value, frame)?;
                self.print(&value, out)?;
            }
            StatementKind::With(variables, body) => {
                let inside = Frame::inside(frame);
                for (target, expression) in variables {
                    self.assign(target, self.value(expression, frame)?, &inside)?;
                }
                return self.body(body, &inside, out);
            }
            StatementKind::Autoescape(expression, body) => {
                let before = self.escaping.replace(self.value(expression, frame)?.is_true());
                let flow = self.body(body, &Frame::inside(frame), out);
                self.escaping.set(before);
                return flow;
            }
            StatementKind::Block(block) => {
                if block.required {
                    return Err(Fault::types(format!("Required block '{}' not found", block.name)));
                }
                let around = if block.scoped { frame } else { &self.top };
                self.body(&block.body, &Frame::inside(around), out)?;
            }
            StatementKind::Generation(body) => self.generation(body, frame, out)?,
            StatementKind::Break => return Ok(Flow::Break),
            StatementKind::Continue => return Ok(Flow::Continue),
            StatementKind::Load => {
                return Err(Fault::types("it asks for another template, and a chat template has no others"));
            }
        }
        Ok(Flow::Next)
    }

    fn write(&self, out: &mut Out, text: &str) -> Result<()> {
        self.spend(text.len() as u64 / 64)?;
        out.text.push_str(text);
        check_size(out.text.len())
    }

    fn print(&self, value: &Value, out: &mut Out) -> Result<()> {
        match self.escaping.get() {
            true => self.write(out, &escape(value)?),
            false => self.write(out, &show::text(value)?),
        }
    }

    /// A block of what the assistant wrote: its own scope, as a call block has one.
    fn generation(&self, body: &Body, frame: &Rc<Frame>, out: &mut Out) -> Result<()> {
        let inside = Frame::inside(frame);
        if !self.marking {
            return self.body(body, &inside, out).map(|_| ());
        }
        self.carried_marks.set(self.carried_marks.get() || !out.main);
        out.text.push(MARKS[0]);
        self.body(body, &inside, out)?;
        out.text.push(MARKS[1]);
        Ok(())
    }

    fn capture(&self, body: &Body, frame: &Rc<Frame>) -> Result<Value> {
        let mut out = Out::kept();
        self.body(body, &Frame::inside(frame), &mut out)?;
        Ok(self.written(out))
    }

    fn filtered(&self, filter: &Expr, value: Value, frame: &Rc<Frame>) -> Result<Value> {
        self.captured.borrow_mut().push(value);
        let value = self.value(filter, frame);
        self.captured.borrow_mut().pop();
        value
    }

    fn assign(&self, target: &Target, value: Value, frame: &Rc<Frame>) -> Result<()> {
        match target {
            Target::Name(name) => frame.set(*name, value),
            Target::Field(name, field) => {
                let namespace = self.value(&Expr::Name(*name), frame)?;
                object::set_field(&namespace, field, value)?;
            }
            Target::Tuple(targets) => {
                if !self.is_iterable(&value) {
                    return Err(Fault::types(format!("cannot unpack non-iterable {} object", value.type_name())));
                }
                let items = self.items(&value)?;
                if items.len() != targets.len() {
                    let (given, expected) = (items.len(), targets.len());
                    let what = if given < expected { "not enough" } else { "too many" };
                    return Err(Fault::value(format!("{what} values to unpack (expected {expected}, got {given})")));
                }
                for (target, item) in targets.iter().zip(items) {
                    self.assign(target, item, frame)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn for_loop(
        &self,
        definition: &Rc<For>,
        items: &Value,
        depth: usize,
        frame: &Rc<Frame>,
        out: &mut Out,
    ) -> Result<()> {
        let mut items = self.shared_items(items)?;
        if let Some(test) = &definition.test {
            let mut kept = Vec::new();
            for item in &*items {
                self.spend(ITERATION)?;
                let inside = Frame::inside(frame);
                self.assign(&definition.target, item.clone(), &inside)?;
                if self.truth(test, &inside)? {
                    kept.push(item.clone());
                }
            }
            items = Rc::new(kept);
        }
        if items.is_empty() {
            return self.body(&definition.otherwise, &Frame::inside(frame), out).map(|_| ());
        }
        let again = definition.recursive.then(|| (definition.clone(), frame.clone()));
        let state = Rc::new(Loop { items, at: Cell::new(0), depth, seen: RefCell::default(), again });
        let object = Value::Object(Rc::new(Object::Loop(state.clone())));
        let name = self.template.names.find("loop");
        let mut inside = Frame::inside(frame);
        for index in 0..state.items.len() {
            self.spend(ITERATION)?;
            state.at.set(index);
            // Every item has a scope of its own; one that nothing has kept, such as a macro, serves again.
            match Rc::get_mut(&mut inside) {
                Some(scope) => scope.clear(),
                None => inside = Frame::inside(frame),
            }
            if let Some(name) = name {
                inside.set(name, object.clone());
            }
            self.assign(&definition.target, state.items[index].clone(), &inside)?;
            if self.turn(&state.items[index], &definition.body, &inside, out)? == Flow::Break {
                break;
            }
        }
        Ok(())
    }

    /// The body of a loop for one item, remembering what a turn of the conversation wrote.
    fn turn(&self, item: &Value, body: &Body, frame: &Rc<Frame>, out: &mut Out) -> Result<Flow> {
        let Some(turns) = self.turns.as_ref().filter(|_| out.main) else { return self.body(body, frame, out) };
        let start = out.text.len();
        let decides = turns.enter(item);
        let flow = self.body(body, frame, out)?;
        turns.leave(decides, start..out.text.len());
        Ok(flow)
    }
}
