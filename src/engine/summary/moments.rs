//! First and second moments of all inputs together.

use serde::{Deserialize, Serialize};

/// Units of one standard deviation.
pub(super) const UNIT: f64 = 4096.0;
/// Values are cut at this many standard deviations.
pub const MOST_SIGMAS: f64 = 10.0;
/// Most events of one sum. A value is at most 10·4096 units, a product 1,677,721,600, and 2^32 of them are less than 2^63.
const MOST_EVENTS: u64 = 1 << 32;

/// Sums of standardised values and of their products, in whole units, so that order and grouping never matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MomentSums {
    n: u64,
    sums: Vec<i64>,
    /// Upper triangle by rows, the diagonal included.
    products: Vec<i64>,
}

/// Mean and second moment about 0, in standard deviations.
#[derive(Debug, Clone, PartialEq)]
pub struct MeanAndProducts {
    /// Number of events.
    pub n: u64,
    /// Mean by dimension.
    pub mean: Vec<f64>,
    /// Mean product of two dimensions: the full matrix by rows.
    pub second: Vec<f64>,
}

/// A number of standard deviations in units, cut at [`MOST_SIGMAS`]; what is not a number is 0.
pub fn moment_units(sigmas: f64) -> i32 {
    // a cast of NaN is 0
    (sigmas.clamp(-MOST_SIGMAS, MOST_SIGMAS) * UNIT).round_ties_even() as i32
}

impl MomentSums {
    /// Empty sums over `d` dimensions.
    pub fn new(d: usize) -> Self {
        Self { n: 0, sums: vec![0; d], products: vec![0; d * (d + 1) / 2] }
    }

    /// Number of dimensions.
    pub fn dimensions(&self) -> usize {
        self.sums.len()
    }

    /// Number of events.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Adds one event's values, in units, one for each dimension.
    pub fn add(&mut self, units: &[i32]) {
        debug_assert_eq!(units.len(), self.sums.len());
        if self.n >= MOST_EVENTS || units.len() != self.sums.len() {
            return;
        }
        self.n += 1;
        let mut rest = self.products.as_mut_slice();
        for (i, (sum, &unit)) in self.sums.iter_mut().zip(units).enumerate() {
            *sum += i64::from(unit);
            let (row, below) = rest.split_at_mut(units.len() - i);
            row.iter_mut().zip(&units[i..]).for_each(|(product, &other)| *product += i64::from(unit) * i64::from(other));
            rest = below;
        }
    }

    /// Adds sums over the same dimensions. Beyond `MOST_EVENTS` together there is no reading any more.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.sums.len(), other.sums.len());
        self.n = self.n.saturating_add(other.n);
        self.sums.iter_mut().zip(&other.sums).for_each(|(a, b)| *a = a.saturating_add(*b));
        self.products.iter_mut().zip(&other.products).for_each(|(a, b)| *a = a.saturating_add(*b));
    }

    /// Takes sums out again that are part of these.
    pub fn unmerge(&mut self, part: &Self) {
        debug_assert_eq!(self.sums.len(), part.sums.len());
        self.n = self.n.saturating_sub(part.n);
        self.sums.iter_mut().zip(&part.sums).for_each(|(a, b)| *a = a.saturating_sub(*b));
        self.products.iter_mut().zip(&part.products).for_each(|(a, b)| *a = a.saturating_sub(*b));
    }

    /// Mean and second moment; `None` without an event, or with more than the sums can hold.
    pub fn moments(&self) -> Option<MeanAndProducts> {
        if self.n == 0 || self.n > MOST_EVENTS {
            return None;
        }
        let (d, n) = (self.sums.len(), self.n as f64);
        let mut second = vec![0.0; d * d];
        let mut products = self.products.iter();
        for i in 0..d {
            for j in i..d {
                let mean = products.next().map_or(0.0, |&product| product as f64 / (n * UNIT * UNIT));
                (second[i * d + j], second[j * d + i]) = (mean, mean);
            }
        }
        Some(MeanAndProducts { n: self.n, mean: self.sums.iter().map(|&sum| sum as f64 / (n * UNIT)).collect(), second })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_cut_and_never_odd() {
        for (sigmas, units) in [(0.0, 0), (1.0, 4096), (-2.5, -10_240), (1e300, 40_960), (f64::NEG_INFINITY, -40_960), (f64::NAN, 0)] {
            assert_eq!(moment_units(sigmas), units, "{sigmas}");
        }
    }

    #[test]
    fn the_bound_on_events_keeps_sums_in_range() {
        let most = i64::from(moment_units(MOST_SIGMAS));
        assert!(i128::from(most * most) * i128::from(MOST_EVENTS) < i128::from(i64::MAX));
        let mut full = MomentSums { n: MOST_EVENTS, ..MomentSums::new(1) };
        full.add(&[5]);
        assert_eq!((full.n, full.sums[0]), (MOST_EVENTS, 0));
        assert!(full.moments().is_some());
        full.merge(&MomentSums { n: 1, ..MomentSums::new(1) });
        assert_eq!((full.moments(), MomentSums::new(2).moments()), (None, None));
    }

    proptest! {
        #[test]
        fn grouping_and_order_never_matter(rows in prop::collection::vec(prop::array::uniform3(-40_960i32..=40_960), 1..40), cut in 0usize..40) {
            let sum = |rows: &[[i32; 3]]| {
                let mut sums = MomentSums::new(3);
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
            let moments = ab.moments().unwrap();
            let mean = |f: fn(&[f64; 3]) -> f64| rows.iter().map(|r| f(&r.map(|u| f64::from(u) / UNIT))).sum::<f64>() / rows.len() as f64;
            prop_assert!((moments.mean[1] - mean(|r| r[1])).abs() < 1e-9);
            prop_assert!((moments.second[5] - mean(|r| r[1] * r[2])).abs() < 1e-9);
            prop_assert_eq!(moments.second[5], moments.second[7]);
        }
    }
}
