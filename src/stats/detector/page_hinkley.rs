//! The Page–Hinkley test.

use super::{Change, Sides, usable};
use serde::{Deserialize, Serialize};

/// Values before which no change is reported.
const LEAST_VALUES: u64 = 30;
/// Deviation from the mean that is no change, in the unit of the stream.
const DELTA: f64 = 0.005;
/// What remains of the sums with every value.
const FORGETTING: f64 = 0.9999;

/// The cumulated deviation from the mean so far, against its own extreme (Page, *Continuous Inspection Schemes*, Biometrika 1954; Hinkley 1971).
/// Threshold and tolerance are in the unit of the stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageHinkley {
    threshold: f64,
    sides: Sides,
    n: u64,
    mean: f64,
    rise: f64,
    least_rise: f64,
    fall: f64,
    greatest_fall: f64,
}

impl PageHinkley {
    /// `threshold`: sum of deviations beyond which the stream has changed, in its unit.
    pub fn new(threshold: f64, sides: Sides) -> Self {
        let (rise, fall) = (0.0, 0.0);
        Self { threshold, sides, n: 0, mean: 0.0, rise, least_rise: f64::MAX, fall, greatest_fall: f64::MIN }
    }

    /// Takes the next value.
    pub fn update(&mut self, value: f64) -> Change {
        let Some(value) = usable(value) else { return Change::None };
        self.n += 1;
        self.mean += (value - self.mean) / self.n as f64;
        let deviation = value - self.mean;
        self.rise = FORGETTING * self.rise + deviation - DELTA;
        self.fall = FORGETTING * self.fall + deviation + DELTA;
        self.least_rise = self.least_rise.min(self.rise);
        self.greatest_fall = self.greatest_fall.max(self.fall);
        let risen = self.rise - self.least_rise > self.threshold;
        let fallen = self.sides == Sides::Both && self.greatest_fall - self.fall > self.threshold;
        if self.n >= LEAST_VALUES && (risen || fallen) {
            *self = Self::new(self.threshold, self.sides);
            return Change::Drift;
        }
        Change::None
    }
}
