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
/// Neighbouring segments with the same `learn` are tokenised as one text; where `learn` changes, the text is cut, so a
/// token is either trained or not. At inference the prompt ends at just such a cut, so the model sees the same tokens
/// there. The tokenizer adds no special tokens: a beginning-of-text token is there once, if the template writes it.
///
/// # Errors
/// A row without a single trained token.
pub fn encode(tokenizer: &dyn Tokenizer, segments: &[Segment]) -> Result<Example> {
    let mut example = Example { ids: Vec::new(), learn: Vec::new() };
    for run in segments.chunk_by(|a, b| a.learn == b.learn) {
        let text: String = run.iter().map(|segment| segment.text.as_str()).collect();
        let ids = tokenizer.encode(&text)?;
        example.learn.resize(example.learn.len() + ids.len(), run[0].learn);
        example.ids.extend(ids);
    }
    // The first token has nothing before it that it could be predicted from.
    if !example.learn.iter().skip(1).any(|learn| *learn) {
        return Err(Error::data("the row has no token to learn")
            .hint("is the answer empty? does the chat template mark what the assistant says?"));
    }
    Ok(example)
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

    #[test]
    fn nothing_to_learn_is_an_error() {
        for segments in [vec![], vec![segment("abcd", false)], vec![segment("a", true)], vec![segment("", true)]] {
            let error = encode(&Words, &segments).unwrap_err();
            assert!(error.to_string().contains("no token to learn"), "{error}");
        }
    }
}
