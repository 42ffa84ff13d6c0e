//! Calls, filters and tests.

use super::Parser;
use crate::ast::{Arguments, Call, Expr, Filter, Unary};
use crate::fault::{Fault, Result};
use crate::lexer::Token;
use crate::{checks, filters};
use std::rc::Rc;

impl Parser {
    pub(super) fn call(&mut self, callee: Expr) -> Result<Expr> {
        let line = self.line();
        let arguments = self.arguments()?;
        Ok(Expr::Call(Box::new(Call { callee, arguments, line })))
    }

    pub(super) fn arguments(&mut self) -> Result<Arguments> {
        self.expect_op("(")?;
        let mut arguments = Arguments::default();
        let mut first = true;
        while !self.is_op(")") {
            if !first {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            first = false;
            self.argument(&mut arguments)?;
        }
        self.expect_op(")")?;
        Ok(arguments)
    }

    pub(super) fn argument(&mut self, arguments: &mut Arguments) -> Result<()> {
        let wrong = "wrong order of arguments in a call";
        if self.skip_op("**") {
            if arguments.more_named.is_some() {
                return Err(self.fail(wrong));
            }
            arguments.more_named = Some(self.expression()?);
            return Ok(());
        }
        if self.skip_op("*") {
            if arguments.more.is_some() || arguments.more_named.is_some() {
                return Err(self.fail(wrong));
            }
            arguments.more = Some(self.expression()?);
            return Ok(());
        }
        let named = matches!(self.tokens.get(self.at + 1), Some((Token::Op("="), _)));
        if let (Token::Name(name), true) = (self.token().clone(), named) {
            if arguments.more_named.is_some() {
                return Err(self.fail(wrong));
            }
            if arguments.named.iter().any(|(known, _)| **known == *name) {
                return Err(self.fail(format!("the argument `{name}` is repeated")));
            }
            self.next();
            self.next();
            let value = self.expression()?;
            arguments.named.push((name.into(), value));
            return Ok(());
        }
        if !arguments.named.is_empty() || arguments.more.is_some() || arguments.more_named.is_some() {
            return Err(self.fail(wrong));
        }
        arguments.positional.push(self.expression()?);
        Ok(())
    }

    /// A name with dots.
    pub(super) fn dotted(&mut self) -> Result<Rc<str>> {
        let mut name = self.expect_name()?;
        while self.skip_op(".") {
            name = format!("{name}.{}", self.expect_name()?);
        }
        Ok(name.into())
    }

    pub(super) fn filter(&mut self, input: Expr) -> Result<Expr> {
        self.expect_op("|")?;
        self.filter_name(input)
    }

    /// A filter after its bar, which a filter block has not.
    pub(super) fn filter_name(&mut self, input: Expr) -> Result<Expr> {
        let line = self.line();
        let name = self.dotted()?;
        if !filters::exists(&name) {
            self.unknown.push((format!("unknown filter `{name}`"), line));
        }
        if self.plain && &*name == "tojson" {
            return Err(Fault::unsupported("`tojson`, which writes HTML here, is not supported").at(line));
        }
        let arguments = if self.is_op("(") { self.arguments()? } else { Arguments::default() };
        Ok(Expr::Filter(Box::new(Filter { input, name, arguments, line })))
    }

    pub(super) fn test(&mut self, input: Expr) -> Result<Expr> {
        let line = self.line();
        self.next();
        let negated = self.skip_name("not");
        let name = self.dotted()?;
        if !checks::exists(&name) {
            self.unknown.push((format!("unknown test `{name}`"), line));
        }
        let arguments = self.test_arguments()?;
        let test = Expr::Test(Box::new(Filter { input, name, arguments, line }));
        Ok(if negated { Expr::Unary(Unary::Not, Box::new(test)) } else { test })
    }

    pub(super) fn test_arguments(&mut self) -> Result<Arguments> {
        if self.is_op("(") {
            return self.arguments();
        }
        let starts = match self.token() {
            Token::Name(name) => !matches!(name.as_str(), "else" | "or" | "and"),
            Token::Text(_) | Token::Int(_) | Token::Float(_) | Token::Op("[" | "{") => true,
            _ => false,
        };
        if !starts {
            return Ok(Arguments::default());
        }
        if self.is_name("is") {
            return Err(self.fail("tests cannot be chained with `is`"));
        }
        let value = self.primary()?;
        let value = self.postfix(value)?;
        Ok(Arguments { positional: vec![value], ..Arguments::default() })
    }
}
