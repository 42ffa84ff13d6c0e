//! Files that are no plugins, or not for us, and the compile cache.

use crate::guest::{self, ENGINE, limits, observations, values};
use diapason_core::{Class, Error};
use diapason_sandbox::{Engine, Plugin};

fn refused(bytes: &[u8]) -> Error {
    let error = Plugin::from_bytes(&ENGINE, "p.wasm", bytes, &limits()).unwrap_err();
    assert_eq!(error.class(), Class::Plugin);
    error
}

#[track_caller]
fn assert_refused(bytes: &[u8], cause: &str, hint: &str) {
    let error = refused(bytes);
    assert!(error.to_string().starts_with(&format!("failed to load plugin p.wasm: {cause}")), "{error}");
    let given = error.hint_text().unwrap();
    assert!(given.contains(hint), "{given}");
}

#[test]
fn files_that_are_no_components() {
    assert_refused(b"", "the file is empty", "again");
    assert_refused(b"\0asm\x0d", "the file ends within its first 8 bytes", "again");
    assert_refused(b"(component)", "not a WebAssembly component", "not its source");
    assert_refused(b"\x7fELF\x02\x01\x01\0\0\0", "not a WebAssembly component", "not its source");
    let module = guest::whole("hostile/module.wat");
    assert_refused(&module, "a core module, not a component: it has no component-type", "wasm-tools component new");
}

#[test]
fn files_that_are_cut_short() {
    let whole = guest::whole("hostile/component-wasi.wat");
    assert_refused(&whole[..whole.len() - 3], "not a valid WebAssembly component: unexpected end", "cut short");
    let module = guest::module("guests/exact.wat");
    for length in [9, module.len() / 2, module.len() - 1] {
        let error = refused(&module[..length]).to_string();
        assert!(error.starts_with("failed to load plugin p.wasm: "), "{error}");
    }
}

#[test]
fn imports_that_are_not_ours() {
    let wasi = guest::whole("hostile/component-wasi.wat");
    assert_refused(&wasi, "it imports wasi:filesystem/types@0.2.0: this is not granted to any plugin", "--stub-wasi");
    let other = guest::whole("hostile/component-other-import.wat");
    assert_refused(&other, "it imports acme:secrets/store", "log, tokenizer and model");
}

#[test]
fn exports_that_are_missing() {
    let cause = "it does not export chat-template, validator, evaluator or comparator";
    assert_refused(&guest::whole("hostile/component-empty.wat"), &format!("{cause}: its exports are nothing"), "about");
    assert_refused(&guest::whole("hostile/component-only-about.wat"), cause, "about");
    assert_refused(&guest::whole("hostile/component-no-about.wat"), "it does not export about", "about@0.1.0");
}

#[test]
fn another_release_of_the_interface() {
    let bytes = guest::whole("hostile/component-other-release.wat");
    let cause =
        "built for another release of the plugin interface: diapason:plugin/about@0.2.0: this Diapason takes 0.1.x";
    assert_refused(&bytes, cause, "rebuild");
}

#[test]
fn exports_of_the_right_name_and_the_wrong_content() {
    let bytes = guest::whole("hostile/component-hollow.wat");
    assert_refused(&bytes, "it does not fit the plugin interface 0.1.0: instance export", "wit/released");
}

/// The sides of a pair had other names in drafts of 0.1.0, and the same layout.
#[test]
fn a_comparator_built_against_a_draft() {
    let draft = [("reference: side", "base: side"), ("candidate: side", "tuned: side")];
    let bytes = guest::module_against(&draft, "guests/comparator.wat", "comparator-plugin");
    assert_refused(&bytes, "it does not fit the plugin interface 0.1.0: ", "wit/released/0.1.0");
    let same = guest::module_against(&[], "guests/comparator.wat", "comparator-plugin");
    Plugin::from_bytes(&ENGINE, "p.wasm", &same, &limits()).unwrap();
}

#[test]
fn a_plugin_that_cannot_say_who_it_is() {
    let cases = [
        ("loud-name", "its id is \"TEST-guest\", expected kebab-case"),
        ("no-number", "its version is \"1.x.3\", expected one like 1.2.3"),
        ("no-json", "its settings schema is not valid JSON"),
        ("stuck-at-start", "it failed while it was asked who it is: out of fuel"),
    ];
    for (file, cause) in cases {
        assert_refused(&guest::module(&format!("hostile/{file}.wat")), cause, "");
    }
}

/// A guest that declares this schema of its settings.
fn with_schema(schema: &str) -> Vec<u8> {
    let text = schema.replace('"', "\\22");
    let length: String = (schema.len() as u32).to_le_bytes().iter().map(|byte| format!("\\{byte:02x}")).collect();
    let extra = format!(
        "(data (i32.const 280) \"\\00\\40\\00\\00{length}\") (data (i32.const 16384) \"{text}\")
         (func $start (global.set $top (i32.const 40000))) (start $start)"
    );
    guest::module_with("guests/exact.wat", &extra, "evaluator-plugin")
}

#[test]
fn settings_schemas_that_take_too_much() {
    Plugin::from_bytes(&ENGINE, "p.wasm", &with_schema(r#"{"type": "object"}"#), &limits()).unwrap();
    let twice =
        |n: usize| format!(r##""d{}": {{"anyOf": [{{"$ref": "#/$defs/d{n}"}}, {{"$ref": "#/$defs/d{n}"}}]}}"##, n + 1);
    let levels: Vec<String> = (0..25).map(twice).collect();
    let doubling = format!(r##"{{"$defs": {{"d0": false, {}}}, "$ref": "#/$defs/d25"}}"##, levels.join(", "));
    let cause = "plugin test-guest declares a settings schema that is not taken: ";
    assert_refused(&with_schema(&doubling), &format!("{cause}with its references replaced"), "must be small");
    assert_refused(
        &with_schema(r#"{"$ref": "file:///etc/passwd"}"#),
        &format!("{cause}`$ref` names"),
        "outside of itself",
    );
    let broken = "plugin test-guest declares a settings schema that is no JSON Schema";
    assert_refused(&with_schema(r#"{"type": 7}"#), broken, "valid JSON Schema");
    assert_refused(&with_schema(&"[".repeat(20_000)), "its settings schema is not valid JSON", "fault");
}

#[test]
fn a_file_that_is_not_there() {
    let error = Plugin::load(&ENGINE, &guest::path("nowhere.wasm"), &limits()).unwrap_err();
    assert!(error.to_string().contains("nowhere.wasm: cannot be read: No such file"), "{error}");
    assert!(error.hint_text().is_some());
}

#[cfg(unix)]
#[test]
fn a_cached_component_is_as_a_compiled_one() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("compiled");
    let bytes = guest::module("guests/exact.wat");
    let score = || {
        let engine = Engine::new(Some(cache.clone())).unwrap();
        assert_eq!(engine.cache_refusal(), None);
        let plugin = Plugin::from_bytes(&engine, "exact", &bytes, &limits()).unwrap();
        guest::evaluator(&plugin).score(&observations(3)).unwrap()
    };
    let compiled = score();
    let file = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let written = std::fs::metadata(&file).unwrap().modified().unwrap();
    assert_eq!(score(), compiled);
    assert_eq!(std::fs::metadata(&file).unwrap().modified().unwrap(), written, "the second load compiled nothing");
    std::fs::write(&file, b"diapason compiled component 1\ngarbage").unwrap();
    assert_eq!(values(&score()), [1.0; 3], "a broken file is compiled anew");
    assert!(std::fs::metadata(&file).unwrap().len() > 1000, "and replaced");
}

#[cfg(unix)]
#[test]
fn an_open_cache_folder_is_refused_and_components_are_compiled() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let engine = Engine::new(Some(folder.path().into())).unwrap();
    assert!(engine.cache_refusal().unwrap().ends_with("has mode 0755, expected 0700"));
    Plugin::from_bytes(&engine, "exact", &guest::module("guests/exact.wat"), &limits()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
