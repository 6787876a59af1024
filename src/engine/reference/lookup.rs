//! Lookups that run for every value of every event: a name by its hash, and how many sorted points lie below a number, by a table.

use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::Arc;

/// What belongs to each of some names. The hash needs no seed: the names are the reference's own, strangers are looked for and never entered.
pub(crate) type ByName<T> = HashMap<Arc<str>, T, FixedState>;

/// Buckets for each point. More of them leave fewer points to be looked at, and take more of the cache.
const BUCKETS_A_POINT: usize = 2;
/// Below this many points a search is as short as the way to a bucket.
const FEWEST_POINTS: usize = 5;

/// The range from the least point to the greatest in buckets of equal width, and for each of them how many points lie in the buckets before.
///
/// The bucket of a value never falls while the value rises, rounding included. So points of the buckets before lie below the value, those of the buckets
/// after do not, and only the points of its own bucket are compared: the answer is that of `partition_point`, bit for bit. Where the points are uneven a
/// bucket has many of them, and those are searched.
#[derive(Debug, Clone, Default)]
pub(super) struct CellLookup {
    least: f64,
    buckets_per_unit: f64,
    /// Points in buckets before this one; one entry more than there are buckets. Empty: search all.
    before: Box<[u16]>,
}

impl CellLookup {
    /// A table for these points, which are sorted, distinct and finite.
    pub(super) fn new(points: &[f64]) -> Self {
        let (Some(&least), Some(&greatest)) = (points.first(), points.last()) else { return Self::default() };
        let n_buckets = points.len() * BUCKETS_A_POINT;
        let buckets_per_unit = n_buckets as f64 / (greatest - least);
        if points.len() < FEWEST_POINTS || points.len() > usize::from(u16::MAX) || !buckets_per_unit.is_finite() || buckets_per_unit <= 0.0
        {
            return Self::default();
        }
        let mut lookup = Self { least, buckets_per_unit, before: vec![0; n_buckets + 1].into() };
        for &point in points {
            let bucket = lookup.bucket(point);
            lookup.before[bucket + 1] += 1;
        }
        let mut sum = 0;
        for count in &mut lookup.before {
            sum += *count;
            *count = sum;
        }
        lookup
    }

    /// The bucket of a finite value; values beyond the points share the first and the last one.
    #[inline]
    fn bucket(&self, value: f64) -> usize {
        // a cast of what is negative is 0
        (((value - self.least) * self.buckets_per_unit) as usize).min(self.before.len() - 2)
    }

    /// Number of `points`, those of [`CellLookup::new`], that are less than `value`, which is finite.
    #[inline]
    pub(super) fn points_below(&self, points: &[f64], value: f64) -> usize {
        if self.before.is_empty() {
            return points.partition_point(|&p| p < value);
        }
        let bucket = self.bucket(value);
        let (from, to) = (usize::from(self.before[bucket]), usize::from(self.before[bucket + 1]));
        from + points[from..to].partition_point(|&p| p < value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(points: &[f64], value: f64) {
        assert_eq!(CellLookup::new(points).points_below(points, value), points.partition_point(|&p| p < value), "{value} in {points:?}");
    }

    fn sorted(mut points: Vec<f64>) -> Vec<f64> {
        points.iter_mut().for_each(|p| *p += 0.0);
        points.sort_by(f64::total_cmp);
        points.dedup();
        points
    }

    #[test]
    fn odd_points_and_values_are_found_too() {
        let odd = [f64::MIN, -1e300, -1.0, -5e-324, 0.0, 5e-324, f64::MIN_POSITIVE, 1.0, 1.0 + f64::EPSILON, 1e300, f64::MAX];
        let narrow: Vec<f64> = (0..40).map(|i| 1.0 + f64::from(i) * f64::EPSILON).collect();
        let skewed: Vec<f64> = (0..200).map(|i| 1.1f64.powi(i)).collect();
        for points in [&odd[..], &odd[2..8], &narrow, &skewed, &[1.0], &[]] {
            for &value in odd.iter().chain(&narrow).chain(&skewed) {
                same(points, value);
                same(points, value.next_up());
                same(points, value.next_down());
            }
        }
    }

    proptest! {
        #[test]
        fn it_finds_what_a_search_finds(
            points in prop::collection::vec(prop_oneof![-1e3..1e3f64, prop::num::f64::NORMAL, (-50i32..50).prop_map(f64::from)], 0..300),
            values in prop::collection::vec(prop_oneof![-1.2e3..1.2e3f64, prop::num::f64::NORMAL, (-60i32..60).prop_map(f64::from)], 1..50),
        ) {
            let points = sorted(points);
            for &value in values.iter().chain(&points) {
                same(&points, value);
            }
        }
    }
}
