//! What PyYAML takes a plain scalar for.

use super::value::{Yaml, refuse};
use diapason_core::Result;

/// The value of an unquoted scalar.
///
/// # Errors
/// It is something that YAML 1.1 and its successor read as different values.
pub(super) fn plain(text: &str, line: usize) -> Result<Yaml> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Yaml::Null),
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Ok(Yaml::Bool(true)),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Ok(Yaml::Bool(false)),
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if is_whole(digits) && (digits == "0" || !digits.starts_with('0')) {
        let parsed = text.parse().map(Yaml::Int);
        return parsed.map_err(|_| refuse(line, &format!("`{text}` is too large"), "numbers have 64 bits"));
    }
    if is_float(digits, text.len() > digits.len()) {
        return Ok(text.parse().map_or_else(|_| Yaml::Text(text.into()), Yaml::Float));
    }
    if is_odd(digits) {
        let hint = "put it in quotes if it is a text, and write a number in decimal digits";
        return Err(refuse(line, &format!("`{text}` is not the same to all who read YAML"), hint));
    }
    Ok(Yaml::Text(text.into()))
}

fn is_whole(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1.5`, `1.`, `1.5e+3`, and `.5` without a sign. `1e3` is a text.
fn is_float(digits: &str, signed: bool) -> bool {
    let (number, exponent) = match digits.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.strip_prefix(['-', '+'])),
        None => (digits, Some("0")),
    };
    let Some((whole, fraction)) = number.split_once('.') else { return false };
    let fits = match (whole.is_empty(), fraction.is_empty()) {
        (true, _) => !signed && is_whole(fraction),
        (false, true) => is_whole(whole),
        (false, false) => is_whole(whole) && is_whole(fraction),
    };
    fits && exponent.is_some_and(is_whole)
}

/// Octal, hexadecimal, binary and sexagesimal numbers, digits in groups, infinities, dates, and `=`.
fn is_odd(digits: &str) -> bool {
    let lower = digits.to_ascii_lowercase();
    let numeric = |character: char| character.is_ascii_hexdigit() || "_:.x-+t".contains(character);
    let number = lower.starts_with(|first: char| first.is_ascii_digit()) && lower.chars().all(numeric);
    let date = lower.len() >= 10 && lower.as_bytes()[4] == b'-' && is_whole(&lower[..4]);
    matches!(lower.as_str(), ".inf" | ".nan" | "=") || date || (number && is_special(&lower))
}

/// Whether what begins with a digit is a number of a special kind, and not just a text such as `4-bit` or `1e3`.
fn is_special(lower: &str) -> bool {
    let grouped = lower.contains('_') && lower.chars().all(|c| c.is_ascii_digit() || "_.:".contains(c));
    let sexagesimal = lower.contains(':') && lower.chars().all(|c| c.is_ascii_digit() || "_.:".contains(c));
    let based = ["0x", "0b", "0o"].iter().any(|base| lower.starts_with(base));
    let octal = lower.starts_with('0') && is_whole(lower);
    grouped || sexagesimal || based || octal
}
