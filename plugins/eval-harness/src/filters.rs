//! What is done to an answer before it is compared.

use crate::pattern::Pattern;
use crate::python::strip;
use crate::settings::{Filter, Settings};
use diapason_plugin::Result;

/// Where an answer ends, and the steps that follow.
pub struct Filters {
    until: Vec<String>,
    steps: Vec<Step>,
}

enum Step {
    Regex { pattern: Box<Pattern>, group: i64, fallback: String },
    Lowercase,
    Uppercase,
    RemoveWhitespace,
}

impl Filters {
    /// Errors if a pattern is not supported.
    pub fn new(settings: &Settings) -> Result<Self> {
        let step = |filter: &Filter| {
            Ok(match filter {
                Filter::Regex { pattern, group, fallback } => {
                    let pattern = Pattern::new(pattern).map_err(|why| format!("setting `filters`: {why}"))?;
                    Step::Regex { pattern: Box::new(pattern), group: *group, fallback: fallback.clone() }
                }
                Filter::Lowercase => Step::Lowercase,
                Filter::Uppercase => Step::Uppercase,
                Filter::RemoveWhitespace => Step::RemoveWhitespace,
            })
        };
        let until = settings.until.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        Ok(Self { until, steps: settings.filters.iter().map(step).collect::<Result<_>>()? })
    }

    /// The answer behind all filters, or why there is none: where the harness would end with an error.
    pub fn apply(&self, text: &str) -> Result<std::result::Result<String, String>> {
        let mut answer = self.ended(text).to_owned();
        for step in &self.steps {
            answer = match step {
                Step::Lowercase => answer.to_lowercase(),
                Step::Uppercase => answer.to_uppercase(),
                Step::RemoveWhitespace => strip(&answer).to_owned(),
                Step::Regex { pattern, group, fallback } => match found(&pattern.all(&answer)?, *group, fallback) {
                    Ok(found) => found,
                    Err(reason) => return Ok(Err(reason)),
                },
            };
        }
        Ok(Ok(answer))
    }

    /// The text before the first of the texts that end it.
    fn ended<'a>(&self, text: &'a str) -> &'a str {
        self.until.iter().fold(text, |text, stop| text.split(stop.as_str()).next().unwrap_or(text))
    }
}

/// Of several groups, the first that is not empty.
fn found(all: &[Vec<String>], group: i64, fallback: &str) -> std::result::Result<String, String> {
    if all.is_empty() {
        return Ok(fallback.to_owned());
    }
    let count = all.len() as i64;
    let place = if group < 0 { count + group } else { group };
    let one = usize::try_from(place).ok().and_then(|place| all.get(place));
    let one = one.ok_or_else(|| format!("the pattern finds {count}, and the filter takes number {group}"))?;
    let text = match one.as_slice() {
        [only] => only.as_str(),
        several => several.iter().find(|text| !text.is_empty()).map_or(fallback, String::as_str),
    };
    Ok(strip(text).to_owned())
}
