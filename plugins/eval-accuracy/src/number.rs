//! Comparing numbers as people write them: `1,234.5`, `-3e4`, `$20`, `12 %`, `3 km`.

/// How far two numbers may be apart.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// As a share of the expected number.
    pub relative: f64,
    /// In the expected number's own unit.
    pub absolute: f64,
}

/// A number and the unit written beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// The number as written, before any conversion.
    pub value: f64,
    /// One of [`UNITS`], if there is a known one.
    unit: Option<&'static Unit>,
}

/// Dimension, names and the size in the dimension's own unit.
type Unit = (&'static str, &'static [&'static str], f64);

const UNITS: [Unit; 22] = [
    ("length", &["mm", "millimeter", "millimeters", "millimetre", "millimetres"], 1e-3),
    ("length", &["cm", "centimeter", "centimeters", "centimetre", "centimetres"], 1e-2),
    ("length", &["m", "meter", "meters", "metre", "metres"], 1.0),
    ("length", &["km", "kilometer", "kilometers", "kilometre", "kilometres"], 1e3),
    ("length", &["in", "inch", "inches"], 0.0254),
    ("length", &["ft", "foot", "feet"], 0.3048),
    ("length", &["mi", "mile", "miles"], 1609.344),
    ("mass", &["mg", "milligram", "milligrams"], 1e-6),
    ("mass", &["g", "gram", "grams"], 1e-3),
    ("mass", &["kg", "kilogram", "kilograms"], 1.0),
    ("mass", &["lb", "lbs", "pound", "pounds"], 0.453_592_37),
    ("time", &["ms", "millisecond", "milliseconds"], 1e-3),
    ("time", &["s", "sec", "second", "seconds"], 1.0),
    ("time", &["min", "minute", "minutes"], 60.0),
    ("time", &["h", "hr", "hour", "hours"], 3600.0),
    ("time", &["day", "days"], 86400.0),
    ("volume", &["ml", "milliliter", "milliliters"], 1e-3),
    ("volume", &["l", "liter", "liters", "litre", "litres"], 1.0),
    ("share", &["%", "percent"], 1e-2),
    ("dollar", &["$", "usd", "dollar", "dollars"], 1.0),
    ("euro", &["€", "eur", "euro", "euros"], 1.0),
    ("sterling", &["£", "gbp"], 1.0),
];

impl Quantity {
    /// The last number in a text, where an answer that reasons first ends up; `None` without any.
    pub fn last_in(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut last = None;
        while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
            let length = numeral_length(&rest[start..]);
            let before = &text[..text.len() - rest.len() + start];
            last = read(before, &rest[start..start + length], &rest[start + length..]).or(last);
            rest = &rest[start + length..];
        }
        last
    }

    /// Whether this answer is the expected quantity. Units are converted where both have one of the same dimension; units of
    /// different dimensions never agree; a missing unit agrees with any.
    pub fn agrees(&self, expected: &Self, tolerance: Tolerance) -> bool {
        let scale = match (self.unit, expected.unit) {
            (Some(given), Some(wanted)) if given.0 != wanted.0 => return false,
            (Some(given), Some(wanted)) => given.2 / wanted.2,
            _ => 1.0,
        };
        // Room for the rounding of the conversion itself.
        let rounding = 1e-12 * expected.value.abs();
        let allowed = tolerance.absolute.max(tolerance.relative * expected.value.abs()).max(rounding);
        (self.value * scale - expected.value).abs() <= allowed
    }
}

/// Bytes of the numeral that a text starts with: digits in groups, a fraction, an exponent.
fn numeral_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = digits(0);
    while end <= 3 || bytes[..end].contains(&b',') {
        let separated = bytes.get(end) == Some(&b',') && digits(end + 1) == 3;
        if !separated {
            break;
        }
        end += 4;
    }
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    end + exponent_length(&bytes[end..])
}

fn exponent_length(bytes: &[u8]) -> usize {
    if !matches!(bytes.first(), Some(b'e' | b'E')) {
        return 0;
    }
    let sign = usize::from(matches!(bytes.get(1), Some(b'+' | b'-')));
    let digits = bytes[1 + sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 { 0 } else { 1 + sign + digits }
}

fn read(before: &str, numeral: &str, after: &str) -> Option<Quantity> {
    let (before, fraction) = match before.strip_suffix('.') {
        Some(shorter) if !shorter.ends_with(|c: char| c.is_alphanumeric()) => (shorter, "0."),
        _ => (before, ""),
    };
    let magnitude: f64 = format!("{fraction}{}", numeral.replace(',', "")).parse().ok()?;
    let (before, currency) = match before.chars().next_back() {
        Some(sign @ ('$' | '€' | '£')) => {
            (&before[..before.len() - sign.len_utf8()], unit(sign.encode_utf8(&mut [0; 4])))
        }
        _ => (before, None),
    };
    let value = if is_negative(before) { -magnitude } else { magnitude };
    value.is_finite().then(|| Quantity { value, unit: currency.or_else(|| unit(first_word(after))) })
}

/// A minus sign belongs to the number unless it joins it to what stands before, as in `10-12`.
fn is_negative(before: &str) -> bool {
    let Some(rest) = before.strip_suffix(['-', '−']) else { return false };
    !rest.ends_with(|character: char| character.is_alphanumeric() || character == ')')
}

fn first_word(after: &str) -> &str {
    let after = after.strip_prefix(' ').unwrap_or(after);
    if let Some(sign @ ('%' | '€' | '$' | '£')) = after.chars().next() {
        return &after[..sign.len_utf8()];
    }
    let end = after.find(|character: char| !character.is_alphabetic()).unwrap_or(after.len());
    &after[..end]
}

fn unit(name: &str) -> Option<&'static Unit> {
    let name = name.to_lowercase();
    UNITS.iter().find(|(_, names, _)| names.contains(&name.as_str()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn agree(answer: &str, expected: &str, relative: f64, absolute: f64) -> bool {
        let (answer, expected) = (Quantity::last_in(answer).unwrap(), Quantity::last_in(expected).unwrap());
        answer.agrees(&expected, Tolerance { relative, absolute })
    }

    #[test]
    fn reads_what_people_write() {
        for (text, value) in [
            ("1,234.5", 1234.5),
            ("so 3 + 4 = 7.", 7.0),
            ("-3e4", -3e4),
            ("10-12", 12.0),
            ("x = −5", -5.0),
            ("$1,000,000", 1e6),
            ("-$5", -5.0),
            ("1,2,3", 3.0),
            ("it is .5", 0.5),
            ("12345,678", 678.0),
            ("2.5e", 2.5),
        ] {
            assert_eq!(Quantity::last_in(text).map(|quantity| quantity.value), Some(value), "{text}");
        }
        assert_eq!(Quantity::last_in("none, ² and ٣"), None);
        assert_eq!(Quantity::last_in("1e999"), None, "infinite");
    }

    #[test]
    fn units_are_converted() {
        assert!(agree("5 km", "5000 m", 0.0, 0.0));
        assert!(agree("90 minutes", "1.5 h", 0.0, 0.0));
        assert!(agree("50%", "50", 0.0, 0.0));
        assert!(!agree("5 km", "5 kg", 0.0, 0.0));
        assert!(!agree("€5", "$5", 0.0, 0.0));
        assert!(!agree("5 m", "5 km", 0.0, 0.0));
    }

    #[test]
    fn tolerances() {
        assert!(agree("101", "100", 0.01, 0.0));
        assert!(!agree("101.1", "100", 0.01, 0.0));
        assert!(agree("0.4", "0", 0.0, 0.5));
        assert!(!agree("-100", "100", 0.01, 0.0));
    }
}
