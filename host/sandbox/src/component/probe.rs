//! What a component can do and what it asks for, read from its exports and imports.

use crate::interface::{Capability, Permission};
use crate::names::cut;
use diapason_core::{Error, Result};

const PACKAGE: &str = "diapason:plugin";

/// Releases of the interface that this host takes: 0.1 and whatever is compatible with it.
const RELEASE: &str = "0.1";

/// So many exports are named in an error.
const LISTED: usize = 10;

/// The capabilities and permissions of a component with these imports and exports, each in the order of their kinds.
pub(super) fn probe(imports: &[String], exports: &[String]) -> Result<(Vec<Capability>, Vec<Permission>)> {
    let imports: Vec<&str> = imports.iter().map(String::as_str).collect();
    let exports: Vec<&str> = exports.iter().map(String::as_str).collect();
    // Imports first: a component that asks for what no plugin gets should hear that, whatever it exports.
    let permissions = permissions(&imports)?;
    Ok((capabilities(&exports)?, permissions))
}

fn permissions(imports: &[&str]) -> Result<Vec<Permission>> {
    let mut wanted = Vec::new();
    for &import in imports {
        let interface = ours(import)?.ok_or_else(|| foreign(import))?;
        match Permission::ALL.into_iter().find(|permission| permission.name() == interface) {
            Some(permission) => wanted.push(permission),
            None if interface == "types" => {}
            None => return Err(foreign(import)),
        }
    }
    wanted.sort();
    wanted.dedup();
    Ok(wanted)
}

fn capabilities(exports: &[&str]) -> Result<Vec<Capability>> {
    let interfaces = exports.iter().filter_map(|export| ours(export).transpose()).collect::<Result<Vec<_>>>()?;
    let mut found: Vec<_> = Capability::ALL.into_iter().filter(|kind| interfaces.contains(&kind.name())).collect();
    found.dedup();
    let lacking = if found.is_empty() { "chat-template, validator, evaluator or comparator" } else { "about" };
    if !found.is_empty() && interfaces.contains(&"about") {
        return Ok(found);
    }
    let listed: Vec<&str> = exports.iter().take(LISTED).map(|name| cut(name)).collect();
    let more = if exports.len() > LISTED { " and more" } else { "" };
    let has = if exports.is_empty() { "nothing".into() } else { listed.join(", ") };
    Err(Error::plugin(format!("it does not export {lacking}"))
        .because(format!("its exports are {has}{more}"))
        .hint(format!("a plugin exports {PACKAGE}/about@{RELEASE}.0 and at least one of the others of that package")))
}

/// The name of the interface, if it is one of our package; an error if it is of a release that this host cannot take.
fn ours(name: &str) -> Result<Option<&str>> {
    let Some(rest) = name.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/')) else { return Ok(None) };
    let (interface, version) = rest.split_once('@').unwrap_or((rest, "no version"));
    let patch = version.strip_prefix(RELEASE).and_then(|rest| rest.strip_prefix('.'));
    match patch.map(str::parse::<u32>) {
        Some(Ok(_)) => Ok(Some(interface)),
        _ => Err(Error::plugin(format!("built for another release of the plugin interface: {}", cut(name)))
            .because(format!("this Diapason takes {RELEASE}.x, not {}", cut(version)))
            .hint("rebuild the plugin against wit/released/0.1.0, or use the Diapason that it was built for")),
    }
}

fn foreign(import: &str) -> Error {
    let hint = if import.starts_with("wasi:") {
        "plugins have no files, clocks, randomness or network; build for wasm32-unknown-unknown, or stub the language \
         runtime's WASI imports (componentize-py -s, componentize-qjs --stub-wasi, WASI-Virt)"
    } else {
        "a plugin may import log, tokenizer and model of diapason:plugin, and nothing else"
    };
    Error::plugin(format!("it imports {}", cut(import))).because("this is not granted to any plugin").hint(hint)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn any_patch_of_our_release_is_taken() {
        let exports = ["diapason:plugin/about@0.1.3", "diapason:plugin/evaluator@0.1.0", "other:thing/x"];
        assert_eq!(capabilities(&exports).unwrap(), [Capability::Evaluator]);
        let imports = ["diapason:plugin/types@0.1.0", "diapason:plugin/model@0.1.9", "diapason:plugin/log@0.1.0"];
        assert_eq!(permissions(&imports).unwrap(), [Permission::Log, Permission::Model]);
    }

    #[test]
    fn other_releases_are_refused() {
        for version in ["@0.2.0", "@1.0.0", "@0.10.0", "@0.1", "", "@0.1.0-rc1"] {
            let name = format!("diapason:plugin/evaluator{version}");
            let error = ours(&name).unwrap_err();
            assert!(error.to_string().contains(&name), "{error}");
        }
        assert!(ours("diapason:plugins/evaluator@0.2.0").unwrap().is_none());
    }
}
