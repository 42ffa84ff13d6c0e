//! A linear axis with ticks at round numbers.
//!
//! Positions are percentages of the panel's width, so that the drawing stretches and its text does not.

use serde::Serialize;

/// A labelled place on an axis.
#[derive(Debug, Serialize)]
pub(super) struct Tick {
    x: String,
    label: String,
    anchor: &'static str,
}

/// A linear axis from `low` to `high` with a tick at every multiple of `step`.
pub(super) struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// From one end to the other.
    pub(super) fn between(low: f64, high: f64) -> Self {
        Self { low, high, step: step(low, high) }
    }

    /// The smallest axis with round ends around the values.
    pub(super) fn around(values: impl Iterator<Item = f64>) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return Self { low: 0.0, high: 1.0, step: 0.5 };
        }
        let step = step(low, high);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        if low < high { Self { low, high, step } } else { Self { low: low - step, high: high + step, step } }
    }

    /// A value's place in percent, a little inside of the panel so that marks at the ends are whole.
    pub(super) fn x(&self, value: f64) -> String {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        format!("{:.2}%", 2.0 + 96.0 * share)
    }

    pub(super) fn ticks(&self, label: impl Fn(f64) -> String) -> Vec<Tick> {
        // An end that is a multiple of the step has its tick, whatever the division rounds to.
        let place = |value: f64, off: f64| value / self.step + off;
        let (first, last) = (place(self.low, -1e-6).ceil() as i64, place(self.high, 1e-6).floor() as i64);
        let anchor = |index| match index {
            _ if index == first => "start",
            _ if index == last => "end",
            _ => "middle",
        };
        let tick = |index: i64| {
            let value = index as f64 * self.step;
            Tick { x: self.x(value), label: label(value).replace(".0 ", " "), anchor: anchor(index) }
        };
        (first..=last).map(tick).collect()
    }
}

/// A round distance (1, 2 or 5 times a power of ten) of which two to five fit into the range.
fn step(low: f64, high: f64) -> f64 {
    let range = (high - low).max(high.abs() * 1e-6).max(1e-9);
    let power = 10f64.powf((range / 4.0).log10().floor());
    let multiple = [1.0, 2.0, 5.0, 10.0].into_iter().find(|multiple| range / (multiple * power) <= 4.001);
    multiple.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::Unit;

    #[test]
    fn axes_end_at_round_numbers_around_the_values() {
        let axis = Axis::around([-0.02, 0.0, 0.617].into_iter());
        assert_eq!((axis.low, axis.high), (-0.2, 0.8));
        assert_eq!(axis.x(-0.2), "2.00%");
        assert_eq!(axis.x(0.8), "98.00%");
        let labels: Vec<String> =
            axis.ticks(|value| Unit::Share.difference(value)).into_iter().map(|tick| tick.label).collect();
        assert_eq!(labels, ["−20 pp", "0 pp", "+20 pp", "+40 pp", "+60 pp", "+80 pp"]);
    }

    #[test]
    fn degenerate_ranges_still_have_an_axis() {
        for values in [vec![], vec![0.0], vec![7.0, 7.0], vec![f64::NAN, 1.0], vec![-1e12, 1e12]] {
            let axis = Axis::around(values.iter().copied());
            assert!(axis.low < axis.high, "{values:?}");
            let ticks = axis.ticks(|value| Unit::Plain.level(value));
            assert!((1..=7).contains(&ticks.len()), "{values:?}: {} ticks", ticks.len());
        }
    }
}
