//! Sums of a numeric column.

use super::FixedSum;
use serde::{Deserialize, Serialize};

/// Sums of numbers x around a column of the reference with mean c and points from least to greatest: what its cells cannot say. Exact, so order and grouping never matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberSums {
    /// Σ(x − c).
    pub deviation: FixedSum,
    /// Σ(least − x) over values below the least point.
    pub below: FixedSum,
    /// Σ(x − greatest) over values above the greatest point.
    pub above: FixedSum,
}

impl NumberSums {
    /// Empty sums for a column with a spread of about `spread`.
    pub fn new(spread: f64) -> Self {
        let sum = FixedSum::new(FixedSum::scale_for(spread));
        Self { deviation: sum, below: sum, above: sum }
    }

    /// Counts one number: `deviation` = x − c, `beyond` = x − least where that is negative, x − greatest where that is positive, else 0.
    pub fn add(&mut self, deviation: f64, beyond: f64) {
        self.deviation.add(deviation);
        self.add_beyond(beyond);
    }

    /// The second part of [`NumberSums::add`].
    pub fn add_beyond(&mut self, beyond: f64) {
        if beyond < 0.0 {
            self.below.add(-beyond);
        } else if beyond > 0.0 {
            self.above.add(beyond);
        }
    }

    /// Takes one number out again.
    pub fn remove(&mut self, deviation: f64, beyond: f64) {
        self.deviation.remove(deviation);
        if beyond < 0.0 {
            self.below.remove(-beyond);
        } else if beyond > 0.0 {
            self.above.remove(beyond);
        }
    }

    /// Adds `other`, which belongs to the same column.
    pub fn merge(&mut self, other: &Self) {
        self.deviation.merge(&other.deviation);
        self.below.merge(&other.below);
        self.above.merge(&other.above);
    }

    /// Takes another sum, which is a part of this one, out again.
    pub fn unmerge(&mut self, other: &Self) {
        self.deviation.unmerge(&other.deviation);
        self.below.unmerge(&other.below);
        self.above.unmerge(&other.above);
    }

    /// The sum as a number; `None` where a term was cut or it is beyond the range of numbers.
    pub fn known(sum: &FixedSum) -> Option<f64> {
        Some(sum.value()).filter(|value| sum.saturated() == 0 && value.is_finite())
    }
}
