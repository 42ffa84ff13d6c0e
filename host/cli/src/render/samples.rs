//! The samples as the page's script reads them: JSON inside of the page.

use diapason_core::Error;
use diapason_core::Result;
use diapason_core::arm::Arm;
use diapason_core::compare::Comparison;
use diapason_core::escape as hidden;
use diapason_core::report::{Report, SampleScore, SideBySide};
use diapason_core::sample::Message;
use diapason_core::score::Outcome;
use serde::Serialize;

/// What the script gets.
#[derive(Debug, Serialize)]
struct Data<'a> {
    arms: &'a [Arm],
    /// Reference and candidate, as places in `arms`.
    contrasts: Vec<(usize, usize)>,
    measures: Vec<Measure<'a>>,
    samples: Vec<Entry<'a>>,
}

#[derive(Debug, Serialize)]
struct Measure<'a> {
    suite: &'a str,
    by: &'a str,
    name: &'a str,
    binary: bool,
    higher_is_better: bool,
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    suite: &'a str,
    id: &'a str,
    messages: Vec<(&'a str, String)>,
    reference: Option<&'a str>,
    /// In the order of the arms.
    answers: Vec<Option<&'a str>>,
    scores: Vec<Said<'a>>,
}

/// What a plugin said of an arm's answer, or of two; arms are places in `arms`.
#[derive(Debug, Serialize)]
struct Said<'a> {
    by: &'a str,
    arm: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<usize>,
    measures: Vec<(&'a str, f64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unscored: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [(String, String)],
}

/// The samples of a report as JSON that is safe inside of a `<script>` element. The script itself says what is a flip: it is
/// asked for any two arms.
pub(crate) fn json(report: &Report) -> Result<String> {
    let comparison = &report.comparison;
    let place = |arm: &Arm| comparison.arms.iter().position(|known| known == arm);
    let contrasts = comparison.contrasts.iter();
    let data = Data {
        arms: &comparison.arms,
        contrasts: contrasts.filter_map(|it| Some((place(&it.reference)?, place(&it.candidate)?))).collect(),
        measures: measures(comparison),
        samples: report.samples.iter().map(|sample| entry(sample, &place)).collect(),
    };
    let text = serde_json::to_string(&data)
        .map_err(|source| Error::run("failed to write the samples into the report").because(source))?;
    Ok(escape(&text))
}

/// In JSON these characters occur only inside of strings, where they may be written as escapes. HTML then finds no end
/// of the script in it, nor a comment, and no parser sees a line separator.
fn escape(json: &str) -> String {
    let mut safe = String::with_capacity(json.len() + json.len() / 16);
    for character in json.chars() {
        match character {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            // What would turn the text around or hide a part of it stands in it by its number, for the reader to see.
            _ if hidden::is_hidden(character) => {
                safe.push_str(&hidden::text(&character.to_string()).replace('\\', "\\\\"))
            }
            _ => safe.push(character),
        }
    }
    safe
}

fn measures(comparison: &Comparison) -> Vec<Measure<'_>> {
    let all = comparison.suites.iter().flat_map(|suite| suite.measures.iter().map(move |measure| (suite, measure)));
    all.map(|(suite, measure)| Measure {
        suite: &suite.name,
        by: &measure.evaluator,
        name: &measure.info.name,
        binary: measure.info.binary && !measure.comparator,
        higher_is_better: measure.info.higher_is_better,
    })
    .collect()
}

fn entry<'a>(sample: &'a SideBySide, place: &impl Fn(&Arm) -> Option<usize>) -> Entry<'a> {
    Entry {
        suite: &sample.suite,
        id: &sample.sample,
        messages: sample.messages.iter().map(turn).collect(),
        reference: sample.reference.as_deref(),
        answers: sample.answers.iter().map(Option::as_deref).collect(),
        scores: sample.scores.iter().filter_map(|score| said(score, place)).collect(),
    }
}

/// Role and text; further fields (tool calls, …) follow the text as JSON.
fn turn(message: &Message) -> (&str, String) {
    let mut text = message.content.clone();
    if !message.extra.is_empty() {
        let extra = serde_json::Value::Object(message.extra.clone()).to_string();
        text = if text.is_empty() { extra } else { format!("{text}\n{extra}") };
    }
    (&message.role, text)
}

/// `None` for an arm that the comparison does not have: nobody can choose it.
fn said<'a>(score: &'a SampleScore, place: &impl Fn(&Arm) -> Option<usize>) -> Option<Said<'a>> {
    let (measures, unscored) = match &score.judgement.outcome {
        Outcome::Scored(measures) => (measures.iter().map(|it| (it.name.as_str(), it.value)).collect(), None),
        Outcome::Unscored(reason) => (Vec::new(), Some(reason.as_str())),
    };
    let against = match &score.against {
        Some(arm) => Some(place(arm)?),
        None => None,
    };
    let arm = place(&score.arm)?;
    Some(Said { by: &score.evaluator, arm, against, measures, unscored, notes: &score.judgement.notes })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::render::fixture;

    #[test]
    fn arms_are_places_and_every_answer_is_there() {
        let report = fixture::four_arms(20, 15);
        let data: serde_json::Value = serde_json::from_str(&json(&report).unwrap()).unwrap();
        assert_eq!(data["arms"], serde_json::json!(["base", "tuned", "few-shot", "production"]));
        assert_eq!(data["contrasts"], serde_json::json!([[0, 1], [2, 1], [2, 3], [3, 1]]));
        let samples = data["samples"].as_array().unwrap();
        assert_eq!(samples.len(), report.samples.len());
        for (entry, sample) in samples.iter().zip(&report.samples) {
            assert_eq!(entry["id"], *sample.sample);
            assert_eq!(entry["answers"], serde_json::json!(sample.answers));
            assert_eq!(entry["scores"].as_array().unwrap().len(), sample.scores.len());
        }
    }

    #[test]
    fn hostile_text_survives_but_cannot_leave_the_script() {
        let hostile = "</script><script>alert(1)</script><!-- \u{2028}\u{2029} & ]]>";
        let mut report = fixture::report(4, 3);
        report.samples[0].answers[1] = Some(hostile.into());
        report.samples[0].sample = hostile.into();
        let text = json(&report).unwrap();
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "an unescaped character is left");
        let data: serde_json::Value = serde_json::from_str(&text).unwrap();
        let samples = data["samples"].as_array().unwrap();
        let kept = samples.iter().any(|sample| sample["answers"][1] == hostile && sample["id"] == hostile);
        assert!(kept, "the text is the same after parsing");
    }
}
