//! How well the signals separate HaluEval's hallucinated answers from its right ones (Li et al., 2023). The rows are
//! not in the tree: `DIAPASON_HALUEVAL=qa.jsonl cargo test -p eval-hallucination halueval -- --nocapture`.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use crate::support::Context;
use serde_json::Value;

/// Answers with unsupported numbers, entities, quotes, and any of them.
fn flagged(rows: &[Value], key: &str) -> [usize; 4] {
    let mut counts = [0; 4];
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap();
        let context = Context::new(&format!("{}\n{}", text("knowledge"), text("question")));
        let answer = text(key);
        let signals = [
            context.unsupported_numbers(answer),
            context.unsupported_entities(answer),
            context.unsupported_quotes(answer),
        ];
        let found = signals.map(|found| !found.is_empty());
        for (count, found) in counts.iter_mut().zip(found.into_iter().chain([found.contains(&true)])) {
            *count += usize::from(found);
        }
    }
    counts
}

#[test]
fn halueval_detection_and_false_alarms() {
    let Some(path) = std::env::var_os("DIAPASON_HALUEVAL") else {
        eprintln!("skipped: DIAPASON_HALUEVAL is not set");
        return;
    };
    let file = std::fs::read_to_string(path).unwrap();
    let rows: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (detected, alarms) = (flagged(&rows, "hallucinated_answer"), flagged(&rows, "right_answer"));
    eprintln!("rows: {}; numbers, entities, quotes, any", rows.len());
    eprintln!("detected on hallucinated answers: {detected:?}\nfalse alarms on right answers: {alarms:?}");
    // Most of these inventions stay within the context's own names, which no look-up can see: the signals must be precise and
    // better than nothing, not complete.
    assert!(detected[3] * 100 >= rows.len() * 25, "detection fell below 25 %");
    assert!(alarms[3] * 100 <= rows.len() * 10, "false alarms rose above 10 %");
}
