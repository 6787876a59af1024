//! What two samples' counts over the same bins have in common.

/// The number of values; wide enough for its products.
pub(super) fn total(counts: &[u64]) -> u128 {
    counts.iter().map(|&c| u128::from(c)).sum()
}

/// Totals of two samples that can be compared: over the same bins, neither empty.
pub(super) fn totals(reference: &[u64], current: &[u64]) -> Option<(u128, u128)> {
    debug_assert_eq!(reference.len(), current.len(), "both samples are counted over the same bins");
    let (n_reference, n_current) = (total(reference), total(current));
    (reference.len() == current.len() && n_reference > 0 && n_current > 0).then_some((n_reference, n_current))
}

/// Number of bins that hold a value of either sample. A bin that is empty in both says nothing about a change.
pub fn occupied(reference: &[u64], current: &[u64]) -> u32 {
    let n = reference.iter().zip(current).filter(|&(&r, &c)| r > 0 || c > 0).count();
    u32::try_from(n).unwrap_or(u32::MAX)
}
