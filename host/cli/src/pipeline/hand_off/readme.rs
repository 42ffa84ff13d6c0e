//! The page that says how to train with a hand-over, and the job for SLURM.

use super::{Elsewhere, Handed, files};
use diapason_core::config::Optimizer;
use diapason_core::escape::line;
use diapason_core::{Error, Result};
use diapason_disk::files as disk;
use diapason_train::hand_off::{Job, Tool};
use minijinja::{Environment, Value, context};
use serde_json::json;
use std::path::Path;

const README: &str = include_str!("../../../../../templates/hand-off/README.md.jinja");
const SLURM: &str = include_str!("../../../../../templates/hand-off/train.sbatch.jinja");

/// Writes `README.md` and `train.sbatch`.
pub(super) fn write(
    folder: &Path,
    name: &str,
    elsewhere: &Elsewhere<'_>,
    job: &Job<'_>,
    handed: &Handed,
) -> Result<()> {
    let Elsewhere { tool, out, gpus, nodes, .. } = elsewhere;
    let back = std::path::absolute(out.join("output")).unwrap_or_else(|_| out.join("output"));
    let page = context! {
        name => line(name), tool => tool.name(), kind => kind(*tool), version => env!("CARGO_PKG_VERSION"),
        trained => handed.trained, held_out => handed.held_out, steps => handed.steps,
        rows_per_step => handed.rows_per_step, processes => handed.processes, gpus, nodes, base => line(job.base),
        configuration => files::configuration(*tool), adapter => job.config.method.is_adapter(),
        packages => packages(job), launch => launch(elsewhere),
        back => json!(back).to_string(), notes => handed.notes.clone(),
    };
    for (file, template) in [("README.md", README), ("train.sbatch", SLURM)] {
        disk::write(&folder.join(file), rendered(template, &page)?.as_bytes())?;
    }
    Ok(())
}

fn rendered(template: &str, page: &Value) -> Result<String> {
    let fail = |source| Error::run("failed to write the hand-over's README.md").because(source);
    Environment::new().render_str(template, page).map(|text| format!("{}\n", text.trim_end())).map_err(fail)
}

/// What has to be installed.
fn packages(job: &Job<'_>) -> Vec<&'static str> {
    let eight_bit = job.config.optimizer == Optimizer::AdamW8bit;
    let bits = (job.is_qlora() || eight_bit).then_some("bitsandbytes");
    job.tool.packages().iter().copied().chain(bits).collect()
}

/// What the trainer is called on the command line.
fn kind(tool: Tool) -> &'static str {
    match tool {
        Tool::Trl => "trl",
        Tool::Axolotl => "axolotl",
        Tool::LlamaFactory => "llama-factory",
    }
}

/// What starts the processes of one node.
fn launch(elsewhere: &Elsewhere<'_>) -> String {
    let Elsewhere { tool, gpus, nodes, .. } = elsewhere;
    match (tool, nodes) {
        (Tool::LlamaFactory, 1) => format!("FORCE_TORCHRUN=1 NPROC_PER_NODE={gpus}"),
        (Tool::LlamaFactory, _) => format!(
            "FORCE_TORCHRUN=1 NPROC_PER_NODE={gpus} NNODES={nodes} NODE_RANK=$NODE_RANK MASTER_ADDR=HOST MASTER_PORT=29500"
        ),
        (_, 1) => format!("torchrun --standalone --nproc-per-node={gpus}"),
        _ => {
            format!("torchrun --nnodes={nodes} --nproc-per-node={gpus} --rdzv-backend=c10d --rdzv-endpoint=HOST:29500")
        }
    }
}
