//! `continue_final_message`: a prompt that ends within the last turn, for the model to go on with it.
//!
//! Done as `transformers` does it: a tag is put behind the turn's text, the conversation is rendered, and the prompt is
//! what stands before the tag.

use crate::turns::Turn;
use diapason_plugin::Result;
use serde_json::Value;

/// The last character tells whether the template trims the turn's text.
const TAG: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

const FIELD: &str = "content";

/// Puts the tag behind the last turn's text and returns that text. An error if there is none, or the template reads none.
pub(crate) fn tag(turns: &mut [Turn], template: &str) -> Result<String> {
    let content = turns.last_mut().and_then(|turn| turn.get_mut(FIELD));
    let content = content.ok_or("`continue_final_message` is set, but the last turn has no `content` to continue")?;
    if !template.contains(FIELD) {
        return Err("`continue_final_message` is set, but the template does not read `content`".into());
    }
    let text = match content {
        Value::Array(parts) => parts.iter_mut().rev().find_map(|part| part.get_mut("text")),
        text => Some(text),
    };
    let Some(Value::String(text)) = text else {
        return Err("`continue_final_message` is set, but the last turn has no text to continue".into());
    };
    let before = text.clone();
    text.push_str(TAG);
    Ok(before)
}

/// The rendering up to the tag. An error if the template left out the last turn's text or the tag.
pub(crate) fn cut(rendered: &str, last: &str) -> Result<String> {
    let at = rendered.rfind(TAG.trim_end()).filter(|_| rendered.contains(strip(last)));
    let at = at.ok_or(
        "`continue_final_message` is set, but the template does not write the last turn's text as it stands, perhaps \
         because it leaves out a part of it",
    )?;
    let keeps_spaces = rendered[at..].starts_with(TAG);
    let prompt = &rendered[..at];
    Ok(if keeps_spaces { prompt } else { strip_end(prompt) }.to_owned())
}

/// Whether Python's `str.strip` removes a character: white space by Unicode and four separators of ASCII.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

fn strip(text: &str) -> &str {
    text.trim_matches(is_space)
}

fn strip_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}
