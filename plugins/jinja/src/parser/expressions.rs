//! Expressions.

use super::Parser;
use crate::ast::{Binary, Compare, Expr, Unary};
use crate::fault::Result;
use crate::lexer::Token;
use crate::value::Value;

impl Parser {
    /// An expression; `a if b else c` is one.
    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.deeper(Self::conditional)
    }

    /// An expression, or several with commas between them, which are a tuple.
    pub(super) fn tuple(&mut self, conditional: bool, end: &[&str], parenthesised: bool) -> Result<Expr> {
        let (mut items, mut is_tuple) = (Vec::new(), false);
        loop {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.ends_tuple(end) {
                break;
            }
            items.push(if conditional { self.expression()? } else { self.deeper(Self::or)? });
            if !self.is_op(",") {
                break;
            }
            is_tuple = true;
        }
        match (is_tuple, items.pop()) {
            (false, Some(item)) => Ok(item),
            (false, None) if !parenthesised => Err(self.unexpected("an expression")),
            (_, last) => {
                items.extend(last);
                Ok(Expr::Tuple(items))
            }
        }
    }

    fn ends_tuple(&self, end: &[&str]) -> bool {
        matches!(self.token(), Token::PrintEnd | Token::BlockEnd | Token::Op(")"))
            || end.iter().any(|name| self.is_name(name))
    }

    fn conditional(&mut self) -> Result<Expr> {
        let before = self.unknown.len();
        let mut value = self.or()?;
        while self.skip_name("if") {
            let test = self.or()?;
            let otherwise = match self.skip_name("else") {
                true => Some(self.deeper(Self::conditional)?),
                false => None,
            };
            self.unknown.truncate(before);
            value = Expr::If(Box::new((test, value, otherwise)));
        }
        Ok(value)
    }

    pub(super) fn or(&mut self) -> Result<Expr> {
        let mut left = self.and()?;
        while self.skip_name("or") {
            left = Expr::Or(Box::new((left, self.and()?)));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let mut left = self.not()?;
        while self.skip_name("and") {
            left = Expr::And(Box::new((left, self.not()?)));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr> {
        match self.skip_name("not") {
            true => Ok(Expr::Unary(Unary::Not, Box::new(self.deeper(Self::not)?))),
            false => self.compare(),
        }
    }

    fn compare(&mut self) -> Result<Expr> {
        let left = self.sum()?;
        let mut more = Vec::new();
        while let Some(compare) = self.comparison() {
            more.push((compare, self.sum()?));
        }
        Ok(if more.is_empty() { left } else { Expr::Compare(Box::new(left), more) })
    }

    fn comparison(&mut self) -> Option<Compare> {
        let operators = [
            ("==", Compare::Equal),
            ("!=", Compare::Unequal),
            ("<=", Compare::LessOrEqual),
            (">=", Compare::GreaterOrEqual),
            ("<", Compare::Less),
            (">", Compare::Greater),
        ];
        if let Some((_, compare)) = operators.into_iter().find(|(op, _)| self.is_op(op)) {
            self.next();
            return Some(compare);
        }
        if self.skip_name("in") {
            return Some(Compare::In);
        }
        let follows = matches!(self.tokens.get(self.at + 1), Some((Token::Name(name), _)) if name == "in");
        if self.is_name("not") && follows {
            self.next();
            self.next();
            return Some(Compare::NotIn);
        }
        None
    }

    fn sum(&mut self) -> Result<Expr> {
        self.binary(Self::concat, &[("+", Binary::Add), ("-", Binary::Subtract)])
    }

    fn concat(&mut self) -> Result<Expr> {
        let first = self.product()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip_op("~") {
            parts.push(self.product()?);
        }
        Ok(Expr::Concat(parts))
    }

    fn product(&mut self) -> Result<Expr> {
        let operators =
            [("*", Binary::Multiply), ("/", Binary::Divide), ("//", Binary::FloorDivide), ("%", Binary::Remainder)];
        self.binary(Self::power, &operators)
    }

    fn power(&mut self) -> Result<Expr> {
        self.binary(|parser| parser.unary(true), &[("**", Binary::Power)])
    }

    fn binary(&mut self, operand: impl Fn(&mut Self) -> Result<Expr>, known: &[(&str, Binary)]) -> Result<Expr> {
        let mut left = operand(self)?;
        while let Some((_, binary)) = known.iter().find(|(op, _)| self.is_op(op)) {
            self.next();
            left = Expr::Binary(*binary, Box::new((left, operand(self)?)));
        }
        Ok(left)
    }

    fn unary(&mut self, with_filters: bool) -> Result<Expr> {
        let value = if self.skip_op("-") {
            Expr::Unary(Unary::Minus, Box::new(self.deeper(|parser| parser.unary(false))?))
        } else if self.skip_op("+") {
            Expr::Unary(Unary::Plus, Box::new(self.deeper(|parser| parser.unary(false))?))
        } else {
            self.primary()?
        };
        let value = self.postfix(value)?;
        if with_filters { self.filters_and_tests(value) } else { Ok(value) }
    }

    pub(super) fn primary(&mut self) -> Result<Expr> {
        match self.token().clone() {
            Token::Name(name) => {
                self.next();
                Ok(match name.as_str() {
                    "true" | "True" => Expr::Const(Value::Bool(true)),
                    "false" | "False" => Expr::Const(Value::Bool(false)),
                    "none" | "None" => Expr::Const(Value::None),
                    _ => {
                        let name = self.names.number(&name);
                        self.mentioned.push(name);
                        Expr::Name(name)
                    }
                })
            }
            Token::Text(mut text) => {
                self.next();
                while let Token::Text(more) = self.token() {
                    text.push_str(more);
                    self.next();
                }
                Ok(Expr::Const(Value::text(text)))
            }
            Token::Int(number) => {
                self.next();
                Ok(Expr::Const(Value::Int(number)))
            }
            Token::Float(number) => {
                self.next();
                Ok(Expr::Const(Value::Float(number)))
            }
            Token::Op("(") => {
                self.next();
                let value = self.tuple(true, &[], true)?;
                self.expect_op(")")?;
                Ok(value)
            }
            Token::Op("[") => {
                self.next();
                Ok(Expr::List(self.separated("]", Self::expression)?))
            }
            Token::Op("{") => {
                self.next();
                let entry = |parser: &mut Self| {
                    let key = parser.expression()?;
                    parser.expect_op(":")?;
                    Ok((key, parser.expression()?))
                };
                Ok(Expr::Dict(self.separated("}", entry)?))
            }
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// Items with commas between them up to a bracket.
    fn separated<T>(&mut self, end: &str, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = Vec::new();
        while !self.is_op(end) {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.is_op(end) {
                break;
            }
            items.push(item(self)?);
        }
        self.expect_op(end)?;
        Ok(items)
    }

    pub(super) fn postfix(&mut self, mut value: Expr) -> Result<Expr> {
        loop {
            value = match self.token() {
                Token::Op("." | "[") => self.subscript(value)?,
                Token::Op("(") => self.call(value)?,
                _ => return Ok(value),
            };
        }
    }

    fn filters_and_tests(&mut self, mut value: Expr) -> Result<Expr> {
        loop {
            value = match self.token() {
                Token::Op("|") => self.filter(value)?,
                Token::Name(name) if name == "is" => self.test(value)?,
                Token::Op("(") => self.call(value)?,
                _ => return Ok(value),
            };
        }
    }

    fn subscript(&mut self, value: Expr) -> Result<Expr> {
        if self.skip_op(".") {
            return match self.next() {
                Token::Name(name) => Ok(Expr::Attribute(Box::new(value), name.into())),
                Token::Int(number) => Ok(Expr::Item(Box::new((value, Expr::Const(Value::Int(number)))))),
                _ => Err(self.fail("expected a name or a number after `.`")),
            };
        }
        self.expect_op("[")?;
        let mut items = Vec::new();
        while !self.is_op("]") {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            items.push(self.subscribed()?);
        }
        self.expect_op("]")?;
        match items.len() {
            0 => Err(self.fail("an index is missing")),
            1 => Ok(Expr::Item(Box::new((value, items.remove(0))))),
            _ => Ok(Expr::Item(Box::new((value, Expr::Tuple(items))))),
        }
    }

    fn subscribed(&mut self) -> Result<Expr> {
        let mut parts = [None, None, None];
        if !self.is_op(":") {
            let first = self.expression()?;
            if !self.is_op(":") {
                return Ok(first);
            }
            parts[0] = Some(first);
        }
        self.expect_op(":")?;
        let ends = |parser: &Self| parser.is_op("]") || parser.is_op(",");
        if !ends(self) && !self.is_op(":") {
            parts[1] = Some(self.expression()?);
        }
        if self.skip_op(":") && !ends(self) {
            parts[2] = Some(self.expression()?);
        }
        Ok(Expr::Slice(Box::new(parts)))
    }
}
