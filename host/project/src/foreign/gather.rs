//! Records of one answer brought together: what was drawn several times, and what is written once for each score.

use super::answer::{Answer, Made};
use super::json::Problem;
use std::collections::HashMap;

/// One record of a file.
pub(super) struct Record {
    answer: Answer,
    part: Option<(String, Part)>,
}

/// Which part of an answer a record is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// The completions of one repeat, by its number.
    Repeat(u64),
    /// The whole answer as one score of this name has it; every one says the same.
    Score(String),
}

impl Record {
    /// A record that is an answer of its own.
    pub(super) fn only(answer: Answer) -> Self {
        Self { answer, part: None }
    }

    /// A record that is a part of the answer to what `key` names.
    pub(super) fn part(answer: Answer, key: String, part: Part) -> Self {
        Self { answer, part: Some((key, part)) }
    }
}

/// The answers that the records make up, in the order of their first records.
///
/// Errors if two records are the same part of one answer, or contradict each other.
pub(super) fn answers(records: Vec<Record>) -> Result<Vec<Answer>, Problem> {
    let mut groups: Vec<Vec<(Part, Answer)>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for Record { answer, part } in records {
        let Some((key, part)) = part else {
            groups.push(vec![(Part::Repeat(0), answer)]);
            continue;
        };
        let at = *known.entry(key).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Vec::new());
        }
        if let Some((_, first)) = groups[at].iter().find(|(other, _)| *other == part) {
            return Err(doubled(first, &answer));
        }
        groups[at].push((part, answer));
    }
    groups.into_iter().map(joined).collect()
}

fn doubled(first: &Answer, second: &Answer) -> Problem {
    let id = second.id.as_deref().map(|id| format!(" to `{id}`")).unwrap_or_default();
    Problem::new(format!("{} and {} are both the answer{id}", first.place, second.place), "keep one of them")
}

fn joined(mut parts: Vec<(Part, Answer)>) -> Result<Answer, Problem> {
    parts.sort_by_key(|(part, _)| match part {
        Part::Repeat(number) => *number,
        Part::Score(_) => 0,
    });
    let mut parts = parts.into_iter();
    let Some((part, first)) = parts.next() else { return Err(Problem::new("an answer has no parts", "")) };
    let join = if matches!(part, Part::Repeat(_)) { next_repeat } else { next_score };
    parts.try_fold(first, |before, (_, next)| join(before, next))
}

/// The answer with the completions of one more repeat. Where a repeat failed, the answer is incomplete, thus none.
fn next_repeat(before: Answer, next: Answer) -> Result<Answer, Problem> {
    if before.asked != next.asked {
        let what = format!("{} and {} repeat one sample with other prompts", before.place, next.place);
        return Err(Problem::new(what, "give each prompt an id of its own"));
    }
    let usage = before.usage.plus(next.usage);
    let made = match (before.made, next.made) {
        (Ok(before), Ok(next)) => {
            let likelihoods = [before.likelihoods.clone(), next.likelihoods.clone()].concat();
            let completions = [before.completions(), next.completions()].concat();
            Ok(Made { likelihoods, ..Made::drawn(completions) })
        }
        (Err(reason), _) => Err(reason),
        (_, Err(reason)) => Err(format!("{}: {reason}", next.place)),
    };
    Ok(Answer { usage, made, ..before })
}

/// The answer as before, where the record of another score says the same.
fn next_score(before: Answer, next: Answer) -> Result<Answer, Problem> {
    if before.made == next.made && before.asked == next.asked {
        return Ok(before);
    }
    let id = before.id.as_deref().map(|id| format!(" to `{id}`")).unwrap_or_default();
    let what = format!("{} and {} have different answers{id}", before.place, next.place);
    Err(Problem::new(what, "keep the records of one score, or name the file that they were made from"))
}
