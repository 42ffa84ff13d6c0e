//! The table of a plugin's README, and the same as JSON.

use super::expectation::Expected;
use super::{Count, Row};
use diapason_core::escape::line;
use diapason_core::stats::proportion::wilson;
use diapason_sandbox::Plugin;
use serde_json::{Value, json};

/// Left out on each side of an interval of 95 %.
const TAIL: f64 = 0.025;

/// A Markdown table with a line under it. Ends with a line break.
pub(super) fn markdown(plugin: &Plugin, rows: &[Row]) -> String {
    let mut text = String::from(
        "| measure | right answers | faults seen | sensitivity (95 %) | harmless changes kept | specificity (95 %) | missed or mistaken |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let (faults, harmless) = (row.total(Expected::Fault), row.total(Expected::Harmless));
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} of {} | {} | {} |\n",
            line(&row.measure),
            row.right,
            seen(&faults),
            rate(faults.lower + faults.unscored, faults.planted),
            harmless.kept,
            harmless.planted,
            rate(harmless.kept, harmless.planted),
            failures(row)
        ));
    }
    text.push_str(&format!("\n{} {}\n", line(plugin.id()), line(plugin.version())));
    text
}

fn seen(faults: &Count) -> String {
    let seen = faults.lower + faults.unscored;
    match faults.unscored {
        0 => format!("{seen} of {}", faults.planted),
        unscored => format!("{seen} of {} ({unscored} unscored)", faults.planted),
    }
}

/// A share in percent with Wilson's interval.
fn rate(count: usize, of: usize) -> String {
    if of == 0 {
        return "none planted".to_owned();
    }
    let (low, high) = wilson(count as f64, of as f64, TAIL);
    let share = 100.0 * count as f64 / of as f64;
    format!("{share:.1} % ({:.1} to {:.1})", 100.0 * low, 100.0 * high)
}

/// The changes of which some went wrong, with their counts.
fn failures(row: &Row) -> String {
    let failed = |(expected, name, count): &(Expected, &str, Count)| {
        let failed = match expected {
            Expected::Fault => count.kept,
            Expected::Harmless => count.planted - count.kept,
        };
        (failed > 0).then(|| format!("{name} {failed}/{}", count.planted))
    };
    let list = row.counts.iter().filter_map(failed).collect::<Vec<_>>().join(", ");
    if list.is_empty() { "none".to_owned() } else { list }
}

/// Every count, by measure and change.
pub(super) fn document(plugin: &Plugin, rows: &[Row]) -> Value {
    let change = |(expected, name, count): &(Expected, &str, Count)| {
        json!({
            "change": name,
            "expected": if *expected == Expected::Fault { "fault" } else { "harmless" },
            "planted": count.planted, "lower": count.lower, "unscored": count.unscored, "kept": count.kept,
        })
    };
    let row = |row: &Row| {
        let (faults, harmless) = (row.total(Expected::Fault), row.total(Expected::Harmless));
        json!({
            "measure": row.measure,
            "right": row.right,
            "sensitivity": share(faults.lower + faults.unscored, faults.planted),
            "specificity": share(harmless.kept, harmless.planted),
            "changes": row.counts.iter().map(change).collect::<Vec<_>>(),
        })
    };
    let rows: Vec<Value> = rows.iter().map(row).collect();
    json!({"plugin": plugin.id(), "version": plugin.version(), "measures": rows})
}

fn share(count: usize, of: usize) -> Value {
    if of == 0 {
        return Value::Null;
    }
    let (low, high) = wilson(count as f64, of as f64, TAIL);
    json!({"value": count as f64 / of as f64, "low": low, "high": high, "of": of})
}

impl Row {
    fn total(&self, expected: Expected) -> Count {
        let counts = self.counts.iter().filter(|(known, ..)| *known == expected);
        counts.fold(Count::default(), |sum, (_, _, count)| Count {
            planted: sum.planted + count.planted,
            lower: sum.lower + count.lower,
            unscored: sum.unscored + count.unscored,
            kept: sum.kept + count.kept,
        })
    }
}
