//! CUSUM.

use super::standard::Moments;
use super::{Change, usable};
use serde::{Deserialize, Serialize};

/// Allowance k, in standard deviations: the chart is tuned to changes of twice that.
const ALLOWANCE: f64 = 0.5;
/// By how much a chart that watches single points and not a continuous path overshoots its threshold, in standard deviations (Siegmund 1985).
const OVERSHOOT: f64 = 1.166;
/// Skewness of the batch means up to which the chart takes them for normal.
const SKEWNESS: f64 = 0.5;
/// Most values in a batch.
const LARGEST_BATCH: u64 = 200;
/// Values that the moments are learned from, for each value of a batch: so many keep the mean's error small against the spread of a batch's.
const LEARNED_PER_BATCHED: u64 = 30;

/// The two-sided cumulative sum chart on the standardised stream (Page 1954), its threshold calibrated by the average run length (see
/// [`threshold_of_run_length`]). Mean and standard deviation are learned from the first values after every change.
///
/// The calibration is for normal values. Where the learned stream is skewed (rare errors, latencies) the chart takes the means of batches of
/// just so many values that their skewness is ½; a stream like normal has batches of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cusum {
    run_length: f64,
    warm_up: u64,
    learned: Moments,
    chart: Option<Chart>,
}

/// The chart, once the moments are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Chart {
    mean: f64,
    /// Standard deviation of a batch's mean.
    deviation: f64,
    threshold: f64,
    batch: u64,
    /// Number and mean of the values of the batch that is being filled.
    filled: u64,
    partial: f64,
    up: f64,
    down: f64,
}

impl Cusum {
    /// `run_length`: mean number of values between two false alarms on a stream that does not change. `warm_up`: least number of values that
    /// mean and standard deviation are learned from.
    pub fn new(run_length: f64, warm_up: u64) -> Self {
        Self { run_length, warm_up: warm_up.max(2), learned: Moments::default(), chart: None }
    }

    /// Takes the next value.
    pub fn update(&mut self, value: f64) -> Change {
        let Some(value) = usable(value) else { return Change::None };
        let Some(chart) = &mut self.chart else {
            self.learned.add(value);
            self.chart = self.begin();
            return Change::None;
        };
        if chart.take(value) {
            *self = Self::new(self.run_length, self.warm_up);
            return Change::Drift;
        }
        Change::None
    }

    /// The chart, if enough is known by now.
    fn begin(&self) -> Option<Chart> {
        let (n, deviation) = (self.learned.n(), self.learned.deviation()?);
        if n < self.warm_up {
            return None;
        }
        let wanted = (self.learned.skewness() / SKEWNESS).powi(2).ceil();
        let batch = (wanted as u64).clamp(1, LARGEST_BATCH);
        if n < LEARNED_PER_BATCHED * batch {
            return None;
        }
        Some(Chart {
            mean: self.learned.mean(),
            deviation: deviation / (batch as f64).sqrt(),
            threshold: threshold_of_run_length(self.run_length / batch as f64),
            batch,
            filled: 0,
            partial: 0.0,
            up: 0.0,
            down: 0.0,
        })
    }
}

impl Chart {
    /// Takes a value; whether the sum on either side is beyond the threshold.
    fn take(&mut self, value: f64) -> bool {
        self.filled += 1;
        self.partial += (value - self.partial) / self.filled as f64;
        if self.filled < self.batch {
            return false;
        }
        // a step takes a sum at most half the way: one outlier is no change
        let step = self.threshold / 2.0 + ALLOWANCE;
        let z = ((self.partial - self.mean) / self.deviation).clamp(-step, step);
        (self.filled, self.partial) = (0, 0.0);
        self.up = (self.up + z - ALLOWANCE).max(0.0);
        self.down = (self.down - z - ALLOWANCE).max(0.0);
        self.up > self.threshold || self.down > self.threshold
    }
}

/// Mean number of independent standard normal values until the two-sided chart with allowance ½ passes `threshold` without a change, by
/// Siegmund's approximation, (e^(2kb) − 2kb − 1) / 2k² with b = h + 1.166 for either side (Siegmund, *Sequential Analysis*, 1985; Montgomery,
/// *Introduction to Statistical Quality Control*, §9.1).
pub fn average_run_length(threshold: f64) -> f64 {
    let exponent = 2.0 * ALLOWANCE * (threshold.max(0.0) + OVERSHOOT);
    (exponent.exp() - exponent - 1.0) / (2.0 * ALLOWANCE * ALLOWANCE) / 2.0
}

/// The threshold of a wanted average run length (see [`average_run_length`]), by bisection; that of the shortest run length for anything shorter.
pub fn threshold_of_run_length(run_length: f64) -> f64 {
    let (mut low, mut high) = (0.0, 500.0);
    for _ in 0..64 {
        let middle = (low + high) / 2.0;
        if average_run_length(middle) < run_length {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}
