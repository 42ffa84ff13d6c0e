//! What a number of samples can show, and how many would settle a question.
//!
//! Both ask for 80 % power: the interval is made wider by the corresponding normal quantile, so that a repetition with
//! ordinary bad luck would still show it.

use super::Evidence;
use super::distribution::{normal_cdf, normal_quantile};

const POWER: f64 = 0.8;

/// Beyond this many samples the honest answer is that sampling does not settle it.
const MOST_SAMPLES: f64 = 1e7;

/// The smallest true distance from a threshold that this evidence's precision would show at the one-sided level `tail`
/// in four of five repetitions; the larger of the distances up and down. `None` without an interval.
pub fn detectable(evidence: &Evidence, tail: f64) -> Option<f64> {
    let (low, high) = evidence.ends(with_power(tail), 1.0)?;
    let estimate = evidence.estimate()?;
    Some((estimate - low).max(high - estimate))
}

/// About how many samples would show, at the one-sided level `tail` and in four of five repetitions, on which side of
/// `threshold` the value lies, if the measured value is the true one. `None` where no feasible number would.
pub fn samples_to_settle(evidence: &Evidence, threshold: f64, tail: f64) -> Option<usize> {
    let n = evidence.n() as f64;
    let tail = with_power(tail);
    let settled =
        |growth: f64| evidence.ends(tail, growth).is_some_and(|(low, high)| low > threshold || high < threshold);
    let mut enough = 1.0;
    while !settled(enough) {
        enough *= 2.0;
        if enough * n > MOST_SAMPLES {
            return None;
        }
    }
    let mut short = enough / 2.0;
    while (enough - short) * n > 0.5 {
        let middle = 0.5 * (short + enough);
        if settled(middle) { enough = middle } else { short = middle }
    }
    Some((enough * n).ceil() as usize)
}

/// The tail that leaves room for bad luck: z is raised by the quantile of the power.
fn with_power(tail: f64) -> f64 {
    normal_cdf(-(normal_quantile(1.0 - tail) + normal_quantile(POWER)))
}
