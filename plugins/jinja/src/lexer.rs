//! Text to tokens, with Jinja's rules for whitespace: `trim_blocks` and `lstrip_blocks` are on, as in `transformers`, and off
//! in plain templates.

mod literals;

use crate::fault::{Fault, Result};
use crate::python::{is_space, trim_end};
use literals::{number, quoted, unescape};

#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Data(String),
    PrintBegin,
    PrintEnd,
    BlockBegin,
    BlockEnd,
    Name(String),
    Text(String),
    Int(i128),
    Float(f64),
    Op(&'static str),
    End,
}

impl Token {
    /// How it is called in an error.
    pub fn describe(&self) -> String {
        match self {
            Self::Data(_) => "template text".into(),
            Self::PrintBegin => "`{{`".into(),
            Self::PrintEnd => "the end of the print statement".into(),
            Self::BlockBegin => "`{%`".into(),
            Self::BlockEnd => "the end of the statement block".into(),
            Self::Name(name) => format!("`{name}`"),
            Self::Text(text) => format!("the text {text:?}"),
            Self::Int(number) => format!("`{number}`"),
            Self::Float(number) => format!("`{number}`"),
            Self::Op(op) => format!("`{op}`"),
            Self::End => "the end of the template".into(),
        }
    }
}

/// Longest first.
const OPERATORS: [&str; 25] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",",
];

/// Every token with its line.
pub fn tokens(source: &str, plain: bool) -> Result<Vec<(Token, usize)>> {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let source = source.strip_suffix('\n').filter(|_| !plain).unwrap_or(&source);
    let mut lexer = Lexer { source, plain, at: 0, line: 1, counted: 0, line_starting: true, tokens: Vec::new() };
    lexer.root()?;
    let line = lexer.line_at(source.len());
    lexer.tokens.push((Token::End, line));
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    source: &'a str,
    /// Whether whitespace around tags stays.
    plain: bool,
    at: usize,
    line: usize,
    counted: usize,
    /// Whether what was read last ended a line.
    line_starting: bool,
    tokens: Vec<(Token, usize)>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.source[self.at..]
    }

    /// The line of a place that is not before the last one asked for.
    fn line_at(&mut self, at: usize) -> usize {
        if at >= self.counted {
            self.line += self.source[self.counted..at].matches('\n').count();
            self.counted = at;
        }
        self.line
    }

    fn push(&mut self, token: Token) {
        let line = self.line_at(self.at);
        self.tokens.push((token, line));
    }

    fn root(&mut self) -> Result<()> {
        while self.at < self.source.len() {
            let rest = self.rest();
            let Some(begin) = ["{{", "{%", "{#"].iter().filter_map(|tag| rest.find(tag)).min() else {
                self.push(Token::Data(rest.to_owned()));
                self.at = self.source.len();
                break;
            };
            let tag = &rest[begin..];
            let (sign, width) = sign(&tag[2..]);
            self.data(&rest[..begin], sign, tag.starts_with("{{"));
            self.at += begin;
            match raw_begin(tag) {
                Some(length) => self.raw(length)?,
                None if tag.starts_with("{#") => self.comment(2 + width)?,
                None => self.tag(2 + width)?,
            }
        }
        Ok(())
    }

    /// Text before a tag, without what the tag's sign and `lstrip_blocks` take off its end.
    fn data(&mut self, text: &str, sign: Option<char>, prints: bool) {
        let kept = match sign {
            Some('-') => trim_end(text),
            Some(_) => text,
            None if prints || self.plain => text,
            None => {
                let line = text.rfind('\n').map_or(0, |at| at + 1);
                let whole = line > 0 || self.line_starting;
                if whole && text.len() > line && text[line..].chars().all(is_space) { &text[..line] } else { text }
            }
        };
        if !kept.is_empty() {
            self.push(Token::Data(kept.to_owned()));
        }
    }

    /// Goes on by so many bytes.
    fn skip(&mut self, length: usize) {
        self.line_starting = self.rest()[..length].ends_with('\n');
        self.at += length;
    }

    fn comment(&mut self, begin: usize) -> Result<()> {
        let line = self.line_at(self.at);
        self.skip(begin);
        let rest = self.rest();
        let end = rest.find("#}").ok_or_else(|| Fault::syntax("a comment is not ended", line))?;
        let signed = end > 0 && rest[..end].ends_with(['-', '+']);
        let start = end - usize::from(signed);
        self.skip(start);
        self.skip(tag_end(self.rest(), "#}", true, self.plain).unwrap_or(2));
        Ok(())
    }

    fn raw(&mut self, begin: usize) -> Result<()> {
        let line = self.line_at(self.at);
        self.skip(begin);
        let rest = self.rest();
        let ends =
            rest.match_indices("{%").find_map(|(at, _)| raw_end(&rest[at..], self.plain).map(|length| (at, length)));
        let (end, length) = ends.ok_or_else(|| Fault::syntax("`raw` is not ended", line))?;
        let (sign, _) = sign(&rest[end + 2..]);
        self.data(&rest[..end], sign, false);
        self.at += end;
        self.skip(length);
        Ok(())
    }

    /// A print statement or a block, with its delimiters.
    fn tag(&mut self, begin: usize) -> Result<()> {
        let prints = self.rest().starts_with("{{");
        self.push(if prints { Token::PrintBegin } else { Token::BlockBegin });
        self.skip(begin);
        let mut open: Vec<&str> = Vec::new();
        loop {
            let rest = self.rest();
            if open.is_empty() {
                let end = if prints { "}}" } else { "%}" };
                if let Some(length) = tag_end(rest, end, !prints, self.plain) {
                    self.push(if prints { Token::PrintEnd } else { Token::BlockEnd });
                    self.skip(length);
                    return Ok(());
                }
            }
            let space = rest.len() - rest.trim_start_matches(is_space).len();
            if space > 0 {
                self.skip(space);
                continue;
            }
            if rest.is_empty() {
                // The parser says what is missing.
                return Ok(());
            }
            let (token, length) = self.token(rest)?;
            if let Token::Op(op) = token {
                self.balance(&mut open, op)?;
            }
            self.push(token);
            self.skip(length);
        }
    }

    fn balance(&mut self, open: &mut Vec<&str>, op: &'static str) -> Result<()> {
        match op {
            "{" => open.push("}"),
            "(" => open.push(")"),
            "[" => open.push("]"),
            "}" | ")" | "]" => {
                let line = self.line_at(self.at);
                match open.pop() {
                    Some(expected) if expected == op => {}
                    Some(expected) => {
                        return Err(Fault::syntax(format!("unexpected `{op}`, expected `{expected}`"), line));
                    }
                    None => return Err(Fault::syntax(format!("unexpected `{op}`"), line)),
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn token(&mut self, rest: &str) -> Result<(Token, usize)> {
        let line = self.line_at(self.at);
        let first = rest.chars().next().unwrap_or(' ');
        if first.is_ascii_digit() {
            let after_dot = self.source[..self.at].ends_with('.');
            return number(rest, after_dot).map_err(|fault| fault.at(line));
        }
        if first == '_' || first.is_alphanumeric() {
            let length = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
            return Ok((Token::Name(rest[..length].to_owned()), length));
        }
        if first == '\'' || first == '"' {
            let length = quoted(rest).ok_or_else(|| Fault::syntax("a text is not ended", line))?;
            let text = unescape(&rest[1..length - 1]).map_err(|fault| fault.at(line))?;
            return Ok((Token::Text(text), length));
        }
        match OPERATORS.iter().find(|op| rest.starts_with(**op)) {
            Some(op) => Ok((Token::Op(op), op.len())),
            None => Err(Fault::syntax(format!("unexpected character {first:?}"), line)),
        }
    }
}

/// A tag's whitespace control and its length.
fn sign(text: &str) -> (Option<char>, usize) {
    let sign = text.chars().next().filter(|sign| matches!(sign, '-' | '+'));
    (sign, usize::from(sign.is_some()))
}

/// The length of a tag's end with the whitespace that it takes along. `+` is no end of a print statement.
fn tag_end(text: &str, end: &str, block: bool, plain: bool) -> Option<usize> {
    if let Some(after) = text.strip_prefix('-').and_then(|text| text.strip_prefix(end)) {
        return Some(text.len() - after.trim_start_matches(is_space).len());
    }
    if block && text.strip_prefix('+').is_some_and(|text| text.starts_with(end)) {
        return Some(3);
    }
    let after = text.strip_prefix(end)?;
    Some(2 + usize::from(block && !plain && after.starts_with('\n')))
}

/// The length of `{% raw %}`. It takes no line break along.
fn raw_begin(tag: &str) -> Option<usize> {
    let rest = keyword(tag, "raw")?;
    if let Some(after) = rest.strip_prefix("-%}") {
        return Some(tag.len() - after.trim_start_matches(is_space).len());
    }
    rest.strip_prefix("%}").map(|after| tag.len() - after.len())
}

fn raw_end(tag: &str, plain: bool) -> Option<usize> {
    let rest = keyword(tag, "endraw")?;
    tag_end(rest, "%}", true, plain).map(|length| tag.len() - rest.len() + length)
}

/// What follows `{%`, a sign, a word and spaces.
fn keyword<'a>(tag: &'a str, word: &str) -> Option<&'a str> {
    let rest = tag.strip_prefix("{%")?;
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    let rest = rest.trim_start_matches(is_space).strip_prefix(word)?;
    Some(rest.trim_start_matches(is_space))
}
