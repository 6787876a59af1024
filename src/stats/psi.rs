//! Population stability index.

use super::chi_square::chi_square_tail;
use super::counts::{occupied, totals};

/// What stands for the share of an empty bin, whose logarithm does not exist.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Smoothing {
    /// Half a value more in each bin of both samples: (c + ½) / (n + ½B), the mean of the share under Jeffreys' prior (Jeffreys 1946),
    /// where B counts the bins that either sample occupies. It fades as the sample grows.
    Jeffreys,
    /// Shares below this are raised to it, without dividing by the new sum: what other tools do, for comparison with their numbers.
    /// Positive.
    Epsilon(f64),
}

impl Smoothing {
    /// The share of a bin that holds `count` of `n` values, where `bins` bins are occupied.
    pub fn share(self, count: u64, n: u128, bins: u32) -> f64 {
        match self {
            Self::Jeffreys => (count as f64 + 0.5) / (n as f64 + 0.5 * f64::from(bins)),
            Self::Epsilon(least) => (count as f64 / n as f64).max(least),
        }
    }
}

/// A population stability index, and how many bins it is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PsiReading {
    /// The index: 0 or more.
    pub value: f64,
    /// Probability of an index this large without a change: `value / (1/n + 1/m)` is then distributed like χ²(bins − 1), n and m the sizes of *both* samples
    /// (B. Yurdakul and J. Naranjo, *Statistical properties of the population stability index*, J. Risk Model Validation 14, 2020).
    pub p_value: f64,
    /// Bins that hold a value of either sample.
    pub bins: u32,
    /// Those among them that one of the samples leaves empty, so that smoothing decides what they contribute.
    pub empty: u32,
}

/// Population stability index Σ (q−p)·ln(q/p) over bins, with p the reference's and q the current shares: the symmetrised
/// Kullback–Leibler divergence (Jeffreys 1946; as PSI in Siddiqi, *Credit Risk Scorecards*, 2006). About 8 times the
/// Jensen–Shannon divergence in nats where the shift is small.
///
/// Bins that are empty in both samples are left out before smoothing: they say nothing about a change, while half a value in each would
/// read as one wherever the samples differ in size (20 such bins beside 10 occupied ones add 0.16 at 217 against 10,000 values).
/// Equal counts give exactly 0. `None` where a sample is empty.
pub fn psi(reference: &[u64], current: &[u64], smoothing: Smoothing) -> Option<PsiReading> {
    let (n_reference, n_current) = totals(reference, current)?;
    let bins = occupied(reference, current);
    let mut reading = PsiReading { value: 0.0, p_value: 1.0, bins, empty: 0 };
    for (&r, &c) in reference.iter().zip(current).filter(|&(&r, &c)| r > 0 || c > 0) {
        let (p, q) = (smoothing.share(r, n_reference, bins), smoothing.share(c, n_current, bins));
        reading.value += (q - p) * (q / p).ln();
        reading.empty += u32::from(r == 0 || c == 0);
    }
    let noise = 1.0 / n_reference as f64 + 1.0 / n_current as f64;
    reading.p_value = chi_square_tail(reading.value / noise, bins.saturating_sub(1));
    Some(reading)
}
