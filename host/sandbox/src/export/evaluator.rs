//! `evaluator`: scores what a model made of samples.

use super::judgement;
use crate::bindings::exports::diapason::plugin::evaluator::{Guest, GuestIndices};
use crate::component::{Capability, Plugin};
use crate::import::Grants;
use crate::session::{Session, Terms};
use crate::state::State;
use crate::translate;
use diapason_core::Result;
use diapason_core::sample::Sample;
use diapason_core::score::{Judgement, MeasureInfo, Observation, Request};
use serde_json::{Map, Value};
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

/// Completions that may be asked for, for one sample.
const COMPLETIONS: usize = 1000;

/// A plugin used as an evaluator, under some settings.
pub struct Evaluator {
    session: Session<Guest>,
    infos: Option<Vec<MeasureInfo>>,
}

impl Evaluator {
    /// Errors where the plugin is no evaluator, does not take these settings or imports what is not granted.
    pub fn new(plugin: &Plugin, settings: &Map<String, Value>, grants: &Grants) -> Result<Self> {
        let session = Session::open(plugin, Capability::Evaluator, settings, grants, connect)?;
        Ok(Self { session, infos: None })
    }

    /// The measures that [`Evaluator::score`] gives.
    pub fn describe(&mut self) -> Result<Vec<MeasureInfo>> {
        if let Some(infos) = &self.infos {
            return Ok(infos.clone());
        }
        let terms = Terms { items: 0, muted: false };
        let infos = self.session.call(terms, |store, guest, settings| guest.call_describe(store, settings));
        let infos = infos.map_err(|failure| self.session.error("describe", "", failure))?;
        let infos: Vec<_> = infos.into_iter().map(translate::measure_info_from_wit).collect();
        judgement::check_infos(&infos).map_err(|what| self.session.nonsense("describe", "", what))?;
        self.infos = Some(infos.clone());
        Ok(infos)
    }

    /// What the model has to do for each sample, in the order of the samples.
    pub fn plan(&mut self, samples: &[Sample]) -> Result<Vec<Request>> {
        let requests = self.session.map("plan", samples, name, |store, guest, settings, batch| {
            let batch: Vec<_> = batch.iter().map(translate::sample_to_wit).collect();
            guest.call_plan(store, settings, &batch)
        })?;
        let requests: Vec<_> = requests.into_iter().map(translate::request_from_wit).collect();
        match requests.iter().zip(samples).find(|(request, _)| request.completions > COMPLETIONS) {
            None => Ok(requests),
            Some((request, sample)) => {
                let what = format!("it asks for {} completions, at most {COMPLETIONS}", request.completions);
                Err(self.session.nonsense("plan", &name(0, sample), what))
            }
        }
    }

    /// A judgement for each observation, in the order of the observations.
    pub fn score(&mut self, observations: &[Observation]) -> Result<Vec<Judgement>> {
        let infos = self.describe()?;
        let place = |index, observation: &Observation| name(index, &observation.sample);
        let judgements = self.session.map("score", observations, place, |store, guest, settings, batch| {
            let batch: Vec<_> = batch.iter().map(translate::observation_to_wit).collect();
            guest.call_score(store, settings, &batch)
        })?;
        let judgements: Vec<_> = judgements.into_iter().map(translate::judgement_from_wit).collect();
        for (judgement, observation) in judgements.iter().zip(observations) {
            judgement::check(&infos, judgement)
                .map_err(|what| self.session.nonsense("score", &place(0, observation), what))?;
        }
        Ok(judgements)
    }
}

pub(crate) fn connect(
    pre: &InstancePre<State>,
    store: &mut Store<State>,
    instance: &Instance,
) -> wasmtime::Result<Guest> {
    GuestIndices::new(pre)?.load(store, instance)
}

fn name(_: usize, sample: &Sample) -> String {
    format!("sample {}", sample.id)
}
