//! Which examples stand in front of a prompt.

use super::bm25::Index;
use super::candidate::Candidate;
use super::named;
use crate::alike::{self, Said};
use diapason_core::config::{self, Choose};
use diapason_core::sample::{Message, Sample};
use diapason_core::{Error, Result, digest};
use serde_json::json;

/// Rows of which some are shown in front of a prompt.
///
/// A row is never shown for a prompt that it gives away: one that it asks before any of its answers, but for case,
/// punctuation and spacing, or one that is nearly the same with its answer (Jaccard similarity of 0.7 or more, of five words
/// each). Nor is it shown under another system message, other tools or other variables than its own, if it has any.
/// The next row in order takes its place.
#[derive(Debug)]
pub struct Examples {
    settings: config::Examples,
    /// In the seed's order.
    candidates: Vec<Candidate>,
    /// `choose = "similarity"`: what the candidates ask.
    index: Option<Index>,
    digest: String,
}

impl Examples {
    /// Takes the rows that examples are chosen from.
    ///
    /// Of the training data, `rows` are those that training uses: without the rows held out and those beyond `data.limit`.
    /// `data.system` is better left out of them: an example stands under the prompt's own system message. Rows whose answer
    /// is marked as not to be learned are never shown.
    ///
    /// Errors if the settings contradict each other, a row has no answer or not the tag, or there are too few rows.
    pub fn open(settings: &config::Examples, rows: Vec<Sample>, seed: u64) -> Result<Self> {
        check(settings)?;
        let all = rows.len();
        let mut candidates = Vec::new();
        for row in rows {
            tag(settings, &row)?;
            candidates.extend(Candidate::of(row)?);
        }
        if candidates.len() < settings.count {
            return Err(few(settings, candidates.len(), all));
        }
        candidates.sort_by_cached_key(|candidate| rank(seed, &candidate.sample.id));
        let by_similarity = settings.choose == Choose::Similarity;
        let index = by_similarity.then(|| Index::of(&candidates.iter().map(Candidate::prompt).collect::<Vec<_>>()));
        let digest = identity(settings, &candidates, seed);
        Ok(Self { settings: settings.clone(), candidates, index, digest })
    }

    /// Returns the rows that are shown in front of `sample`'s prompt, first to last.
    ///
    /// Errors if too few are left for it, or it lacks the tag that they are chosen by.
    pub fn chosen(&self, sample: &Sample) -> Result<Vec<&Sample>> {
        Ok(self.candidates_for(sample)?.into_iter().map(|candidate| &candidate.sample).collect())
    }

    /// Returns the digest of all that shapes the choice: the rows, the settings and the seed.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The turns of the examples in front of `sample`'s prompt.
    pub(super) fn turns(&self, sample: &Sample) -> Result<Vec<Message>> {
        Ok(self.candidates_for(sample)?.into_iter().flat_map(|candidate| candidate.turns.clone()).collect())
    }

    fn candidates_for(&self, sample: &Sample) -> Result<Vec<&Candidate>> {
        let said = Said::by(sample);
        let (mut chosen, mut skipped) = (Vec::new(), Skipped::default());
        for candidate in self.in_order(sample)? {
            if chosen.len() == self.settings.count {
                break;
            }
            if !candidate.fits(sample) {
                skipped.unlike += 1;
            } else if Said::in_turn(&candidate.turns).any(|other| said.is_near(&other)) {
                skipped.near += 1;
            } else {
                chosen.push(candidate);
            }
        }
        if chosen.len() < self.settings.count {
            return Err(self.too_few(sample, chosen.len(), &skipped));
        }
        if self.index.is_some() {
            chosen.reverse();
        }
        Ok(chosen)
    }

    /// The candidates for `sample`, the first choice first.
    fn in_order(&self, sample: &Sample) -> Result<Vec<&Candidate>> {
        let Some(index) = &self.index else {
            let value = tag(&self.settings, sample)?;
            let of = |candidate: &&Candidate| value == wanted(&self.settings, &candidate.sample);
            return Ok(self.candidates.iter().filter(of).collect());
        };
        let scores = index.scores(&alike::prompt(&sample.messages));
        let mut order: Vec<usize> = (0..scores.len()).collect();
        // Stable: equals stay in the seed's order.
        order.sort_by(|one, other| scores[*other].total_cmp(&scores[*one]));
        Ok(order.into_iter().map(|at| &self.candidates[at]).collect())
    }

    fn too_few(&self, sample: &Sample, left: usize, skipped: &Skipped) -> Error {
        let (from, count) = (self.settings.from.display(), self.settings.count);
        let mut reasons = Vec::new();
        if let Ok(Some(value)) = tag(&self.settings, sample) {
            let name = self.settings.tag.as_deref().unwrap_or_default();
            reasons.push(format!("only those with the tag `{name}` = `{value}` are asked for"));
        }
        if skipped.near > 0 {
            reasons.push(format!("{} are the row itself or nearly the same", skipped.near));
        }
        if skipped.unlike > 0 {
            reasons.push(format!("{} have another system message, other tools or other variables", skipped.unlike));
        }
        let message = format!("{left} of {count} examples are left for {} in `{from}`", named(sample));
        Error::data(message).because(reasons.join("; ")).hint(
            "lower `count` or add rows; text that all rows repeat makes them nearly the same unless it is a system message",
        )
    }
}

/// How many rows a prompt cannot be shown.
#[derive(Default)]
struct Skipped {
    near: usize,
    unlike: usize,
}

fn check(settings: &config::Examples) -> Result<()> {
    match (settings.choose, &settings.tag) {
        (Choose::Tag, None) => Err(Error::config("`examples.choose` is `tag`, but `examples.tag` names none")
            .hint("name the tag that examples share with the row: `tag = \"language\"`")),
        (Choose::Seed | Choose::Similarity, Some(tag)) => {
            Err(Error::config(format!("`examples.tag` is `{tag}`, but examples are not chosen by tag"))
                .hint("add `choose = \"tag\"`, or remove `tag`"))
        }
        _ => Ok(()),
    }
}

/// The value of the tag that examples are chosen by; `None` if they are not chosen by one.
///
/// Errors if `sample` lacks the tag.
fn tag<'a>(settings: &config::Examples, sample: &'a Sample) -> Result<Option<&'a str>> {
    match (&settings.tag, wanted(settings, sample)) {
        (Some(name), None) => {
            Err(Error::data(format!("{} has no tag `{name}`, which examples are chosen by", named(sample)))
                .hint(format!("give it one: `\"tags\": {{\"{name}\": …}}`, or choose by `seed` or `similarity`")))
        }
        (_, value) => Ok(value),
    }
}

fn wanted<'a>(settings: &config::Examples, sample: &'a Sample) -> Option<&'a str> {
    sample.tags.get(settings.tag.as_ref()?).map(String::as_str)
}

fn few(settings: &config::Examples, usable: usize, all: usize) -> Error {
    let (from, count) = (settings.from.display(), settings.count);
    let unlearned = match all - usable {
        0 => String::new(),
        left => format!(", not counting {left} whose answer is marked as not to be learned"),
    };
    Error::config(format!("`examples.count` is {count}, but `{from}` has {usable} rows{unlearned}"))
        .hint("lower `count`, or name a file with more rows in `from`")
}

/// Where the seed puts a row: by its id alone, so that a row more moves no other.
fn rank(seed: u64, id: &str) -> String {
    digest::of_parts([("seed", seed.to_string().as_str()), ("row", id)])
}

fn identity(settings: &config::Examples, candidates: &[Candidate], seed: u64) -> String {
    let config::Examples { from: _, count, choose, tag } = settings;
    let rows: Vec<String> = candidates.iter().map(|candidate| candidate.identity(tag.as_deref())).collect();
    let settings = json!([RULES, count, choose, tag, seed]).to_string();
    let rows = rows.iter().map(|row| ("row", row.as_str()));
    digest::of_parts([("settings", settings.as_str())].into_iter().chain(rows))
}

/// Changes when the same settings and rows would give other examples than before.
const RULES: &str = "examples 1";
