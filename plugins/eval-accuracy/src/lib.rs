//! Whether the answer is the expected one. See the package's README for the measures and settings.

mod choice;
mod extract;
mod json;
mod number;
#[cfg(test)]
mod oracle;
mod passes;
mod settings;
mod text;

use diapason_plugin::{Evaluator, Judgement, Likelihood, Measure, MeasureInfo, Observation, Request, Result, Sample};
use extract::Extraction;
use number::Quantity;
use serde_json::Value;
use settings::{Metric, Settings};

/// At most so many notes of one kind: a wholly wrong document would bury the others.
const NOTES: usize = 5;

/// Whether answers are the expected ones.
pub struct Accuracy {
    settings: Settings,
    metrics: Vec<Metric>,
    extraction: Extraction,
}

impl Evaluator for Accuracy {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self> {
        settings.check()?;
        Ok(Self { metrics: settings.all_metrics(), extraction: settings.extraction()?, settings })
    }

    fn measures(&self) -> Vec<MeasureInfo> {
        self.metrics.iter().map(|metric| metric.info(&self.settings)).collect()
    }

    fn plan(&self, sample: &Sample) -> Result<Request> {
        let chooses = self.metrics.iter().any(|metric| metric.is_choice());
        let writes = self.metrics.iter().any(|metric| !metric.is_choice());
        let choices = sample.choices.iter().filter(|_| chooses);
        Ok(Request {
            completions: if writes { self.completions() } else { 0 },
            continuations: choices.map(|choice| format!("{}{choice}", self.settings.choice_prefix)).collect(),
        })
    }

    fn score(&self, observation: &Observation) -> Result<Judgement> {
        let Some(reference) = &observation.sample.reference else {
            return Ok(Judgement::unscored("the sample has no reference"));
        };
        let mut judgement = Judgement::scored([]);
        let mut measures = Vec::new();
        for metric in &self.metrics {
            let value = self.value(*metric, observation, reference, &mut judgement)?;
            measures.extend(value.map(|value| Measure::new(metric.name(), value)));
        }
        if measures.is_empty() {
            return Ok(Judgement::unscored(self.inapplicable(&observation.sample)));
        }
        Ok(Judgement { notes: judgement.notes, ..Judgement::scored(measures) })
    }
}

impl Accuracy {
    fn completions(&self) -> u32 {
        if self.metrics.contains(&Metric::AnyExact) { self.settings.completions } else { 1 }
    }

    /// A metric's value, or `None` where it does not apply to the sample.
    fn value(&self, metric: Metric, seen: &Observation, reference: &str, notes: &mut Judgement) -> Result<Option<f64>> {
        if metric.is_choice() {
            return Ok(self.choice(metric, seen, reference));
        }
        let answer = seen.answer()?;
        Ok(match metric {
            Metric::ExactMatch => Some(truth(text::exact(answer, reference))),
            Metric::NormalisedMatch => Some(truth(text::normalised(answer, reference))),
            Metric::TokenF1 => Some(text::token_f1(answer, reference)),
            Metric::Numeric => self.numeric(answer, reference),
            Metric::ExtractStrict => Some(self.extracted(metric, self.extraction.strictly(answer), reference, notes)),
            Metric::ExtractFlexible => Some(self.extracted(metric, self.extraction.flexibly(answer), reference, notes)),
            Metric::FieldAccuracy => field_accuracy(answer, reference, notes),
            Metric::JsonExact => json_exact(answer, reference),
            Metric::AnyExact => Some(self.any_exact(seen, reference)),
            Metric::Choice | Metric::ChoicePerByte | Metric::ChoicePerToken => None,
        })
    }

    fn numeric(&self, answer: &str, reference: &str) -> Option<f64> {
        let expected = Quantity::last_in(reference)?;
        let given = Quantity::last_in(answer);
        Some(truth(given.is_some_and(|given| given.agrees(&expected, self.settings.tolerance()))))
    }

    fn choice(&self, metric: Metric, seen: &Observation, reference: &str) -> Option<f64> {
        let expected = choice::expected(&seen.sample, reference)?;
        let length = |likelihood: &Likelihood| match metric {
            Metric::ChoicePerByte => f64::from(likelihood.bytes),
            Metric::ChoicePerToken => f64::from(likelihood.tokens),
            _ => 1.0,
        };
        Some(truth(choice::likeliest(&seen.likelihoods, length)? == expected))
    }

    fn extracted(&self, metric: Metric, found: Option<&str>, reference: &str, notes: &mut Judgement) -> f64 {
        notes.notes.push((metric.name().to_owned(), found.unwrap_or("nothing found").to_owned()));
        truth(self.extraction.agrees(found, reference))
    }

    fn any_exact(&self, seen: &Observation, reference: &str) -> f64 {
        let right = seen.completions.iter().filter(|completion| text::exact(&completion.text, reference)).count();
        passes::at_least_one(seen.completions.len() as u32, right as u32, self.settings.k)
    }

    fn inapplicable(&self, sample: &Sample) -> String {
        let names: Vec<&str> = self.metrics.iter().map(|metric| metric.name()).collect();
        let choices = sample.choices.len();
        format!("none of {} applies to this reference and {choices} choices", names.join(", "))
    }
}

/// `None` where the reference is no JSON object or array.
fn reference_document(reference: &str) -> Option<Value> {
    serde_json::from_str(reference).ok().filter(|value: &Value| value.is_object() || value.is_array())
}

fn field_accuracy(answer: &str, reference: &str, notes: &mut Judgement) -> Option<f64> {
    let reference = reference_document(reference)?;
    let Some(document) = json::find(answer, &reference) else {
        notes.notes.push(("json".to_owned(), "the answer holds no such document".to_owned()));
        return Some(0.0);
    };
    let fields = json::compare(&document, &reference);
    let wrong =
        fields.wrong.into_iter().take(NOTES).map(|(path, what)| ("field".to_owned(), format!("{path}: {what}")));
    notes.notes.extend(wrong);
    Some(fields.accuracy)
}

fn json_exact(answer: &str, reference: &str) -> Option<f64> {
    let reference = reference_document(reference)?;
    Some(truth(json::find(answer, &reference).is_some_and(|document| json::same(&document, &reference))))
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

diapason_plugin::plugin! { evaluator: Accuracy }
