//! The arguments of a call, and how they find their parameters.

use crate::fault::{Fault, Result};
use crate::value::Value;
use std::rc::Rc;

/// The arguments of a call.
#[derive(Default)]
pub struct Given {
    pub positional: Vec<Value>,
    pub named: Vec<(Rc<str>, Value)>,
}

impl Given {
    /// The arguments in the order of the parameters. A parameter whose name starts with `/` takes no argument by name.
    /// Errors as Python's where one is missing, unknown, given twice or too many.
    pub fn bind<const N: usize>(
        self,
        function: &str,
        parameters: [&str; N],
        required: usize,
    ) -> Result<[Option<Value>; N]> {
        let mut bound = [const { None }; N];
        if self.positional.len() > N {
            let message = format!("{function}() takes at most {N} arguments ({} given)", self.positional.len());
            return Err(Fault::types(message));
        }
        for (slot, value) in bound.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (name, value) in self.named {
            let slot = parameters.iter().position(|parameter| *parameter == &*name);
            let unknown = || Fault::types(format!("{function}() got an unexpected keyword argument '{name}'"));
            let slot = &mut bound[slot.ok_or_else(unknown)?];
            if slot.is_some() {
                return Err(Fault::types(format!("{function}() got multiple values for argument '{name}'")));
            }
            *slot = Some(value);
        }
        if let Some(missing) = bound[..required].iter().position(Option::is_none) {
            let name = parameters[missing].trim_start_matches('/');
            return Err(Fault::types(format!("{function}() missing the argument '{name}'")));
        }
        Ok(bound)
    }

    /// No arguments at all.
    pub fn none(self, function: &str) -> Result<()> {
        self.bind::<0>(function, [], 0).map(|_| ())
    }
}

/// An argument as text, which it must be.
pub fn text_of<'a>(value: &'a Value, what: &str) -> Result<&'a str> {
    value.as_str().ok_or_else(|| Fault::types(format!("{what} must be str, not {}", value.type_name())))
}
