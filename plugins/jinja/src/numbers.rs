//! Numbers as texts, for `%` and for `str.format`.

use crate::python::exponent;

/// `e`, `f` or `g` of a float without its sign; `alternate` keeps the point and `g`'s zeros.
pub fn float(value: f64, kind: char, precision: usize, alternate: bool) -> String {
    let value = value.abs();
    if !value.is_finite() {
        let text = if value.is_nan() { "nan" } else { "inf" };
        return if kind.is_uppercase() { text.to_uppercase() } else { text.into() };
    }
    let text = match kind.to_ascii_lowercase() {
        'e' => scientific(value, precision, alternate),
        'f' => fixed(value, precision, alternate),
        _ => general(value, precision.max(1), alternate),
    };
    if kind.is_uppercase() { text.to_uppercase() } else { text }
}

fn fixed(value: f64, precision: usize, alternate: bool) -> String {
    let point = if alternate && precision == 0 { "." } else { "" };
    format!("{value:.precision$}{point}")
}

fn scientific(value: f64, precision: usize, alternate: bool) -> String {
    let text = exponent(&format!("{value:.precision$e}"));
    if alternate && precision == 0 { text.replacen('e', ".e", 1) } else { text }
}

fn general(value: f64, precision: usize, alternate: bool) -> String {
    let probe = format!("{value:.*e}", precision - 1);
    let power: i32 = probe.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    let short = |digits: &str| match alternate || !digits.contains('.') {
        true => digits.to_owned(),
        false => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
    };
    if (-4..precision as i32).contains(&power) {
        return short(&fixed(value, (precision as i32 - 1 - power) as usize, alternate));
    }
    let text = scientific(value, precision - 1, alternate);
    let (digits, power) = text.split_once('e').unwrap_or((&text, "+00"));
    format!("{}e{power}", short(digits))
}

/// An integer without its sign in base 2, 8, 10 or 16, by its letter.
pub fn integer(value: i128, kind: char) -> String {
    let value = value.unsigned_abs();
    match kind {
        'b' => format!("{value:b}"),
        'o' => format!("{value:o}"),
        'x' => format!("{value:x}"),
        'X' => format!("{value:X}"),
        _ => value.to_string(),
    }
}

/// Digits in groups of so many.
pub fn grouped(digits: &str, separator: char, size: usize) -> String {
    let end = digits.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(end);
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(size) {
            out.push(separator);
        }
        out.push(digit);
    }
    out + rest
}
