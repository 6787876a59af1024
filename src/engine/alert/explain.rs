//! Why an alert fires, as far as its window says: what became of the worst columns, whether the prediction moved with them, which segments add the most.
//!
//! Invariant: it reads what was measured and guesses nothing: what was not measured is left out. It changes no verdict and no alert.

use super::{Judged, Worst};
use crate::engine::catalogue::Family;
use crate::engine::metric::{Baseline, Measurement, Metric, Part, Subject, Verdict};
use crate::engine::reference::{Direction, Movement};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// Most columns that are explained.
const MAX_CAUSES: usize = 3;
/// Most segments that are named.
pub const MAX_SEGMENTS: usize = 5;
/// A rate that is by more than this above its reference (as a difference of shares) is what happened to a column.
const SURGE: f64 = 0.05;

/// Why an alert fires.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// What became of the worst columns, worst first, at most 3.
    pub causes: Vec<Cause>,
    /// Whether the prediction moved with the features, where it was judged in the same window.
    pub prediction: Option<Moved>,
    /// Where the worst reading comes from, largest contribution first, at most 5. Empty for a model without segments.
    pub segments: Vec<SegmentShare>,
}

/// What became of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// The column.
    pub subject: Subject,
    /// What.
    pub kind: CauseKind,
    /// The bin or category that grew most; where none that was measured did, the one that shrank most.
    pub part: Option<Part>,
}

/// What may become of a column. Rates are shares of 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum CauseKind {
    /// More values are missing.
    NullSurge {
        /// Missing rate of the reference, where it is known.
        reference: Option<f64>,
        /// Missing rate of the window.
        current: f64,
    },
    /// More values cannot be used (wrong type, not finite).
    InvalidSurge {
        /// Invalid rate of the reference, where it is known.
        reference: Option<f64>,
        /// Invalid rate of the window.
        current: f64,
    },
    /// Values that the reference does not have: new categories, numbers outside of its range.
    NewValues {
        /// Their share of the window's valid values.
        rate: f64,
    },
    /// All values are one and the same.
    Stuck,
    /// The values that it has are distributed otherwise.
    Moved(Movement),
}

impl CauseKind {
    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NullSurge { .. } => "null_surge",
            Self::InvalidSurge { .. } => "invalid_surge",
            Self::NewValues { .. } => "new_values",
            Self::Stuck => "stuck",
            Self::Moved(movement) => match movement.direction {
                Direction::Up => "moved_up",
                Direction::Down => "moved_down",
                Direction::BothWays => "moved_both_ways",
                Direction::Shares => "shares_moved",
            },
        }
    }

    /// What it is about, on the reference and in the window: the rate, or of values that moved their mean.
    pub fn figures(self) -> (Option<f64>, Option<f64>) {
        match self {
            Self::NullSurge { reference, current } | Self::InvalidSurge { reference, current } => (reference, Some(current)),
            Self::NewValues { rate } => (None, Some(rate)),
            Self::Stuck => (None, None),
            Self::Moved(movement) => movement.means.unzip(),
        }
    }
}

/// Whether the prediction is beyond its own bound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// By which metric, the one nearest to its bound or farthest beyond it.
    pub metric: Metric,
    /// The reading.
    pub value: f64,
    /// The bound.
    pub threshold: f64,
    /// Whether it is beyond it, and judged to be so.
    pub moved: bool,
}

/// One segment's part in a reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentShare {
    /// `feature=value`.
    pub segment: Arc<str>,
    /// The same metric of the same subject in the segment.
    pub value: f64,
    /// Its share of the window's requests, for what was true of its labels (0 to 1).
    pub rows: f64,
    /// How bad the reading is, times `rows`: of an upper bound the reading itself; of a lower one what it lacks to 1, or for metrics without a greatest
    /// value to the bound.
    pub contribution: f64,
}

/// What the owner of the window's sums knows beyond its measurements.
pub trait Insight {
    /// Which way the values of a column went from its reference.
    fn movement(&self, subject: &Subject) -> Option<Movement>;
    /// What the segments add to a reading of the whole, largest first, at most [`MAX_SEGMENTS`].
    fn segments(&self, worst: &Worst) -> Vec<SegmentShare>;
    /// The parts of a distance that was measured without naming them.
    fn parts(&self, measurement: &Measurement) -> Vec<Part>;
}

impl Judged<'_> {
    /// The parts of a reading: those that it came with, else those that can still be named.
    pub(super) fn parts<'a>(&self, measurement: &'a Measurement) -> Cow<'a, [Part]> {
        if measurement.parts.is_empty() { self.insight.parts(measurement).into() } else { measurement.parts.as_slice().into() }
    }
}

/// Nothing but the measurements is known.
impl Insight for () {
    fn movement(&self, _: &Subject) -> Option<Movement> {
        None
    }

    fn segments(&self, _: &Worst) -> Vec<SegmentShare> {
        Vec::new()
    }

    fn parts(&self, _: &Measurement) -> Vec<Part> {
        Vec::new()
    }
}

impl Explanation {
    /// Why `worst` (worst first) is beyond its bounds in a judged window; `None` where nothing is known of it.
    pub(super) fn of(worst: &[Worst], judged: &Judged<'_>) -> Option<Self> {
        let mut columns: Vec<&Worst> = Vec::new();
        for entry in worst {
            let is_column = matches!(entry.subject, Subject::Feature(_) | Subject::Prediction | Subject::Score | Subject::Label);
            if is_column && columns.iter().all(|column| column.subject != entry.subject) {
                columns.push(entry);
            }
        }
        let causes = columns.iter().take(MAX_CAUSES).filter_map(|entry| cause(entry, judged)).collect();
        let about_features = columns.iter().any(|entry| matches!(entry.subject, Subject::Feature(_)));
        let known = columns.iter().any(|entry| entry.subject == Subject::Prediction);
        let explanation = Self {
            causes,
            prediction: if about_features && !known { prediction(judged.measurements) } else { None },
            segments: worst.first().map(|worst| judged.insight.segments(worst)).unwrap_or_default(),
        };
        (explanation != Self::default()).then_some(explanation)
    }
}

impl Explanation {
    /// What both clocks of an alert say, the graver one first: segments are those of the worst reading, so only of that one.
    pub(super) fn joined<'a>(gravest_first: impl Iterator<Item = Option<&'a Self>>) -> Option<Self> {
        let mut all = Self::default();
        for (place, explanation) in gravest_first.enumerate() {
            let Some(explanation) = explanation else { continue };
            all.causes.extend(explanation.causes.iter().cloned());
            all.prediction = all.prediction.or(explanation.prediction);
            if place == 0 {
                all.segments.clone_from(&explanation.segments);
            }
        }
        all.causes.truncate(MAX_CAUSES);
        (all != Self::default()).then_some(all)
    }
}

fn cause(worst: &Worst, judged: &Judged<'_>) -> Option<Cause> {
    let of_subject: Vec<&Measurement> = judged.measurements.iter().filter(|m| m.subject == worst.subject).collect();
    let kind = rate_cause(worst, &of_subject).or_else(|| {
        let is_distance = worst.metric.family() == Family::Distance && worst.against == Baseline::Reference;
        is_distance.then(|| judged.insight.movement(&worst.subject)).flatten().map(CauseKind::Moved)
    })?;
    let part = if matches!(kind, CauseKind::NewValues { .. } | CauseKind::Stuck | CauseKind::Moved(_)) {
        moved_part(worst, &of_subject, judged)
    } else {
        None
    };
    Some(Cause { subject: worst.subject.clone(), kind, part })
}

/// What the rates of a column say: the one that is beyond its bound first, then any that surged.
fn rate_cause(worst: &Worst, of_subject: &[&Measurement]) -> Option<CauseKind> {
    let kind = |metric: Metric| {
        let m = of_subject.iter().find(|m| m.metric == metric)?;
        let (current, reference) = (m.reading.value()?, m.on_reference);
        let breached = worst.metric == metric && worst.above;
        let rose = breached || reference.is_some_and(|reference| current - reference > SURGE);
        match metric {
            Metric::MissingRate => rose.then_some(CauseKind::NullSurge { reference, current }),
            Metric::InvalidRate => rose.then_some(CauseKind::InvalidSurge { reference, current }),
            Metric::Constant => (current > 0.0).then_some(CauseKind::Stuck),
            Metric::NewCategoryRate | Metric::OutOfRangeRate => {
                (breached || current > SURGE).then_some(CauseKind::NewValues { rate: current })
            }
            _ => None,
        }
    };
    let in_order = [Metric::MissingRate, Metric::InvalidRate, Metric::Constant, Metric::NewCategoryRate, Metric::OutOfRangeRate];
    kind(worst.metric).or_else(|| in_order.into_iter().find_map(kind))
}

/// The part that grew most: of the breaching metric, else of another distance of the column; where none grew, the one of the breaching metric that shrank
/// most.
fn moved_part(worst: &Worst, of_subject: &[&Measurement], judged: &Judged<'_>) -> Option<Part> {
    let growth = |part: &&Part| part.current - part.reference;
    let grown = |parts: &[Part]| {
        let most = parts.iter().max_by(|a, b| growth(a).total_cmp(&growth(b)))?;
        (growth(&most) > 0.0).then(|| most.clone())
    };
    let others = || of_subject.iter().filter(|m| m.baseline == worst.against).find_map(|m| grown(&judged.parts(m)));
    let shrunk = || worst.parts.iter().min_by(|a, b| growth(a).total_cmp(&growth(b))).cloned();
    grown(&worst.parts).or_else(others).or_else(shrunk)
}

/// The judged distance of the prediction that lies farthest towards, or beyond, its bound.
fn prediction(measurements: &[Measurement]) -> Option<Moved> {
    let moved = |m: &Measurement| {
        let judged = matches!(m.verdict?, Verdict::Ok | Verdict::NotSignificant | Verdict::Breach);
        let fits = m.subject == Subject::Prediction && m.metric.family() == Family::Distance && m.baseline == Baseline::Reference;
        let (value, threshold) = (m.reading.value()?, m.threshold.filter(|t| t.is_finite() && *t > 0.0)?);
        (fits && judged).then_some(Moved { metric: m.metric, value, threshold, moved: m.verdict == Some(Verdict::Breach) })
    };
    let rank = |moved: &Moved| (moved.moved, moved.value / moved.threshold);
    measurements.iter().filter_map(moved).max_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    })
}

#[cfg(test)]
mod tests;
