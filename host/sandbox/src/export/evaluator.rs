//! `evaluator`: scores what a model made of samples.

use super::judgement;
use crate::bindings::exports::diapason::plugin::evaluator::Guest;
use crate::component::Plugin;
use crate::grants::Grants;
use crate::guest;
use crate::interface::Capability;
use crate::session::{Session, Terms};
use crate::size;
use crate::translate;
use diapason_core::Result;
use diapason_core::sample::Sample;
use diapason_core::score::{Judgement, MeasureInfo, Observation, Request};
use serde_json::{Map, Value};

/// Completions and continuations that may be asked for, for one sample, and the continuations' bytes.
const COMPLETIONS: usize = 1000;
const CONTINUATIONS: usize = 1000;
const CONTINUATION_BYTES: usize = 1 << 20;

/// A plugin used as an evaluator, under some settings.
pub struct Evaluator {
    session: Session<Guest>,
    infos: Option<Vec<MeasureInfo>>,
}

impl Evaluator {
    /// Errors where the plugin is no evaluator, does not take these settings or imports what is not granted.
    pub fn new(plugin: &Plugin, settings: &Map<String, Value>, grants: &Grants) -> Result<Self> {
        let session = Session::open(plugin, Capability::Evaluator, settings, grants, guest::evaluator)?;
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
        for (request, sample) in requests.iter().zip(samples) {
            check(request).map_err(|what| self.session.nonsense("plan", &name(0, sample), what))?;
        }
        let given = samples.iter().map(size::sample).sum();
        self.session.spend("plan", given, requests.iter().map(size::request).sum())?;
        Ok(requests)
    }

    /// Plans some samples again, by a second instance, one by one and in this order. Errors where it asks for something
    /// else than the first did.
    pub fn confirm_plan(&self, samples: &[Sample], requests: &[Request], rows: &[usize]) -> Result<()> {
        let mut second = self.second();
        for &row in rows {
            let (sample, first) = (&samples[row], &requests[row]);
            let again = second.plan(std::slice::from_ref(sample))?;
            if let Some(again) = again.iter().find(|again| *again != first) {
                let difference = format!("{} first and {} when it is asked again", shown(first), shown(again));
                return Err(self.session.inconsistent("plan", &name(row, sample), &difference));
            }
        }
        Ok(())
    }

    /// Scores some observations again, by a second instance, one by one and in this order. Errors where a judgement is
    /// another than the first was.
    pub fn confirm(&self, observations: &[Observation], judgements: &[Judgement], rows: &[usize]) -> Result<()> {
        let mut second = self.second();
        for &row in rows {
            let observation = &observations[row];
            let again = second.score(std::slice::from_ref(observation))?;
            if let Some(difference) = again.first().and_then(|again| judgement::difference(&judgements[row], again)) {
                return Err(self.session.inconsistent("score", &name(row, &observation.sample), &difference));
            }
        }
        Ok(())
    }

    fn second(&self) -> Self {
        Self { session: self.session.fresh(), infos: self.infos.clone() }
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
        let given = observations.iter().map(size::observation).sum();
        self.session.spend("score", given, judgements.iter().map(size::judgement).sum())?;
        Ok(judgements)
    }
}

fn name(_: usize, sample: &Sample) -> String {
    named(sample)
}

/// A sample by its id, and by the place of its row where that is known.
pub(super) fn named(sample: &Sample) -> String {
    match sample.place.as_str() {
        "" => format!("sample {}", sample.id),
        place => format!("sample {}, {place}", sample.id),
    }
}

/// Says what is wrong with a request, if anything is.
fn check(request: &Request) -> Result<(), String> {
    let (completions, continuations) = (request.completions, request.continuations.len());
    if completions > COMPLETIONS {
        return Err(format!("it asks for {completions} completions, at most {COMPLETIONS} are made"));
    }
    if continuations > CONTINUATIONS {
        return Err(format!("it asks for {continuations} continuations, at most {CONTINUATIONS} are judged"));
    }
    let bytes = size::texts(&request.continuations);
    if bytes > CONTINUATION_BYTES {
        return Err(format!("its continuations have {bytes} bytes, at most {CONTINUATION_BYTES} are judged"));
    }
    Ok(())
}

fn shown(request: &Request) -> String {
    format!("{} completions and {} continuations", request.completions, request.continuations.len())
}
