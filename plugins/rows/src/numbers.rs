//! Numbers that a JSON value here cannot hold as they stand: integers beyond 64 bits would become the nearest float
//! (`12345678901234567890123` would be written as `1.2345678901234568e22`), and `-0`, which Python reads as 0, `-0.0`.

use crate::fault::Fault;

/// The first such number of `text`, which is valid JSON: its JSON Pointer and how it is written. Members of the outermost
/// object that `skip` names are passed over.
pub(crate) fn unheld(text: &str, skip: &[String]) -> Option<(String, String)> {
    // Nearly every row has no number that could be one.
    let digits = text.as_bytes().windows(LONG).any(|window| window.iter().all(u8::is_ascii_digit));
    (digits || text.contains("-0")).then(|| Walk { rest: text, path: Vec::new(), skip }.value()).flatten()
}

/// Digits of the shortest integer beyond 64 bits.
const LONG: usize = 19;

/// Why a row must not be written anew as JSON, if it must not: a number of it, in a column that `skip` does not name, would
/// not stay as it is written. The row is a JSON object.
pub fn inexact(row: &str, skip: &[String]) -> Option<Fault> {
    unheld(crate::json::body(row), skip).map(|number| refused("", number))
}

/// Why such a number is not read.
pub(crate) fn refused(path: &str, (inside, number): (String, String)) -> Fault {
    let message = format!("the integer {number} would not stay as it is written");
    let hint = "integers of at most 64 bits are read: write it as a string, or as a float if that is what is meant";
    Fault::new("inexact-number", format!("{path}{inside}"), message, hint)
}

struct Walk<'a> {
    rest: &'a str,
    path: Vec<String>,
    skip: &'a [String],
}

impl<'a> Walk<'a> {
    /// Walks over one value. Its nesting was bounded when the text was parsed.
    fn value(&mut self) -> Option<(String, String)> {
        self.rest = self.rest.trim_start();
        match self.rest.as_bytes().first()? {
            b'{' => self.members(b'}', true),
            b'[' => self.members(b']', false),
            b'"' => {
                self.text();
                None
            }
            _ => self.scalar(),
        }
    }

    fn members(&mut self, end: u8, named: bool) -> Option<(String, String)> {
        let mut index = 0;
        loop {
            // The bracket, or the comma behind the member before.
            self.step();
            if self.rest.as_bytes().first() == Some(&end) {
                break;
            }
            let name = if named { self.name() } else { index.to_string() };
            self.path.push(name);
            if let Some(found) = self.value() {
                return Some(found);
            }
            self.path.pop();
            self.rest = self.rest.trim_start();
            if self.rest.as_bytes().first() != Some(&b',') {
                break;
            }
            index += 1;
        }
        self.step();
        None
    }

    /// Takes one character and the space behind it.
    fn step(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default().trim_start();
    }

    fn name(&mut self) -> String {
        let name = serde_json::from_str(self.text()).unwrap_or_default();
        self.rest = self.rest.trim_start();
        self.step();
        name
    }

    /// Takes a text with its quotes.
    fn text(&mut self) -> &'a str {
        let mut escaped = false;
        let end = self.rest.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        self.take(end.map_or(self.rest.len(), |end| end + 2))
    }

    fn scalar(&mut self) -> Option<(String, String)> {
        let end = self.rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(self.rest.len());
        let word = self.take(end);
        let integer = word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let held = word != "-0" && (word.parse::<i64>().is_ok() || word.parse::<u64>().is_ok());
        let passed = self.path.first().is_some_and(|column| self.skip.contains(column));
        (integer && !held && !passed).then(|| (pointer(&self.path), word.to_owned()))
    }

    fn take(&mut self, end: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

fn pointer(path: &[String]) -> String {
    path.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
        unheld(text, &["seen".into()]).map(|(path, number)| format!("{path} {number}"))
    }

    #[test]
    fn what_64_bits_do_not_hold_is_found_with_its_place() {
        let long = "9".repeat(400);
        for (text, expected) in [
            (r#"{"a": 18446744073709551616}"#.to_owned(), "/a 18446744073709551616".to_owned()),
            (r#"{"a":[{"b/~":[], "c": {}},{"x":-9223372036854775809 }]}"#.into(), "/a/1/x -9223372036854775809".into()),
            (r#"[ [ ] , {"k\"1":[1 ,12345678901234567890123]}]"#.into(), "/1/k\"1/1 12345678901234567890123".into()),
            (r#"{"seen": 1, "b": {"seen": 12345678901234567890123}}"#.into(), "/b/seen 12345678901234567890123".into()),
            (r#"{"a": "1234567890123456789012", "b/c": -0}"#.into(), "/b~1c -0".into()),
        ] {
            assert_eq!(found(&text), Some(expected), "{text}");
        }
        assert!(serde_json::from_str::<serde_json::Value>(&long).is_err(), "beyond a float it is refused as JSON");
    }

    #[test]
    fn what_is_held_is_not() {
        for text in [
            r#"{"a": 18446744073709551615, "b": -9223372036854775808, "c": 1234567890123456789}"#,
            r#"{"a": 12345678901234567890123.0, "b": 12345678901234567890123e1, "c": -0.0, "d": -0e0}"#,
            r#"{"a": "12345678901234567890123 \" -0", "-0 12345678901234567890123": [true, null, ""]}"#,
            r#"{"seen": {"x": 12345678901234567890123, "y": -0}, "a": 1}"#,
            "12345678901234567890",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
