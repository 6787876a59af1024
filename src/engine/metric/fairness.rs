//! The segments of one feature against each other: how far the model's answers, and their quality, differ between them.
//!
//! Only segments with enough labels take part, and the reading names the two that lie furthest apart. The furthest of many are apart by chance too,
//! so the interval is widened for the number of pairs that could have been picked.

use super::{Context, Measurement, Metric, Part, Reading, Subject, UndefinedReason};
use crate::engine::settings::Task;
use crate::engine::window::{OutcomePane, Quality};
use crate::stats::{self, ClassCounts, Share};
use ndarray::Array2;
use std::sync::Arc;

/// Labels without which a segment does not take part.
const MIN_LABELS: u64 = 100;
/// Positive labels (recall) or positive predictions (precision) without which it does not.
const MIN_POSITIVES: u64 = 30;

const METRICS: [Metric; 8] = [
    Metric::SelectionRateDifference,
    Metric::SelectionRateRatio,
    Metric::RecallDifference,
    Metric::RecallRatio,
    Metric::PrecisionDifference,
    Metric::PrecisionRatio,
    Metric::ErrorDifference,
    Metric::ErrorRatio,
];

/// Whether any figure of this kind is wanted.
pub fn wants_fairness(ctx: &Context<'_>) -> bool {
    METRICS.iter().any(|&metric| ctx.wanted.contains(metric))
}

/// What the segments of `feature` say of each other in one window, in the order of [`Metric::ALL`]. `segments`: `feature=value` and what became of its
/// predictions, by name; `None`: the model's windows are not kept apart by this feature.
pub fn measure_fairness(ctx: &Context<'_>, feature: &Arc<str>, segments: Option<&[(Arc<str>, OutcomePane)]>) -> Vec<Measurement> {
    let known: Vec<Segment<'_>> = segments.unwrap_or_default().iter().filter_map(|(name, pane)| Segment::of(ctx, name, pane)).collect();
    let wanted = METRICS.iter().filter(|&&metric| ctx.wanted.contains(metric));
    let measured = wanted.map(|&metric| {
        let figure = Figure::of(metric);
        let found = if segments.is_none() || ctx.task == Task::Regression || (ctx.task == Task::Multiclass && figure == Figure::Selection) {
            Err(UndefinedReason::NotConfigured)
        } else {
            Extremes::of(&rated(ctx, figure, &known)).and_then(|extremes| extremes.compare(is_ratio(metric)))
        };
        measurement(ctx, feature, metric, found)
    });
    measured.collect()
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Selection,
    Recall,
    Precision,
    Error,
}

impl Figure {
    fn of(metric: Metric) -> Self {
        match metric {
            Metric::SelectionRateDifference | Metric::SelectionRateRatio => Self::Selection,
            Metric::RecallDifference | Metric::RecallRatio => Self::Recall,
            Metric::PrecisionDifference | Metric::PrecisionRatio => Self::Precision,
            _ => Self::Error,
        }
    }
}

fn is_ratio(metric: Metric) -> bool {
    matches!(metric, Metric::SelectionRateRatio | Metric::RecallRatio | Metric::PrecisionRatio | Metric::ErrorRatio)
}

/// A segment with labels enough.
struct Segment<'a> {
    name: &'a Arc<str>,
    matrix: Array2<u64>,
    labels: u64,
}

impl<'a> Segment<'a> {
    fn of(ctx: &Context<'_>, name: &'a Arc<str>, pane: &OutcomePane) -> Option<Self> {
        let Quality::Classes(confusion) = &pane.quality else { return None };
        let matrix = confusion.matrix(ctx.classes.len());
        let labels = matrix.sum();
        (labels >= MIN_LABELS).then_some(Self { name, matrix, labels })
    }

    /// A figure of one class as a share.
    fn share(&self, figure: Figure, class: Option<usize>) -> Share {
        let counts = class.map(|class| ClassCounts::of(self.matrix.view(), class)).unwrap_or_default();
        let hits = counts.true_positive;
        match figure {
            Figure::Selection => Share { x: hits + counts.false_positive, n: self.labels },
            Figure::Recall => Share { x: hits, n: hits + counts.false_negative },
            Figure::Precision => Share { x: hits, n: hits + counts.false_positive },
            Figure::Error => Share { x: self.labels - self.matrix.diag().sum(), n: self.labels },
        }
    }
}

/// A segment and its figure: the mean of these shares.
struct Rated<'a> {
    name: &'a Arc<str>,
    labels: u64,
    shares: Vec<Share>,
}

/// The figure of every segment that has enough of what it is a share of. Recall and precision of several classes are means over those classes of which
/// every segment has enough, so that all are compared on the same.
fn rated<'a>(ctx: &Context<'_>, figure: Figure, segments: &[Segment<'a>]) -> Vec<Rated<'a>> {
    let enough = |share: Share| share.n >= if matches!(figure, Figure::Recall | Figure::Precision) { MIN_POSITIVES } else { MIN_LABELS };
    let one_share = ctx.task == Task::Binary || figure == Figure::Error;
    let classes: Vec<Option<usize>> = if one_share {
        vec![ctx.positive]
    } else {
        let everywhere = |class: &usize| segments.iter().all(|segment| enough(segment.share(figure, Some(*class))));
        (0..ctx.classes.len()).filter(everywhere).map(Some).collect()
    };
    let rate = |segment: &Segment<'a>| {
        let shares: Vec<Share> = classes.iter().map(|&class| segment.share(figure, class)).filter(|&share| enough(share)).collect();
        (!shares.is_empty()).then_some(Rated { name: segment.name, labels: segment.labels, shares })
    };
    segments.iter().filter_map(rate).collect()
}

/// The two segments that lie furthest apart, and all of them together.
struct Extremes<'r, 'a> {
    least: &'r Rated<'a>,
    greatest: &'r Rated<'a>,
    /// Mean figure, by labels.
    whole: f64,
    labels: u64,
    pairs: u64,
}

/// A reading with all that belongs to it.
struct Compared {
    value: f64,
    interval: Option<(f64, f64)>,
    parts: Vec<Part>,
    labels: u64,
}

impl<'r, 'a> Extremes<'r, 'a> {
    fn of(rated: &'r [Rated<'a>]) -> Result<Self, UndefinedReason> {
        let mut by_value: Vec<&Rated<'a>> = rated.iter().collect();
        by_value.sort_by(|a, b| stats::mean(&a.shares).total_cmp(&stats::mean(&b.shares)).then_with(|| a.name.cmp(b.name)));
        let [least, .., greatest] = by_value.as_slice() else { return Err(UndefinedReason::NoData) };
        let labels = rated.iter().map(|segment| segment.labels).sum::<u64>();
        let whole = rated.iter().map(|segment| stats::mean(&segment.shares) * segment.labels as f64).sum::<f64>() / labels as f64;
        let n = rated.len() as u64;
        Ok(Self { least, greatest, whole, labels, pairs: n * (n - 1) / 2 })
    }

    /// Greatest less least, or least over greatest. Of figures that are 0 everywhere there is no ratio.
    fn compare(&self, is_ratio: bool) -> Result<Compared, UndefinedReason> {
        let (low, high) = (stats::mean(&self.least.shares), stats::mean(&self.greatest.shares));
        let z = stats::z_of_pairs(self.pairs);
        let (value, interval, shares) = if is_ratio {
            if high <= 0.0 {
                return Err(UndefinedReason::NoData);
            }
            let interval = stats::mean_ratio_interval(&self.least.shares, &self.greatest.shares, z);
            (low / high, interval, [self.whole / high, low / self.whole])
        } else {
            let interval = stats::mean_difference_interval(&self.greatest.shares, &self.least.shares, z);
            (high - low, Some(interval), [high - self.whole, self.whole - low])
        };
        // beyond 0 and 1 the two segments change places, and half a case added to each may leave the reading just outside
        let interval = interval.map(|(from, to)| (from.max(0.0).min(value), to.min(1.0).max(value)));
        let part = |segment: &Rated<'_>, current, contribution| {
            let name = format!("{} ({} labels)", segment.name, segment.labels).into();
            Part { name, reference: self.whole, current, contribution }
        };
        let parts = vec![part(self.greatest, high, shares[0]), part(self.least, low, shares[1])];
        Ok(Compared { value, interval, parts, labels: self.labels })
    }
}

fn measurement(ctx: &Context<'_>, feature: &Arc<str>, metric: Metric, found: Result<Compared, UndefinedReason>) -> Measurement {
    let subject = Subject::Fairness(feature.clone());
    let of = |reading| Measurement {
        segment: ctx.stream.segment.clone(),
        ..Measurement::new(ctx.stream.model.clone(), ctx.window, subject, metric, reading)
    };
    match found {
        Err(reason) => of(Reading::Undefined(reason)),
        Ok(Compared { value, interval, parts, labels }) => Measurement { interval, parts, n_current: labels, ..of(Reading::Value(value)) },
    }
}
