//! From outputs to `scores.jsonl`: every evaluator on each arm, then the comparators on both.

use super::request::Requests;
use super::session::Purpose;
use super::suite::{LoadedSuite, Scorer};
use super::{Session, consistency, jsonl};
use crate::artefact::{self, SCORES};
use diapason_core::language_model::{Completion, Likelihood};
use diapason_core::sample::Sample;
use diapason_core::score::{Arm, Judgement, Measure, Observation, Outcome, Output, Pair, Request, Score, Side};
use diapason_core::{Error, Result, digest};
use diapason_disk::files;
use diapason_sandbox::Grants;
use std::collections::HashMap;

const STAGE: &str = "score";

/// Writes `scores.jsonl`.
pub(super) fn stage(
    session: &mut Session,
    suites: &[LoadedSuite],
    requests: &[Requests],
    base: &[Output],
    tuned: &[Output],
) -> Result<()> {
    let inputs = inputs(session, suites)?;
    if session.is_current(STAGE, &inputs) {
        return Ok(());
    }
    let plugins: usize = suites.iter().map(|suite| suite.evaluators.len() + suite.comparators.len()).sum();
    session.started(STAGE, Some(plugins));
    let (base, tuned) = (Answers::of(base), Answers::of(tuned));
    let mut scores = Vec::new();
    for (suite, requests) in suites.iter().zip(requests) {
        let seed = session.plan.config.run.seed;
        scores.extend(Scoring { suite, requests, base: &base, tuned: &tuned, grants: &session.grants }.all(seed)?);
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
    let answers = Answers::of(outputs);
    let scoring = Scoring { suite, requests, base: &answers, tuned: &answers, grants };
    let observations = scoring.observations(&answers, &requests.single[scorer])?;
    let judgements = suite.evaluators[scorer].evaluator(grants)?.score(&observations)?;
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
    base: &[Output],
    tuned: &[Output],
    stored: &[Score],
    scorer: &Scorer,
    grants: &Grants,
) -> Result<Vec<Score>> {
    let (base, tuned) = (Answers::of(base), Answers::of(tuned));
    let scoring = Scoring { suite, requests, base: &base, tuned: &tuned, grants };
    let place = suite.evaluators.iter().position(|evaluator| evaluator.label == scorer.label);
    let Some(place) = place else {
        let measures = |arm| scoring.stored(stored, arm);
        let pairs = scoring.pairs(&measures(Arm::Base), &measures(Arm::Tuned))?;
        return Ok(scoring.rows(scorer, None, scorer.comparator(grants)?.compare(&pairs)?).collect());
    };
    let mut scores = Vec::new();
    for (arm, answers) in [(Arm::Base, &base), (Arm::Tuned, &tuned)] {
        let observations = scoring.observations(answers, &requests.single[place])?;
        scores.extend(scoring.rows(scorer, Some(arm), scorer.evaluator(grants)?.score(&observations)?));
    }
    Ok(scores)
}

fn inputs(session: &mut Session, suites: &[LoadedSuite]) -> Result<String> {
    let mut parts = vec![("limits".to_owned(), serde_json::json!(session.plan.config.limits).to_string())];
    for arm in [Arm::Base, Arm::Tuned] {
        let file = artefact::outputs(arm);
        parts.push((file.into(), files::digest(&session.artefact(file))?));
    }
    for suite in suites {
        parts.push((suite.config.name.clone(), suite.digest.clone()));
        parts.extend(suite.evaluators.iter().chain(&suite.comparators).map(|one| (one.label.clone(), one.digest())));
    }
    // A judge's answers depend on the base model.
    parts.push(("model".into(), session.model_inputs(Purpose::Answers)?));
    Ok(digest::of_parts(parts.iter().map(|(name, digest)| (name.as_str(), digest.as_str()))))
}

/// Outputs found by suite and sample.
struct Answers<'a>(HashMap<(&'a str, &'a str), &'a Output>);

impl<'a> Answers<'a> {
    fn of(outputs: &'a [Output]) -> Self {
        Self(outputs.iter().map(|output| ((output.suite.as_str(), output.sample.as_str()), output)).collect())
    }

    fn get(&self, suite: &str, sample: &Sample) -> Result<&'a Output> {
        self.0.get(&(suite, sample.id.as_str())).copied().ok_or_else(|| {
            Error::run(format!("sample {} of suite `{suite}` was not answered", sample.id))
                .hint("run `diapason eval` again")
        })
    }
}

struct Scoring<'a> {
    suite: &'a LoadedSuite,
    requests: &'a Requests,
    base: &'a Answers<'a>,
    tuned: &'a Answers<'a>,
    grants: &'a Grants,
}

impl Scoring<'_> {
    fn all(&self, seed: u64) -> Result<Vec<Score>> {
        let mut scores = Vec::new();
        let mut base = vec![Vec::new(); self.suite.samples.len()];
        let mut tuned = base.clone();
        for (scorer, requests) in self.suite.evaluators.iter().zip(&self.requests.single) {
            for (arm, answers, measures) in [(Arm::Base, self.base, &mut base), (Arm::Tuned, self.tuned, &mut tuned)] {
                let mut evaluator = scorer.evaluator(self.grants)?;
                let observations = self.observations(answers, requests)?;
                let judgements = evaluator.score(&observations)?;
                consistency::scores(scorer, &evaluator, &observations, &judgements, seed)?;
                keep(&scorer.label, &judgements, measures);
                scores.extend(self.rows(scorer, Some(arm), judgements));
            }
        }
        for scorer in &self.suite.comparators {
            let (mut comparator, pairs) = (scorer.comparator(self.grants)?, self.pairs(&base, &tuned)?);
            let judgements = comparator.compare(&pairs)?;
            consistency::comparisons(scorer, &comparator, &pairs, &judgements, seed)?;
            scores.extend(self.rows(scorer, None, judgements));
        }
        Ok(scores)
    }

    /// Each sample's measures on an arm, as comparators see them, from rows of `scores.jsonl`.
    fn stored(&self, scores: &[Score], arm: Arm) -> Vec<Vec<Measure>> {
        let place: HashMap<&str, usize> =
            self.suite.samples.iter().enumerate().map(|(place, sample)| (sample.id.as_str(), place)).collect();
        let mut measures = vec![Vec::new(); self.suite.samples.len()];
        for score in scores.iter().filter(|score| score.arm == Some(arm)) {
            if let Some(place) = place.get(score.sample.as_str()) {
                let kept = &mut measures[*place..=*place];
                keep(&score.evaluator, std::slice::from_ref(&score.judgement), kept);
            }
        }
        measures
    }

    fn observations(&self, answers: &Answers<'_>, requests: &[Request]) -> Result<Vec<Observation>> {
        let samples = self.suite.samples.iter().zip(requests);
        let observation = |(sample, request): (&Sample, &Request)| {
            let output = answers.get(&self.suite.config.name, sample)?;
            Ok(Observation {
                sample: sample.clone(),
                completions: completions(output, request)?,
                likelihoods: likelihoods(output, request)?,
            })
        };
        samples.map(observation).collect()
    }

    fn pairs(&self, base: &[Vec<Measure>], tuned: &[Vec<Measure>]) -> Result<Vec<Pair>> {
        let side = |answers: &Answers<'_>, sample: &Sample, measures: &[Measure]| {
            let output = answers.get(&self.suite.config.name, sample)?;
            Ok::<_, Error>(Side { completions: output.completions.clone(), measures: measures.to_vec() })
        };
        let samples = self.suite.samples.iter().zip(base.iter().zip(tuned));
        let pair = |(sample, (a, b)): (&Sample, (&Vec<Measure>, &Vec<Measure>))| {
            Ok(Pair {
                sample: sample.clone(),
                reference: side(self.base, sample, a)?,
                candidate: side(self.tuned, sample, b)?,
            })
        };
        samples.map(pair).collect()
    }

    fn rows(&self, scorer: &Scorer, arm: Option<Arm>, judgements: Vec<Judgement>) -> impl Iterator<Item = Score> {
        self.suite.samples.iter().zip(judgements).map(move |(sample, judgement)| Score {
            suite: self.suite.config.name.clone(),
            evaluator: scorer.label.clone(),
            arm,
            sample: sample.id.clone(),
            cluster: sample.tags.get("cluster").cloned(),
            judgement,
        })
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

/// Adds an evaluator's measures to what comparators see, as `plugin.measure`.
fn keep(label: &str, judgements: &[Judgement], measures: &mut [Vec<Measure>]) {
    for (judgement, kept) in judgements.iter().zip(measures) {
        if let Outcome::Scored(scored) = &judgement.outcome {
            let named = |measure: &Measure| Measure { name: format!("{label}.{}", measure.name), value: measure.value };
            kept.extend(scored.iter().map(named));
        }
    }
}
