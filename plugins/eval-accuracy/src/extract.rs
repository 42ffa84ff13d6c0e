//! Taking the answer out of a longer response by pattern, strictly and flexibly.

use crate::number::{self, Convention, DecimalSign, Percent, Quantity, Tolerance};
use crate::text;
use diapason_plugin::Result;
use regex_lite::Regex;

/// The two patterns, compiled.
pub struct Extraction {
    strict: Regex,
    flexible: Regex,
    tolerance: Tolerance,
    convention: Convention,
}

impl Extraction {
    /// Compiles the patterns. An error names the one that is no regular expression.
    pub fn new(strict: &str, flexible: &str, tolerance: Tolerance, convention: Convention) -> Result<Self> {
        Ok(Self { strict: compile("strict", strict)?, flexible: compile("flexible", flexible)?, tolerance, convention })
    }

    /// What the strict pattern finds first. Nothing found is a wrong answer: the format was part of the task.
    pub fn strictly<'a>(&self, answer: &'a str) -> Option<&'a str> {
        group(self.strict.captures(answer)?)
    }

    /// What the flexible pattern finds last: where a response that reasons first ends up.
    pub fn flexibly<'a>(&self, answer: &'a str) -> Option<&'a str> {
        group(self.flexible.captures_iter(answer).last()?)
    }

    /// Whether what was found is the reference, or what the strict pattern finds in the reference if it finds anything.
    pub fn agrees(&self, found: Option<&str>, reference: &str) -> bool {
        let expected = self.strictly(reference).unwrap_or(reference);
        found.is_some_and(|found| self.same(found, expected))
    }

    fn same(&self, found: &str, expected: &str) -> bool {
        match (self.bare_number(found), self.bare_number(expected)) {
            (Some(found), Some(expected)) => {
                found.agrees(&expected, self.tolerance, Percent::AsWritten).unwrap_or(false)
            }
            _ => text::normalised(found, expected),
        }
    }

    /// The text as a number, if there is nothing else in it.
    fn bare_number(&self, text: &str) -> Option<Quantity> {
        let numeric = |character: char| character.is_ascii_digit() || " $€£%,.+-−eE".contains(character);
        let text = text.trim_end_matches(['.', ',', ' ']);
        if text.chars().all(numeric) { number::read(text, self.convention).ok().flatten() } else { None }
    }
}

fn compile(name: &str, pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|cause| format!("setting `{name}` is not a regular expression: {cause}"))
}

/// The first group that took part in the match, or the whole match of a pattern without groups.
fn group(found: regex_lite::Captures<'_>) -> Option<&str> {
    let group = (1..found.len()).find_map(|index| found.get(index)).or_else(|| found.get(0))?;
    Some(group.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn gsm8k() -> Extraction {
        let exact = Tolerance { relative: Some(0.0), absolute: 0.0 };
        Extraction::new(
            r"#### (-?[0-9.,]+)",
            r"(-?[$0-9.,]{2,})|(-?[0-9]+)",
            exact,
            Convention { decimal_sign: DecimalSign::Point },
        )
        .unwrap()
    }

    #[test]
    fn both_patterns_on_one_response() {
        let extraction = gsm8k();
        let answer = "She sells 9 eggs, so 9 * 2 = 18\n#### 18";
        assert_eq!(extraction.strictly(answer), Some("18"));
        assert_eq!(extraction.flexibly(answer), Some("18"));
        assert!(extraction.agrees(extraction.strictly(answer), "9 * 2 = 18\n#### 18"));
        assert_eq!(extraction.strictly("The answer is 18"), None);
        assert!(extraction.agrees(extraction.flexibly("The answer is $1,018."), "1018"));
    }

    #[test]
    fn nothing_found_agrees_with_nothing() {
        assert!(!gsm8k().agrees(None, ""));
    }

    #[test]
    fn bad_patterns_are_named() {
        let tolerance = Tolerance { relative: Some(0.0), absolute: 0.0 };
        let Err(error) = Extraction::new("(", "x", tolerance, Convention { decimal_sign: DecimalSign::Point }) else {
            panic!("accepted")
        };
        assert!(error.contains("`strict`"), "{error}");
    }
}
