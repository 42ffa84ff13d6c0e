//! Answers given to the samples that they answer: by the sample's id, else by what was asked. What is contradictory is an
//! error; samples without an answer and answers without a sample are reported.

use super::answer::{Answer, Answers, Asked, Made, Usage};
use super::evidence::{self, Prompts};
use super::json::listed;
use super::suite::{At, Suite};
use diapason_core::{Error, Result};
use std::collections::{BTreeSet, HashMap};

/// What became of the samples and of the answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matched {
    /// The samples that are answered, in the order of the suites and their samples.
    pub found: Vec<Found>,
    /// The samples that are not, in the same order: lost for this arm, and no zeros.
    pub lost: Vec<Lost>,
    /// The answers that belong to no sample, in the order of the file.
    pub strangers: Vec<Stranger>,
}

/// A sample and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The suite's name.
    pub suite: String,
    /// The sample's id.
    pub sample: String,
    /// How the answer was found.
    pub by: By,
    /// Where it stands in the file.
    pub place: String,
    /// What was asked there.
    pub asked: Asked,
    /// What the model made of it.
    pub made: Made,
    /// What it took.
    pub usage: Usage,
}

/// How an answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// By the sample's id; what was asked, if the file says it, contains the sample's question.
    Id,
    /// By what was asked: the whole conversation, the rendered prompt or the dataset's row.
    Prompt,
}

/// A sample without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The suite's name.
    pub suite: String,
    /// The sample's id.
    pub sample: String,
    /// Why.
    pub why: Why,
}

/// Why a sample has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The file has none.
    Missing,
    /// The file has a request that failed.
    Failed {
        /// Where it stands in the file.
        place: String,
        /// What the tool says.
        reason: String,
    },
}

/// An answer that belongs to no sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Where it stands in the file.
    pub place: String,
    /// Its id.
    pub id: Option<String>,
}

/// Gives the answers to the samples of `suites` that they answer; `name` is the file's, for messages.
///
/// An answer with an id is the answer to the sample with that id, or with `SUITE/ID`; not so where the file says that
/// something else was asked. An answer without such a sample is found by what was asked: the whole of it.
///
/// Errors with [`diapason_core::Class::Data`] if two answers are one sample's, if an answer could be that of several samples,
/// if one has a sample's id but asks something else, or if none is any sample's.
pub fn matched(answers: Answers, suites: &[Suite<'_>], name: &str) -> Result<Matched> {
    let index = Index::of(suites);
    let mut taken: HashMap<At, (By, Answer)> = HashMap::new();
    let mut faults = Faults::default();
    let mut strangers = Vec::new();
    for answer in answers.answers {
        match index.find(&answer) {
            Verdict::Sample(at, by) => {
                faults.counted |= index.is_counted_only(at, &answer);
                match taken.get(&at) {
                    Some((_, first)) => faults.doubled.push(doubled(&index.name(at), first, &answer)),
                    None => drop(taken.insert(at, (by, answer))),
                }
            }
            Verdict::Several(all) => faults.ambiguous.push(ambiguous(&index, &all, &answer)),
            Verdict::Other(at) => faults.other.push(format!("{} ({})", index.name(at), answer.place)),
            Verdict::None => strangers.push(Stranger { place: answer.place, id: answer.id }),
        }
    }
    faults.none = taken.is_empty().then(|| strangers.iter().map(called).collect());
    faults.uncounted = strangers.iter().filter(|stranger| is_number(stranger)).map(called).collect();
    faults.refuse(name)?;
    Ok(index.given(taken, strangers))
}

fn is_number(stranger: &Stranger) -> bool {
    stranger.id.as_ref().is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
}

fn called(stranger: &Stranger) -> String {
    stranger.id.as_ref().map_or_else(|| stranger.place.clone(), |id| format!("`{id}`"))
}

fn doubled(sample: &str, first: &Answer, second: &Answer) -> String {
    format!("{sample} ({} and {})", first.place, second.place)
}

fn ambiguous(index: &Index<'_>, all: &BTreeSet<At>, answer: &Answer) -> String {
    let names = listed(all.iter().map(|at| index.name(*at)));
    format!("{} ({names})", answer.place)
}

/// The samples by id and by what they ask.
struct Index<'a> {
    suites: &'a [Suite<'a>],
    ids: HashMap<&'a str, Vec<At>>,
    prompts: Prompts,
}

/// Whose answer it is.
enum Verdict {
    Sample(At, By),
    Several(BTreeSet<At>),
    /// It has the id of a sample that asks something else.
    Other(At),
    None,
}

impl<'a> Index<'a> {
    fn of(suites: &'a [Suite<'a>]) -> Self {
        let mut ids: HashMap<&str, Vec<At>> = HashMap::new();
        for (suite, asked) in suites.iter().enumerate() {
            for (sample, row) in asked.samples.iter().enumerate() {
                ids.entry(&row.id).or_default().push(At { suite, sample });
            }
        }
        Self { suites, ids, prompts: Prompts::of(suites) }
    }

    fn find(&self, answer: &Answer) -> Verdict {
        let within = |at: &At| self.is_within(*at, answer);
        let same: BTreeSet<At> = self.prompts.same(&answer.asked).into_iter().filter(within).collect();
        let named: BTreeSet<At> = self.named(answer).into_iter().filter(within).collect();
        // Who asks exactly this goes before who has this id and might.
        let agreed = |at: &At| if same.is_empty() { !self.asks_other(*at, answer) } else { same.contains(at) };
        let by_id: BTreeSet<At> = named.iter().copied().filter(agreed).collect();
        let (chosen, by) = if by_id.is_empty() { (same, By::Prompt) } else { (by_id, By::Id) };
        match (chosen.len(), chosen.first(), named.first()) {
            (1, Some(at), _) => Verdict::Sample(*at, by),
            (0, _, Some(at)) => Verdict::Other(*at),
            (0, _, None) => Verdict::None,
            _ => Verdict::Several(chosen),
        }
    }

    /// The samples that the answer's id names.
    fn named(&self, answer: &Answer) -> Vec<At> {
        let Some(id) = answer.id.as_deref() else { return Vec::new() };
        let mut all = self.ids.get(id).cloned().unwrap_or_default();
        for (suite, asked) in self.suites.iter().enumerate() {
            let rest = id.strip_prefix(asked.name).and_then(|rest| rest.strip_prefix('/'));
            let of = rest.and_then(|rest| self.ids.get(rest)).into_iter().flatten();
            all.extend(of.filter(|at| at.suite == suite));
        }
        all
    }

    /// Whether the sample is of the suite that the answer names.
    fn is_within(&self, at: At, answer: &Answer) -> bool {
        let name = self.suites[at.suite].name;
        let task = answer.task.as_deref().filter(|task| self.suites.iter().any(|suite| suite.name == *task));
        answer.suite.as_deref().or(task).is_none_or(|wanted| wanted == name)
    }

    fn asks_other(&self, at: At, answer: &Answer) -> bool {
        evidence::is_other(&answer.asked, &self.suites[at.suite].samples[at.sample])
    }

    /// Whether the answer is found by the number of a line alone: the row has no id of its own, and the file does not say
    /// what was asked.
    fn is_counted_only(&self, at: At, answer: &Answer) -> bool {
        let sample = &self.suites[at.suite].samples[at.sample];
        let row: Option<serde_json::Value> = serde_json::from_str(&sample.row).ok();
        answer.asked == Asked::default() && row.is_some_and(|row| row.get("id").is_none_or(serde_json::Value::is_null))
    }

    fn name(&self, at: At) -> String {
        let suite = &self.suites[at.suite];
        format!("`{}/{}`", suite.name, suite.samples[at.sample].id)
    }

    fn given(&self, mut taken: HashMap<At, (By, Answer)>, strangers: Vec<Stranger>) -> Matched {
        let mut matched = Matched { strangers, ..Matched::default() };
        for (suite, asked) in self.suites.iter().enumerate() {
            for (sample, row) in asked.samples.iter().enumerate() {
                let (suite_name, id) = (asked.name.to_owned(), row.id.clone());
                let lost = |why| Lost { suite: asked.name.into(), sample: row.id.clone(), why };
                match taken.remove(&At { suite, sample }) {
                    None => matched.lost.push(lost(Why::Missing)),
                    Some((by, Answer { place, asked, made, usage, .. })) => match made {
                        Ok(made) => {
                            matched.found.push(Found { suite: suite_name, sample: id, by, place, asked, made, usage });
                        }
                        Err(reason) => matched.lost.push(lost(Why::Failed { place, reason })),
                    },
                }
            }
        }
        matched
    }
}

/// What makes the answers of a file unusable.
#[derive(Default)]
struct Faults {
    doubled: Vec<String>,
    ambiguous: Vec<String>,
    other: Vec<String>,
    /// Whether samples are found by the numbers of their lines alone, and the numbers that are no sample's.
    counted: bool,
    uncounted: Vec<String>,
    /// The answers, where none is a sample's.
    none: Option<Vec<String>>,
}

impl Faults {
    /// Errors with the first kind of fault that there is.
    fn refuse(self, name: &str) -> Result<()> {
        let fail = |what: String, hint: &str| {
            Err(Error::data(format!("failed to match answers of {name}: {what}")).hint(hint))
        };
        let Self { doubled, ambiguous, other, counted, uncounted, none } = self;
        if !doubled.is_empty() {
            let what = format!("several answers belong to {}: {}", samples(doubled.len()), listed(doubled));
            return fail(
                what,
                "keep one answer for each sample; several that were drawn are a list: \"output\": [\"…\", \"…\"]",
            );
        }
        if !ambiguous.is_empty() {
            let what = format!("{} could belong to several samples: {}", answers(ambiguous.len()), listed(ambiguous));
            return fail(what, "name the sample by an `id` that only one has, or with its suite: SUITE/ID");
        }
        if !other.is_empty() {
            let what = format!("answers to another prompt have the ids of {}: {}", samples(other.len()), listed(other));
            return fail(
                what,
                "the answers are older than the suite, or their ids are not the suite's: answer it anew, or write {\"id\": …, \"output\": …} without the prompt",
            );
        }
        if counted && !uncounted.is_empty() {
            let what =
                format!("its ids are numbers that count otherwise than the suite's lines: {}", listed(uncounted));
            return fail(what, COUNTED);
        }
        match none {
            Some(all) => {
                let what = format!("none of its answers belongs to a sample: {}", listed(all));
                fail(what, "answers are found by the `id` of a sample, else by its whole prompt")
            }
            None => Ok(()),
        }
    }
}

fn samples(count: usize) -> String {
    if count == 1 { "1 sample".into() } else { format!("{count} samples") }
}

fn answers(count: usize) -> String {
    if count == 1 { "1 answer".into() } else { format!("{count} answers") }
}

const COUNTED: &str = "a row without an `id` has the number of its line, from 1: give the rows ids, or write the prompt of \
                       each answer beside it";
