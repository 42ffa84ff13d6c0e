//! `exact_match`: whether two texts are the same, but for what is ignored.

use crate::pattern::Pattern;
use crate::settings::Settings;
use diapason_plugin::Result;

/// What is ignored.
pub struct Exact {
    patterns: Vec<Pattern>,
    case: bool,
    punctuation: bool,
    numbers: bool,
}

impl Exact {
    /// Errors if a pattern is not supported.
    pub fn new(settings: &Settings) -> Result<Self> {
        let pattern = |text: &String| Pattern::new(text).map_err(|why| format!("setting `regexes_to_ignore`: {why}"));
        Ok(Self {
            patterns: settings.regexes_to_ignore.iter().map(pattern).collect::<Result<_>>()?,
            case: settings.ignore_case,
            punctuation: settings.ignore_punctuation,
            numbers: settings.ignore_numbers,
        })
    }

    /// Whether the answer is the reference. NumPy, which compares them, drops NUL at the end.
    pub fn agrees(&self, answer: &str, reference: &str) -> Result<bool> {
        let (answer, reference) = (self.kept(answer)?, self.kept(reference)?);
        Ok(answer.trim_end_matches('\0') == reference.trim_end_matches('\0'))
    }

    fn kept(&self, text: &str) -> Result<String> {
        let mut text = text.to_owned();
        for pattern in &self.patterns {
            text = pattern.without(&text)?;
        }
        if self.case {
            text = text.to_lowercase();
        }
        text.retain(|character| {
            !(self.punctuation && character.is_ascii_punctuation() || self.numbers && character.is_ascii_digit())
        });
        Ok(text)
    }
}
