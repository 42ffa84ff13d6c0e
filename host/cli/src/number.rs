//! Numbers as a reader wants them: shares as percentages, differences with a sign, a real minus.

use diapason_core::score::MeasureInfo;
use diapason_core::stats::Interval;

/// How a measure's values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Values are 0 or 1, so means are shares: `55.0 %`, and differences are percentage points: `+55.0 pp`.
    Share,
    /// Anything else, as it is.
    Plain,
}

impl Unit {
    /// The unit of a measure.
    pub(crate) fn of(info: &MeasureInfo) -> Self {
        if info.binary { Self::Share } else { Self::Plain }
    }

    /// A level: `55.0 %`, `0.553`.
    pub(crate) fn level(self, value: f64) -> String {
        match self {
            Self::Share => format!("{} %", fixed(value * 100.0, 1)),
            Self::Plain => plain(value),
        }
    }

    /// A difference, always with its sign: `+55.0 pp`, `−0.021`.
    pub(crate) fn difference(self, value: f64) -> String {
        match self {
            Self::Share => format!("{} pp", signed(fixed(value * 100.0, 1))),
            Self::Plain => signed(plain(value)),
        }
    }

    /// A distance, without a sign: `2.0 pp`, `0.021`.
    pub(crate) fn distance(self, value: f64) -> String {
        match self {
            Self::Share => format!("{} pp", fixed(value.abs() * 100.0, 1)),
            Self::Plain => plain(value.abs()),
        }
    }

    /// An interval of levels: `48.1 to 61.7 %`; `None` where there is none.
    pub(crate) fn levels(self, interval: &Interval) -> Option<String> {
        ends(interval).map(|(low, high)| self.range(self.level(low), self.level(high)))
    }

    /// An interval of differences: `+47.9 to +61.5 pp`; `None` where there is none.
    pub(crate) fn differences(self, interval: &Interval) -> Option<String> {
        ends(interval).map(|(low, high)| self.range(self.difference(low), self.difference(high)))
    }

    /// Both ends, the unit once.
    fn range(self, low: String, high: String) -> String {
        format!("{} to {high}", low.trim_end_matches([' ', '%', 'p']))
    }
}

/// Both ends of an interval.
pub(crate) fn ends(interval: &Interval) -> Option<(f64, f64)> {
    match interval {
        Interval::Known { low, high, .. } => Some((*low, *high)),
        Interval::TooFew { .. } => None,
    }
}

/// A p value: three decimals, and never a bare zero.
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") }
}

/// A confidence level: `95 %`, `98.33 %`.
pub(crate) fn confidence(level: f64) -> String {
    format!("{} %", trimmed(fixed(level * 100.0, 2)))
}

/// Thousands apart: `16,777,216`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let head = digits.len() % 3;
    let groups = digits.as_bytes()[head..].chunks(3);
    let first = (head > 0).then(|| digits[..head].to_owned());
    first
        .into_iter()
        .chain(groups.map(|group| String::from_utf8_lossy(group).into_owned()))
        .collect::<Vec<_>>()
        .join(",")
}

/// A number and its noun: `1 sample`, `2,000 samples`.
pub(crate) fn counted(value: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(value as u64), if value == 1 { "" } else { "s" })
}

/// A wall time: `4.2 s`, `3 min 12 s`, `2 h 05 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

/// A value without a unit: four significant digits, no trailing zeros.
pub(crate) fn plain(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return fixed(value, 0);
    }
    let magnitude = value.abs().log10().floor() as i32;
    if magnitude < -4 {
        return format!("{value:.2e}").replace('-', "−");
    }
    trimmed(fixed(value, (3 - magnitude).clamp(0, 6) as usize))
}

/// A fixed number of decimals, with a real minus and without a negative zero.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

fn signed(text: String) -> String {
    let zero = text.chars().all(|c| matches!(c, '0' | '.'));
    if zero || text.starts_with('−') { text } else { format!("+{text}") }
}

fn trimmed(text: String) -> String {
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percentages_and_differences_have_a_sign() {
        assert_eq!(Unit::Share.level(0.5512), "55.1 %");
        assert_eq!(Unit::Share.difference(0.55), "+55.0 pp");
        assert_eq!(Unit::Share.difference(-0.0133), "−1.3 pp");
        assert_eq!(Unit::Share.difference(-0.000_001), "0.0 pp");
        assert_eq!(Unit::Share.distance(-0.02), "2.0 pp");
        let interval = Interval::Known { low: -0.01, high: 0.03, level: 0.95, method: "Newcombe".into() };
        assert_eq!(Unit::Share.differences(&interval).as_deref(), Some("−1.0 to +3.0 pp"));
        assert_eq!(Unit::Share.levels(&Interval::TooFew { n: 1 }), None);
    }

    #[test]
    fn plain_values_keep_four_significant_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.55321, "0.5532"),
            (12.5, "12.5"),
            (1234.56, "1235"),
            (-0.0213, "−0.0213"),
            (3e-7, "3.00e−7"),
        ] {
            assert_eq!(plain(value), text);
        }
        assert_eq!(Unit::Plain.difference(0.25), "+0.25");
    }

    #[test]
    fn counts_times_and_probabilities() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(16_777_216), "16,777,216");
        assert_eq!(counted(1, "sample"), "1 sample");
        assert_eq!(duration(4.21), "4.2 s");
        assert_eq!(duration(192.0), "3 min 12 s");
        assert_eq!(duration(7500.0), "2 h 05 min");
        assert_eq!(p_value(0.000_04), "< 0.001");
        assert_eq!(p_value(0.0081), "0.008");
        assert_eq!(confidence(0.95), "95 %");
        assert_eq!(confidence(1.0 - 0.05 / 3.0), "98.33 %");
    }
}
