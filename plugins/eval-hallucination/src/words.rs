//! Words with their places, as the signals need them.

/// A word as it stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// Letters, digits and what joins them: `O'Brien`, `Jean-Luc`.
    pub text: &'a str,
    /// Whether a sentence begins with it.
    pub starts_sentence: bool,
    /// Whether only a space, or the dot of an initial, stands between the word before and this one.
    pub follows: bool,
}

impl Word<'_> {
    /// Whether the first letter is a capital.
    pub fn is_capitalised(&self) -> bool {
        self.text.chars().next().is_some_and(char::is_uppercase)
    }
}

/// The words of a text, in order.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let mut found: Vec<Word<'_>> = Vec::new();
    let mut end = 0;
    for (start, length) in spans(text) {
        let gap = &text[end..start];
        let initial = found.last().is_some_and(|before| before.text.chars().count() == 1 && before.is_capitalised());
        let ends = |c: char| matches!(c, '!' | '?' | '\n' | ':' | '。') || (c == '.' && !initial);
        found.push(Word {
            text: &text[start..start + length],
            starts_sentence: found.is_empty() || gap.contains(ends),
            follows: !found.is_empty() && (gap == " " || (initial && gap == ". ")),
        });
        end = start + length;
    }
    found
}

/// A word without its possessive ending, in lower case: what is looked up.
pub fn key(word: &str) -> String {
    let word = word.to_lowercase().replace('’', "'");
    word.strip_suffix("'s").unwrap_or(&word).trim_end_matches('\'').to_owned()
}

/// Start and length in bytes of each run of letters and digits; apostrophes and hyphens join two of them.
fn spans(text: &str) -> Vec<(usize, usize)> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let mut characters = text.char_indices().peekable();
    let mut open = false;
    while let Some((at, character)) = characters.next() {
        let next_joins = || characters.clone().next().is_some_and(|(_, next)| next.is_alphanumeric());
        let inside = character.is_alphanumeric() || (open && matches!(character, '\'' | '’' | '-') && next_joins());
        match (inside, open) {
            (true, false) => spans.push((at, character.len_utf8())),
            (true, true) => spans.iter_mut().last().into_iter().for_each(|span| span.1 += character.len_utf8()),
            (false, _) => {}
        }
        open = inside;
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_sentences_and_initials() {
        let found = words("Ask J. K. Rowling's agent. Then Jean-Luc, é");
        let texts: Vec<&str> = found.iter().map(|word| word.text).collect();
        assert_eq!(texts, ["Ask", "J", "K", "Rowling's", "agent", "Then", "Jean-Luc", "é"]);
        let starts: Vec<&str> = found.iter().filter(|word| word.starts_sentence).map(|word| word.text).collect();
        assert_eq!(starts, ["Ask", "Then"]);
        assert!(found[3].follows && !found[7].follows);
    }

    #[test]
    fn keys() {
        assert_eq!(key("Rowling’s"), "rowling");
        assert_eq!(key("Players'"), "players");
    }
}
