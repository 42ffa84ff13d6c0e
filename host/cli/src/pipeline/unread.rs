//! Rows that the reader refuses or that cannot serve their purpose: found by the host itself, whichever validators are
//! configured, so that nothing stops `train` or `eval` that `validate` did not say.

use super::split::Split;
use super::{suite, tokens};
use diapason_core::finding::{Finding, Row, Severity};
use diapason_core::sample::Sample;
use diapason_project::dataset::Fault;
use std::collections::HashMap;

/// What is wrong with a dataset's rows, one finding each.
pub(super) fn findings(split: &Split) -> Vec<Finding> {
    let mut seen = HashMap::new();
    let rows = split.rows.iter().zip(&split.samples);
    let fault = |(row, read): (&Row, &Result<Sample, Fault>)| {
        let twice = read.as_ref().ok().and_then(|sample| twice(&mut seen, sample, row.line));
        fault(row, read).or(twice).map(|fault| finding(split, row.line, fault))
    };
    rows.filter_map(fault).collect()
}

/// Why a row may not have its id, which is an earlier one's; a row without one goes by its line.
fn twice(seen: &mut HashMap<String, u32>, sample: &Sample, line: u32) -> Option<Fault> {
    let first = *seen.entry(sample.id.clone()).or_insert(line);
    (first != line).then(|| Fault::duplicate(line, &sample.id, first))
}

fn fault(row: &Row, read: &Result<Sample, Fault>) -> Option<Fault> {
    let sample = match read {
        Ok(sample) => sample,
        Err(fault) => return Some(fault.clone()),
    };
    if row.split == "train" {
        return tokens::untaught(sample)
            .map(|(message, hint)| Fault::of_row("no-answer", format!("it {message}"), hint));
    }
    let unlearned = sample.has_unlearned_reference();
    unlearned.then(|| Fault::of_row("no-answer", suite::UNLEARNED.into(), suite::UNLEARNED_HINT))
}

fn finding(split: &Split, line: u32, fault: Fault) -> Finding {
    let message = match fault.column {
        Some(column) => format!("{} at column {column}", fault.message),
        None => fault.message,
    };
    Finding {
        validator: "diapason".into(),
        severity: Severity::Error,
        rule: fault.rule.into(),
        split: split.name.clone(),
        line,
        path: fault.path,
        message,
        hint: fault.hint,
    }
}
