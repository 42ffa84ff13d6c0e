//! Finds test rows whose text the training rows already hold. See the package's README for the rules and settings.

use diapason_plugin::{Finding, Result, Row, Validator};
use diapason_rows::{Exchange, Word, fnv, normalise, preview, words};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What counts as a leak.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Words in a row that must be equal. 13 as in the GPT-3 paper (Brown et al., 2020, appendix C).
    #[schemars(range(min = 3, max = 100))]
    pub ngram: usize,
    /// An n-gram in more training rows than this is boilerplate (an instruction that every row repeats) and no leak.
    #[schemars(range(min = 1))]
    pub common: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { ngram: 13, common: 10 }
    }
}

/// Where an n-gram was first seen, and in how many rows.
struct Place {
    line: u32,
    last: u32,
    rows: u32,
}

/// One pass over the training rows, then over the test rows.
pub struct Leakage {
    settings: Settings,
    prompts: BTreeMap<String, u32>,
    grams: BTreeMap<u64, Place>,
}

/// Words of a test row that a training row has too, as a half-open range.
struct Span {
    line: u32,
    from: usize,
    to: usize,
}

impl Validator for Leakage {
    type Settings = Settings;

    fn start(settings: Settings) -> Result<Self> {
        if settings.ngram == 0 {
            return Err("`ngram` must be at least 1".to_owned());
        }
        Ok(Self { settings, prompts: BTreeMap::new(), grams: BTreeMap::new() })
    }

    fn push(&mut self, row: &Row) -> Result<Vec<Finding>> {
        let Some(exchange) = Exchange::read(&row.text) else { return Ok(Vec::new()) };
        if row.split == "train" {
            self.learn(row, &exchange);
            return Ok(Vec::new());
        }
        Ok(self.exact(row, &exchange).or_else(|| self.overlap(row, &exchange)).into_iter().collect())
    }
}

impl Leakage {
    fn learn(&mut self, row: &Row, exchange: &Exchange) {
        self.prompts.entry(normalise(&exchange.prompt)).or_insert(row.line);
        let words = words(&exchange.whole());
        for gram in grams(&words, self.settings.ngram) {
            let place = self.grams.entry(gram).or_insert(Place { line: row.line, last: 0, rows: 0 });
            if place.last != row.line {
                place.last = row.line;
                place.rows += 1;
            }
        }
    }

    /// The whole prompt is a training prompt: also the rule for texts too short for an n-gram.
    fn exact(&self, row: &Row, exchange: &Exchange) -> Option<Finding> {
        let line = self.prompts.get(&normalise(&exchange.prompt)).filter(|_| !exchange.prompt.trim().is_empty())?;
        let message = format!("its prompt is in the training set, line {line}: “{}”", preview(&exchange.prompt));
        Some(
            Finding::error("leaked-prompt", row, message)
                .hint(format!("remove line {line} from train or this row from the test set")),
        )
    }

    fn overlap(&self, row: &Row, exchange: &Exchange) -> Option<Finding> {
        let text = exchange.whole();
        let words = words(&text);
        let span = self.longest(&words)?;
        let shared = &text[words[span.from].span.start..words[span.to - 1].span.end];
        let (count, line, all) = (span.to - span.from, span.line, words.len());
        let message = format!("{count} of its {all} words in a row are in the training set, line {line}: “{shared}”");
        Some(Finding::warning("leaked-span", row, message).hint(format!(
            "look at train line {line}: if it gives the answer away, remove it; if it is shared boilerplate, lower `common`"
        )))
    }

    /// The longest run of n-grams that one training row began.
    fn longest(&self, words: &[Word]) -> Option<Span> {
        let mut best: Option<Span> = None;
        let mut open: Option<Span> = None;
        for (from, gram) in grams(words, self.settings.ngram).enumerate() {
            let place = self.grams.get(&gram).filter(|place| place.rows <= self.settings.common);
            open = place.map(|place| match open.take() {
                Some(span) if span.line == place.line => Span { to: from + self.settings.ngram, ..span },
                _ => Span { line: place.line, from, to: from + self.settings.ngram },
            });
            if let Some(span) = &open
                && best.as_ref().is_none_or(|best| span.to - span.from > best.to - best.from)
            {
                best = Some(Span { ..*span });
            }
        }
        best
    }
}

fn grams(words: &[Word], length: usize) -> impl Iterator<Item = u64> {
    let join = |gram: &[Word]| gram.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join("\u{1f}");
    words.windows(length).map(move |gram| fnv(join(gram).as_bytes()))
}

diapason_plugin::plugin! { validator: Leakage }
