//! `diapason plan`: memory, tokens, steps and time of a training run, before it starts.

use crate::args::{Gpu, PlanArguments};
use crate::exit::Exit;
use crate::pipeline::Session;
use crate::pipeline::outlook::{self, Target};
use crate::plan::Plan;
use crate::ui::Ui;
use diapason_core::{Error, Result};
use diapason_train::forecast::Machine;
use serde_json::json;

/// The share of a GPU's peak rate that training is assumed to reach: what well-tuned LoRA runs report.
const UTILISATION: f64 = 0.4;

/// `diapason plan`. Its exit code says whether the run fits.
pub(super) fn run(arguments: &PlanArguments, ui: &Ui) -> Result<Exit> {
    let target = target(arguments)?;
    let mut session = Session::looking(&Plan::load(&arguments.config.config)?, ui, &[])?;
    session.trains()?;
    let outlook = outlook::outlook(&mut session, target)?;
    ui.result(|paint| outlook::text(&outlook, paint), &json!(outlook));
    Ok(if outlook.fits() { Exit::Passed } else { Exit::Failed })
}

fn target(arguments: &PlanArguments) -> Result<Target> {
    let given =
        arguments.memory.map(|gigabytes| match gigabytes > 0.0 && gigabytes.is_finite() {
            true => Ok((gigabytes * 1e9) as u64),
            false => Err(Error::config(format!("--memory is {gigabytes}, expected more than 0"))
                .hint("it is in GB: `--memory 16`")),
        });
    let given = given.transpose()?;
    Ok(match arguments.gpu {
        Some(gpu) => {
            let (gigabytes, teraflops) = figures(gpu);
            let bytes = given.unwrap_or((gigabytes * 1e9) as u64);
            Target { bytes, machine: Machine::Gpu, flops: Some(UTILISATION * teraflops * 1e12) }
        }
        None => Target { bytes: given.map_or_else(outlook::available, Ok)?, machine: Machine::Cpu, flops: None },
    })
}

/// Memory in GB, and peak rate in 10^12 floating-point operations per second in bf16 (f16 on the T4) without sparsity, from
/// NVIDIA's data sheets.
fn figures(gpu: Gpu) -> (f64, f64) {
    match gpu {
        Gpu::T4 => (16.0, 65.0),
        Gpu::Rtx3090 => (24.0, 71.0),
        Gpu::Rtx4090 => (24.0, 165.0),
        Gpu::A10g => (24.0, 70.0),
        Gpu::L40s => (48.0, 362.0),
        Gpu::A10040gb => (40.0, 312.0),
        Gpu::A10080gb => (80.0, 312.0),
        Gpu::H100 => (80.0, 989.0),
        Gpu::H200 => (141.0, 989.0),
    }
}
