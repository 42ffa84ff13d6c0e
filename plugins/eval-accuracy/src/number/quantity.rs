//! A quantity and how two of them compare.

use super::unit::Unit;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt;

/// How far two numbers may be apart.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// As a share of the expected number. Without one, whole numbers must be equal and others may be a millionth apart.
    pub relative: Option<f64>,
    /// In the expected number's own unit.
    pub absolute: f64,
}

/// What a percentage means beside a number without a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Percent {
    /// `50%` is 50. A sample where it would be right only as 0.5 is unscored.
    #[default]
    AsWritten,
    /// `50%` is 0.5.
    Share,
}

/// A number and the unit written beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// The number as written, before any conversion.
    pub value: f64,
    /// Its unit, if there is a known one.
    pub unit: Option<Unit>,
    /// The digits of a whole number that is written out: `value` holds no more than sixteen of them.
    pub digits: Option<String>,
}

impl Quantity {
    /// Whether this answer is the expected quantity. Units are converted where both have one of the same dimension; units of
    /// different dimensions never agree; a missing unit agrees with any. An error says why nobody can tell.
    pub fn agrees(&self, expected: &Self, tolerance: Tolerance, percent: Percent) -> Result<bool, String> {
        let near = |value: f64| {
            let converted = value != self.value;
            near(value, expected.value, tolerance) && (converted || tolerance.is_any() || self.has_digits_of(expected))
        };
        match (&self.unit, &expected.unit) {
            (Some(given), Some(wanted)) => match given.in_terms_of(wanted) {
                Some(scale) => Ok(near(self.value * scale)),
                // Conversions of whole degrees are seldom whole.
                None if given.degrees(self.value, wanted).is_some_and(near) => Ok(true),
                None if given.clashes(wanted) => {
                    Err(format!("{self} against {expected}: a time of day or a duration?"))
                }
                None => Ok(false),
            },
            (Some(one), None) | (None, Some(one)) if one.is_clock() => {
                Err(format!("{self} against {expected}: a time of day against a number"))
            }
            (Some(one), None) if one.is_percent() => {
                self.as_share(near(self.value / 100.0), near(self.value), expected, percent)
            }
            (None, Some(one)) if one.is_percent() => {
                self.as_share(near(self.value * 100.0), near(self.value), expected, percent)
            }
            _ => Ok(near(self.value)),
        }
    }

    /// Whether not both are written out, or both with the same digits.
    fn has_digits_of(&self, other: &Self) -> bool {
        self.digits.as_ref().zip(other.digits.as_ref()).is_none_or(|(own, others)| own == others)
    }

    fn as_share(&self, share: bool, written: bool, expected: &Self, percent: Percent) -> Result<bool, String> {
        match (percent, share, written) {
            (Percent::Share, share, _) => Ok(share),
            (Percent::AsWritten, true, false) => {
                Err(format!("{self} against {expected}: right if the setting `percent` were `share`"))
            }
            (Percent::AsWritten, _, written) => Ok(written),
        }
    }

    /// Whether two readings of one text are the same quantity: same value, same unit or only one of them.
    pub fn is_same(&self, other: &Self) -> bool {
        let exact = Tolerance { relative: Some(0.0), absolute: 0.0 };
        self.agrees(other, exact, Percent::AsWritten).unwrap_or(false)
    }
}

impl Tolerance {
    /// Whether numbers may differ at all.
    fn is_any(self) -> bool {
        self.absolute > 0.0 || self.relative.is_some_and(|relative| relative > 0.0)
    }
}

/// Whole numbers up to this are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn near(value: f64, expected: f64, tolerance: Tolerance) -> bool {
    let whole = value.fract() == 0.0 && expected.fract() == 0.0;
    // Room for the rounding of conversions and of fractions.
    let rounding = if whole && expected.abs() < EXACT { 0.0 } else { 1e-12 * expected.abs() };
    let relative = tolerance.relative.unwrap_or(if whole { 0.0 } else { 1e-6 });
    let allowed = tolerance.absolute.max(relative * expected.abs()).max(rounding);
    (value - expected).abs() <= allowed
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            Some(unit) => write!(formatter, "{} {unit}", self.value),
            None => write!(formatter, "{}", self.value),
        }
    }
}
