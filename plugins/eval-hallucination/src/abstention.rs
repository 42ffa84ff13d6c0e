//! Whether an answer says that it cannot answer.

/// Phrases by which an answer declines, in lower case with straight apostrophes.
const PHRASES: &[&str] = &[
    "cannot answer",
    "cannot be answered",
    "cannot be determined",
    "can't answer",
    "can't be determined",
    "cannot determine",
    "could not find",
    "couldn't find",
    "does not contain",
    "does not mention",
    "does not provide",
    "does not say",
    "does not specify",
    "does not state",
    "doesn't contain",
    "doesn't mention",
    "doesn't provide",
    "doesn't say",
    "doesn't specify",
    "doesn't state",
    "do not have enough information",
    "don't have enough information",
    "i am not sure",
    "i do not know",
    "i don't know",
    "i'm not sure",
    "insufficient information",
    "is not mentioned",
    "is not provided",
    "is not specified",
    "is not stated",
    "isn't mentioned",
    "no information",
    "not enough information",
    "not given in the",
    "unable to answer",
    "unable to determine",
    "unanswerable",
];

/// Answers that decline when they are all there is.
const WHOLE: &[&str] = &["n/a", "no answer", "none", "unknown", "not answerable", "not known"];

/// Whether the answer declines: it is empty, is one of the short refusals, or has one of the phrases (or of the `further`
/// ones) in its first 200 characters.
pub fn abstains(answer: &str, further: &[String]) -> bool {
    const OPENING: usize = 200;
    let answer = answer.trim().to_lowercase().replace('’', "'");
    let opening: String = answer.chars().take(OPENING).collect();
    let whole = answer.trim_end_matches('.');
    whole.is_empty()
        || WHOLE.contains(&whole)
        || PHRASES.iter().any(|phrase| opening.contains(phrase))
        || further.iter().any(|phrase| !phrase.is_empty() && opening.contains(&phrase.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_refusals_from_answers() {
        for refusal in ["", " ", "Unknown.", "I don’t know who.", "The context does not say.", "N/A"] {
            assert!(abstains(refusal, &[]), "{refusal}");
        }
        for answer in ["Unknown Pleasures", "No", "None of them won.", "Paris"] {
            assert!(!abstains(answer, &[]), "{answer}");
        }
        assert!(abstains("Keine Angabe", &["keine angabe".to_owned()]));
        assert!(!abstains("Paris", &[String::new()]));
    }
}
