//! `str.format`: fields in braces, and Python's language of format specifications.

use crate::arguments::Given;
use crate::escape::escape_text;
use crate::fault::{Fault, Result};
use crate::interpreter::Interpreter;
use crate::methods::padded;
use crate::numbers;
use crate::operators::check_size;
use crate::python;
use crate::show;
use crate::value::Value;

/// The arguments of one `format`, and the number of the next field without a name.
struct Fields<'a> {
    interpreter: &'a Interpreter<'a>,
    given: Given,
    next: usize,
    safe: bool,
}

/// Fills the fields of `text`, which `value` is: in safe text what is filled in is escaped.
pub fn format(interpreter: &Interpreter<'_>, value: &Value, text: &str, given: Given) -> Result<String> {
    let safe = matches!(value, Value::Markup(_));
    Fields { interpreter, given, next: 0, safe }.fill(text, 2)
}

impl Fields<'_> {
    fn fill(&mut self, text: &str, depth: usize) -> Result<String> {
        if depth == 0 && text.contains('{') {
            return Err(Fault::value("Max string recursion exceeded"));
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            self.interpreter.spend(1)?;
            out.push_str(&rest[..at]);
            let brace = &rest[at..at + 1];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                out.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(Fault::value("Single '}' encountered in format string"));
            }
            let end = closing(rest).ok_or_else(|| Fault::value("expected '}' before end of string"))?;
            out.push_str(&self.field(&rest[..end], depth)?);
            rest = &rest[end + 1..];
            check_size(out.len())?;
        }
        Ok(out + rest)
    }

    fn field(&mut self, field: &str, depth: usize) -> Result<String> {
        let bracket = field.find('[').unwrap_or(field.len());
        let after = field.find(']').filter(|end| *end > bracket).unwrap_or(0);
        let split = field[after..].find([':', '!']).map_or(field.len(), |at| after + at);
        let (name, mut rest) = field.split_at(split);
        let mut value = self.lookup(name)?;
        if let Some(conversion) = rest.strip_prefix('!') {
            let (kind, after) = conversion.split_at(conversion.find(':').unwrap_or(conversion.len()));
            rest = after;
            value = match kind {
                "s" => Value::text(show::text(&value)?.into_owned()),
                "r" => Value::text(show::repr(&value)?),
                "a" => return Err(Fault::unsupported("the conversion `!a` is not supported")),
                _ => return Err(Fault::value(format!("unknown conversion specifier '{kind}'"))),
            };
        }
        let spec = self.fill(rest.strip_prefix(':').unwrap_or(rest), depth.saturating_sub(1))?;
        let text = format_value(&value, &spec)?;
        Ok(if self.safe && !matches!(value, Value::Markup(_)) { escape_text(&text) } else { text })
    }

    /// A field's value: a number or a name, with attributes and items.
    fn lookup(&mut self, name: &str) -> Result<Value> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut rest) = name.split_at(end);
        let index = if first.is_empty() {
            self.next += 1;
            Some(self.next - 1)
        } else {
            first.parse().ok()
        };
        let found = match index {
            Some(index) => self.given.positional.get(index),
            None => self.given.named.iter().find(|(known, _)| &**known == first).map(|(_, value)| value),
        };
        let missing = || match index {
            Some(index) => Fault::value(format!("Replacement index {index} out of range for positional args tuple")),
            None => Fault::value(format!("the format's field '{first}' is missing")),
        };
        let mut value = found.cloned().ok_or_else(missing)?;
        while !rest.is_empty() {
            if let Some(item) = rest.strip_prefix('[') {
                let end = item.find(']').ok_or_else(|| Fault::value("Missing ']' in format string"))?;
                let key = item[..end].parse().map_or_else(|_| Value::text(&item[..end]), Value::Int);
                value = self.interpreter.item(&value, &key)?;
                rest = &item[end + 1..];
            } else {
                let name = rest.trim_start_matches('.');
                let end = name.find(['.', '[']).unwrap_or(name.len());
                value = self.interpreter.attribute(&value, &name[..end])?;
                rest = &name[end..];
            }
        }
        Ok(value)
    }
}

/// Where a field's brace is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// A format specification: `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`.
struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn read(text: &str) -> Result<Self> {
        let characters: Vec<char> = text.chars().collect();
        let is_align = |at: usize| characters.get(at).is_some_and(|c| "<>=^".contains(*c));
        let (mut at, mut fill, mut align) = (0, ' ', None);
        if is_align(1) {
            (at, fill, align) = (2, characters[0], Some(characters[1]));
        } else if is_align(0) {
            (at, align) = (1, Some(characters[0]));
        }
        let take = |set: &str, at: &mut usize| {
            let found = characters.get(*at).copied().filter(|c| set.contains(*c));
            *at += usize::from(found.is_some());
            found
        };
        let sign = take("+- ", &mut at).unwrap_or('-');
        if take("z", &mut at).is_some() {
            return Err(Fault::unsupported("the format option `z` is not supported"));
        }
        let alternate = take("#", &mut at).is_some();
        if take("0", &mut at).is_some() && align.is_none() {
            (fill, align) = ('0', Some('='));
        }
        let number = |at: &mut usize| {
            let digits: String = characters[*at..].iter().take_while(|c| c.is_ascii_digit()).collect();
            *at += digits.len();
            digits.parse::<usize>().ok()
        };
        let width = number(&mut at).unwrap_or(0);
        let grouping = take(",_", &mut at);
        let precision = match take(".", &mut at) {
            Some(_) => Some(number(&mut at).ok_or_else(|| Fault::value("Format specifier missing precision"))?),
            None => None,
        };
        let kind = characters.get(at).copied();
        if characters.len() > at + 1 {
            return Err(Fault::value(format!("Invalid format specifier '{text}'")));
        }
        check_size(width)?;
        check_size(precision.unwrap_or(0))?;
        Ok(Self { fill, align, sign, alternate, width, grouping, precision, kind })
    }

    fn align(&self, sign: &str, text: &str, default: char) -> String {
        let fill = self.fill.to_string();
        let whole = format!("{sign}{text}");
        match self.align.unwrap_or(default) {
            '<' => padded(&whole, self.width, "ljust", &fill),
            '^' => {
                let space = self.width.saturating_sub(whole.chars().count());
                format!("{}{whole}{}", fill.repeat(space / 2), fill.repeat(space - space / 2))
            }
            '=' => {
                let width = self.width.saturating_sub(sign.chars().count());
                let (size, groups) =
                    (if matches!(self.kind, Some('x' | 'X' | 'o' | 'b')) { 4 } else { 3 }, self.grouping);
                match groups.filter(|_| self.fill == '0') {
                    None => format!("{sign}{}", padded(text, width, "rjust", &fill)),
                    // Zeros that fill up are grouped as well.
                    Some(separator) => {
                        let mut digits = text.replace(separator, "");
                        let mut filled = numbers::grouped(&digits, separator, size);
                        while filled.chars().count() < width {
                            digits.insert(0, '0');
                            filled = numbers::grouped(&digits, separator, size);
                        }
                        format!("{sign}{filled}")
                    }
                }
            }
            _ => padded(&whole, self.width, "rjust", &fill),
        }
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.sign) {
            (true, _) => "-",
            (_, '+') => "+",
            (_, ' ') => " ",
            _ => "",
        }
    }

    fn integer(&self, number: i128, name: &str) -> Result<String> {
        let kind = self.kind.unwrap_or('d');
        if "eEfFgG%".contains(kind) {
            return self.float(number as f64, name);
        }
        if !"bcdoxXn".contains(kind) {
            return Err(unknown(kind, name));
        }
        if self.precision.is_some() {
            return Err(Fault::value("Precision not allowed in integer format specifier"));
        }
        if kind == 'c' {
            let character = u32::try_from(number).ok().and_then(char::from_u32);
            let character = character.ok_or_else(|| Fault::value("%c arg not in range(0x110000)"))?;
            return Ok(self.align("", &character.to_string(), '<'));
        }
        let mut digits = numbers::integer(number, kind);
        if let Some(separator) = self.grouping {
            digits = numbers::grouped(&digits, separator, if kind == 'd' { 3 } else { 4 });
        }
        let prefix = if self.alternate && "boxX".contains(kind) { format!("0{kind}") } else { String::new() };
        Ok(self.align(&format!("{}{prefix}", self.sign(number < 0)), &digits, '>'))
    }

    fn float(&self, number: f64, name: &str) -> Result<String> {
        let kind = self.kind.unwrap_or(' ');
        let precision = self.precision.unwrap_or(6);
        let mut digits = match kind {
            '%' => numbers::float(number * 100.0, 'f', precision, self.alternate) + "%",
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => numbers::float(number, kind, precision, self.alternate),
            'n' => numbers::float(number, 'g', precision, self.alternate),
            ' ' => plain(number, self.precision),
            other => return Err(unknown(other, name)),
        };
        if let Some(separator) = self.grouping {
            digits = numbers::grouped(&digits, separator, 3);
        }
        Ok(self.align(self.sign(number.is_sign_negative() && !number.is_nan()), &digits, '>'))
    }

    fn text(&self, text: &str) -> Result<String> {
        if self.kind.is_some_and(|kind| kind != 's') {
            return Err(unknown(self.kind.unwrap_or('s'), "str"));
        }
        if self.sign != '-' || self.alternate || self.grouping.is_some() {
            return Err(Fault::value("Sign, alternate form and grouping are not allowed in string format specifier"));
        }
        let text: String = match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        };
        let zeros = Self { align: self.align.filter(|align| *align != '='), ..*self };
        Ok(zeros.align("", &text, '<'))
    }
}

fn unknown(kind: char, name: &str) -> Fault {
    Fault::value(format!("Unknown format code '{kind}' for object of type '{name}'"))
}

/// A float without a type: its `repr`, or so many digits with one after the point at least.
fn plain(number: f64, precision: Option<usize>) -> String {
    let Some(precision) = precision else { return python::float(number.abs()) };
    let text = numbers::float(number, 'g', precision, false);
    let precision = precision.max(1) as i32;
    let power = format!("{:.*e}", precision as usize - 1, number.abs());
    let power: i32 = power.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    match text.contains(['.', 'e', 'n']) {
        true => text,
        false if power < precision - 1 => text + ".0",
        false => {
            let text = numbers::float(number, 'e', precision as usize - 1, false);
            let (digits, power) = text.split_once('e').unwrap_or((&text, "+00"));
            let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
            format!("{digits}e{power}")
        }
    }
}

/// Python's `format(value, spec)`.
pub fn format_value(value: &Value, spec: &str) -> Result<String> {
    if spec.is_empty() {
        return Ok(show::text(value)?.into_owned());
    }
    let read = Spec::read(spec)?;
    match value {
        Value::Markup(_) => Err(Fault::value("safe text takes no format specifier")),
        Value::Str(text) => read.text(text),
        Value::Float(number) => read.float(*number, "float"),
        other => match other.as_int() {
            Some(number) => read.integer(number, other.type_name()),
            None => {
                let name = other.type_name();
                Err(Fault::types(format!("unsupported format string passed to {name}.__format__")))
            }
        },
    }
}
