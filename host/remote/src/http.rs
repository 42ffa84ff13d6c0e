//! One request to one server, and what came of it.

use crate::fault::{self, Fault};
use crate::token::Token;
use diapason_core::config::Endpoint;
use diapason_core::{Error, Result};
use serde_json::Value;
use std::time::{Duration, SystemTime};
use ureq::http::{Response, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

/// The longest answer that is read.
const LONGEST: u64 = 64 << 20;

/// The longest message of a server that is shown.
const LONGEST_MESSAGE: usize = 500;

/// A connection that was idle for longer may be closed by the server just when it is used again.
const IDLE: Duration = Duration::from_secs(2);

/// A server, by its URL.
#[derive(Debug)]
pub(crate) struct Http {
    agent: Agent,
    url: String,
    token: Option<Token>,
}

impl Http {
    /// Errors if the URL is none that a request can be sent to, or has a secret in it.
    pub(crate) fn new(endpoint: &Endpoint, token: Option<Token>) -> Result<Self> {
        check(&endpoint.url)?;
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(endpoint.timeout)))
            .max_idle_connections_per_host(endpoint.concurrency)
            .max_idle_age(IDLE)
            .user_agent(concat!("diapason/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build()
            .new_agent();
        Ok(Self { agent, url: endpoint.url.trim_end_matches('/').to_owned(), token })
    }

    /// Its URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns `text` without the bearer token.
    pub(crate) fn scrubbed(&self, text: &str) -> String {
        self.token.as_ref().map_or_else(|| text.to_owned(), |token| token.scrubbed(text))
    }

    /// Asks for what is at `path`.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Fault> {
        let request = self.agent.get(format!("{}{path}", self.url)).header("accept", "application/json");
        let request = match &self.token {
            Some(token) => request.header("authorization", token.header()),
            None => request,
        };
        self.read(request.call())
    }

    /// Sends `body` to `path`.
    pub(crate) fn post(&self, path: &str, body: &str) -> Result<Value, Fault> {
        let request = self.agent.post(format!("{}{path}", self.url)).header("accept", "application/json");
        let request = match &self.token {
            Some(token) => request.header("authorization", token.header()),
            None => request,
        };
        self.read(request.content_type("application/json").send(body))
    }

    fn read(&self, response: Result<Response<Body>, ureq::Error>) -> Result<Value, Fault> {
        let mut response = response.map_err(failed)?;
        let bytes = response.body_mut().with_config().limit(LONGEST).read_to_vec().map_err(failed)?;
        let answer = parsed(&response, &bytes)?;
        // Whatever is kept of it would be a place where the token is written.
        match &self.token {
            Some(token) if token.is_in(&answer) => {
                Err(Fault::Wrong("the answer has the bearer token in it".to_owned()))
            }
            _ => Ok(answer),
        }
    }
}

fn check(url: &str) -> Result<()> {
    let fail = |what: &str| Err(Error::config(format!("`endpoint.url` {what}")));
    // A URL with a secret must not be shown; what is no URL may have one as well.
    let Ok(uri) = url.parse::<Uri>() else { return fail("is no URL") };
    let Some(authority) = uri.authority() else { return fail("names no server: expected http://HOST/v1") };
    if authority.as_str().contains('@') {
        return fail("has a user name or a password in it")
            .map_err(|error| error.hint("put the token into an environment variable and name that: `token_variable`"));
    }
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return fail("is neither http:// nor https://");
    }
    if uri.query().is_some() || url.contains('#') {
        return fail("has something after the path (`?` or `#`)")
            .map_err(|error| error.hint("it goes up to and with `/v1`"));
    }
    Ok(())
}

fn failed(error: ureq::Error) -> Fault {
    use ureq::Error::{BodyExceedsLimit, Rustls, Timeout, Tls};
    match error {
        Timeout(_) => Fault::Broken("no whole answer within `endpoint.timeout`".to_owned()),
        BodyExceedsLimit(_) => Fault::Wrong(format!("the answer is longer than {} MiB", LONGEST >> 20)),
        Tls(_) | Rustls(_) => Fault::Local(format!("no secure connection: {error}")),
        error if is_certificate(&error) => Fault::Local(format!("no secure connection: {error}")),
        error => Fault::Broken(format!("the connection failed: {error}")),
    }
}

/// A certificate that is refused shows as an error of reading.
fn is_certificate(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(source) if source.to_string().contains("certificate"))
}

/// The answer's JSON, if the server says that it is one.
fn parsed(response: &Response<Body>, bytes: &[u8]) -> Result<Value, Fault> {
    let status = response.status();
    let value = serde_json::from_slice::<Value>(bytes);
    if !status.is_success() {
        let message = match response.headers().get("location").and_then(|place| place.to_str().ok()) {
            Some(place) => format!("it sends on to {place}"),
            None => said(bytes),
        };
        return Err(refusal(status.as_u16(), value.as_ref().ok(), message, waits(response)));
    }
    match value {
        // Some say in the body that it is an error.
        Ok(value) if value.get("error").is_some_and(|error| !error.is_null()) => {
            let code = value["error"]["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(200);
            Err(refusal(code, Some(&value), said(bytes), waits(response)))
        }
        Ok(value) => Ok(value),
        Err(error) if error.is_eof() => Err(Fault::Broken("the answer is cut off".to_owned())),
        Err(error) => Err(Fault::Wrong(format!("the answer is not JSON ({error}): {}", said(bytes)))),
    }
}

fn waits(response: &Response<Body>) -> Option<Duration> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    fault::retry_after(header("retry-after-ms"), header("retry-after"), SystemTime::now())
}

fn refusal(code: u16, body: Option<&Value>, otherwise: String, wait: Option<Duration>) -> Fault {
    let error = body.map_or(&Value::Null, |body| &body["error"]);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let flat = || body.and_then(|body| text(&body["message"]).or_else(|| text(&body["detail"])));
    let message = text(&error["message"]).or_else(|| text(error)).or_else(flat).unwrap_or(otherwise);
    let name = text(&error["code"]).or_else(|| text(&error["type"]));
    Fault::Status { code, message: said(message.as_bytes()), name, parameter: text(&error["param"]), wait }
}

/// What a server said, short enough for a message.
fn said(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * LONGEST_MESSAGE)]);
    let text = text.trim();
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if text.is_empty() => "it says nothing more".to_owned(),
        None => text.to_owned(),
    }
}
