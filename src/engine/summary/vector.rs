//! Sums of the random features of a vector column.

use serde::{Deserialize, Serialize};

/// Units of 1.
pub const FEATURE_UNIT: f64 = 1_073_741_824.0; // 2^30

/// Sums of features between −1 and 1 in whole units, so that order and grouping never matter. 2^33 events fit; the sums then stay at their end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VectorSums {
    n: u64,
    sums: Vec<i64>,
}

impl VectorSums {
    /// Number of vectors.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Adds the features of one vector, in units: always as many of them.
    pub fn add(&mut self, units: &[i32]) {
        self.sums.resize(units.len().max(self.sums.len()), 0);
        self.n += 1;
        self.sums.iter_mut().zip(units).for_each(|(sum, &unit)| *sum = sum.saturating_add(i64::from(unit)));
    }

    /// Adds other sums of the same features.
    pub fn merge(&mut self, other: &Self) {
        self.sums.resize(other.sums.len().max(self.sums.len()), 0);
        self.n += other.n;
        self.sums.iter_mut().zip(&other.sums).for_each(|(a, b)| *a = a.saturating_add(*b));
    }

    /// Takes sums out again that are part of these.
    pub fn unmerge(&mut self, part: &Self) {
        self.n = self.n.saturating_sub(part.n);
        self.sums.iter_mut().zip(&part.sums).for_each(|(a, b)| *a = a.saturating_sub(*b));
        if self.n == 0 {
            self.sums.clear();
        }
    }

    /// Mean of each feature; `None` without a vector.
    pub fn mean(&self) -> Option<Vec<f64>> {
        (self.n > 0).then(|| self.sums.iter().map(|&sum| sum as f64 / (self.n as f64 * FEATURE_UNIT)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn grouping_and_order_never_matter(rows in prop::collection::vec(prop::array::uniform4(-(1i32 << 30)..=1 << 30), 0..40), cut in 0usize..40) {
            let sum = |rows: &[[i32; 4]]| {
                let mut sums = VectorSums::default();
                rows.iter().for_each(|row| sums.add(row));
                sums
            };
            let (head, tail) = rows.split_at(cut.min(rows.len()));
            let (mut ab, mut ba) = (sum(head), sum(tail));
            ab.merge(&sum(tail));
            ba.merge(&sum(head));
            prop_assert_eq!(&ab, &sum(&rows));
            prop_assert_eq!(&ab, &ba);
            let mut rest = ab.clone();
            rest.unmerge(&sum(tail));
            prop_assert_eq!(&rest, &sum(head));
            prop_assert_eq!(ab.mean().is_some(), !rows.is_empty());
            prop_assert!(ab.mean().into_iter().flatten().all(|m| (-1.0..=1.0).contains(&m)));
        }
    }
}
