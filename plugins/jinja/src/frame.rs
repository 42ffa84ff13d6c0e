//! Scopes.

use crate::ast::Name;
use crate::value::Value;
use std::cell::RefCell;
use std::rc::Rc;

/// A scope: variables, and the scope around it.
#[derive(Default)]
pub struct Frame {
    variables: RefCell<Vec<(Name, Value)>>,
    around: Option<Rc<Frame>>,
}

impl Frame {
    pub fn inside(around: &Rc<Self>) -> Rc<Self> {
        Rc::new(Self { variables: RefCell::default(), around: Some(around.clone()) })
    }

    /// The innermost variable of that name.
    pub fn get(&self, name: Name) -> Option<Value> {
        self.look(name, |value| value.cloned())
    }

    /// Looks at the innermost variable of that name, if there is one. `look` sets no variable.
    pub fn look<T>(&self, name: Name, look: impl FnOnce(Option<&Value>) -> T) -> T {
        let mut frame = self;
        loop {
            if let Some((_, value)) = frame.variables.borrow().iter().find(|(known, _)| *known == name) {
                return look(Some(value));
            }
            match frame.around.as_deref() {
                Some(around) => frame = around,
                None => return look(None),
            }
        }
    }

    /// Forgets the variables of this scope.
    pub fn clear(&mut self) {
        self.variables.get_mut().clear();
    }

    /// Sets a variable of this scope.
    pub fn set(&self, name: Name, value: Value) {
        let mut variables = self.variables.borrow_mut();
        match variables.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => variables.push((name, value)),
        }
    }
}
