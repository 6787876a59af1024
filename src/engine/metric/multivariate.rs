//! All inputs together: the share of features that drifted.
//!
//! The share is a statement about verdicts, so it has no number until the features are judged: [`measure`] says only that it is asked for, and the
//! evaluator fills it in with [`share_of_drifted`] before it is judged itself.

use super::{Baseline, Context, Measurement, Metric, Part, Reading, Subject, UndefinedReason, Verdict};
use crate::engine::catalogue::Family;
use crate::engine::reference::Reference;
use std::collections::BTreeMap;

/// Most parts that a measurement names.
const MOST_PARTS: usize = 10;

/// What is asked for about all inputs together, in the order of [`Metric::ALL`].
pub(super) fn measure(ctx: &Context<'_>) -> Vec<Measurement> {
    let mut measurements = Vec::new();
    if ctx.wanted.contains(Metric::DriftedShare) {
        let reason = if ctx.reference.is_some() { UndefinedReason::NoData } else { ctx.no_reference() };
        measurements.push(undefined(ctx, Metric::DriftedShare, reason));
    }
    measurements
}

fn undefined(ctx: &Context<'_>, metric: Metric, reason: UndefinedReason) -> Measurement {
    Measurement {
        segment: ctx.stream.segment.clone(),
        reference: ctx.reference.map(|r| r.id.clone()),
        ..Measurement::new(ctx.stream.model.clone(), ctx.window, Subject::Features, metric, Reading::Undefined(reason))
    }
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
    let part = |&(name, judged): &(&str, Judged)| Part { name: name.into(), reference: 0.0, current: judged.worst.0, contribution: 1.0 / n };
    let (parts, n_current) = (drifted.iter().take(MOST_PARTS).map(part).collect(), features.len() as u64);
    let measurement = &mut measurements[place];
    (measurement.reading, measurement.n_current, measurement.parts) = (Reading::Value(share), n_current, parts);
    Some(place)
}
