//! Strings and numbers as Python writes them.

use super::Token;
use crate::fault::{Fault, Result};

/// The length of a quoted text, quotes included.
pub(super) fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next()?;
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The digits at the start, with single underscores between them.
pub(super) fn digits(text: &str, radix: u32) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(|byte| (*byte as char).is_digit(radix));
    let mut at = 0;
    while is_digit(at) || at > 0 && bytes.get(at) == Some(&b'_') && is_digit(at + 1) {
        at += 1;
    }
    at
}

pub(super) fn number(text: &str, after_dot: bool) -> Result<(Token, usize)> {
    let whole = digits(text, 10);
    if !after_dot {
        let fraction = match text[whole..].strip_prefix('.') {
            Some(rest) if digits(rest, 10) > 0 => 1 + digits(rest, 10),
            _ => 0,
        };
        let exponent = exponent(&text[whole + fraction..]);
        if fraction + exponent > 0 {
            let length = whole + fraction + exponent;
            let digits = text[..length].replace('_', "");
            let number = digits.parse().map_err(|_| Fault::value(format!("`{digits}` is no number")))?;
            return Ok((Token::Float(number), length));
        }
    }
    let prefixes = [("0b", 2), ("0o", 8), ("0x", 16)];
    let prefixed =
        prefixes.iter().find(|(prefix, _)| text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(prefix)));
    let (skip, radix) = prefixed.map_or((0, 10), |(_, radix)| (2, *radix));
    let after = &text[skip..];
    let underscore = usize::from(skip > 0 && after.starts_with('_'));
    let mut length = skip + underscore + digits(&after[underscore..], radix);
    if skip == 0 && text.starts_with('0') {
        length = text.find(|c| c != '0').unwrap_or(text.len());
    }
    let digits = text[skip..length].replace('_', "");
    let number = i128::from_str_radix(&digits, radix)
        .map_err(|_| Fault::unsupported(format!("the integer {digits} has more than 128 bits")))?;
    Ok((Token::Int(number), length))
}

/// The length of `e`, a sign and digits, 0 where there is no exponent.
pub(super) fn exponent(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(['e', 'E']) else { return 0 };
    let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    match digits(unsigned, 10) {
        0 => 0,
        count => text.len() - unsigned.len() + count,
    }
}

/// Python's escapes in a text.
pub(super) fn unescape(text: &str) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(first) = rest.chars().next() else {
            return Err(Fault::value("a text ends with a backslash"));
        };
        let simple = match first {
            '\n' => Some(""),
            '\\' => Some("\\"),
            '\'' => Some("'"),
            '"' => Some("\""),
            'a' => Some("\u{7}"),
            'b' => Some("\u{8}"),
            'f' => Some("\u{c}"),
            'n' => Some("\n"),
            'r' => Some("\r"),
            't' => Some("\t"),
            'v' => Some("\u{b}"),
            _ => None,
        };
        rest = match (simple, first) {
            (Some(text), _) => {
                out.push_str(text);
                &rest[first.len_utf8()..]
            }
            (None, 'x') => code(&mut out, &rest[1..], 2)?,
            (None, 'u') => code(&mut out, &rest[1..], 4)?,
            (None, 'U') => code(&mut out, &rest[1..], 8)?,
            (None, 'N') => return Err(Fault::unsupported("characters by name, `\\N{…}`, are not supported")),
            (None, '0'..='7') => {
                let length = rest.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                let number = u32::from_str_radix(&rest[..length], 8).unwrap_or(0);
                out.extend(char::from_u32(number));
                &rest[length..]
            }
            (None, _) => {
                out.push('\\');
                rest
            }
        };
        // A character after an unknown escape is taken as it is, even a backslash's neighbour.
        if simple.is_none() && !matches!(first, 'x' | 'u' | 'U' | '0'..='7') {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// A character by its number in hexadecimal digits.
pub(super) fn code<'a>(out: &mut String, text: &'a str, length: usize) -> Result<&'a str> {
    let wrong = || Fault::value("a text has an escape that is cut off");
    let digits = text.get(..length).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let digits = digits.ok_or_else(wrong)?;
    let number = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
    let character =
        char::from_u32(number).ok_or_else(|| Fault::unsupported(format!("the escape \\u{digits} is no character")))?;
    out.push(character);
    Ok(&text[length..])
}
