//! Holds the floors of the house: who may import whom, what stands where, how long a file may be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Crate, and the workspace crates it may depend on.
const FLOORS: &[(&str, &[&str])] = &[
    ("diapason-core", &[]),
    ("diapason-disk", &["diapason-core"]),
    ("diapason-project", &["diapason-core", "diapason-disk"]),
    ("diapason-sandbox", &["diapason-core", "diapason-disk"]),
    ("diapason-nn", &["diapason-core"]),
    ("diapason-models", &["diapason-core", "diapason-disk", "diapason-nn"]),
    ("diapason-train", &["diapason-core", "diapason-disk", "diapason-nn", "diapason-models"]),
    ("diapason-engine", &["diapason-core", "diapason-nn", "diapason-models"]),
    ("diapason-remote", &["diapason-core"]),
    ("diapason-cli", BELOW),
    ("diapason-bench", BELOW),
    ("xtask", &[]),
];

/// Files of released interfaces, which never change, with the start of their SHA-256.
const RELEASED: &[(&str, &str)] = &[("0.1.0/plugin.wit", "557702ea67eafc79"), ("0.1.0/worlds.wit", "e4be1dd8ae1c02e6")];

/// What the crates on top may import.
const BELOW: &[&str] = &[
    "diapason-core",
    "diapason-disk",
    "diapason-project",
    "diapason-sandbox",
    "diapason-nn",
    "diapason-models",
    "diapason-train",
    "diapason-engine",
    "diapason-remote",
];

/// Dependency (by prefix), and the only crates that may name it.
const OWNERS: &[(&str, &[&str])] = &[
    ("wasmtime", &["diapason-sandbox"]),
    ("wit-component", &["diapason-sandbox"]),
    ("candle", &["diapason-nn", "diapason-models", "diapason-train", "diapason-engine"]),
    ("ureq", &["diapason-remote"]),
    ("indicatif", &["diapason-cli"]),
    ("clap", &["diapason-cli", "diapason-bench", "xtask"]),
    ("anyhow", &["diapason-cli", "diapason-bench", "xtask"]),
];

const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "host",
    "plugins",
    "rustfmt.toml",
    "templates",
    "tests",
    "wit",
];

const LONGEST_FILE: usize = 400;

#[test]
fn floors_hold() {
    let packages = packages();
    assert_eq!(packages.len(), FLOORS.len(), "every crate of the workspace has a floor: {:?}", packages.keys());
    for (name, allowed) in FLOORS {
        let found = packages.get(*name).unwrap_or_else(|| panic!("no crate {name}"));
        for dependency in found.iter().filter(|dependency| FLOORS.iter().any(|(known, _)| known == dependency)) {
            assert!(allowed.contains(&dependency.as_str()), "{name} must not import {dependency}");
        }
    }
}

#[test]
fn heavy_crates_have_one_owner() {
    for (package, dependencies) in packages() {
        for dependency in dependencies {
            for (prefix, owners) in OWNERS.iter().filter(|(prefix, _)| dependency.starts_with(prefix)) {
                assert!(
                    owners.contains(&package.as_str()),
                    "{package} names {dependency}; only {owners:?} may use {prefix}"
                );
            }
        }
    }
}

#[test]
fn top_level_holds_nothing_else() {
    let tracked = git(&["ls-files", "-z"]);
    let entries: BTreeSet<_> = tracked.split('\0').filter_map(|path| path.split('/').next()).collect();
    for entry in entries.iter().filter(|entry| !entry.is_empty() && !entry.starts_with('.')) {
        assert!(TOP_LEVEL.contains(entry), "{entry} does not belong at the top level");
    }
}

#[test]
fn files_stay_readable() {
    for path in sources() {
        let lines = std::fs::read_to_string(&path).expect("a tracked source file").lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines, more than {LONGEST_FILE}", path.display());
    }
}

#[test]
fn only_the_binary_prints() {
    let printing = ["println!(", "eprintln!(", "print!(", "eprint!(", "dbg!("];
    let crates = ["core", "disk", "project", "sandbox", "nn", "models", "train", "engine", "remote"];
    let quiet = crates.map(|krate| format!("host/{krate}/src"));
    for path in sources().into_iter().filter(|path| is_in(path, &quiet.each_ref().map(String::as_str))) {
        let text = std::fs::read_to_string(&path).expect("a tracked source file");
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let found = printing.iter().find(|call| line.contains(*call));
            assert!(found.is_none(), "{}:{} prints; emit an event instead", path.display(), number + 1);
        }
    }
}

#[test]
fn core_is_pure() {
    let absent =
        ["std::fs", "std::io", "SystemTime", "Instant::now", "std::env", "std::net", "std::process", "std::thread"];
    for path in sources().into_iter().filter(|path| is_in(path, &["host/core/src"])) {
        let text = std::fs::read_to_string(&path).expect("a tracked source file");
        for word in absent {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn released_interface_is_frozen() {
    let wit = root().join("wit");
    let plugin = std::fs::read_to_string(wit.join("plugin.wit")).expect("plugin.wit");
    let version =
        plugin.split("package diapason:plugin@").nth(1).and_then(|rest| rest.split(';').next()).expect("version");
    for file in ["plugin.wit", "worlds.wit"] {
        let current = std::fs::read_to_string(wit.join(file)).expect("current interface");
        let released =
            std::fs::read_to_string(wit.join("released").join(version).join(file)).expect("released interface");
        assert!(current == released, "{file} differs from release {version}: raise the version or restore it");
    }
}

#[test]
fn released_interfaces_have_the_digests_they_were_released_with() {
    let released = root().join("wit/released");
    let files = |folder: &Path| std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("an entry").path());
    let known = files(&released).flat_map(|release| files(&release).collect::<Vec<_>>()).collect::<BTreeSet<_>>();
    assert_eq!(known, RELEASED.iter().map(|(file, _)| released.join(file)).collect(), "a file has no digest here");
    for (file, digest) in RELEASED {
        let bytes = std::fs::read(released.join(file)).expect("a released file");
        let found = diapason_core::digest::of_bytes(&bytes);
        assert!(found.starts_with(digest), "wit/released/{file} has changed: its digest is {found}");
    }
}

#[test]
fn architecture_names_every_room() {
    let page = std::fs::read_to_string(root().join("host/ARCHITECTURE.md")).expect("host/ARCHITECTURE.md");
    for krate in ["core", "disk", "project", "sandbox", "nn", "models", "train", "engine", "remote", "cli"] {
        let folder = root().join("host").join(krate).join("src");
        for entry in std::fs::read_dir(&folder).expect("a crate's sources") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            let room = name.trim_end_matches(".rs");
            let known = ["lib", "main"].contains(&room) || page.contains(&format!("`{room}`"));
            assert!(known, "host/ARCHITECTURE.md does not name `{room}` of host/{krate}/src");
        }
    }
}

/// Each workspace crate with the names of its ordinary dependencies.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let name = |value: &serde_json::Value| value["name"].as_str().expect("a name").to_string();
    let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
    list(&metadata["packages"])
        .iter()
        .map(|package| {
            let ordinary = list(&package["dependencies"]).into_iter().filter(|dependency| dependency["kind"].is_null());
            (name(package), ordinary.map(|dependency| name(&dependency)).collect())
        })
        .collect()
}

/// Every tracked Rust file that people wrote.
fn sources() -> Vec<PathBuf> {
    git(&["ls-files", "-z", "*.rs"]).split('\0').filter(|path| !path.is_empty()).map(|path| root().join(path)).collect()
}

fn is_in(path: &Path, folders: &[&str]) -> bool {
    folders.iter().any(|folder| path.starts_with(root().join(folder)))
}

fn git(arguments: &[&str]) -> String {
    let output = std::process::Command::new("git").args(arguments).current_dir(root()).output().expect("git runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8 paths")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace's root")
}
