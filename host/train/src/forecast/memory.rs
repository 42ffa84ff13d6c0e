//! Peak memory of a training run, tensor by tensor.
//!
//! On the CPU activations are f32, and every block that the allocator hands out is the next larger of eight sizes to a
//! power of two: tensors, whose sizes are round numbers, take about a tenth more than they hold.

use super::Pass;
use diapason_core::config::{Method, Optimizer, Train};
use diapason_models::adapters::{is_saved, names_layer};
use diapason_models::decoder::Llama;
use diapason_models::formats::Format;
use diapason_nn::optim::AdamW;

/// Where the run would take place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// In this process: activations in f32, the file mapped while it is read.
    Cpu,
    /// On a GPU: activations in bf16, no file.
    Gpu,
}

/// Bytes by what they are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Memory {
    /// The model's weights.
    pub weights: u64,
    /// The adapter, or modules trained beside it.
    pub adapter: u64,
    /// Gradients of what is trained.
    pub gradients: u64,
    /// The optimizer's averages.
    pub optimizer: u64,
    /// What the backward pass needs of the largest pass.
    pub activations: u64,
    /// What only exists for a moment: logits and the gradients on their way through a layer.
    pub transient: u64,
    /// Program, tokenizer, plugins; on a GPU the driver's context.
    pub fixed: u64,
    /// The largest sum of what exists at the same time, opening the model included.
    pub peak: u64,
}

/// The program with tokenizer and plugins, as measured.
const PROCESS: u64 = 95 << 20;

/// Memory between blocks that no block fits into, as measured with SmolLM2-135M at 400 to 2,048 tokens a pass.
const FRAGMENTATION: f64 = 1.04;

/// A CUDA context with its libraries.
const CONTEXT: u64 = 600 << 20;

/// Peak memory of training `llama`, of which only shapes are looked at, in this format on files of `file_bytes`.
/// `accumulates` says whether a step has more than one pass.
pub fn memory(
    llama: &Llama,
    config: &Train,
    largest: Pass,
    accumulates: bool,
    file_bytes: u64,
    machine: Machine,
) -> Memory {
    let counts = Counts::of(llama, config);
    let trained = counts.adapter + counts.modules + if config.method == Method::Full { counts.all() } else { 0 };
    let eight = config.optimizer == Optimizer::AdamW8bit;
    let run = Shapes { llama, config, tokens: largest.tokens as usize, machine };
    let weights = counts.weights(Format::of_run(config, machine == Machine::Gpu));
    let mut memory = Memory {
        weights,
        adapter: 4 * (counts.adapter + counts.modules),
        gradients: 4 * trained * if accumulates { 2 } else { 1 },
        optimizer: AdamW::state_bytes(trained as usize, eight) as u64,
        activations: run.activations(),
        transient: run.logits(largest.trained as usize).max(run.backward()),
        fixed: if machine == Machine::Cpu { PROCESS } else { CONTEXT },
        peak: 0,
    };
    let Memory { adapter, gradients, optimizer, activations, transient, fixed, .. } = memory;
    let training = weights + adapter + gradients + optimizer + activations + transient + fixed;
    let opening = match machine {
        Machine::Cpu => weights + file_bytes + fixed,
        Machine::Gpu => 0,
    };
    memory.peak = training.max(opening);
    memory
}

/// Numbers of parameters.
#[derive(Default)]
struct Counts {
    /// In the blocks' linear layers.
    linear: u64,
    /// Everything else.
    rest: u64,
    adapter: u64,
    modules: u64,
}

impl Counts {
    fn of(llama: &Llama, config: &Train) -> Self {
        let mut counts = Self::default();
        for (name, weight) in llama.parameters() {
            let n = weight.elem_count() as u64;
            let linear = name.ends_with("_proj.weight");
            *(if linear { &mut counts.linear } else { &mut counts.rest }) += n;
            let saved = config.method.is_adapter() && is_saved(config, name.trim_end_matches(".weight"));
            counts.modules += if saved { n } else { 0 };
        }
        counts.adapter = adapted(llama, config).map(|it| it.parameters()).sum();
        counts
    }

    fn all(&self) -> u64 {
        self.linear + self.rest
    }

    fn weights(&self, format: Format) -> u64 {
        4 * self.rest
            + match format {
                Format::F32 => 4 * self.linear,
                Format::Bf16 => 2 * self.linear,
                // 4 bits, and a byte or a float for each 64 numbers; see `quant::nf4`.
                Format::Nf4 { double: true } => self.linear / 2 + self.linear / 64 + self.linear / 4096,
                Format::Nf4 { double: false } => self.linear / 2 + self.linear / 16,
            }
    }
}

/// A layer that gets an adapter.
struct Adapted {
    out: u64,
    input: u64,
    rank: u64,
    dora: bool,
}

impl Adapted {
    fn parameters(&self) -> u64 {
        self.rank * (self.out + self.input) + if self.dora { self.out } else { 0 }
    }
}

fn adapted<'a>(llama: &'a Llama, config: &'a Train) -> impl Iterator<Item = Adapted> + 'a {
    let targets = |name: &str| config.target_modules.iter().any(|target| names_layer(target, name));
    let layers = llama.linears().filter(move |(name, _)| config.method.is_adapter() && targets(name));
    layers.filter_map(|(name, linear)| {
        let (out, input) = linear.weight().dims().ok()?;
        let (rank, _) = config.rank_alpha(&name);
        Some(Adapted { out: out as u64, input: input as u64, rank: rank as u64, dora: config.dora })
    })
}

/// The tensors of one pass.
struct Shapes<'a> {
    llama: &'a Llama,
    config: &'a Train,
    tokens: usize,
    machine: Machine,
}

impl Shapes<'_> {
    /// Bytes of a tensor with `width` numbers for each token.
    fn tensor(&self, width: usize) -> u64 {
        match self.machine {
            Machine::Cpu => block(4 * width * self.tokens),
            Machine::Gpu => 2 * (width * self.tokens) as u64,
        }
    }

    /// What the backward pass needs: see `arch::block` for what is given back at once.
    fn activations(&self) -> u64 {
        let layers = self.llama.layers.len() as u64;
        let hidden = self.tensor(self.llama.config().hidden_size);
        let kept = if self.config.gradient_checkpointing {
            (layers + 1) * hidden + self.layer()
        } else {
            layers * self.layer() + hidden
        };
        match self.machine {
            Machine::Cpu => ((kept + hidden) as f64 * FRAGMENTATION) as u64,
            Machine::Gpu => kept + hidden,
        }
    }

    fn layer(&self) -> u64 {
        let shape = self.llama.config();
        let (q, k) = (shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim);
        let (hidden, inner) = (shape.hidden_size, shape.intermediate_size);
        let per_head = if shape.qk_norm() { self.tensor(q) + self.tensor(k) } else { 0 };
        let kept = 4 * self.tensor(hidden) + 2 * self.tensor(q) + 2 * self.tensor(k) + 3 * self.tensor(inner);
        let denominators = self.tensor(shape.heads);
        let layers = self.llama.layers.len().max(1) as u64;
        // Of an adapter its narrow product is kept; DoRA keeps what it rescales, too.
        let adapters: u64 = adapted(self.llama, self.config)
            .map(|it| self.tensor(it.rank as usize) + if it.dora { self.tensor(it.out as usize) } else { 0 })
            .sum();
        kept + per_head + denominators + adapters / layers
    }

    /// Logits of some rows and the gradient of the hidden states.
    fn logits(&self, trained: usize) -> u64 {
        let shape = self.llama.config();
        let rows = trained.min(diapason_nn::kernels::LOGIT_ROWS) as u64;
        rows * 4 * (shape.vocab_size + 2 * shape.hidden_size) as u64 + self.tensor(shape.hidden_size)
    }

    /// The gradients that exist together in the feed-forward or at the embedding.
    fn backward(&self) -> u64 {
        let shape = self.llama.config();
        let embedding = 2 * 4 * (shape.vocab_size * shape.hidden_size) as u64;
        let embedding_trained = self.config.method == Method::Full || is_saved(self.config, "model.embed_tokens");
        let feed_forward = 3 * self.tensor(shape.intermediate_size) + 2 * self.tensor(shape.hidden_size);
        if embedding_trained { feed_forward.max(embedding) } else { feed_forward }
    }
}

/// What mimalloc takes for `bytes`: large blocks come in eight sizes to a power of two, and hold a few bytes of its own.
fn block(bytes: usize) -> u64 {
    const SMALL: usize = 64 * 1024;
    if bytes < SMALL {
        return bytes as u64;
    }
    let step = (bytes + 1).next_power_of_two() / 16;
    ((bytes / step + 1) * step) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_the_next_of_eight_sizes() {
        let mib = 1 << 20;
        assert_eq!(block(100), 100);
        assert_eq!(block(mib), (mib + mib / 8) as u64);
        assert_eq!(block(mib - 1), mib as u64);
        assert_eq!(block(mib + mib / 8 - 1), (mib + mib / 8) as u64);
        assert_eq!(block(6 * mib), (6 * mib + mib / 2) as u64);
    }
}
