//! `strftime_now` with a fixed day, at midnight.

use diapason_plugin::Result;

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
pub(crate) struct Date {
    year: u32,
    month: u32,
    day: u32,
}

impl Date {
    /// Reads `2026-01-01`. An error says what is expected.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let parts: Vec<u32> = text.split('-').filter_map(|part| part.parse().ok()).collect();
        let date = match (text.len(), &parts[..]) {
            (10, &[year, month, day]) => Self { year, month, day },
            _ => return Err(format!("`date` is `{text}`: expected a day like 2026-01-01")),
        };
        let known = (1..=12).contains(&date.month) && (1..=date.days_in(date.month)).contains(&date.day);
        if known { Ok(date) } else { Err(format!("`date` is `{text}`: there is no such day")) }
    }

    /// Formats as C's `strftime` does in the C locale. An error names a directive that is not known.
    pub(crate) fn format(&self, format: &str) -> Result<String> {
        let (mut out, mut characters) = (String::new(), format.chars());
        while let Some(character) = characters.next() {
            match character {
                '%' => out.push_str(&self.directive(characters.next(), &mut characters)?),
                other => out.push(other),
            }
        }
        Ok(out)
    }

    fn directive(&self, directive: Option<char>, rest: &mut std::str::Chars) -> Result<String> {
        Ok(match directive {
            Some('Y') => format!("{:04}", self.year),
            Some('y') => format!("{:02}", self.year % 100),
            Some('m') => format!("{:02}", self.month),
            Some('d') => format!("{:02}", self.day),
            Some('e') => format!("{:>2}", self.day),
            Some('j') => format!("{:03}", self.day_of_year()),
            Some('B') => self.month_name().into(),
            Some('b' | 'h') => self.month_name()[..3].into(),
            Some('A') => self.weekday_name().into(),
            Some('a') => self.weekday_name()[..3].into(),
            Some('w') => self.weekday().to_string(),
            Some('H' | 'M' | 'S') => "00".into(),
            Some('I') => "12".into(),
            Some('p') => "AM".into(),
            Some('F') => self.format("%Y-%m-%d")?,
            Some('T' | 'X') => "00:00:00".into(),
            Some('D' | 'x') => self.format("%m/%d/%y")?,
            Some('c') => self.format("%a %b %e %H:%M:%S %Y")?,
            Some('-') => self.directive(rest.next(), rest)?.trim_start_matches(['0', ' ']).to_owned(),
            Some('%') => "%".into(),
            other => {
                return Err(format!("strftime_now: unknown directive %{}", other.map_or(String::new(), String::from)));
            }
        })
    }

    fn month_name(&self) -> &'static str {
        MONTHS[self.month as usize - 1]
    }

    fn weekday_name(&self) -> &'static str {
        DAYS[self.weekday() as usize]
    }

    /// Days since Sunday, by Zeller's congruence.
    fn weekday(&self) -> u32 {
        let (year, month) = if self.month < 3 { (self.year - 1, self.month + 12) } else { (self.year, self.month) };
        (self.day + 13 * (month + 1) / 5 + year + year / 4 - year / 100 + year / 400 + 6) % 7
    }

    fn day_of_year(&self) -> u32 {
        (1..self.month).map(|month| self.days_in(month)).sum::<u32>() + self.day
    }

    fn days_in(&self, month: u32) -> u32 {
        let leap = self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Date;

    #[test]
    fn formats_as_python_does() {
        let date = Date::parse("2024-02-29").unwrap();
        assert_eq!(
            date.format("%A %d %B %Y, day %j, %-m/%y %%").unwrap(),
            "Thursday 29 February 2024, day 060, 2/24 %"
        );
        assert_eq!(Date::parse("2026-01-01").unwrap().format("%a %e %b").unwrap(), "Thu  1 Jan");
    }

    #[test]
    fn refuses_what_is_no_day() {
        assert!(Date::parse("2025-02-29").is_err());
        assert!(Date::parse("1 May 2025").is_err());
        assert!(Date::parse("2025-00-10").is_err());
    }
}
