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

use diapason_plugin::json::{self as documents, Document, Kind};
use diapason_plugin::{
    Evaluator, Judgement, Likelihood, Measure, MeasureInfo, Observation, Reasoning, Request, Result, Sample,
};
use extract::Extraction;
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

    fn reasoning(&self) -> Reasoning {
        self.settings.reasoning
    }

    fn score(&self, observation: &Observation) -> Result<Judgement> {
        if observation.references.is_empty() {
            return Ok(Judgement::unscored("the sample has no reference"));
        }
        let mut notes = Judgement::scored([]);
        let (mut measures, mut unread) = (Vec::new(), Vec::new());
        for metric in &self.metrics {
            match self.best(*metric, observation, &mut notes)? {
                Value::Scored(value) => measures.push(Measure::new(metric.name(), value)),
                Value::Unread(reason) => unread.push(format!("{}: {reason}", metric.name())),
                Value::Inapplicable => {}
            }
        }
        let judgement = match (measures.is_empty(), unread.is_empty()) {
            (false, _) => Judgement::scored(measures),
            (true, false) => Judgement::unscored(unread.join("; ")),
            (true, true) => Judgement::unscored(self.inapplicable(&observation.sample)),
        };
        let notes = notes.notes.into_iter().chain(unread.into_iter().map(|reason| ("unscored".to_owned(), reason)));
        Ok(notes.fold(judgement, |judged, (name, text)| judged.note(name, text)))
    }
}

/// What a metric says of an answer and a reference.
enum Value {
    Scored(f64),
    /// The metric applies, and yet the answer cannot be judged: why.
    Unread(String),
    /// The metric does not apply to the reference.
    Inapplicable,
}

impl Value {
    fn truth(value: bool) -> Self {
        Self::Scored(truth(value))
    }
}

impl Accuracy {
    fn completions(&self) -> u32 {
        if self.metrics.contains(&Metric::AnyExact) { self.settings.completions } else { 1 }
    }

    /// A metric's best value over the references: any of them will do. One that cannot be judged counts only where no
    /// other is right. The notes are those of the reference that counts.
    fn best(&self, metric: Metric, seen: &Observation, notes: &mut Judgement) -> Result<Value> {
        let mut best = (Value::Inapplicable, Vec::new());
        let mut unread = None;
        for reference in &seen.references {
            let mut judged = Judgement::scored([]);
            let value = self.value(metric, seen, reference, &mut judged)?;
            match (&value, &best.0) {
                (Value::Scored(new), Value::Scored(old)) if new <= old => {}
                (Value::Scored(_), _) => best = (value, judged.notes),
                (Value::Unread(_), _) => unread = unread.or(Some(value)),
                (Value::Inapplicable, _) => {}
            }
        }
        let right = matches!(best.0, Value::Scored(value) if value >= 1.0);
        if let Some(unread) = unread.filter(|_| !right) {
            return Ok(unread);
        }
        notes.notes.extend(best.1);
        Ok(best.0)
    }

    fn value(&self, metric: Metric, seen: &Observation, reference: &str, notes: &mut Judgement) -> Result<Value> {
        if metric.is_choice() {
            return Ok(self.choice(metric, seen, reference).map_or(Value::Inapplicable, Value::Scored));
        }
        let answer = seen.answer()?;
        Ok(match metric {
            Metric::ExactMatch => Value::truth(text::exact(answer, reference)),
            Metric::NormalisedMatch => Value::truth(text::normalised(answer, reference)),
            Metric::TokenF1 => Value::Scored(text::token_f1(answer, reference)),
            Metric::Numeric => self.numeric(answer, reference, notes),
            Metric::ExtractStrict => self.extracted(metric, self.extraction.strictly(answer), reference, notes),
            Metric::ExtractFlexible => self.extracted(metric, self.extraction.flexibly(answer), reference, notes),
            Metric::FieldAccuracy => self.field_accuracy(answer, reference, notes),
            Metric::JsonExact => self.json_exact(answer, reference),
            Metric::AnyExact => Value::Scored(self.any_exact(seen)),
            Metric::Choice | Metric::ChoicePerByte | Metric::ChoicePerToken => Value::Inapplicable,
        })
    }

    fn numeric(&self, answer: &str, reference: &str, notes: &mut Judgement) -> Value {
        let convention = self.settings.convention();
        let Ok(Some(expected)) = number::read(reference, convention) else { return Value::Inapplicable };
        match number::read(answer, convention) {
            Ok(Some(given)) => match given.agrees(&expected, self.settings.tolerance(), self.settings.percent) {
                Ok(same) => {
                    notes.notes.push((Metric::Numeric.name().to_owned(), given.to_string()));
                    Value::truth(same)
                }
                Err(reason) => Value::Unread(reason),
            },
            Ok(None) => Value::Scored(0.0),
            Err(reason) => Value::Unread(reason),
        }
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

    fn extracted(&self, metric: Metric, found: Option<&str>, reference: &str, notes: &mut Judgement) -> Value {
        notes.notes.push((metric.name().to_owned(), found.unwrap_or("nothing found").to_owned()));
        Value::truth(self.extraction.agrees(found, reference))
    }

    fn any_exact(&self, seen: &Observation) -> f64 {
        let right = |text: &str| seen.references.iter().any(|reference| text::exact(text, reference));
        let right = seen.completions.iter().filter(|completion| right(&completion.text)).count();
        passes::at_least_one(seen.completions.len() as u32, right as u32, self.settings.k)
    }

    fn field_accuracy(&self, answer: &str, reference: &str, notes: &mut Judgement) -> Value {
        let Some(reference) = reference_document(reference) else { return Value::Inapplicable };
        let document = match self.document(answer, &reference) {
            Ok(document) => document,
            Err(reason) => {
                notes.notes.push(("json".to_owned(), format!("the answer holds no such document: {reason}")));
                return Value::Scored(0.0);
            }
        };
        let twice = document.duplicates.iter().map(|path| format!("{path} stands twice: the last counts"));
        notes.notes.extend(twice.take(NOTES).map(|what| ("json".to_owned(), what)));
        if json::is_inexact(&document.value) || json::is_inexact(&reference) {
            return Value::Unread(INEXACT.to_owned());
        }
        let fields = json::compare(&document.value, &reference);
        let wrong =
            fields.wrong.into_iter().take(NOTES).map(|(path, what)| ("field".to_owned(), format!("{path}: {what}")));
        notes.notes.extend(wrong);
        Value::Scored(fields.accuracy)
    }

    fn json_exact(&self, answer: &str, reference: &str) -> Value {
        let Some(reference) = reference_document(reference) else { return Value::Inapplicable };
        let same = self.document(answer, &reference).is_ok_and(|document| json::same(&document.value, &reference));
        match same && json::is_inexact(&reference) {
            true => Value::Unread(INEXACT.to_owned()),
            false => Value::truth(same),
        }
    }

    /// The document of an answer: of the reference's kind, if there is one.
    fn document(&self, answer: &str, reference: &serde_json::Value) -> Result<Document> {
        documents::find(answer, self.settings.document, Kind::of(reference))
    }

    fn inapplicable(&self, sample: &Sample) -> String {
        let names: Vec<&str> = self.metrics.iter().map(|metric| metric.name()).collect();
        let choices = sample.choices.len();
        format!("none of {} applies to this reference and {choices} choices", names.join(", "))
    }
}

const INEXACT: &str = "a document has a number beyond 64 bits, which is not compared exactly: write it as text";

/// `None` where the reference is no JSON object or array.
fn reference_document(reference: &str) -> Option<serde_json::Value> {
    serde_json::from_str(reference).ok().filter(|value| Kind::of(value).is_some())
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

diapason_plugin::plugin! { evaluator: Accuracy }
