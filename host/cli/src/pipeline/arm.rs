//! What an arm is made of: which weights or which server answers, and what stands in front of its prompts.

use super::Session;
use super::session::{Purpose, Tuned};
use super::suite::LoadedSuite;
use diapason_core::arm::Arm;
use diapason_core::config::{self, Endpoint, Template};
use diapason_core::sample::{Conversation, Sample};
use diapason_core::{Error, Result, digest};
use diapason_project::dataset::{self, Selection};
use diapason_project::prompting::{Examples, Passages, Prompting};
use std::path::PathBuf;

/// How answers are drawn. Another way gives other answers, which do not belong to outputs of this one.
const SAMPLING: &str = "a stream for each answer, draws beside the ordinary completion, stops of the model and its template, logits changed \
     as generation_config.json says";

/// What answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// A model on this machine.
    Weights(Weights),
    /// A server.
    Endpoint(Box<Endpoint>),
    /// Answers that were made elsewhere.
    Outputs(PathBuf),
}

/// A model on this machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Weights {
    /// Instead of the base model.
    pub(super) model: Option<PathBuf>,
    /// On it.
    pub(super) adapter: Option<PathBuf>,
    /// The chat template of a model that is not asked in the run's: its own one by default.
    pub(super) template: Option<Template>,
}

impl Source {
    /// What answers for `arm`.
    pub(super) fn of(session: &Session, arm: &Arm) -> Result<Self> {
        if arm.is_base() {
            return Ok(Self::Weights(Weights::default()));
        }
        if arm.is_tuned() {
            let (kind, folder) = session.tuned();
            return Ok(Self::Weights(match kind {
                Tuned::Adapter => Weights { adapter: Some(folder), ..Weights::default() },
                Tuned::Model => Weights { model: Some(folder), ..Weights::default() },
            }));
        }
        let arm = configured(session, arm)?;
        Ok(match arm {
            config::Arm { outputs: Some(path), .. } => Self::Outputs(path.clone()),
            config::Arm { endpoint: Some(endpoint), .. } => Self::Endpoint(Box::new(endpoint.clone())),
            config::Arm { model, adapter, template, .. } => {
                let run = session.plan.config.template.clone();
                let own = model.is_some().then(|| Template { template: template.clone(), ..run });
                Self::Weights(Weights { model: model.clone(), adapter: adapter.clone(), template: own })
            }
        })
    }
}

impl Weights {
    /// The chat template that it is asked in.
    pub(super) fn template(&self, session: &Session) -> Template {
        self.template.clone().unwrap_or_else(|| session.plan.config.template.clone())
    }

    /// Digest of everything that shapes an answer beside its prompt and its decoding.
    pub(super) fn identity(&self, session: &mut Session) -> Result<String> {
        let path = match &self.model {
            Some(path) => path.clone(),
            None => session.plan.config.base()?.path.clone(),
        };
        let template = self.template(session);
        let model = session.inputs_of(&path, &template, Purpose::Answers)?;
        let adapter = self.adapter.as_ref().map(|adapter| session.digest(adapter)).transpose()?.unwrap_or_default();
        let parts = [
            ("model", model.as_str()),
            ("adapter", adapter.as_str()),
            ("sampling", SAMPLING),
            ("diapason", env!("CARGO_PKG_VERSION")),
        ];
        Ok(digest::of_parts(parts))
    }
}

fn configured<'a>(session: &'a Session, arm: &Arm) -> Result<&'a config::Arm> {
    session.plan.config.arm(arm).ok_or_else(|| Error::config(format!("there is no arm `{arm}`")))
}

/// What stands in front of an arm's prompts.
pub(super) fn prompting(session: &Session, arm: &Arm) -> Result<Prompting> {
    let config = &session.plan.config;
    let Some(arm) = config.arm(arm) else { return Ok(Prompting::default()) };
    let examples = arm.examples.as_ref().map(|examples| {
        let rows = candidates(session, examples)?;
        Examples::open(examples, rows, config.run.seed)
    });
    let passages = arm.retrieve.as_ref().map(Passages::open);
    Ok(Prompting { examples: examples.transpose()?, passages: passages.transpose()? })
}

/// The rows that examples are chosen from: of the training data those that are trained on, no held-out one.
fn candidates(session: &Session, examples: &config::Examples) -> Result<Vec<Sample>> {
    let config = &session.plan.config;
    let Some(data) = config.data.as_ref().filter(|_| examples.from_training()) else {
        return dataset::load(&examples.from, &config::Columns::default(), &Selection::default());
    };
    // An example stands under the prompt's own system message, not under the one that training adds.
    let selection = Selection { limit: data.limit, ..Selection::default() };
    let rows = dataset::load(&data.train, &data.columns, &selection)?;
    let (train, _) = dataset::split(&rows, data.held_out, config.run.seed);
    Ok(train.into_iter().map(|index| rows[index].clone()).collect())
}

/// A suite's prompts as this arm is asked them.
pub(super) fn conversations(prompting: &Prompting, suite: &LoadedSuite) -> Result<Vec<Conversation>> {
    suite.samples.iter().map(|sample| prompting.prompt(sample)).collect()
}
