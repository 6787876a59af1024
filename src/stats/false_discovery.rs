//! Many tests at once: how likely the smallest of many p-values is by chance alone.

/// p-values adjusted by the step-up procedure of Benjamini and Hochberg (1995), in the order in which they came: those at most α form a set of which
/// at most the share α is there by chance on average, for tests that are independent or depend on each other positively (Benjamini, Yekutieli 2001).
///
/// With the p-values in rising order, `q(i) = min over j ≥ i of p(j)·n/j`, at most 1. An adjusted value is never below its p-value, and the order of the
/// p-values is kept. What is no probability counts as the one next to it; what is no number counts as 1.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let probability = |p: f64| if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) };
    let mut falling: Vec<usize> = (0..p_values.len()).collect();
    falling.sort_by(|&a, &b| probability(p_values[b]).total_cmp(&probability(p_values[a])));
    let mut adjusted = vec![1.0; p_values.len()];
    let (n, mut least) = (p_values.len() as f64, 1.0_f64);
    for (behind, &place) in falling.iter().enumerate() {
        let rank = (p_values.len() - behind) as f64;
        // n/rank first: it is exactly 1 for the largest, which then stays what it is
        least = least.min(probability(p_values[place]) * (n / rank));
        adjusted[place] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(p_values: &[f64], expected: &[f64]) {
        let adjusted = benjamini_hochberg(p_values);
        assert_eq!(adjusted.len(), expected.len());
        for (got, want) in adjusted.iter().zip(expected) {
            assert!((got - want).abs() <= 5e-9, "{p_values:?}: got {adjusted:?}, want {expected:?}");
        }
    }

    /// The fifteen p-values of Benjamini and Hochberg 1995, table 1; the figures of `scipy.stats.false_discovery_control(ps)`, as its documentation
    /// prints them.
    #[test]
    fn the_example_of_the_paper() {
        let p_values =
            [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000];
        let expected = [
            0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714, 0.06385714, 0.0645, 0.0765, 0.486, 0.58118182, 0.714875, 0.75323077,
            0.81321429, 1.0,
        ];
        check(&p_values, &expected);
        // the paper rejects the first four at 0.05
        assert_eq!(benjamini_hochberg(&p_values).iter().filter(|&&q| q <= 0.05).count(), 4);
    }

    #[test]
    fn small_families() {
        check(&[], &[]);
        check(&[0.03], &[0.03]);
        // ties take the larger rank: 0.01 * 3/2
        check(&[0.01, 0.5, 0.01], &[0.015, 0.5, 0.015]);
        // 0.04 * 3/2 = 0.06 is beyond 0.05 * 3/3: the step up takes the lesser
        check(&[0.05, 0.001, 0.04], &[0.05, 0.003, 0.05]);
        check(&[0.9, 1.0], &[1.0, 1.0]);
        check(&[0.0, f64::NAN, -1.0, 2.0], &[0.0, 1.0, 0.0, 1.0]);
    }

    proptest! {
        #[test]
        fn it_keeps_the_order_and_never_lowers(p_values in proptest::collection::vec(0.0..=1.0f64, 0..60)) {
            let adjusted = benjamini_hochberg(&p_values);
            for (i, (&p, &q)) in p_values.iter().zip(&adjusted).enumerate() {
                prop_assert!(p <= q && q <= 1.0);
                prop_assert!(p_values.iter().zip(&adjusted).all(|(&other, &other_q)| other < p || other_q >= q), "{}", i);
            }
            let mut reversed: Vec<f64> = p_values.iter().rev().copied().collect();
            reversed = benjamini_hochberg(&reversed);
            reversed.reverse();
            prop_assert_eq!(adjusted, reversed);
        }
    }
}
