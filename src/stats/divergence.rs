//! Distances of two samples over bins that compare shares.

use super::Smoothing;
use super::counts::{occupied, totals};

/// Shares of the bins that either sample occupies, and what stands for an empty one.
fn shares(reference: &[u64], current: &[u64]) -> Option<impl Iterator<Item = (f64, f64)> + Clone> {
    let (n_reference, n_current) = totals(reference, current)?;
    let (n, m) = (n_reference as f64, n_current as f64);
    let bins = reference.iter().zip(current).filter(|&(&r, &c)| r > 0 || c > 0);
    Some(bins.map(move |(&r, &c)| (r as f64 / n, c as f64 / m)).collect::<Vec<_>>().into_iter())
}

/// Jensen–Shannon distance: the root of the divergence ½Σ p·log₂(p/r) + ½Σ q·log₂(q/r) with r = (p+q)/2, in base 2, so that it lies between 0 and 1
/// (J. Lin, *Divergence measures based on the Shannon entropy*, IEEE Trans. Inf. Theory 37, 1991; a metric: Endres and Schindelin 2003). An empty bin
/// needs no smoothing: p·log p fades at 0. `None` where a sample is empty.
pub fn jensen_shannon(reference: &[u64], current: &[u64]) -> Option<f64> {
    let divergence: f64 = shares(reference, current)?.map(|(p, q)| jensen_shannon_part(p, q)).sum();
    // equal shares may leave a rounding error of either sign
    Some(divergence.max(0.0).sqrt().min(1.0))
}

/// What a bin of shares p and q adds to the Jensen–Shannon divergence in bits: 0 or more but for rounding.
pub fn jensen_shannon_part(p: f64, q: f64) -> f64 {
    if p == q {
        return 0.0;
    }
    let middle = 0.5 * (p + q);
    let half = |share: f64| if share > 0.0 { 0.5 * share * (share / middle).log2() } else { 0.0 };
    half(p) + half(q)
}

/// Hellinger distance (1/√2)·‖√p−√q‖₂, 0 to 1 (E. Hellinger 1909; Le Cam and Yang, *Asymptotics in Statistics*, 2000). `None` where a sample is empty.
pub fn hellinger(reference: &[u64], current: &[u64]) -> Option<f64> {
    let sum: f64 = shares(reference, current)?.map(|(p, q)| hellinger_part(p, q)).sum();
    Some(sum.sqrt().min(1.0))
}

/// What a bin of shares p and q adds to the square of the Hellinger distance.
pub fn hellinger_part(p: f64, q: f64) -> f64 {
    0.5 * (p.sqrt() - q.sqrt()).powi(2)
}

/// Kullback–Leibler divergence of the current sample from the reference, Σ q·ln(q/p) in nats, 0 or more (Kullback and Leibler, Ann. Math. Stat. 22, 1951).
/// Without smoothing an empty reference bin would make it infinite. Under [`Smoothing::Epsilon`] shares need not sum to 1, and the figure may be below 0.
/// `None` where a sample is empty.
pub fn kullback_leibler(reference: &[u64], current: &[u64], smoothing: Smoothing) -> Option<f64> {
    let (n_reference, n_current) = totals(reference, current)?;
    let bins = occupied(reference, current);
    let pairs = reference.iter().zip(current).filter(|&(&r, &c)| r > 0 || c > 0);
    let sum: f64 = pairs
        .map(|(&r, &c)| {
            let (p, q) = (smoothing.share(r, n_reference, bins), smoothing.share(c, n_current, bins));
            if q > 0.0 { q * (q / p).ln() } else { 0.0 }
        })
        .sum();
    // of shares that sum to 1 it is 0 or more (Gibbs); what rounding leaves below is none
    Some(if smoothing == Smoothing::Jeffreys { sum.max(0.0) } else { sum })
}

/// Largest change of a share, max|p−q| over bins: 0 to 1. Compared in integers. `None` where a sample is empty.
pub fn l_infinity(reference: &[u64], current: &[u64]) -> Option<f64> {
    let (n_reference, n_current) = totals(reference, current)?;
    let differences = reference.iter().zip(current).map(|(&r, &c)| (u128::from(r) * n_current).abs_diff(u128::from(c) * n_reference));
    differences.max().map(|largest| largest as f64 / (n_reference * n_current) as f64)
}
