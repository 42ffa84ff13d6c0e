//! What the starters promise: their configuration is valid, and refers to the schema that `init` writes beside it.

use diapason_project::config;
use std::path::Path;

#[test]
fn starters_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates/project");
    let mut found = 0;
    for entry in std::fs::read_dir(folder).expect("starters") {
        let path = entry.expect("entry").path().join("diapason.toml");
        if path.exists() {
            config::load(&path).unwrap_or_else(|error| panic!("{error}"));
            found += 1;
        }
    }
    assert!(found >= 2, "found {found}");
}

#[test]
fn init_writes_the_current_schema() {
    let folder = tempfile::tempdir().expect("folder");
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_diapason"))
        .args(["init", "--quiet"])
        .arg(folder.path().join("new"))
        .status()
        .expect("runs");
    assert!(status.success());
    let read = |name: &str| std::fs::read_to_string(folder.path().join("new").join(name)).expect("written");
    assert!(read("diapason.toml").starts_with("#:schema ./diapason.schema.json\n"));
    let schema: serde_json::Value = serde_json::from_str(&read("diapason.schema.json")).expect("JSON");
    assert_eq!(schema, config::schema());
}
