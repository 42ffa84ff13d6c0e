//! Finds rows that are the same or nearly the same. See the package's README for the rules and settings.

mod minhash;

use diapason_plugin::{Finding, Result, Row, Validator};
use diapason_rows::{Exchange, fnv, normalise, preview};
use minhash::{Bands, estimate, jaccard, shingles, signature};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What counts as nearly the same.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Rows from this Jaccard similarity on are near-duplicates; 1 turns the search off.
    #[schemars(range(min = 0.1, max = 1.0))]
    pub similarity: f64,
    /// MinHash permutations.
    #[schemars(range(min = 16, max = 4096))]
    pub permutations: usize,
    /// Words in a shingle.
    #[schemars(range(min = 1, max = 50))]
    pub shingle: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { similarity: 0.7, permutations: 256, shingle: 5 }
    }
}

/// What is kept of a row that may have duplicates.
struct Seen {
    line: u32,
    shingles: BTreeSet<u64>,
    signature: Vec<u64>,
}

/// What is kept of the rows of one split.
#[derive(Default)]
struct Known {
    /// Line of the first row with this normal form of prompt and answer.
    whole: BTreeMap<(String, String), u32>,
    /// Line and answer of the first row with this normal form of the prompt.
    prompts: BTreeMap<String, (u32, String)>,
    rows: Vec<Seen>,
    /// Indices into `rows`, by the number of the band and the hash of its values.
    bands: BTreeMap<(usize, u64), Vec<usize>>,
}

/// One pass over rows, looking for those that were there before.
pub struct Duplicates {
    settings: Settings,
    bands: Bands,
    /// By split: a test row equal to a training row is `validate-leakage`'s finding.
    splits: BTreeMap<String, Known>,
}

impl Validator for Duplicates {
    type Settings = Settings;

    fn start(settings: Settings) -> Result<Self> {
        if settings.permutations == 0 || settings.shingle == 0 || !(0.1..=1.0).contains(&settings.similarity) {
            return Err("`permutations` and `shingle` must be at least 1, `similarity` between 0.1 and 1".to_owned());
        }
        let bands = Bands::choose(settings.permutations, settings.similarity);
        Ok(Self { settings, bands, splits: BTreeMap::new() })
    }

    fn push(&mut self, row: &Row) -> Result<Vec<Finding>> {
        let Some(exchange) = Exchange::read(&row.text) else { return Ok(Vec::new()) };
        let known = self.splits.entry(row.split.clone()).or_default();
        if let Some(finding) = known.exact(row, &exchange) {
            return Ok(vec![finding]);
        }
        let conflict = known.conflict(row, &exchange);
        let near =
            if self.settings.similarity < 1.0 { known.near(row, &exchange, &self.settings, self.bands) } else { None };
        Ok(conflict.or(near).into_iter().collect())
    }
}

impl Known {
    fn exact(&mut self, row: &Row, exchange: &Exchange) -> Option<Finding> {
        let answer = exchange.answer.as_deref().unwrap_or_default();
        let key = (normalise(&exchange.prompt), normalise(answer));
        let first = *self.whole.entry(key).or_insert(row.line);
        (first != row.line).then(|| {
            Finding::warning("duplicate-row", row, format!("the same as line {first}: “{}”", preview(&exchange.prompt)))
                .hint("remove one of them: a repeated row weighs double")
        })
    }

    fn conflict(&mut self, row: &Row, exchange: &Exchange) -> Option<Finding> {
        let answer = exchange.answer.as_deref()?;
        let (first, other) =
            self.prompts.entry(normalise(&exchange.prompt)).or_insert_with(|| (row.line, answer.to_owned()));
        (*first != row.line).then(|| {
            let answers = format!("“{}” here, “{}” there", preview(answer), preview(other));
            Finding::warning(
                "conflicting-answers",
                row,
                format!("the same prompt as line {first}, another answer: {answers}"),
            )
            .hint("keep the right one; if both are right, say in the prompt which one is wanted")
        })
    }

    fn near(&mut self, row: &Row, exchange: &Exchange, settings: &Settings, bands: Bands) -> Option<Finding> {
        let words: Vec<String> = diapason_rows::words(&exchange.whole()).into_iter().map(|word| word.text).collect();
        // Texts of less than one full shingle are compared exactly: their similarity could only be 0 or 1.
        if words.len() < settings.shingle {
            return None;
        }
        let shingles = shingles(&words, settings.shingle);
        let signature = signature(&shingles, settings.permutations);
        let row_seen = Seen { line: row.line, shingles, signature };
        let best = self.nearest(&row_seen, bands).filter(|(_, similarity)| *similarity >= settings.similarity);
        let finding = best.map(|(other, similarity)| near_duplicate(row, &row_seen, &self.rows[other], similarity));
        self.keep(row_seen, bands);
        finding
    }

    /// The most similar of the rows that share a band, the earliest of equals, with its exact similarity.
    fn nearest(&self, row: &Seen, bands: Bands) -> Option<(usize, f64)> {
        let met = keys(row, bands).filter_map(|key| self.bands.get(&key)).flatten();
        let candidates: BTreeSet<usize> = met.copied().collect();
        let mut best: Option<(usize, f64)> = None;
        for index in candidates {
            let similarity = jaccard(&row.shingles, &self.rows[index].shingles);
            if best.is_none_or(|(_, highest)| similarity > highest) {
                best = Some((index, similarity));
            }
        }
        best
    }

    fn keep(&mut self, row: Seen, bands: Bands) {
        for key in keys(&row, bands) {
            self.bands.entry(key).or_default().push(self.rows.len());
        }
        self.rows.push(row);
    }
}

fn keys(row: &Seen, bands: Bands) -> impl Iterator<Item = (usize, u64)> {
    let bytes = |band: &[u64]| band.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    row.signature.chunks_exact(bands.rows).take(bands.count).map(move |band| fnv(&bytes(band))).enumerate()
}

fn near_duplicate(row: &Row, this: &Seen, other: &Seen, similarity: f64) -> Finding {
    let estimated = estimate(&this.signature, &other.signature);
    let line = other.line;
    Finding::warning(
        "near-duplicate",
        row,
        format!("nearly the same as line {line}: Jaccard similarity {similarity:.3} (estimated {estimated:.3})"),
    )
    .hint("keep one of them, or make them differ in what the model should learn")
}

diapason_plugin::plugin! { validator: Duplicates }
