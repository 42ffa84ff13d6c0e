//! What is learnt where the template does not say so: the difference between a conversation without an answer and
//! with it.

use crate::environment::Template;
use crate::generation::unmarked;
use diapason_plugin::{Result, Segment};
use serde_json::Value;

/// A conversation and its template.
pub(crate) struct Turns<'a> {
    pub(crate) template: &'a Template,
    pub(crate) messages: &'a [Value],
    pub(crate) tools: &'a Value,
}

impl Turns<'_> {
    /// Renders the first so many turns, with the marks of generation still in the text.
    pub(crate) fn render(&self, count: usize, add_generation_prompt: bool) -> Result<String> {
        self.template.render(&self.messages[..count], self.tools, add_generation_prompt)
    }

    fn role(&self, index: usize) -> &str {
        self.messages[index]["role"].as_str().unwrap_or_default()
    }

    /// Whether a turn is the assistant's and not marked as context.
    pub(crate) fn is_learnt(&self, index: usize) -> bool {
        self.role(index) == "assistant" && self.messages[index]["weight"].as_f64() != Some(0.0)
    }

    /// Whether each of the assistant's turns is learnt, first to last.
    pub(crate) fn learnt(&self) -> Vec<bool> {
        let answers = (0..self.messages.len()).filter(|index| self.role(*index) == "assistant");
        answers.map(|index| self.is_learnt(index)).collect()
    }

    fn content(&self, index: usize) -> &str {
        self.messages[index]["content"].as_str().unwrap_or_default()
    }
}

/// The segments of a conversation: every answer with the token that ends its turn is learnt.
///
/// An error if the template renders the start of a conversation differently once more turns follow: then no piece of
/// the text is the answer as the model would have had to write it.
pub(crate) fn segments(turns: &Turns) -> Result<Vec<Segment>> {
    let whole = unmarked(&turns.render(turns.messages.len(), false)?);
    let (mut segments, mut done) = (Vec::new(), 0);
    for index in (0..turns.messages.len()).filter(|index| turns.is_learnt(*index)) {
        let before = turns.render(index, true).map_err(|cause| unstable(index, &cause))?;
        let after = turns.render(index + 1, false).map_err(|cause| unstable(index, &cause))?;
        if !whole.starts_with(&after) || !after.starts_with(&before) || before.len() < done {
            return Err(unstable(index, &difference(&whole, &before, &after)));
        }
        let end = before.len() + learnt(&after[before.len()..], turns.content(index));
        segments.push(Segment::given(&whole[done..before.len()]));
        segments.push(Segment::learnt(&whole[before.len()..end]));
        done = end;
    }
    segments.push(Segment::given(&whole[done..]));
    segments.retain(|segment| !segment.text.is_empty());
    Ok(segments)
}

/// How many bytes of a turn's text are learnt: whitespace after the token that ends the turn is not, as the model
/// has stopped by then. Whitespace that ends the answer itself is.
fn learnt(turn: &str, content: &str) -> usize {
    let kept = turn.trim_end().len();
    let answer = turn.rfind(content.trim_end()).map_or(0, |at| at + content.trim_end().len());
    if kept > answer { kept } else { turn.len() }
}

fn unstable(index: usize, cause: &str) -> String {
    format!(
        "turn {}: the template does not say what is learnt, and rendering it turn by turn fails: {cause}; put the \
         answer in the template between {{% generation %}} and {{% endgeneration %}}",
        index + 1
    )
}

/// Shows where the two renderings part.
fn difference(whole: &str, before: &str, after: &str) -> String {
    let (one, other, what) = match whole.starts_with(after) {
        true => (after, before, "the prompt for the answer"),
        false => (whole, after, "the conversation up to the answer"),
    };
    let same: usize = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
    let show = |text: &str| text[same..].chars().take(30).collect::<String>();
    format!("{what} has {:?} where the whole has {:?}", show(other), show(one))
}

#[cfg(test)]
mod tests {
    use super::learnt;

    #[test]
    fn whitespace_after_the_end_token_is_not_learnt() {
        assert_eq!(learnt("Paris<|im_end|>\n", "Paris"), "Paris<|im_end|>".len());
    }

    #[test]
    fn whitespace_is_learnt_where_it_is_all_that_ends_the_turn() {
        assert_eq!(learnt("Paris\n\n", "Paris"), "Paris\n\n".len());
    }
}
