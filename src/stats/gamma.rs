//! The gamma distribution as a model of distances, which are positive and skewed.

use statrs::distribution::{ContinuousCDF, Gamma};

/// Beyond this shape the distribution is normal to all digits that matter, and the series of the exact one are slow.
const LARGE_SHAPE: f64 = 1e4;
/// Below this shape nearly all mass is at 0, and no quantile is a number worth having.
const SMALL_SHAPE: f64 = 1e-6;

/// The quantile at `level` (between 0 and 1) of the gamma distribution with this mean and standard deviation (the fit by moments: shape `mean²/std²`,
/// scale `std²/mean`; Pearson 1893). A chi-square variable times a constant is a special case.
///
/// For large shapes the cube root is taken as normal (Wilson, Hilferty, PNAS 17, 1931). `None` where mean and spread are not positive and finite, or nearly
/// all of the distribution is at 0.
pub fn gamma_quantile(mean: f64, std: f64, level: f64) -> Option<f64> {
    if !(mean > 0.0 && std > 0.0 && mean.is_finite() && std.is_finite() && level > 0.0 && level < 1.0) {
        return None;
    }
    let shape = (mean / std).powi(2);
    let quantile = if shape > LARGE_SHAPE {
        let ninth = 1.0 / (9.0 * shape);
        mean * (1.0 - ninth + standard_normal_quantile(level) * ninth.sqrt()).powi(3)
    } else if shape > SMALL_SHAPE {
        Gamma::new(shape, 1.0).ok()?.inverse_cdf(level) * (std * (std / mean))
    } else {
        return None;
    };
    quantile.is_finite().then_some(quantile)
}

/// The quantile of the standard normal distribution at `level` (between 0 and 1, both excluded).
fn standard_normal_quantile(level: f64) -> f64 {
    -std::f64::consts::SQRT_2 * statrs::function::erf::erfc_inv(2.0 * level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn chi_square_is_a_special_case() {
        // scipy.stats.chi2.ppf(0.99, [1, 2, 9, 19]); mean and variance of chi-square are k and 2k
        for (k, expected) in
            [(1.0, 6.634_896_601_021_214), (2.0, 9.210_340_371_976_18), (9.0, 21.665_994_333_461_92), (19.0, 36.190_869_129_270_04)]
        {
            let got = gamma_quantile(k, f64::sqrt(2.0 * k), 0.99).unwrap();
            assert!((got / expected - 1.0).abs() < 1e-9, "{k}: {got}");
            let scaled = gamma_quantile(k * 1e-3, f64::sqrt(2.0 * k) * 1e-3, 0.99).unwrap();
            assert!((scaled / expected * 1e3 - 1.0).abs() < 1e-9, "{k}: {scaled}");
        }
    }

    #[test]
    fn both_ways_of_computing_it_meet() {
        // tables of the normal distribution
        assert!((standard_normal_quantile(0.9999) - 3.719_016_485_455_68).abs() < 1e-9);
        let (below, above) = (LARGE_SHAPE * 0.9999, LARGE_SHAPE * 1.0001);
        let at = |shape: f64| gamma_quantile(shape, shape.sqrt(), 0.9999).unwrap() / shape;
        assert!((at(below) - at(above)).abs() < 1e-5, "{} {}", at(below), at(above));
    }

    #[test]
    fn what_is_no_distribution_has_no_quantile() {
        for (mean, std) in [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (f64::NAN, 1.0), (1.0, f64::INFINITY), (1e-300, 1e300)] {
            assert_eq!(gamma_quantile(mean, std, 0.99), None, "{mean} {std}");
        }
        assert_eq!(gamma_quantile(1.0, 1.0, 1.0), None);
    }

    proptest! {
        #[test]
        fn it_rises_with_the_level(mean in 1e-9..1e9f64, ratio in 1e-5..1e2f64) {
            let at = |level| gamma_quantile(mean, mean * ratio, level).unwrap();
            let (median, most) = (at(0.5), at(0.9999));
            prop_assert!(median >= 0.0 && most.is_finite() && median < most, "{} {}", median, most);
        }
    }
}
