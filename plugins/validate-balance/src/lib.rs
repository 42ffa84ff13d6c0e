//! Looks at a dataset as a whole. See the package's README for the rules and settings.

mod summary;

use diapason_plugin::{Finding, Result, Row, Severity, Validator};
use diapason_rows::{Exchange, preview, words};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use summary::{distinct, entropy, fences, quartiles};

/// When a dataset counts as one-sided.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The longest answer, in words, that can be a label.
    pub label_words: usize,
    /// The most labels that make a classification task.
    pub labels: usize,
    /// The largest share that one label may have.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub majority: f64,
    /// The smallest share of different word bigrams among the prompts' bigrams.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub diversity: f64,
    /// Splits of fewer rows are not judged.
    pub least_rows: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { label_words: 3, labels: 50, majority: 0.8, diversity: 0.1, least_rows: 20 }
    }
}

/// What is kept of a split.
#[derive(Default)]
struct Split {
    /// Answers and how often each occurs.
    answers: BTreeMap<String, usize>,
    /// Line and length in words of each answer.
    lengths: Vec<(u32, usize)>,
    /// Prompts as words.
    prompts: Vec<Vec<String>>,
}

/// One pass over rows, judged at its end.
pub struct Balance {
    settings: Settings,
    /// In the order in which they came.
    splits: Vec<(String, Split)>,
}

impl Validator for Balance {
    type Settings = Settings;

    fn start(settings: Settings) -> Result<Self> {
        Ok(Self { settings, splits: Vec::new() })
    }

    fn push(&mut self, row: &Row) -> Result<Vec<Finding>> {
        if let Some(exchange) = Exchange::read(&row.text) {
            self.split(&row.split).add(row.line, &exchange);
        }
        Ok(Vec::new())
    }

    fn finish(&mut self) -> Result<Vec<Finding>> {
        let judged = self.splits.iter().filter(|(_, split)| split.lengths.len() >= self.settings.least_rows.max(1));
        Ok(judged.flat_map(|(name, split)| self.findings(name, split)).collect())
    }
}

impl Balance {
    fn split(&mut self, name: &str) -> &mut Split {
        let place = self.splits.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.splits.push((name.to_owned(), Split::default()));
            self.splits.len() - 1
        });
        &mut self.splits[place].1
    }

    fn findings(&self, name: &str, split: &Split) -> Vec<Finding> {
        let answers = if split.answers.len() == 1 { constant(name, split) } else { self.labels(name, split) };
        let mut findings = answers;
        findings.extend(self.prompts(name, split));
        findings.extend(outliers(name, split));
        findings
    }

    fn labels(&self, name: &str, split: &Split) -> Vec<Finding> {
        let total = split.lengths.len();
        let short = split.lengths.iter().all(|(_, length)| *length <= self.settings.label_words);
        let few = split.answers.len() <= self.settings.labels && split.answers.len() * 2 <= total;
        let largest = split.answers.iter().max_by_key(|(_, count)| **count);
        let (true, true, Some((label, count))) = (short, few, largest) else { return Vec::new() };
        let share = *count as f64 / total as f64;
        let bits = entropy(split.answers.values().copied());
        let message = format!(
            "{} labels, entropy {bits:.2} of {:.2} bits",
            split.answers.len(),
            (split.answers.len() as f64).log2()
        );
        let note = Finding::dataset(Severity::Note, "labels", name, format!("{message}: {}", listed(&split.answers)))
            .hint("compare with the distribution that the model will meet");
        let majority = (share > self.settings.majority).then(|| {
            let message = format!("{count} of {total} answers ({:.1} %) are “{}”", share * 100.0, preview(label));
            Finding::dataset(Severity::Warning, "majority-label", name, message)
                .hint("add rows of the other labels: always giving this answer would already score that much")
        });
        [note].into_iter().chain(majority).collect()
    }

    fn prompts(&self, name: &str, split: &Split) -> Option<Finding> {
        let share = distinct(&split.prompts, 2)?;
        (share < self.settings.diversity).then(|| {
            let message = format!("{:.1} % of the prompts' word bigrams are different", share * 100.0);
            Finding::dataset(Severity::Warning, "uniform-prompts", name, message).hint(
                "the prompts repeat one another: vary their wording, or move the shared part into a system prompt",
            )
        })
    }
}

impl Split {
    fn add(&mut self, line: u32, exchange: &Exchange) {
        let prompt = words(&exchange.prompt).into_iter().map(|word| word.text).collect();
        self.prompts.push(prompt);
        if let Some(answer) = &exchange.answer {
            *self.answers.entry(answer.trim().to_owned()).or_default() += 1;
            self.lengths.push((line, answer.split_whitespace().count()));
        }
    }
}

fn constant(name: &str, split: &Split) -> Vec<Finding> {
    let Some((answer, count)) = split.answers.first_key_value() else { return Vec::new() };
    let message = format!("all {count} answers are “{}”", preview(answer));
    let hint = "the model would learn to say this whatever it is asked: add rows with other answers";
    vec![Finding::dataset(Severity::Error, "constant-answer", name, message).hint(hint)]
}

/// Answers far longer than the others: more than three interquartile ranges above the third quartile (Tukey's outer fence).
fn outliers(name: &str, split: &Split) -> Vec<Finding> {
    let (_, median, upper) = quartiles(split.lengths.iter().map(|(_, length)| *length));
    let limit = fences(split.lengths.iter().map(|(_, length)| *length));
    let long = split.lengths.iter().filter(|(_, length)| *length as f64 > limit);
    let finding = |(line, length): &(u32, usize)| {
        let message =
            format!("the answer has {length} words; half of all have at most {median}, three quarters {upper}");
        let row = Row { split: name.to_owned(), line: *line, text: String::new() };
        Finding::note("long-answer", &row, message)
            .hint("check that the row is not several rows in one, and that it fits the context")
    };
    long.map(finding).collect()
}

/// The largest labels with their counts.
fn listed(answers: &BTreeMap<String, usize>) -> String {
    const SHOWN: usize = 8;
    let mut sorted: Vec<(&String, &usize)> = answers.iter().collect();
    sorted.sort_by_key(|(label, count)| (std::cmp::Reverse(**count), *label));
    let rest = if sorted.len() > SHOWN { ", …" } else { "" };
    let shown: Vec<String> =
        sorted.iter().take(SHOWN).map(|(label, count)| format!("“{}” {count}", preview(label))).collect();
    format!("{}{rest}", shown.join(", "))
}

diapason_plugin::plugin! { validator: Balance }
