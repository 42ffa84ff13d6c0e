//! Every built-in component does in the sandbox what its cases say.

use std::path::Path;
use std::process::Command;

fn diapason(arguments: &[&str]) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_diapason")).args(["--format", "json"]).args(arguments).output();
    let output = output.expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).expect("one JSON document")
}

#[test]
fn cases_hold_in_the_sandbox() {
    let plugins = diapason(&["plugin", "list"]);
    let names: Vec<&str> = plugins.as_array().expect("a list").iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(names.len(), 9, "{names:?}");
    for name in names {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(name).join("cases");
        let tested = diapason(&["plugin", "test", name, &cases.display().to_string()]);
        assert_eq!(tested["failed"], 0, "{tested}");
        assert!(tested["cases"].as_u64() > Some(3), "{tested}");
    }
}

#[test]
fn a_new_plugin_carries_its_folders_name() {
    let place = tempfile::tempdir().expect("folder");
    let folder = place.path().join("word-count");
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/sdk").canonicalize().expect("the SDK");
    let written = diapason(&["plugin", "new", &folder.display().to_string(), "--sdk", &sdk.display().to_string()]);
    assert_eq!(written["name"], "word-count");
    let manifest: toml::Table =
        std::fs::read_to_string(folder.join("Cargo.toml")).expect("manifest").parse().expect("TOML");
    assert_eq!(manifest["package"]["name"].as_str(), Some("word-count"));
    assert_eq!(manifest["dependencies"]["diapason-plugin"]["path"].as_str().map(Path::new), Some(sdk.as_path()));
    assert!(std::fs::read_to_string(folder.join("README.md")).expect("read").contains("word_count.wasm"));
}
