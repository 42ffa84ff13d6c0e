//! From outputs to `scores.jsonl`: every evaluator on each arm, then the comparators on every two that are compared.

use super::request::Requests;
use super::session::Purpose;
use super::suite::{LoadedSuite, Scorer};
use super::{Session, consistency, jsonl};
use crate::artefact::{self, SCORES};
use diapason_core::arm::{Arm, Arms, Contrast};
use diapason_core::language_model::{Completion, Likelihood};
use diapason_core::sample::Sample;
use diapason_core::score::{Judgement, Measure, Observation, Outcome, Output, Pair, Request, Score, Side};
use diapason_core::{Error, Result, digest};
use diapason_disk::files;
use diapason_sandbox::Grants;
use std::collections::HashMap;

const STAGE: &str = "score";

/// The arms of an evaluation with what they answered.
pub(super) struct Answered {
    pub(super) arms: Arms,
    /// In the order of the arms.
    pub(super) outputs: Vec<Vec<Output>>,
}

impl Answered {
    fn answers(&self) -> Vec<(&Arm, Answers<'_>)> {
        self.arms.all.iter().zip(self.outputs.iter().map(|outputs| Answers::of(outputs))).collect()
    }
}

/// Writes `scores.jsonl`.
pub(super) fn stage(
    session: &mut Session,
    suites: &[LoadedSuite],
    requests: &[Requests],
    answered: &Answered,
) -> Result<()> {
    let inputs = inputs(session, suites, &answered.arms)?;
    if session.is_current(STAGE, &inputs) {
        return Ok(());
    }
    let plugins: usize = suites.iter().map(|suite| suite.evaluators.len() + suite.comparators.len()).sum();
    session.started(STAGE, Some(plugins));
    let arms = answered.answers();
    let mut scores = Vec::new();
    for (suite, requests) in suites.iter().zip(requests) {
        let contrasts = &answered.arms.contrasts;
        let scoring = Scoring { suite, requests, arms: &arms, contrasts, grants: &session.grants };
        scores.extend(scoring.all(session.plan.config.run.seed)?);
    }
    jsonl::write(&session.artefact(SCORES), &scores)?;
    session.finish(STAGE, &inputs, &[SCORES.into()])?;
    let unscored = scores.iter().filter(|score| matches!(score.judgement.outcome, Outcome::Unscored(_))).count();
    session.ended(STAGE, format!("{} judgements, {unscored} unscored", scores.len()));
    Ok(())
}

/// One measure of one evaluator for a single arm's answers: the values of the samples that were scored.
pub(super) fn values(
    suite: &LoadedSuite,
    scorer: usize,
    requests: &Requests,
    outputs: &[Output],
    measure: &str,
    grants: &Grants,
) -> Result<Vec<f64>> {
    let scoring = Scoring { suite, requests, arms: &[], contrasts: &[], grants };
    let seen = scoring.seen(&Answers::of(outputs), &requests.single[scorer])?;
    let judgements = suite.evaluators[scorer].evaluator(grants)?.score(&seen.observations)?;
    let value = |judgement: &Judgement| match &judgement.outcome {
        Outcome::Scored(measures) => measures.iter().find(|found| found.name == measure).map(|found| found.value),
        Outcome::Unscored(_) => None,
    };
    Ok(judgements.iter().filter_map(value).collect())
}

/// What one of the suite's plugins says of the answers now; `stored` has the measures that a comparator sees.
pub(super) fn again(
    suite: &LoadedSuite,
    requests: &Requests,
    answered: &Answered,
    stored: &[Score],
    scorer: &Scorer,
    grants: &Grants,
) -> Result<Vec<Score>> {
    let (arms, contrasts) = (answered.answers(), &answered.arms.contrasts);
    let scoring = Scoring { suite, requests, arms: &arms, contrasts, grants };
    let mut scores = Vec::new();
    match suite.evaluators.iter().position(|evaluator| evaluator.label == scorer.label) {
        Some(place) => {
            for (arm, answers) in &arms {
                let seen = scoring.seen(answers, &requests.single[place])?;
                let judgements = scorer.evaluator(grants)?.score(&seen.observations)?;
                scores.extend(scoring.rows(scorer, arm, None, &seen.samples, judgements));
            }
        }
        None => {
            let measures: Vec<_> = arms.iter().map(|(arm, _)| scoring.stored(stored, arm)).collect();
            for contrast in contrasts {
                let paired = scoring.paired(contrast, &measures);
                let judgements = scorer.comparator(grants)?.compare(&paired.pairs)?;
                let (arm, against) = (&contrast.candidate, Some(&contrast.reference));
                scores.extend(scoring.rows(scorer, arm, against, &paired.samples, judgements));
            }
        }
    }
    Ok(scores)
}

fn inputs(session: &mut Session, suites: &[LoadedSuite], arms: &Arms) -> Result<String> {
    let mut parts = vec![("limits".to_owned(), serde_json::json!(session.plan.config.limits).to_string())];
    for arm in &arms.all {
        let file = artefact::outputs(arm);
        let digest = files::digest(&session.artefact(&file))?;
        parts.push((file, digest));
    }
    if suites.iter().any(|suite| !suite.comparators.is_empty()) {
        parts.push(("contrasts".into(), serde_json::json!(arms.contrasts).to_string()));
    }
    for suite in suites {
        parts.push((suite.config.name.clone(), suite.digest.clone()));
        parts.extend(suite.evaluators.iter().chain(&suite.comparators).map(|one| (one.label.clone(), one.digest())));
    }
    // A judge's answers depend on the base model.
    if session.plan.config.model.is_some() {
        parts.push(("model".into(), session.model_inputs(Purpose::Answers)?));
    }
    Ok(digest::of_parts(parts.iter().map(|(name, digest)| (name.as_str(), digest.as_str()))))
}

/// Outputs found by suite and sample.
struct Answers<'a>(HashMap<(&'a str, &'a str), &'a Output>);

impl<'a> Answers<'a> {
    fn of(outputs: &'a [Output]) -> Self {
        Self(outputs.iter().map(|output| ((output.suite.as_str(), output.sample.as_str()), output)).collect())
    }

    /// `None` for a sample that the arm lost; the comparison counts it as lost.
    fn get(&self, suite: &str, sample: &Sample) -> Option<&'a Output> {
        self.0.get(&(suite, sample.id.as_str())).copied()
    }
}

/// What an evaluator is shown of an arm, and of which samples.
struct Seen {
    samples: Vec<usize>,
    observations: Vec<Observation>,
}

/// What a comparator is shown of two arms, and of which samples.
struct Paired {
    samples: Vec<usize>,
    pairs: Vec<Pair>,
}

/// For each sample, what evaluators measured, as comparators see it.
type Measures = Vec<Vec<Measure>>;

struct Scoring<'a> {
    suite: &'a LoadedSuite,
    requests: &'a Requests,
    arms: &'a [(&'a Arm, Answers<'a>)],
    contrasts: &'a [Contrast],
    grants: &'a Grants,
}

impl Scoring<'_> {
    fn all(&self, seed: u64) -> Result<Vec<Score>> {
        let mut scores = Vec::new();
        let mut measures: Vec<Measures> = vec![vec![Vec::new(); self.suite.samples.len()]; self.arms.len()];
        for (scorer, requests) in self.suite.evaluators.iter().zip(&self.requests.single) {
            for ((arm, answers), measures) in self.arms.iter().zip(&mut measures) {
                let mut evaluator = scorer.evaluator(self.grants)?;
                let seen = self.seen(answers, requests)?;
                let judgements = evaluator.score(&seen.observations)?;
                consistency::scores(scorer, &evaluator, &seen.observations, &judgements, seed)?;
                keep(&scorer.label, &seen.samples, &judgements, measures);
                scores.extend(self.rows(scorer, arm, None, &seen.samples, judgements));
            }
        }
        for scorer in &self.suite.comparators {
            for contrast in self.contrasts {
                let (mut comparator, paired) = (scorer.comparator(self.grants)?, self.paired(contrast, &measures));
                let judgements = comparator.compare(&paired.pairs)?;
                consistency::comparisons(scorer, &comparator, &paired.pairs, &judgements, seed)?;
                let (arm, against) = (&contrast.candidate, Some(&contrast.reference));
                scores.extend(self.rows(scorer, arm, against, &paired.samples, judgements));
            }
        }
        Ok(scores)
    }

    /// Each sample's measures on an arm, as comparators see them, from rows of `scores.jsonl`.
    fn stored(&self, scores: &[Score], arm: &Arm) -> Measures {
        let place: HashMap<&str, usize> =
            self.suite.samples.iter().enumerate().map(|(place, sample)| (sample.id.as_str(), place)).collect();
        let mut measures = vec![Vec::new(); self.suite.samples.len()];
        for score in scores.iter().filter(|score| score.arm == *arm && score.against.is_none()) {
            if let Some(place) = place.get(score.sample.as_str()) {
                keep(&score.evaluator, &[*place], std::slice::from_ref(&score.judgement), &mut measures);
            }
        }
        measures
    }

    fn seen(&self, answers: &Answers<'_>, requests: &[Request]) -> Result<Seen> {
        let mut seen = Seen { samples: Vec::new(), observations: Vec::new() };
        for (place, (sample, request)) in self.suite.samples.iter().zip(requests).enumerate() {
            let Some(output) = answers.get(&self.suite.config.name, sample) else { continue };
            seen.samples.push(place);
            seen.observations.push(Observation {
                sample: sample.clone(),
                completions: completions(output, request)?,
                likelihoods: likelihoods(output, request)?,
            });
        }
        Ok(seen)
    }

    /// Samples that both arms answered; `measures` is in the order of the arms.
    fn paired(&self, contrast: &Contrast, measures: &[Measures]) -> Paired {
        let of = |arm: &Arm| self.arms.iter().zip(measures).find(|((known, _), _)| *known == arm);
        let mut paired = Paired { samples: Vec::new(), pairs: Vec::new() };
        let (Some(candidate), Some(reference)) = (of(&contrast.candidate), of(&contrast.reference)) else {
            return paired;
        };
        let side = |((_, answers), measures): &(&(&Arm, Answers<'_>), &Measures), place: usize| {
            let output = answers.get(&self.suite.config.name, &self.suite.samples[place])?;
            Some(Side { completions: output.completions.clone(), measures: measures[place].clone() })
        };
        for (place, sample) in self.suite.samples.iter().enumerate() {
            if let (Some(reference), Some(candidate)) = (side(&reference, place), side(&candidate, place)) {
                paired.samples.push(place);
                paired.pairs.push(Pair { sample: sample.clone(), reference, candidate });
            }
        }
        paired
    }

    fn rows(
        &self,
        scorer: &Scorer,
        arm: &Arm,
        against: Option<&Arm>,
        samples: &[usize],
        judgements: Vec<Judgement>,
    ) -> Vec<Score> {
        let row = |(place, judgement): (&usize, Judgement)| {
            let sample = &self.suite.samples[*place];
            Score {
                suite: self.suite.config.name.clone(),
                evaluator: scorer.label.clone(),
                arm: arm.clone(),
                against: against.cloned(),
                sample: sample.id.clone(),
                cluster: sample.tags.get("cluster").cloned(),
                judgement,
            }
        };
        samples.iter().zip(judgements).map(row).collect()
    }
}

/// The ordinary completion for an evaluator that asked for one, the first draws for one that asked for several: whatever
/// the others asked for.
fn completions(output: &Output, request: &Request) -> Result<Vec<Completion>> {
    let (made, what) = match request.completions {
        0 | 1 => (&output.completions, "ordinary completion"),
        _ => (&output.samples, "draw"),
    };
    made.get(..request.completions).map(<[_]>::to_vec).ok_or_else(|| {
        let (sample, asked) = (&output.sample, request.completions);
        Error::run(format!(
            "sample {sample} has too few completions: of {asked} asked for, {what} {} is missing",
            made.len() + 1
        ))
        .hint("run `diapason eval` again")
    })
}

fn likelihoods(output: &Output, request: &Request) -> Result<Vec<Likelihood>> {
    let find = |text: &String| {
        let found = output.likelihoods.iter().find(|(known, _)| known == text);
        found.map(|(_, likelihood)| *likelihood).ok_or_else(|| {
            Error::run(format!("sample {} has no likelihood of `{text}`", output.sample))
                .hint("run `diapason eval` again")
        })
    };
    request.continuations.iter().map(find).collect()
}

/// Adds an evaluator's measures of some samples to what comparators see, as `plugin.measure`.
fn keep(label: &str, samples: &[usize], judgements: &[Judgement], measures: &mut [Vec<Measure>]) {
    for (place, judgement) in samples.iter().zip(judgements) {
        let kept = &mut measures[*place];
        if let Outcome::Scored(scored) = &judgement.outcome {
            let named = |measure: &Measure| Measure { name: format!("{label}.{}", measure.name), value: measure.value };
            kept.extend(scored.iter().map(named));
        }
    }
}
