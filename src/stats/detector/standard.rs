//! What a stream looks like before anything is looked for in it.

use super::usable;
use serde::{Deserialize, Serialize};

/// Mean, standard deviation and skewness of a stream's first values (Welford 1962; Terriberry 2007 for the third moment).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    n: u64,
    mean: f64,
    /// Sums of the second and third powers of the deviations from the mean.
    squares: f64,
    cubes: f64,
}

impl Moments {
    /// Takes a value, which is a number of usable size.
    pub fn add(&mut self, value: f64) {
        let before = self.n as f64;
        self.n += 1;
        let n = self.n as f64;
        let delta = value - self.mean;
        let step = delta / n;
        let term = delta * step * before;
        self.mean += step;
        self.cubes += term * step * (n - 2.0) - 3.0 * step * self.squares;
        self.squares += term;
    }

    /// Number of values.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard deviation; `None`: all values are equal, or as good as that.
    pub fn deviation(&self) -> Option<f64> {
        let deviation = (self.squares / self.n as f64).sqrt();
        // against the rounding of the mean a spread below this is none
        (deviation > f64::MIN_POSITIVE && deviation > 1e-12 * self.mean.abs()).then_some(deviation)
    }

    /// The skewness; 0 where there is no spread.
    pub fn skewness(&self) -> f64 {
        let skewness = self.deviation().map_or(0.0, |d| self.cubes / self.n as f64 / d / d / d);
        if skewness.is_finite() { skewness } else { 0.0 }
    }
}

/// Brings a stream of numbers of any unit to the scale that thresholds for error streams are meant for: mean 0 and standard deviation ¼, about that of
/// right and wrong answers, by the moments of its first values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standard {
    warm_up: u64,
    learned: Moments,
}

impl Standard {
    /// Standard deviation of the result.
    pub const DEVIATION: f64 = 0.25;
    /// Farthest that a result lies from 0, in standard deviations: one outlier must not pass for a change of the mean.
    const FARTHEST: f64 = 10.0;

    /// `warm_up`: number of values that the moments are learned from (more, as long as all are equal).
    pub fn new(warm_up: u64) -> Self {
        Self { warm_up, learned: Moments::default() }
    }

    /// The value on the common scale; `None` while the moments are being learned, and for what is not a number.
    pub fn scale(&mut self, value: f64) -> Option<f64> {
        let value = usable(value)?;
        if self.learned.n() >= self.warm_up
            && let Some(deviation) = self.learned.deviation()
        {
            let z = ((value - self.learned.mean()) / deviation).clamp(-Self::FARTHEST, Self::FARTHEST);
            return Some(Self::DEVIATION * z);
        }
        self.learned.add(value);
        None
    }
}
