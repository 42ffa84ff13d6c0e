//! Keeps what was made of the settings between calls.
//!
//! The host passes the settings with every call, always the same ones to one instance. Reading them and compiling
//! what they hold (a pattern, a template) once is worth a good part of a short call.

use crate::Result;
use serde::de::DeserializeOwned;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::rc::Rc;

struct Entry {
    of: TypeId,
    settings: String,
    instance: Rc<dyn Any>,
}

thread_local! {
    /// At most one entry per type: the latest settings'.
    static MADE: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// The `T` made of these settings, from the last call if they are still the same.
pub(crate) fn of<T: 'static, S: DeserializeOwned>(settings: &str, make: fn(S) -> Result<T>) -> Result<Rc<T>> {
    if let Some(known) = find::<T>(settings) {
        return Ok(known);
    }
    let made = Rc::new(make(read(settings)?)?);
    keep(settings, made.clone());
    Ok(made)
}

/// Reads settings. An error says where they are wrong.
pub(crate) fn read<S: DeserializeOwned>(settings: &str) -> Result<S> {
    serde_json::from_str(settings).map_err(|cause| format!("failed to read settings: {cause}"))
}

fn find<T: 'static>(settings: &str) -> Option<Rc<T>> {
    MADE.with_borrow(|made| {
        let entry = made.iter().find(|entry| entry.of == TypeId::of::<T>() && entry.settings == settings)?;
        entry.instance.clone().downcast().ok()
    })
}

fn keep<T: 'static>(settings: &str, instance: Rc<T>) {
    MADE.with_borrow_mut(|made| {
        made.retain(|entry| entry.of != TypeId::of::<T>());
        made.push(Entry { of: TypeId::of::<T>(), settings: settings.to_owned(), instance });
    });
}
