//! Total variation distance.

use super::counts::totals;

/// Total variation distance ½·Σ|p−q| between two samples over the same bins: 0 (equal shares) to 1 (nothing in common).
/// The largest difference in probability that any union of bins can show (Levin, Peres, Wilmer, *Markov Chains and Mixing Times*, §4.1).
///
/// The sum is taken in integers and rounded once: it depends neither on the order of bins nor on which sample comes first.
/// `None` where a sample is empty.
pub fn total_variation(reference: &[u64], current: &[u64]) -> Option<f64> {
    let (n_reference, n_current) = totals(reference, current)?;
    let doubled: u128 =
        reference.iter().zip(current).map(|(&r, &c)| (u128::from(r) * n_current).abs_diff(u128::from(c) * n_reference)).sum();
    Some(doubled as f64 / (2.0 * (n_reference * n_current) as f64))
}
