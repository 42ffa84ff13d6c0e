//! With the feature `cuda`: compiles `src/kernels/cuda/*.cu` to PTX, which the crate includes. Without it: nothing.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

const SOURCES: &str = "src/kernels/cuda";

/// The oldest architecture with bf16 (Ampere): the driver makes machine code for later ones of the same PTX.
const ARCHITECTURE: &str = "compute_80";

fn main() {
    println!("cargo::rerun-if-changed={SOURCES}");
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return;
    }
    for name in ["NVCC", "CUDA_HOME", "CUDA_PATH", "PATH"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let (nvcc, out) = (nvcc(), PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")));
    for entry in std::fs::read_dir(SOURCES).expect("the kernels' sources") {
        let source = entry.expect("an entry of the sources").path();
        if source.extension().is_some_and(|extension| extension == "cu") {
            compile(&nvcc, &source, &out);
        }
    }
}

/// The compiler: `$NVCC`, or that of `$CUDA_HOME` or `$CUDA_PATH`, or the one on `$PATH`, or that of the usual folder.
fn nvcc() -> PathBuf {
    if let Some(path) = env::var_os("NVCC") {
        return path.into();
    }
    let homes =
        ["CUDA_HOME", "CUDA_PATH"].into_iter().filter_map(env::var_os).map(|home| PathBuf::from(home).join("bin"));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = homes.chain(env::split_paths(&path)).chain(["/usr/local/cuda/bin".into()]);
    let found =
        folders.map(|folder| folder.join(format!("nvcc{}", env::consts::EXE_SUFFIX))).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        fail("the feature `cuda` needs CUDA's compiler, and there is no `nvcc`. Install the CUDA toolkit and set CUDA_HOME \
              to its folder or NVCC to the compiler, or build without the feature")
    })
}

fn compile(nvcc: &Path, source: &Path, out: &Path) {
    let target = out.join(source.file_stem().expect("a file's name")).with_extension("ptx");
    let mut command = Command::new(nvcc);
    command.args(["--ptx", "-std=c++17", "-O3", "-arch", ARCHITECTURE, "-o"]).arg(target).arg(source);
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => fail(&format!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => fail(&format!("failed to start {}: {error}. NVCC names CUDA's compiler", nvcc.display())),
    }
}

fn fail(why: &str) -> ! {
    for line in why.lines() {
        println!("cargo::error={line}");
    }
    exit(1)
}
