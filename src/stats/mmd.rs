//! Maximum mean discrepancy from explicit features.

use statrs::function::gamma::checked_gamma_ur;

/// A squared maximum mean discrepancy, and how likely chance alone makes it so large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MmdReading {
    /// ‖μ − ν‖²: 0 or more.
    pub value: f64,
    /// Probability of a value at least this large where both samples come from one distribution.
    pub p_value: f64,
}

/// Squared maximum mean discrepancy ‖μ − ν‖² of two samples by the means of their features (Gretton et al., JMLR 13, 2012; the biased estimate: the
/// features make it a sum of squares, so it is never negative, and without a change its mean is tr Σ·(1/n+1/m)).
///
/// Without a change μ − ν is about normal with covariance Σ(1/n+1/m), so the value is a weighted sum of χ²₁; the p-value takes for it the multiple of
/// one χ² that has its mean and variance (F. E. Satterthwaite, Biometrics Bulletin 2, 1946). `trace`: tr Σ, `trace_of_square`: tr Σ² of the features'
/// covariance; `n`, `m`: sizes of the samples. `None` where a sample is empty, the means do not fit each other, or a figure is not finite.
pub fn mmd(means: (&[f64], &[f64]), trace: f64, trace_of_square: f64, n: u64, m: u64) -> Option<MmdReading> {
    if n == 0 || m == 0 || means.0.len() != means.1.len() || !trace.is_finite() || !trace_of_square.is_finite() {
        return None;
    }
    let value: f64 = means.0.iter().zip(means.1).map(|(a, b)| (a - b).powi(2)).sum();
    if !value.is_finite() {
        return None;
    }
    let size = 1.0 / n as f64 + 1.0 / m as f64;
    let p_value = if trace > 0.0 && trace_of_square > 0.0 {
        let degrees = trace * trace / trace_of_square;
        let chi_square = value / (trace_of_square / trace * size);
        checked_gamma_ur(degrees / 2.0, chi_square / 2.0).unwrap_or(if value > 0.0 { 0.0 } else { 1.0 })
    } else if value > 0.0 {
        // a reference of one and the same value: any other is a change
        0.0
    } else {
        1.0
    };
    Some(MmdReading { value, p_value: p_value.clamp(0.0, 1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_feature_is_a_chi_square_of_one_degree() {
        let reading = mmd((&[0.0], &[0.3]), 1.0, 1.0, 50, 50).unwrap();
        assert!((reading.value - 0.09).abs() < 1e-15);
        // scipy.stats.chi2.sf(2.25, 1)
        assert!((reading.p_value - 0.133_614_402_537_716_1).abs() < 1e-9, "{reading:?}");
    }

    #[test]
    fn edges() {
        assert_eq!(mmd((&[0.1], &[0.1]), 0.0, 0.0, 1, 1), Some(MmdReading { value: 0.0, p_value: 1.0 }));
        assert_eq!(mmd((&[0.1], &[0.2]), 0.0, 0.0, 1, 1).map(|r| r.p_value), Some(0.0));
        assert_eq!(mmd((&[0.1], &[0.2]), 1.0, 1.0, 0, 1), None);
        assert_eq!(mmd((&[0.1], &[0.2, 0.3]), 1.0, 1.0, 1, 1), None);
        assert_eq!(mmd((&[0.1], &[f64::INFINITY]), 1.0, 1.0, 1, 1), None);
        assert_eq!(mmd((&[0.0], &[1e100]), 1.0, 1.0, 9, 9).map(|r| r.p_value), Some(0.0));
        assert_eq!(mmd((&[0.3], &[0.3]), 1.0, 0.5, 9, 9).map(|r| r.p_value), Some(1.0));
    }
}
