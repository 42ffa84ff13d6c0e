//! Walks over a text once and collects its documents.

use super::{Document, Kind, value};
use serde_json::Value;

/// Where a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a fence.
    Fence,
    /// In the text.
    Prose,
    /// In running text, and of a form that prose has for other reasons: a citation, a placeholder.
    Aside,
}

/// A document, or what would have been one.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) kind: Kind,
    pub(super) length: usize,
    pub(super) document: Result<Document, String>,
}

const FENCE: &str = "```";

/// Languages of a fence that may hold JSON.
const LANGUAGES: [&str; 10] = ["", "json", "jsonc", "json5", "jsonl", "ndjson", "js", "javascript", "text", "txt"];

/// At most so many arrays of numbers that turn out to be none: each may cost a pass over the rest of the text.
const FAILURES: usize = 64;

/// All documents of a text, in order.
pub(super) fn documents(text: &str) -> Vec<Found> {
    let mut scan = Scan { text, at: 0, fence: None, failures: 0, found: Vec::new() };
    while let Some(next) = scan.text[scan.at..].find(['`', '{', '[']) {
        scan.at += next;
        if scan.rest().starts_with(FENCE) { scan.fence() } else { scan.bracket() }
    }
    scan.found
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// Inside a fence: where its content starts, how many documents there were before it, and whether its language is JSON.
    fence: Option<(usize, usize, bool)>,
    failures: usize,
    found: Vec<Found>,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn fence(&mut self) {
        let mark = self.at;
        self.at += FENCE.len();
        if let Some((start, before, is_json)) = self.fence.take() {
            let content = self.text[start..mark].trim();
            let alone = self.text.trim_start().starts_with(FENCE) && self.rest().trim().is_empty();
            let reads = || value::whole(content).is_ok();
            if self.found.len() == before && (is_json || (alone && reads())) {
                self.scalar(content);
            }
            return;
        }
        let label = self.rest().find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-' && c != '+');
        let label = self.rest()[..label.unwrap_or(self.rest().len())].to_ascii_lowercase();
        self.at += label.len();
        if LANGUAGES.contains(&label.as_str()) {
            self.fence = Some((self.at, self.found.len(), label.starts_with("json")));
        } else if let Some(length) = self.rest().find(FENCE) {
            self.at += length + FENCE.len();
        }
    }

    /// The content of a fence without objects and arrays: of one for JSON, or of one that is all of the text.
    fn scalar(&mut self, content: &str) {
        let document = value::whole(content).map_err(|cause| format!("the fenced text is no JSON: {cause}"));
        let kind = Kind::Object;
        self.found.push(Found { place: Place::Fence, kind, length: content.len(), document });
    }

    fn bracket(&mut self) {
        let rest = self.rest();
        let kind = match rest.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            _ => {
                self.at += 1;
                return;
            }
        };
        let starts = starts_document(rest, kind);
        if starts == Start::None || (kind == Kind::Array && self.is_index()) || self.failures >= FAILURES {
            self.at += 1;
            return;
        }
        match value::leading(rest) {
            Ok((_, length)) if kind == Kind::Array && rest[length..].starts_with('(') => self.at += length,
            Ok((document, length)) => {
                let place = self.place(&document.value, length);
                self.found.push(Found { place, kind, length, document: Ok(document) });
                self.at += length;
            }
            Err(cause) if starts == Start::Document || (cause.is_eof() && rest.contains(['{', '"'])) => {
                self.broken(kind, &cause);
            }
            // Numbers up to the end of the text: there is nothing after them.
            Err(cause) if cause.is_eof() => self.at = self.text.len(),
            Err(_) => {
                self.failures += 1;
                self.at += 1;
            }
        }
    }

    fn broken(&mut self, kind: Kind, cause: &serde_json::Error) {
        let length = balanced(self.rest());
        let what = match (length, cause.is_eof()) {
            (None, _) | (_, true) => format!("the JSON document is cut off: {cause}"),
            _ => format!("the JSON document is broken: {cause}"),
        };
        let place = if self.fence.is_some() { Place::Fence } else { Place::Prose };
        let length = length.unwrap_or(self.rest().len());
        self.found.push(Found { place, kind, length, document: Err(what) });
        self.at += length;
    }

    fn place(&self, value: &Value, length: usize) -> Place {
        if self.fence.is_some() {
            return Place::Fence;
        }
        let plain = match value {
            Value::Array(items) => items.iter().all(Value::is_u64),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        if plain && !self.stands_alone(length) { Place::Aside } else { Place::Prose }
    }

    /// Whether there is nothing else on the lines of the next `length` bytes.
    fn stands_alone(&self, length: usize) -> bool {
        let blank = |text: Option<&str>| text.is_none_or(|text| text.trim().is_empty());
        blank(self.text[..self.at].rsplit('\n').next()) && blank(self.text[self.at + length..].split('\n').next())
    }

    /// Whether the bracket is an index or belongs to a word: `x[…]`, `f(x)[…]`, `![…]`.
    fn is_index(&self) -> bool {
        let before = self.text[..self.at].chars().next_back();
        before.is_some_and(|before| before.is_alphanumeric() || matches!(before, '_' | ')' | ']' | '!'))
    }
}

#[derive(PartialEq)]
enum Start {
    /// Prose.
    None,
    /// Maybe a document, maybe prose: an array of numbers, something empty.
    Maybe,
    /// Meant as a document, whether it turns out to be JSON or not.
    Document,
}

/// What a text looks like that starts with a bracket.
fn starts_document(text: &str, kind: Kind) -> Start {
    let inner = text[1..].trim_start();
    let first = inner.chars().next();
    match (kind, first) {
        (Kind::Object, Some('}')) | (Kind::Array, Some(']')) => Start::Maybe,
        (Kind::Object, None) => Start::Document,
        (Kind::Object, Some('"' | '\'')) => Start::Document,
        (Kind::Object, Some(_)) if is_bare_key(inner) => Start::Document,
        (Kind::Array, Some('{' | '[' | '"')) => Start::Document,
        (Kind::Array, Some('-' | '0'..='9' | 't' | 'f' | 'n')) => Start::Maybe,
        _ => Start::None,
    }
}

/// Whether a text starts like a member without quotes, as JavaScript has it: `a: 1`.
fn is_bare_key(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
    end.is_some_and(|end| end > 0 && text[end..].trim_start().starts_with(':'))
}

/// Bytes up to the bracket that closes the first one, strings aside; `None` if none does.
fn balanced(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}
