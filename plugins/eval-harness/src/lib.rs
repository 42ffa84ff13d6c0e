//! The metrics of a task as lm-evaluation-harness 0.4.13 computes them. See the package's README.

mod choice;
mod exact;
mod filters;
mod pattern;
mod python;
mod settings;

use diapason_plugin::{Evaluator, Judgement, Measure, MeasureInfo, Observation, Reasoning, Request, Result, Sample};
use exact::Exact;
use filters::Filters;
use settings::{Metric, Output, Settings};

/// Scores a task's answers.
pub struct Harness {
    settings: Settings,
    filters: Filters,
    exact: Exact,
}

impl Evaluator for Harness {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self> {
        settings.check()?;
        Ok(Self { filters: Filters::new(&settings)?, exact: Exact::new(&settings)?, settings })
    }

    fn measures(&self) -> Vec<MeasureInfo> {
        self.settings.metrics.iter().map(|metric| metric.info(self.settings.output)).collect()
    }

    /// The harness judges what the model wrote, its reasoning included.
    fn reasoning(&self) -> Reasoning {
        Reasoning::Keep
    }

    fn plan(&self, sample: &Sample) -> Result<Request> {
        Ok(match self.settings.output {
            Output::GenerateUntil => Request::completions(1),
            Output::Loglikelihood => Request::likelihoods(sample.reference.iter().cloned()),
            Output::MultipleChoice => Request::likelihoods(
                sample.choices.iter().map(|choice| format!("{}{choice}", self.settings.choice_prefix)),
            ),
        })
    }

    fn score(&self, observation: &Observation) -> Result<Judgement> {
        if observation.references.is_empty() {
            return Ok(Judgement::unscored("the sample has no reference"));
        }
        match self.settings.output {
            Output::MultipleChoice => Ok(self.choices(observation)),
            Output::Loglikelihood => Ok(self.likelihood(observation)),
            Output::GenerateUntil => self.written(observation),
        }
    }
}

impl Harness {
    fn choices(&self, seen: &Observation) -> Judgement {
        let choices = &seen.sample.choices;
        let places = seen.references.iter().map(|right| choices.iter().position(|choice| choice == right));
        let Some(right) = places.collect::<Option<Vec<usize>>>() else {
            return Judgement::unscored("a reference is none of the choices");
        };
        let measures = self.settings.metrics.iter().map(|metric| {
            let value = match metric {
                Metric::ExactMatch => right.iter().any(|place| seen.likelihoods[*place].greedy),
                other => {
                    choice::likeliest(*other, choices, &seen.likelihoods).is_some_and(|best| right.contains(&best))
                }
            };
            Measure::new(metric.name(), truth(value))
        });
        Judgement::scored(measures.collect::<Vec<_>>())
    }

    fn likelihood(&self, seen: &Observation) -> Judgement {
        let Some(likelihood) = seen.likelihoods.first() else {
            return Judgement::unscored("there is no likelihood");
        };
        let measures = self.settings.metrics.iter().map(|metric| {
            let value = if *metric == Metric::Acc { truth(likelihood.greedy) } else { -likelihood.logprob };
            Measure::new(metric.name(), value)
        });
        Judgement::scored(measures.collect::<Vec<_>>())
    }

    fn written(&self, seen: &Observation) -> Result<Judgement> {
        let Some(completion) = seen.completions.first() else {
            return Ok(Judgement::unscored("there is no completion"));
        };
        let answer = match self.filters.apply(&completion.text)? {
            Ok(answer) => answer,
            Err(reason) => return Ok(Judgement::unscored(reason)),
        };
        let mut right = false;
        for reference in &seen.references {
            right |= self.exact.agrees(&answer, reference)?;
        }
        let judgement = Judgement::scored([Measure::new(Metric::ExactMatch.name(), truth(right))]);
        Ok(if answer == completion.text { judgement } else { judgement.note("filtered", answer) })
    }
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

diapason_plugin::plugin! { evaluator: Harness }
