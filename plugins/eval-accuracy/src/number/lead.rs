//! What stands before a numeral: signs, currencies, and words after which it is no answer.

use super::unit::{self, Unit};

/// What stands before a numeral and belongs to it.
pub(super) struct Lead {
    pub(super) negative: bool,
    pub(super) unit: Option<Unit>,
    /// After an opening parenthesis.
    pub(super) parenthesis: bool,
}

/// Reads backwards: signs, currencies, `minus`. `first` says that nothing of the text stands before `before`.
pub(super) fn lead(before: &str, first: bool) -> Result<Lead, String> {
    let mut lead = Lead { negative: false, unit: None, parenthesis: false };
    let mut rest = before;
    loop {
        let trimmed = rest.trim_end();
        let Some(last) = trimmed.chars().next_back() else { return Ok(lead) };
        let shorter = &trimmed[..trimmed.len() - last.len_utf8()];
        match last {
            '-' if lead.negative => return Err("two minus signs".to_owned()),
            '-' if trimmed.len() < rest.len() && lead.unit.is_none() => {
                return Err("`-` and a space: a minus sign or a mark of a list?".to_owned());
            }
            '-' => lead.negative = true,
            '$' | '€' | '£' | '¥' | '₹' if lead.unit.is_none() => {
                lead.unit = unit::named(last.encode_utf8(&mut [0; 4]))
            }
            '(' if !lead.parenthesis => lead.parenthesis = true,
            '{' => {}
            '*' | '+' if shorter.trim().is_empty() && first => return Ok(lead),
            '<' | '>' | '≤' | '≥' => return Err(format!("`{last}`: an inequality")),
            '±' | '√' | '/' | '×' | '÷' | '*' | '+' | '^' => {
                return Err(format!("`{last}` before a number: part of an expression"));
            }
            _ => return word_before(trimmed, lead),
        }
        rest = shorter;
    }
}

fn word_before(text: &str, mut lead: Lead) -> Result<Lead, String> {
    let word = text.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    if let Some(not) = denied(text) {
        return Err(format!("`{not}` before a number: it says what the answer is not"));
    }
    match word.to_lowercase().as_str() {
        "than" | "least" | "most" | "over" | "under" | "above" | "below" | "exceeds" => {
            return Err(format!("`{word}`: an inequality"));
        }
        "to" if text.to_lowercase().ends_with("up to") => return Err("`up to`: an inequality".to_owned()),
        "minus" | "negative" => lead.negative = true,
        "usd" | "eur" | "gbp" | "jpy" | "inr" if lead.unit.is_none() => lead.unit = unit::named(word),
        _ => {}
    }
    Ok(lead)
}

/// The word by which a text denies what follows it: `not`, `isn't`, `not equal to`.
fn denied(text: &str) -> Option<&str> {
    const BETWEEN: [&str; 7] = ["equal", "to", "exactly", "just", "quite", "really", "simply"];
    let mut words = text.split_whitespace().rev();
    let word = words.find(|word| !BETWEEN.contains(&word.to_lowercase().as_str()))?;
    let lower = word.to_lowercase().replace('’', "'");
    (matches!(lower.as_str(), "not" | "never" | "cannot") || lower.ends_with("n't")).then_some(word)
}
