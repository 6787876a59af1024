//! How many values a figure needs before a rule may speak about it (docs/STATISTICS.md, "Enough").

use super::Condition;
use crate::engine::metric::{Measurement, Metric};
use crate::stats::power;

/// `need` of a verdict that no number of values could satisfy: the reference is too small for the bound.
pub const NEVER_ENOUGH: u64 = u64::MAX;

/// Degrees of freedom of ten bins, for a measurement that does not say its own.
const DEGREES_OF_TEN_BINS: u32 = 9;

/// Values that `measurement` needs to be judged by `condition` at the bound `threshold`: what the metric itself needs, and at least the condition's
/// `min_events`. `NEVER_ENOUGH` where the reference is too small.
///
/// Distances over bins need what the population stability index needs at the bound that it would have for the same small shift: PSI ≈ 8·JSD(nats) ≈
/// 8·Hellinger² ≈ 2·KL. Distances in the column's own unit, and statistics whose distribution does not depend on the number of values, need what the
/// condition says; so do quality, latency and error rate. Throughput needs a whole window, which the reading itself knows.
///
/// A bound in sigmas lies near what is normal, by the reference's own windows: chance below it is what it measures. It needs what the metric's documented
/// band would, or less where the bound is wider than the band.
pub fn need(condition: &Condition, threshold: f64, measurement: &Measurement) -> u64 {
    let degrees = if measurement.degrees == 0 { DEGREES_OF_TEN_BINS } else { measurement.degrees };
    let m = measurement.n_reference;
    let level = if condition.bound.threshold().is_calibrated() { threshold.max(band(measurement.metric)) } else { threshold };
    let like_psi = |level| power::psi_least_n(degrees, level, m);
    let deviation = |percentile| power::deviation_least_n(percentile, level, m);
    let by_metric = match measurement.metric {
        Metric::Psi => like_psi(level),
        Metric::JensenShannon => like_psi(8.0 * std::f64::consts::LN_2 * signed_square(level)),
        Metric::Hellinger => like_psi(8.0 * signed_square(level)),
        Metric::KullbackLeibler => like_psi(2.0 * level),
        Metric::TotalVariation => power::total_variation_least_n(degrees, level, m),
        // max|p−q| ≤ ½Σ|p−q|: the greatest change of a share is at most the sum of all that grew
        Metric::LInfinity => power::total_variation_least_n(degrees, level, m),
        Metric::CramersV => power::cramers_v_least_n(degrees, level, m),
        Metric::ChiSquare => Some(power::chi_square_least_n(degrees)),
        Metric::Ks => power::ks_least_n(level, m),
        Metric::WassersteinScaled => deviation(power::WASSERSTEIN_99),
        Metric::MeanShift => deviation(power::NORMAL_99),
        Metric::MedianShift => deviation(power::NORMAL_MEDIAN_99),
        Metric::P95Shift => deviation(power::NORMAL_P95_99),
        _ => Some(0),
    };
    by_metric.unwrap_or(NEVER_ENOUGH).max(condition.min_events)
}

/// The documented band of a distance (docs/STATISTICS.md, "Verdicts"); those over bins are those of a PSI of 0.10.
fn band(metric: Metric) -> f64 {
    match metric {
        Metric::JensenShannon => 0.134,
        Metric::Hellinger => 0.112,
        Metric::KullbackLeibler => 0.05,
        _ => 0.10,
    }
}

/// A level that is not positive stays so: no number of values is enough for it.
fn signed_square(level: f64) -> f64 {
    level * level.abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::verdict::tests::{condition, measurement};
    use crate::engine::verdict::{Bound, Threshold};

    #[track_caller]
    fn check(metric: Metric, degrees: u32, n_reference: u64, threshold: f64, min_events: u64, expected: u64) {
        let mut condition = condition("feature:a", metric, Bound::Above(Threshold::Absolute(threshold)));
        condition.min_events = min_events;
        let mut measurement = measurement("feature:a", metric, 0.5);
        (measurement.degrees, measurement.n_reference) = (degrees, n_reference);
        assert_eq!(need(&condition, threshold, &measurement), expected, "{metric:?} {degrees} {n_reference} {threshold}");
    }

    #[test]
    fn what_each_metric_needs() {
        check(Metric::Psi, 9, u64::MAX, 0.10, 0, 217);
        check(Metric::Psi, 0, u64::MAX, 0.10, 0, 217);
        check(Metric::Psi, 9, u64::MAX, 0.25, 0, 87);
        check(Metric::Psi, 9, u64::MAX, 0.10, 1000, 1000);
        check(Metric::Psi, 9, 100, 0.10, 0, NEVER_ENOUGH);
        check(Metric::Ks, 0, u64::MAX, 0.10, 0, 265);
        // the documented bands of one small shift need about the same
        check(Metric::JensenShannon, 9, u64::MAX, 0.134, 0, 218);
        check(Metric::Hellinger, 9, u64::MAX, 0.112, 0, 216);
        check(Metric::KullbackLeibler, 9, u64::MAX, 0.05, 0, 217);
        check(Metric::LInfinity, 9, u64::MAX, 0.10, 0, 542);
        check(Metric::CramersV, 9, 2000, 0.10, 0, 167);
        check(Metric::ChiSquare, 9, 2000, 21.7, 0, 50);
        check(Metric::WassersteinScaled, 0, u64::MAX, 0.10, 0, 729);
        check(Metric::MeanShift, 0, u64::MAX, 0.10, 0, 664);
        check(Metric::MedianShift, 0, u64::MAX, 0.10, 0, 1043);
        check(Metric::P95Shift, 0, u64::MAX, 0.10, 0, 2963);
        for metric in [Metric::JensenShannon, Metric::Hellinger, Metric::KullbackLeibler] {
            check(metric, 9, 100_000, -0.1, 0, NEVER_ENOUGH);
            check(metric, 9, 50, 0.1, 0, NEVER_ENOUGH);
        }
        check(Metric::Wasserstein, 0, 10, 7.5, 30, 30);
        check(Metric::TotalVariation, 1, u64::MAX, 0.05, 0, 664);
        check(Metric::Accuracy, 0, 0, 0.90, 100, 100);
        check(Metric::LatencyP95, 0, 0, 100.0, 100, 100);
        check(Metric::Throughput, 0, 0, 1000.0, 0, 0);
    }

    #[test]
    fn a_bound_in_sigmas_needs_what_the_documented_band_needs() {
        let bound = Bound::Above(Threshold::Reference { factor: 1.0, offset: 0.0, sigmas: 3.0 });
        let need_at = |metric, level| {
            let measurement = Measurement { n_reference: u64::MAX, ..measurement("feature:a", metric, 0.5) };
            need(&condition("feature:a", metric, bound), level, &measurement)
        };
        // by the bound itself it would be 2167, and windows of a thousand could never be judged by what they themselves are like
        assert_eq!(need_at(Metric::Psi, 0.01), 217);
        assert_eq!(need_at(Metric::Psi, 0.25), 87);
        assert_eq!(need_at(Metric::Hellinger, 0.01), 216);
    }
}
