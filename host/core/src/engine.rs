//! The seam between what asks and what answers: requests go in, answers come out as they finish.
//!
//! `diapason-engine` answers with a model on this machine, `diapason-remote` by a server. A judge is an engine too.

use crate::arm::Arm;
use crate::language_model::{Completion, Decoding, Likelihood};
use crate::sample::Conversation;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One answer that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Whose answer it is. An engine is one set of weights with at most one adapter, so a call has the requests of all
    /// arms that share both: those whose prompts alone differ.
    pub arm: &'a Arm,
    /// What messages call it: `sample 12 of suite facts`.
    pub name: &'a str,
    /// What is answered.
    pub prompt: Prompt<'a>,
    /// What is asked of the engine.
    pub wanted: Wanted<'a>,
}

/// A prompt in the forms that engines read: models and completions servers the text, chat servers the conversation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Prompt<'a> {
    /// The turns, before any template.
    pub conversation: Option<&'a Conversation>,
    /// The rendered text, with [`LITERAL`](crate::language_model::LITERAL) in it.
    pub text: Option<&'a str>,
}

/// What an engine is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wanted<'a> {
    /// A continuation of the prompt.
    Completion {
        /// How to decode.
        decoding: &'a Decoding,
        /// Names the stream of random numbers, as [`language_model::Prompt`](crate::language_model::Prompt) does.
        stream: u64,
    },
    /// How likely this continuation is after the prompt.
    Likelihood(&'a str),
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The answer itself.
    pub said: Said,
    /// What it took.
    pub usage: Usage,
}

/// What an engine said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// A continuation.
    Completion(Completion),
    /// How likely the given continuation is.
    Likelihood(Likelihood),
    /// There is no answer that could be scored; it counts as lost, never as an empty text.
    Lost(Loss),
}

/// Why there is no answer to score, though the engine works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// A content filter of the server held it back.
    Filtered,
    /// The server refused to answer, in these words.
    Refused(String),
    /// The server made calls of these tools out of it and keeps the text to itself.
    ToolCalls(Vec<String>),
    /// The server gave no content and no reason.
    NoContent,
    /// The server ended it for a reason that is not known here.
    UnknownFinish(String),
    /// The prompt has text that looks like a special token, and the engine cannot be told that it is none.
    LiteralToken,
}

/// A fragment, as errors have it.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filtered => write!(f, "the server's content filter held the answer back"),
            Self::Refused(words) => write!(f, "the server refused to answer: {words}"),
            Self::ToolCalls(names) => write!(f, "the server called tools instead of answering: {}", names.join(", ")),
            Self::NoContent => write!(f, "the server's answer has no content"),
            Self::UnknownFinish(reason) => write!(f, "the server ended the answer for the unknown reason `{reason}`"),
            Self::LiteralToken => {
                write!(f, "the prompt quotes a special token, which the server would take for a real one")
            }
        }
    }
}

/// What an answer took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens that were read, those of a given continuation among them; `None` where the engine does not say.
    pub prompt_tokens: Option<u64>,
    /// Tokens that were written, thoughts that are not part of the text among them; `None` where the engine does not say.
    pub completion_tokens: Option<u64>,
    /// Seconds since the answer before it, or since the start: answers are made side by side, so a single one says little,
    /// and their sum is the time that the engine was at work.
    pub seconds: f64,
}

/// What [`Engine::ask`] reports while it works.
#[derive(Debug, Clone, PartialEq)]
pub enum Moment {
    /// The request with this index is answered.
    Answered(usize, Answer),
    /// Nothing is lost by stopping now: what was begun with the answers so far is finished.
    Pause,
}

/// What answers requests. Batches, threads and retries are the implementation's affair.
pub trait Engine {
    /// Answers each request and hands each answer to `watch` as soon as it is there, in any order. Requests that are
    /// `known` need no answer, but come along because a local engine's batches are made of all: rounding depends on what
    /// is computed side by side. What is known may be answered again with the rest of its batch.
    ///
    /// Errors if a request cannot be answered at all, or if `watch` errs, with the same error. Where [`Moment::Pause`] is
    /// what it errs at, answers that are still under way may be handed over before.
    fn ask(
        &mut self,
        requests: &[Request<'_>],
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(Moment) -> Result<()>,
    ) -> Result<()>;

    /// Returns what the engine makes of each request, in order: the way to ask a judge.
    fn answers(&mut self, requests: &[Request<'_>]) -> Result<Vec<Answer>> {
        let mut found: Vec<Option<Answer>> = requests.iter().map(|_| None).collect();
        self.ask(requests, &|_| false, &mut |moment| {
            if let Moment::Answered(index, answer) = moment {
                found[index] = Some(answer);
            }
            Ok(())
        })?;
        let named = requests.iter().zip(found);
        named.map(|(request, answer)| answer.ok_or_else(|| request.error("was left out by the engine"))).collect()
    }
}

impl<'a> Request<'a> {
    /// The prompt's rendered text.
    ///
    /// Errors if it has none.
    pub fn text(&self) -> Result<&'a str> {
        let hint = "give the project a model whose template renders it, or ask a chat server";
        self.prompt.text.ok_or_else(|| self.error("has no rendered prompt").hint(hint))
    }

    /// The prompt's conversation.
    ///
    /// Errors if it has none.
    pub fn conversation(&self) -> Result<&'a Conversation> {
        let hint = "a prompt that is plain text goes to a server with `protocol = \"completions\"`";
        self.prompt.conversation.ok_or_else(|| self.error("is plain text, not a conversation").hint(hint))
    }

    /// An error that names the arm and the request.
    pub fn error(&self, what: impl fmt::Display) -> Error {
        Error::run(format!("arm {}: {} {what}", self.arm, self.name))
    }
}

impl Answer {
    /// The completion.
    ///
    /// Errors if `request` asked for something else, or if the answer is lost.
    pub fn completion(self, request: &Request<'_>) -> Result<Completion> {
        match self.said {
            Said::Completion(completion) => Ok(completion),
            Said::Lost(loss) => Err(request.error(format_args!("was not answered: {loss}"))),
            Said::Likelihood(_) => Err(request.error("asked for a likelihood, not for a completion")),
        }
    }

    /// The likelihood.
    ///
    /// Errors if `request` asked for something else, or if the answer is lost.
    pub fn likelihood(self, request: &Request<'_>) -> Result<Likelihood> {
        match self.said {
            Said::Likelihood(likelihood) => Ok(likelihood),
            Said::Lost(loss) => Err(request.error(format_args!("was not answered: {loss}"))),
            Said::Completion(_) => Err(request.error("asked for a completion, not for a likelihood")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::language_model::Finish;

    /// Answers in the reverse order, all but what `leaves_out` says.
    struct Backwards {
        leaves_out: Option<usize>,
    }

    impl Engine for Backwards {
        fn ask(
            &mut self,
            requests: &[Request<'_>],
            known: &dyn Fn(usize) -> bool,
            watch: &mut dyn FnMut(Moment) -> Result<()>,
        ) -> Result<()> {
            for index in (0..requests.len()).rev().filter(|index| !known(*index) && self.leaves_out != Some(*index)) {
                let said = match requests[index].wanted {
                    Wanted::Completion { .. } if index == 0 => Said::Lost(Loss::Filtered),
                    Wanted::Completion { .. } => {
                        let text = requests[index].text()?.to_owned();
                        Said::Completion(Completion { text, tokens: index, finish: Finish::Stop })
                    }
                    Wanted::Likelihood(text) => {
                        Said::Likelihood(Likelihood { logprob: -1.0, tokens: 1, bytes: text.len(), greedy: true })
                    }
                };
                watch(Moment::Answered(index, Answer { said, usage: Usage::default() }))?;
            }
            watch(Moment::Pause)
        }
    }

    #[test]
    fn answers_come_in_order_and_losses_are_named() {
        let (arm, decoding) = (Arm::from("production"), Decoding::default());
        let prompt = Prompt { text: Some("two"), ..Prompt::default() };
        let wanted = Wanted::Completion { decoding: &decoding, stream: 0 };
        let completion = Request { arm: &arm, name: "sample 1 of suite s", prompt, wanted };
        let likelihood = Request { wanted: Wanted::Likelihood("größe"), ..completion };
        let requests = [completion, completion, likelihood];
        let answers = Backwards { leaves_out: None }.answers(&requests).unwrap();
        let lost = answers[0].clone().completion(&completion).unwrap_err().to_string();
        assert_eq!(
            lost,
            "arm production: sample 1 of suite s was not answered: the server's content filter held the answer back"
        );
        assert_eq!(answers[1].clone().completion(&completion).unwrap().text, "two");
        assert_eq!(answers[2].clone().likelihood(&likelihood).unwrap().bytes, 7);
        assert!(answers[1].clone().likelihood(&completion).is_err());
        let error = Backwards { leaves_out: Some(2) }.answers(&requests).unwrap_err();
        assert_eq!(error.to_string(), "arm production: sample 1 of suite s was left out by the engine");
        assert!(completion.conversation().unwrap_err().hint_text().unwrap().contains("completions"));
    }
}
