//! Our own `outputs.*.jsonl`.

use super::answer::{Answer, Asked, Completion, Finish, Likelihood, Made, Usage};
use super::json::{self, Problem};
use serde::Deserialize;

// What a later version may add shapes an answer or says what it took: it is refused rather than passed over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    suite: String,
    sample: String,
    prompt: String,
    completions: Vec<Text>,
    #[serde(default)]
    samples: Vec<Text>,
    likelihoods: Vec<(String, Known)>,
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    seconds: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
    tokens: Option<u64>,
    finish: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    logprob: f64,
    tokens: Option<u64>,
    #[serde(rename = "bytes")]
    _bytes: Option<u64>,
    greedy: bool,
}

/// The answer on one line.
pub(super) fn answer(line: &str, place: &str) -> Result<Answer, Problem> {
    let row: Row = json::parsed(line)?;
    let mut ordinary: Vec<Completion> = row.completions.into_iter().map(completion).collect();
    if ordinary.len() > 1 {
        let what = format!("it has {} ordinary completions", ordinary.len());
        return Err(Problem::new(what, "draws stand in `samples`, the ordinary completion in `completions`"));
    }
    let made = Made {
        ordinary: ordinary.pop(),
        draws: row.samples.into_iter().map(completion).collect(),
        likelihoods: row.likelihoods.into_iter().map(|(text, known)| (text, likelihood(&known))).collect(),
    };
    Ok(Answer {
        suite: Some(row.suite),
        id: Some(row.sample),
        asked: Asked { texts: vec![row.prompt], ..Asked::default() },
        usage: Usage {
            prompt_tokens: row.prompt_tokens,
            completion_tokens: row.completion_tokens.or_else(|| written(&made)),
            seconds: json::seconds(row.seconds, 1.0)?,
        },
        ..Answer::new(place, Ok(made))
    })
}

fn completion(text: Text) -> Completion {
    Completion { text: text.text, tokens: text.tokens, finish: text.finish.as_deref().map(Finish::named) }
}

fn likelihood(known: &Known) -> Likelihood {
    Likelihood { logprob: known.logprob, greedy: known.greedy, tokens: known.tokens }
}

/// The tokens of all completions, where each is counted.
fn written(made: &Made) -> Option<u64> {
    made.ordinary.iter().chain(&made.draws).try_fold(0_u64, |sum, one| Some(sum.saturating_add(one.tokens?)))
}
