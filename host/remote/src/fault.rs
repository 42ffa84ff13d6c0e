//! What can go wrong with a request, and whether it is worth another try.

use std::time::{Duration, SystemTime};

/// Longer than this a server's `Retry-After` is not waited for.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// Why a request came to nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// No whole answer came: the connection failed, was cut, or took too long. It passes, perhaps, and may have cost.
    Broken(String),
    /// The server answered with a status other than success.
    Status {
        /// The status.
        code: u16,
        /// What the server said of it.
        message: String,
        /// The name that the server has for it, and the parameter that it is about.
        name: Option<String>,
        parameter: Option<String>,
        /// How long the server wants to be left alone.
        wait: Option<Duration>,
    },
    /// The answer came, and is none.
    Wrong(String),
    /// Nothing was sent that could be answered: a certificate, a URL.
    Local(String),
}

impl Fault {
    /// Whether another try may go better.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Broken(_) => true,
            // Money that is used up does not come back by waiting.
            Self::Status { name: Some(name), .. } if name == "insufficient_quota" => false,
            Self::Status { code, .. } => matches!(code, 408 | 409 | 429 | 500..=599),
            Self::Wrong(_) | Self::Local(_) => false,
        }
    }

    /// Whether the server may have done the work all the same.
    pub(crate) fn may_have_cost(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Wrong(_))
    }

    /// How long to wait before try number `attempt`, from 1; `chance` is between 0 and 1.
    pub(crate) fn wait(&self, attempt: u32, chance: f64) -> Duration {
        let doubled = 0.5 * 2_f64.powi(attempt.min(8) as i32 - 1);
        let backed_off = Duration::from_secs_f64(doubled.min(60.0) * (0.5 + chance / 2.0));
        match self {
            Self::Status { wait: Some(asked), .. } => backed_off.max(*asked),
            _ => backed_off,
        }
    }
}

/// How long the headers `retry-after-ms` and `retry-after` ask to wait: milliseconds; seconds or a date.
pub(crate) fn retry_after(milliseconds: Option<&str>, other: Option<&str>, now: SystemTime) -> Option<Duration> {
    if let Some(number) = milliseconds.and_then(|text| text.trim().parse::<u64>().ok()) {
        return Some(Duration::from_millis(number));
    }
    let text = other?.trim();
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => Some(httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn status(code: u16, name: Option<&str>, wait: Option<Duration>) -> Fault {
        Fault::Status { code, message: String::new(), name: name.map(str::to_owned), parameter: None, wait }
    }

    #[test]
    fn what_passes_is_tried_again() {
        for code in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert!(status(code, None, None).passes(), "{code}");
        }
        for code in [301, 400, 401, 402, 403, 404, 413, 422] {
            assert!(!status(code, None, None).passes(), "{code}");
        }
        assert!(!status(429, Some("insufficient_quota"), None).passes());
        assert!(Fault::Broken(String::new()).passes() && !Fault::Wrong(String::new()).passes());
    }

    #[test]
    fn waits_grow_within_bounds_and_heed_the_server() {
        let fault = status(500, None, None);
        let seconds = |attempt, chance| fault.wait(attempt, chance).as_secs_f64();
        assert_eq!([seconds(1, 0.0), seconds(1, 1.0), seconds(3, 1.0), seconds(20, 1.0)], [0.25, 0.5, 2.0, 60.0]);
        let asked = status(429, None, Some(Duration::from_secs(7)));
        assert_eq!(asked.wait(1, 0.5), Duration::from_secs(7));
    }

    #[test]
    fn the_header_is_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let read = |milliseconds, other| retry_after(milliseconds, other, now).map(|wait| wait.as_millis());
        assert_eq!(read(None, Some("7")), Some(7000));
        assert_eq!(read(None, Some("0.25")), Some(250));
        assert_eq!(read(Some("120"), Some("7")), Some(120));
        assert_eq!(read(None, Some("Sun, 06 Nov 1994 08:50:07 GMT")), Some(30_000));
        assert_eq!(read(None, Some("Sun, 06 Nov 1994 08:00:00 GMT")), Some(0), "in the past");
        for nonsense in ["soon", "-1", "NaN", "inf", ""] {
            assert_eq!(read(None, Some(nonsense)), None, "{nonsense}");
        }
    }
}
