//! The report in plain language: the sentences that the page and the Markdown share.

use super::number::{Unit, confidence, count, counted};
use diapason_core::compare::{MeasureComparison, SuiteComparison};
use diapason_core::gate::{ConditionKind, ConditionResult, GateResult, Side, Verdict};
use diapason_core::report::Report;
use diapason_core::stats::Interval;

/// What a condition is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    name: &'static str,
    unit: Unit,
}

impl Subject {
    /// The subject of one of the report's conditions; its unit is plain if the comparison does not have the measure.
    pub(crate) fn of(report: &Report, condition: &ConditionResult) -> Self {
        let measure = measure(report, &condition.suite, &condition.measure);
        let pair = measure.is_some_and(|measure| measure.pair.is_some());
        Self {
            name: if pair { "The pair of base and tuned" } else { "Tuned" },
            unit: measure.map_or(Unit::Plain, |measure| Unit::of(&measure.info)),
        }
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
        Verdict::Passed if rules == 1 => "The only rule is shown to hold.".into(),
        Verdict::Passed => format!("All {all} are shown to hold."),
        Verdict::Failed if open > 0 => {
            format!("Of {all}, {failed} {} shown not to hold and {open} could not be settled.", are(failed))
        }
        Verdict::Failed => format!("Of {all}, {failed} {} shown not to hold.", are(failed)),
        Verdict::Inconclusive => {
            format!("Of {all}, {open} could not be settled with these samples; none is shown not to hold.")
        }
    }
}

/// How the rules were held, in a sentence or two: what stands behind PASSED, a single tick and FAILED.
pub(crate) fn method(gate: &GateResult) -> String {
    let rules = match gate.conditions.len() {
        1 => format!("The rule is held at an error rate of {}.", confidence(gate.level)),
        rules => format!(
            "Passed needs every rule, each held at an error rate of {} (an intersection–union test); failed, and the tick of \
             a single rule, are corrected for {rules} rules by Holm's method.",
            confidence(gate.level)
        ),
    };
    let (look, looks) = gate.look;
    let look = if looks > 1 {
        format!(
            " This is look {look} of {looks}, which share {} as O'Brien and Fleming spend it.",
            confidence(gate.alpha)
        )
    } else {
        String::new()
    };
    let candidates = if gate.candidates > 1 {
        format!(" The error rate is shared by {}.", counted(gate.candidates, "candidate"))
    } else {
        String::new()
    };
    let models = if gate.candidates == 1 && gate.models > 1 {
        format!(
            " {} models have been held against these samples: where the best of them is to be released, set \
             `gate.candidates = {0}`.",
            gate.models
        )
    } else {
        String::new()
    };
    let before = if looks == 1 && gate.looked_before > 0 {
        format!(
            " The gate has looked at this model {} before, on other samples or scores: unless all of these samples are new, it \
             errs more often than this; `gate.looks` plans for it.",
            counted(gate.looked_before, "time")
        )
    } else {
        String::new()
    };
    format!("{rules}{look}{candidates}{models}{before}")
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
pub(crate) fn required(condition: &ConditionResult, subject: Subject) -> String {
    let (limit, Subject { name, unit }) = (condition.limit, subject);
    match condition.kind {
        ConditionKind::Minimum => format!("{name} must be at least {}", unit.level(limit)),
        ConditionKind::Maximum => format!("{name} must be at most {}", unit.level(limit)),
        ConditionKind::Margin => format!("Tuned must not be worse than base by more than {}", unit.distance(limit)),
        ConditionKind::Gain => format!("Tuned must be better than base by more than {}", unit.distance(limit)),
    }
}

/// What the samples show: estimate, interval, how it was made, and the line it is held against.
pub(crate) fn shown(condition: &ConditionResult, subject: Subject) -> String {
    let unit = subject.unit;
    let Some(estimate) = condition.estimate else {
        return format!("No value was measured (n = {}).", count(condition.n as u64));
    };
    let paired = matches!(condition.kind, ConditionKind::Margin | ConditionKind::Gain);
    let what = if paired { "Tuned − base" } else { subject.name };
    let value = if paired { unit.difference(estimate) } else { unit.level(estimate) };
    let n = format!("n = {}", count(condition.n as u64));
    let Interval::Known { level, method, .. } = &condition.interval else {
        return format!("{what} is {value}; {n} is too few for an interval.");
    };
    let interval = if paired { unit.differences(&condition.interval) } else { unit.levels(&condition.interval) };
    let held = if paired { unit.difference(condition.threshold) } else { unit.level(condition.threshold) };
    let side = if condition.side == Side::Above { "above" } else { "below" };
    format!(
        "{what} is {value}, interval {} ({} {method}, {n}); it has to lie {side} {held}.",
        interval.unwrap_or_default(),
        confidence(*level),
    )
}

/// Inconclusive conditions: what would settle it, or else why it cannot be settled.
pub(crate) fn outlook(condition: &ConditionResult, subject: Subject) -> Option<String> {
    if condition.verdict != Verdict::Inconclusive {
        return None;
    }
    let detectable = condition.detectable.map(|distance| {
        format!(
            "With n = {}, a distance of {} could be shown.",
            count(condition.n as u64),
            subject.unit.distance(distance)
        )
    });
    let settle = condition.samples_to_settle.map(|size| {
        let which = if size.new { "new samples, decided on without these," } else { "samples in all" };
        let least = count(size.least as u64);
        match size.most {
            Some(most) => format!("{least} to {} {which} would settle it.", count(most as u64)),
            None => format!("At least {least} {which} would settle it."),
        }
    });
    let sentences: Vec<String> = detectable.into_iter().chain(settle).collect();
    Some(if sentences.is_empty() { condition.reason.replace('`', "") } else { sentences.join(" ") })
}

/// A suite's measure by its full name.
fn measure<'a>(report: &'a Report, suite: &str, name: &str) -> Option<&'a MeasureComparison> {
    let suite = report.comparison.suites.iter().find(|candidate| candidate.name == suite)?;
    suite.measures.iter().find(|measure| measure.full_name() == name)
}

/// Why there is no value for some samples, or `None` where all have one.
pub(crate) fn missing(measure: &MeasureComparison) -> Option<String> {
    let arms = [("base", &measure.base), ("tuned", &measure.tuned), ("", &measure.pair)];
    let notes = arms.into_iter().filter_map(|(arm, level)| Some((arm, level.as_ref()?)));
    let texts: Vec<String> = notes
        .flat_map(|(arm, level)| {
            [(level.unscored, "unscored"), (level.lost.len(), "lost"), (level.not_applicable, "not applicable")]
                .into_iter()
                .filter(|(number, _)| *number > 0)
                .map(move |(number, what)| format!("{} {what} {arm}", count(number as u64)).trim_end().to_owned())
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join(", "))
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
                let subject = Subject::of(&report, condition);
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
        let share = Subject { name: "Tuned", unit: Unit::Share };
        condition.interval = Interval::TooFew { n: 1 };
        condition.n = 1;
        assert_eq!(shown(&condition, share), "Tuned − base is +57.9 pp; n = 1 is too few for an interval.");
        condition.estimate = None;
        assert_eq!(shown(&condition, share), "No value was measured (n = 1).");
    }
}
