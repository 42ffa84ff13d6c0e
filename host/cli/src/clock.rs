//! The date that a run is given: the system's clock, or `SOURCE_DATE_EPOCH` where builds have to be reproducible.

use diapason_core::{Error, Result};
use std::time::{Duration, SystemTime};

const VARIABLE: &str = "SOURCE_DATE_EPOCH";
/// 9999-12-31T23:59:59Z: later dates cannot be written in four digits.
const LAST: u64 = 253_402_300_799;

/// Now, in UTC and whole seconds: `2026-03-01T12:00:00Z`.
///
/// # Errors
/// `SOURCE_DATE_EPOCH` is set to something else than seconds since 1970.
pub(crate) fn now() -> Result<String> {
    match std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        Some(value) => given(&value.to_string_lossy()),
        None => {
            let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
            Ok(written(seconds.min(LAST)))
        }
    }
}

fn given(value: &str) -> Result<String> {
    let seconds = value.trim().parse().ok().filter(|seconds| *seconds <= LAST);
    seconds.map(written).ok_or_else(|| {
        Error::config(format!("{VARIABLE} is `{value}`, expected seconds since 1970"))
            .hint(format!("unset {VARIABLE} to use the clock"))
    })
}

fn written(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_a_date_or_are_refused() {
        assert_eq!(given("0").ok().as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(given(" 1772366400").ok().as_deref(), Some("2026-03-01T12:00:00Z"));
        assert_eq!(given(&LAST.to_string()).ok().as_deref(), Some("9999-12-31T23:59:59Z"));
        for wrong in ["yesterday", "-1", "1.5", "253402300800"] {
            assert!(given(wrong).is_err_and(|error| error.to_string().contains(wrong)), "{wrong}");
        }
    }
}
