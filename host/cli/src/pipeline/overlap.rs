//! Rows that stand in two datasets.

use super::split::Split;
use diapason_core::finding::{Finding, Severity};
use diapason_core::sample::{Message, Sample};
use std::collections::HashMap;

/// The rule that [`leaks`] finds broken: validate-leakage's.
pub(super) const LEAKED: &str = "leaked-prompt";

/// What a row asks, but for case and spacing: its turns without a system message, and its context.
pub(super) fn prompt(sample: &Sample) -> String {
    before(&sample.messages, sample)
}

fn before(messages: &[Message], sample: &Sample) -> String {
    let turns = messages.iter().filter(|message| message.role != "system");
    let turns = turns.map(|message| format!("{}\u{1f}{}", message.role, plain(&message.content)));
    turns.chain(sample.context.iter().map(|context| plain(context))).collect::<Vec<_>>().join("\u{1e}")
}

fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Rows of `suite` whose prompt is a training row's: found by the host itself, because a gate must not rest on them
/// whichever validators are configured.
pub(super) fn leaks(train: &Split, suite: &Split) -> Vec<Finding> {
    let learned =
        train.readable().flat_map(|(line, sample)| learned(sample).into_iter().map(move |prompt| (prompt, line)));
    // The first line of each; `rev`, because later entries replace earlier ones.
    let learned: HashMap<String, u32> = learned.collect::<Vec<_>>().into_iter().rev().collect();
    // A row that cannot be read is the validators' to report.
    let asked = |sample: &Sample| {
        let from = if suite.has_examples { sample.messages.len().saturating_sub(1) } else { 0 };
        Some(before(&sample.messages[from..], sample)).filter(|text| !text.trim().is_empty())
    };
    let found = suite.readable().filter_map(|(line, sample)| Some((line, *learned.get(&asked(sample)?)?)));
    found.map(|(line, first)| leak(&suite.name, line, first)).collect()
}

/// What a training row asks before each of its answers: all of them are learned.
fn learned(sample: &Sample) -> Vec<String> {
    let messages = sample.conversation();
    let answers = messages.iter().enumerate().filter(|(_, message)| message.role == "assistant");
    let asked = answers.map(|(index, _)| before(&messages[..index], sample));
    asked.chain([prompt(sample)]).filter(|text| !text.trim().is_empty()).collect()
}

fn leak(suite: &str, line: u32, first: u32) -> Finding {
    Finding {
        validator: "diapason".into(),
        severity: Severity::Error,
        rule: LEAKED.into(),
        split: suite.into(),
        line,
        path: String::new(),
        message: format!(
            "its prompt is in the training set, line {first}, so it cannot count as evidence for the gate"
        ),
        hint: format!("remove line {first} from the training set or this row from the suite"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diapason_project::dataset;

    fn split(name: &str, rows: &[&str]) -> Split {
        Split::of(name, dataset::rows(&rows.join("\n"), name, None), Vec::new())
    }

    #[test]
    fn the_same_prompt_in_another_shape_is_found() {
        let train = split("train", &[r#"{"prompt": "What is 2 + 3?", "completion": "5"}"#, "broken"]);
        let suite = split(
            "s",
            &[
                r#"{"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "what is  2 + 3?"}, {"role": "assistant", "content": "five"}]}"#,
                r#"{"prompt": "What is 2 - 3?", "completion": "-1"}"#,
                "broken",
            ],
        );
        let found = leaks(&train, &suite);
        assert_eq!(found.iter().map(|finding| finding.line).collect::<Vec<_>>(), [1], "{found:?}");
        assert!(found[0].message.contains("line 1"));
        let turns = split(
            "train",
            &[
                r#"{"messages": [{"role": "user", "content": "What is 2 - 3?"}, {"role": "assistant", "content": "-1"}, {"role": "user", "content": "Thanks"}, {"role": "assistant", "content": "ok"}]}"#,
            ],
        );
        let asked = r#"{"messages": [{"role": "user", "content": "Example"}, {"role": "assistant", "content": "x"}, {"role": "user", "content": "What is 2 + 3?"}]}"#;
        let task = Split { has_examples: true, ..split("s", &[asked]) };
        assert_eq!((leaks(&train, &task).len(), leaks(&train, &split("s", &[asked])).len()), (1, 0));
        let earlier: Vec<u32> = leaks(&turns, &suite).iter().map(|finding| finding.line).collect();
        assert_eq!(earlier, [2], "an answer before the last one is learned too");
    }
}
