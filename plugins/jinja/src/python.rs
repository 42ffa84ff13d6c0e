//! Python's notions of characters and of texts.

use unicode_general_category::{GeneralCategory as Category, get_general_category};

/// `str.isspace` of one character, which is also what `strip` takes off.
pub fn is_space(character: char) -> bool {
    matches!(character, '\t'..='\r' | '\x1c'..='\x20' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}'
        | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

pub fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

pub fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// `str.isalpha` of one character.
pub fn is_alpha(character: char) -> bool {
    matches!(
        get_general_category(character),
        Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::TitlecaseLetter
            | Category::ModifierLetter
            | Category::OtherLetter
    )
}

/// `str.isdecimal` of one character.
pub fn is_decimal(character: char) -> bool {
    get_general_category(character) == Category::DecimalNumber
}

/// `str.isdigit` of one character: superscripts and circled digits as well.
pub fn is_digit(character: char) -> bool {
    is_decimal(character)
        || matches!(character, '²' | '³' | '¹' | '\u{1369}'..='\u{1371}' | '\u{19da}' | '\u{2070}'
            | '\u{2074}'..='\u{2079}' | '\u{2080}'..='\u{2089}' | '\u{2460}'..='\u{2468}' | '\u{2474}'..='\u{247c}'
            | '\u{2488}'..='\u{2490}' | '\u{24ea}' | '\u{24f5}'..='\u{24fd}' | '\u{24ff}' | '\u{2776}'..='\u{277e}'
            | '\u{2780}'..='\u{2788}' | '\u{278a}'..='\u{2792}' | '\u{10a40}'..='\u{10a43}' | '\u{10e60}'..='\u{10e68}'
            | '\u{11052}'..='\u{1105a}' | '\u{1f100}'..='\u{1f10a}')
}

/// `str.isnumeric` of one character: fractions, Roman numerals and the common Han numerals as well.
pub fn is_numeric(character: char) -> bool {
    is_digit(character)
        || matches!(get_general_category(character), Category::LetterNumber | Category::OtherNumber)
        || "一二三四五六七八九十百千万億兆〇零壱弐参拾壹貳參叁肆伍陸柒捌玖兩两亿仟佰".contains(character)
}

pub fn is_alnum(character: char) -> bool {
    is_alpha(character) || is_numeric(character)
}

/// Whether `repr` shows it as it is.
pub fn is_printable(character: char) -> bool {
    use Category::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, SpaceSeparator, Surrogate, Unassigned,
    };
    character == ' '
        || !matches!(
            get_general_category(character),
            Control
                | Format
                | Surrogate
                | PrivateUse
                | Unassigned
                | LineSeparator
                | ParagraphSeparator
                | SpaceSeparator
        )
}

/// Whether it ends a line for `str.splitlines`.
pub fn is_line_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `str.splitlines`.
pub fn lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(is_line_break) {
        let length = match rest[at..].chars().next() {
            Some('\r') if rest[at + 1..].starts_with('\n') => 2,
            Some(character) => character.len_utf8(),
            None => 0,
        };
        lines.push(&rest[..if keep_ends { at + length } else { at }]);
        rest = &rest[at + length..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

fn is_cased(character: char) -> bool {
    character.is_lowercase() || character.is_uppercase() || get_general_category(character) == Category::TitlecaseLetter
}

/// A character's title case: `ß` becomes `Ss`.
fn title_of(character: char) -> String {
    let mut upper = character.to_uppercase();
    let mut text: String = upper.next().into_iter().collect();
    text.extend(upper.flat_map(char::to_lowercase));
    text
}

/// `str.capitalize`.
pub fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(title_of).unwrap_or_default();
    first + &characters.as_str().to_lowercase()
}

/// `str.title`.
pub fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for character in text.chars() {
        match inside {
            true => out.extend(character.to_lowercase()),
            false => out.push_str(&title_of(character)),
        }
        inside = is_cased(character);
    }
    out
}

/// `str.istitle`.
pub fn is_title(text: &str) -> bool {
    let (mut inside, mut any) = (false, false);
    for character in text.chars() {
        let (upper, lower) = (character.is_uppercase(), character.is_lowercase());
        if upper && inside || lower && !inside {
            return false;
        }
        inside = upper || lower;
        any |= inside;
    }
    any
}

/// `str.islower` or `str.isupper`.
pub fn is_case(text: &str, upper: bool) -> bool {
    let wrong = |c: char| if upper { c.is_lowercase() } else { c.is_uppercase() };
    let right = |c: char| if upper { c.is_uppercase() } else { c.is_lowercase() };
    !text.chars().any(wrong) && text.chars().any(right)
}

/// `str.swapcase`.
pub fn swap_case(text: &str) -> String {
    let swap = |c: char| if c.is_uppercase() { c.to_lowercase().to_string() } else { c.to_uppercase().to_string() };
    text.chars().map(swap).collect()
}

/// `str.casefold`.
pub fn fold_case(text: &str) -> String {
    let fold = |c: char| match c {
        'ı' => "ı".to_owned(),
        other => other.to_uppercase().flat_map(char::to_lowercase).collect(),
    };
    text.chars().map(fold).collect()
}

/// Python's `repr` of a text.
pub fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            c => out.push_str(&match c as u32 {
                number @ ..0x100 => format!("\\x{number:02x}"),
                number @ ..0x1_0000 => format!("\\u{number:04x}"),
                number => format!("\\U{number:08x}"),
            }),
        }
    }
    out.push(quote);
    out
}

/// Python's `repr` of a float: the shortest digits, with an exponent below 1e-4 and from 1e16.
pub fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    if value != 0.0 && !(1e-4..1e16).contains(&value.abs()) {
        return exponent(&format!("{value:e}"));
    }
    format!("{value:?}")
}

/// Rust's `1e-5` as Python's `1e-05`.
pub fn exponent(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// Whether it may stand in a name after the first character.
pub fn continues_name(character: char) -> bool {
    use Category::{ConnectorPunctuation, DecimalNumber, LetterNumber, NonspacingMark, SpacingMark};
    is_alpha(character)
        || matches!(
            get_general_category(character),
            ConnectorPunctuation | DecimalNumber | LetterNumber | NonspacingMark | SpacingMark
        )
}

/// A text with every script's decimal digits as ASCII ones, which is how Python reads numbers.
fn ascii_digits(text: &str) -> String {
    let digit = |c: char| {
        if c.is_ascii() || !is_decimal(c) {
            return c;
        }
        // Unicode's digits stand in runs of ten that begin with zero.
        let before = (1..=c as u32).take_while(|back| char::from_u32(c as u32 - back).is_some_and(is_decimal)).count();
        char::from_digit(before as u32 % 10, 10).unwrap_or(c)
    };
    text.chars().map(digit).collect()
}

/// Python's `float` of a text.
pub fn parse_float(text: &str) -> Option<f64> {
    let text = &ascii_digits(trim(text));
    let body = text.strip_prefix(['+', '-']).unwrap_or(text).to_ascii_lowercase();
    let number = match body.as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => f64::NAN,
        _ => {
            let plain = without_underscores(&body)?;
            let numeric = plain.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-'));
            plain.parse().ok().filter(|_| numeric)?
        }
    };
    Some(if text.starts_with('-') { -number } else { number })
}

/// Python's `int` of a text; base 0 reads prefixes.
pub fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = &ascii_digits(trim(text));
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let prefixed = |prefix: &str| body.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    let found = [("0b", 2), ("0o", 8), ("0x", 16)].into_iter().find(|(prefix, _)| prefixed(prefix));
    let (digits, radix) = match (found, base) {
        (Some((_, radix)), _) if base == 0 || base == radix => {
            (body[2..].strip_prefix('_').unwrap_or(&body[2..]), radix)
        }
        (_, 0) if body.starts_with('0') && body.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) => return None,
        (_, 0) => (body, 10),
        _ => (body, base),
    };
    let digits = without_underscores(digits)?;
    let valid = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    let number = valid.then(|| i128::from_str_radix(&digits, radix).ok()).flatten()?;
    Some(if text.starts_with('-') { -number } else { number })
}

/// A number without its underscores, which stand between digits only.
fn without_underscores(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let misplaced = |(at, _): (usize, &str)| !digit(at.checked_sub(1)) || !digit(Some(at + 1));
    (!text.match_indices('_').any(misplaced)).then(|| text.replace('_', ""))
}
