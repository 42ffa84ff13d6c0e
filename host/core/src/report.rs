//! The report: everything a reader, a renderer or a later gate needs to know about a run. The content of `report.json`.

use crate::arm::{Arm, Contrast};
use crate::compare::Comparison;
use crate::finding::{Finding, Severity};
use crate::frozen::Frozen;
use crate::gate::GateResult;
use crate::sample::{Message, Sample};
use crate::score::{Judgement, Output, Score};
use crate::worth::{self, Cost, Usage, Worth};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Version of the layout of `report.json`; a reader refuses another one.
pub const FORMAT: u32 = 4;

/// A run's report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// The run's name.
    pub name: String,
    /// The decision; `None` where the configuration has no rules.
    pub gate: Option<GateResult>,
    /// The arms, compared.
    pub comparison: Comparison,
    /// What a thousand answers of each arm cost.
    pub costs: Vec<Cost>,
    /// Whether fine-tuning was worth it; `None` where tuned was held against nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worth: Option<Worth>,
    /// What the validators found.
    pub findings: FindingCounts,
    /// Rules whose errors were accepted with `--allow`, with the number of their findings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub allowed: BTreeMap<String, usize>,
    /// `None` where an existing adapter was evaluated.
    pub training: Option<Training>,
    /// What the report is about: what the evaluation used, as it was frozen then.
    pub about: Frozen,
    /// Every sample side by side, in the order of the suites.
    pub samples: Vec<SideBySide>,
}

/// Numbers of findings by severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingCounts {
    /// Training must not start.
    pub errors: usize,
    /// Someone should look.
    pub warnings: usize,
    /// Worth knowing.
    pub notes: usize,
}

/// What training did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Parameters that were trained.
    pub trainable: u64,
    /// All parameters.
    pub total: u64,
    /// Optimizer steps.
    pub steps: u64,
    /// Supervised and other tokens that went through the model.
    pub tokens: u64,
    /// Wall time in seconds.
    pub seconds: f64,
    /// Step and mean cross-entropy in nats.
    pub loss: Vec<(u64, f64)>,
    /// Step and mean cross-entropy in nats of the rows that were held out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_out: Vec<(u64, f64)>,
}

/// One sample with every arm's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SideBySide {
    /// The suite.
    pub suite: String,
    /// The sample's id.
    pub sample: String,
    /// The conversation up to the answer.
    pub messages: Vec<Message>,
    /// The expected answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What each arm wrote, in the order of the arms; `None` if it has no output.
    pub answers: Vec<Option<String>>,
    /// What each evaluator and comparator said.
    pub scores: Vec<SampleScore>,
    /// What changed on the binary measures, for each contrast.
    pub flips: Vec<Flip>,
}

/// One plugin's judgement of one arm's answer to a sample, or of two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleScore {
    /// The plugin's name in the suite's configuration.
    pub evaluator: String,
    /// The arm; for a comparator the candidate.
    pub arm: Arm,
    /// The reference that a comparator saw beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Arm>,
    /// Measures or the reason why there are none, and notes.
    #[serde(flatten)]
    pub judgement: Judgement,
}

/// What changed from the reference to the candidate on a sample's binary measures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flip {
    /// At least one measure got worse and none better.
    Harmful,
    /// Some got worse, some better.
    Mixed,
    /// At least one got better and none worse.
    Beneficial,
    /// Nothing.
    #[default]
    None,
}

/// What a report is made of, beside the parts that go in as they are.
pub struct Parts<'a> {
    /// The run's name.
    pub name: &'a str,
    /// Suites in order, each with its samples.
    pub suites: &'a [(String, Vec<Sample>)],
    /// Every arm's outputs, in the order of the arms.
    pub outputs: &'a [Vec<Output>],
    /// What they took.
    pub usage: &'a [Usage],
    /// Rows of `scores.jsonl`.
    pub scores: &'a [Score],
    /// Rows of `findings.jsonl`.
    pub findings: &'a [Finding],
    /// Rules whose errors were accepted, with the number of their findings.
    pub allowed: BTreeMap<String, usize>,
    /// The arms, compared.
    pub comparison: Comparison,
    /// The decision, if there are rules.
    pub gate: Option<GateResult>,
    /// What training did, if there was one.
    pub training: Option<Training>,
    /// What the evaluation used.
    pub about: Frozen,
}

/// Joins the parts to a report.
pub fn build(parts: Parts<'_>) -> Report {
    let samples = Joined::new(&parts).samples(parts.suites);
    let costs = worth::costs(parts.usage, &parts.about.config);
    let seconds = parts.training.as_ref().map(|training| training.seconds);
    Report {
        worth: worth::worth(&parts.comparison, &costs, seconds, &parts.about.config),
        costs,
        format: FORMAT,
        name: parts.name.into(),
        findings: FindingCounts::of(parts.findings),
        samples,
        gate: parts.gate,
        comparison: parts.comparison,
        allowed: parts.allowed,
        training: parts.training,
        about: parts.about,
    }
}

impl FindingCounts {
    /// Counts findings by severity.
    pub fn of(findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self { errors: count(Severity::Error), warnings: count(Severity::Warning), notes: count(Severity::Note) }
    }
}

type Place<'a> = (&'a str, &'a str);

/// Outputs, scores and flips, found by suite and sample.
struct Joined<'a> {
    outputs: Vec<HashMap<Place<'a>, &'a Output>>,
    scores: HashMap<Place<'a>, Vec<SampleScore>>,
    flips: Vec<HashMap<Place<'a>, Flip>>,
}

impl<'a> Joined<'a> {
    fn new(parts: &'a Parts<'_>) -> Self {
        let by_place = |outputs: &'a Vec<Output>| {
            outputs.iter().map(|output| ((output.suite.as_str(), output.sample.as_str()), output)).collect()
        };
        let mut scores: HashMap<Place<'a>, Vec<SampleScore>> = HashMap::new();
        for score in parts.scores {
            let Score { evaluator, arm, against, judgement, .. } = score.clone();
            let place = (score.suite.as_str(), score.sample.as_str());
            scores.entry(place).or_default().push(SampleScore { evaluator, arm, against, judgement });
        }
        let flips = parts.comparison.contrasts.iter().map(|contrast| flips(&parts.comparison, contrast));
        Self { outputs: parts.outputs.iter().map(by_place).collect(), scores, flips: flips.collect() }
    }

    fn samples(mut self, suites: &'a [(String, Vec<Sample>)]) -> Vec<SideBySide> {
        let all = suites.iter().flat_map(|(suite, samples)| samples.iter().map(move |sample| (suite, sample)));
        all.map(|(suite, sample)| self.side_by_side(suite, sample)).collect()
    }

    fn side_by_side(&mut self, suite: &'a str, sample: &'a Sample) -> SideBySide {
        let place = (suite, sample.id.as_str());
        SideBySide {
            suite: suite.into(),
            sample: sample.id.clone(),
            messages: sample.messages.clone(),
            reference: sample.reference.clone(),
            answers: self.outputs.iter().map(|outputs| text(outputs.get(&place))).collect(),
            scores: self.scores.remove(&place).unwrap_or_default(),
            flips: self.flips.iter().map(|flips| flips.get(&place).copied().unwrap_or_default()).collect(),
        }
    }
}

/// The ordinary completion; the first draw, where there are only draws.
fn text(output: Option<&&Output>) -> Option<String> {
    output
        .and_then(|output| output.completions.first().or(output.samples.first()))
        .map(|completion| completion.text.clone())
}

fn flips<'a>(comparison: &'a Comparison, contrast: &Contrast) -> HashMap<Place<'a>, Flip> {
    let mut flips = HashMap::new();
    for suite in &comparison.suites {
        for difference in suite.measures.iter().filter_map(|measure| measure.difference(contrast)) {
            for (ids, flip) in [(&difference.harmful, Flip::Harmful), (&difference.beneficial, Flip::Beneficial)] {
                for id in ids {
                    let known = flips.entry((suite.name.as_str(), id.as_str())).or_insert(flip);
                    *known = if *known == flip { flip } else { Flip::Mixed };
                }
            }
        }
    }
    flips
}
