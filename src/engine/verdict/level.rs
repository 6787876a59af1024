//! On which side of a bound a value lies, and when it is far enough within it.

use super::{Bound, Condition, Threshold};
use crate::engine::catalogue::{Family, Range};
use crate::engine::metric::{Measurement, Metric};

impl Bound {
    /// The level.
    pub fn threshold(self) -> Threshold {
        match self {
            Self::Above(threshold) | Self::Below(threshold) => threshold,
        }
    }

    /// Whether the bound is an upper one.
    pub fn is_above(self) -> bool {
        matches!(self, Self::Above(_))
    }

    /// Whether `value` is beyond `level` on this side.
    pub(super) fn is_beyond(self, value: f64, level: f64) -> bool {
        if self.is_above() { value > level } else { value < level }
    }
}

impl Threshold {
    /// The level as a number; `None` where it follows the reference and the reference does not have the metric, or its spread.
    pub fn level(self, on_reference: Option<f64>, sigma: Option<f64>) -> Option<f64> {
        match self {
            Self::Absolute(level) => Some(level),
            Self::Reference { factor, offset, sigmas } => {
                let spread = if sigmas == 0.0 { 0.0 } else { sigmas * sigma? };
                on_reference.map(|value| factor * value + offset + spread).filter(|level| level.is_finite())
            }
        }
    }

    /// Whether the level is counted in standard deviations of the reference's own windows.
    pub fn is_calibrated(self) -> bool {
        matches!(self, Self::Reference { sigmas, .. } if sigmas != 0.0)
    }
}

/// Whether a value is far enough within its bound for an alert to resolve: within `resolve_level` of the way from what is normal to the bound.
///
/// What is normal: for a bound that follows the reference the reference's own figure; else 0 for an upper bound and 1 for a lower bound on a rate. Other
/// lower bounds (throughput) have no such way and resolve at the bound. An upper bound below the noise floor fires at the floor, and so resolves by it.
pub(super) fn is_clear(condition: &Condition, measurement: &Measurement, value: f64, level: f64, resolve_level: f64) -> bool {
    let bound = condition.bound;
    let floor = super::significance::noise_floor(measurement, bound);
    if !level.is_finite() {
        return true;
    }
    let follows = matches!(bound.threshold(), Threshold::Reference { .. });
    let normal = measurement.on_reference.filter(|&normal| follows && bound.is_beyond(level, normal));
    let clear_at = match (bound, normal) {
        _ if resolve_level >= 1.0 => level,
        (_, Some(normal)) => normal + resolve_level * (level - normal),
        (Bound::Above(_), None) => level - level.abs() * (1.0 - resolve_level),
        (Bound::Below(_), None) if is_rate(measurement.metric) => (1.0 - (1.0 - level) * resolve_level).max(level),
        (Bound::Below(_), None) => level,
    };
    if bound.is_above() { value <= floor.map_or(clear_at, |floor| clear_at.max(floor * resolve_level)) } else { value >= clear_at }
}

/// Whether the metric lies between 0 and 1 and 1 is its ideal or its end.
fn is_rate(metric: Metric) -> bool {
    metric.range() == Range::Unit && metric.family() != Family::Distance
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cases of NannyML's own tests of `StandardDeviationThreshold` (0.13.1, Apache-2.0): offset(values) ± multiplier · `numpy.std(values)`. Here `reference`
    /// is the
    /// offset, and a multiplier that is not given is a bound that is not written.
    #[test]
    fn thresholds_in_standard_deviations_are_nannymls() {
        let cases = include_str!("../../../tests/data/peer_tests/nannyml.json");
        let cases: serde_json::Value = serde_json::from_str(cases).unwrap();
        let of = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
        };
        let offset = |name: &str, values: &[f64]| match name {
            "np.min" => values.iter().copied().fold(f64::INFINITY, f64::min),
            "np.max" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            "np.median" => f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]),
            "np.mean" => of(values).0,
            other => panic!("{other}"),
        };
        let level = |offset: f64, values: &[f64], sigmas: f64| {
            let threshold = Threshold::Reference { factor: 1.0, offset: 0.0, sigmas };
            threshold.level(Some(offset), Some(of(values).1)).unwrap()
        };
        let close = |got: f64, want: &serde_json::Value| assert!((got - want.as_f64().unwrap()).abs() < 1e-12, "{got} {want}");
        let (mut compared, three, range) = (0, [-1.0, 1.0, 1.0, 1.0], (0..30).map(f64::from).collect::<Vec<f64>>());
        for test in cases["std_threshold_cases_raw"].as_array().unwrap() {
            for case in test["cases"].as_array().unwrap() {
                match test["parameters"].as_array().unwrap().len() {
                    2 if test["parameters"][0] == "offset_from" => {
                        let values = [-1.0, -0.5, 0.0, 0.5, 1.0];
                        close(level(offset(case[0]["expr"].as_str().unwrap(), &values), &values, 0.0), &case[1]);
                    }
                    2 => close(level(-1.0, &three, -case[0].as_f64().unwrap()), &case[1]),
                    4 => {
                        let sides = [(case[0].as_f64().map(|m| -m), &case[2]), (case[1].as_f64(), &case[3])];
                        for (sigmas, want) in sides {
                            assert_eq!(sigmas.is_some(), want.is_number());
                            sigmas.into_iter().for_each(|sigmas| close(level(-1.0, &three, sigmas), want));
                        }
                    }
                    _ => {
                        let from = offset(case[2]["expr"].as_str().unwrap(), &range);
                        close(level(from, &range, -case[0].as_f64().unwrap()), &case[3]);
                        close(level(from, &range, case[1].as_f64().unwrap()), &case[4]);
                    }
                }
                compared += 1;
            }
        }
        assert_eq!(compared, 12);
    }

    #[test]
    fn levels() {
        assert_eq!(Threshold::Absolute(0.1).level(None, None), Some(0.1));
        let relative = Threshold::Reference { factor: 0.9, offset: 0.1, sigmas: 0.0 };
        assert_eq!(relative.level(Some(1.0), None), Some(1.0));
        assert_eq!(relative.level(None, None), None);
        let calibrated = Threshold::Reference { factor: 1.0, offset: 0.0, sigmas: -3.0 };
        assert_eq!(calibrated.level(Some(0.9), Some(0.01)), Some(0.9 - 3.0 * 0.01));
        assert_eq!(calibrated.level(Some(0.9), None), None);
        assert_eq!(calibrated.level(None, Some(0.01)), None);
        assert_eq!(calibrated.level(Some(f64::MAX), Some(f64::MAX)), None, "no infinity leaves it");
        assert!(calibrated.is_calibrated() && !relative.is_calibrated() && !Threshold::Absolute(3.0).is_calibrated());
    }
}
