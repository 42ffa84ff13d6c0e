//! What plugins can export, one file per WIT interface.

pub(crate) mod about;
pub(crate) mod comparator;
pub(crate) mod evaluator;
mod judgement;
pub(crate) mod template;
pub(crate) mod validator;

use crate::component::Capability;
use crate::state::State;
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

/// Whether an instance's functions have the types that the interface gives them.
pub(crate) fn fits(
    capability: Capability,
    pre: &InstancePre<State>,
    store: &mut Store<State>,
    instance: &Instance,
) -> wasmtime::Result<()> {
    match capability {
        Capability::ChatTemplate => template::connect(pre, store, instance).map(drop),
        Capability::Validator => validator::connect(pre, store, instance).map(drop),
        Capability::Evaluator => evaluator::connect(pre, store, instance).map(drop),
        Capability::Comparator => comparator::connect(pre, store, instance).map(drop),
    }
}

/// Whether a name is in kebab-case: `exact-match`.
pub(crate) fn is_kebab_case(name: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.len() <= 64 && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.split('-').all(word)
}

/// The beginning of a name that an error quotes: a plugin chooses how long it is.
pub(crate) fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(100)]
}

#[cfg(test)]
mod tests {
    use super::is_kebab_case;

    #[test]
    fn kebab_case() {
        for name in ["exact-match", "f1", "token-f1", "pass-at-10"] {
            assert!(is_kebab_case(name), "{name}");
        }
        for name in ["", "-a", "a-", "a--b", "A", "a_b", "a.b", "1a", "é", &"a".repeat(65)] {
            assert!(!is_kebab_case(name), "{name}");
        }
    }
}
