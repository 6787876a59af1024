//! A log-scaled histogram for latencies and label delays.

use super::take_counts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Ratio of a bucket's upper border to its lower one is (1+A)/(1−A): a quantile is within A = 1 % of a value that was seen.
const ACCURACY: f64 = 0.01;
/// Values at or below this count as this (in the unit of the histogram).
const SMALLEST: f64 = 1e-3;
/// Values above this count as this.
const LARGEST: f64 = 1e12;

/// Counts by logarithmic buckets (the scheme of DDSketch: Masson, Rim, Lee, VLDB 2019), relative accuracy 1 %.
/// Sparse: at most about 1,730 buckets between 0.001 and 1e12, whatever is put in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    buckets: BTreeMap<i16, u64>,
}

fn gamma_ln() -> f64 {
    ((1.0 + ACCURACY) / (1.0 - ACCURACY)).ln()
}

impl Histogram {
    /// Counts one value; it must be finite and not negative.
    pub fn add(&mut self, value: f64) {
        let bucket = (value.clamp(SMALLEST, LARGEST).ln() / gamma_ln()).ceil() as i16;
        *self.buckets.entry(bucket).or_default() += 1;
    }

    /// Adds `other`.
    pub fn merge(&mut self, other: &Self) {
        for (&bucket, &count) in &other.buckets {
            *self.buckets.entry(bucket).or_default() += count;
        }
    }

    /// Takes `other`, which is a part of it, out again; no trace of it is left.
    pub fn unmerge(&mut self, other: &Self) {
        take_counts(&mut self.buckets, &other.buckets);
    }

    /// Number of values.
    pub fn total(&self) -> u64 {
        self.buckets.values().sum()
    }

    /// The `q` quantile (0 to 1) by nearest rank, within 1 % of that value; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.total();
        if total == 0 {
            return None;
        }
        self.at_rank(((q.clamp(0.0, 1.0) * total as f64).ceil() as u64).max(1))
    }

    /// The value of rank `rank` (from 1, ascending), within 1 % of it; `None` where there are fewer.
    pub fn at_rank(&self, rank: u64) -> Option<f64> {
        let mut seen = 0;
        for (&bucket, &count) in &self.buckets {
            seen += count;
            if seen >= rank {
                return Some((f64::from(bucket) * gamma_ln()).exp() * (1.0 - ACCURACY));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounded_whatever_comes() {
        let mut histogram = Histogram::default();
        for exponent in -300..300 {
            histogram.add(10f64.powi(exponent));
        }
        assert!(histogram.buckets.len() < 1800);
    }
}
