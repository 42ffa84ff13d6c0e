//! Which samples are one piece of evidence: those that share a source (`tags.cluster`) or a prompt.

use super::suite::Suite;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// How a suite's samples were grouped; present only where some share a source or a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grouping {
    /// Groups; a sample that shares nothing is one of its own.
    pub clusters: usize,
    /// Groups of equal size that would say as much: N² / Σ n_g².
    pub effective: f64,
    /// Samples with `tags.cluster`.
    pub tagged: usize,
    /// Samples whose prompt another sample has too.
    pub repeated_prompts: usize,
}

/// The group of every sample, in the order of the suite.
pub(super) struct Groups {
    of: Vec<usize>,
    pub(super) grouping: Option<Grouping>,
}

impl Groups {
    /// `cluster` gives a sample's source, if it shares one.
    pub(super) fn of<'a>(suite: &'a Suite, cluster: impl Fn(usize) -> Option<&'a str>) -> Self {
        let mut links = Links((0..suite.samples.len()).collect());
        let (mut sources, mut prompts) = (HashMap::new(), HashMap::new());
        let mut times: HashMap<&str, usize> = HashMap::new();
        let mut tagged = 0;
        for (index, sample) in suite.samples.iter().enumerate() {
            if let Some(source) = cluster(index) {
                tagged += 1;
                links.join(index, *sources.entry(source).or_insert(index));
            }
            if !sample.prompt.is_empty() {
                *times.entry(&sample.prompt).or_default() += 1;
                links.join(index, *prompts.entry(sample.prompt.as_str()).or_insert(index));
            }
        }
        let of: Vec<usize> = (0..suite.samples.len()).map(|index| links.root(index)).collect();
        let mut sizes: HashMap<usize, usize> = HashMap::new();
        of.iter().for_each(|group| *sizes.entry(*group).or_default() += 1);
        let squares: f64 = sizes.values().map(|size| (*size as f64).powi(2)).sum();
        let grouping = (sizes.len() < of.len()).then(|| Grouping {
            clusters: sizes.len(),
            effective: (of.len() as f64).powi(2) / squares,
            tagged,
            repeated_prompts: times.values().filter(|times| **times > 1).sum(),
        });
        Self { of, grouping }
    }

    /// The values by group, in order of appearance; `None` if no two of them share one.
    pub(super) fn split(&self, values: &[(usize, f64)]) -> Option<Vec<Vec<f64>>> {
        self.grouping.as_ref()?;
        let mut positions = HashMap::new();
        let mut clusters: Vec<Vec<f64>> = Vec::new();
        for (index, value) in values {
            let position = *positions.entry(self.of[*index]).or_insert(clusters.len());
            if position == clusters.len() {
                clusters.push(Vec::new());
            }
            clusters[position].push(*value);
        }
        (clusters.len() < values.len()).then_some(clusters)
    }
}

/// Disjoint sets: every sample points towards the first of its group.
struct Links(Vec<usize>);

impl Links {
    fn root(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        let (first, later) = (one.min(other), one.max(other));
        self.0[later] = first;
    }
}
