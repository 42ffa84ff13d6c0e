//! Changes to the candidate's side of a pair, for comparators.

use super::expectation::Expected;
use super::{Case, Failure, Judged, Verdict, right, verdict};
use crate::command::plugin::execute;
use diapason_core::language_model::Completion;
use diapason_core::score::{Pair, Side};
use diapason_sandbox::{Comparator, Grants, Plugin};

/// The changes' names.
pub(super) const NAMES: [&str; 4] = ["measure lowered", "answer swapped", "measure the same", "other reasoning"];

type Change = (&'static str, Expected, fn(&Side) -> Side);

const CHANGES: [Change; 4] = [
    (NAMES[0], Expected::Fault, lowered),
    (NAMES[1], Expected::Fault, swapped),
    (NAMES[2], Expected::Harmless, Side::clone),
    (NAMES[3], Expected::Harmless, reasoned),
];

/// The measures that a change is about; no other measure is asked.
fn concerns(change: &str, measure: &str) -> bool {
    match change {
        "measure lowered" => matches!(measure, "harmful-flip"),
        "answer swapped" => measure == "changed",
        _ => true,
    }
}

/// Judges pairs whose sides are equal, as they are and with the changes.
pub(super) fn comparator(plugin: &Plugin, case: &Case) -> Result<Vec<Judged>, Failure> {
    let pairs = execute::pairs(case)?;
    let mut comparator = Comparator::new(plugin, &case.settings, &Grants::default())?;
    let measures = comparator.describe()?;
    let before = comparator.compare(&pairs)?;
    let mut judged = Vec::new();
    for (pair, before) in pairs.iter().zip(&before).filter(|(pair, _)| pair.reference == pair.candidate) {
        for measure in &measures {
            let Some(best) = right(measure, before) else { continue };
            judged.push(Judged { measure: measure.name.clone(), first: true, change: None });
            for (name, expected, change) in CHANGES.iter().filter(|(name, ..)| concerns(name, &measure.name)) {
                let changed = Pair { candidate: change(&pair.candidate), ..pair.clone() };
                let after = comparator.compare(&[changed])?;
                let verdict = after.first().map_or(Verdict::Unscored, |after| verdict(measure, best, after));
                let change = Some((*expected, *name, verdict));
                judged.push(Judged { measure: measure.name.clone(), first: false, change });
            }
        }
    }
    Ok(judged)
}

/// Every measure 0, as after a fall.
fn lowered(side: &Side) -> Side {
    let measures = side.measures.iter().cloned().map(|mut measure| {
        measure.value = 0.0;
        measure
    });
    Side { measures: measures.collect(), ..side.clone() }
}

fn with_texts(side: &Side, change: impl Fn(&str) -> String) -> Side {
    let change = |completion: &Completion| Completion { text: change(&completion.text), ..completion.clone() };
    Side { completions: side.completions.iter().map(change).collect(), ..side.clone() }
}

fn swapped(side: &Side) -> Side {
    with_texts(side, |text| format!("{text} Nairobi"))
}

fn reasoned(side: &Side) -> Side {
    with_texts(side, |text| format!("<think>Let me see.</think>\n{text}"))
}
