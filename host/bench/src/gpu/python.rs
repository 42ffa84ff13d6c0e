//! The same training in PyTorch and PEFT, by `tests/oracles/gpu_train.py`.

use super::training::{Measured, Plan, RANK};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// The programs with their versions, and what the training cost them.
pub(super) fn measure(python: &Path, plan: &Plan, device: &str) -> Result<(String, Measured)> {
    let modules = Command::new(python).args(["-c", "import torch, transformers, peft"]).output();
    let modules = modules.with_context(|| format!("failed to start {}", python.display()))?;
    ensure!(modules.status.success(), "{} has no torch, transformers and peft", python.display());
    let job = json!({
        "config": plan.shape.json(),
        "device": device,
        "method": plan.method.name(),
        "rank": RANK,
        "sequence": plan.sequence,
        "rows": plan.rows,
        "warm_up": plan.all_steps() - plan.steps,
        "steps": plan.steps,
        "gradient_checkpointing": plan.gradient_checkpointing,
    });
    let script = crate::root().join("tests/oracles/gpu_train.py");
    let output = Command::new(python).arg(script).arg(job.to_string()).output()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{}", text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason given"));
    }
    let text = String::from_utf8(output.stdout)?;
    read(text.lines().last().unwrap_or_default())
}

/// The script's last line.
fn read(line: &str) -> Result<(String, Measured)> {
    let found: Value = serde_json::from_str(line).with_context(|| format!("the script printed `{line}`"))?;
    let number = |name: &str| found[name].as_f64().with_context(|| format!("the script gave no `{name}`"));
    let count = |name: &str| found[name].as_u64().with_context(|| format!("the script gave no `{name}`"));
    let measured = Measured {
        tokens_per_second: number("tokens_per_second")?,
        peak: found["peak"].as_u64(),
        loss: number("loss")?,
        trainable: count("trainable")?,
    };
    Ok((found["versions"].as_str().unwrap_or("PyTorch + PEFT").to_owned(), measured))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_the_script_prints_is_read() {
        let line = r#"{"tokens_per_second": 12.5, "peak": null, "loss": 6.2, "trainable": 7, "versions": "torch 2"}"#;
        let (versions, measured) = read(line).unwrap();
        assert_eq!((versions.as_str(), measured.tokens_per_second, measured.peak), ("torch 2", 12.5, None));
        assert!(read(r#"{"peak": 1}"#).is_err() && read("").is_err());
    }
}
