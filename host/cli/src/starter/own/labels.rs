//! Labels: the few answers that a classification chooses from.

use diapason_core::sample::Sample;
use std::collections::BTreeMap;

/// More than these are no labels, as `validate-balance` sees it; nor are longer ones, in words.
const MOST: usize = 50;
const LONGEST: usize = 3;

/// Each label with how many rows have it.
pub(super) fn of<'a>(samples: impl Iterator<Item = &'a Sample>) -> BTreeMap<String, usize> {
    let mut labels = BTreeMap::new();
    for sample in samples {
        for answer in sample.reference.iter().chain(&sample.alternatives) {
            *labels.entry(answer.trim().to_owned()).or_default() += 1;
        }
    }
    labels
}

/// Why these are no labels, and what to do about it.
pub(super) fn problem(labels: &BTreeMap<String, usize>) -> Option<(String, &'static str)> {
    if let Some(label) = labels.keys().find(|label| label.split_whitespace().count() > LONGEST) {
        return Some((format!("`{label}` is too long for a label: it has more than {LONGEST} words"), OTHER));
    }
    if labels.len() > MOST {
        return Some((format!("there are {} different answers, more than {MOST} labels", labels.len()), OTHER));
    }
    if let Some((one, other)) = mixed(labels) {
        let (times, others) = (labels[one], labels[other]);
        let message =
            format!("the labels `{one}` ({times} rows) and `{other}` ({others}) differ in their spelling only");
        return Some((message, "write them the same way: one of the two would always count as wrong"));
    }
    let (label, _) = labels.iter().find(|(_, count)| **count == 1)?;
    let hint = "give it more rows or remove its row: a label cannot be learned and tested by one row";
    Some((format!("only one row has the label `{label}`"), hint))
}

const OTHER: &str = "choose `--task short-answer` or `--task generation`";

/// Two labels that are the same but for case, punctuation and spacing.
fn mixed(labels: &BTreeMap<String, usize>) -> Option<(&str, &str)> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    labels.keys().find_map(|label| seen.insert(plain(label), label).map(|other| (other, label.as_str())))
}

/// Letters and digits in lower case; a label without any, such as `+`, is itself.
fn plain(label: &str) -> String {
    let plain: String = label.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if plain.is_empty() { label.to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(labels: &[(&str, usize)]) -> String {
        let labels = labels.iter().map(|(label, count)| ((*label).to_owned(), *count)).collect();
        problem(&labels).map_or_else(String::new, |(message, _)| message)
    }

    #[test]
    fn labels_are_few_short_and_spelt_in_one_way() {
        assert_eq!(said(&[("yes", 9), ("no", 9), ("+", 2), ("-", 2)]), "");
        assert!(said(&[("Yes", 9), ("yes.", 2)]).starts_with("the labels `Yes` (9 rows) and `yes.` (2) differ"));
        assert!(said(&[("a", 9), ("b", 1)]).starts_with("only one row has the label `b`"));
        assert!(said(&[("a b c d", 9)]).contains("too long"));
        let many: Vec<String> = (0..51).map(|at| at.to_string()).collect();
        assert!(said(&many.iter().map(|label| (label.as_str(), 2)).collect::<Vec<_>>()).contains("51 different"));
    }
}
