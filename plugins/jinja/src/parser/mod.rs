//! Tokens to a template, by Jinja's grammar.

mod calls;
mod expressions;
mod statements;

use crate::ast::{Block, Name, Names, Template};
use crate::fault::{Fault, Result};
use crate::lexer::{self, Token};
use std::collections::HashMap;
use std::rc::Rc;

/// How deep expressions and blocks may be nested.
const DEPTH: usize = 100;

pub struct Parser {
    /// Whether it is read by [`parse_plain`].
    plain: bool,
    tokens: Vec<(Token, usize)>,
    at: usize,
    names: Names,
    blocks: HashMap<Rc<str>, Rc<Block>>,
    marks_generation: bool,
    /// Whether `break` and `continue` have a loop.
    in_loop: bool,
    depth: usize,
    /// Filters and tests that do not exist. Jinja takes them where a condition may keep them from being used.
    unknown: Vec<(String, usize)>,
    /// The names mentioned, first to last: a macro looks for `varargs`, `kwargs` and `caller` among them.
    mentioned: Vec<Name>,
}

/// Reads a template.
pub fn parse(source: &str) -> Result<Template> {
    read(source, false)
}

/// Reads a template as an environment of Jinja's with `StrictUndefined` and `keep_trailing_newline` has it: whitespace
/// stays, an undefined value serves only to ask whether it is defined, and there is nothing of `transformers`' own.
/// A few uses of undefined values that Jinja would let pass are refused.
pub fn parse_plain(source: &str) -> Result<Template> {
    read(source, true)
}

fn read(source: &str, plain: bool) -> Result<Template> {
    let mut parser = Parser {
        plain,
        tokens: lexer::tokens(source, plain)?,
        at: 0,
        names: Names::default(),
        blocks: HashMap::new(),
        marks_generation: false,
        in_loop: false,
        depth: 0,
        unknown: Vec::new(),
        mentioned: Vec::new(),
    };
    let body = parser.hard(|parser| parser.body(&[]))?;
    let Parser { names, blocks, marks_generation, .. } = parser;
    Ok(Template { body, names, blocks, marks_generation, plain })
}

impl Parser {
    fn token(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn line(&self) -> usize {
        self.tokens[self.at].1
    }

    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].0.clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn is_op(&self, op: &str) -> bool {
        matches!(self.token(), Token::Op(known) if *known == op)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.token(), Token::Name(known) if known == name)
    }

    fn skip_op(&mut self, op: &str) -> bool {
        let found = self.is_op(op);
        if found {
            self.next();
        }
        found
    }

    fn skip_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        if found {
            self.next();
        }
        found
    }

    fn expect_op(&mut self, op: &str) -> Result<()> {
        match self.skip_op(op) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("`{op}`"))),
        }
    }

    fn expect_name(&mut self) -> Result<String> {
        match self.token() {
            Token::Name(_) => match self.next() {
                Token::Name(name) => Ok(name),
                _ => Err(self.fail("a name is missing")),
            },
            _ => Err(self.unexpected("a name")),
        }
    }

    fn expect(&mut self, token: &Token) -> Result<()> {
        match self.token() == token {
            true => {
                self.next();
                Ok(())
            }
            false => Err(self.unexpected(&token.describe())),
        }
    }

    fn unexpected(&self, expected: &str) -> Fault {
        self.fail(format!("unexpected {}, expected {expected}", self.token().describe()))
    }

    fn fail(&self, message: impl Into<String>) -> Fault {
        Fault::syntax(message, self.line())
    }

    /// Reads one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEPTH {
            return Err(self.fail(format!("more than {DEPTH} levels are nested")));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Reads something where every filter and test must exist.
    fn hard<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = self.unknown.len();
        let read = read(self)?;
        match self.unknown.get(before) {
            Some((what, line)) => Err(Fault::syntax(what.clone(), *line)),
            None => Ok(read),
        }
    }

    /// Reads something where filters and tests need not exist, as a condition may keep them from being used.
    fn soft<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = self.unknown.len();
        let read = read(self);
        self.unknown.truncate(before);
        read
    }
}
