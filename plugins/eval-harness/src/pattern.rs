//! Regular expressions of Python's, written anew so that they mean the same here, or refused.

use diapason_plugin::Result;
use fancy_regex::{Captures, Regex};

/// A regular expression of Python's.
pub struct Pattern {
    regex: Regex,
    /// The same, but finding nothing that is empty at the place where the search begins.
    advancing: Regex,
}

impl Pattern {
    /// Errors if the expression has something that would mean another thing here.
    pub fn new(pattern: &str) -> Result<Self> {
        let written = Writer::new(pattern).all().map_err(|why| format!("the pattern `{pattern}` {why}"))?;
        let compile = |text: &str| {
            let regex = Regex::new(text);
            regex.map_err(|cause| format!("the pattern `{pattern}` is not supported: {cause}"))
        };
        Ok(Self { regex: compile(&written)?, advancing: compile(&format!("{}(?!\\G)", grouped(&written)))? })
    }

    /// `findall`: for each find its groups, or the find itself where there are no groups.
    pub fn all(&self, text: &str) -> Result<Vec<Vec<String>>> {
        let mut all = Vec::new();
        self.each(text, |found| {
            let group = |place: usize| found.get(place).map_or(String::new(), |group| group.as_str().to_owned());
            all.push(if found.len() == 1 { vec![group(0)] } else { (1..found.len()).map(group).collect() });
        })?;
        Ok(all)
    }

    /// `sub` with nothing in the place of what is found.
    pub fn without(&self, text: &str) -> Result<String> {
        let (mut kept, mut end) = (String::new(), 0);
        self.each(text, |found| {
            if let Some(found) = found.get(0) {
                kept.push_str(&text[end..found.start()]);
                end = found.end();
            }
        })?;
        kept.push_str(&text[end..]);
        Ok(kept)
    }

    /// Every find. After an empty one, Python looks at the same place for one that is not.
    fn each(&self, text: &str, mut with: impl FnMut(&Captures<'_, str>)) -> Result<()> {
        let (mut at, mut advancing) = (0, false);
        loop {
            let regex = if advancing { &self.advancing } else { &self.regex };
            let found = regex.captures_from_pos(text, at).map_err(|cause| format!("a pattern gives up: {cause}"))?;
            let Some(found) = found else { return Ok(()) };
            let Some(whole) = found.get(0) else { return Ok(()) };
            with(&found);
            (at, advancing) = (whole.end(), whole.start() == whole.end());
        }
    }
}

/// The expression as a group, its flags before it.
fn grouped(written: &str) -> String {
    let flags = if written.starts_with("(?") { written.find(')').map_or(0, |end| end + 1) } else { 0 };
    let is_flags = flags > 0 && written[2..flags - 1].chars().all(|flag| "ims".contains(flag));
    let (flags, rest) = written.split_at(if is_flags { flags } else { 0 });
    format!("{flags}(?:{rest})")
}

/// Letters, digits and underscores, as Python's `\w` has them.
const WORD: &str = r"\p{L}\p{N}_";
/// What Python's `\s` has.
const SPACE: &str = r"\s\x1c-\x1f";

struct Writer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    out: String,
    /// Whether `$` means the end of every line.
    lines: bool,
}

type Written<T = ()> = std::result::Result<T, String>;

impl<'a> Writer<'a> {
    fn new(pattern: &'a str) -> Self {
        Self { rest: pattern.chars().peekable(), out: String::new(), lines: false }
    }

    fn all(mut self) -> Written<String> {
        self.flags()?;
        while let Some(character) = self.rest.next() {
            match character {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                '$' if self.lines => self.out.push('$'),
                '$' => self.out.push_str(r"(?=\n?\z)"),
                '*' | '+' | '?' => self.repeat(character)?,
                '}' => self.literal(character),
                '{' => self.count()?,
                other => self.out.push(other),
            }
        }
        Ok(self.out)
    }

    /// Flags of the whole expression.
    fn flags(&mut self) -> Written {
        let text: String = self.rest.clone().collect();
        let Some((flags, _)) = text.strip_prefix("(?").and_then(|text| text.split_once(')')) else { return Ok(()) };
        if flags.is_empty() || !flags.chars().all(|flag| "ims".contains(flag)) {
            return Ok(());
        }
        self.lines = flags.contains('m');
        self.rest.nth(flags.len() + 2);
        self.out.push_str(&format!("(?{flags})"));
        Ok(())
    }

    fn group(&mut self) -> Written {
        self.out.push('(');
        if self.rest.peek() != Some(&'?') {
            return Ok(());
        }
        let ahead: String = self.rest.clone().take(3).collect();
        let known = ["?:", "?=", "?!", "?<=", "?<!", "?P<"].into_iter().find(|sign| ahead.starts_with(sign));
        let sign = known.ok_or_else(|| format!("has a group `({ahead}…`, which is not supported"))?;
        self.rest.nth(sign.len() - 1);
        self.out.push_str(sign);
        if sign == "?P<" {
            for character in self.rest.by_ref() {
                self.out.push(character);
                if character == '>' {
                    break;
                }
            }
        }
        Ok(())
    }

    /// A sign of repetition. A second one would be possessive to Python only.
    fn repeat(&mut self, sign: char) -> Written {
        self.out.push(sign);
        match self.rest.peek() {
            Some('+') => Err("has a possessive repetition, which is not supported".to_owned()),
            Some('?') => {
                self.rest.next();
                self.out.push('?');
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// `{2}`, `{2,}`, `{,3}` and `{2,3}`; to Python, any other brace is itself.
    fn count(&mut self) -> Written {
        let ahead: String = self.rest.clone().take_while(|character| *character != '}').collect();
        let (least, most) = ahead.split_once(',').unwrap_or((&ahead, "0"));
        let number = |text: &str| text.chars().all(|digit| digit.is_ascii_digit());
        let closed = self.rest.clone().nth(ahead.chars().count()) == Some('}');
        if !closed || ahead.is_empty() || ahead == "," || !number(least) || !number(most) {
            return Err("has a brace that repeats nothing: write `\\{`".to_owned());
        }
        self.rest.nth(ahead.chars().count());
        self.out.push('{');
        if least.is_empty() {
            self.out.push('0');
        }
        self.out.push_str(&ahead);
        self.repeat('}')
    }

    fn class(&mut self) -> Written {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        while let Some(character) = self.rest.next() {
            match character {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                // Here these could begin a class inside, or an operation on classes.
                '[' | ']' | '&' | '~' => self.literal(character),
                '-' if self.rest.peek() == Some(&'-') => return Err("has `--` in a class".to_owned()),
                other => self.out.push(other),
            }
            first = false;
        }
        Err("has a class without an end".to_owned())
    }

    fn escape(&mut self, in_class: bool) -> Written {
        let escaped = self.rest.next().ok_or("ends with a backslash")?;
        let set = |inside: &str| if in_class { inside.to_owned() } else { format!("[{inside}]") };
        let text = match escaped {
            'd' => r"\d".to_owned(),
            'D' => r"\D".to_owned(),
            'w' => set(WORD),
            's' => set(SPACE),
            'W' if !in_class => format!("[^{WORD}]"),
            'S' if !in_class => format!("[^{SPACE}]"),
            'b' if in_class => r"\x08".to_owned(),
            'b' => format!("(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))"),
            'A' if !in_class => r"\A".to_owned(),
            'Z' if !in_class => r"\z".to_owned(),
            'n' | 't' | 'r' | 'f' | 'v' | 'a' => format!("\\{escaped}"),
            'x' | 'u' => self.code(escaped)?,
            other if other.is_ascii_alphanumeric() => {
                return Err(format!("has `\\{other}`, which is not supported"));
            }
            other => {
                self.literal(other);
                return Ok(());
            }
        };
        self.out.push_str(&text);
        Ok(())
    }

    fn code(&mut self, kind: char) -> Written<String> {
        let digits: String = self.rest.by_ref().take(if kind == 'x' { 2 } else { 4 }).collect();
        let whole = digits.len() == if kind == 'x' { 2 } else { 4 };
        let code = u32::from_str_radix(&digits, 16).ok().filter(|_| whole);
        let code = code.ok_or_else(|| format!("has `\\{kind}` without its digits"))?;
        Ok(format!("\\x{{{code:x}}}"))
    }

    /// A character that stands for itself.
    fn literal(&mut self, character: char) {
        if character.is_ascii_punctuation() {
            self.out.push_str(&format!("\\x{:02x}", character as u32));
        } else {
            self.out.push(character);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// A pattern and a text, what `findall` finds, and what `sub` leaves (`tests/oracles/task_patterns.py`).
    #[test]
    fn patterns_find_what_python_finds() {
        let golden: Vec<(String, String, Value, String)> = serde_json::from_str(include_str!("golden.json")).unwrap();
        let (mut wrong, mut refused) = (Vec::new(), 0);
        for (pattern, text, all, without) in &golden {
            let Ok(found) = Pattern::new(pattern) else {
                refused += 1;
                continue;
            };
            let groups = serde_json::to_value(found.all(text).unwrap()).unwrap();
            if groups != *all || found.without(text).unwrap() != *without {
                wrong.push(format!("{pattern:?} on {text:?}: {groups}, expected {all}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), golden.len(), wrong.join("\n"));
        assert!(golden.len() > 500 && refused * 5 < golden.len(), "{refused} of {} refused", golden.len());
    }

    #[test]
    fn what_would_mean_another_thing_is_refused() {
        for pattern in [
            r"(a)\1", "a++", "a{2}+", "(?>a)", "(?P=n)", "(?i:a)", "{a", r"\h", r"[\S]", "[a--b]", "(?#x)", "[a", "(a",
            r"\",
        ] {
            assert!(Pattern::new(pattern).is_err(), "{pattern}");
        }
    }
}
