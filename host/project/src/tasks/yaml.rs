//! YAML as PyYAML reads it, with the line of every node. What YAML 1.1 reads in a way that few writers mean (`010`, `1:30`,
//! dates) is refused, as are anchors and tags; `!function` is kept, so that the key that has it is named.

use super::scalar;
use super::value::{Node, Yaml, refuse};
use diapason_core::{Error, Result};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use std::borrow::Cow;

/// How deep lists and mappings may be nested.
const DEPTH: usize = 32;

/// The document of `text`.
///
/// # Errors
/// It is no YAML, has several documents, or has something that is refused; the message begins with the line.
pub(super) fn parse(text: &str) -> Result<Node> {
    if let Some(at) = text.find(['\u{85}', '\u{2028}', '\u{2029}']) {
        let line = 1 + text[..at].matches('\n').count();
        return Err(refuse(line, "a line separator that is no line feed", "write `\\u2028` in double quotes"));
    }
    let mut reader = Reader { parser: Parser::new_from_str(text), depth: 0 };
    reader.document()
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    depth: usize,
}

type Found<'a> = (Event<'a>, usize);

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Node> {
        let mut root = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, line) => {
                    let empty = || refuse(line, "there is nothing", "write the task's keys, such as `output_type`");
                    return root.ok_or_else(empty);
                }
                (Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing, _) => {}
                (_, line) if root.is_some() => {
                    return Err(refuse(line, "a second document", "a task is one document: remove what follows `---`"));
                }
                found => root = Some(self.node(found)?),
            }
        }
    }

    fn next(&mut self) -> Result<Found<'a>> {
        match self.parser.next_event() {
            Some(Ok((event, Span { start, .. }))) => Ok((event, start.line())),
            Some(Err(error)) => Err(refuse(error.marker().line(), error.info(), "this is no YAML")),
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    fn node(&mut self, (event, line): Found<'a>) -> Result<Node> {
        let value = match event {
            Event::Scalar(text, style, 0, tag) => scalar_of(text, style, tag, line)?,
            Event::SequenceStart(0, None) => self.deeper(line, Self::list)?,
            Event::MappingStart(0, None) => self.deeper(line, Self::map)?,
            Event::SequenceStart(0, Some(tag)) | Event::MappingStart(0, Some(tag)) => return Err(tagged(&tag, line)),
            _ => return Err(refuse(line, "an anchor or an alias", "write out what it stands for")),
        };
        Ok(Node { value, line })
    }

    fn deeper(&mut self, line: usize, read: fn(&mut Self) -> Result<Yaml>) -> Result<Yaml> {
        if self.depth == DEPTH {
            return Err(refuse(line, &format!("more than {DEPTH} levels are nested"), "no task needs as many"));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn list(&mut self) -> Result<Yaml> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Yaml::List(items)),
                found => items.push(self.node(found)?),
            }
        }
    }

    fn map(&mut self) -> Result<Yaml> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        loop {
            let (key, line) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Yaml::Map(entries)),
                (Event::Scalar(key, style, 0, None), line) => (key_of(key, style, line)?, line),
                (_, line) => return Err(refuse(line, "a key that is no plain text", "keys are names")),
            };
            if entries.iter().any(|(known, _)| *known == key) {
                return Err(refuse(line, &format!("`{key}` stands twice"), "keep one of them: readers take the last"));
            }
            let found = self.next()?;
            let value = self.node(found)?;
            entries.push((key, value));
        }
    }
}

/// A key. One that is no text without quotes, such as `on`, is no key that anybody means.
fn key_of(key: Cow<'_, str>, style: ScalarStyle, line: usize) -> Result<String> {
    if key == "<<" {
        return Err(refuse(line, "a merge (`<<`)", "write out what it stands for"));
    }
    match if style == ScalarStyle::Plain { scalar::plain(&key, line)? } else { Yaml::Text(key.into_owned()) } {
        Yaml::Text(key) => Ok(key),
        Yaml::Int(number) => Ok(number.to_string()),
        _ => Err(refuse(line, "a key that is no plain text", "put it in quotes")),
    }
}

fn scalar_of(text: Cow<'_, str>, style: ScalarStyle, tag: Option<Cow<'_, Tag>>, line: usize) -> Result<Yaml> {
    match tag {
        Some(tag) if tag.handle == "!" && tag.suffix == "function" => Ok(Yaml::Function(text.into_owned())),
        Some(tag) => Err(tagged(&tag, line)),
        None if style == ScalarStyle::Plain => scalar::plain(&text, line),
        None => Ok(Yaml::Text(text.into_owned())),
    }
}

fn tagged(tag: &Tag, line: usize) -> Error {
    refuse(line, &format!("the tag `{}{}`", tag.handle, tag.suffix), "only values of YAML's own types are read")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shown(node: &Node) -> serde_json::Value {
        super::super::node::json(node).unwrap()
    }

    /// What PyYAML makes of each: `tests/oracles/task_yaml.py`.
    #[test]
    fn documents_are_read_as_pyyaml_reads_them() {
        let golden: Vec<(String, serde_json::Value)> = serde_json::from_str(include_str!("golden/yaml.json")).unwrap();
        for (text, expected) in golden {
            match parse(&text) {
                Ok(node) => assert_eq!(shown(&node), expected, "{text}"),
                Err(error) => assert!(error.hint_text().is_some(), "{text}"),
            }
        }
    }

    #[test]
    fn what_is_read_in_two_ways_is_refused_with_its_line() {
        for (text, part) in [
            ("a: 1\nb: 010", "line 2: `010`"),
            ("a: 1:30", "line 1: `1:30`"),
            ("a: 2020-01-01", "`2020-01-01`"),
            ("a: 0x1f", "`0x1f`"),
            ("a: 1_000", "`1_000`"),
            ("a: .inf", "`.inf`"),
            ("a: &x 1\nb: *x", "an anchor"),
            ("a: !!str 1", "the tag"),
            ("a: 1\na: 2", "line 2: `a` stands twice"),
            ("a: 1\n---\nb: 2", "a second document"),
            ("<<: {a: 1}", "a merge"),
            ("", "there is nothing"),
            ("a: [1", "line"),
            ("? [a]\n: b", "a key that is no plain text"),
            ("on: 1", "a key that is no plain text"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(part), "{part} in {error}");
        }
        let deep = "[".repeat(100);
        assert!(parse(&deep).unwrap_err().to_string().contains("nested"));
    }
}
