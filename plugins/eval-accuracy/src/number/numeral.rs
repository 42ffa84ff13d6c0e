//! Numerals: digits in groups, a fraction, an exponent.

use schemars::JsonSchema;
use serde::Deserialize;

/// What separates the fraction of a number that could be read both ways: a single `,` or `.` before three digits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DecimalSign {
    /// `1,234` is one thousand two hundred and thirty-four, `1.234` is less than two.
    #[default]
    Point,
    /// `1.234` is one thousand two hundred and thirty-four, `1,234` is less than two.
    Comma,
}

/// How numbers are written.
#[derive(Debug, Clone, Copy)]
pub struct Convention {
    /// Decides where the digits themselves do not.
    pub decimal_sign: DecimalSign,
}

/// Reads the numeral that a text starts with: its value and its length in bytes. `None` if there is no digit first (or
/// second, after a point). An error quotes what looks like a numeral and is none.
pub fn leading(text: &str, convention: Convention) -> Option<Result<(f64, usize), String>> {
    let bytes = text.as_bytes();
    let starts = bytes.first()?.is_ascii_digit() || (bytes[0] == b'.' && bytes.get(1).is_some_and(u8::is_ascii_digit));
    if !starts {
        return None;
    }
    let length = body_length(text);
    let body = &text[..length];
    let plain = match plain(body, convention) {
        Some(plain) => plain,
        None => return Some(Err(format!("`{body}` is not one number"))),
    };
    let exponent = exponent_length(&bytes[length..]);
    let value: f64 = format!("{plain}{}", &text[length..length + exponent]).parse().unwrap_or(f64::INFINITY);
    match value.is_finite() {
        true => Some(Ok((value, length + exponent))),
        false => Some(Err(format!("`{}` is too large", &text[..length + exponent]))),
    }
}

/// Digits and the separators between digits. A space separates only groups of three.
fn body_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits =
        |from: usize| bytes.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = digits(0);
    let mut first = end;
    while end < text.len() {
        let Some(separator) = text[end..].chars().next() else { break };
        let after = end + separator.len_utf8();
        let count = digits(after);
        let spaced = matches!(separator, ' ' | '\u{2009}');
        let grouped = (1..=3).contains(&first) && count == 3 && bytes.get(after + 3) != Some(&b'/');
        match separator {
            ',' | '.' if count > 0 => {}
            '\'' | '_' if count == 3 => {}
            _ if spaced && grouped => {}
            _ => break,
        }
        // `1 234 567`: once spaced, every group has three digits, and the first had at most three.
        first = if spaced { 3 } else { count.max(1) };
        end = after + count;
    }
    end
}

/// The body as Rust reads numbers: digits and at most one point. `None` if its separators make no number.
fn plain(body: &str, convention: Convention) -> Option<String> {
    let body = body.replace('\u{2009}', " ");
    let separators: Vec<char> = body.chars().filter(|c| !c.is_ascii_digit()).collect();
    let mut kinds = separators.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let Some(last) = separators.last().copied() else { return Some(body) };
    let groups: Vec<&str> = body.split(|c: char| !c.is_ascii_digit()).collect();
    let fraction = groups.last()?.len();
    match (kinds.len(), separators.len()) {
        (1, 1) if matches!(last, ',' | '.') => {
            let could_group = fraction == 3 && (1..=3).contains(&groups[0].len()) && !groups[0].starts_with('0');
            let decimal = match convention.decimal_sign {
                DecimalSign::Point => '.',
                DecimalSign::Comma => ',',
            };
            if could_group && last != decimal { Some(groups.concat()) } else { Some(body.replace(last, ".")) }
        }
        (1, _) => is_grouped(&groups).then(|| groups.concat()),
        (2, _) if matches!(last, ',' | '.') && separators.iter().filter(|one| **one == last).count() == 1 => {
            let whole = &groups[..groups.len() - 1];
            is_grouped(whole).then(|| format!("{}.{}", whole.concat(), groups[groups.len() - 1]))
        }
        _ => None,
    }
}

/// Groups of three digits, or of two with three at the end, as in India: `12,34,567`.
fn is_grouped(groups: &[&str]) -> bool {
    let Some((last, front)) = groups.split_last() else { return false };
    let Some((first, middle)) = front.split_first() else { return true };
    let of = |size: usize| (1..=size).contains(&first.len()) && middle.iter().all(|group| group.len() == size);
    last.len() == 3 && (of(3) || of(2)) && !(first.starts_with('0') && first.len() > 1)
}

fn exponent_length(bytes: &[u8]) -> usize {
    if !matches!(bytes.first(), Some(b'e' | b'E')) {
        return 0;
    }
    let sign = usize::from(matches!(bytes.get(1), Some(b'+' | b'-')));
    let digits = bytes[1 + sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 { 0 } else { 1 + sign + digits }
}
