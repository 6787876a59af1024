//! How many values it takes before a distance between two samples can mean anything.
//!
//! Both samples are finite: a distance of two samples of one distribution shrinks with `1/n + 1/m`, never with `1/n` alone. A sample of `n` values is
//! enough when 99 % of such distances stay below the level that is looked for. Knows no metric, no rule; the level is an argument.

use statrs::distribution::{ChiSquared, ContinuousCDF};
use std::sync::LazyLock;

/// 99th percentile of the Kolmogorov distribution (`scipy.special.kolmogi(0.01)`): under no change, sqrt(nm/(n+m))·D stays below it in 99 % of cases.
pub const KOLMOGOROV_99: f64 = 1.627_623_611_518_950_4;

/// 99th percentile of the magnitude of a standard normal deviation (`scipy.stats.norm.ppf(0.995)`): means, each over its standard deviation.
pub const NORMAL_99: f64 = 2.575_829_303_548_900_4;

/// The same of medians of a normal distribution, whose variance is π/2 of the mean's: p(1 − p)/f² with the density f at the quantile (Mosteller 1946).
/// Flat distributions have more, peaked ones less.
pub const NORMAL_MEDIAN_99: f64 = 3.228_323_281_449_375;

/// The same of 95th percentiles of a normal distribution: 2.1132 standard deviations of the mean.
pub const NORMAL_P95_99: f64 = 5.443_210_314_647_731;

/// 99th percentile of ∫|B(F(x))|dx/σ, B the Brownian bridge: what sqrt(nm/(n+m))·W/σ of a Wasserstein-1 distance W follows under no change (del Barrio,
/// Giné, Matrán 1999). It depends on the distribution a little: simulated 2.68 for a normal, 2.66 for a uniform, 2.67 for an exponential and 2.47 for a
/// lognormal one (6000 paths of 400 steps); it cannot be much below `NORMAL_99`, because W is at least the difference of the means.
pub const WASSERSTEIN_99: f64 = 2.7;

/// Expected values in each bin without which a chi-square statistic is not distributed like chi-square (Cochran 1954).
const LEAST_EXPECTED: u64 = 5;

/// 99th percentile of the chi-square distribution (`scipy.stats.chi2.ppf(0.99, degrees)`).
///
/// `degrees`: degrees of freedom, taken as at least 1.
pub fn chi_square_99(degrees: u32) -> f64 {
    // asked for with every distance that is judged, for the few degrees that columns have
    static USUAL: LazyLock<Vec<f64>> = LazyLock::new(|| (0..128).map(inverse_chi_square_99).collect());
    USUAL.get(degrees as usize).copied().unwrap_or_else(|| inverse_chi_square_99(degrees))
}

fn inverse_chi_square_99(degrees: u32) -> f64 {
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
    deviation_least_n(KOLMOGOROV_99, level, m)
}

/// Least `n` at which a distance of `level` is beyond chance, for distances that shrink with the root: `percentile·sqrt(1/n + 1/m) < level`.
///
/// `percentile`: the 99th one of `sqrt(nm/(n+m))·distance` under no change. `m`: values of the reference. `None`: the reference is too small for any `n`.
pub fn deviation_least_n(percentile: f64, level: f64, m: u64) -> Option<u64> {
    least_n(percentile * percentile, level * level, m)
}

/// Least `n` at which a Cramér's V of `level` of a table with two rows is beyond chance: `χ²₀.₉₉(degrees)/(n + m) < level²`, because V² = X²/(n + m); and
/// at least five values a bin, without which X² is no chi-square. That V is smaller where one sample is much the larger lies in its definition.
///
/// `degrees`: bins less one. `m`: values of the reference. `None`: the level is no positive number.
pub fn cramers_v_least_n(degrees: u32, level: f64, m: u64) -> Option<u64> {
    let both = chi_square_99(degrees) / (level * level);
    let with_reference = (level > 0.0 && both < 9.0e15).then(|| (both.floor() as u64 + 1).saturating_sub(m))?;
    Some(with_reference.max(chi_square_least_n(degrees)))
}

/// Least `n` for a chi-square statistic: five values a bin on average. Its distribution under no change does not depend on `n` any further.
pub fn chi_square_least_n(degrees: u32) -> u64 {
    (u64::from(degrees) + 1) * LEAST_EXPECTED
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
    fn distances_that_shrink_with_the_root() {
        // (2.5758 / 0.1)^2 = 663.5
        assert_eq!(deviation_least_n(NORMAL_99, 0.10, LARGE), Some(664));
        assert_eq!(deviation_least_n(NORMAL_MEDIAN_99, 0.10, LARGE), Some(1043));
        assert_eq!(deviation_least_n(NORMAL_P95_99, 0.10, LARGE), Some(2963));
        assert_eq!(deviation_least_n(WASSERSTEIN_99, 0.10, LARGE), Some(729));
        assert_eq!(deviation_least_n(WASSERSTEIN_99, 0.10, 1000), Some(2691));
        assert_eq!(deviation_least_n(WASSERSTEIN_99, 0.10, 728), None, "the reference alone is as noisy as the level");
        assert_eq!(deviation_least_n(KOLMOGOROV_99, 0.10, LARGE), ks_least_n(0.10, LARGE));
    }

    #[test]
    fn the_percentiles_of_quantiles_follow_from_their_density() {
        // statistics of the standard normal distribution: f(0) = 0.39894, f(1.64485) = 0.10314
        let of = |p: f64, density: f64| NORMAL_99 * (p * (1.0 - p)).sqrt() / density;
        let density = |z: f64| (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        assert!((of(0.5, density(0.0)) / NORMAL_MEDIAN_99 - 1.0).abs() < 1e-9, "{}", of(0.5, density(0.0)));
        let p95 = of(0.95, density(1.644_853_626_951_472_2));
        assert!((p95 / NORMAL_P95_99 - 1.0).abs() < 1e-9, "{p95}");
    }

    #[test]
    fn tables_of_counts() {
        assert_eq!(cramers_v_least_n(9, 0.10, 0), Some(2167));
        assert_eq!(cramers_v_least_n(9, 0.10, 2000), Some(167));
        assert_eq!(cramers_v_least_n(9, 0.10, 1_000_000), Some(50));
        assert_eq!(cramers_v_least_n(1, 0.10, LARGE), Some(10));
        assert_eq!(cramers_v_least_n(9, 0.0, 1000), None);
        assert_eq!(cramers_v_least_n(9, f64::NAN, 1000), None);
        assert_eq!(chi_square_least_n(u32::MAX), 5 << 32);
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
