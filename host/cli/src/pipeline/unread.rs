//! Rows that the reader refuses or that cannot serve their purpose: found by the host itself, whichever validators are
//! configured, so that nothing stops `train` or `eval` that `validate` did not say.

use super::validate::Split;
use super::{suite, tokens};
use diapason_core::finding::{Finding, Row, Severity};
use diapason_project::dataset::{self, Fault};

/// What is wrong with a dataset's rows, one finding each.
pub(super) fn findings(split: &Split) -> Vec<Finding> {
    split.rows.iter().filter_map(|row| fault(row).map(|fault| finding(split, row.line, fault))).collect()
}

fn fault(row: &Row) -> Option<Fault> {
    let sample = match dataset::sample(row) {
        Ok(sample) => sample,
        Err(faults) => return faults.into_iter().next(),
    };
    if row.split == "train" {
        return tokens::untaught(&sample)
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
