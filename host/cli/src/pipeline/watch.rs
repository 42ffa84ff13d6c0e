//! A suite's measure as training goes on, for early stopping.

use super::Session;
use super::generate::{self, Asking, Job};
use super::request::Requests;
use super::score;
use super::session::Purpose;
use super::store::Store;
use super::suite::LoadedSuite;
use diapason_core::arm::Arm;
use diapason_core::config::Generate;
use diapason_core::event::Silent;
use diapason_core::sample::{Conversation, Sample};
use diapason_core::schema::did_you_mean;
use diapason_core::{Error, Result};
use diapason_engine::Local;
use diapason_models::Model;
use diapason_sandbox::Grants;

/// Everything that it takes to measure the model once more, prompts included.
pub(super) struct Watched {
    suite: LoadedSuite,
    requests: Requests,
    /// Number of the evaluator within the suite.
    scorer: usize,
    measure: String,
    pub(super) higher_is_better: bool,
    jobs: Vec<Job>,
    generate: Generate,
    seed: u64,
    grants: Grants,
}

impl Watched {
    /// What `metric`, as `suite.plugin.measure`, asks for.
    ///
    /// # Errors
    /// The suite has no such measure.
    pub(super) fn of(session: &mut Session, metric: &str) -> Result<Self> {
        let suites = session.suites()?;
        let unknown = || Error::config(format!("`{metric}` names no suite"));
        let (name, rest) = session.plan.config.watched().ok_or_else(unknown)?;
        let (name, rest) = (name.name.clone(), rest.to_owned());
        let suite = suites.into_iter().find(|suite| suite.config.name == name).ok_or_else(unknown)?;
        let described = suite.describe(&session.grants)?;
        let evaluators = described.iter().take(suite.evaluators.len()).enumerate();
        let all = evaluators.flat_map(|(scorer, plugin)| {
            plugin.measures.iter().map(move |info| (scorer, format!("{}.{}", plugin.name, info.name), info))
        });
        let all: Vec<_> = all.collect();
        let Some((scorer, _, info)) = all.iter().find(|(_, name, info)| *name == rest || info.name == rest) else {
            let known = all.iter().map(|(_, name, _)| name.as_str());
            return Err(Error::config(format!(
                "no evaluator of suite `{}` gives the measure `{rest}`",
                suite.config.name
            ))
            .hint(did_you_mean(&rest, known)));
        };
        let (scorer, measure, higher_is_better) = (*scorer, info.name.clone(), info.higher_is_better);
        let requests = Requests::of(&suite, &session.grants, &session.plan.config)?;
        let config = session.plan.config.clone();
        let conversations: Vec<_> = suite.samples.iter().map(Conversation::prompt).collect();
        let texts = session.base_for(Purpose::Training)?.renderer.prompts(&conversations)?;
        let jobs = generate::jobs(&suite, &requests, conversations, Some(texts), &config.generate);
        let grants = session.grants.clone();
        let (generate, seed) = (config.generate, config.run.seed);
        Ok(Self { suite, requests, scorer, measure, higher_is_better, jobs, generate, seed, grants })
    }

    /// The samples that are watched.
    pub(super) fn samples(&self) -> &[Sample] {
        &self.suite.samples
    }

    /// The measure's mean over the suite's scored samples.
    ///
    /// # Errors
    /// The model or the evaluator fails, or not one sample is scored.
    pub(super) fn value(&self, model: &Model) -> Result<f64> {
        // An interruption is training's to see: it ends a step and saves its state.
        let outputs = Asking {
            arm: &Arm::tuned(),
            engine: &mut Local::new(model).batched(self.generate.batch_size),
            jobs: &self.jobs,
            config: &self.generate,
            seed: self.seed,
            store: &mut Store::in_memory(),
            sink: &Silent,
            interrupted: &|| false,
        }
        .made()?
        .outputs;
        let values = score::values(&self.suite, self.scorer, &self.requests, &outputs, &self.measure, &self.grants)?;
        match values.len() {
            0 => Err(Error::run(format!("no sample of suite `{}` was scored", self.suite.config.name))
                .hint("early stopping needs a measure that exists")),
            n => Ok(values.iter().sum::<f64>() / n as f64),
        }
    }
}
