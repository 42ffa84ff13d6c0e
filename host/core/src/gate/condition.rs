//! A rule's conditions: what each asks for, and which evidence speaks to it.

use super::{ConditionKind, Reason, Scored, Side};
use crate::compare::{Level, MeasureComparison};
use crate::config::{Gate, Rule};
use crate::stats::{Evidence, Weakness};
use crate::{Error, Result};

/// One condition, resolved against the comparison.
pub(super) struct Condition<'a> {
    pub(super) suite: &'a str,
    pub(super) measure: &'a MeasureComparison,
    pub(super) kind: ConditionKind,
    pub(super) limit: f64,
    pub(super) threshold: f64,
    pub(super) side: Side,
    pub(super) evidence: Evidence,
    /// Why it must not pass, whatever the interval says.
    pub(super) obstacle: Option<Reason>,
}

/// Every condition that `rule` gives.
pub(super) fn conditions<'a>(
    rule: &Rule,
    suite: &'a str,
    samples: usize,
    measure: &'a MeasureComparison,
    gate: &Gate,
) -> Result<Vec<Condition<'a>>> {
    use ConditionKind::{Gain, Margin, Maximum, Minimum};
    let given = [(Minimum, rule.minimum), (Maximum, rule.maximum), (Margin, rule.margin), (Gain, rule.gain)];
    let given: Vec<_> = given.into_iter().filter_map(|(kind, limit)| Some((kind, limit?))).collect();
    let name = format!("the rule on `{}` of suite `{suite}`", rule.measure);
    if given.is_empty() {
        return Err(Error::config(format!("{name} asks for nothing")).hint("give minimum, maximum, margin or gain"));
    }
    given
        .into_iter()
        .map(|(kind, limit)| {
            check_limit(&name, kind, limit, measure)?;
            Ok(Condition::new(suite, samples, measure, kind, limit, gate))
        })
        .collect()
}

fn check_limit(name: &str, kind: ConditionKind, limit: f64, measure: &MeasureComparison) -> Result<()> {
    if !limit.is_finite() {
        return Err(Error::config(format!("{name} has a limit that is no number")).hint("give a finite number"));
    }
    let paired = matches!(kind, ConditionKind::Margin | ConditionKind::Gain);
    if paired && limit < 0.0 {
        return Err(Error::config(format!("{name} has a negative margin or gain")).hint("give 0 or more"));
    }
    if paired && measure.pair.is_some() {
        return Err(Error::config(format!("{name} compares base and tuned, but a comparator's measure already does"))
            .hint("use minimum or maximum"));
    }
    Ok(())
}

impl<'a> Condition<'a> {
    fn new(
        suite: &'a str,
        samples: usize,
        measure: &'a MeasureComparison,
        kind: ConditionKind,
        limit: f64,
        gate: &Gate,
    ) -> Self {
        // Margin and gain speak of "better"; the threshold is one of tuned − base.
        let (side, threshold) = match (kind, measure.info.higher_is_better) {
            (ConditionKind::Minimum, _) | (ConditionKind::Gain, true) => (Side::Above, limit),
            (ConditionKind::Maximum, _) => (Side::Below, limit),
            (ConditionKind::Margin, true) => (Side::Above, -limit),
            (ConditionKind::Margin, false) => (Side::Below, limit),
            (ConditionKind::Gain, false) => (Side::Below, -limit),
        };
        let evidence = evidence(kind, measure);
        let obstacle = obstacle(kind, samples, measure, gate);
        Self { suite, measure, kind, limit, threshold, side, evidence, obstacle }
    }

    /// One-sided p value of "the condition does not hold".
    pub(super) fn p(&self) -> Option<f64> {
        self.evidence.p(self.side, self.threshold)
    }

    /// One-sided p value of "the condition holds".
    pub(super) fn p_of_failing(&self) -> Option<f64> {
        self.evidence.p(self.side.opposite(), self.threshold)
    }

    /// Whether nothing but its p value keeps it from passing.
    pub(super) fn may_pass(&self) -> bool {
        self.obstacle.is_none() && self.may_fail()
    }

    /// Whether nothing but its p value keeps it from failing.
    pub(super) fn may_fail(&self) -> bool {
        self.undecidable().is_none()
    }

    /// Why neither passing nor failing may be said.
    pub(super) fn undecidable(&self) -> Option<Reason> {
        if self.evidence.estimate().is_none() {
            return Some(Reason::NoInterval);
        }
        self.evidence.weakness().map(|weakness| match weakness {
            Weakness::Few => Reason::FewUnbounded,
            Weakness::Skewed => Reason::SkewedUnbounded,
        })
    }
}

fn evidence(kind: ConditionKind, measure: &MeasureComparison) -> Evidence {
    let found = match kind {
        ConditionKind::Minimum | ConditionKind::Maximum => {
            measure.pair.as_ref().or(measure.tuned.as_ref()).map(|level| &level.evidence)
        }
        ConditionKind::Margin | ConditionKind::Gain => {
            measure.difference.as_ref().map(|difference| &difference.evidence)
        }
    };
    found.cloned().unwrap_or(Evidence::TooFew { n: 0 })
}

/// The first of: a missing arm, lost samples, too many unscored ones.
fn obstacle(kind: ConditionKind, samples: usize, measure: &MeasureComparison, gate: &Gate) -> Option<Reason> {
    let tuned = match &measure.pair {
        Some(pair) => (Scored::Pair, Some(pair)),
        None => (Scored::Tuned, measure.tuned.as_ref()),
    };
    let arms = match kind {
        ConditionKind::Minimum | ConditionKind::Maximum => vec![tuned],
        ConditionKind::Margin | ConditionKind::Gain => vec![tuned, (Scored::Base, measure.base.as_ref())],
    };
    let of_an_arm = arms.iter().find_map(|&(of, level)| match level {
        None => Some(Reason::NoScores { of }),
        Some(level) => incomplete(of, level, samples, gate.max_unscored),
    });
    let paired = matches!(kind, ConditionKind::Margin | ConditionKind::Gain);
    of_an_arm.or_else(|| if paired { unpaired(samples, measure, gate.max_unscored) } else { None })
}

/// Samples that one of the models has no value of are no pairs, whichever it is.
fn unpaired(samples: usize, measure: &MeasureComparison, allowed: f64) -> Option<Reason> {
    let (base, pairs) = (measure.base.as_ref()?, measure.difference.as_ref()?.n);
    let applicable = samples.saturating_sub(base.not_applicable);
    let unpaired = applicable.saturating_sub(pairs);
    (unpaired as f64 > allowed * applicable as f64).then_some(Reason::Unpaired { unpaired, applicable, allowed })
}

fn incomplete(of: Scored, level: &Level, samples: usize, allowed: f64) -> Option<Reason> {
    if let Some(first) = level.lost.first() {
        return Some(Reason::Lost { of, lost: level.lost.len(), samples, first: first.clone() });
    }
    let applicable = samples.saturating_sub(level.not_applicable);
    if applicable == 0 {
        return Some(Reason::NotApplicable);
    }
    let unscored = level.unscored;
    let too_many = unscored as f64 / applicable as f64 > allowed;
    too_many.then_some(Reason::Unscored { of, unscored, applicable, allowed })
}
