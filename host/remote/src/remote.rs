//! A model behind a server, as an engine.

use crate::budget::{Ledger, Spent};
use crate::call::{Failure, Line};
use crate::fault::Fault;
use crate::http::Http;
use crate::origin::Origin;
use crate::pace::Pace;
use crate::reply;
use crate::token::Token;
use crate::work::Desk;
use diapason_core::Result;
use diapason_core::arm::Arm;
use diapason_core::config::{Endpoint, Price};
use diapason_core::engine::{Engine, Moment, Prompt, Request, Wanted};
use diapason_core::language_model::Decoding;
use diapason_core::sample::{Conversation, Message};
use serde_json::Value;
use std::ffi::OsString;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;

/// A short question to find out who answers.
const GREETING: &str = "1";

/// Its answer's length, at most.
const GREETING_TOKENS: usize = 16;

/// A model behind a server.
#[derive(Debug)]
pub struct Remote {
    desk: Desk,
    origin: Option<Origin>,
}

impl Remote {
    /// Prepares to ask the server; nothing is sent yet. `environment` looks up the variable that has the bearer token.
    ///
    /// Errors if the URL cannot be used, the token is missing, or a budget of money has no price.
    pub fn open(
        endpoint: &Endpoint,
        price: Option<&Price>,
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self> {
        let token = endpoint.token_variable.as_deref().map(|name| Token::find(name, environment)).transpose()?;
        let line = Line {
            http: Http::new(endpoint, token)?,
            pace: Pace::new(endpoint.requests_per_minute),
            ledger: Ledger::new(&endpoint.budget, price)?,
            retries: endpoint.retries,
            token_variable: endpoint.token_variable.clone(),
        };
        let (other_limit, served) = Default::default();
        Ok(Self { desk: Desk { line, endpoint: endpoint.clone(), other_limit, served }, origin: None })
    }

    /// Returns what the server says of itself; asks it at the first call: for its list of models, and for one short answer.
    ///
    /// Errors if it does not answer, or answers as another model.
    pub fn origin(&mut self) -> Result<&Origin> {
        if self.origin.is_none() {
            self.origin = Some(self.met()?);
        }
        self.origin.as_ref().ok_or_else(|| diapason_core::Error::run("the server was not asked"))
    }

    /// Returns the fingerprints that answers have shown so far. More than one means that the server changed meanwhile.
    pub fn fingerprints(&self) -> Vec<String> {
        let served = self.desk.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.1.iter().cloned().collect()
    }

    /// Returns what has been spent so far.
    pub fn spent(&self) -> Spent {
        self.desk.line.ledger.spent()
    }

    fn met(&self) -> Result<Origin> {
        let Desk { line, endpoint, .. } = &self.desk;
        let fail = |failure: Failure| line.error(failure).context(format!("failed to meet `{}`", endpoint.model));
        let models = self.models().map_err(fail)?;
        let answer = self.greeted().map_err(fail)?;
        let served = answer.as_ref().map(reply::served);
        let origin = Origin::new(endpoint, line.http.url(), models.as_ref(), served.clone())?;
        self.desk.note(served.unwrap_or_default()).map_err(|text| fail(Failure::Fault(Fault::Wrong(text), 1)))?;
        Ok(origin)
    }

    /// The list of models, where there is one.
    fn models(&self) -> Result<Option<Value>, Failure> {
        match self.desk.line.get("/models", &AtomicBool::new(false)) {
            Ok(models) => Ok(Some(models)),
            Err(Failure::Fault(Fault::Wrong(_), _)) => Ok(None),
            Err(Failure::Fault(Fault::Status { code: 400 | 404 | 405 | 501, .. }, _)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// A short answer, where the server takes a short question: some refuse a limit that their thoughts do not keep to.
    fn greeted(&self) -> Result<Option<Value>, Failure> {
        let turns = Conversation { messages: vec![Message::new("user", GREETING)], ..Conversation::default() };
        let decoding = Decoding { max_tokens: GREETING_TOKENS, ..Decoding::default() };
        let prompt = Prompt { conversation: Some(&turns), text: Some(GREETING) };
        let wanted = Wanted::Completion { decoding: &decoding, stream: 0 };
        let request = Request { arm: &Arm::base(), name: "the greeting", prompt, wanted };
        match self.desk.completion(&request, &decoding, 0, &AtomicBool::new(false)) {
            Ok(answer) => match self.desk.said(&answer, &decoding) {
                Ok(_) => Ok(Some(answer)),
                Err(text) => Err(Failure::Fault(Fault::Wrong(text), 1)),
            },
            Err(Failure::Fault(Fault::Status { code: 400 | 422, .. }, _)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

impl Engine for Remote {
    fn ask(
        &mut self,
        requests: &[Request<'_>],
        known: &dyn Fn(usize) -> bool,
        watch: &mut dyn FnMut(Moment) -> Result<()>,
    ) -> Result<()> {
        let open: Vec<usize> = (0..requests.len()).filter(|index| !known(*index)).collect();
        if open.is_empty() {
            return Ok(());
        }
        // What cannot be asked is refused before anything is sent.
        let jobs = self.desk.jobs(requests, &open)?;
        self.origin()?;
        self.desk.line.ledger.begin();
        let done = self.desk.all(requests, &jobs, watch);
        self.desk.line.ledger.end();
        done
    }
}
