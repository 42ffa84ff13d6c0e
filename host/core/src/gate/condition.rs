//! A rule's conditions: what each asks for, and which evidence speaks to it.

use super::{ConditionKind, Reason, Scored, Side};
use crate::arm::{Arm, Contrast};
use crate::compare::{Level, MeasureComparison};
use crate::config::{Gate, Rule};
use crate::stats::{Evidence, Weakness};
use crate::{Error, Result};

/// One condition, resolved against the comparison.
pub(super) struct Condition<'a> {
    pub(super) suite: &'a str,
    pub(super) measure: &'a MeasureComparison,
    pub(super) contrast: Contrast,
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
            Ok(Condition::new(suite, samples, measure, contrast(rule), kind, limit, gate))
        })
        .collect()
}

/// The arms that a rule is about.
pub(super) fn contrast(rule: &Rule) -> Contrast {
    Contrast { candidate: rule.arm.clone(), reference: rule.against.clone() }
}

fn check_limit(name: &str, kind: ConditionKind, limit: f64, measure: &MeasureComparison) -> Result<()> {
    if !limit.is_finite() {
        return Err(Error::config(format!("{name} has a limit that is no number")).hint("give a finite number"));
    }
    let paired = is_paired(kind);
    if paired && limit < 0.0 {
        return Err(Error::config(format!("{name} has a negative margin or gain")).hint("give 0 or more"));
    }
    if paired && measure.comparator {
        return Err(Error::config(format!("{name} compares two arms, but a comparator's measure already does"))
            .hint("use minimum or maximum"));
    }
    Ok(())
}

impl<'a> Condition<'a> {
    fn new(
        suite: &'a str,
        samples: usize,
        measure: &'a MeasureComparison,
        contrast: Contrast,
        kind: ConditionKind,
        limit: f64,
        gate: &Gate,
    ) -> Self {
        // Margin and gain speak of "better"; the threshold is one of candidate − reference.
        let (side, threshold) = match (kind, measure.info.higher_is_better) {
            (ConditionKind::Minimum, _) | (ConditionKind::Gain, true) => (Side::Above, limit),
            (ConditionKind::Maximum, _) => (Side::Below, limit),
            (ConditionKind::Margin, true) => (Side::Above, -limit),
            (ConditionKind::Margin, false) => (Side::Below, limit),
            (ConditionKind::Gain, false) => (Side::Below, -limit),
        };
        let evidence = evidence(kind, measure, &contrast);
        let obstacle = obstacle(kind, samples, measure, &contrast, gate);
        Self { suite, measure, contrast, kind, limit, threshold, side, evidence, obstacle }
    }

    /// The reference, where two arms are compared.
    pub(super) fn reference(&self) -> Option<Arm> {
        (is_paired(self.kind) || self.measure.comparator).then(|| self.contrast.reference.clone())
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

fn is_paired(kind: ConditionKind) -> bool {
    matches!(kind, ConditionKind::Margin | ConditionKind::Gain)
}

fn evidence(kind: ConditionKind, measure: &MeasureComparison, contrast: &Contrast) -> Evidence {
    let found = if is_paired(kind) {
        measure.difference(contrast).map(|difference| &difference.evidence)
    } else {
        let pair = measure.pair(contrast).map(|pair| &pair.level);
        pair.or_else(|| measure.level(&contrast.candidate)).map(|level| &level.evidence)
    };
    found.cloned().unwrap_or(Evidence::TooFew { n: 0 })
}

/// The first of: a missing arm, lost samples, too many unscored ones.
fn obstacle(
    kind: ConditionKind,
    samples: usize,
    measure: &MeasureComparison,
    contrast: &Contrast,
    gate: &Gate,
) -> Option<Reason> {
    let arm = |arm: &Arm| (Scored::Arm(arm.clone()), measure.level(arm));
    let scored = if measure.comparator {
        vec![(Scored::Pair(contrast.clone()), measure.pair(contrast).map(|pair| &pair.level))]
    } else if is_paired(kind) {
        vec![arm(&contrast.candidate), arm(&contrast.reference)]
    } else {
        vec![arm(&contrast.candidate)]
    };
    let of_an_arm = scored.into_iter().find_map(|(of, level)| match level {
        None => Some(Reason::NoScores { of }),
        Some(level) => incomplete(of, level, samples, gate.max_unscored),
    });
    let unpaired = || unpaired(samples, measure, contrast, gate.max_unscored);
    of_an_arm.or_else(|| if is_paired(kind) { unpaired() } else { None })
}

/// Samples that one of the arms has no value of are no pairs, whichever it is.
fn unpaired(samples: usize, measure: &MeasureComparison, contrast: &Contrast, allowed: f64) -> Option<Reason> {
    let (reference, pairs) = (measure.level(&contrast.reference)?, measure.difference(contrast)?.n);
    let applicable = samples.saturating_sub(reference.not_applicable);
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
