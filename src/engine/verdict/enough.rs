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
/// Quality, latency and error rate need what the condition says; throughput needs a whole window, which the reading itself knows.
pub fn need(condition: &Condition, threshold: f64, measurement: &Measurement) -> u64 {
    let degrees = if measurement.degrees == 0 { DEGREES_OF_TEN_BINS } else { measurement.degrees };
    let m = measurement.n_reference;
    let by_metric = match measurement.metric {
        Metric::Psi => power::psi_least_n(degrees, threshold, m),
        Metric::Ks => power::ks_least_n(threshold, m),
        Metric::TotalVariation => power::total_variation_least_n(degrees, threshold, m),
        _ => Some(0),
    };
    by_metric.unwrap_or(NEVER_ENOUGH).max(condition.min_events)
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
        check(Metric::TotalVariation, 1, u64::MAX, 0.05, 0, 664);
        check(Metric::Accuracy, 0, 0, 0.90, 100, 100);
        check(Metric::LatencyP95, 0, 0, 100.0, 100, 100);
        check(Metric::Throughput, 0, 0, 1000.0, 0, 0);
    }
}
