//! The decision in sentences: the same ones on the terminal, in the page, in the Markdown and in JUnit's file.

use super::arms;
use crate::number::{Unit, confidence, count, counted, fixed};
use diapason_core::arm::{Arm, Contrast};
use diapason_core::compare::{Comparison, Level, MeasureComparison, SuiteComparison};
use diapason_core::finding::Finding;
use diapason_core::gate::{ConditionKind, ConditionResult, GateResult, Reason, Scored, Verdict};
use diapason_core::stats::Interval;

/// What a condition is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    arm: &'a Arm,
    against: Option<&'a Arm>,
    comparator: bool,
    unit: Unit,
}

impl<'a> Subject<'a> {
    /// The subject of a condition; its unit is plain if the comparison does not have the measure.
    pub(crate) fn of(comparison: &Comparison, condition: &'a ConditionResult) -> Self {
        let measure = measure(comparison, &condition.suite, &condition.measure);
        Self {
            arm: &condition.arm,
            against: condition.against.as_ref(),
            comparator: measure.is_some_and(|measure| measure.comparator),
            unit: measure.map_or(Unit::Plain, |measure| Unit::of(&measure.info)),
        }
    }

    /// Whose level is measured.
    fn name(self) -> String {
        match self.against {
            Some(reference) if self.comparator => format!("The pair of {reference} and {}", self.arm),
            _ => arms::capital(self.arm).into(),
        }
    }

    fn reference(self) -> &'a str {
        self.against.map_or("its reference", Arm::as_str)
    }
}

/// A verdict as a word.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "Passed",
        Verdict::Failed => "Failed",
        Verdict::Inconclusive => "Inconclusive",
    }
}

/// What the gate decided, in a sentence.
pub(crate) fn summary(gate: &GateResult) -> String {
    let rules = gate.conditions.len();
    let of = |verdict| gate.conditions.iter().filter(|condition| condition.verdict == verdict).count();
    let (failed, open) = (of(Verdict::Failed), of(Verdict::Inconclusive));
    let all = counted(rules, "rule");
    match gate.verdict {
        Verdict::Passed if rules == 1 => "The only rule passed.".into(),
        Verdict::Failed if rules == 1 => "The only rule failed.".into(),
        Verdict::Inconclusive if rules == 1 => "The only rule is inconclusive.".into(),
        Verdict::Passed => format!("All {all} passed."),
        Verdict::Failed if open > 0 => format!("{failed} of {all} failed; {open} {} inconclusive.", are(open)),
        Verdict::Failed => format!("{failed} of {all} failed."),
        Verdict::Inconclusive => format!("{open} of {all} {} inconclusive; none failed.", are(open)),
    }
}

/// How the rules were tested, in a sentence or two: what stands behind a verdict of the gate, and behind one of a rule.
pub(crate) fn method(gate: &GateResult) -> String {
    let level = confidence(gate.level);
    let mut sentences = vec![match gate.conditions.len() {
        1 => format!("The rule is tested at an error rate of {level}."),
        rules => format!(
            "To pass, every rule must pass at an error rate of {level} (an intersection–union test); for a single rule's \
             pass, and for failures, Holm's method corrects for {rules} rules."
        ),
    }];
    let (look, looks) = gate.look;
    if looks > 1 {
        let alpha = confidence(gate.alpha);
        sentences.push(format!("This is look {look} of {looks}, which share {alpha} by O'Brien–Fleming spending."));
    }
    if gate.candidates > 1 {
        sentences.push(format!("The error rate is divided among {}.", counted(gate.candidates, "candidate")));
    } else if gate.models > 1 {
        sentences.push(format!(
            "{0} models have been tested against these samples: if the best of them is to be released, set \
             `gate.candidates = {0}`.",
            gate.models
        ));
    }
    if looks == 1 && gate.looked_before > 0 {
        sentences.push(format!(
            "The gate has looked at this model {} before, on other samples or scores: unless all of these samples are new, \
             the true error rate is higher. `gate.looks` plans for several looks.",
            counted(gate.looked_before, "time")
        ));
    }
    sentences.join(" ")
}

/// A finding on one line.
pub(crate) fn finding(finding: &Finding) -> String {
    let place =
        if finding.line == 0 { finding.split.clone() } else { format!("{} line {}", finding.split, finding.line) };
    let path = if finding.path.is_empty() { String::new() } else { format!(" {}", finding.path) };
    format!("{place}{path}: {} ({})", finding.message, finding.rule)
}

/// A rule of validators whose errors somebody accepted.
pub(crate) fn allowed(rule: &str, count: usize) -> String {
    format!("allowed: {rule} ({})", counted(count, "finding"))
}

/// A suite's number of samples, and what they share.
pub(crate) fn samples(suite: &SuiteComparison) -> String {
    let samples = counted(suite.samples, "sample");
    let Some(grouping) = &suite.grouping else { return samples };
    let by = match (grouping.tagged > 0, grouping.repeated_prompts > 0) {
        (true, true) => "by `tags.cluster` and by repeated prompts",
        (true, false) => "by `tags.cluster`",
        _ => "by repeated prompts",
    };
    let dominated = if grouping.effective < 0.5 * grouping.clusters as f64 {
        format!(", which say as much as {:.0} of equal size", grouping.effective)
    } else {
        String::new()
    };
    format!("{samples} in {} {by}{dominated}", counted(grouping.clusters, "cluster"))
}

/// What a condition asks for: `Tuned must not be worse than base by more than 2.0 pp`.
pub(crate) fn required(condition: &ConditionResult, subject: Subject<'_>) -> String {
    let (limit, unit) = (condition.limit, subject.unit);
    let (name, reference) = (subject.name(), subject.reference());
    match condition.kind {
        ConditionKind::Minimum => format!("{name} must be at least {}", unit.level(limit)),
        ConditionKind::Maximum => format!("{name} must be at most {}", unit.level(limit)),
        ConditionKind::Margin => {
            format!("{name} must not be worse than {reference} by more than {}", unit.distance(limit))
        }
        ConditionKind::Gain => format!("{name} must be better than {reference} by more than {}", unit.distance(limit)),
    }
}

/// Whether a condition concerns a difference of two arms.
fn is_paired(condition: &ConditionResult) -> bool {
    matches!(condition.kind, ConditionKind::Margin | ConditionKind::Gain)
}

/// Why a condition ended as it did: `Passed: the 95 % interval is 94.0 to 100.0 %, above the required 50.0 %.`
pub(crate) fn reason(condition: &ConditionResult, subject: Subject<'_>) -> String {
    let why = obstacle(&condition.reason, condition.n).or_else(|| position(condition, subject));
    let alone = if condition.jointly {
        " This needs all other rules to pass too; alone, it would be inconclusive."
    } else {
        ""
    };
    format!("{}: {}.{alone}", verdict(condition.verdict), why.unwrap_or_else(|| "there is no interval".into()))
}

/// Where the interval lies, seen from the threshold; `None` without an interval.
fn position(condition: &ConditionResult, subject: Subject<'_>) -> Option<String> {
    let Interval::Known { low, high, level, .. } = condition.interval else { return None };
    let (unit, threshold) = (subject.unit, condition.threshold);
    let (interval, required) = if is_paired(condition) {
        (unit.differences(&condition.interval)?, unit.difference(threshold))
    } else {
        (unit.levels(&condition.interval)?, unit.level(threshold))
    };
    let at = |end: f64| (end - threshold).abs() <= 1e-9 * threshold.abs().max(1.0);
    let place = match (low, high) {
        _ if at(low) => "at or above",
        _ if at(high) => "at or below",
        _ if low > threshold => "above",
        _ if high < threshold => "below",
        _ => "on both sides of",
    };
    Some(format!("the {} interval is {interval}, {place} the required {required}", confidence(level)))
}

/// What stands in the way of a decision; `None` where the interval decides.
fn obstacle(reason: &Reason, n: usize) -> Option<String> {
    let share = |part: usize, all: usize, allowed: f64| {
        let percent = |share: f64| format!("{} %", fixed(100.0 * share, 1));
        format!("{}, {} allowed", percent(part as f64 / all as f64), percent(allowed))
    };
    let number = |number: usize| count(number as u64);
    Some(match reason {
        Reason::Interval => return None,
        Reason::NoScores { of } => format!("{} has no scores", scored(of)),
        Reason::Lost { of, lost, samples, first } => {
            format!(
                "{} of {} have no score of {} (first: {first})",
                number(*lost),
                counted(*samples, "sample"),
                scored(of)
            )
        }
        Reason::NotApplicable => "the measure applies to no sample".into(),
        Reason::Unscored { of, unscored, applicable, allowed } => format!(
            "{} of {} of {} are unscored ({})",
            number(*unscored),
            counted(*applicable, "sample"),
            scored(of),
            share(*unscored, *applicable, *allowed)
        ),
        Reason::Unpaired { unpaired, applicable, allowed } => format!(
            "{} of {} lack a score of one of the two ({})",
            number(*unpaired),
            counted(*applicable, "sample"),
            share(*unpaired, *applicable, *allowed)
        ),
        Reason::NoInterval => {
            format!("there are too few samples for an interval, or they do not vary (n = {})", number(n))
        }
        Reason::FewUnbounded => format!(
            "the measure has no bounds, and {} are too few to trust its mean; with `bounds`, fewer are enough",
            counted(n, "sample")
        ),
        Reason::SkewedUnbounded => {
            "the measure has no bounds, and a few large values dominate its mean; give it `bounds`".into()
        }
    })
}

fn scored(of: &Scored) -> String {
    match of {
        Scored::Arm(arm) => arms::who(arm),
        Scored::Pair(Contrast { candidate, reference }) => format!("the pair of {reference} and {candidate}"),
    }
}

/// What was measured, and what follows from it: `Tuned is 97.0 % (Wilson, n = 200). Passed: the 95 % interval …`
pub(crate) fn shown(condition: &ConditionResult, subject: Subject<'_>) -> String {
    let (unit, n) = (subject.unit, format!("n = {}", count(condition.n as u64)));
    let reason = reason(condition, subject);
    let Some(estimate) = condition.estimate else { return format!("No value was measured ({n}). {reason}") };
    let paired = is_paired(condition);
    let what = if paired { format!("{} − {}", subject.name(), subject.reference()) } else { subject.name() };
    let value = if paired { unit.difference(estimate) } else { unit.level(estimate) };
    let how = match &condition.interval {
        Interval::Known { method, .. } => format!("{method}, {n}"),
        Interval::TooFew { .. } => n,
    };
    format!("{what} is {value} ({how}). {reason}")
}

/// Inconclusive conditions: how far from it these samples can see, and what would settle it; `None` where nothing is known.
pub(crate) fn outlook(condition: &ConditionResult, subject: Subject<'_>) -> Option<String> {
    if condition.verdict != Verdict::Inconclusive {
        return None;
    }
    let detectable = condition.detectable.map(|distance| {
        let (n, distance) = (count(condition.n as u64), subject.unit.distance(distance));
        format!("With n = {n}, a true distance of {distance} from the required value would be detected in four of five repetitions.")
    });
    let settle = condition.samples_to_settle.map(|size| {
        let which = if size.new { "new samples, evaluated without these," } else { "samples in total" };
        let least = count(size.least as u64);
        match size.most.map(|most| count(most as u64)) {
            Some(most) if most == least => format!("{least} {which} would settle it."),
            Some(most) => format!("{least} to {most} {which} would settle it."),
            None => format!("At least {least} {which} would settle it."),
        }
    });
    let close = detectable.is_some() && settle.is_none();
    let close = close.then(|| {
        "The measured value is too close to the required one for any number of samples to settle it.".to_owned()
    });
    let sentences: Vec<String> = detectable.into_iter().chain(settle).chain(close).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// A suite's measure by its full name.
pub(crate) fn measure<'a>(comparison: &'a Comparison, suite: &str, name: &str) -> Option<&'a MeasureComparison> {
    let suite = comparison.suites.iter().find(|candidate| candidate.name == suite)?;
    suite.measures.iter().find(|measure| measure.full_name() == name)
}

/// Why there is no value for some samples, or `None` where all have one.
pub(crate) fn missing(measure: &MeasureComparison) -> Option<String> {
    let arms = measure.levels.iter().map(|one| (one.arm.to_string(), &one.level));
    let several = measure.pairs.len() > 1;
    let pair = |contrast: &Contrast| if several { contrast.to_string() } else { String::new() };
    let pairs = measure.pairs.iter().map(|one| (pair(&one.contrast), &one.level));
    let texts: Vec<String> = arms.chain(pairs).flat_map(|(of, level)| lacking(level, &of)).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// How many samples have no value and why, of an arm by its name.
pub(crate) fn lacking(level: &Level, of: &str) -> Vec<String> {
    let counts = [(level.unscored, "unscored"), (level.lost.len(), "lost"), (level.not_applicable, "not applicable")];
    let text = |(number, what)| format!("{} {what} {of}", count(number as u64)).trim_end().to_owned();
    counts.into_iter().filter(|(number, _)| *number > 0).map(text).collect()
}

/// The head of a column of p values that are corrected for every test of the comparison.
pub(crate) fn adjusted(comparison: &Comparison) -> String {
    let measures = comparison.suites.iter().flat_map(|suite| &suite.measures);
    let tests = measures.flat_map(|measure| &measure.differences).filter(|difference| difference.test.is_some());
    format!("p, corrected for {}", counted(tests.count(), "test"))
}

fn are(number: usize) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;

    #[test]
    fn conditions_read_as_sentences() {
        let report = fixture::report(20, 15);
        let lines: Vec<String> = report
            .gate
            .iter()
            .flat_map(|gate| &gate.conditions)
            .map(|condition| {
                let subject = Subject::of(&report.comparison, condition);
                let outlook = outlook(condition, subject).unwrap_or_default();
                format!("{}\n{}\n{outlook}", required(condition, subject), shown(condition, subject))
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn nothing_measured_is_said_and_not_drawn_as_zero() {
        let mut condition =
            fixture::report(20, 15).gate.map(|gate| gate.conditions[0].clone()).unwrap_or_else(|| panic!("gate"));
        let (tuned, base) = (Arm::tuned(), Arm::base());
        let share = Subject { arm: &tuned, against: Some(&base), comparator: false, unit: Unit::Share };
        condition.interval = Interval::TooFew { n: 1 };
        condition.n = 1;
        condition.reason = Reason::NoInterval;
        condition.verdict = Verdict::Inconclusive;
        let why = "Inconclusive: there are too few samples for an interval, or they do not vary (n = 1).";
        assert_eq!(shown(&condition, share), format!("Tuned − base is +57.9 pp (n = 1). {why}"));
        condition.estimate = None;
        assert_eq!(shown(&condition, share), format!("No value was measured (n = 1). {why}"));
    }

    #[test]
    fn reasons_say_where_the_interval_lies_or_what_is_missing() {
        let mut condition =
            fixture::report(20, 15).gate.map(|gate| gate.conditions[1].clone()).unwrap_or_else(|| panic!("gate"));
        let tuned = Arm::tuned();
        let share = Subject { arm: &tuned, against: None, comparator: false, unit: Unit::Share };
        let interval = |low, high| Interval::Known { low, high, level: 0.95, method: "Wilson".into() };
        condition.threshold = 0.9;
        let mut says = |verdict, (low, high), end: &str| {
            (condition.verdict, condition.interval) = (verdict, interval(low, high));
            let reason = reason(&condition, share);
            assert!(reason.ends_with(end), "{reason} does not end with {end}");
        };
        says(Verdict::Passed, (0.94, 1.0), "interval is 94.0 to 100.0 %, above the required 90.0 %.");
        says(Verdict::Passed, (0.9, 1.0), "at or above the required 90.0 %.");
        says(Verdict::Failed, (0.5, 0.6), "Failed: the 95 % interval is 50.0 to 60.0 %, below the required 90.0 %.");
        says(Verdict::Passed, (0.5, 0.6), "Passed: the 95 % interval is 50.0 to 60.0 %, below the required 90.0 %.");
        says(Verdict::Failed, (0.94, 1.0), "above the required 90.0 %.");
        says(Verdict::Inconclusive, (0.5, 1.0), "on both sides of the required 90.0 %.");
        condition.reason =
            Reason::Unscored { of: Scored::Arm(Arm::tuned()), unscored: 5, applicable: 200, allowed: 0.02 };
        let unscored = "Inconclusive: 5 of 200 samples of the tuned model are unscored (2.5 %, 2.0 % allowed).";
        assert_eq!(reason(&condition, share), unscored);
        condition.reason = Reason::Lost { of: Scored::Arm(Arm::base()), lost: 1, samples: 200, first: "s199".into() };
        let lost = "Inconclusive: 1 of 200 samples have no score of the base model (first: s199).";
        assert_eq!(reason(&condition, share), lost);
    }
    #[test]
    fn sentences_name_the_arms_that_they_are_about() {
        let mut condition =
            fixture::report(20, 15).gate.map(|gate| gate.conditions[0].clone()).unwrap_or_else(|| panic!("gate"));
        (condition.arm, condition.against) = ("production".into(), Some("few-shot".into()));
        let comparison = fixture::report(20, 15).comparison;
        let subject = Subject::of(&comparison, &condition);
        let wanted = "production must be better than few-shot by more than 30.0 pp";
        assert_eq!(required(&condition, subject), wanted);
        let shown = shown(&condition, subject);
        assert!(shown.starts_with("production − few-shot is +57.9 pp"), "{shown}");
        let pair = Contrast { candidate: "v2".into(), reference: Arm::base() };
        assert_eq!(scored(&Scored::Pair(pair)), "the pair of base and v2");
        assert_eq!(scored(&Scored::Arm("v2".into())), "arm v2");
    }
}
