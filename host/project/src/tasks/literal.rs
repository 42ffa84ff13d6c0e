//! Lists of Python's that templates print, as `ast.literal_eval` reads them.

use serde_json::{Value, json};

/// How deep lists may be nested.
const DEPTH: usize = 16;

/// The value of a literal: lists, texts, numbers, `True`, `False` and `None`. None where it is something else, of which
/// Python may still make a value.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text.trim_matches([' ', '\t']), depth: 0 };
    let value = reader.value()?;
    reader.space();
    reader.rest.is_empty().then_some(value)
}

/// Whether a text in brackets is certainly no literal: words, which Python takes for names.
pub(super) fn is_prose(text: &str) -> bool {
    let inside = text.trim_start_matches('[').trim_end_matches(']');
    let word = |character: char| character.is_alphabetic() || " ,_".contains(character);
    inside.chars().any(char::is_alphabetic) && inside.chars().all(word) && read(text).is_none()
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\n', '\t']);
    }

    fn take(&mut self, sign: char) -> bool {
        self.space();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.space();
        match self.rest.chars().next()? {
            '[' => self.list(),
            quote @ ('\'' | '"') => self.text(quote).map(Value::String),
            _ => self.word(),
        }
    }

    fn list(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEPTH || !self.take('[') {
            return None;
        }
        let mut items = Vec::new();
        while !self.take(']') {
            items.push(self.value()?);
            if !self.take(',') {
                if !self.take(']') {
                    return None;
                }
                break;
            }
        }
        self.depth -= 1;
        Some(Value::Array(items))
    }

    /// A text in quotes. Two of them side by side would be joined, and three begin another kind: both are left to Python.
    fn text(&mut self, quote: char) -> Option<String> {
        let mut characters = self.rest[1..].char_indices();
        let mut text = String::new();
        while let Some((at, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.rest = &self.rest[1 + at + 1..];
                    self.space();
                    return (!self.rest.starts_with(['\'', '"'])).then_some(text);
                }
                '\n' => return None,
                '\\' => text.push(escaped(&mut characters)?),
                _ => text.push(character),
            }
        }
        None
    }

    fn word(&mut self) -> Option<Value> {
        let end = self.rest.find([',', ']', ' ', '\n', '\t']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "True" => Some(true.into()),
            "False" => Some(false.into()),
            "None" => Some(Value::Null),
            _ => number(word),
        }
    }
}

/// What Python prints for a number, and no other spelling of it.
fn number(word: &str) -> Option<Value> {
    if let Ok(number) = word.parse::<i64>() {
        return (number.to_string() == word).then(|| number.into());
    }
    let digits = word.strip_prefix('-').unwrap_or(word);
    let plain = digits.split_once('.').is_some_and(|(whole, fraction)| {
        let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        all(whole) && all(fraction)
    });
    word.parse::<f64>().ok().filter(|_| plain).map(|number| json!(number))
}

/// The character that a backslash and what follows stand for.
fn escaped(characters: &mut std::str::CharIndices<'_>) -> Option<char> {
    let (_, kind) = characters.next()?;
    let digits = match kind {
        'n' => return Some('\n'),
        't' => return Some('\t'),
        'r' => return Some('\r'),
        '\\' | '\'' | '"' => return Some(kind),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return None,
    };
    let code: String = characters.take(digits).map(|(_, digit)| digit).collect();
    let hexadecimal = code.len() == digits && code.bytes().all(|digit| digit.is_ascii_hexdigit());
    u32::from_str_radix(&code, 16).ok().filter(|_| hexadecimal).and_then(char::from_u32)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What `ast.literal_eval` makes of each, null where it raises: `tests/oracles/task_yaml.py`.
    #[test]
    fn literals_are_read_as_python_reads_them() {
        let golden: Vec<(String, Option<Value>)> = serde_json::from_str(include_str!("golden/literals.json")).unwrap();
        assert!(golden.len() > 30);
        for (text, expected) in golden {
            let found = read(&text);
            assert!(found.is_none() || found == expected, "{text}: {found:?}, expected {expected:?}");
            assert!(!is_prose(&text) || expected.is_none(), "{text} is no prose");
        }
        assert_eq!(read("['a', \"it's\", 'b\\n\\xe9']"), Some(json!(["a", "it's", "b\né"])));
        assert_eq!(read("[1, -2, 2.5, True, None, [ ]]"), Some(json!([1, -2, 2.5, true, null, []])));
        assert!(is_prose("[unknown answer]") && is_prose("[a, b]") && !is_prose("['a']") && !is_prose("[1]"));
    }
}
