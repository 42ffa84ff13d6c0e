//! Whether the answer has the form that was asked for. See the package's README for the measures and settings.

mod form;
#[cfg(test)]
mod ifeval;
mod schema;

use diapason_plugin::{Evaluator, Judgement, Measure, MeasureInfo, Observation, Reasoning, Result};
use form::{Form, Settings};

/// Whether answers have the form that was asked for.
pub struct Format(Form);

impl Evaluator for Format {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self> {
        Form::new(settings).map(Self)
    }

    fn measures(&self) -> Vec<MeasureInfo> {
        let info = |name: &&'static str| MeasureInfo::binary(*name, summary(name));
        self.0.measures().iter().map(info).collect()
    }

    fn reasoning(&self) -> Reasoning {
        self.0.reasoning()
    }

    fn score(&self, observation: &Observation) -> Result<Judgement> {
        let answer = observation.answer()?;
        let checks = self.0.check(answer);
        let valid = Measure::new("valid", truth(checks.iter().all(|check| check.problems.is_empty())));
        let measures = checks.iter().map(|check| Measure::new(check.name, truth(check.problems.is_empty())));
        let judgement = Judgement::scored([valid].into_iter().chain(measures));
        let notes = checks.iter().flat_map(|check| check.problems.iter().map(|problem| (check.name, problem)));
        let judgement = notes.fold(judgement, |judgement, (name, problem)| judgement.note(name, problem));
        Ok(self.0.remarks(answer).into_iter().fold(judgement, |judgement, remark| judgement.note("json", remark)))
    }
}

fn summary(name: &str) -> &'static str {
    match name {
        "valid" => "answers that pass every check of their form",
        "json-valid" => "answers that hold a JSON document",
        "json-only" => "answers that are a JSON document and nothing else",
        "schema-valid" => "answers whose JSON document satisfies the schema",
        "pattern" => "answers that match the pattern as a whole",
        _ => "answers within the limits of length",
    }
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

diapason_plugin::plugin! { evaluator: Format }
