//! A template as it was read.

use crate::value::Value;
use std::collections::HashMap;
use std::rc::Rc;

/// A variable's name, as a number.
pub type Name = u32;

/// All names of a template.
#[derive(Default)]
pub struct Names {
    texts: Vec<Rc<str>>,
    numbers: HashMap<Rc<str>, Name>,
}

impl Names {
    /// The number of a name, a new one where it has none.
    pub fn number(&mut self, text: &str) -> Name {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let (text, number) = (Rc::<str>::from(text), self.texts.len() as Name);
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        number
    }

    /// The number of a name that the template mentions.
    pub fn find(&self, text: &str) -> Option<Name> {
        self.numbers.get(text).copied()
    }

    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    pub fn text(&self, name: Name) -> Rc<str> {
        self.texts[name as usize].clone()
    }
}

/// An expression.
pub enum Expr {
    Const(Value),
    Name(Name),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Unary(Unary, Box<Expr>),
    Binary(Binary, Box<(Expr, Expr)>),
    And(Box<(Expr, Expr)>),
    Or(Box<(Expr, Expr)>),
    Compare(Box<Expr>, Vec<(Compare, Expr)>),
    /// Parts joined with `~`.
    Concat(Vec<Expr>),
    /// Test, value, and value otherwise.
    If(Box<(Expr, Expr, Option<Expr>)>),
    Attribute(Box<Expr>, Rc<str>),
    Item(Box<(Expr, Expr)>),
    Slice(Box<[Option<Expr>; 3]>),
    Call(Box<Call>),
    Filter(Box<Filter>),
    Test(Box<Filter>),
    /// What the body of a filter block wrote.
    Captured,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unary {
    Not,
    Minus,
    Plus,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
}

/// The arguments of a call: positional, named, `*more` and `**named`.
#[derive(Default)]
pub struct Arguments {
    pub positional: Vec<Expr>,
    pub named: Vec<(Rc<str>, Expr)>,
    pub more: Option<Expr>,
    pub more_named: Option<Expr>,
}

pub struct Call {
    pub callee: Expr,
    pub arguments: Arguments,
    pub line: usize,
}

/// A filter or a test.
pub struct Filter {
    pub input: Expr,
    pub name: Rc<str>,
    pub arguments: Arguments,
    pub line: usize,
}

/// What is assigned to.
pub enum Target {
    Name(Name),
    /// A namespace's field.
    Field(Name, Rc<str>),
    Tuple(Vec<Target>),
}

/// A statement and its line.
pub struct Statement {
    pub kind: StatementKind,
    pub line: usize,
}

pub type Body = Vec<Statement>;

pub enum StatementKind {
    Text(Rc<str>),
    Print(Vec<Expr>),
    For(Rc<For>),
    /// Tests with their bodies, and the body where none is true.
    If(Vec<(Expr, Body)>, Body),
    Set(Target, Expr),
    /// Target, what the text is filtered with, and the body.
    SetBlock(Target, Option<Expr>, Body),
    Macro(Rc<Macro>),
    Call(Box<Call>, Rc<Macro>),
    Filter(Expr, Body),
    With(Vec<(Target, Expr)>, Body),
    Autoescape(Expr, Body),
    Block(Rc<Block>),
    Generation(Body),
    Break,
    Continue,
    /// `include`, `import`, `from` and `extends`, for which there are no other templates.
    Load,
}

pub struct For {
    pub target: Target,
    pub items: Expr,
    pub test: Option<Expr>,
    pub recursive: bool,
    pub body: Body,
    pub otherwise: Body,
    pub line: usize,
}

pub struct Macro {
    /// None is the body of a call block.
    pub name: Option<Rc<str>>,
    pub parameters: Vec<(Name, Option<Expr>)>,
    pub body: Body,
    /// Whether its body mentions `varargs`, `kwargs` and `caller`.
    pub takes_more: bool,
    pub takes_named: bool,
    pub takes_caller: bool,
    pub line: usize,
}

pub struct Block {
    pub name: Rc<str>,
    pub body: Body,
    /// Whether it sees the variables around it.
    pub scoped: bool,
    pub required: bool,
}

/// A whole template.
pub struct Template {
    /// Its statements.
    pub body: Body,
    /// The names that it mentions.
    pub names: Names,
    /// Its blocks by their names.
    pub blocks: HashMap<Rc<str>, Rc<Block>>,
    /// Whether it has `{% generation %}` blocks.
    pub marks_generation: bool,
    /// Whether it was read by [`parse_plain`](crate::parse_plain).
    pub plain: bool,
}
