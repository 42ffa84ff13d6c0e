//! The loss curve of a training run: each step's loss as a line, the held-out loss as a second one over it.

use crate::number::plain;
use diapason_core::report::Training;
use serde::Serialize;

/// A curve as SVG points in a box of 1000 by 100, and its ends in words.
#[derive(Debug, Serialize)]
pub(super) struct LossCurve {
    points: String,
    highest: String,
    lowest: String,
    first_step: u64,
    last_step: u64,
    first: String,
    last: String,
    held_out: Option<HeldOut>,
}

/// The loss of the rows that were held out: a line, a dot for every measurement, the best and the last one.
#[derive(Debug, Serialize)]
struct HeldOut {
    points: String,
    dots: String,
    best: String,
    best_step: u64,
    last: String,
}

impl LossCurve {
    /// The curve of a run. `None` where there are fewer than two finite points to join.
    pub(super) fn of(training: &Training) -> Option<Self> {
        let steps = finite(&training.loss);
        let held_out = finite(&training.held_out);
        let [(first_step, first), .., (last_step, last)] = steps[..] else { return None };
        let all = || steps.iter().chain(&held_out).map(|(_, loss)| *loss);
        let area = Area {
            first_step,
            last_step: last_step.max(held_out.last().map_or(0, |(step, _)| *step)),
            highest: all().fold(f64::MIN, f64::max),
            lowest: all().fold(f64::MAX, f64::min).min(0.0),
        };
        Some(Self {
            points: area.line(&steps),
            highest: plain(area.highest),
            lowest: plain(area.lowest),
            first_step,
            last_step: area.last_step,
            first: plain(first),
            last: plain(last),
            held_out: HeldOut::of(&area, &held_out),
        })
    }
}

impl HeldOut {
    fn of(area: &Area, losses: &[(u64, f64)]) -> Option<Self> {
        let (_, last) = losses.last()?;
        let (best_step, best) = losses.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
        // A stroke of no length with round ends is a dot that stays round however the picture is stretched.
        let dot = |point: &(u64, f64)| {
            let (x, y) = area.place(point);
            format!("M{x:.1} {y:.2}h0")
        };
        Some(Self {
            points: area.line(losses),
            dots: losses.iter().map(dot).collect(),
            best: plain(*best),
            best_step: *best_step,
            last: plain(*last),
        })
    }
}

struct Area {
    first_step: u64,
    last_step: u64,
    highest: f64,
    lowest: f64,
}

impl Area {
    fn place(&self, (step, loss): &(u64, f64)) -> (f64, f64) {
        let width = self.last_step.saturating_sub(self.first_step).max(1) as f64;
        let height = (self.highest - self.lowest).max(f64::MIN_POSITIVE);
        (1000.0 * step.saturating_sub(self.first_step) as f64 / width, 100.0 * (self.highest - loss) / height)
    }

    fn line(&self, points: &[(u64, f64)]) -> String {
        let point = |point| {
            let (x, y) = self.place(point);
            format!("{x:.1},{y:.2}")
        };
        points.iter().map(point).collect::<Vec<_>>().join(" ")
    }
}

fn finite(losses: &[(u64, f64)]) -> Vec<(u64, f64)> {
    losses.iter().copied().filter(|(_, loss)| loss.is_finite()).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_starts_left_and_ends_right_and_leaves_out_what_is_not_a_number() {
        let loss = vec![(1, 2.0), (2, f64::NAN), (3, 1.0), (5, 0.5)];
        let curve = LossCurve::of(&Training { loss, ..Training::default() }).unwrap();
        assert_eq!(curve.points, "0.0,0.00 500.0,50.00 1000.0,75.00");
        assert_eq!((curve.first.as_str(), curve.last.as_str()), ("2", "0.5"));
        assert!(curve.held_out.is_none());
        let one = Training { loss: vec![(1, 2.0)], ..Training::default() };
        assert!(LossCurve::of(&one).is_none(), "one point is no curve");
    }

    #[test]
    fn the_held_out_loss_shares_the_axes_and_names_its_best() {
        let held_out = vec![(2, 4.0), (4, 1.0), (5, 3.0)];
        let loss = vec![(1, 2.0), (5, 0.5)];
        let curve = LossCurve::of(&Training { loss, held_out, ..Training::default() }).unwrap();
        assert_eq!((curve.highest.as_str(), curve.points.as_str()), ("4", "0.0,50.00 1000.0,87.50"));
        let held = curve.held_out.unwrap();
        assert_eq!(held.points, "250.0,0.00 750.0,75.00 1000.0,25.00");
        assert_eq!((held.best.as_str(), held.best_step, held.last.as_str()), ("1", 4, "3"));
    }
}
