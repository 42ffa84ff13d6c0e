//! One call with its retries, within pace and budget.

use crate::budget::{Ledger, Most};
use crate::fault::{Fault, LONGEST_WAIT};
use crate::http::Http;
use crate::pace::{self, Pace};
use diapason_core::engine::Usage;
use diapason_core::{Error, Result};
use serde_json::Value;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A server with what limits its use.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) http: Http,
    pub(crate) pace: Pace,
    pub(crate) ledger: Ledger,
    pub(crate) retries: u32,
    /// Where the bearer token is looked for, for hints.
    pub(crate) token_variable: Option<String>,
}

/// Why a call gave no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was told to stop, and nothing is under way.
    Stopped,
    /// The server's fault, after all tries.
    Fault(Fault, u32),
    /// It was not sent: the budget is at its end, or the prompt is not in the form that the server needs.
    Refused(Error),
}

impl Line {
    /// Sends `body` to `path` until an answer comes that is one, and books what it took.
    pub(crate) fn post(
        &self,
        path: &str,
        body: &Value,
        most_written: u64,
        stop: &AtomicBool,
    ) -> Result<Value, Failure> {
        let text = body.to_string();
        let most = Most { prompt: text.len() as u64, completion: most_written };
        self.tried(stop, || {
            self.ledger.admit(most).map_err(Failure::Refused)?;
            if !self.pace.wait(stop) {
                self.ledger.withdraw(most);
                return Err(Failure::Stopped);
            }
            let answer = self.http.post(path, &text);
            self.ledger.settle(most, took(&answer));
            answer.map_err(|fault| Failure::Fault(fault, 1))
        })
    }

    /// Asks for what is at `path`; that costs nothing.
    pub(crate) fn get(&self, path: &str, stop: &AtomicBool) -> Result<Value, Failure> {
        self.tried(stop, || match self.pace.wait(stop) {
            true => self.http.get(path).map_err(|fault| Failure::Fault(fault, 1)),
            false => Err(Failure::Stopped),
        })
    }

    fn tried(&self, stop: &AtomicBool, once: impl Fn() -> Result<Value, Failure>) -> Result<Value, Failure> {
        let mut tries = 1;
        loop {
            let fault = match once() {
                Err(Failure::Fault(fault, _)) => fault,
                other => return other,
            };
            let wait = fault.wait(tries, chance());
            if !fault.passes() || tries > self.retries || wait > LONGEST_WAIT {
                return Err(Failure::Fault(fault, tries));
            }
            // A server that wants to be left alone means all requests.
            if let Fault::Status { wait: Some(asked), .. } = fault {
                self.pace.hold(asked);
            }
            if !pace::rest(Instant::now() + wait, stop) {
                return Err(Failure::Stopped);
            }
            tries += 1;
        }
    }

    /// What a failure means, and what to do about it.
    pub(crate) fn error(&self, failure: Failure) -> Error {
        let (fault, tries) = match failure {
            Failure::Stopped => return Error::run("told to stop"),
            Failure::Refused(error) => return error,
            Failure::Fault(fault, tries) => (fault, tries),
        };
        let (url, clean) = (self.http.url(), |text: &str| self.http.scrubbed(text));
        let often = if tries > 1 { format!(" ({tries} tries)") } else { String::new() };
        match fault {
            Fault::Broken(text) => Error::run(format!("failed to ask {url}{often}: {}", clean(&text)))
                .hint("make sure that the server runs and is reachable, then run the same command again to resume"),
            Fault::Local(text) => Error::run(format!("failed to ask {url}: {}", clean(&text)))
                .hint("check `endpoint.url`, and the certificates that this machine trusts"),
            Fault::Wrong(text) => Error::run(format!("{url}: {}", clean(&text)))
                .hint("`endpoint.url` goes up to and with `/v1` of an OpenAI-compatible server"),
            Fault::Status { code, message, wait, .. } => {
                Error::run(format!("{url} answered {code}{often}: {}", clean(&message))).hint(self.hint(code, wait))
            }
        }
    }

    fn hint(&self, code: u16, wait: Option<Duration>) -> String {
        match (code, wait) {
            (401 | 403, _) => match &self.token_variable {
                Some(variable) => format!("the server does not accept the token in `{variable}`"),
                None => "name the environment variable that has the bearer token: `token_variable`".to_owned(),
            },
            (404, _) => {
                "check `endpoint.url` (up to and with `/v1`), `endpoint.model` and `endpoint.protocol`".to_owned()
            }
            (300..=399, _) => "put the address that it sends on to into `endpoint.url`".to_owned(),
            (408 | 409 | 429 | 500..=599, Some(wait)) => {
                format!("the server asks for {} s of rest; run the same command then to resume", wait.as_secs())
            }
            (408 | 409 | 429 | 500..=599, None) => {
                "lower `endpoint.concurrency` or set `requests_per_minute`, or wait; the same command resumes"
                    .to_owned()
            }
            _ => "the server cannot do what was asked, or not for this prompt; its own words say why".to_owned(),
        }
    }
}

/// What an answer took; a refusal takes nothing, and what was cut off may have taken anything.
fn took(answer: &Result<Value, Fault>) -> Usage {
    let nothing = Usage { prompt_tokens: Some(0), completion_tokens: Some(0), seconds: 0.0 };
    match answer {
        Ok(value) => crate::reply::usage(value),
        Err(fault) if fault.may_have_cost() => Usage::default(),
        Err(_) => nothing,
    }
}

/// Between 0 and 1, so that those who were sent away together do not come back together.
fn chance() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    f64::from(now.subsec_nanos() % 1_000_000) / 1e6
}
