//! The records that cross the boundary, with ways to make and read them.

use crate::Result;
pub use crate::bindings::about::diapason::plugin::types::{
    Completion, Finish, Judgement, Likelihood, Measure, MeasureInfo, Message, Outcome, Sample,
};
use serde_json::Value;

impl Sample {
    /// The value of a tag.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The expected answers, of which any will do: the texts of the row's `reference` where that is a list of texts, or
    /// else the sample's only reference. Empty without one.
    pub fn references(&self) -> Vec<String> {
        let row: Option<Value> = serde_json::from_str(&self.row).ok();
        let list = row.as_ref().and_then(|row| row.get("reference")?.as_array());
        let texts = list.and_then(|list| list.iter().map(|one| one.as_str().map(str::to_owned)).collect());
        match texts {
            Some(texts) if !Vec::is_empty(&texts) => texts,
            _ => self.reference.iter().cloned().collect(),
        }
    }

    /// The whole row as JSON. An error says where the row is not JSON.
    pub fn row_json(&self) -> Result<Value> {
        serde_json::from_str(&self.row).map_err(|cause| format!("the row is not JSON: {cause}"))
    }
}

impl Message {
    /// A turn without further fields.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into(), extra: None }
    }
}

impl Measure {
    /// A named value. The host refuses NaN and infinities.
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), value }
    }
}

impl MeasureInfo {
    /// A measure that is 0 or 1 and better when 1.
    pub fn binary(name: impl Into<String>, summary: impl Into<String>) -> Self {
        Self { binary: true, ..Self::fraction(name, summary) }
    }

    /// A measure between 0 and 1 that is better when larger.
    pub fn fraction(name: impl Into<String>, summary: impl Into<String>) -> Self {
        Self { bounds: Some((0.0, 1.0)), ..Self::number(name, summary) }
    }

    /// A measure without bounds that is better when larger.
    pub fn number(name: impl Into<String>, summary: impl Into<String>) -> Self {
        let (name, summary) = (name.into(), summary.into());
        Self { name, summary, higher_is_better: true, binary: false, bounds: None }
    }

    /// The same measure, better when smaller.
    pub fn lower_is_better(self) -> Self {
        Self { higher_is_better: false, ..self }
    }

    /// The same measure with a smallest and a largest possible value.
    pub fn within(self, least: f64, most: f64) -> Self {
        Self { bounds: Some((least, most)), ..self }
    }
}

impl Judgement {
    /// Scores, by measure. Measures that do not apply to the sample are left out.
    pub fn scored(measures: impl IntoIterator<Item = Measure>) -> Self {
        Self { outcome: Outcome::Scored(measures.into_iter().collect()), notes: Vec::new() }
    }

    /// A single score.
    pub fn score(name: impl Into<String>, value: f64) -> Self {
        Self::scored([Measure::new(name, value)])
    }

    /// A single score: 1 if it passes, 0 if not.
    pub fn passes(name: impl Into<String>, passes: bool) -> Self {
        Self::score(name, f64::from(u8::from(passes)))
    }

    /// No score, and why. It is counted and shown, and never becomes a zero.
    pub fn unscored(reason: impl Into<String>) -> Self {
        Self { outcome: Outcome::Unscored(reason.into()), notes: Vec::new() }
    }

    /// The same judgement with a note, shown beside the sample.
    pub fn note(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.notes.push((name.into(), text.into()));
        self
    }
}
