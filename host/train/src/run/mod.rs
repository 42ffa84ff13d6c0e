//! Fine-tuning: one loop for all methods, which differ only in what is [`trainable`] and in how the layers keep their
//! weights.

mod guard;
mod log;
pub(crate) mod plan;
mod resume;
mod stopping;
mod tensorboard;
pub mod trainable;
mod trainer;

pub use guard::idle;
pub use plan::total_steps;
pub use trainer::{Pass, Trainer, mean_loss};

use crate::checkpoint;
use crate::encode::Example;
use crate::schedule::LearningRate;
use candle_core::Var;
use diapason_core::config::Train;
use diapason_core::event::{Event, Sink, Step};
use diapason_core::{Error, Result};
use diapason_models::Model;
use diapason_models::linear::Lora;
use log::Log;
use plan::{Plan, StepRows};
use resume::{Progress, Store};
use std::path::Path;
use std::time::Instant;
use stopping::Watch;

/// What a run works with, beside the model.
pub struct Run<'a> {
    /// The rows to learn.
    pub examples: &'a [Example],
    /// Rows whose loss is watched.
    pub held_out: &'a [Example],
    /// The settings.
    pub config: &'a Train,
    /// Seeds everything that is random.
    pub seed: u64,
    /// The run folder.
    pub folder: &'a Path,
    /// Is told what happens.
    pub sink: &'a dyn Sink,
    /// Asked before every forward pass; once it says yes, the run saves its state and ends with an error.
    pub interrupted: &'a dyn Fn() -> bool,
    /// What early stopping looks at where that is not the held-out loss.
    pub measure: Option<Measure<'a>>,
}

impl<'a> Run<'a> {
    /// A run without held-out rows that nothing interrupts.
    pub fn new(examples: &'a [Example], config: &'a Train, seed: u64, folder: &'a Path, sink: &'a dyn Sink) -> Self {
        Self { examples, held_out: &[], config, seed, folder, sink, interrupted: &|| false, measure: None }
    }
}

/// A measure of a model.
pub struct Measure<'a> {
    /// Takes it of the model as it is.
    pub take: &'a mut dyn FnMut(&mut Model) -> Result<f64>,
    /// Whether a larger value is the better one.
    pub higher_is_better: bool,
}

/// What came of a training run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Optimizer steps taken.
    pub steps: u64,
    /// Mean loss per trained token of the last step, in nats.
    pub final_loss: f64,
    /// Parameters that were trained.
    pub trainable: u64,
    /// All parameters, adapters included.
    pub total: u64,
    /// Tokens that went through the model.
    pub tokens: u64,
    /// Whether early stopping ended the run.
    pub stopped_early: bool,
}

/// Fine-tunes `model`.
///
/// With an adapter, `folder/adapter` is written and the adapter stays attached; with full training, `folder/model`. Each
/// epoch's adapter is kept under `folder/checkpoints` if the configuration says so, and every step is a line of
/// `folder/train.jsonl`. The same model, examples, configuration and seed give the same bytes, whether or not the run
/// was broken off and started again: it goes on from the state that it saves every `save_steps`.
///
/// # Errors
/// Rows that are too long or have no trained token, a parameter that gets no gradient, a loss that is not finite (the
/// last good state is then kept under `folder/checkpoints`), an interruption, and failures to write.
pub fn train(model: &mut Model, mut run: Run) -> Result<Outcome> {
    guard::check_rows(run.examples, run.config, model.llama().config())?;
    guard::check_rates(run.config, run.examples.len())?;
    let base = model.digests().weights.clone();
    model.llama_mut().set_compute(run.config.compute);
    let vars = trainable::prepare(model, run.config, run.seed)?;
    let store = Store::new(run.folder, &base, [run.examples, run.held_out], run.config, run.seed);
    let trained = Loop::new(model, &vars, &mut run, &store).and_then(Loop::run);
    trainable::finish(model.llama_mut(), run.config)?;
    let outcome = trained?;
    checkpoint::save_result(model, run.config, run.folder)?;
    store.remove()?;
    Ok(outcome)
}

/// The parameters that are trained and all of them, of a model that is ready to train.
fn counts(model: &Model, vars: &[(String, Var)]) -> (u64, u64) {
    let trainable = vars.iter().map(|(_, var)| var.elem_count() as u64).sum();
    let added: usize = model.llama().linears().filter_map(|(_, linear)| linear.lora()).map(Lora::elem_count).sum();
    (trainable, model.llama().parameter_count() + added as u64)
}

/// A run under way.
struct Loop<'a, 'r> {
    model: &'a mut Model,
    vars: &'a [(String, Var)],
    run: &'a mut Run<'r>,
    store: &'a Store,
    trainer: Trainer,
    log: Log<'r>,
    progress: Progress,
    watch: Option<Watch<'a>>,
    gradients: guard::Gradients,
}

impl<'a, 'r> Loop<'a, 'r> {
    fn new(model: &'a mut Model, vars: &'a [(String, Var)], run: &'a mut Run<'r>, store: &'a Store) -> Result<Self> {
        let config = run.config;
        let mut trainer = Trainer::new(vars, config, run.seed);
        let (progress, best) = store.restore(vars, &mut trainer)?.unwrap_or_default();
        let log = Log::open(run.folder, progress.log, run.sink, config.logging_steps)?;
        let higher_is_better = run.measure.as_ref().is_some_and(|measure| measure.higher_is_better);
        let watch = config.early_stopping.as_ref();
        let watch = watch.map(|early| Watch::new(early, higher_is_better, vars, &progress, best));
        Ok(Self { model, vars, run, store, trainer, log, progress, watch, gradients: guard::Gradients::new(vars) })
    }

    fn run(mut self) -> Result<Outcome> {
        let config = self.run.config;
        let plan = Plan::new(self.run.examples, config, self.run.seed);
        let (trainable, total) = counts(self.model, self.vars);
        self.run.sink.emit(&Event::Trainable { trainable, total });
        if self.progress.step > 0 {
            self.run.sink.emit(&Event::Resumed { step: self.progress.step, steps: plan.total });
        }
        let rate = LearningRate::new(config.learning_rate, config.schedule, config.warmup, config.decay, plan.total);
        let mut stopped_early = self.is_over();
        for (number, rows) in (1..).zip(plan.rows()).skip(self.progress.step as usize) {
            if stopped_early {
                break;
            }
            self.step(number, &rows, &plan, rate.at(number))?;
            stopped_early = self.look(number, &rows, &plan)?;
            self.keep(number, &rows)?;
        }
        if let Some(watch) = &self.watch {
            watch.restore()?;
            guard::check_learned(self.vars)?;
        }
        let Progress { step: steps, loss: final_loss, tokens, .. } = self.progress;
        let stopped_early = stopped_early && steps < plan.total;
        Ok(Outcome { steps, final_loss, trainable, total, tokens, stopped_early })
    }

    /// Whether early stopping had ended the run that this one goes on from.
    fn is_over(&self) -> bool {
        let patience = self.run.config.early_stopping.as_ref().map(|early| early.patience);
        patience.is_some_and(|patience| self.progress.without_gain >= patience)
    }

    fn step(&mut self, number: u64, rows: &StepRows, plan: &Plan, learning_rate: f64) -> Result<()> {
        let started = Instant::now();
        let Run { examples, interrupted, .. } = *self.run;
        let pass = self.trainer.gradients_until(self.model.llama(), examples, &rows.rows, interrupted)?;
        let Some(pass) = pass else { return Err(self.interrupt(plan.total)) };
        if !pass.loss.is_finite() || !pass.norm.is_finite() {
            let name = format!("step-{}", number - 1);
            checkpoint::save(self.model, self.run.config, self.run.folder, &name)?;
            return Err(guard::diverged(number, &pass, &rows.rows));
        }
        self.gradients.check(self.vars, &pass.gradients, learning_rate)?;
        self.trainer.update(&pass, learning_rate)?;
        self.progress.step = number;
        self.progress.loss = pass.loss;
        self.progress.tokens += pass.tokens;
        self.log.write(&Event::Step(Step {
            step: number,
            steps: plan.total,
            epoch: rows.epoch,
            loss: pass.loss,
            learning_rate,
            gradient_norm: pass.norm,
            tokens: pass.tokens,
            supervised: pass.trained,
            seconds: started.elapsed().as_secs_f64(),
        }))
    }

    /// Saves the state before a step that was broken off.
    fn interrupt(&mut self, steps: u64) -> Error {
        let step = self.progress.step;
        match self.save_state() {
            Ok(()) => Error::run(format!("interrupted after step {step} of {steps}"))
                .hint("progress is saved: run the same command again to resume"),
            Err(error) => error.context("interrupted, and the state could not be saved"),
        }
    }

    fn save_state(&mut self) -> Result<()> {
        self.progress.log = self.log.bytes();
        let kept = self.watch.as_ref().map_or(&[][..], |watch| &watch.kept);
        self.store.save(self.vars, &self.trainer, kept, &self.progress)
    }

    /// Looks at the held-out loss and the metric where it is time for it; says whether to stop.
    fn look(&mut self, number: u64, rows: &StepRows, plan: &Plan) -> Result<bool> {
        let due = match self.run.config.eval_steps {
            Some(every) => number.is_multiple_of(every as u64),
            None => rows.ends.is_some(),
        };
        if !due && number != plan.total {
            return Ok(false);
        }
        let held_out = if self.run.held_out.is_empty() { None } else { Some(self.held_out_loss(number)?) };
        let Some(early) = &self.run.config.early_stopping else { return Ok(false) };
        let value = if Watch::is_loss(early) {
            held_out.ok_or_else(|| {
                Error::config("early stopping watches the held-out loss, but no rows are held out")
                    .hint("set `data.held_out`")
            })?
        } else {
            self.measure(number)?
        };
        let Some(watch) = &mut self.watch else { return Ok(false) };
        let stop = watch.look(value)?;
        watch.note(&mut self.progress);
        Ok(stop)
    }

    fn held_out_loss(&mut self, number: u64) -> Result<f64> {
        let Run { held_out, config, .. } = *self.run;
        let loss = trainable::without_gradients(self.model, self.vars, config, |model| {
            mean_loss(model.llama(), held_out, config.batch_size)
        })?;
        self.log.write(&Event::Evaluated { step: number, metric: "loss".into(), value: loss })?;
        Ok(loss)
    }

    fn measure(&mut self, number: u64) -> Result<f64> {
        let config = self.run.config;
        let Some(measure) = &mut self.run.measure else {
            return Err(Error::config("early stopping watches a measure that nobody takes"));
        };
        let value = trainable::without_gradients(self.model, self.vars, config, &mut *measure.take)?;
        let metric = config.early_stopping.as_ref().map(|early| early.metric.clone()).unwrap_or_default();
        self.log.write(&Event::Evaluated { step: number, metric, value })?;
        Ok(value)
    }

    /// Saves the state where it is due, and the epoch's adapter.
    fn keep(&mut self, number: u64, rows: &StepRows) -> Result<()> {
        let config = self.run.config;
        if let Some(epoch) = rows.ends.filter(|_| config.save_per_epoch) {
            checkpoint::save(self.model, config, self.run.folder, &format!("epoch-{epoch}"))?;
        }
        if number.is_multiple_of(config.save_steps as u64) || rows.ends.is_some() {
            self.save_state()?;
        }
        Ok(())
    }
}

fn failed(source: candle_core::Error) -> Error {
    Error::run("failed to compute").because(source)
}

fn unwritable(path: &Path, source: std::io::Error) -> Error {
    Error::run(format!("failed to write {}", path.display())).because(source).hint(
        "check that the folder can be written to and that there is space; then run the same command again to resume",
    )
}
