use super::*;
use proptest::prelude::*;

/// Counts by cell of `points` as the cells of `ks` are defined.
fn cells(points: &[f64], values: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; 2 * points.len() + 1];
    for value in values {
        let below = points.iter().filter(|p| *p < value).count();
        counts[2 * below + usize::from(points.get(below) == Some(value))] += 1;
    }
    counts
}

fn distinct(values: &[f64]) -> Vec<f64> {
    let mut points = values.to_vec();
    points.sort_by(f64::total_cmp);
    points.dedup();
    points
}

/// The definition: sup over all values of |F − G|.
fn brute_force(reference: &[f64], current: &[f64]) -> f64 {
    let share = |values: &[f64], x: f64| values.iter().filter(|v| **v <= x).count() as f64 / values.len() as f64;
    reference.iter().chain(current).map(|&x| (share(reference, x) - share(current, x)).abs()).fold(0.0, f64::max)
}

/// Samples with many ties, or none.
fn sample() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![
        prop::collection::vec((-5i32..5).prop_map(f64::from), 1..40),
        prop::collection::vec(-10.0..10.0f64, 1..40),
        prop::collection::vec(prop_oneof![Just(0.0), -1e300..1e300f64], 1..20),
    ]
}

fn histogram(bins: usize) -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![2 => Just(0), 5 => 0u64..50, 1 => 0u64..1_000_000], bins)
}

fn histograms() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
    (1usize..40).prop_flat_map(|bins| (histogram(bins), histogram(bins)))
}

proptest! {
    #[test]
    fn ks_is_exact_where_every_reference_value_is_a_point(reference in sample(), current in sample()) {
        let points = distinct(&reference);
        let got = ks(&cells(&points, &reference), &cells(&points, &current)).unwrap();
        prop_assert!((got.distance - brute_force(&reference, &current)).abs() <= 1e-15);
        prop_assert_eq!(got.bound, 0.0);
    }

    #[test]
    fn ks_from_coarse_cells_is_below_the_true_distance_by_its_bound_at_most(
        reference in sample(), current in sample(), keep in 1usize..9,
    ) {
        let points: Vec<f64> = distinct(&reference).into_iter().step_by(keep).collect();
        let got = ks(&cells(&points, &reference), &cells(&points, &current)).unwrap();
        let exact = brute_force(&reference, &current);
        prop_assert!(got.distance <= exact + 1e-15 && exact <= got.distance + got.bound + 1e-15, "{:?} {}", got, exact);
    }

    #[test]
    fn distances_are_in_bounds_and_symmetric((reference, current) in histograms()) {
        let (one, other) = (total_variation(&reference, &current), total_variation(&current, &reference));
        prop_assert_eq!(one, other);
        prop_assert!(one.is_none_or(|d| (0.0..=1.0).contains(&d)));
        let (one, other) = (ks(&reference, &current), ks(&current, &reference));
        prop_assert_eq!(one, other);
        prop_assert!(one.is_none_or(|k| k.distance >= 0.0 && k.bound >= 0.0 && k.distance + k.bound <= 1.0 + 1e-15));
        let (one, other) = (psi(&reference, &current, Smoothing::Jeffreys), psi(&current, &reference, Smoothing::Jeffreys));
        prop_assert_eq!(one.is_some(), other.is_some());
        if let (Some(one), Some(other)) = (one, other) {
            prop_assert!(one.value.is_finite() && one.value >= 0.0);
            prop_assert!((one.value - other.value).abs() <= 1e-12 * one.value.max(1e-12));
            prop_assert_eq!((one.bins, one.empty), (other.bins, other.empty));
        }
    }

    #[test]
    fn the_order_of_bins_is_of_no_account((reference, current) in histograms(), turn in 0usize..40) {
        let rotated = |counts: &[u64]| { let mut c = counts.to_vec(); c.rotate_left(turn % counts.len()); c.reverse(); c };
        let (moved_reference, moved_current) = (rotated(&reference), rotated(&current));
        prop_assert_eq!(total_variation(&reference, &current), total_variation(&moved_reference, &moved_current));
        let value = |r: &[u64], c: &[u64]| psi(r, c, Smoothing::Jeffreys).map_or(0.0, |reading| reading.value);
        let (one, other) = (value(&reference, &current), value(&moved_reference, &moved_current));
        prop_assert!((one - other).abs() <= 1e-12 * one.max(1e-12));
    }

    #[test]
    fn macro_figures_are_between_the_classes(cells in prop::collection::vec(0u64..20, 16)) {
        let matrix = Array2::from_shape_vec((4, 4), cells).unwrap();
        let per_class: Vec<f64> = (0..4).map(|c| ClassCounts::of(matrix.view(), c)).filter(|c| c.occurs()).map(|c| c.f1().unwrap()).collect();
        if let Ok(mean) = macro_mean(matrix.view(), ClassCounts::f1) {
            let (least, most) = per_class.iter().fold((1.0f64, 0.0f64), |(a, b), &v| (a.min(v), b.max(v)));
            prop_assert!(least - 1e-12 <= mean && mean <= most + 1e-12);
        } else {
            prop_assert!(per_class.is_empty());
        }
    }

    #[test]
    fn r2_does_not_depend_on_the_centre(pairs in prop::collection::vec((-100.0..100.0f64, -100.0..100.0f64), 3..50), center in -50.0..50.0f64) {
        let totals = |c: f64| RegressionTotals {
            n: pairs.len() as u64,
            absolute_error: pairs.iter().map(|(y, p)| (p - y).abs()).sum(),
            squared_error: pairs.iter().map(|(y, p)| (p - y) * (p - y)).sum(),
            label: pairs.iter().map(|(y, _)| y - c).sum(),
            label_squared: pairs.iter().map(|(y, _)| (y - c) * (y - c)).sum(),
            ..RegressionTotals::default()
        };
        let (one, other) = (totals(0.0).r2(), totals(center).r2());
        prop_assert_eq!(one.is_ok(), other.is_ok());
        if let (Ok(one), Ok(other)) = (one, other) {
            prop_assert!((one - other).abs() <= 1e-9 * (1.0 + one.abs()));
            prop_assert!(one <= 1.0);
        }
    }
}
