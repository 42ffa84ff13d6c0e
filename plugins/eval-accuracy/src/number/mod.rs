//! Quantities as people write them: `1,234.5`, `-3e4`, `$20`, `12 %`, `3 km`, `1 1/2`, `7.9 × 10^-5`, `2 h 30 min`, `3:45 pm`.
//!
//! A text comes to one quantity or is refused with the reason. What counts of a longer text: what is boxed, or else
//! what follows the last mark of an answer (`####`, `answer is`), or else the last sentence that has a number; of an
//! equation, its right side. No part of a longer expression is ever taken for the whole.

mod clean;
mod expression;
mod lead;
mod numeral;
mod quantity;
mod segment;
mod unit;

pub use numeral::{Convention, DecimalSign};
pub use quantity::{Percent, Quantity, Tolerance};

/// The quantity that a text comes to; `None` if it has no number. An error says why it cannot be read as one quantity.
pub fn read(text: &str, convention: Convention) -> Result<Option<Quantity>, String> {
    let clean = clean::clean(text);
    let Some(segment) = segment::concluding(&clean) else {
        return match segment::number_word(&clean) {
            Some(word) => Err(format!("`{word}` is a number in words: only digits are read")),
            None => Ok(None),
        };
    };
    let found = expression::quantities(segment::right_side(segment)?, convention)?;
    let mut found = found.into_iter();
    let Some(first) = found.next() else { return Ok(None) };
    match found.find(|other| !other.is_same(&first)) {
        Some(other) => Err(format!("two quantities, {first} and {other}: which one is the answer?")),
        None => Ok(Some(first)),
    }
}

#[cfg(test)]
mod tests;
