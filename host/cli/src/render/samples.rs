//! The samples as the page's script reads them: JSON inside of the page.

use crate::number::Unit;
use diapason_core::Error;
use diapason_core::Result;
use diapason_core::compare::Comparison;
use diapason_core::escape as hidden;
use diapason_core::report::{Flip, Report, SampleScore, SideBySide};
use diapason_core::sample::Message;
use diapason_core::score::{Arm, Outcome};
use serde::Serialize;
use std::collections::HashMap;

/// What the script gets.
#[derive(Debug, Serialize)]
struct Data<'a> {
    measures: Vec<Measure<'a>>,
    samples: Vec<Entry<'a>>,
}

#[derive(Debug, Serialize)]
struct Measure<'a> {
    suite: &'a str,
    name: String,
    share: bool,
    binary: bool,
}

#[derive(Debug, Serialize)]
struct Entry<'a> {
    suite: &'a str,
    id: &'a str,
    kind: Kind,
    /// Whether any plugin could not score it, or an output is missing.
    unscored: bool,
    messages: Vec<(&'a str, String)>,
    reference: Option<&'a str>,
    base: Option<&'a str>,
    tuned: Option<&'a str>,
    scores: Vec<Said<'a>>,
    /// Places in `measures` of those that got worse, and of those that got better.
    worse: Vec<usize>,
    better: Vec<usize>,
}

#[derive(Debug, Serialize)]
struct Said<'a> {
    by: &'a str,
    arm: Option<Arm>,
    measures: Vec<(&'a str, f64)>,
    unscored: Option<&'a str>,
    notes: &'a [(String, String)],
}

/// What a sample is listed under; the order is the order of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Harmful,
    Mixed,
    Beneficial,
    Unscored,
    Same,
}

impl Kind {
    /// What a sample is listed under.
    pub(crate) fn of(sample: &SideBySide) -> Self {
        match sample.flip {
            Flip::Harmful => Self::Harmful,
            Flip::Mixed => Self::Mixed,
            Flip::Beneficial => Self::Beneficial,
            Flip::None if is_unscored(sample) => Self::Unscored,
            Flip::None => Self::Same,
        }
    }
}

/// The samples of a report, flips first, as JSON that is safe inside of a `<script>` element.
pub(crate) fn json(report: &Report) -> Result<String> {
    let flips = Flips::of(&report.comparison);
    let mut samples: Vec<Entry> = report.samples.iter().map(|sample| entry(sample, &flips)).collect();
    samples.sort_by_key(|entry| entry.kind);
    let data = Data { measures: measures(&report.comparison), samples };
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

/// Which measures got worse or better, by suite and sample.
#[derive(Default)]
struct Flips<'a> {
    worse: HashMap<(&'a str, &'a str), Vec<usize>>,
    better: HashMap<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> Flips<'a> {
    fn of(comparison: &'a Comparison) -> Self {
        let mut flips = Self::default();
        let measures = comparison.suites.iter().flat_map(|suite| suite.measures.iter().map(move |it| (suite, it)));
        for (place, (suite, measure)) in measures.enumerate() {
            if let Some(difference) = &measure.difference {
                note(&mut flips.worse, &suite.name, &difference.harmful, place);
                note(&mut flips.better, &suite.name, &difference.beneficial, place);
            }
        }
        flips
    }
}

fn note<'a>(into: &mut HashMap<(&'a str, &'a str), Vec<usize>>, suite: &'a str, ids: &'a [String], place: usize) {
    for id in ids {
        into.entry((suite, id)).or_default().push(place);
    }
}

fn measures(comparison: &Comparison) -> Vec<Measure<'_>> {
    let all = comparison.suites.iter().flat_map(|suite| suite.measures.iter().map(move |measure| (suite, measure)));
    all.map(|(suite, measure)| Measure {
        suite: &suite.name,
        name: measure.full_name(),
        share: Unit::of(&measure.info) == Unit::Share,
        binary: measure.info.binary && measure.difference.is_some(),
    })
    .collect()
}

fn entry<'a>(sample: &'a SideBySide, flips: &Flips) -> Entry<'a> {
    let key = (sample.suite.as_str(), sample.sample.as_str());
    Entry {
        suite: key.0,
        id: key.1,
        kind: Kind::of(sample),
        unscored: is_unscored(sample),
        messages: sample.messages.iter().map(turn).collect(),
        reference: sample.reference.as_deref(),
        base: sample.base.as_deref(),
        tuned: sample.tuned.as_deref(),
        scores: sample.scores.iter().map(said).collect(),
        worse: flips.worse.get(&key).cloned().unwrap_or_default(),
        better: flips.better.get(&key).cloned().unwrap_or_default(),
    }
}

fn is_unscored(sample: &SideBySide) -> bool {
    let silent = sample.base.is_none() || sample.tuned.is_none();
    silent || sample.scores.iter().any(|score| matches!(score.judgement.outcome, Outcome::Unscored(_)))
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

fn said(score: &SampleScore) -> Said<'_> {
    let (measures, unscored) = match &score.judgement.outcome {
        Outcome::Scored(measures) => (measures.iter().map(|it| (it.name.as_str(), it.value)).collect(), None),
        Outcome::Unscored(reason) => (Vec::new(), Some(reason.as_str())),
    };
    Said { by: &score.evaluator, arm: score.arm, measures, unscored, notes: &score.judgement.notes }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::render::fixture;

    #[test]
    fn flips_come_first_and_name_their_measures() {
        let report = fixture::report(20, 15);
        let data: serde_json::Value = serde_json::from_str(&json(&report).unwrap()).unwrap();
        let samples = data["samples"].as_array().unwrap();
        assert_eq!(samples.len(), report.samples.len());
        let kinds: Vec<&str> = samples.iter().map(|sample| sample["kind"].as_str().unwrap()).collect();
        let order = ["harmful", "mixed", "beneficial", "unscored", "same"];
        assert!(kinds.is_sorted_by_key(|kind| order.iter().position(|known| known == kind)), "{kinds:?}");
        assert_eq!(kinds[0], "harmful");
        let worse = samples[0]["worse"][0].as_u64().unwrap() as usize;
        assert_eq!(data["measures"][worse]["suite"], samples[0]["suite"]);
    }

    #[test]
    fn hostile_text_survives_but_cannot_leave_the_script() {
        let hostile = "</script><script>alert(1)</script><!-- \u{2028}\u{2029} & ]]>";
        let mut report = fixture::report(4, 3);
        report.samples[0].tuned = Some(hostile.into());
        report.samples[0].sample = hostile.into();
        let text = json(&report).unwrap();
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "an unescaped character is left");
        let data: serde_json::Value = serde_json::from_str(&text).unwrap();
        let kept = data["samples"]
            .as_array()
            .unwrap()
            .iter()
            .any(|sample| sample["tuned"] == hostile && sample["id"] == hostile);
        assert!(kept, "the text is the same after parsing");
    }
}
