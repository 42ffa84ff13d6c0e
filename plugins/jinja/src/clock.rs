//! `strftime_now` with a fixed day, at midnight, in the C locale and without a time zone.

use crate::fault::{Fault, Result};

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    year: u32,
    month: u32,
    day: u32,
}

impl Clock {
    /// Reads `2026-01-01`. None where it is no day.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 10
            && text.char_indices().all(|(at, c)| if at == 4 || at == 7 { c == '-' } else { c.is_ascii_digit() });
        let number = |from: usize, to: usize| text.get(from..to)?.parse().ok();
        let clock = Self { year: number(0, 4)?, month: number(5, 7)?, day: number(8, 10)? };
        let real = clock.year > 0
            && (1..=12).contains(&clock.month)
            && clock.day > 0
            && clock.day <= clock.month_length(clock.month);
        (digits && real).then_some(clock)
    }

    fn is_leap_year(self) -> bool {
        self.year.is_multiple_of(4) && !self.year.is_multiple_of(100) || self.year.is_multiple_of(400)
    }

    fn month_length(self, month: u32) -> u32 {
        match month {
            2 if self.is_leap_year() => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    /// The day of the year, from 1.
    fn day_of_year(self) -> u32 {
        (1..self.month).map(|month| self.month_length(month)).sum::<u32>() + self.day
    }

    /// The day of the week, Sunday being 0.
    fn weekday(self) -> u32 {
        let before = self.year - 1;
        (before + before / 4 - before / 100 + before / 400 + self.day_of_year()) % 7
    }

    /// The year and the week of ISO 8601.
    fn iso_week(self) -> (u32, u32) {
        let weekday = (self.weekday() + 6) % 7;
        let week = (self.day_of_year() + 9 - weekday) / 7;
        if week == 0 {
            let last = Self { year: self.year - 1, month: 12, day: 31 };
            return last.iso_week();
        }
        let days = if self.is_leap_year() { 366 } else { 365 };
        if week == 53 && self.day_of_year() + 3 - weekday > days { (self.year + 1, 1) } else { (self.year, week) }
    }

    /// Python's `strftime` as glibc has it, with its flags `-`, `_`, `0`, `^`, `#` and widths. What depends on the moment
    /// of the day is midnight.
    pub fn format(self, format: &str) -> Result<String> {
        let mut out = String::new();
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            let directive = Directive::read(&rest[at..]);
            match directive.and_then(|directive| Some((directive.apply(self)?, directive.length))) {
                Some((text, length)) => {
                    out.push_str(&text);
                    rest = &rest[at + length..];
                }
                None => {
                    let shown: String = rest[at..].chars().take(3).collect();
                    return Err(Fault::unsupported(format!("strftime_now: the directive `{shown}` is not supported")));
                }
            }
        }
        Ok(out + rest)
    }
}

/// `%`, flags, a width and a letter.
struct Directive {
    pad: Option<char>,
    upper: bool,
    swap: bool,
    width: usize,
    letter: char,
    length: usize,
}

impl Directive {
    fn read(text: &str) -> Option<Self> {
        let mut directive = Self { pad: None, upper: false, swap: false, width: 0, letter: ' ', length: 1 };
        let mut characters = text.chars().skip(1).peekable();
        while let Some(flag) = characters.next_if(|c| "-_0^#".contains(*c)) {
            match flag {
                '^' => directive.upper = true,
                '#' => directive.swap = true,
                pad => directive.pad = Some(pad),
            }
            directive.length += 1;
        }
        while let Some(digit) = characters.next_if(char::is_ascii_digit) {
            directive.width = (directive.width * 10 + digit.to_digit(10)? as usize).min(1000);
            directive.length += 1;
        }
        directive.letter = characters.next().filter(char::is_ascii)?;
        directive.length += 1;
        Some(directive)
    }

    fn apply(&self, clock: Clock) -> Option<String> {
        let number = |value: u32, width: usize, pad: char| self.number(value, width, pad);
        let date = |format: &str| clock.format(format).ok();
        let sunday_week = (clock.day_of_year() + 6 - clock.weekday()) / 7;
        let monday_week = (clock.day_of_year() + 6 - (clock.weekday() + 6) % 7) / 7;
        let text = match self.letter {
            'Y' => number(clock.year, 1, '0'),
            'C' => number(clock.year / 100, 2, '0'),
            'y' => number(clock.year % 100, 2, '0'),
            'm' => number(clock.month, 2, '0'),
            'd' => number(clock.day, 2, '0'),
            'e' => number(clock.day, 2, ' '),
            'j' => number(clock.day_of_year(), 3, '0'),
            'U' => number(sunday_week, 2, '0'),
            'W' => number(monday_week, 2, '0'),
            'V' => number(clock.iso_week().1, 2, '0'),
            'G' => number(clock.iso_week().0, 1, '0'),
            'g' => number(clock.iso_week().0 % 100, 2, '0'),
            'u' => number((clock.weekday() + 6) % 7 + 1, 1, '0'),
            'w' => number(clock.weekday(), 1, '0'),
            'H' | 'M' | 'S' => number(0, 2, '0'),
            'I' => number(12, 2, '0'),
            'k' => number(0, 2, ' '),
            'l' => number(12, 2, ' '),
            'f' => "000000".into(),
            'A' => self.text(DAYS[clock.weekday() as usize]),
            'a' => self.text(&DAYS[clock.weekday() as usize][..3]),
            'B' => self.text(MONTHS[clock.month as usize - 1]),
            'b' | 'h' => self.text(&MONTHS[clock.month as usize - 1][..3]),
            'p' if self.swap => "am".into(),
            'p' => self.text("AM"),
            'P' => self.text("am"),
            'D' | 'x' => self.text(&date("%m/%d/%y")?),
            'F' => self.text(&date("%Y-%m-%d")?),
            'T' | 'X' => self.text("00:00:00"),
            'R' => self.text("00:00"),
            'r' => self.text("12:00:00 AM"),
            'c' => self.text(&date("%a %b %e %H:%M:%S %Y")?),
            'n' => "\n".into(),
            't' => "\t".into(),
            'z' | 'Z' => String::new(),
            '%' => "%".into(),
            _ => return None,
        };
        Some(text)
    }

    fn number(&self, value: u32, width: usize, pad: char) -> String {
        let pad = match self.pad {
            Some('-') => return value.to_string(),
            Some('_') => ' ',
            Some(_) => '0',
            None => pad,
        };
        let width = if self.width > 0 { self.width } else { width };
        let digits = value.to_string();
        format!("{}{digits}", pad.to_string().repeat(width.saturating_sub(digits.len())))
    }

    fn text(&self, text: &str) -> String {
        let text = if self.upper || self.swap { text.to_uppercase() } else { text.to_owned() };
        let pad = if self.pad == Some('0') { "0" } else { " " };
        format!("{}{text}", pad.repeat(self.width.saturating_sub(text.len())))
    }
}
