//! Words as the comparing validators see them: letters and digits in lower case, everything else a separator.

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// In lower case.
    pub text: String,
    /// Bytes of the original text.
    pub span: std::ops::Range<usize>,
}

/// The words of a text, in order. Every ideograph, kana and Hangul syllable is a word of its own: those scripts put no spaces
/// between words.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices() {
        let continues = character.is_alphanumeric() && !stands_alone(character);
        if let (Some(from), false) = (start, continues) {
            words.push(word(text, from..at));
            start = None;
        }
        if stands_alone(character) {
            words.push(word(text, at..at + character.len_utf8()));
        } else if continues {
            start = start.or(Some(at));
        }
    }
    words.extend(start.map(|from| word(text, from..text.len())));
    words
}

/// The words of a text joined by single spaces: texts with the same normal form differ in case, punctuation and spacing only.
/// A text of punctuation alone is its own normal form.
pub fn normalise(text: &str) -> String {
    let words: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
    if words.is_empty() { text.trim().to_owned() } else { words.join(" ") }
}

/// The beginning of a text for a message, on one line.
pub fn preview(text: &str) -> String {
    const LIMIT: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn word(text: &str, span: std::ops::Range<usize>) -> Word {
    Word { text: text[span.clone()].to_lowercase(), span }
}

fn stands_alone(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_and_remembers_spans() {
        let text = "Éa, 12b 東京!";
        let found: Vec<(String, &str)> = words(text).into_iter().map(|w| (w.text, &text[w.span])).collect();
        let expected = [("éa", "Éa"), ("12b", "12b"), ("東", "東"), ("京", "京")];
        assert_eq!(found, expected.map(|(word, original)| (word.to_owned(), original)));
    }

    #[test]
    fn normal_forms() {
        assert_eq!(normalise("  Hello,\tWORLD!! "), "hello world");
        assert_eq!(normalise(" ?! "), "?!");
        assert_eq!(normalise(""), "");
    }

    #[test]
    fn previews_are_one_short_line() {
        assert_eq!(preview("a\n b"), "a b");
        assert_eq!(preview(&"é".repeat(100)).chars().count(), 61);
    }
}
