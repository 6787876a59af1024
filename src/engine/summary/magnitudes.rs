//! Sizes of errors, counted so that their median can be read and a revised one taken out.

use super::take_counts;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Ratio of a bucket's upper border to its lower one is (1+A)/(1−A): what is read is within A = 1 % of a value that was seen.
const ACCURACY: f64 = 0.01;
/// Sizes are told apart between the unit over this and the unit times this; what is smaller counts as 0, what is larger as beyond.
const RANGE: f64 = 1e12;

/// Sizes of errors by logarithmic buckets (the scheme of DDSketch: Masson, Rim, Lee, VLDB 2019) around a unit of `2^scale`, so that errors of cents and of
/// millions are told apart as well. Sparse: at most about 2,770 buckets, whatever is put in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Magnitudes {
    scale: i32,
    zeros: u64,
    buckets: BTreeMap<i16, u64>,
    beyond: u64,
}

enum Place {
    Zero,
    Bucket(i16),
    Beyond,
}

impl Magnitudes {
    /// None yet, of errors whose size is about `2^scale`.
    pub fn new(scale: i32) -> Self {
        Self { scale, ..Self::default() }
    }

    /// Counts one error by its size.
    pub fn add(&mut self, error: f64) {
        match self.place(error) {
            Place::Zero => self.zeros += 1,
            Place::Bucket(bucket) => *self.buckets.entry(bucket).or_default() += 1,
            Place::Beyond => self.beyond += 1,
        }
    }

    /// Takes one error out again (a revised label).
    pub fn remove(&mut self, error: f64) {
        match self.place(error) {
            Place::Zero => self.zeros = self.zeros.saturating_sub(1),
            Place::Beyond => self.beyond = self.beyond.saturating_sub(1),
            Place::Bucket(bucket) => {
                if let Some(count) = self.buckets.get_mut(&bucket) {
                    *count = count.saturating_sub(1);
                    if *count == 0 {
                        self.buckets.remove(&bucket);
                    }
                }
            }
        }
    }

    /// Adds `other`, which has the same scale.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.scale, other.scale);
        self.zeros += other.zeros;
        self.beyond += other.beyond;
        for (&bucket, &count) in &other.buckets {
            *self.buckets.entry(bucket).or_default() += count;
        }
    }

    /// Takes `other`, which has the same scale and is a part of it, out again; no trace of it is left.
    pub fn unmerge(&mut self, other: &Self) {
        debug_assert_eq!(self.scale, other.scale);
        self.zeros = self.zeros.saturating_sub(other.zeros);
        self.beyond = self.beyond.saturating_sub(other.beyond);
        take_counts(&mut self.buckets, &other.buckets);
    }

    /// Number of errors.
    pub fn total(&self) -> u64 {
        self.zeros + self.beyond + self.buckets.values().sum::<u64>()
    }

    /// The median, of an even number the mean of the middle two, within 1 %; `None` without any, or where it is beyond what is told apart.
    pub fn median(&self) -> Option<f64> {
        let n = self.total();
        Some(f64::midpoint(self.at(n.div_ceil(2))?, self.at(n / 2 + 1)?))
    }

    /// The error of that rank (from 1, rising), within 1 %.
    pub fn at(&self, rank: u64) -> Option<f64> {
        if rank == 0 || rank > self.total() - self.beyond {
            return None;
        }
        let mut seen = self.zeros;
        if rank <= seen {
            return Some(0.0);
        }
        for (&bucket, &count) in &self.buckets {
            seen += count;
            if rank <= seen {
                let value = (f64::from(bucket) * gamma_ln()).exp() * (1.0 - ACCURACY) * 2f64.powi(self.scale);
                return value.is_finite().then_some(value);
            }
        }
        None
    }

    /// Sums of the squares and of the fourth powers of all errors, within 2 % and 4 %; `None` where one is beyond what is told apart.
    pub fn squares(&self) -> Option<(f64, f64)> {
        let unit = (1.0 - ACCURACY) * 2f64.powi(self.scale);
        let square = |bucket: i16| ((f64::from(bucket) * gamma_ln()).exp() * unit).powi(2);
        let sum = |power: i32| self.buckets.iter().map(|(&bucket, &count)| count as f64 * square(bucket).powi(power)).sum::<f64>();
        let (squares, fourths) = (sum(1), sum(2));
        (self.beyond == 0 && squares.is_finite() && fourths.is_finite()).then_some((squares, fourths))
    }

    /// How far the true value may be from one that was read.
    pub fn bound(value: f64) -> f64 {
        value * ACCURACY / (1.0 - ACCURACY)
    }

    fn place(&self, error: f64) -> Place {
        // in two steps: the scale's power alone may be beyond the range of numbers
        let half = 2f64.powi(-self.scale / 2);
        let size = error.abs() * half * 2f64.powi(-self.scale - -self.scale / 2);
        if size < 1.0 / RANGE {
            Place::Zero
        } else if size <= RANGE {
            Place::Bucket((size.ln() / gamma_ln()).ceil() as i16)
        } else {
            Place::Beyond
        }
    }
}

fn gamma_ln() -> f64 {
    ((1.0 + ACCURACY) / (1.0 - ACCURACY)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_median_of_errors_of_any_size_is_within_one_percent() {
        for exponent in [-200, -9, 0, 5, 250] {
            let unit = 10f64.powi(exponent);
            let mut sizes = Magnitudes::new(crate::engine::summary::FixedSum::scale_for(3.0 * unit));
            (1..=100).for_each(|i| sizes.add(f64::from(if i % 2 == 0 { i } else { -i }) * unit));
            let median = sizes.median().unwrap();
            assert!((median / unit - 50.5).abs() <= 0.505, "{exponent}: {median}");
            assert!((median - 50.5 * unit).abs() <= Magnitudes::bound(median));
        }
    }

    #[test]
    fn zeros_are_exact_and_what_is_beyond_is_not_guessed() {
        let mut sizes = Magnitudes::new(0);
        assert_eq!((sizes.median(), sizes.total()), (None, 0));
        sizes.add(0.0);
        sizes.add(-0.0);
        sizes.add(f64::MAX);
        assert_eq!(sizes.median(), Some(0.0));
        sizes.add(f64::INFINITY);
        assert_eq!((sizes.median(), sizes.at(2), sizes.at(3)), (None, Some(0.0), None));
        for exponent in -300..300 {
            sizes.add(10f64.powi(exponent));
        }
        assert!(sizes.buckets.len() < 2800);
    }

    proptest! {
        #[test]
        fn what_is_taken_out_leaves_no_trace_and_parts_add_up(
            errors in prop::collection::vec(prop_oneof![Just(0.0), -1e3..1e3f64, -1e300..1e300f64, Just(5e-324)], 0..40), cut in 0usize..40,
        ) {
            let count = |errors: &[f64]| { let mut all = Magnitudes::new(4); errors.iter().for_each(|&e| all.add(e)); all };
            let (first, second) = errors.split_at(cut.min(errors.len()));
            let mut sum = count(first);
            sum.merge(&count(second));
            prop_assert_eq!(&sum, &count(&errors));
            let mut rest = sum.clone();
            rest.unmerge(&count(second));
            prop_assert_eq!(&rest, &count(first));
            second.iter().for_each(|&e| sum.remove(e));
            prop_assert_eq!(sum, count(first));
        }
    }
}
