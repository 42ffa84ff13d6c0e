//! What a change means to a measure.

/// What a measure has to make of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expected {
    /// The answer is wrong now.
    Fault,
    /// The answer is as right as before.
    Harmless,
}

/// Measures, the changes that are faults to them, and those that are harmless.
type Entry = (&'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// A document that says the same, where a reader finds it.
const REWRITTEN: &[&str] = &[
    "white space",
    "reasoning before it",
    "sentences around it",
    "JSON fenced",
    "JSON after a citation",
    "JSON after a placeholder",
    "JSON indented",
    "JSON keys reordered",
];

pub(super) const ENTRIES: [Entry; 16] = [
    (
        &["exact-match", "any-exact"],
        &[
            "digit changed",
            "digit added",
            "sign turned",
            "unit swapped",
            "name swapped",
            "word swapped",
            "negated",
            "cut off",
            "emptied",
            "refused",
            "cut off in its reasoning",
            "sentences around it",
            "letter case",
        ],
        &["white space", "reasoning before it"],
    ),
    (
        &["normalised-match", "token-f1"],
        &[
            "digit changed",
            "digit added",
            "unit swapped",
            "name swapped",
            "word swapped",
            "negated",
            "cut off",
            "emptied",
            "refused",
            "cut off in its reasoning",
            "sentences around it",
        ],
        &["white space", "reasoning before it", "letter case", "full stop", "article"],
    ),
    (
        &["numeric"],
        &[
            "digit changed",
            "digit added",
            "sign turned",
            "expression",
            "unit swapped",
            "emptied",
            "refused",
            "cut off in its reasoning",
        ],
        &["white space", "reasoning before it", "sentences around it", "full stop", "digits grouped"],
    ),
    (
        &["extract-strict"],
        &["digit changed", "digit added", "sign turned", "emptied", "refused", "cut off in its reasoning"],
        &["white space", "reasoning before it", "sentences around it"],
    ),
    (
        &["extract-flexible"],
        &["digit changed", "digit added", "sign turned", "emptied", "refused", "cut off in its reasoning"],
        &["white space", "reasoning before it", "sentences around it", "full stop"],
    ),
    (
        &["field-accuracy", "json-exact"],
        &[
            "JSON value changed",
            "JSON type changed",
            "JSON key left out",
            "JSON key invented",
            "JSON cut off",
            "JSON comma too many",
            "JSON in single quotes",
            "JSON superseded",
            "emptied",
            "refused",
            "cut off in its reasoning",
        ],
        REWRITTEN,
    ),
    (&["choice", "choice-per-byte", "choice-per-token"], &["likelihoods swapped"], &["likelihoods doubled"]),
    (
        &["json-valid"],
        &[
            "JSON cut off",
            "JSON comma too many",
            "JSON in single quotes",
            "emptied",
            "refused",
            "cut off in its reasoning",
        ],
        &[
            "white space",
            "reasoning before it",
            "sentences around it",
            "JSON fenced",
            "JSON after a citation",
            "JSON after a placeholder",
            "JSON indented",
            "JSON keys reordered",
            "JSON value changed",
        ],
    ),
    (
        &["schema-valid"],
        &[
            "JSON type changed",
            "JSON key left out",
            "JSON cut off",
            "JSON comma too many",
            "JSON in single quotes",
            "emptied",
            "refused",
            "cut off in its reasoning",
        ],
        REWRITTEN,
    ),
    (
        &["json-only"],
        &[
            "JSON cut off",
            "JSON comma too many",
            "JSON in single quotes",
            "JSON fenced",
            "JSON after a citation",
            "sentences around it",
            "emptied",
            "refused",
            "cut off in its reasoning",
        ],
        &["white space", "reasoning before it", "JSON indented", "JSON keys reordered", "JSON value changed"],
    ),
    (
        &["pattern", "length"],
        &["emptied", "repeated 20 times", "cut off in its reasoning"],
        &["white space", "reasoning before it"],
    ),
    (
        &["unsupported-numbers"],
        &["digit changed", "digit added"],
        &["white space", "reasoning before it", "full stop", "digits grouped"],
    ),
    (&["unsupported-entities"], &["name swapped"], &["white space", "reasoning before it", "full stop"]),
    (&["unsupported-quotes"], &["quotation changed"], &["white space", "reasoning before it", "full stop"]),
    (
        &["hallucinated"],
        &["digit changed", "digit added", "name swapped", "quotation changed", "word swapped", "negated"],
        &["white space", "reasoning before it", "full stop", "digits grouped"],
    ),
    (
        &["answered", "abstained-correctly"],
        &["emptied", "refused", "cut off in its reasoning"],
        &["white space", "reasoning before it", "full stop", "sentences around it"],
    ),
];

/// What any other measure has to make of a change: what is wrong whatever is asked, and what never matters.
pub(super) const OTHERS: (&[&str], &[&str]) = (
    &[
        "digit changed",
        "digit added",
        "name swapped",
        "negated",
        "cut off",
        "emptied",
        "refused",
        "cut off in its reasoning",
    ],
    &["white space", "reasoning before it"],
);

/// Measures of which nothing is expected: they sum up others.
const SUMS: [&str; 1] = ["valid"];

/// What `measure` has to make of the change of this name; `None` where the change is none of its business.
pub(super) fn of(measure: &str, mutation: &str) -> Option<Expected> {
    let known = ENTRIES.iter().find(|(measures, ..)| measures.contains(&measure));
    let (faults, harmless) = match known {
        Some((_, faults, harmless)) => (*faults, *harmless),
        None if SUMS.contains(&measure) => return None,
        None => OTHERS,
    };
    match (faults.contains(&mutation), harmless.contains(&mutation)) {
        (true, _) => Some(Expected::Fault),
        (false, true) => Some(Expected::Harmless),
        (false, false) => None,
    }
}
