//! Whether fine-tuning was worth it, in a sentence for each arm that it was held against, and what answers cost.

use super::{arms, words};
use crate::number::{Unit, confidence, count, duration, plain};
use diapason_core::arm::Arm;
use diapason_core::report::Report;
use diapason_core::worth::{Cost, Outcome, PaysAfter, Rival, Worth};
use serde::Serialize;

/// What an arm is, and what a thousand of its answers cost. What nobody measured is `–`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Costs {
    pub(crate) arm: String,
    pub(crate) what: String,
    pub(crate) prompt_tokens: String,
    pub(crate) completion_tokens: String,
    pub(crate) seconds: String,
    pub(crate) money: String,
}

/// Every arm with its costs; empty where base and tuned are all there is and nobody measured what they cost.
pub(crate) fn costs(report: &Report) -> Vec<Costs> {
    let wanted = !report.costs.is_empty() || arms::has_others(&report.comparison);
    report.comparison.arms.iter().filter(|_| wanted).map(|arm| row(report, arm)).collect()
}

/// Whether any arm has a price.
pub(crate) fn has_money(report: &Report) -> bool {
    report.costs.iter().any(|cost| cost.money.is_some())
}

/// The first question of whoever fine-tunes, answered; empty where tuned was held against base alone, of which the rules and
/// the intervals say all.
pub(crate) fn sentences(report: &Report) -> Vec<String> {
    let Some(worth) = &report.worth else { return Vec::new() };
    if worth.rivals.iter().all(|rival| rival.arm.is_base()) {
        return Vec::new();
    }
    worth.rivals.iter().map(|rival| sentence(report, worth, rival)).collect()
}

fn row(report: &Report, arm: &Arm) -> Costs {
    let cost = cost(report, arm);
    let number = |value: Option<f64>, text: fn(f64) -> String| value.map_or("–".into(), text);
    let tokens = |value: f64| count(value.round() as u64);
    Costs {
        arm: arm.to_string(),
        what: arms::described(&report.about.config, arm),
        prompt_tokens: number(cost.and_then(|cost| cost.prompt_tokens), tokens),
        completion_tokens: number(cost.and_then(|cost| cost.completion_tokens), tokens),
        seconds: number(cost.and_then(|cost| cost.seconds), duration),
        money: number(cost.and_then(|cost| cost.money), plain),
    }
}

fn cost<'a>(report: &'a Report, arm: &Arm) -> Option<&'a Cost> {
    report.costs.iter().find(|cost| cost.arm == *arm)
}

fn sentence(report: &Report, worth: &Worth, rival: &Rival) -> String {
    let clauses = [quality(report, worth, rival), price(report, rival), payback(worth, rival)];
    format!("{}.", clauses.join("; "))
}

/// Prompting and retrieval are what fine-tuning is an alternative to; against another model, it is tuned that is held.
fn winner(report: &Report, rival: &Arm) -> &'static str {
    let prompted = report.about.config.arm(rival).is_none_or(|arm| arm.is_prompted_base());
    if prompted { "fine-tuning" } else { "tuned" }
}

fn quality(report: &Report, worth: &Worth, rival: &Rival) -> String {
    let (arm, on) = (&rival.arm, format!("on {} {}", worth.suite, worth.measure));
    let who = winner(report, arm);
    let Some(gain) = rival.gain else {
        return format!("{} was not compared with {arm} {on}: no sample has a score of both", upper(who));
    };
    let measure = words::measure(&report.comparison, &worth.suite, &worth.measure);
    let unit = measure.map_or(Unit::Plain, |measure| Unit::of(&measure.info));
    let level = confidence(report.comparison.level);
    let interval = unit.differences(&rival.interval);
    let interval = interval.map_or("without an interval".into(), |range| format!("{level} interval {range}"));
    let by = unit.distance(gain);
    match rival.outcome {
        Outcome::Better => format!("{} beat {arm} {on} by {by} ({interval})", upper(who)),
        Outcome::Worse => format!("{} did worse than {arm} {on} by {by} ({interval})", upper(who)),
        Outcome::Open => {
            let difference = unit.difference(gain);
            format!("Whether {who} beats {arm} {on} is open: the difference is {difference} ({interval})")
        }
    }
}

fn upper(who: &str) -> String {
    let (first, rest) = who.split_at(1);
    first.to_uppercase() + rest
}

/// What a thousand answers of both cost, as far as both were measured.
fn price(report: &Report, rival: &Rival) -> String {
    let (tuned, other) = (cost(report, &Arm::tuned()), cost(report, &rival.arm));
    let both = |of: fn(&Cost) -> Option<f64>| tuned.and_then(of).zip(other.and_then(of));
    let money = both(|cost| cost.money).map(|(a, b)| format!("cost {} instead of {}", plain(a), plain(b)));
    let time = both(|cost| cost.seconds).map(|(a, b)| format!("take {} instead of {}", duration(a), duration(b)));
    let parts: Vec<String> = money.into_iter().chain(time).collect();
    if !parts.is_empty() {
        return format!("a thousand answers {}", parts.join(" and "));
    }
    let silent = |cost: Option<&Cost>| cost.is_none_or(|cost| cost.money.is_none() && cost.seconds.is_none());
    let each = [(Arm::tuned(), tuned), (rival.arm.clone(), other)].into_iter();
    let unknown: Vec<Arm> = each.filter(|(_, cost)| silent(*cost)).map(|(arm, _)| arm).collect();
    let of = if unknown.is_empty() { "both in one unit".into() } else { arms::listed(&unknown) };
    format!("what answers of {of} cost was not measured")
}

/// After how many answers training has paid for itself.
fn payback(worth: &Worth, rival: &Rival) -> String {
    let enough = if rival.outcome == Outcome::Better { "" } else { "where that is good enough, " };
    let after = |spent: String, answers: f64| {
        format!("{enough}training{spent} has paid for itself after {} answers", count(answers as u64))
    };
    match rival.pays_after {
        PaysAfter::Money { answers } => after(
            worth.training_money.map_or(String::new(), |money| format!(", which cost {},", plain(money))),
            answers,
        ),
        PaysAfter::Seconds { answers } => {
            let took = worth.training_seconds.map(|seconds| format!(", which took {},", duration(seconds)));
            after(took.unwrap_or_default(), answers)
        }
        PaysAfter::Never => "training never pays for itself, as answers are no cheaper".into(),
        PaysAfter::Unknown if worth.training_seconds.is_none() => {
            "training was not done here, so after how many answers it pays for itself is unknown".into()
        }
        PaysAfter::Unknown => "after how many answers training pays for itself is unknown".into(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::render::fixture;
    use diapason_core::stats::Interval;

    #[test]
    fn the_sentences_of_four_arms() {
        insta::assert_snapshot!(sentences(&fixture::four_arms(20, 15)).join("\n"));
    }

    #[test]
    fn base_alone_is_no_question() {
        assert!(sentences(&fixture::report(20, 15)).is_empty());
    }

    /// Every outcome and every way to pay, or not to know it.
    #[test]
    fn what_is_not_shown_or_not_measured_is_said() {
        let mut report = fixture::four_arms(20, 15);
        let mut says = |change: &dyn Fn(&mut Report), wanted: &str| {
            change(&mut report);
            let sentence = sentences(&report).remove(1);
            assert!(sentence.contains(wanted), "{wanted} is not in {sentence}");
        };
        fn rival(report: &mut Report) -> &mut Rival {
            &mut report.worth.as_mut().unwrap().rivals[1]
        }
        says(
            &|it| rival(it).outcome = Outcome::Worse,
            "Fine-tuning did worse than few-shot on address accuracy.exact-match by",
        );
        says(
            &|it| rival(it).outcome = Outcome::Open,
            "Whether fine-tuning beats few-shot on address accuracy.exact-match is open",
        );
        says(
            &|it| rival(it).pays_after = PaysAfter::Seconds { answers: 4300.0 },
            "; where that is good enough, training, which took 7 min 12 s, has paid for itself after 4,300 answers.",
        );
        says(
            &|it| rival(it).pays_after = PaysAfter::Never,
            "; training never pays for itself, as answers are no cheaper.",
        );
        says(
            &|it| rival(it).pays_after = PaysAfter::Unknown,
            "; after how many answers training pays for itself is unknown.",
        );
        says(&|it| it.costs.clear(), "; what answers of tuned and few-shot cost was not measured;");
        says(
            &|it| it.worth.as_mut().unwrap().training_seconds = None,
            "; training was not done here, so after how many",
        );
        says(&|it| rival(it).interval = Interval::TooFew { n: 1 }, "(without an interval)");
        says(&|it| rival(it).gain = None, "Fine-tuning was not compared with few-shot on");
    }

    #[test]
    fn what_nobody_measured_is_no_zero() {
        let report = fixture::four_arms(20, 15);
        let rows = costs(&report);
        assert_eq!(rows.len(), 4);
        assert_eq!((rows[3].arm.as_str(), rows[3].seconds.as_str()), ("production", "–"));
        let served = costs(&fixture::served(4)).remove(1);
        assert_eq!((served.what.as_str(), served.money.as_str()), ("answers of yesterday.jsonl", "–"));
        let mut plain = fixture::report(4, 3);
        plain.costs.clear();
        assert!(costs(&plain).is_empty(), "base and tuned need no table of dashes");
    }
}
