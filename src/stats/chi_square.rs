//! Chi-square test of homogeneity of two samples.

use super::counts::totals;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Bins with fewer expected values than this in either sample are put together (W. G. Cochran, Biometrics 10, 1954).
pub const LEAST_EXPECTED: f64 = 5.0;

/// A chi-square test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquareReading {
    /// The statistic: 0 or more.
    pub statistic: f64,
    /// Degrees of freedom: bins compared, less one.
    pub degrees: u32,
    /// Probability of a statistic this large without a change.
    pub p_value: f64,
    /// Cramér's V, bias-corrected: 0 to 1, the size of the change whatever the number of values (W. Bergsma, J. Korean Stat. Soc. 42, 2013).
    pub cramers_v: f64,
}

/// Probability of a chi-square variable of `degrees` degrees of freedom above `x` (`scipy.stats.chi2.sf`); 1 without any degree of freedom.
pub fn chi_square_tail(x: f64, degrees: u32) -> f64 {
    match ChiSquared::new(f64::from(degrees)) {
        Ok(distribution) if degrees > 0 && x > 0.0 => distribution.sf(x).clamp(0.0, 1.0),
        _ => 1.0,
    }
}

/// Test of homogeneity of two samples over bins (K. Pearson 1911), without Yates' correction. Both are samples: a test against the reference's shares as if
/// they were known rejects far too often.
///
/// Bins where either sample expects fewer than `least_expected` values ([`LEAST_EXPECTED`]; 0: none) are put together, the rarest first, until the rest is expected often
/// enough; two remain in any case, so that there is a figure where there is more than one bin. Which bins are put together depends on their sum
/// over both samples and never on their order. `None` where a sample is empty.
pub fn chi_square(reference: &[u64], current: &[u64], least_expected: f64) -> Option<ChiSquareReading> {
    let (n_reference, n_current) = totals(reference, current)?;
    let (n, m) = (n_reference as f64, n_current as f64);
    let bins = pool(reference, current, n.min(m) / (n + m), least_expected);
    let cell = |(r, c): (u128, u128)| {
        (r * n_current).abs_diff(c * n_reference) as f64 / n / m * ((r * n_current).abs_diff(c * n_reference) as f64 / (r + c) as f64)
    };
    let statistic = bins.iter().map(|&bin| cell(bin)).sum();
    let degrees = u32::try_from(bins.len()).unwrap_or(u32::MAX).saturating_sub(1);
    let cramers_v = cramers_v(statistic, degrees, n + m);
    Some(ChiSquareReading { statistic, degrees, p_value: chi_square_tail(statistic, degrees), cramers_v })
}

/// Occupied bins, the rarest put together while either sample expects fewer than `least_expected` values in them. `share`: of the smaller sample in the whole.
fn pool(reference: &[u64], current: &[u64], share: f64, least_expected: f64) -> Vec<(u128, u128)> {
    let pairs = reference.iter().zip(current).map(|(&r, &c)| (u128::from(r), u128::from(c)));
    let mut bins: Vec<(u128, u128)> = pairs.filter(|&(r, c)| r + c > 0).collect();
    bins.sort_unstable_by_key(|&(r, c)| (r + c, r));
    let expected = |(r, c): (u128, u128)| (r + c) as f64 * share;
    let mut rare = (0, 0);
    let mut n_rare = 0;
    for &bin in &bins {
        let pooled_is_rare = n_rare > 0 && expected(rare) < least_expected;
        // the bin would be put together with others, and one besides must remain
        if (expected(bin) >= least_expected && !pooled_is_rare) || n_rare + 1 >= bins.len() {
            break;
        }
        rare = (rare.0 + bin.0, rare.1 + bin.1);
        n_rare += 1;
    }
    bins.drain(..n_rare);
    if n_rare > 0 {
        bins.push(rare);
    }
    bins
}

/// Bias-corrected Cramér's V of a table of two rows, `degrees + 1` columns and `n` values.
fn cramers_v(statistic: f64, degrees: u32, n: f64) -> f64 {
    let degrees = f64::from(degrees);
    let phi_squared = (statistic / n - degrees / (n - 1.0)).max(0.0);
    // rows and columns, less one, corrected
    let (rows, columns) = (1.0 - 1.0 / (n - 1.0), degrees - degrees * degrees / (n - 1.0));
    let least = rows.min(columns);
    if least > 0.0 { (phi_squared / least).sqrt().min(1.0) } else { 0.0 }
}
