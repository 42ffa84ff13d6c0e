//! Builds the first-party plugins: every `cdylib` of the plugins' workspace becomes a component in `plugins/prebuilt`.
//!
//! The same compiler gives the same bytes from any folder: paths are remapped, and nothing else of the machine enters.

mod compiler;

use anyhow::{Context, Result, bail, ensure};
use compiler::Compiler;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// Rebuilds the plugins into `plugins/prebuilt`, or with `check` compares what is there with what the source gives.
///
/// # Errors
///
/// If no compiler can build for the sandbox, if a plugin does not build or carries a path of this machine, and with
/// `check` if a prebuilt component is missing, unknown, not the one that the index names, or, given the compiler that
/// made it, not the one that the source gives.
pub(crate) fn run(check: bool) -> Result<()> {
    let compiler = Compiler::find()?;
    say(&format!("compiling with {}", compiler.name));
    let built = build(&compiler)?;
    if check { compare(&built) } else { publish(&built) }
}

/// A component and what the index says about it.
struct Component {
    name: String,
    version: String,
    compiler: String,
    bytes: Vec<u8>,
}

impl Component {
    fn entry(&self) -> Value {
        let Self { name, version, compiler, bytes } = self;
        json!({ "name": name, "version": version, "sha256": digest(bytes), "size": bytes.len(), "compiler": compiler })
    }
}

fn build(compiler: &Compiler) -> Result<Vec<Component>> {
    let workspace = folder();
    let metadata = metadata(compiler, &workspace)?;
    let target = PathBuf::from(metadata["target_directory"].as_str().context("no target directory in cargo metadata")?);
    let places = compiler.places(&super::root().canonicalize()?, &target)?;
    let mut cargo = compiler.cargo(&workspace, &places);
    let status = cargo.args(["build", "--release", "--locked", "--target", TARGET]).args(compiler.arguments());
    ensure!(status.status().context("failed to start cargo")?.success(), "the plugins do not build");
    let output = target.join(TARGET).join("release");
    plugins(&metadata).into_iter().map(|(name, version)| component(compiler, &output, &places, name, version)).collect()
}

fn metadata(compiler: &Compiler, workspace: &Path) -> Result<Value> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--locked"];
    let output = compiler.cargo(workspace, &[]).args(arguments).output().context("failed to start cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Name and version of every package that is built as a component, by name.
fn plugins(metadata: &Value) -> BTreeMap<String, String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let is_plugin = |package: &Value| {
        list(&package["targets"]).iter().any(|target| list(&target["crate_types"]).contains(&"cdylib".into()))
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = list(&metadata["packages"]).into_iter().filter(is_plugin);
    packages.map(|package| (text(&package["name"]), text(&package["version"]))).collect()
}

fn component(
    compiler: &Compiler,
    output: &Path,
    places: &[(PathBuf, &str)],
    name: String,
    version: String,
) -> Result<Component> {
    let path = output.join(format!("{}.wasm", name.replace('-', "_")));
    let bytes = std::fs::read(&path).with_context(|| format!("failed to read {}", path.display()))?;
    for (place, _) in places {
        let text = place.to_string_lossy();
        let leaks = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        ensure!(!leaks, "{name} carries the path {text}: it was not remapped");
    }
    Ok(Component { name, version, compiler: compiler.name.clone(), bytes })
}

fn publish(built: &[Component]) -> Result<()> {
    let prebuilt = folder().join("prebuilt");
    std::fs::create_dir_all(&prebuilt)?;
    for (name, _) in on_disk(&prebuilt)? {
        if !built.iter().any(|component| component.name == name) {
            std::fs::remove_file(prebuilt.join(format!("{name}.wasm")))?;
            say(&format!("{name}: removed, there is no such plugin"));
        }
    }
    for component in built {
        std::fs::write(prebuilt.join(format!("{}.wasm", component.name)), &component.bytes)?;
        say(&format!("{}: {} bytes, {}", component.name, component.bytes.len(), digest(&component.bytes)));
    }
    let index: Vec<Value> = built.iter().map(Component::entry).collect();
    std::fs::write(prebuilt.join("index.json"), serde_json::to_string_pretty(&index)? + "\n")?;
    Ok(())
}

fn compare(built: &[Component]) -> Result<()> {
    let prebuilt = folder().join("prebuilt");
    let index = std::fs::read(prebuilt.join("index.json")).context("failed to read plugins/prebuilt/index.json")?;
    let index: Vec<Value> = serde_json::from_slice(&index).context("plugins/prebuilt/index.json is no index")?;
    let known: BTreeMap<String, Value> =
        index.into_iter().map(|entry| (entry["name"].as_str().unwrap_or_default().to_owned(), entry)).collect();
    let mut faults = strangers(&prebuilt, &known, built)?;
    for component in built {
        match verdict(component, known.get(&component.name)) {
            Ok(line) => say(&format!("{}: {line}", component.name)),
            Err(fault) => faults.push(format!("{}: {fault}", component.name)),
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!(
        "prebuilt plugins disagree with their source\n  {}\nHint: run `cargo x plugins` and commit plugins/prebuilt.",
        faults.join("\n  ")
    )
}

/// What is in the folder or in the index and should not be, or is in one of them only.
fn strangers(prebuilt: &Path, known: &BTreeMap<String, Value>, built: &[Component]) -> Result<Vec<String>> {
    let files = on_disk(prebuilt)?;
    let mut faults = Vec::new();
    for (name, bytes) in &files {
        match known.get(name) {
            None => faults.push(format!("{name}: not in the index")),
            Some(entry) if entry["sha256"] != digest(bytes).as_str() => {
                faults.push(format!("{name}: not the component that the index names"))
            }
            Some(_) => {}
        }
    }
    for name in known.keys() {
        if !files.contains_key(name) {
            faults.push(format!("{name}: in the index, but there is no such file"));
        }
        if !built.iter().any(|component| component.name == *name) {
            faults.push(format!("{name}: in the index, but there is no such plugin"));
        }
    }
    Ok(faults)
}

/// What to say of a component, or what is wrong with it.
fn verdict(built: &Component, entry: Option<&Value>) -> std::result::Result<String, String> {
    let Some(entry) = entry else { return Err("not in the index".into()) };
    if entry["version"] != built.version.as_str() {
        return Err(format!("the index has version {}, the source {}", entry["version"], built.version));
    }
    if entry["compiler"] != built.compiler.as_str() {
        return Ok(format!("made by another compiler ({}): bytes not compared, its cases decide", entry["compiler"]));
    }
    match entry["sha256"] == digest(&built.bytes).as_str() {
        true => Ok("same bytes".into()),
        false => Err("the source gives other bytes".into()),
    }
}

/// The components in a folder, by name.
fn on_disk(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            found.insert(name, std::fs::read(&path)?);
        }
    }
    Ok(found)
}

fn folder() -> PathBuf {
    super::root().join("plugins")
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first line that a command prints, or nothing if it fails.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

#[allow(clippy::print_stdout)]
fn say(line: &str) {
    println!("{line}");
}
