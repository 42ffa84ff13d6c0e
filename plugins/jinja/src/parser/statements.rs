//! Statements.

use super::Parser;
use crate::ast::{Block, Body, Expr, For, Macro, Name, Statement, StatementKind, Target};
use crate::fault::Result;
use crate::lexer::Token;
use std::rc::Rc;

impl Parser {
    /// Text, print statements and blocks, up to a block with one of these names, which is left where it is.
    pub(super) fn body(&mut self, ends: &[&str]) -> Result<Body> {
        let mut body = Body::new();
        loop {
            let line = self.line();
            match self.token().clone() {
                Token::Data(text) => {
                    self.next();
                    body.push(Statement { kind: StatementKind::Text(text.into()), line });
                }
                Token::PrintBegin => {
                    self.next();
                    let value = self.tuple(true, &[], false)?;
                    self.expect(&Token::PrintEnd)?;
                    body.push(Statement { kind: StatementKind::Print(vec![value]), line });
                }
                Token::BlockBegin => {
                    self.next();
                    if ends.iter().any(|end| self.is_name(end)) {
                        return Ok(body);
                    }
                    let kind = self.deeper(|parser| parser.statement(ends))?;
                    body.push(Statement { kind, line });
                    self.expect(&Token::BlockEnd)?;
                }
                Token::End if ends.is_empty() => return Ok(body),
                Token::End => {
                    let ends = ends.iter().map(|end| format!("`{end}`")).collect::<Vec<_>>().join(" or ");
                    return Err(self.fail(format!("unexpected end of the template: {ends} is missing")));
                }
                _ => return Err(self.unexpected("text, `{{` or `{%`")),
            }
        }
    }

    /// The body of the block that was just begun; the name that ends it is left where it is.
    fn block_body(&mut self, ends: &[&str]) -> Result<Body> {
        self.skip_op(":");
        self.expect(&Token::BlockEnd)?;
        self.body(ends)
    }

    /// The body of the block that was just begun, and the name that ends it.
    fn last_body(&mut self, end: &str) -> Result<Body> {
        let body = self.block_body(&[end])?;
        self.next();
        Ok(body)
    }

    fn statement(&mut self, ends: &[&str]) -> Result<StatementKind> {
        let Token::Name(name) = self.token().clone() else { return Err(self.unexpected("the name of a tag")) };
        let line = self.line();
        self.next();
        match name.as_str() {
            "for" => self.hard(|parser| parser.for_loop(line)),
            "if" => self.soft(Self::if_block),
            "set" => self.set(),
            "macro" => self.hard(|parser| parser.macro_block(line)),
            "call" => self.hard(|parser| parser.call_block(line)),
            "filter" => self.hard(Self::filter_block),
            "with" => self.hard(Self::with_block),
            "autoescape" => {
                let value = self.expression()?;
                Ok(StatementKind::Autoescape(value, self.last_body("endautoescape")?))
            }
            "block" => self.hard(Self::named_block),
            "generation" => self.hard(Self::generation),
            "print" => self.print(),
            "break" | "continue" if !self.in_loop => Err(self.fail(format!("`{name}` outside a loop"))),
            "break" => Ok(StatementKind::Break),
            "continue" => Ok(StatementKind::Continue),
            "include" | "import" | "from" | "extends" => {
                while !matches!(self.token(), Token::BlockEnd | Token::End) {
                    self.next();
                }
                Ok(StatementKind::Load)
            }
            "endgeneration" if !ends.contains(&"endgeneration") => {
                Err(self.fail("`endgeneration` without `generation`"))
            }
            _ if ends.is_empty() => Err(self.fail(format!("unknown tag `{name}`"))),
            _ => Err(self.fail(format!("unknown tag `{name}`; `{}` is expected before it", ends.join("` or `")))),
        }
    }

    fn print(&mut self) -> Result<StatementKind> {
        let mut values = Vec::new();
        while !matches!(self.token(), Token::BlockEnd) {
            if !values.is_empty() {
                self.expect_op(",")?;
            }
            values.push(self.expression()?);
        }
        Ok(StatementKind::Print(values))
    }

    fn for_loop(&mut self, line: usize) -> Result<StatementKind> {
        let target = self.target(false, Some("in"))?;
        if !self.skip_name("in") {
            return Err(self.unexpected("`in`"));
        }
        let items = self.tuple(false, &["recursive"], false)?;
        let test = if self.skip_name("if") { Some(self.expression()?) } else { None };
        let recursive = self.skip_name("recursive");
        let outer = std::mem::replace(&mut self.in_loop, true);
        let body = self.block_body(&["endfor", "else"]);
        self.in_loop = outer;
        let body = body?;
        let otherwise = match self.expect_name()?.as_str() {
            "else" => self.last_body("endfor")?,
            _ => Body::new(),
        };
        Ok(StatementKind::For(Rc::new(For { target, items, test, recursive, body, otherwise, line })))
    }

    fn if_block(&mut self) -> Result<StatementKind> {
        let mut branches = Vec::new();
        loop {
            let test = self.tuple(false, &[], false)?;
            branches.push((test, self.block_body(&["elif", "else", "endif"])?));
            match self.expect_name()?.as_str() {
                "elif" => {}
                "else" => return Ok(StatementKind::If(branches, self.last_body("endif")?)),
                _ => return Ok(StatementKind::If(branches, Body::new())),
            }
        }
    }

    fn set(&mut self) -> Result<StatementKind> {
        let target = self.target(true, None)?;
        if self.skip_op("=") {
            return Ok(StatementKind::Set(target, self.tuple(true, &[], false)?));
        }
        let mut filter = None;
        while self.is_op("|") {
            filter = Some(self.filter(filter.unwrap_or(Expr::Captured))?);
        }
        let body = self.hard(|parser| parser.last_body("endset"))?;
        Ok(StatementKind::SetBlock(target, filter, body))
    }

    /// What is assigned to: a name, a namespace's field where that is allowed, or several.
    fn target(&mut self, fields: bool, end: Option<&str>) -> Result<Target> {
        let (mut items, mut is_tuple) = (Vec::new(), false);
        loop {
            let ends = matches!(self.token(), Token::BlockEnd | Token::Op(")" | "="))
                || end.is_some_and(|end| self.is_name(end));
            if ends && is_tuple {
                break;
            }
            items.push(self.one_target(fields)?);
            if !self.skip_op(",") {
                break;
            }
            is_tuple = true;
        }
        match items.pop() {
            Some(item) if !is_tuple => Ok(item),
            last => {
                items.extend(last);
                Ok(Target::Tuple(items))
            }
        }
    }

    fn one_target(&mut self, fields: bool) -> Result<Target> {
        if self.skip_op("(") {
            let target = self.deeper(|parser| parser.target(fields, None))?;
            self.expect_op(")")?;
            return Ok(target);
        }
        let name = self.variable()?;
        match fields && self.skip_op(".") {
            true => Ok(Target::Field(name, self.expect_name()?.into())),
            false => Ok(Target::Name(name)),
        }
    }

    /// A name that can be assigned to.
    fn variable(&mut self) -> Result<Name> {
        let name = self.expect_name()?;
        match name.as_str() {
            "true" | "false" | "none" | "True" | "False" | "None" => {
                Err(self.fail(format!("`{name}` cannot be assigned to")))
            }
            _ => Ok(self.names.number(&name)),
        }
    }

    /// Reads the body of a function, in which no loop around it can be left.
    fn function(
        &mut self,
        name: Option<Rc<str>>,
        parameters: Vec<(Name, Option<Expr>)>,
        before: usize,
        line: usize,
        end: &str,
    ) -> Result<Rc<Macro>> {
        let outer = std::mem::replace(&mut self.in_loop, false);
        let body = self.last_body(end);
        self.in_loop = outer;
        let body = body?;
        let known = |parser: &Self, text: &str| {
            let number = parser.names.find(text);
            let own = parameters.iter().any(|(name, _)| Some(*name) == number);
            number.is_some_and(|number| parser.mentioned[before..].contains(&number)) && !own
        };
        let (takes_more, takes_named) = (known(self, "varargs"), known(self, "kwargs"));
        let explicit = parameters.iter().any(|(name, _)| Some(*name) == self.names.find("caller"));
        let takes_caller = explicit || known(self, "caller");
        Ok(Rc::new(Macro { name, parameters, body, takes_more, takes_named, takes_caller, line }))
    }

    fn macro_block(&mut self, line: usize) -> Result<StatementKind> {
        let name = self.variable()?;
        let before = self.mentioned.len();
        let parameters = self.parameters()?;
        let name = self.names.text(name);
        Ok(StatementKind::Macro(self.function(Some(name), parameters, before, line, "endmacro")?))
    }

    fn call_block(&mut self, line: usize) -> Result<StatementKind> {
        let before = self.mentioned.len();
        let parameters = if self.is_op("(") { self.parameters()? } else { Vec::new() };
        let Expr::Call(call) = self.expression()? else { return Err(self.fail("expected a call")) };
        let caller = self.function(None, parameters, before, line, "endcall")?;
        Ok(StatementKind::Call(call, caller))
    }

    fn parameters(&mut self) -> Result<Vec<(Name, Option<Expr>)>> {
        self.expect_op("(")?;
        let mut parameters: Vec<(Name, Option<Expr>)> = Vec::new();
        while !self.is_op(")") {
            if !parameters.is_empty() {
                self.expect_op(",")?;
            }
            let name = self.variable()?;
            let default = if self.skip_op("=") { Some(self.expression()?) } else { None };
            if default.is_none() && parameters.last().is_some_and(|(_, default)| default.is_some()) {
                return Err(self.fail("a parameter without a default follows one with a default"));
            }
            parameters.push((name, default));
        }
        self.expect_op(")")?;
        Ok(parameters)
    }

    fn filter_block(&mut self) -> Result<StatementKind> {
        let mut filter = self.filter_name(Expr::Captured)?;
        while self.is_op("|") {
            filter = self.filter(filter)?;
        }
        Ok(StatementKind::Filter(filter, self.last_body("endfilter")?))
    }

    fn with_block(&mut self) -> Result<StatementKind> {
        let mut variables = Vec::new();
        while !matches!(self.token(), Token::BlockEnd) {
            if !variables.is_empty() {
                self.expect_op(",")?;
            }
            let target = Target::Name(self.variable()?);
            self.expect_op("=")?;
            variables.push((target, self.expression()?));
        }
        Ok(StatementKind::With(variables, self.last_body("endwith")?))
    }

    fn named_block(&mut self) -> Result<StatementKind> {
        let name: Rc<str> = self.expect_name()?.into();
        let scoped = self.skip_name("scoped");
        let required = self.skip_name("required");
        if self.is_op("-") {
            return Err(self.fail("block names have no hyphens"));
        }
        let outer = std::mem::replace(&mut self.in_loop, false);
        let body = self.block_body(&["endblock"]);
        self.in_loop = outer;
        let body = body?;
        self.next();
        self.skip_name(&name);
        let block = Rc::new(Block { name: name.clone(), body, scoped, required });
        if self.blocks.insert(name.clone(), block.clone()).is_some() {
            return Err(self.fail(format!("the block `{name}` is defined twice")));
        }
        Ok(StatementKind::Block(block))
    }

    fn generation(&mut self) -> Result<StatementKind> {
        self.marks_generation = true;
        let line = self.line();
        let outer = std::mem::replace(&mut self.in_loop, false);
        let body = self.last_body("endgeneration");
        self.in_loop = outer;
        let missing = |fault: crate::fault::Fault| match fault
            .message
            .contains("unexpected end of the template: `endgeneration`")
        {
            true => crate::fault::Fault::syntax("`generation` is not ended", line),
            false => fault,
        };
        Ok(StatementKind::Generation(body.map_err(missing)?))
    }
}
