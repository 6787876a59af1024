//! How many values it takes before a distance between two samples can mean anything.
//!
//! Both samples are finite: a distance of two samples of one distribution shrinks with `1/n + 1/m`, never with `1/n` alone. A sample of `n` values is
//! enough when 99 % of such distances stay below the level that is looked for. Knows no metric, no rule; the level is an argument.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// 99th percentile of the Kolmogorov distribution (`scipy.special.kolmogi(0.01)`): under no change, sqrt(nm/(n+m))·D stays below it in 99 % of cases.
pub const KOLMOGOROV_99: f64 = 1.627_623_611_518_950_4;

/// 99th percentile of the chi-square distribution (`scipy.stats.chi2.ppf(0.99, degrees)`).
///
/// `degrees`: degrees of freedom, taken as at least 1.
pub fn chi_square_99(degrees: u32) -> f64 {
    let distribution = ChiSquared::new(f64::from(degrees.max(1))).expect("at least one degree of freedom");
    distribution.inverse_cdf(0.99)
}

/// Least `n` at which a population stability index of `level` is beyond chance: `χ²₀.₉₉(degrees)·(1/n + 1/m) < level`, because without a change the index
/// is distributed like `χ²(bins − 1)·(1/n + 1/m)`.
///
/// `degrees`: bins less one. `m`: values of the reference. `None`: the reference is too small for any `n`.
pub fn psi_least_n(degrees: u32, level: f64, m: u64) -> Option<u64> {
    least_n(chi_square_99(degrees), level, m)
}

/// Least `n` at which a Kolmogorov–Smirnov distance of `level` is beyond chance: `1.6276·sqrt(1/n + 1/m) < level`.
///
/// `m`: values of the reference. `None`: the reference is too small for any `n`.
pub fn ks_least_n(level: f64, m: u64) -> Option<u64> {
    least_n(KOLMOGOROV_99 * KOLMOGOROV_99, level * level, m)
}

/// Least `n` at which a total variation of `level` is beyond chance: `χ²₀.₉₉(degrees)·(1/n + 1/m) < (2·level)²`.
///
/// By Cauchy–Schwarz `TV = ½Σ|p−q| ≤ ½·sqrt(Σ(p−q)²/r)` for any distribution r; with r the common one the sum under the root is `X²·(1/n + 1/m)`,
/// X² the homogeneity statistic. `degrees`: classes or bins less one. `m`: values of the reference. `None`: the reference is too small for any `n`.
pub fn total_variation_least_n(degrees: u32, level: f64, m: u64) -> Option<u64> {
    least_n(chi_square_99(degrees), 4.0 * level * level, m)
}

/// Smallest `n ≥ 1` with `factor·(1/n + 1/m) < level`, `None` where no `n` does it.
fn least_n(factor: f64, level: f64, m: u64) -> Option<u64> {
    let enough = |n: u64| factor * (1.0 / n as f64 + 1.0 / m as f64) < level;
    let room = level / factor - 1.0 / m as f64;
    // beyond 2^53 neither the count nor the formula is exact any more; no window holds so many values
    let wanted = room.recip();
    if !(room > 0.0 && wanted < 9.0e15) {
        return None;
    }
    // the quotient may be one off either way by rounding: the inequality itself decides
    let mut n = (wanted as u64).max(1);
    while !enough(n) {
        n += 1;
    }
    while n > 1 && enough(n - 1) {
        n -= 1;
    }
    Some(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LARGE: u64 = u64::MAX;

    #[test]
    fn percentiles() {
        // scipy.stats.chi2.ppf(0.99, [1, 2, 9, 19])
        for (degrees, expected) in
            [(1, 6.634_896_601_021_214), (2, 9.210_340_371_976_18), (9, 21.665_994_333_461_92), (19, 36.190_869_129_270_04)]
        {
            let got = chi_square_99(degrees);
            assert!((got / expected - 1.0).abs() < 1e-10, "{degrees}: {got}");
        }
        assert_eq!(chi_square_99(0), chi_square_99(1));
    }

    /// By search over `n` with the scipy percentiles above.
    #[test]
    fn least_samples() {
        assert_eq!(psi_least_n(9, 0.10, LARGE), Some(217));
        assert_eq!(psi_least_n(9, 0.25, LARGE), Some(87));
        assert_eq!(psi_least_n(9, 0.10, 10_000), Some(222));
        assert_eq!(psi_least_n(9, 0.10, 300), Some(780));
        assert_eq!(ks_least_n(0.10, LARGE), Some(265));
        assert_eq!(ks_least_n(0.10, 10_000), Some(273));
        assert_eq!(ks_least_n(0.05, LARGE), Some(1060));
        assert_eq!(total_variation_least_n(1, 0.05, LARGE), Some(664));
        assert_eq!(total_variation_least_n(1, 0.05, 5000), Some(766));
        assert_eq!(total_variation_least_n(2, 0.05, LARGE), Some(922));
        assert_eq!(total_variation_least_n(9, 0.10, LARGE), Some(542));
    }

    #[test]
    fn no_number_is_enough() {
        assert_eq!(psi_least_n(9, 0.10, 216), None, "the reference alone is as noisy as the level");
        assert_eq!(psi_least_n(9, 0.10, 0), None);
        assert_eq!(psi_least_n(9, 0.0, LARGE), None);
        assert_eq!(psi_least_n(9, -1.0, LARGE), None);
        assert_eq!(ks_least_n(f64::NAN, LARGE), None);
        assert_eq!(psi_least_n(9, f64::INFINITY, LARGE), Some(1));
    }

    proptest! {
        #[test]
        fn it_is_the_least(degrees in 1u32..200, level in 1e-4..1.0f64, m in 1u64..10_000_000) {
            let factor = chi_square_99(degrees);
            let enough = |n: u64| factor * (1.0 / n as f64 + 1.0 / m as f64) < level;
            if let Some(n) = psi_least_n(degrees, level, m) {
                prop_assert!(enough(n));
                prop_assert!(n == 1 || !enough(n - 1));
            } else {
                prop_assert!(!enough(1 << 52));
            }
        }
    }
}
