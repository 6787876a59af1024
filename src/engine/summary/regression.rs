//! Sums from which the quality of a regression follows.

use super::{FixedSum, Magnitudes};
use serde::{Deserialize, Serialize};

/// Sums over labelled predictions of a regression. With `c` a fixed centre near the labels' mean (from the reference, so that
/// R² does not lose digits to cancellation): Σ|e|, Σe², Σe, Σ|e|/|y|, Σ(y−c), Σ(y−c)², where e = prediction − label; and the sizes of e.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegressionSums {
    /// The fixed centre c.
    pub center: f64,
    /// Number of pairs.
    pub n: u64,
    /// Σ|e|.
    pub absolute_error: FixedSum,
    /// Σe².
    pub squared_error: FixedSum,
    /// Σe.
    pub error: FixedSum,
    /// Σ|e|/|y| over the pairs whose label is not 0.
    pub relative_error: FixedSum,
    /// Number of those pairs.
    pub n_relative: u64,
    /// Every |e|, for the median.
    pub sizes: Magnitudes,
    /// Σ(y−c).
    pub label: FixedSum,
    /// Σ(y−c)².
    pub label_squared: FixedSum,
}

impl RegressionSums {
    /// Empty sums for labels around `center` with a spread of about `spread` (0: unknown).
    pub fn new(center: f64, spread: f64) -> Self {
        let scale = FixedSum::scale_for(spread);
        let (linear, squared) = (FixedSum::new(scale), FixedSum::new(2 * scale));
        Self {
            center,
            n: 0,
            absolute_error: linear,
            squared_error: squared,
            error: linear,
            // a share has no unit
            relative_error: FixedSum::new(0),
            n_relative: 0,
            sizes: Magnitudes::new(scale),
            label: linear,
            label_squared: squared,
        }
    }

    /// Counts one pair.
    pub fn add(&mut self, predicted: f64, label: f64) {
        let (error, centred) = (predicted - label, label - self.center);
        self.n += 1;
        self.absolute_error.add(error.abs());
        self.squared_error.add(error * error);
        self.error.add(error);
        self.sizes.add(error);
        if label != 0.0 {
            self.n_relative += 1;
            self.relative_error.add((error / label).abs());
        }
        self.label.add(centred);
        self.label_squared.add(centred * centred);
    }

    /// Takes one pair out again (a revised label).
    pub fn remove(&mut self, predicted: f64, label: f64) {
        let (error, centred) = (predicted - label, label - self.center);
        self.n = self.n.saturating_sub(1);
        self.absolute_error.remove(error.abs());
        self.squared_error.remove(error * error);
        self.error.remove(error);
        self.sizes.remove(error);
        if label != 0.0 {
            self.n_relative = self.n_relative.saturating_sub(1);
            self.relative_error.remove((error / label).abs());
        }
        self.label.remove(centred);
        self.label_squared.remove(centred * centred);
    }

    /// Adds `other`, which has the same centre and scale.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.absolute_error.merge(&other.absolute_error);
        self.squared_error.merge(&other.squared_error);
        self.error.merge(&other.error);
        self.sizes.merge(&other.sizes);
        self.n_relative += other.n_relative;
        self.relative_error.merge(&other.relative_error);
        self.label.merge(&other.label);
        self.label_squared.merge(&other.label_squared);
    }

    /// Takes `other`, which has the same centre and scale and is a part of it, out again; no trace of it is left.
    pub fn unmerge(&mut self, other: &Self) {
        self.n = self.n.saturating_sub(other.n);
        self.absolute_error.unmerge(&other.absolute_error);
        self.squared_error.unmerge(&other.squared_error);
        self.error.unmerge(&other.error);
        self.sizes.unmerge(&other.sizes);
        self.n_relative = self.n_relative.saturating_sub(other.n_relative);
        self.relative_error.unmerge(&other.relative_error);
        self.label.unmerge(&other.label);
        self.label_squared.unmerge(&other.label_squared);
    }
}
