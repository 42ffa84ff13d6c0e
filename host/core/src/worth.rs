//! What answers cost, and whether fine-tuning was worth it: against prompting, against retrieval, against anything else.

use crate::arm::{Arm, Contrast};
use crate::compare::{Comparison, MeasureComparison};
use crate::config::{Config, Price};
use crate::stats::Interval;
use serde::{Deserialize, Serialize};

/// What an arm's answers took. What nobody measured is `None`, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// The arm.
    pub arm: Arm,
    /// Completions and likelihoods.
    pub answers: u64,
    /// Tokens of their prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u64>,
    /// Tokens that were written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_tokens: Option<u64>,
    /// Wall time in seconds, of all answers together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// What a thousand answers of an arm cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The arm.
    pub arm: Arm,
    /// Tokens of prompts.
    pub prompt_tokens: Option<f64>,
    /// Tokens of answers.
    pub completion_tokens: Option<f64>,
    /// Wall time in seconds.
    pub seconds: Option<f64>,
    /// In the currency of the prices; `None` without a price of all that the arm uses.
    pub money: Option<f64>,
}

/// Tuned against one other arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// The arm.
    pub arm: Arm,
    /// Mean of tuned − this arm; `None` without a pair.
    pub gain: Option<f64>,
    /// Its interval.
    pub interval: Interval,
    /// What is shown.
    pub outcome: Outcome,
    /// How many answers it takes until training has paid for itself.
    pub pays_after: PaysAfter,
}

/// Whether tuned is better than another arm. Decided on the 95 % interval of the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is better.
    Better,
    /// It is worse.
    Worse,
    /// Neither is shown.
    Open,
}

/// After how many answers training has paid for itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PaysAfter {
    /// So many, by money.
    Money {
        /// Answers.
        answers: f64,
    },
    /// So many, by time on the machine.
    Seconds {
        /// Answers.
        answers: f64,
    },
    /// An answer of tuned costs no less than one of the other arm.
    Never,
    /// Training, or answers of one of the two, were not measured here.
    Unknown,
}

/// The first question of whoever fine-tunes: was it worth it?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Worth {
    /// The suite whose measure decides: that of the first rule on tuned, else the first.
    pub suite: String,
    /// `plugin.measure`.
    pub measure: String,
    /// Seconds of training, if it was done here.
    pub training_seconds: Option<f64>,
    /// What training cost, if the machine has a price.
    pub training_money: Option<f64>,
    /// Every arm that tuned was held against.
    pub rivals: Vec<Rival>,
}

/// What a thousand answers of each arm cost.
pub fn costs(usage: &[Usage], config: &Config) -> Vec<Cost> {
    usage.iter().filter(|usage| usage.answers > 0).map(|usage| cost(usage, &config.price_of(&usage.arm))).collect()
}

fn cost(usage: &Usage, price: &Price) -> Cost {
    let thousand = |total: f64| total * 1000.0 / usage.answers as f64;
    let tokens = |total: Option<u64>| total.map(|total| thousand(total as f64));
    let cost = Cost {
        arm: usage.arm.clone(),
        prompt_tokens: tokens(usage.prompt_tokens),
        completion_tokens: tokens(usage.completion_tokens),
        seconds: usage.seconds.map(thousand),
        money: None,
    };
    let money = money(&cost, price);
    Cost { money, ..cost }
}

/// `None` where there is no price, or something that has one was not measured.
fn money(cost: &Cost, price: &Price) -> Option<f64> {
    let parts = [
        (price.prompt_million, cost.prompt_tokens, 1e6),
        (price.completion_million, cost.completion_tokens, 1e6),
        (price.hour, cost.seconds, 3600.0),
    ];
    let priced: Vec<Option<f64>> =
        parts.into_iter().filter_map(|(price, used, per)| price.map(|price| Some(price * used? / per))).collect();
    if priced.is_empty() { None } else { priced.into_iter().sum() }
}

/// Whether fine-tuning was worth it; `None` where tuned was held against nothing.
pub fn worth(comparison: &Comparison, costs: &[Cost], training_seconds: Option<f64>, config: &Config) -> Option<Worth> {
    let (suite, measure) = deciding(comparison, config)?;
    let training_money =
        training_seconds.and_then(|seconds| Some(config.price_of(&Arm::tuned()).hour? * seconds / 3600.0));
    let training = Training { seconds: training_seconds, money: training_money };
    let against = |contrast: &&Contrast| contrast.candidate.is_tuned();
    let rivals = comparison.contrasts.iter().filter(against);
    let rivals: Vec<Rival> = rivals.map(|contrast| rival(contrast, measure, costs, &training)).collect();
    let worth = Worth { suite, measure: measure.full_name(), training_seconds, training_money, rivals };
    (!worth.rivals.is_empty()).then_some(worth)
}

/// The measure of the first rule on tuned that an evaluator gives, else the first one.
fn deciding<'a>(comparison: &'a Comparison, config: &Config) -> Option<(String, &'a MeasureComparison)> {
    let all = || {
        let measures = comparison.suites.iter().flat_map(|suite| suite.measures.iter().map(move |it| (suite, it)));
        measures.filter(|(_, measure)| !measure.differences.is_empty())
    };
    let rules = config.rules.iter().filter(|rule| rule.arm.is_tuned());
    let named = rules.filter_map(|rule| {
        all().find(|(suite, measure)| {
            let names = [measure.full_name(), measure.info.name.clone()];
            suite.name == rule.suite && names.contains(&rule.measure)
        })
    });
    named.chain(all()).next().map(|(suite, measure)| (suite.name.clone(), measure))
}

/// What training took.
struct Training {
    seconds: Option<f64>,
    money: Option<f64>,
}

fn rival(contrast: &Contrast, measure: &MeasureComparison, costs: &[Cost], training: &Training) -> Rival {
    let difference = measure.difference(contrast);
    let interval = difference.map_or(Interval::TooFew { n: 0 }, |difference| difference.interval.clone());
    Rival {
        arm: contrast.reference.clone(),
        gain: difference.and_then(|difference| difference.mean),
        outcome: outcome(&interval, measure.info.higher_is_better),
        interval,
        pays_after: pays_after(contrast, costs, training),
    }
}

fn outcome(interval: &Interval, higher_is_better: bool) -> Outcome {
    match interval.ends() {
        Some((low, _)) if low > 0.0 => {
            if higher_is_better {
                Outcome::Better
            } else {
                Outcome::Worse
            }
        }
        Some((_, high)) if high < 0.0 => {
            if higher_is_better {
                Outcome::Worse
            } else {
                Outcome::Better
            }
        }
        _ => Outcome::Open,
    }
}

fn pays_after(contrast: &Contrast, costs: &[Cost], training: &Training) -> PaysAfter {
    let cost = |arm: &Arm| costs.iter().find(|cost| cost.arm == *arm);
    let (Some(tuned), Some(other)) = (cost(&contrast.candidate), cost(&contrast.reference)) else {
        return PaysAfter::Unknown;
    };
    let saved = |tuned: Option<f64>, other: Option<f64>| Some((other? - tuned?) / 1000.0);
    let by_money = training.money.zip(saved(tuned.money, other.money));
    let by_time = training.seconds.zip(saved(tuned.seconds, other.seconds));
    match (by_money, by_time) {
        (Some((_, saved)), _) | (None, Some((_, saved))) if saved <= 0.0 => PaysAfter::Never,
        (Some((spent, saved)), _) => PaysAfter::Money { answers: (spent / saved).ceil() },
        (None, Some((spent, saved))) => PaysAfter::Seconds { answers: (spent / saved).ceil() },
        (None, None) => PaysAfter::Unknown,
    }
}
