//! The feature `cuda`, proved on a machine that has CUDA's compiler, with a GPU or without: it builds, which compiles every
//! kernel to PTX; it lints; and what it built runs on the CPU.

use anyhow::{Context, Result, bail, ensure};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGES: [&str; 4] = ["--package", "diapason-cli", "--package", "diapason-bench"];
const FEATURES: [&str; 2] = ["--features", "diapason-cli/cuda,diapason-bench/cuda"];

/// Builds, lints and runs, in a target folder of its own: the feature changes what all of candle is built with.
pub(crate) fn run(root: &Path) -> Result<()> {
    let missing = missing();
    if !missing.is_empty() {
        bail!(
            "the feature `cuda` cannot be checked here:\n  {}\nCUDA 13.0 from NVIDIA's installer will do, or its wheels \
             from PyPI (nvidia-cuda-nvcc, -crt, -runtime, -cccl, nvidia-nvvm, nvidia-cublas, nvidia-curand)",
            missing.join("\n  ")
        );
    }
    let target = root.join("target/cuda");
    cargo(root, &target, &[&["build", "--release"], PACKAGES.as_slice(), &FEATURES].concat())?;
    let lints = ["--release", "--all-targets"];
    cargo(root, &target, &[&["clippy"], lints.as_slice(), &PACKAGES, &FEATURES, &["--", "-D", "warnings"]].concat())?;
    let mut gpu = Command::new(target.join("release/diapason-bench"));
    execute(gpu.args(["gpu", "--device", "cpu", "--shape", "tiny"]).current_dir(root))
}

fn cargo(root: &Path, target: &Path, arguments: &[&str]) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root).env("CARGO_TARGET_DIR", target);
    // candle asks the GPU for its generation; where there is none, the one that the kernels are compiled for will do.
    if env::var_os("CUDA_COMPUTE_CAP").is_none() {
        command.env("CUDA_COMPUTE_CAP", "80");
    }
    execute(&mut command)
}

fn execute(command: &mut Command) -> Result<()> {
    println!("{command:?}");
    let status = command.status().with_context(|| format!("failed to start {command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

/// What a build needs and this machine has not, a line each.
fn missing() -> Vec<String> {
    let homes: Vec<PathBuf> =
        ["CUDA_HOME", "CUDA_PATH"].into_iter().filter_map(env::var_os).map(PathBuf::from).collect();
    let compiler = format!("nvcc{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH").unwrap_or_default();
    let named = env::var_os("NVCC").map(PathBuf::from);
    let usual = Path::new("/usr/local/cuda");
    let folders = homes.iter().map(|home| home.join("bin")).chain(env::split_paths(&path)).chain([usual.join("bin")]);
    let found = named.into_iter().chain(folders.map(|folder| folder.join(&compiler))).find(|path| path.is_file());
    let mut missing = Vec::new();
    let Some(found) = found else {
        missing.push("CUDA's compiler: no `nvcc` in NVCC, CUDA_HOME, CUDA_PATH, PATH or /usr/local/cuda".to_owned());
        return missing;
    };
    // `home/bin/nvcc` lies two folders below the toolkit.
    let own = found.parent().and_then(Path::parent).map(Path::to_path_buf);
    let homes: Vec<PathBuf> = homes.into_iter().chain(own).chain([usual.to_path_buf()]).collect();
    for header in ["cuda.h", "cublas_v2.h", "curand.h"] {
        if !homes.iter().any(|home| home.join("include").join(header).is_file()) {
            missing
                .push(format!("the toolkit's header {header}: CUDA_HOME names the folder that has include/{header}"));
        }
    }
    missing
}
