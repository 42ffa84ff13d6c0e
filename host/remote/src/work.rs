//! Requests carried out by several threads, and their answers handed over by one.

use crate::body::{self, Limit};
use crate::call::{Failure, Line};
use crate::fault::Fault;
use crate::likelihood;
use crate::reply::{self, Served, Wrong};
use diapason_core::config::{Endpoint, Protocol};
use diapason_core::engine::{Answer, Loss, Moment, Request, Said, Usage, Wanted};
use diapason_core::language_model::{Decoding, LITERAL};
use diapason_core::{Error, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How soon an interruption is seen while nothing arrives.
const GLANCE: Duration = Duration::from_millis(100);

/// Where requests are carried out.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) line: Line,
    pub(crate) endpoint: Endpoint,
    /// Whether the server wants the limit by its other name.
    pub(crate) other_limit: AtomicBool,
    /// The model that answers, and all fingerprints that it has shown.
    pub(crate) served: Mutex<(Option<String>, BTreeSet<String>)>,
}

/// What one thread does in one go.
#[derive(Debug)]
pub(crate) enum Job {
    Complete(usize),
    /// Continuations of one prompt, whose tokens are counted once.
    Weigh(Vec<usize>),
}

/// What a thread sends: an answer, or what ends the work.
type Message = Result<(usize, Said, Usage)>;

impl Desk {
    /// Carries out `jobs`, which are made of `requests`; whatever ends that, answers under way are handed over before.
    pub(crate) fn all(
        &self,
        requests: &[Request<'_>],
        jobs: &[Job],
        watch: &mut dyn FnMut(Moment) -> Result<()>,
    ) -> Result<()> {
        let (stop, next) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let (sender, answers) = mpsc::channel();
            for _ in 0..self.endpoint.concurrency.min(jobs.len()) {
                let (sender, jobs, stop, next) = (sender.clone(), jobs, &stop, &next);
                scope.spawn(move || {
                    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::SeqCst)) {
                        if stop.load(Ordering::SeqCst) || self.carry_out(job, requests, stop, &sender).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            handed(&answers, &stop, watch)
        })
    }

    /// Sends one completion of `request`, whose `arm` and name do not matter.
    pub(crate) fn completion(
        &self,
        request: &Request<'_>,
        decoding: &Decoding,
        stream: u64,
        stop: &AtomicBool,
    ) -> Result<Value, Failure> {
        let limit = if self.other_limit.load(Ordering::SeqCst) { Limit::OfCompletion } else { Limit::Usual };
        let path = body::path(self.endpoint.protocol);
        let sent = |limit| {
            let body = body::completion(&self.endpoint, request, decoding, stream, limit).map_err(Failure::Refused)?;
            self.line.post(path, &body, decoding.max_tokens as u64, stop)
        };
        match sent(limit) {
            Err(Failure::Fault(Fault::Status { code: 400, parameter: Some(parameter), .. }, _))
                if parameter == "max_tokens" && limit == Limit::Usual && self.endpoint.protocol == Protocol::Chat =>
            {
                self.other_limit.store(true, Ordering::SeqCst);
                sent(Limit::OfCompletion)
            }
            other => other,
        }
    }

    /// What the answer to `request` says.
    pub(crate) fn said(&self, answer: &Value, decoding: &Decoding) -> Result<Said, Wrong> {
        match self.endpoint.protocol {
            Protocol::Chat => reply::of_chat(answer, decoding),
            Protocol::Completions => reply::of_completions(answer, decoding),
        }
    }

    /// Notes who answered.
    ///
    /// Errors if it is another model than before.
    pub(crate) fn note(&self, served: Served) -> Result<(), Wrong> {
        let mut known = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        known.1.extend(served.fingerprint);
        match (&known.0, served.model) {
            (Some(before), Some(now)) if *before != now => {
                Err(format!("it answered as `{before}` and now answers as `{now}`: answers of two models are no arm"))
            }
            (None, Some(now)) => {
                known.0 = Some(now);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What there is to do for the `open` ones of `requests`.
    ///
    /// Errors if one of them cannot be asked of this server.
    pub(crate) fn jobs(&self, requests: &[Request<'_>], open: &[usize]) -> Result<Vec<Job>> {
        let mut jobs: Vec<Job> = Vec::new();
        let mut last = None;
        for index in open {
            let request = &requests[*index];
            match (request.wanted, self.endpoint.protocol) {
                (Wanted::Completion { decoding, stream }, _) => {
                    body::completion(&self.endpoint, request, decoding, stream, Limit::Usual)?;
                    jobs.push(Job::Complete(*index));
                }
                (Wanted::Likelihood(_), Protocol::Chat) => {
                    return Err(request.error("asks for a likelihood, which chat servers do not give").hint(
                        "set `protocol = \"completions\"` if the server gives back prompts with log-probabilities (`echo`)",
                    ));
                }
                (Wanted::Likelihood(continuation), Protocol::Completions) => {
                    check_pair(request, continuation)?;
                    let kept = likelihood::kept(request.text()?);
                    match jobs.last_mut() {
                        Some(Job::Weigh(group)) if last == Some(kept) => group.push(*index),
                        _ => jobs.push(Job::Weigh(vec![*index])),
                    }
                    last = Some(kept);
                }
            }
        }
        Ok(jobs)
    }

    /// Errors if the work is to end; why has been sent then.
    fn carry_out(
        &self,
        job: &Job,
        requests: &[Request<'_>],
        stop: &AtomicBool,
        sender: &Sender<Message>,
    ) -> Result<(), ()> {
        let send = |request: &Request<'_>, outcome: Result<(usize, Said, Usage), Failure>| match outcome {
            Ok(answer) => sender.send(Ok(answer)).map_err(|_| ()),
            Err(Failure::Stopped) => Err(()),
            Err(failure) => {
                let what = format!("arm {}: {}", request.arm, request.name);
                let _ = sender.send(Err(self.line.error(failure).context(what)));
                Err(())
            }
        };
        match job {
            Job::Complete(index) => send(&requests[*index], self.complete(*index, &requests[*index], stop)),
            Job::Weigh(group) => {
                let first = &requests[group[0]];
                let mut count = None;
                for index in group {
                    send(&requests[*index], self.weigh(*index, &requests[*index], first, &mut count, stop))?;
                }
                Ok(())
            }
        }
    }

    fn complete(
        &self,
        index: usize,
        request: &Request<'_>,
        stop: &AtomicBool,
    ) -> Result<(usize, Said, Usage), Failure> {
        let Wanted::Completion { decoding, stream } = request.wanted else { return Err(Failure::Stopped) };
        if self.endpoint.protocol == Protocol::Completions && request.prompt.text.is_some_and(quotes) {
            return Ok((index, Said::Lost(Loss::LiteralToken), Usage::default()));
        }
        let answer = self.completion(request, decoding, stream, stop)?;
        let said = self.note(reply::served(&answer)).and_then(|()| self.said(&answer, decoding));
        Ok((index, said.map_err(wrong)?, reply::usage(&answer)))
    }

    fn weigh(
        &self,
        index: usize,
        request: &Request<'_>,
        first: &Request<'_>,
        count: &mut Option<usize>,
        stop: &AtomicBool,
    ) -> Result<(usize, Said, Usage), Failure> {
        let Wanted::Likelihood(continuation) = request.wanted else { return Err(Failure::Stopped) };
        let prompt = request.text().map_err(Failure::Refused)?;
        if quotes(prompt) || quotes(continuation) {
            return Ok((index, Said::Lost(Loss::LiteralToken), Usage::default()));
        }
        let mut usage = Usage { prompt_tokens: Some(0), completion_tokens: Some(0), seconds: 0.0 };
        let mut asked = |body: Value| {
            let answer = self.line.post(body::path(Protocol::Completions), &body, 1, stop)?;
            usage = sum(usage, reply::usage(&answer));
            self.note(reply::served(&answer)).map_err(wrong)?;
            Ok(answer)
        };
        let tokens = match *count {
            Some(tokens) => tokens,
            None => {
                let kept = likelihood::kept(first.text().map_err(Failure::Refused)?);
                *count.insert(likelihood::counted(&asked(body::count(&self.endpoint, kept))?).map_err(wrong)?)
            }
        };
        let text = format!("{prompt}{continuation}");
        let answer = asked(body::echo(&self.endpoint, &text))?;
        let found = likelihood::read(&answer, &text, tokens, continuation.len()).map_err(wrong)?;
        Ok((index, Said::Likelihood(found), usage))
    }
}

/// Hands over what the threads send, and tells them to stop when that is enough.
fn handed(answers: &Receiver<Message>, stop: &AtomicBool, watch: &mut dyn FnMut(Moment) -> Result<()>) -> Result<()> {
    let (mut first, mut deaf, mut last) = (None, false, Instant::now());
    loop {
        let outcome = match answers.recv_timeout(GLANCE) {
            Err(RecvTimeoutError::Disconnected) => return first.map_or(Ok(()), Err),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) if deaf => Ok(()),
            Ok(Ok((index, said, usage))) => {
                let seconds = std::mem::replace(&mut last, Instant::now()).elapsed().as_secs_f64();
                let answer = Answer { said, usage: Usage { seconds, ..usage } };
                watch(Moment::Answered(index, answer)).inspect_err(|_| deaf = true)
            }
        };
        let outcome = outcome.and_then(|()| if first.is_none() { watch(Moment::Pause) } else { Ok(()) });
        if let Err(error) = outcome {
            stop.store(true, Ordering::SeqCst);
            first.get_or_insert(error);
        }
    }
}

fn wrong(text: Wrong) -> Failure {
    Failure::Fault(Fault::Wrong(text), 1)
}

/// Whether a text has a user's words in it that look like a special token. A server cannot be told that they are none.
fn quotes(text: &str) -> bool {
    text.contains(LITERAL)
}

fn check_pair(request: &Request<'_>, continuation: &str) -> Result<()> {
    if likelihood::kept(request.text()?).is_empty() {
        return Err(request.error("has nothing but white space for a prompt"))
            .map_err(|error: Error| error.hint("white space counts for the continuation: give the prompt a word"));
    }
    if continuation.is_empty() { Err(request.error("has an empty continuation")) } else { Ok(()) }
}

fn sum(a: Usage, b: Usage) -> Usage {
    let add = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
    Usage {
        prompt_tokens: add(a.prompt_tokens, b.prompt_tokens),
        completion_tokens: add(a.completion_tokens, b.completion_tokens),
        seconds: 0.0,
    }
}
