//! How likely a continuation is after its prompt, from the log-probabilities that a server gives back with the text
//! (`echo` and `logprobs` of `/completions`). Few servers have them, and some leave `echo` out without a word, so what comes
//! back is checked in full.
//!
//! The continuation's tokens are those after the prompt's in the encoding of both together, as in lm-evaluation-harness
//! and in `diapason-engine`: white space at the prompt's end goes to the continuation, and a merge across the boundary counts
//! for the prompt. How many tokens the prompt has, only the server can say, so it is asked once for each prompt.

use crate::reply::{self, Wrong};
use diapason_core::language_model::Likelihood;
use serde_json::Value;

/// The prompt without the white space at its end, which goes to the continuation.
pub(crate) fn kept(prompt: &str) -> &str {
    prompt.trim_end_matches(is_python_space)
}

/// The number of tokens of a prompt, which a server tells with any answer.
pub(crate) fn counted(answer: &Value) -> Result<usize, Wrong> {
    let count = answer["usage"]["prompt_tokens"].as_u64().and_then(|count| usize::try_from(count).ok());
    count
        .filter(|count| *count > 0)
        .ok_or_else(|| "it does not say how long a prompt is (`usage.prompt_tokens`)".to_owned())
}

/// The likelihood of what stands after the first `prompt` tokens of `text`; `bytes` is the continuation's length.
///
/// Errors if the answer does not have a log-probability for each of its tokens.
pub(crate) fn read(answer: &Value, text: &str, prompt: usize, bytes: usize) -> Result<Likelihood, Wrong> {
    let choice = reply::choice(answer)?;
    let echoed = choice["text"].as_str().is_some_and(|echoed| echoed.starts_with(text));
    let logprobs = choice["logprobs"].as_object();
    let (true, Some(logprobs)) = (echoed, logprobs) else {
        return Err("it does not give back a prompt with log-probabilities (`echo` with `logprobs`)".to_owned());
    };
    let list = |key: &str| {
        let list = logprobs.get(key).and_then(Value::as_array);
        list.ok_or_else(|| format!("its log-probabilities have no list `{key}`"))
    };
    let (tokens, own, top) = (list("tokens")?, list("token_logprobs")?, list("top_logprobs")?);
    let whole = counted(answer)?;
    check_lengths(whole, [tokens.len(), own.len(), top.len()])?;
    if prompt >= whole {
        return Err(format!("it counts {prompt} tokens in the prompt and {whole} with the continuation"));
    }
    check_place(&tokens[prompt..whole], text)?;
    let mut found = Likelihood { logprob: 0.0, tokens: whole - prompt, bytes, greedy: true };
    for (own, top) in own[prompt..whole].iter().zip(&top[prompt..whole]) {
        let own = own.as_f64().ok_or("a token of the continuation has no log-probability")?;
        let best = top.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_f64()).reduce(f64::max);
        found.greedy &= own >= best.ok_or("it does not say which token was the likeliest (`top_logprobs`)")?;
        found.logprob += own;
    }
    Ok(found)
}

/// There is one for each token of the text, and one for the token that had to be asked for.
fn check_lengths(whole: usize, lengths: [usize; 3]) -> Result<(), Wrong> {
    let fits = |length: &usize| *length == whole || *length == whole + 1;
    match lengths.iter().all(|length| fits(length) && *length == lengths[0]) {
        true => Ok(()),
        false => Err(format!("it gives {} log-probabilities for {whole} tokens", lengths[1])),
    }
}

/// Log-probabilities of the wrong tokens would look like any. Tokens that split a character cannot be read.
fn check_place(tokens: &[Value], text: &str) -> Result<(), Wrong> {
    let joined: String = tokens.iter().filter_map(Value::as_str).collect();
    let split =
        |token: &Value| token.as_str().is_some_and(|token| token.contains('\u{fffd}') || token.starts_with("bytes:"));
    match text.ends_with(&joined) || tokens.iter().any(split) {
        true => Ok(()),
        false => {
            Err(format!("the tokens that it gives for the end of the text are {joined:?}, which is not how it ends"))
        }
    }
}

/// What Python's `str.rstrip` takes off: Unicode's white space and four separators of ASCII.
fn is_python_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}
