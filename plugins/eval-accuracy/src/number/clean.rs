//! One spelling for what LaTeX, Markdown and Unicode spell in many ways.

/// Replaced as they stand, longer ones first.
const SPELLINGS: [(&str, &str); 45] = [
    ("\\dfrac", "\\frac"),
    ("\\tfrac", "\\frac"),
    ("\\times", "×"),
    ("\\cdot", "×"),
    ("\\div", "÷"),
    ("\\approx", "≈"),
    ("\\left", ""),
    ("\\right", ""),
    ("\\pm", "±"),
    ("\\sqrt", "√"),
    ("\\pi", "π"),
    ("\\circ", "°"),
    ("^{°}", "°"),
    ("^°", "°"),
    ("\\degree", "°"),
    ("\\quad", " "),
    ("\\qquad", " "),
    ("{,}", ","),
    ("\\,", "\u{2009}"),
    ("\\;", " "),
    ("\\:", " "),
    ("\\ ", " "),
    ("\\!", ""),
    ("\\%", "%"),
    ("\\(", " "),
    ("\\)", " "),
    ("\\[", " "),
    ("\\]", " "),
    ("−", "-"),
    ("﹣", "-"),
    ("－", "-"),
    ("‑", "-"),
    ("–", "-"),
    ("％", "%"),
    ("⁄", "/"),
    ("∕", "/"),
    ("’", "'"),
    ("\u{a0}", "\u{2009}"),
    ("\u{202f}", "\u{2009}"),
    ("\u{2007}", "\u{2009}"),
    ("·", "×"),
    ("⋅", "×"),
    ("✕", "×"),
    ("US$", "$"),
    ("º", "°"),
];

/// Fractions of one sign.
const VULGAR: [(char, &str); 19] = [
    ('½', "1/2"),
    ('⅓', "1/3"),
    ('⅔', "2/3"),
    ('¼', "1/4"),
    ('¾', "3/4"),
    ('⅕', "1/5"),
    ('⅖', "2/5"),
    ('⅗', "3/5"),
    ('⅘', "4/5"),
    ('⅙', "1/6"),
    ('⅚', "5/6"),
    ('⅐', "1/7"),
    ('⅛', "1/8"),
    ('⅜', "3/8"),
    ('⅝', "5/8"),
    ('⅞', "7/8"),
    ('⅑', "1/9"),
    ('⅒', "1/10"),
    ('↉', "0/3"),
];

/// The first digits of scripts whose ten digits follow each other.
const ZEROS: [char; 6] = ['٠', '۰', '०', '০', '๐', '０'];

/// The text in one spelling.
pub fn clean(text: &str) -> String {
    let mut text = text.to_owned();
    for (from, to) in SPELLINGS {
        if text.contains(from) {
            text = text.replace(from, to);
        }
    }
    let text = braced(&superscripts(&digits(&text)));
    let lines: Vec<String> = powers(&text).lines().map(without_math_marks).collect();
    lines.join("\n").replace("**", " ").replace("__", " ").replace("\\$", "$")
}

/// `10**5` as `10^5`; other stars may be Markdown's.
fn powers(text: &str) -> String {
    let mut text = text.to_owned();
    let mut from = 0;
    while let Some(at) = text[from..].find("**").map(|at| from + at) {
        let base = text[..at].ends_with(|c: char| c.is_ascii_digit());
        let power = text[at + 2..].trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        if base && power {
            text.replace_range(at..at + 2, "^");
        }
        from = at + 1;
    }
    text
}

/// `$5$` as `5`: dollars around a formula come in pairs, of which the last is not before a digit.
fn without_math_marks(line: &str) -> String {
    let marks = line.matches('$').count() - line.matches("\\$").count();
    let last = line.rfind('$').map(|at| &line[at + 1..]);
    let closes = last.is_some_and(|after| !after.trim_start().starts_with(|c: char| c.is_ascii_digit() || c == '.'));
    if marks > 0 && marks.is_multiple_of(2) && closes {
        line.replace("\\$", "\u{1}").replace('$', " ").replace('\u{1}', "$")
    } else {
        line.to_owned()
    }
}

fn digits(text: &str) -> String {
    let one = |character: char| {
        let value =
            ZEROS.iter().find_map(|zero| (character as u32).checked_sub(*zero as u32).filter(|value| *value < 10));
        value.and_then(|value| char::from_digit(value, 10)).unwrap_or(character)
    };
    text.chars().map(one).collect()
}

/// `10⁻⁵` as `10^-5`, `1½` as `1 1/2`. `m²` becomes `m^2`.
fn superscripts(text: &str) -> String {
    const HIGH: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹";
    let mut result = String::with_capacity(text.len());
    let mut high = false;
    for character in text.chars() {
        let low = match character {
            '⁻' => Some('-'),
            '⁺' => Some('+'),
            _ => HIGH.chars().position(|one| one == character).and_then(|value| char::from_digit(value as u32, 10)),
        };
        if let Some(fraction) = VULGAR.iter().find(|(sign, _)| *sign == character) {
            if result.ends_with(|before: char| before.is_ascii_digit()) {
                result.push(' ');
            }
            result.push_str(fraction.1);
        }
        match low {
            Some(low) => {
                if !high {
                    result.push('^');
                }
                result.push(low);
            }
            None if VULGAR.iter().any(|(sign, _)| *sign == character) => {}
            None => result.push(character),
        }
        high = low.is_some();
    }
    result
}

/// LaTeX's braces: `\frac{1}{2}` as ` 1/2`, `10^{-5}` as `10^-5`, `\text{ km}` as ` km`.
fn braced(text: &str) -> String {
    let mut text = text.to_owned();
    for name in ["\\text", "\\mathrm", "\\textbf", "\\mathbf", "\\mbox", "\\operatorname"] {
        while let Some((start, inner, end)) = group(&text, name) {
            text = format!("{} {inner} {}", &text[..start], &text[end..]);
        }
    }
    while let Some((start, top, end)) = group(&text, "\\frac").or_else(|| bare(&text, "\\frac")) {
        let bottom = group(&text[end..], "").filter(|(start, ..)| *start == 0).or_else(|| bare(&text[end..], ""));
        let Some((0, bottom, length)) = bottom else { break };
        // A digit before makes a mixed number, a sign before is the fraction's.
        let gap = if text[..start].ends_with(|c: char| c.is_ascii_digit()) { " " } else { "" };
        text = format!("{}{gap}{}/{} {}", &text[..start], operand(&top), operand(&bottom), &text[end + length..]);
    }
    while let Some((start, power, end)) = group(&text, "^") {
        text = format!("{}^{}{}", &text[..start], operand(&power), &text[end..]);
    }
    text
}

/// The first `name{…}` with its start, content and end.
fn group(text: &str, name: &str) -> Option<(usize, String, usize)> {
    let start = text.find(&format!("{name}{{"))?;
    let open = start + name.len() + 1;
    let mut depth = 1_usize;
    for (at, character) in text[open..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((start, text[open..open + at].trim().to_owned(), open + at + 1));
        }
    }
    None
}

/// The first `name` before a digit with its start, the digit and its end: LaTeX's `\frac12` is a half.
fn bare(text: &str, name: &str) -> Option<(usize, String, usize)> {
    let start = text.find(name)?;
    let after = &text[start + name.len()..];
    let digit = after.trim_start_matches(' ').chars().next().filter(char::is_ascii_digit)?;
    let spaces = after.len() - after.trim_start_matches(' ').len();
    Some((start, digit.to_string(), start + name.len() + spaces + 1))
}

/// An expression of several parts keeps its parentheses.
fn operand(text: &str) -> String {
    let simple = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-'));
    if simple { text.to_owned() } else { format!("({text})") }
}

/// The content of the last `\boxed{…}`.
pub fn boxed(text: &str) -> Option<&str> {
    let start = text.rfind("\\boxed{")? + "\\boxed{".len();
    let mut depth = 1_usize;
    for (at, character) in text[start..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&text[start..start + at]);
        }
    }
    Some(&text[start..])
}
