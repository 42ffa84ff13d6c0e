//! Colours: where they are wanted, and how they come through the escaping of foreign text.

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Effects, Reset, Style};
use diapason_core::escape;
use std::fmt::Write as _;
use std::hash::BuildHasher as _;
use std::sync::LazyLock;

/// The styles that text can have, by their numbers in a mark.
const STYLES: [Style; 5] = [
    Style::new().effects(Effects::BOLD),
    Style::new().effects(Effects::DIMMED),
    AnsiColor::Red.on_default().effects(Effects::BOLD),
    AnsiColor::Green.on_default().effects(Effects::BOLD),
    AnsiColor::Yellow.on_default().effects(Effects::BOLD),
];

/// Marks a style in text until it is written. Nobody outside can know it, so no foreign text sets colours.
static MARK: LazyLock<String> = LazyLock::new(|| {
    let random = std::collections::hash_map::RandomState::new().hash_one(std::process::id());
    format!("\u{fdd0}{random:016x}")
});

/// Ends a mark: before it stands the number of a style, or nothing where a style ends.
const MARKED: char = '\u{fdd1}';

/// Text as it is written: foreign control characters escaped, our styles as the terminal knows them.
pub(crate) fn painted(text: &str) -> String {
    let mut pieces = text.split(MARK.as_str());
    let mut written = escape::text(pieces.next().unwrap_or_default()).into_owned();
    for piece in pieces {
        let (style, rest) = piece.split_once(MARKED).unwrap_or(("", piece));
        let style = style.parse().ok().and_then(|number: usize| STYLES.get(number));
        let _ = match style {
            Some(style) => write!(written, "{}", style.render()),
            None => write!(written, "{}", Reset.render()),
        };
        written.push_str(&escape::text(rest));
    }
    written
}

/// Colours, where they are wanted: on a terminal that has them, and as `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE` say.
#[derive(Debug, Clone, Copy)]
pub struct Paint(bool);

impl Paint {
    /// Returns whether `stream` shows colours.
    pub(crate) fn on(stream: &impl RawStream) -> Self {
        Self(AutoStream::choice(stream) != ColorChoice::Never)
    }

    /// Whether there are colours at all.
    pub(crate) fn is_colour(self) -> bool {
        self.0
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap(0, text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap(1, text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.wrap(2, text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.wrap(3, text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.wrap(4, text)
    }

    fn wrap(self, style: usize, text: &str) -> String {
        let mark = MARK.as_str();
        if self.0 { format!("{mark}{style}{MARKED}{text}{mark}{MARKED}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_colours_pass_and_foreign_ones_do_not() {
        let foreign = "\x1b[1;32mPASSED\x1b[0m\u{fdd0}0123456789abcdef1\u{fdd1}\u{9b}2J";
        let text = format!("{} {foreign}\n", Paint(true).red(foreign));
        let written = painted(&text);
        assert!(written.starts_with("\x1b[1m\x1b[31m\\u{1b}[1;32mPASSED\\u{1b}[0m\\u{fdd0}"), "{written:?}");
        assert_eq!(written.matches('\x1b').count(), 3, "{written:?}");
        assert!(!painted(&Paint(false).red(foreign)).contains(escape::is_hidden));
    }
}
