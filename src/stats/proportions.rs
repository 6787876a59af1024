//! Two shares of two independent samples against each other: how far apart they may be.

use statrs::distribution::{ContinuousCDF, Normal};

/// `x` of `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Those that count.
    pub x: u64,
    /// All; at least 1, and at least `x`.
    pub n: u64,
}

impl Share {
    /// The share (0 to 1); 0 of nothing.
    pub fn value(self) -> f64 {
        self.x as f64 / self.n.max(1) as f64
    }

    /// Wilson's score interval (E. B. Wilson 1927): where the share behind the sample lies.
    pub fn wilson(self, z: f64) -> (f64, f64) {
        let (n, p) = (self.n.max(1) as f64, self.value());
        let (centre, reach) = (p + z * z / (2.0 * n), z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt());
        let whole = 1.0 + z * z / n;
        (((centre - reach) / whole).max(0.0), ((centre + reach) / whole).min(1.0))
    }
}

/// The quantile z with which intervals of `pairs` pairs, all of them together, hold with a chance of 95 % at least (Bonferroni); 1.96 for one pair.
pub fn z_of_pairs(pairs: u64) -> f64 {
    Normal::standard().inverse_cdf(1.0 - 0.025 / pairs.max(1) as f64)
}

/// Where the difference of the shares behind two samples, `a` less `b`, lies: Newcombe's hybrid score interval (R. G. Newcombe, *Statistics in Medicine* 17,
/// 1998, method 10), which keeps its promise for small samples and shares near 0 or 1, where the textbook interval does not.
pub fn difference_interval(a: Share, b: Share, z: f64) -> (f64, f64) {
    let ((a_low, a_high), (b_low, b_high)) = (a.wilson(z), b.wilson(z));
    let (p, q) = (a.value(), b.value());
    (p - q - (p - a_low).hypot(b_high - q), p - q + (a_high - p).hypot(q - b_low))
}

/// Where the ratio of the shares behind two samples, `a` over `b`, lies: normal on the logarithm (Katz, Baptista, Azen, Pike 1978), with half a case added to
/// each sample so that a share of 0 has an interval too (Walter 1975).
pub fn ratio_interval(a: Share, b: Share, z: f64) -> (f64, f64) {
    let log = |s: Share| ((s.x as f64 + 0.5) / (s.n as f64 + 0.5)).ln();
    let variance = |s: Share| 1.0 / (s.x as f64 + 0.5) - 1.0 / (s.n as f64 + 0.5);
    let (middle, reach) = (log(a) - log(b), z * (variance(a) + variance(b)).max(0.0).sqrt());
    ((middle - reach).exp(), (middle + reach).exp())
}

/// As [`difference_interval`] for means of several shares each, `a` and `b` over the same classes: Newcombe's interval for one share, beyond that normal.
pub fn mean_difference_interval(a: &[Share], b: &[Share], z: f64) -> (f64, f64) {
    if let ([a], [b]) = (a, b) {
        return difference_interval(*a, *b, z);
    }
    let (middle, reach) = (mean(a) - mean(b), z * (variance_of_mean(a) + variance_of_mean(b)).sqrt());
    (middle - reach, middle + reach)
}

/// As [`ratio_interval`] for means of several shares each (delta method on the logarithm); `None` where a mean is 0.
pub fn mean_ratio_interval(a: &[Share], b: &[Share], z: f64) -> Option<(f64, f64)> {
    if let ([a], [b]) = (a, b) {
        return Some(ratio_interval(*a, *b, z));
    }
    let (p, q) = (mean(a), mean(b));
    let reach = z * (variance_of_mean(a) / (p * p) + variance_of_mean(b) / (q * q)).sqrt();
    (p > 0.0 && q > 0.0).then(|| (p / q * (-reach).exp(), p / q * reach.exp()))
}

/// The mean of shares, each with the same weight; 0 without any.
pub fn mean(shares: &[Share]) -> f64 {
    shares.iter().map(|share| share.value()).sum::<f64>() / shares.len().max(1) as f64
}

/// Half a case is added on either side, so that a share of 0 or 1 is not certain.
fn variance_of_mean(shares: &[Share]) -> f64 {
    let variance = |share: &Share| {
        let (n, p) = (share.n as f64 + 1.0, (share.x as f64 + 0.5) / (share.n as f64 + 1.0));
        p * (1.0 - p) / n
    };
    let n = shares.len().max(1) as f64;
    shares.iter().map(variance).sum::<f64>() / (n * n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn share(x: u64, n: u64) -> Share {
        Share { x, n }
    }

    /// Newcombe 1998, table II, method 10.
    #[test]
    fn published_differences() {
        for (a, b, low, high) in [
            (share(56, 70), share(48, 80), 0.0524, 0.3339),
            (share(9, 10), share(3, 10), 0.1705, 0.8090),
            (share(10, 10), share(0, 20), 0.6791, 1.0),
            (share(10, 10), share(0, 10), 0.6075, 1.0),
            (share(5, 56), share(0, 29), -0.0381, 0.1926),
            (share(0, 10), share(0, 20), -0.1611, 0.2775),
        ] {
            let (from, to) = difference_interval(a, b, z_of_pairs(1));
            assert!((from - low).abs() < 5.1e-5 && (to - high).abs() < 5.1e-5, "{a:?} {b:?}: {from} {to}");
        }
    }

    #[test]
    fn more_pairs_make_wider_intervals() {
        // scipy.stats.norm.ppf(1 - .025 / [1, 3, 45])
        for (pairs, want) in [(0, 1.959_963_984_540), (1, 1.959_963_984_540), (3, 2.393_979_800_346), (45, 3.260_767_488_421)] {
            assert!((z_of_pairs(pairs) - want).abs() < 1e-6, "{pairs}: {}", z_of_pairs(pairs));
        }
    }

    /// By hand: ln(80.5/100.5) − ln(40.5/100.5) ± 1.96·√(1/80.5 − 1/100.5 + 1/40.5 − 1/100.5).
    #[test]
    fn ratios() {
        let (from, to) = ratio_interval(share(80, 100), share(40, 100), z_of_pairs(1));
        let (middle, reach) = ((80.5f64 / 40.5).ln(), 1.959_964 * (1.0 / 80.5 + 1.0 / 40.5 - 2.0 / 100.5f64).sqrt());
        assert!((from - (middle - reach).exp()).abs() < 1e-6 && (to - (middle + reach).exp()).abs() < 1e-6, "{from} {to}");
        let (from, to) = ratio_interval(share(0, 100), share(40, 100), z_of_pairs(1));
        assert!(from > 0.0 && to < 0.25, "{from} {to}");
    }

    /// By hand: means .5 and .25, variances (.25/101 + .25/101)/4 and (.25·.75/101 … with half a case added)/4.
    #[test]
    fn means_of_several_shares() {
        let (a, b, z) = ([share(50, 100), share(50, 100)], [share(25, 100), share(25, 100)], z_of_pairs(1));
        let (v, w) = (0.25 / 101.0 / 2.0, 25.5 * 75.5 / 101f64.powi(3) / 2.0);
        let (from, to) = mean_difference_interval(&a, &b, z);
        assert!((from - (0.25 - z * (v + w).sqrt())).abs() < 1e-12 && (to - (0.25 + z * (v + w).sqrt())).abs() < 1e-12);
        let reach = z * (v / 0.25 + w / 0.0625f64).sqrt();
        let (from, to) = mean_ratio_interval(&b, &a, z).unwrap();
        assert!((from - 0.5 * (-reach).exp()).abs() < 1e-12 && (to - 0.5 * reach.exp()).abs() < 1e-12);
        assert_eq!(mean_ratio_interval(&[share(0, 9); 2], &a, z), None);
        assert_eq!(mean_difference_interval(&a[..1], &b[..1], z), difference_interval(a[0], b[0], z));
    }

    proptest! {
        #[test]
        fn intervals_hold_their_figures(n in 1u64..5000, m in 1u64..5000, x in 0u64..5000, y in 0u64..5000, pairs in 1u64..100) {
            let (a, b, z) = (share(x.min(n), n), share(y.min(m), m), z_of_pairs(pairs));
            let (from, to) = difference_interval(a, b, z);
            let difference = a.value() - b.value();
            prop_assert!(-1.0 - 1e-12 <= from && from <= difference && difference <= to && to <= 1.0 + 1e-12);
            let (back_from, back_to) = difference_interval(b, a, z);
            prop_assert!((from + back_to).abs() < 1e-12 && (to + back_from).abs() < 1e-12);
            let (from, to) = ratio_interval(a, b, z);
            prop_assert!(from.is_finite() && to.is_finite() && 0.0 <= from && from <= to);
        }
    }
}
