//! Kolmogorov–Smirnov distance of two samples.

use super::counts::totals;
use std::ops::Add;

/// A Kolmogorov–Smirnov distance, and how exact it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KsReading {
    /// Largest distance of the distribution functions at a border of a cell: 0 to 1, never above the true distance.
    pub distance: f64,
    /// How far the true distance may be above `distance`; 0 where it is exact.
    pub bound: f64,
}

/// Two-sample Kolmogorov–Smirnov distance sup|F−G| (Smirnov 1939) from counts over the cells of `m` points: cell `2i` lies strictly between
/// the points `i−1` and `i`, cell `2i+1` is point `i`, cell `2m` lies above the last point.
///
/// At the borders of cells both functions are known, and compared in integers. Inside an open cell that one sample leaves empty, that
/// sample's function is flat and the other one rises, so the distance is greatest at a border: with every reference value a point, the
/// result is exact, ties included. In an open cell where both have values, the worst order puts one sample's values before the other's:
/// at its border a below and b above, sup|F−G| ≤ max(F_b−G_a, G_b−F_a). `bound` is what the worst cell could add.
///
/// `None` where a sample is empty.
pub fn ks(reference_cells: &[u64], current_cells: &[u64]) -> Option<KsReading> {
    let (n_reference, n_current) = totals(reference_cells, current_cells)?;
    let product = n_reference * n_current;
    // distribution functions times n_reference·n_current, in half as many bits where those are enough
    let (seen, possible) = match (u64::try_from(product), n_reference as u64, n_current as u64) {
        (Ok(_), n, m) => {
            let (seen, possible) = gaps(reference_cells, current_cells, |r| r * m, |c| c * n, u64::abs_diff, u64::saturating_sub);
            (seen.into(), possible.into())
        }
        _ => gaps(
            reference_cells,
            current_cells,
            |r| u128::from(r) * n_current,
            |c| u128::from(c) * n_reference,
            u128::abs_diff,
            u128::saturating_sub,
        ),
    };
    let scale = product as f64;
    Some(KsReading { distance: seen as f64 / scale, bound: possible.saturating_sub(seen) as f64 / scale })
}

/// The greatest distance of the distribution functions at a border of a cell, and the greatest that there may be within one.
fn gaps<T: Copy + Ord + Default + Add<Output = T>>(
    reference_cells: &[u64],
    current_cells: &[u64],
    of_reference: impl Fn(u64) -> T,
    of_current: impl Fn(u64) -> T,
    distance: impl Fn(T, T) -> T,
    above: impl Fn(T, T) -> T,
) -> (T, T) {
    let (mut below_reference, mut below_current) = (T::default(), T::default());
    let (mut seen, mut possible) = (T::default(), T::default());
    for (cell, (&r, &c)) in reference_cells.iter().zip(current_cells).enumerate() {
        let (reference, current) = (below_reference + of_reference(r), below_current + of_current(c));
        seen = seen.max(distance(reference, current));
        if cell % 2 == 0 {
            possible = possible.max(above(reference, below_current)).max(above(current, below_reference));
        }
        (below_reference, below_current) = (reference, current);
    }
    (seen, possible)
}
