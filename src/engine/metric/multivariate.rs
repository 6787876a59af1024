//! All inputs together: the share of features that drifted, and two distances from mean and covariance of all inputs.
//!
//! The share is a statement about verdicts, so it has no number until the features are judged: [`measure`] says only that it is asked for, and the
//! evaluator fills it in with [`share_of_drifted`] before it is judged itself.

use super::{Baseline, Context, Finding, Measurement, Metric, Part, Reading, Subject, UndefinedReason, Verdict};
use crate::engine::catalogue::Family;
use crate::engine::reference::Reference;
use crate::engine::reference::moments::{MomentReference, covariance};
use crate::engine::summary::{MeanAndProducts, MomentSums};
use crate::engine::window::InputPane;
use crate::stats;
use ndarray::{Array2, Axis, Slice};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most parts that a measurement names.
const MOST_PARTS: usize = 10;

/// What is asked for about all inputs together, in the order of [`Metric::ALL`].
/// The distances are there for the whole stream only, whose sums a pane keeps.
pub(super) fn measure(ctx: &Context<'_>, pane: &InputPane) -> Vec<Measurement> {
    let mut findings = Vec::new();
    if ctx.wanted.contains(Metric::DriftedShare) {
        let reason = if ctx.reference.is_some() { UndefinedReason::NoData } else { ctx.no_reference() };
        findings.push(Finding::new(Metric::DriftedShare, Reading::Undefined(reason), 0));
    }
    for metric in [Metric::PcaError, Metric::Frechet] {
        if ctx.wanted.contains(metric) && ctx.stream.segment.is_none() {
            findings.push(distance(ctx, pane, metric));
        }
    }
    ctx.measurements(&Subject::Features, findings, ctx.reference)
}

/// A distance from mean and covariance, with what was made of each input.
fn distance(ctx: &Context<'_>, pane: &InputPane, metric: Metric) -> Finding {
    let undefined = |reason, n_current| Finding::new(metric, Reading::Undefined(reason), n_current);
    let Some(reference) = ctx.reference else { return undefined(ctx.no_reference(), 0) };
    let Some(known) = &reference.encodings.moments else { return undefined(UndefinedReason::NotInReference, 0) };
    let sums = pane.moments.as_ref().filter(|sums| sums.dimensions() == known.dimensions.len());
    let moments = sums.and_then(MomentSums::moments);
    let n_current = sums.map_or(0, MomentSums::n);
    let base = |reason| Finding { n_reference: known.n, ..undefined(reason, n_current) };
    let Some(moments) = moments else {
        return base(if n_current == 0 { UndefinedReason::NoData } else { UndefinedReason::OutOfRange });
    };
    let names = known.dimensions.iter().map(|d| Arc::clone(&reference.inputs[d.input].name));
    let found = if metric == Metric::PcaError { pca(known, &moments) } else { frechet(known, &moments) };
    let Some(found) = found else {
        // a covariance takes two events
        return base(if n_current < 2 { UndefinedReason::NoData } else { UndefinedReason::OutOfRange });
    };
    let part = |(name, [reference, current, contribution]): (Arc<str>, [f64; 3])| Part { name, reference, current, contribution };
    let mut parts: Vec<Part> = names.zip(found.parts).map(part).filter(|part| part.contribution != 0.0).collect();
    parts.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()).then_with(|| a.name.cmp(&b.name)));
    parts.truncate(MOST_PARTS);
    Finding { reading: Reading::Value(found.value), on_reference: found.on_reference, parts, ..base(UndefinedReason::NoData) }
}

/// What a distance found; of each dimension the reference's figure, the window's, and what it adds.
struct Found {
    value: f64,
    on_reference: Option<f64>,
    parts: Vec<[f64; 3]>,
}

/// The root of the mean squared distance of an event from its image in the space of the reference's principal components. The parts of the difference to
/// the reference's own figure add up to it.
fn pca(known: &MomentReference, window: &MeanAndProducts) -> Option<Found> {
    let (d, eigen) = (known.mean.len(), known.eigen()?);
    // about the reference's mean: a shift of the mean is a distance too
    let second = Array2::from_shape_fn((d, d), |(i, j)| {
        let (a, b) = (known.mean[i], known.mean[j]);
        window.second[i * d + j] - window.mean[i] * b - a * window.mean[j] + a * b
    });
    let current = stats::residuals(&second, eigen.vectors.slice_axis(Axis(0), Slice::from(..known.kept)))?;
    let population = (known.n - 1) as f64 / known.n as f64;
    let left = |j: usize| (known.kept..d).map(|i| eigen.values[i].max(0.0) * eigen.vectors[[i, j]].powi(2)).sum::<f64>() * population;
    let reference: Vec<f64> = (0..d).map(left).collect();
    let (value, before) = (current.iter().sum::<f64>().sqrt(), reference.iter().sum::<f64>().sqrt());
    let sum = value + before;
    let part = |(&r, &c): (&f64, &f64)| [r.sqrt(), c.sqrt(), if sum > 0.0 { (c - r) / sum } else { 0.0 }];
    Some(Found { value, on_reference: Some(before), parts: reference.iter().zip(&current).map(part).collect() })
}

/// The squared Fréchet distance. A part is the distance of one input alone, (Δmean)² + (Δstd)²; its figures are the means.
fn frechet(known: &MomentReference, window: &MeanAndProducts) -> Option<Found> {
    let eigen = known.eigen()?;
    let covariance = covariance(&window.mean, &window.second, window.n)?;
    let value = stats::frechet_squared(&known.mean, &eigen, &window.mean, &covariance)?;
    let std = |j: usize| eigen.values.iter().zip(eigen.vectors.column(j)).map(|(l, v)| l.max(0.0) * v * v).sum::<f64>().sqrt();
    let part = |j: usize| {
        let (a, b) = (known.mean[j], window.mean[j]);
        [a, b, (a - b).powi(2) + (std(j) - covariance[[j, j]].max(0.0).sqrt()).powi(2)]
    };
    Some(Found { value, on_reference: None, parts: (0..known.mean.len()).map(part).collect() })
}

/// What the verdicts say of one feature.
#[derive(Debug, Clone, Copy, Default)]
struct Judged {
    /// Whether a distance was judged to breach.
    drifted: bool,
    /// The reading that lies furthest beyond its bound, and how many times the bound it is.
    worst: (f64, f64),
}

/// Fills in `drifted_share` from the verdicts of the other measurements of the same stream and window, where it is asked for.
///
/// A feature counts as judged where at least one distance from the reference (`psi`, `ks`, `mmd`, …; not a rate) is `ok`, `breach` or `not_significant`
/// by the first rule that looks at it, and as drifted where one is `breach`. What was made of one text is one feature. `None`: nobody asked. The place of
/// the filled measurement is returned, because it is judged only then.
pub fn share_of_drifted(reference: Option<&Reference>, measurements: &mut [Measurement]) -> Option<usize> {
    let place = measurements.iter().position(|m| m.metric == Metric::DriftedShare && m.subject == Subject::Features)?;
    let mut features: BTreeMap<&str, Judged> = BTreeMap::new();
    for m in measurements.iter().filter(|m| m.metric.family() == Family::Distance && m.baseline == Baseline::Reference) {
        let (Subject::Feature(name), Some(verdict)) = (&m.subject, m.verdict) else { continue };
        if !matches!(verdict, Verdict::Ok | Verdict::Breach | Verdict::NotSignificant) {
            continue;
        }
        let source = reference.and_then(|r| r.encodings.source_of(name)).unwrap_or(name);
        let feature = features.entry(source).or_default();
        if verdict == Verdict::Breach {
            feature.drifted = true;
            let value = m.reading.value().unwrap_or(0.0);
            let times = m.threshold.filter(|&bound| bound > 0.0).map_or(0.0, |bound| (value / bound).min(f64::MAX));
            if times >= feature.worst.1 {
                feature.worst = (value, times);
            }
        }
    }
    if features.is_empty() {
        return Some(place);
    }
    let n = features.len() as f64;
    let mut drifted: Vec<(&str, Judged)> = features.iter().filter(|(_, f)| f.drifted).map(|(&name, &f)| (name, f)).collect();
    drifted.sort_by(|a, b| b.1.worst.1.total_cmp(&a.1.worst.1).then_with(|| a.0.cmp(b.0)));
    let share = drifted.len() as f64 / n;
    let part =
        |&(name, judged): &(&str, Judged)| Part { name: name.into(), reference: 0.0, current: judged.worst.0, contribution: 1.0 / n };
    let (parts, n_current) = (drifted.iter().take(MOST_PARTS).map(part).collect(), features.len() as u64);
    let measurement = &mut measurements[place];
    (measurement.reading, measurement.n_current, measurement.parts) = (Reading::Value(share), n_current, parts);
    Some(place)
}
