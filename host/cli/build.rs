//! Writes the tables of what the binary carries: built plugins, chat templates, project and plugin starters. A
//! folder's files are the list; there is no second one to keep in step.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let mut code = String::new();
    let prebuilt = table(&root.join("plugins/prebuilt"), "wasm")?;
    let chat = table(&root.join("templates/chat"), "jinja")?;
    let _ = writeln!(code, "pub(crate) const PLUGINS: &[(&str, &[u8])] = &[{}];", list(&prebuilt, "include_bytes"));
    let _ = writeln!(code, "pub(crate) const TEMPLATES: &[(&str, &str)] = &[{}];", list(&chat, "include_str"));
    for (name, folder) in [("STARTERS", "templates/project"), ("PLUGIN_STARTERS", "templates/plugin")] {
        let starters = starters(&root.join(folder))?;
        let _ = writeln!(code, "pub(crate) const {name}: &[(&str, &str, &[u8])] = &[{starters}];");
    }
    let out = std::env::var("OUT_DIR").map_err(std::io::Error::other)?;
    std::fs::write(Path::new(&out).join("embedded.rs"), code)
}

/// Name and path of the files with the given ending, sorted by name.
fn table(folder: &Path, ending: &str) -> std::io::Result<Vec<(String, PathBuf)>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|given| given == ending) {
            println!("cargo::rerun-if-changed={}", path.display());
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            found.push((name, path));
        }
    }
    found.sort();
    Ok(found)
}

fn list(files: &[(String, PathBuf)], with: &str) -> String {
    files.iter().map(|(name, path)| format!("({name:?}, {with}!({:?})),", path.display().to_string())).collect()
}

/// Starter, path in it and content of every file of every starter.
fn starters(folder: &Path) -> std::io::Result<String> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let starter = entry?.path();
        if starter.is_dir() {
            walk(&starter, &starter, &mut files)?;
        }
    }
    files.sort();
    let row = |(starter, inner, path): &(String, String, String)| {
        format!("({starter:?}, {inner:?}, include_bytes!({path:?})),")
    };
    Ok(files.iter().map(row).collect())
}

fn walk(starter: &Path, folder: &Path, files: &mut Vec<(String, String, String)>) -> std::io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(starter, &path, files)?;
            continue;
        }
        let name = starter.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let inner = path.strip_prefix(starter).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        files.push((name, inner, path.display().to_string()));
    }
    Ok(())
}
