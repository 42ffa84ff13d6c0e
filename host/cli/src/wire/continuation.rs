//! A begun answer that a model goes on with: the conversation up to the end of its last turn's text, as `transformers`
//! (5.24, `continue_final_message`) finds it, by a tag behind the text.

use diapason_core::sample::Conversation;
use diapason_core::{Error, Result};

const TAG: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

/// The conversation with the tag behind its last turn's text.
///
/// # Errors
/// The last turn has no text.
pub(super) fn tagged(conversation: &Conversation) -> Result<Conversation> {
    let mut conversation = conversation.clone();
    match conversation.messages.last_mut().filter(|last| !last.no_content) {
        Some(last) => last.content += TAG,
        None => return Err(Error::data("the last turn has no text to go on with").hint("give it a `content`")),
    }
    Ok(conversation)
}

/// What of `rendered`, the rendering of a tagged conversation, stands before the tag. Where a template trims the text, so is
/// what is cut off.
///
/// # Errors
/// The template leaves out the last turn's `text`, or changes it.
pub(super) fn cut(rendered: &str, text: &str) -> Result<String> {
    let fail = || {
        Error::data(
            "the template does not write the text of the last turn as it stands, so that it cannot be gone on with",
        )
        .hint(
            "some templates take out reasoning, or change what is said; use another, or write the prompt with `--raw`",
        )
    };
    let at = rendered.rfind(TAG.trim_end()).filter(|_| rendered.contains(stripped(text))).ok_or_else(fail)?;
    let before = &rendered[..at];
    let kept = if rendered[at..].starts_with(TAG) { before } else { before.trim_end_matches(is_space) };
    Ok(kept.to_owned())
}

/// `text` as Python strips it.
fn stripped(text: &str) -> &str {
    text.trim_matches(is_space)
}

fn is_space(one: char) -> bool {
    one.is_whitespace() || matches!(one, '\u{1c}'..='\u{1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last two are what transformers 5.24 makes of `{{ content | trim }}`.
    #[test]
    fn the_prompt_ends_where_the_begun_answer_does() {
        let cut = |rendered: &str, text: &str| cut(rendered, text).map_err(|error| error.to_string());
        assert_eq!(cut("<a>Once CONTINUE_FINAL_MESSAGE_TAG </a>", "Once ").as_deref(), Ok("<a>Once "));
        assert_eq!(cut("<a>Once CONTINUE_FINAL_MESSAGE_TAG</a>", "Once ").as_deref(), Ok("<a>Once"));
        assert_eq!(cut("<a>OnceCONTINUE_FINAL_MESSAGE_TAG</a>", " Once").as_deref(), Ok("<a>Once"));
        assert!(cut("<a></a>", "Once").is_err_and(|message| message.contains("does not write")));
        assert!(cut("<a>OnCONTINUE_FINAL_MESSAGE_TAG</a>", "Once").is_err());
    }
}
