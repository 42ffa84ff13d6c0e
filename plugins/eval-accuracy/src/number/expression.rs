//! Quantities of several parts: fractions, powers of ten, scales, units, times of day.

use super::lead::{Lead, lead};
use super::numeral::{self, Convention};
use super::quantity::Quantity;
use super::unit::{self, Unit};

/// The quantities of a text, in order, with those that add up (`2 h 30 min`) as one. An error says what in the text is no
/// quantity by itself: a range, a sum, a date, a list.
pub fn quantities(text: &str, convention: Convention) -> Result<Vec<Quantity>, String> {
    let mut found: Vec<(Quantity, usize)> = Vec::new();
    let mut at = 0;
    while let Some(start) = next_numeral(text, at) {
        if is_label(&text[..start]) {
            at = start + digits_length(&text[start..]);
            continue;
        }
        let mut reader = Reader { text, at: start, convention };
        let lead = lead(&text[at..start], at == 0)?;
        let quantity = reader.quantity(lead)?;
        at = reader.at;
        match found.last_mut() {
            Some((before, end)) if adds_up(before, &quantity, &text[*end..start]) => add(before, &quantity, end, at),
            _ => found.push((quantity, at)),
        }
    }
    Ok(found.into_iter().map(|(quantity, _)| quantity).collect())
}

/// Where the next numeral starts: at a digit, or at the point before one.
fn next_numeral(text: &str, from: usize) -> Option<usize> {
    let start = from + text[from..].find(|c: char| c.is_ascii_digit())?;
    let pointed = text[from..start].ends_with('.') && !text[..start - 1].ends_with(|c: char| c.is_alphanumeric());
    Some(if pointed { start - 1 } else { start })
}

fn digits_length(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()).max(1)
}

/// Whether digits after this belong to a name: `H2O`, `GPT-4`, `v1`.
fn is_label(before: &str) -> bool {
    let letter = |text: &str| text.ends_with(|c: char| c.is_alphabetic() && c != 'π');
    letter(before) || before.strip_suffix('-').is_some_and(letter)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    convention: Convention,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn quantity(&mut self, lead: Lead) -> Result<Quantity, String> {
        let (start, mut value) = (self.at, self.numeral()?);
        let plain = self.text[start..self.at].bytes().all(|byte| byte.is_ascii_digit());
        if let Some(clock) = self.clock(value, plain)? {
            return Ok(clock);
        }
        let written = self.at;
        value = self.fraction(value)?;
        value = self.power(value)?;
        value = self.scale(value);
        let digits = if self.at == written { whole(&self.text[start..written]) } else { None };
        let mut unit = lead.unit;
        let after = self.unit()?;
        unit = unit.or(after);
        let mut negative = lead.negative;
        if lead.parenthesis && self.rest().trim_start().starts_with(')') && unit.as_ref().is_some_and(Unit::is_money) {
            negative = true;
        }
        self.ends()?;
        if !f64::is_finite(value) {
            return Err("too large a number".to_owned());
        }
        Ok(Quantity { value: if negative { -value } else { value }, unit, digits })
    }

    fn numeral(&mut self) -> Result<f64, String> {
        match numeral::leading(self.rest(), self.convention) {
            Some(read) => {
                let (value, length) = read?;
                self.at += length;
                Ok(value)
            }
            None => Err(format!("no number where one is needed, before `{}`", head(self.rest()))),
        }
    }

    /// `7/4`, `1 1/2`, `1-1/2`, `1 and 1/2`.
    fn fraction(&mut self, value: f64) -> Result<f64, String> {
        if let Some(length) = over(self.rest()) {
            self.at += length;
            let bottom = self.numeral()?;
            return if over(self.rest()).is_some() {
                Err("more than one `/`: a date?".to_owned())
            } else {
                divided(value, bottom)
            };
        }
        let gap = [" and ", " & ", " ", "-", "\u{2009}"].into_iter().find(|gap| self.rest().starts_with(gap));
        let Some(gap) = gap else { return Ok(value) };
        let part = &self.rest()[gap.len()..].trim_start();
        let skipped = self.rest().len() - part.len();
        let top = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        let Some(slash) = over(&part[top..]).filter(|_| top > 0) else { return Ok(value) };
        let bottom = &part[top + slash..];
        let length = bottom.find(|c: char| !c.is_ascii_digit()).unwrap_or(bottom.len());
        let (Ok(above), Ok(below)) = (part[..top].parse::<f64>(), bottom[..length].parse::<f64>()) else {
            return Ok(value);
        };
        if value.fract() != 0.0 || above >= below {
            return Err(format!("`{}` is no mixed number", head(self.rest())));
        }
        self.at += skipped + top + slash + length;
        Ok(value + above / below)
    }

    /// `10^8`, and `× 10^-5` after a number.
    fn power(&mut self, value: f64) -> Result<f64, String> {
        if let Some(rest) = self.rest().strip_prefix('^') {
            let (power, length) = integer(rest).ok_or("a power that is no whole number")?;
            self.at += 1 + length;
            return Ok(value.powi(power));
        }
        let rest = self.rest().trim_start();
        let Some(times) = rest.strip_prefix(['×', '*', 'x', 'X']) else { return Ok(value) };
        let base = times.trim_start();
        let Some(power) = base.strip_prefix("10^") else { return Ok(value) };
        let (power, length) = integer(power).ok_or("a power of ten that is no whole number")?;
        self.at = self.text.len() - base.len() + "10^".len() + length;
        // As text, so that 7.9 × 10^-5 is the same number as 7.9e-5.
        format!("{value}e{power}").parse().map_err(|_| "too large a number".to_owned())
    }

    fn scale(&mut self, mut value: f64) -> f64 {
        for _ in 0..2 {
            let (space, word) = next_word(self.rest());
            match unit::scale(word, space == 0) {
                Some(scale) => {
                    value *= scale;
                    self.at += space + word.len();
                }
                None => break,
            }
        }
        value
    }

    /// A time of day as minutes since midnight: `3:45`, `15:45:30`, `3 pm`.
    fn clock(&mut self, hours: f64, plain: bool) -> Result<Option<Quantity>, String> {
        let mut minutes = 0.0;
        let colon = plain && self.rest().starts_with(':') && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit());
        if colon {
            for size in [1.0, 1.0 / 60.0] {
                let Some(part) = self.rest().strip_prefix(':') else { break };
                let length = part.bytes().take_while(u8::is_ascii_digit).count();
                let value: f64 = part[..length].parse().unwrap_or(60.0);
                if length != 2 || value >= 60.0 || hours > 24.0 {
                    return Err(format!("`{}` is neither a number nor a time of day", head(&self.text[self.at..])));
                }
                minutes += value * size;
                self.at += 1 + length;
            }
        }
        let lower = self.rest().trim_start().to_ascii_lowercase();
        let half = ["a.m.", "p.m.", "a.m", "p.m", "am", "pm"].into_iter().find(|half| {
            let after = lower.strip_prefix(half);
            after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
        });
        let hours = match half {
            Some(_) if !(1.0..=12.0).contains(&hours) || hours.fract() != 0.0 => {
                return Err(format!("{hours} is no hour of half a day"));
            }
            Some(half) => {
                self.at += self.rest().len() - lower.len() + half.len();
                hours % 12.0 + if half.starts_with('p') { 12.0 } else { 0.0 }
            }
            None if colon => hours,
            None => return Ok(None),
        };
        self.ends()?;
        Ok(Some(Quantity { value: hours * 60.0 + minutes, unit: unit::clock(), digits: None }))
    }

    fn unit(&mut self) -> Result<Option<Unit>, String> {
        let rest = self.rest();
        let space = rest.len() - rest.trim_start_matches([' ', '\u{2009}']).len();
        let after = &rest[space..];
        let sign = [("°C", "°C"), ("°F", "°F"), ("° C", "°C"), ("° F", "°F")]
            .into_iter()
            .find(|(sign, _)| after.starts_with(sign));
        if let Some((sign, name)) = sign {
            self.at += space + sign.len();
            return Ok(unit::named(name));
        }
        if let Some(sign) = after.chars().next().filter(|c| "%$€£¥₹¢°".contains(*c)) {
            self.at += space + sign.len_utf8();
            return Ok(unit::named(sign.encode_utf8(&mut [0; 4])));
        }
        let feet =
            space == 0 && after.starts_with('\'') && after[1..].trim_start().starts_with(|c: char| c.is_ascii_digit());
        if feet || (space == 0 && after.starts_with(['"', '″', '′']) && self.follows_feet()) {
            let length = after.chars().next().map_or(0, char::len_utf8);
            self.at += length;
            return Ok(unit::named(if feet || after.starts_with('′') { "ft" } else { "in" }));
        }
        self.word_unit(space)
    }

    /// Whether feet stand before, as in `5'11"`: a quotation mark means inches there only.
    fn follows_feet(&self) -> bool {
        self.text[..self.at]
            .trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
            .trim_end()
            .ends_with(['\'', '′'])
    }

    fn word_unit(&mut self, space: usize) -> Result<Option<Unit>, String> {
        let after = &self.rest()[space..];
        let (spelling, length) = spelling(after);
        let word = spelling.as_str();
        if word.is_empty() {
            return Ok(None);
        }
        if space == 0 && matches!(word, "st" | "nd" | "rd" | "th") {
            self.at += length;
            return Ok(None);
        }
        if matches!(word, "π" | "pi" | "i" | "x" | "y" | "z" | "sqrt") {
            let operator = word == "x" && after[1..].trim_start().starts_with(|c: char| c.is_ascii_digit());
            return Err(if operator {
                "a product".to_owned()
            } else {
                format!("`{word}` after a number: part of an expression")
            });
        }
        let known = unit::named(word);
        let symbol = word.contains(['/', '^']) || (word.chars().count() == 1 && word.chars().all(char::is_uppercase));
        if known.is_none() && !symbol {
            return if space == 0 {
                Err(format!("`{}` is no number", head(&self.text[self.at.saturating_sub(1)..])))
            } else {
                Ok(None)
            };
        }
        self.at += space + length;
        Ok(Some(known.unwrap_or_else(|| unit::compound(word))))
    }

    /// Refuses a quantity that goes on as an expression or a range.
    fn ends(&self) -> Result<(), String> {
        let rest = self.rest();
        let after = rest.trim_start();
        let Some(sign) = after.chars().next() else { return Ok(()) };
        let operand = after[sign.len_utf8()..].trim_start();
        let number = operand.starts_with(|c: char| c.is_ascii_digit() || "$€£¥₹(.√-".contains(c));
        let letter = operand.starts_with(char::is_alphabetic);
        let goes_on = match sign {
            '-' => number && !operand.starts_with('('),
            '+' | '×' | '÷' | '^' | '±' | '√' | 'π' => true,
            '*' | '/' => number || letter,
            _ => false,
        };
        if goes_on { Err(format!("`{sign}` after a number: a range or an expression")) } else { Ok(()) }
    }
}

/// The first characters of a text, for a message.
fn head(text: &str) -> String {
    text.chars().take(12).collect()
}

/// Bytes of a `/` that a number follows, with the spaces around it.
fn over(text: &str) -> Option<usize> {
    let rest = text.trim_start_matches(' ').strip_prefix('/')?.trim_start_matches(' ');
    rest.starts_with(|c: char| c.is_ascii_digit()).then(|| text.len() - rest.len())
}

fn divided(top: f64, bottom: f64) -> Result<f64, String> {
    if bottom == 0.0 { Err("a fraction over 0".to_owned()) } else { Ok(top / bottom) }
}

/// A whole number with a sign, and its length.
fn integer(text: &str) -> Option<(i32, usize)> {
    let sign = usize::from(text.starts_with(['-', '+']));
    let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
    let value = text[..sign + digits].trim_start_matches('+').parse().ok()?;
    Some((value, sign + digits))
}

/// Bytes of space before the next word, and the word.
fn next_word(text: &str) -> (usize, &str) {
    let word = text.trim_start_matches([' ', '\u{2009}', '-']);
    let end = word.find(|c: char| !c.is_alphabetic()).unwrap_or(word.len());
    (text.len() - word.len(), &word[..end])
}

/// The unit's name that a text starts with, in one spelling, and its length: `km`, `km/h` (also for `km per hour`), `m^2`.
fn spelling(text: &str) -> (String, usize) {
    let word = |from: usize| text[from..].find(|c: char| !c.is_alphabetic()).unwrap_or(text.len() - from);
    let mut end = word(0);
    let mut name = short(&text[..end]);
    if name.is_empty() {
        return (name, 0);
    }
    for more in ["per cent", "percentage points", "percentage point"] {
        if text.starts_with(more) {
            return ("%".to_owned(), more.len());
        }
    }
    loop {
        let rest = &text[end..];
        if let Some((power, length)) = rest.strip_prefix('^').and_then(integer) {
            name.push_str(&format!("^{power}"));
            end += 1 + length;
        } else if let Some(gap) = ["/", " per ", " / "].into_iter().find(|gap| rest.starts_with(gap)) {
            let length = word(end + gap.len());
            if length == 0 {
                return (name, end);
            }
            name.push_str(&format!("/{}", short(&text[end + gap.len()..end + gap.len() + length])));
            end += gap.len() + length;
        } else {
            return (name, end);
        }
    }
}

/// The shortest name of a known unit, other words as they are.
fn short(word: &str) -> String {
    unit::named(word).map_or_else(|| word.to_owned(), |unit| unit.to_string())
}

/// The digits of a whole number, also in groups; `None` where a separator may be a decimal sign.
fn whole(numeral: &str) -> Option<String> {
    let separators = numeral.chars().filter(|c| !c.is_ascii_digit());
    let grouped = separators.clone().count() > 1 && separators.clone().all(|c| Some(c) == separators.clone().next());
    let digits: String = numeral.chars().filter(char::is_ascii_digit).collect();
    (grouped || digits.len() == numeral.len()).then(|| digits.trim_start_matches('0').to_owned())
}

fn adds_up(before: &Quantity, next: &Quantity, gap: &str) -> bool {
    let (Some(large), Some(small)) = (&before.unit, &next.unit) else { return false };
    let joined = matches!(gap.trim(), "" | "," | "and" | ", and");
    joined && large.adds_up_with(small) && next.value >= 0.0
}

fn add(before: &mut Quantity, next: &Quantity, end: &mut usize, at: usize) {
    let scale = next.unit.as_ref().zip(before.unit.as_ref()).and_then(|(small, large)| small.in_terms_of(large));
    let part = next.value * scale.unwrap_or(0.0);
    before.digits = None;
    before.value += if before.value < 0.0 { -part } else { part };
    *end = at;
}
