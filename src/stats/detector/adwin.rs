//! ADWIN.

use super::{Change, usable};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Buckets of one size before two of them are merged into one of the next size (M of the paper).
const MAX_BUCKETS: usize = 5;
/// Least number of values on either side of a cut.
const LEAST_SIDE: u64 = 5;
/// Number of values up to which no cut is looked for.
const GRACE: u64 = 10;

/// Adaptive windowing: the window holds the values since the last change, as sums of 1, 2, 4, … of them, and is cut where the means of the older and
/// the newer part differ by more than chance allows (Bifet, Gavaldà, *Learning from Time-Changing Data with Adaptive Windowing*, SDM 2007, with the
/// bound of its §4, in which the variance of the window stands). It finds changes to either side. Memory: at most six sums for each power of two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adwin {
    delta: f64,
    clock: u64,
    /// Sums of the buckets of 1, 2, 4, … values, the oldest of a row first.
    rows: Vec<VecDeque<f64>>,
    width: u64,
    total: f64,
    /// Sum of squared deviations from the mean.
    squares: f64,
}

impl Adwin {
    /// `delta`: the probability of a false cut, by the bound (0 to 1). `clock`: a cut is looked for after every so many values.
    pub fn new(delta: f64, clock: u64) -> Self {
        Self { delta, clock: clock.max(1), rows: vec![VecDeque::new()], width: 0, total: 0.0, squares: 0.0 }
    }

    /// Takes the next value.
    pub fn update(&mut self, value: f64) -> Change {
        let Some(value) = usable(value) else { return Change::None };
        self.insert(value);
        if self.width > GRACE && self.width.is_multiple_of(self.clock) && self.is_cut() {
            *self = Self::new(self.delta, self.clock);
            return Change::Drift;
        }
        Change::None
    }

    /// Values since the last change.
    pub fn width(&self) -> u64 {
        self.width
    }

    /// Mean and variance of the window; `None`: it is empty.
    pub fn moments(&self) -> Option<(f64, f64)> {
        let n = self.width as f64;
        (self.width > 0).then(|| (self.total / n, self.squares / n))
    }

    fn insert(&mut self, value: f64) {
        if self.width > 0 {
            let before = self.width as f64;
            let from_mean = value - self.total / before;
            self.squares += before * from_mean * from_mean / (before + 1.0);
        }
        self.width += 1;
        self.total += value;
        let mut carried = Some(value);
        for row in &mut self.rows {
            let Some(sum) = carried.take() else { return };
            row.push_back(sum);
            if row.len() > MAX_BUCKETS {
                carried = row.pop_front().zip(row.pop_front()).map(|(a, b)| a + b);
            }
        }
        self.rows.extend(carried.map(|sum| VecDeque::from([sum])));
    }

    /// Whether the older and the newer part differ at any cut between two buckets.
    fn is_cut(&self) -> bool {
        let (mut n_old, mut n_new, mut old, mut new) = (0u64, self.width, 0.0, self.total);
        for (power, row) in self.rows.iter().enumerate().rev() {
            let n = 1u64 << power;
            for sum in row {
                (n_old, n_new, old, new) = (n_old + n, n_new - n, old + sum, new - sum);
                if n_new < LEAST_SIDE {
                    break;
                }
                if n_old >= LEAST_SIDE && self.differ(n_old, n_new, old / n_old as f64 - new / n_new as f64) {
                    return true;
                }
            }
        }
        false
    }

    fn differ(&self, n_old: u64, n_new: u64, difference: f64) -> bool {
        let width = self.width as f64;
        // ln(2 ln W / δ): the probability is shared out among the cuts
        let confidence = (2.0 * width.ln() / self.delta).ln();
        let harmonic = ((n_old - LEAST_SIDE + 1) as f64).recip() + ((n_new - LEAST_SIDE + 1) as f64).recip();
        let bound = (2.0 * harmonic * (self.squares / width) * confidence).sqrt() + 2.0 / 3.0 * confidence * harmonic;
        difference.abs() > bound
    }
}
