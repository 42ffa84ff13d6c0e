//! Rows that belong together: where one of them is learned, another is no evidence.

use super::{SHINGLE, Said, prompt};
use diapason_core::sample::{Message, Sample};
use diapason_rows::{fnv, normalise};
use std::collections::HashMap;

/// The tag that names the source that rows share.
const CLUSTER: &str = "cluster";

/// Returns the number of each row's group. Rows are in one group if they have the same `cluster`, if one asks what
/// another asks before any of its answers, or if they are nearly the same, be it by way of other rows. Groups are numbered
/// by their first rows.
pub fn groups(samples: &[Sample]) -> Vec<usize> {
    let mut sets = Sets { parents: (0..samples.len()).collect() };
    join_clusters(samples, &mut sets);
    join_prompts(samples, &mut sets);
    join_near(samples, &mut sets);
    let mut numbers = HashMap::new();
    (0..samples.len())
        .map(|row| sets.root(row))
        .collect::<Vec<_>>()
        .into_iter()
        .map(|root| {
            let next = numbers.len();
            *numbers.entry(root).or_insert(next)
        })
        .collect()
}

/// Disjoint sets of rows.
struct Sets {
    parents: Vec<usize>,
}

impl Sets {
    fn root(&mut self, mut row: usize) -> usize {
        while self.parents[row] != row {
            self.parents[row] = self.parents[self.parents[row]];
            row = self.parents[row];
        }
        row
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other)] = one.min(other);
    }
}

fn join_clusters(samples: &[Sample], sets: &mut Sets) {
    let mut first = HashMap::new();
    for (row, sample) in samples.iter().enumerate() {
        if let Some(cluster) = sample.tags.get(CLUSTER) {
            sets.join(row, *first.entry(cluster).or_insert(row));
        }
    }
}

fn join_prompts(samples: &[Sample], sets: &mut Sets) {
    let mut rows: HashMap<String, Vec<usize>> = HashMap::new();
    for (row, sample) in samples.iter().enumerate() {
        let conversation = sample.conversation();
        let answers = (0..conversation.len()).filter(|at| conversation[*at].role == "assistant");
        for form in answers.flat_map(|at| forms(&conversation[..at])) {
            rows.entry(form).or_default().push(row);
        }
    }
    for (row, sample) in samples.iter().enumerate() {
        for other in forms(&sample.messages).iter().filter_map(|form| rows.get(form)).flatten() {
            sets.join(row, *other);
        }
    }
}

/// The normal forms of what is asked: with the turns' calls as `validate-leakage` has it, and of the texts alone.
fn forms(messages: &[Message]) -> Vec<String> {
    let texts = messages.iter().filter(|message| !matches!(message.role.as_str(), "system" | "developer"));
    let texts: Vec<&str> = texts.map(|message| message.content.as_str()).filter(|text| !text.is_empty()).collect();
    let mut forms = vec![normalise(&prompt(messages)), normalise(&texts.join("\n"))];
    forms.dedup();
    forms.retain(|form| !form.is_empty());
    forms
}

/// Joins all pairs whose Jaccard similarity is high enough, and misses none: of two such rows, each has one of the other's
/// shingles among its rarest ones (R. Bayardo, Y. Ma, R. Srikant, WWW 2007). How many of them have to be looked at
/// follows from the similarity of seven tenths.
fn join_near(samples: &[Sample], sets: &mut Sets) {
    let rows = by_rarity(samples.iter().map(shingles).collect());
    let mut having: HashMap<usize, Vec<usize>> = HashMap::new();
    for (row, mine) in rows.iter().enumerate() {
        let looked_at = mine.len() - (7 * mine.len()).div_ceil(10) + usize::from(!mine.is_empty());
        for shingle in &mine[..looked_at] {
            let others = having.entry(*shingle).or_default();
            for other in others.iter() {
                if sets.root(row) != sets.root(*other) && is_near(mine, &rows[*other]) {
                    sets.join(row, *other);
                }
            }
            others.push(row);
        }
    }
}

/// The hashes of a row's shingles; none where it is shorter than one.
fn shingles(sample: &Sample) -> Vec<u64> {
    let words = Said::by(sample).words;
    let mut shingles: Vec<u64> = words.windows(SHINGLE).map(|words| fnv(words.join("\u{1f}").as_bytes())).collect();
    shingles.sort_unstable();
    shingles.dedup();
    shingles
}

/// Each row's shingles by their ranks, ascending; the rarest shingle ranks first.
fn by_rarity(rows: Vec<Vec<u64>>) -> Vec<Vec<usize>> {
    let mut counts: HashMap<u64, usize> = HashMap::new();
    rows.iter().flatten().for_each(|shingle| *counts.entry(*shingle).or_default() += 1);
    let mut order: Vec<(usize, u64)> = counts.into_iter().map(|(shingle, count)| (count, shingle)).collect();
    order.sort_unstable();
    let ranks: HashMap<u64, usize> =
        order.into_iter().enumerate().map(|(rank, (_, shingle))| (shingle, rank)).collect();
    let ranked = |row: Vec<u64>| {
        let mut row: Vec<usize> = row.iter().map(|shingle| ranks[shingle]).collect();
        row.sort_unstable();
        row
    };
    rows.into_iter().map(ranked).collect()
}

/// Whether two sorted lists have seven tenths of all their members in common.
fn is_near(one: &[usize], other: &[usize]) -> bool {
    let (mut left, mut right, mut shared) = (0, 0, 0);
    while left < one.len() && right < other.len() {
        shared += usize::from(one[left] == other[right]);
        let (mine, theirs) = (one[left], other[right]);
        left += usize::from(mine <= theirs);
        right += usize::from(theirs <= mine);
    }
    shared * 10 >= 7 * (one.len() + other.len() - shared)
}

#[cfg(test)]
mod tests {
    use super::super::{SIMILARITY, similarity};
    use super::*;
    use proptest::prelude::*;

    fn sample(prompt: &str, answer: &str, tags: &[(&str, &str)]) -> Sample {
        Sample {
            messages: vec![Message::new("user", prompt)],
            reference: Some(answer.into()),
            tags: tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..Sample::default()
        }
    }

    #[test]
    fn clusters_prompts_and_near_duplicates_belong_together() {
        let long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen";
        let mut talk = sample("Hi!", "", &[]);
        talk.messages.extend([Message::new("assistant", "Yes?"), Message::new("user", "Bye")]);
        let samples = [
            sample("a", "1", &[("cluster", "x")]),
            sample("b", "1", &[]),
            sample("c", "1", &[("cluster", "x")]),
            sample("B.", "2", &[]),
            sample(long, "1", &[("kind", "x")]),
            sample(&format!("{long} sixteen"), "1", &[("kind", "x")]),
            sample("hi", "Hello", &[]),
            talk,
        ];
        assert_eq!(groups(&samples), [0, 1, 0, 1, 2, 2, 3, 3]);
        assert!(groups(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn no_near_duplicate_is_missed(
            texts in prop::collection::vec(prop::collection::vec("[abc]", 4..24), 2..24),
        ) {
            let samples: Vec<Sample> = texts.iter().map(|words| sample(&words.join(" "), "", &[])).collect();
            let found = groups(&samples);
            for (one, mine) in samples.iter().zip(&found) {
                for (other, theirs) in samples.iter().zip(&found) {
                    let near = similarity(&Said::by(one).words, &Said::by(other).words) >= SIMILARITY;
                    prop_assert!(!near || mine == theirs);
                }
            }
        }

        #[test]
        fn a_group_is_joined_by_pairs(texts in prop::collection::vec("[ab]{1,2}( [ab]{1,2}){5,12}", 2..12)) {
            let samples: Vec<Sample> = texts.iter().map(|text| sample(text, "", &[])).collect();
            let said: Vec<Said> = samples.iter().map(Said::by).collect();
            let found = groups(&samples);
            for row in 0..samples.len() {
                let alone = !found.iter().enumerate().any(|(other, group)| other != row && *group == found[row]);
                let friends = (0..samples.len()).any(|other| other != row && said[row].is_near(&said[other]));
                prop_assert_eq!(alone, !friends);
            }
        }
    }
}
