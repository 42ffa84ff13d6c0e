//! Which compiler builds the plugins.

use super::{TARGET, first_line};
use anyhow::{Context, Result, bail};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A compiler that can build for the sandbox.
pub(super) struct Compiler {
    /// What `rustc --version` says, and whether the standard library is built along: both decide the bytes.
    pub(super) name: String,
    path: PathBuf,
    sysroot: PathBuf,
    linker: PathBuf,
    builds_std: bool,
}

impl Compiler {
    /// The active toolchain if it has the target; otherwise the system's compiler with the standard library's sources.
    pub(super) fn find() -> Result<Self> {
        let active = env::var_os("RUSTC").map_or_else(|| PathBuf::from("rustc"), PathBuf::from);
        let candidates = [(active, false), (PathBuf::from("/usr/bin/rustc"), true)];
        candidates.into_iter().find_map(|(path, builds_std)| Self::at(path, builds_std)).with_context(|| {
            format!(
                "no compiler for {TARGET}\nHint: `rustup target add {TARGET}`, or on Debian \
                 `apt-get install rustc-web rust-web-src rust-web-llvm` for a compiler with sources."
            )
        })
    }

    fn at(path: PathBuf, builds_std: bool) -> Option<Self> {
        let print = |what: &[&str]| first_line(Command::new(&path).arg("--print").args(what));
        let sysroot = PathBuf::from(print(&["sysroot"])?);
        let library = PathBuf::from(print(&["target-libdir", "--target", TARGET])?);
        let ready = match builds_std {
            true => sysroot.join("lib/rustlib/src/rust/library/std/Cargo.toml").exists(),
            false => has_std(&library),
        };
        let host_library = PathBuf::from(print(&["target-libdir"])?);
        let linker = host_library.parent()?.join("bin/wasm-component-ld");
        let version = first_line(Command::new(&path).arg("--version"))?;
        let name = if builds_std { format!("{version}, with its own std") } else { version };
        (ready && linker.exists()).then_some(Self { name, path, sysroot, linker, builds_std })
    }

    /// Places of this machine, each with the name that stands for it in a component; the most special come last,
    /// because the last one that fits is taken.
    pub(super) fn places(&self, root: &Path, target: &Path) -> Result<Vec<(PathBuf, &'static str)>> {
        let home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let home = match home.or_else(|| Some(env::home_dir()?.join(".cargo"))) {
            Some(home) => home,
            None => bail!("neither CARGO_HOME nor a home folder: cannot say where sources are"),
        };
        let registries = home.join("registry/src");
        let sources =
            std::fs::read_dir(&registries).with_context(|| format!("failed to read {}", registries.display()))?;
        let mut places = vec![(home.clone(), "/cargo")];
        for source in sources {
            places.push((source?.path(), "/deps"));
        }
        places.push((self.sysroot.join("lib/rustlib/src/rust"), "/rust"));
        places.push((root.to_owned(), "/src"));
        places.push((target.to_owned(), "/target"));
        Ok(places)
    }

    /// Cargo with this compiler, in the plugins' workspace, with paths remapped.
    pub(super) fn cargo(&self, workspace: &Path, places: &[(PathBuf, &str)]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let remap = |(from, to): &(PathBuf, &str)| format!("--remap-path-prefix={}={to}", from.display());
        let flags: Vec<String> = places.iter().map(remap).collect();
        command.current_dir(workspace).env("RUSTC", &self.path).env("CARGO_INCREMENTAL", "0");
        command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &self.linker);
        if self.builds_std {
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        command
    }

    /// What else Cargo is told.
    pub(super) fn arguments(&self) -> &'static [&'static str] {
        if self.builds_std { &["-Zbuild-std=std,panic_abort"] } else { &[] }
    }
}

/// Whether a folder of libraries has a standard library.
fn has_std(library: &Path) -> bool {
    let entries = std::fs::read_dir(library).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().starts_with("libstd-"))
}
