//! What a number of samples can show, and how many would settle a question.
//!
//! Both ask for 80 % power: the tail is made smaller by the corresponding normal quantile, so that a repetition with
//! ordinary bad luck would still show it.

use super::distribution::{normal_cdf, normal_quantile};
use super::{Evidence, Side};
use serde::{Deserialize, Serialize};

const POWER: f64 = 0.8;

/// Beyond this many samples the honest answer is that sampling does not settle it.
const MOST_SAMPLES: f64 = 1e7;

/// The measured value is off by up to one standard error two times out of three; the range of a sample size covers that.
const ONE_STANDARD_ERROR: f64 = 0.158_655;

/// How many samples would settle a question, as far as the samples at hand can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleSize {
    /// If the true value is one standard error further from the threshold than the measured one.
    pub least: usize,
    /// If it is one standard error closer; `None` where no feasible number settles that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<usize>,
    /// Whether they have to be new, decided on without the samples at hand: to decide on those again, with some more, would
    /// spend the error rate a second time.
    pub new: bool,
}

/// The smallest true distance from a threshold that this evidence's precision would show at the one-sided level `tail`
/// in four of five repetitions; the larger of the distances up and down. `None` without an interval.
pub fn detectable(evidence: &Evidence, tail: f64) -> Option<f64> {
    let (low, high) = evidence.ends(with_power(tail))?;
    let estimate = evidence.estimate()?;
    Some((estimate - low).max(high - estimate))
}

/// How many samples (not clusters) would show, at the one-sided level `tail` and in four of
/// five repetitions, on which side of `threshold` the value lies. `None` where no feasible number would.
pub fn samples_to_settle(evidence: &Evidence, threshold: f64, tail: f64) -> Option<SampleSize> {
    let estimate = evidence.estimate()?;
    let (low, high) = evidence.ends(ONE_STANDARD_ERROR)?;
    // Moving the threshold moves the value the other way.
    let (least_possible, most_possible) = evidence.limits();
    let (side, further, closer) = if estimate >= threshold {
        let further = (threshold - (high - estimate)).max(0.5 * (threshold + least_possible));
        (Side::Above, further, threshold + (estimate - low))
    } else {
        let further = (threshold + (estimate - low)).min(0.5 * (threshold + most_possible));
        (Side::Below, further, threshold - (high - estimate))
    };
    let least = samples(evidence, side, further, tail)?;
    let beyond = if side == Side::Above { closer >= estimate } else { closer <= estimate };
    let most = if beyond { None } else { samples(evidence, side, closer, tail) };
    Some(SampleSize { least, most: most.map(|most| most.max(least)), new: true })
}

/// The same if the measured value is exactly the true one.
pub fn samples_if_true(evidence: &Evidence, threshold: f64, tail: f64) -> Option<usize> {
    let side = if evidence.estimate()? >= threshold { Side::Above } else { Side::Below };
    samples(evidence, side, threshold, tail)
}

/// How many samples show that the measured value, if it is the true one, lies on this side of `threshold`.
fn samples(evidence: &Evidence, side: Side, threshold: f64, tail: f64) -> Option<usize> {
    let n = evidence.n() as f64;
    let tail = with_power(tail);
    let settled = |growth: f64| evidence.grown_p(side, threshold, growth).is_some_and(|p| p <= tail);
    let mut enough = 1.0;
    while !settled(enough) {
        enough *= 2.0;
        if enough * n > MOST_SAMPLES {
            return None;
        }
    }
    let mut short = if enough > 1.0 { enough / 2.0 } else { 0.0 };
    while (enough - short) * n > 0.5 && enough - short > 1e-3 * enough {
        let middle = 0.5 * (short + enough);
        if settled(middle) { enough = middle } else { short = middle }
    }
    Some((enough * n).ceil() as usize)
}

/// The tail that leaves room for bad luck: z is raised by the quantile of the power.
fn with_power(tail: f64) -> f64 {
    normal_cdf(normal_quantile(tail) - normal_quantile(POWER))
}
