//! Whether a reading beyond its bound is more than chance, and more than the reference's own windows show.
//!
//! Two grounds, and the stricter one counts. The test that belongs to the metric treats values as independent; its p-value is corrected over the features
//! of one evaluation, because of a hundred tests at 0.01 one is positive by chance alone. Values of real traffic depend on each other, which no such test
//! knows: the noise floor is what the reference's own windows show of the metric.

use super::{Aspect, Bound};
use crate::engine::catalogue::Family;
use crate::engine::metric::{Baseline, Measurement, Metric, Subject};
use crate::stats::benjamini_hochberg;
use std::collections::BTreeMap;

/// Whether a reading beyond its bound is more than chance explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Significance {
    /// No test was made, and no noise floor is known.
    Untested,
    /// The corrected p-value is greater than the rule's alpha.
    Chance,
    /// Windows of the reference itself show as much.
    WithinNoise,
    /// Neither: something has changed.
    Significant,
}

impl Significance {
    /// Every answer, for tables and suites.
    pub const ALL: [Self; 4] = [Self::Untested, Self::Chance, Self::WithinNoise, Self::Significant];

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untested => "untested",
            Self::Chance => "chance",
            Self::WithinNoise => "within_noise",
            Self::Significant => "significant",
        }
    }

    /// Of a reading of `value`, for a rule with this `alpha` and `bound`.
    ///
    /// A p-value that was not corrected counts as it is. For a lower bound on a distance ("too alike") neither ground says anything: both ask whether a
    /// reading is large.
    pub fn of(measurement: &Measurement, value: f64, bound: Bound, alpha: f64) -> Self {
        let is_distance = matches!(measurement.metric.family(), Family::Distance | Family::Inputs);
        if is_distance && !bound.is_above() {
            return Self::Untested;
        }
        let (floor, q_value) = (noise_floor(measurement, bound), measurement.q_value.or(measurement.p_value));
        match (floor, q_value) {
            (Some(floor), _) if value <= floor => Self::WithinNoise,
            (_, Some(q)) if q > alpha => Self::Chance,
            (None, None) => Self::Untested,
            _ => Self::Significant,
        }
    }
}

/// The noise floor where it has a say: for upper bounds on distances.
pub(super) fn noise_floor(measurement: &Measurement, bound: Bound) -> Option<f64> {
    let is_distance = matches!(measurement.metric.family(), Family::Distance | Family::Inputs);
    measurement.noise_floor.filter(|floor| bound.is_above() && is_distance && floor.is_finite())
}

/// Fills every `q_value`: over the features of one evaluation for each metric and baseline (and clock), and as it is for every other subject.
pub(super) fn correct(measurements: &mut [Measurement]) {
    let mut families: BTreeMap<(Metric, Baseline, Aspect), Vec<(usize, f64)>> = BTreeMap::new();
    for (place, measurement) in measurements.iter_mut().enumerate() {
        measurement.q_value = measurement.p_value;
        if let (Subject::Feature(_), Some(p)) = (&measurement.subject, measurement.p_value) {
            let aspect = Aspect::of(&measurement.subject, measurement.metric);
            families.entry((measurement.metric, measurement.baseline, aspect)).or_default().push((place, p));
        }
    }
    for family in families.into_values() {
        let p_values: Vec<f64> = family.iter().map(|&(_, p)| p).collect();
        for ((place, _), q) in family.into_iter().zip(benjamini_hochberg(&p_values)) {
            measurements[place].q_value = Some(q);
        }
    }
}
