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

/// A sample over cells with the sums of what lies beyond the points.
fn line<'a>(points: &[f64], values: &[f64], cells: &'a [u64]) -> LineSample<'a> {
    let (first, last) = (points[0], points[points.len() - 1]);
    let sum = |distance: &dyn Fn(f64) -> f64| Some(values.iter().map(|&v| distance(v).max(0.0)).sum::<f64>()).filter(|sum| sum.is_finite());
    LineSample { cells, below: sum(&|v| first - v), above: sum(&|v| v - last) }
}

/// The definitions, value by value.
fn wasserstein_and_energy(reference: &[f64], current: &[f64]) -> (f64, f64) {
    let all = distinct(&[reference, current].concat());
    let share = |values: &[f64], x: f64| values.iter().filter(|v| **v <= x).count() as f64 / values.len() as f64;
    let pieces = all.windows(2).map(|w| (w[1] - w[0], share(reference, w[0]) - share(current, w[0])));
    let (area, square) = pieces.fold((0.0, 0.0), |(a, s), (width, d)| (a + width * d.abs(), s + width * d * d));
    (area, (2.0 * square).sqrt())
}

fn moderate() -> impl Strategy<Value = Vec<f64>> {
    prop_oneof![prop::collection::vec((-5i32..5).prop_map(f64::from), 1..40), prop::collection::vec(-10.0..10.0f64, 1..40)]
}

type OfBins = fn(&[u64], &[u64]) -> Option<f64>;
const SYMMETRIC: [OfBins; 4] = [jensen_shannon, hellinger, l_infinity, total_variation];

proptest! {
    #[test]
    fn distances_of_shares_are_bounded_symmetric_and_free_of_order((reference, current) in histograms(), turn in 0usize..40) {
        let rotated = |counts: &[u64]| { let mut c = counts.to_vec(); c.rotate_left(turn % counts.len()); c.reverse(); c };
        for distance in SYMMETRIC {
            let (one, other) = (distance(&reference, &current), distance(&current, &reference));
            let turned = distance(&rotated(&reference), &rotated(&current));
            prop_assert_eq!(one.is_some(), other.is_some());
            if let (Some(one), Some(other), Some(turned)) = (one, other, turned) {
                prop_assert!((0.0..=1.0).contains(&one));
                // the root of a sum that nearly cancels keeps half the digits
                prop_assert!((one - other).abs() <= 1e-7 && (one - turned).abs() <= 1e-7, "{} {} {}", one, other, turned);
                prop_assert_eq!(distance(&reference, &reference), Some(0.0));
            }
        }
        // smoothed shares are shares: they sum to 1 over the bins that are occupied
        let bins = occupied(&reference, &current);
        for counts in [&reference, &current] {
            let n = counts.iter().map(|&c| u128::from(c)).sum::<u128>();
            let occupied = reference.iter().zip(&current).zip(counts).filter(|((r, c), _)| **r + **c > 0);
            let sum: f64 = occupied.map(|(_, &count)| Smoothing::Jeffreys.share(count, n, bins)).sum();
            prop_assert!(bins == 0 || (sum - 1.0).abs() <= 1e-12, "{}", sum);
        }
        let kl = kullback_leibler(&reference, &current, Smoothing::Jeffreys);
        prop_assert!(kl.is_none_or(|v| v.is_finite() && v >= 0.0));
        if let Some(test) = chi_square(&reference, &current, LEAST_EXPECTED) {
            prop_assert!(test.statistic.is_finite() && test.statistic >= 0.0);
            prop_assert!((0.0..=1.0).contains(&test.p_value) && (0.0..=1.0).contains(&test.cramers_v));
            prop_assert_eq!(chi_square(&reference, &current, LEAST_EXPECTED), chi_square(&rotated(&reference), &rotated(&current), LEAST_EXPECTED));
        }
    }

    #[test]
    fn a_sample_is_at_no_distance_from_itself(sample in sample(), counts in (1usize..40).prop_flat_map(histogram)) {
        let points = distinct(&sample);
        let of_cells = cells(&points, &sample);
        let line = line(&points, &sample, &of_cells);
        let none = Ok(Bounded { value: 0.0, bound: 0.0 });
        prop_assert_eq!((wasserstein(&points, line, line), energy_distance(&points, line, line)), (none, none));
        prop_assert_eq!(ks(&of_cells, &of_cells).map(|ks| ks.distance), Some(0.0));
        prop_assert_eq!(cramer_von_mises(&of_cells, &of_cells).map(|test| test.statistic), Some(0.0));
        let some = (counts.iter().sum::<u64>() > 0).then_some(0.0);
        prop_assert_eq!(psi(&counts, &counts, Smoothing::Jeffreys).map(|reading| reading.value), some);
        prop_assert_eq!(kullback_leibler(&counts, &counts, Smoothing::Jeffreys), some);
        prop_assert_eq!(chi_square(&counts, &counts, LEAST_EXPECTED).map(|test| test.statistic), some);
        prop_assert_eq!(chi_square(&counts, &counts, LEAST_EXPECTED).map(|test| test.cramers_v), some);
    }

    #[test]
    fn lines_are_within_their_bounds(reference in moderate(), current in moderate(), keep in 1usize..9) {
        let points: Vec<f64> = distinct(&reference).into_iter().step_by(keep).collect();
        let (r, c) = (cells(&points, &reference), cells(&points, &current));
        let (known, live) = (line(&points, &reference, &r), line(&points, &current, &c));
        let (area, energy) = wasserstein_and_energy(&reference, &current);
        let got = wasserstein(&points, known, live).unwrap();
        prop_assert!((got.value - area).abs() <= got.bound + 1e-9, "{:?} {}", got, area);
        prop_assert!((wasserstein(&points, live, known).unwrap().value - got.value).abs() <= 1e-12);
        let got = energy_distance(&points, known, live).unwrap();
        prop_assert!((got.value - energy).abs() <= got.bound + 1e-7, "{:?} {}", got, energy);
        let areas: f64 = wasserstein_areas(&points, known, live).iter().sum();
        prop_assert!((areas - wasserstein(&points, known, live).unwrap().value).abs() <= 1e-9);
        for (numerator, denominator) in [(1, 2), (95, 100), (1, 100)] {
            let mut sorted = current.clone();
            sorted.sort_by(f64::total_cmp);
            let rank = (sorted.len() as u64 * numerator).div_ceil(denominator).max(1);
            let (got, want) = (quantile(&points, live, numerator, denominator).unwrap(), sorted[rank as usize - 1]);
            prop_assert!((got.value - want).abs() <= got.bound + 1e-9, "{:?} {}", got, want);
        }
    }

    #[test]
    fn tests_by_rank_are_within_their_bounds(reference in moderate(), current in moderate(), keep in 1usize..9) {
        let coarse: Vec<f64> = distinct(&reference).into_iter().step_by(keep).collect();
        let all = distinct(&[&reference[..], &current].concat());
        for test in [cramer_von_mises as fn(&[u64], &[u64]) -> Option<RankReading>, anderson_darling] {
            let exact = test(&cells(&all, &reference), &cells(&all, &current));
            let got = test(&cells(&coarse, &reference), &cells(&coarse, &current));
            prop_assert_eq!(exact.is_some(), got.is_some());
            if let (Some(exact), Some(got)) = (exact, got) {
                prop_assert_eq!(exact.bound, 0.0);
                prop_assert!((got.statistic - exact.statistic).abs() <= got.bound + 1e-9, "{:?} {:?}", got, exact);
                prop_assert!((0.0..=1.0).contains(&got.p_value));
            }
        }
    }

    #[test]
    fn no_value_makes_nan_or_infinity(reference in sample(), current in prop::collection::vec(prop_oneof![
        Just(1e300), Just(-1.7e308), Just(5e-324), Just(-2e-310), -1.0..1.0f64], 1..20)) {
        let points = distinct(&reference);
        let (r, c) = (cells(&points, &reference), cells(&points, &current));
        let (known, live) = (line(&points, &reference, &r), line(&points, &current, &c));
        let finite = |read: Result<Bounded, NoValue>| read.map_or(true, |b| b.value.is_finite() && b.bound.is_finite() && b.bound >= 0.0);
        prop_assert!(finite(wasserstein(&points, known, live)) && finite(energy_distance(&points, known, live)));
        prop_assert!(finite(quantile(&points, live, 1, 2)) && finite(quantile(&points, live, 95, 100)));
        for test in [cramer_von_mises(&r, &c), anderson_darling(&r, &c)].into_iter().flatten() {
            prop_assert!(test.statistic.is_finite() && test.bound.is_finite() && (0.0..=1.0).contains(&test.p_value));
        }
    }

    #[test]
    fn the_probability_of_a_distance_falls_with_it(n in 1u64..100_000, m in 1u64..100_000, a in 0.0..1.0f64, b in 0.0..1.0f64) {
        let (near, far) = (ks_p_value(a.min(b), n, m), ks_p_value(a.max(b), n, m));
        prop_assert!((0.0..=1.0).contains(&near) && (0.0..=1.0).contains(&far) && far <= near + 1e-6, "{} {}", near, far);
    }

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
    fn ks_is_the_same_in_few_bits_and_in_many((reference, current) in histograms()) {
        // a common factor of both samples changes no distance, and their product may then take more than 64 bits
        let wide = |counts: &[u64]| counts.iter().map(|n| n << 24).collect::<Vec<u64>>();
        prop_assert_eq!(ks(&reference, &current), ks(&wide(&reference), &wide(&current)));
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
