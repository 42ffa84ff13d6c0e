//! Rendered conversations to token ids with their loss mask.

use diapason_core::language_model::Tokenizer;
use diapason_core::sample::Segment;
use diapason_core::{Error, Result};

/// A row ready for training.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The row's tokens.
    pub ids: Vec<u32>,
    /// The loss mask: for each token, whether the model is trained to produce it.
    pub learn: Vec<bool>,
}

/// Tokenises the segments of one row.
///
/// The row is tokenised as one text, as transformers does it, wherever the tokens of the text up to a place where `learn` changes
/// are the first of the whole text's: so a token is either trained or not, and at inference, where the prompt ends at just such
/// a place, the model sees the same tokens. Where a token would reach across, the text is cut there instead. The tokenizer
/// adds no special tokens: a beginning-of-text token is there once, if the template writes it.
///
/// # Errors
/// A row without a single trained token.
pub fn encode(tokenizer: &dyn Tokenizer, segments: &[Segment]) -> Result<Example> {
    let runs: Vec<(String, bool)> = segments.chunk_by(|a, b| a.learn == b.learn).map(joined).collect();
    let example = in_pieces(tokenizer, &runs)?;
    let text: String = runs.iter().map(|(text, _)| text.as_str()).collect();
    let ids = if runs.len() > 1 { tokenizer.encode(&text)? } else { example.ids.clone() };
    // Of most tokenizers the pieces are the whole. Others write a space before each text that they are given.
    let example = if ids == example.ids { example } else { as_one(tokenizer, &runs, &text, ids)?.unwrap_or(example) };
    // The first token has nothing before it that it could be predicted from.
    if !example.learn.iter().skip(1).any(|learn| *learn) {
        return Err(Error::data("the row has no token to learn")
            .hint("is the answer empty? does the chat template mark what the assistant says?"));
    }
    Ok(example)
}

/// The text of neighbours with the same `learn`.
fn joined(run: &[Segment]) -> (String, bool) {
    (run.iter().map(|segment| segment.text.as_str()).collect(), run.first().is_some_and(|segment| segment.learn))
}

/// Each run tokenised as a text of its own.
fn in_pieces(tokenizer: &dyn Tokenizer, runs: &[(String, bool)]) -> Result<Example> {
    let mut example = Example { ids: Vec::new(), learn: Vec::new() };
    for (text, learn) in runs {
        example.ids.extend(tokenizer.encode(text)?);
        example.learn.resize(example.ids.len(), *learn);
    }
    Ok(example)
}

/// The whole text's tokens `ids` with their mask; `None` where a token reaches across a place where it changes.
fn as_one(tokenizer: &dyn Tokenizer, runs: &[(String, bool)], text: &str, ids: Vec<u32>) -> Result<Option<Example>> {
    let (mut end, mut learn) = (0, Vec::with_capacity(ids.len()));
    for (run, learned) in runs {
        end += run.len();
        let before = if end == text.len() { ids.clone() } else { tokenizer.encode(&text[..end])? };
        if !ids.starts_with(&before) || before.len() < learn.len() {
            return Ok(None);
        }
        learn.resize(before.len(), *learned);
    }
    Ok(Some(Example { ids, learn }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Words of up to four letters, so that cutting a text changes its tokens.
    struct Words;

    impl Tokenizer for Words {
        fn encode(&self, text: &str) -> Result<Vec<u32>> {
            Ok(text
                .as_bytes()
                .chunks(4)
                .map(|word| word.iter().fold(0, |id, byte| id * 256 + u32::from(*byte)))
                .collect())
        }

        fn decode(&self, _: &[u32]) -> Result<String> {
            unreachable!("encoding does not decode")
        }
    }

    fn segment(text: &str, learn: bool) -> Segment {
        Segment { text: text.into(), learn }
    }

    #[test]
    fn cuts_only_where_the_mask_changes() {
        let split = [segment("ab", false), segment("cd", false), segment("ef", true), segment("gh", true)];
        let whole = [segment("abcd", false), segment("efgh", true)];
        let example = encode(&Words, &split).unwrap();
        assert_eq!(example, encode(&Words, &whole).unwrap());
        assert_eq!(example.learn, [false, true]);
        assert_eq!(example.ids, [0x6162_6364, 0x6566_6768]);
    }

    /// Letters, with a mark before each text that does not begin with one, as Llama 2's tokenizer has it; `+` and what follows
    /// are one token.
    struct Pieces;

    impl Tokenizer for Pieces {
        fn encode(&self, text: &str) -> Result<Vec<u32>> {
            let text = format!("_{}", text.trim_start_matches('_'));
            let mut ids: Vec<u32> = Vec::new();
            for letter in text.chars() {
                match ids.last_mut().filter(|last| **last == u32::from('+')) {
                    Some(last) => *last += 1000 + u32::from(letter),
                    None => ids.push(letter.into()),
                }
            }
            Ok(ids)
        }

        fn decode(&self, _: &[u32]) -> Result<String> {
            unreachable!("encoding does not decode")
        }
    }

    #[test]
    fn a_text_gets_no_mark_where_it_is_only_cut() {
        let ids = |text: &str| text.chars().map(u32::from).collect::<Vec<_>>();
        let row = [segment("q:", false), segment("a.", true), segment("r:", false), segment("b.", true)];
        let example = encode(&Pieces, &row).unwrap();
        assert_eq!(example.ids, ids("_q:a.r:b."));
        assert_eq!(example.learn, [false, false, false, true, true, false, false, true, true]);
        // A token reaches across: the row is cut.
        let example = encode(&Pieces, &[segment("q+", false), segment("a", true)]).unwrap();
        assert_eq!((example.ids, example.learn), (ids("_q+_a"), vec![false, false, false, true, true]));
    }

    #[test]
    fn nothing_to_learn_is_an_error() {
        for segments in [vec![], vec![segment("abcd", false)], vec![segment("a", true)], vec![segment("", true)]] {
            let error = encode(&Words, &segments).unwrap_err();
            assert!(error.to_string().contains("no token to learn"), "{error}");
        }
    }
}
