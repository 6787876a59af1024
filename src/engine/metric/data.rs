//! The data itself: ids that come twice, features that come or go, clocks, silence. Of the whole stream only.

use super::{Context, Measurement, Metric, Part, Reading, Subject, UndefinedReason};
use crate::engine::window::InputPane;
use std::sync::Arc;

/// Events of a column without which it is not called vanished.
const LEAST_EVENTS: u64 = 100;
/// A feature that is missing in more than this share of the reference cannot vanish.
const MOSTLY_THERE: f64 = 0.5;
/// Most features that are named.
const MOST_PARTS: usize = 50;

/// What the figures of the data need besides the window's own sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DataFacts {
    /// From the last request of any version of the model to the end of the window, in milliseconds; `None`: there was none.
    pub silence_ms: Option<i64>,
    /// From the last label of any version of the model to the end of the window, in milliseconds; `None`: there was none.
    pub label_silence_ms: Option<i64>,
}

/// Everything that a window says of the data itself, in the order of [`Metric::ALL`]; nothing for a segment.
pub fn measure_data(ctx: &Context<'_>, pane: &InputPane, facts: &DataFacts) -> Vec<Measurement> {
    if ctx.stream.segment.is_some() {
        return Vec::new();
    }
    let all = pane.requests + pane.duplicates;
    let duplicate_rate = (all > 0).then(|| pane.duplicates as f64 / all as f64);
    let seconds = |ms: Option<i64>| ms.map(|ms| ms.max(0) as f64 / 1000.0);
    let (vanished, new) = (vanished_features(ctx, pane), new_features(ctx, pane));
    let measurements = [
        (Metric::DuplicateRate, or(duplicate_rate, UndefinedReason::NoData), all, Vec::new()),
        (Metric::VanishedFeatures, vanished.0, pane.requests, vanished.1),
        (Metric::NewFeatures, new.0, pane.requests, new.1),
        (Metric::ClockSkew, or(clock_skew(pane), UndefinedReason::NoData), pane.requests, Vec::new()),
        (Metric::Silence, or(seconds(facts.silence_ms), UndefinedReason::NoData), pane.requests, Vec::new()),
        (Metric::LabelSilence, or(seconds(facts.label_silence_ms), UndefinedReason::NoLabels), pane.requests, Vec::new()),
    ];
    let wanted = measurements.into_iter().filter(|(metric, ..)| ctx.wanted.contains(*metric));
    let about_inputs = |metric| matches!(metric, Metric::VanishedFeatures | Metric::NewFeatures);
    wanted
        .map(|(metric, reading, n_current, parts)| Measurement {
            n_current,
            parts,
            n_reference: ctx.reference.filter(|_| about_inputs(metric)).map_or(0, |r| r.rows),
            reference: ctx.reference.filter(|_| about_inputs(metric)).map(|r| Arc::clone(&r.id)),
            ..Measurement::new(ctx.stream.model.clone(), ctx.window, Subject::Data, metric, reading)
        })
        .collect()
}

fn or(value: Option<f64>, reason: UndefinedReason) -> Reading {
    value.map_or(Reading::Undefined(reason), Reading::Value)
}

/// Features that most of the reference has and no event of the window: how many, and which.
fn vanished_features(ctx: &Context<'_>, pane: &InputPane) -> (Reading, Vec<Part>) {
    let Some(reference) = ctx.reference else { return (Reading::Undefined(ctx.no_reference()), Vec::new()) };
    if pane.requests == 0 {
        return (Reading::Undefined(UndefinedReason::NoData), Vec::new());
    }
    let mut parts: Vec<Part> = Vec::new();
    for (feature, counts) in reference.inputs.iter().zip(&pane.inputs) {
        // the columns of one text stand together, and are one feature of the event
        let name = reference.encodings.source_of(&feature.name).unwrap_or(&feature.name);
        if parts.last().is_some_and(|last| *last.name == *name) {
            continue;
        }
        let (known, total) = (&feature.column.counts, counts.total());
        let there = 1.0 - known.missing as f64 / known.total().max(1) as f64;
        if known.total() > 0 && there >= 1.0 - MOSTLY_THERE && total >= LEAST_EVENTS && counts.missing == total {
            parts.push(Part { name: name.into(), reference: there, current: 0.0, contribution: 1.0 });
        }
    }
    counted(parts)
}

/// Features of the window that the reference does not have: how many, and which.
fn new_features(ctx: &Context<'_>, pane: &InputPane) -> (Reading, Vec<Part>) {
    if ctx.reference.is_none() {
        return (Reading::Undefined(ctx.no_reference()), Vec::new());
    }
    if pane.requests == 0 {
        return (Reading::Undefined(UndefinedReason::NoData), Vec::new());
    }
    let share = |n: u64| (n as f64 / pane.requests as f64).min(1.0);
    let part = |(name, n): (&Arc<str>, u64)| Part { name: Arc::clone(name), reference: 0.0, current: share(n), contribution: 1.0 };
    counted(pane.new_features.iter().map(part).collect())
}

/// The number of parts, and those that changed most.
fn counted(mut parts: Vec<Part>) -> (Reading, Vec<Part>) {
    let reading = Reading::Value(parts.len() as f64);
    let change = |part: &Part| (part.current - part.reference).abs();
    parts.sort_by(|a, b| change(b).total_cmp(&change(a)).then_with(|| a.name.cmp(&b.name)));
    parts.truncate(MOST_PARTS);
    (reading, parts)
}

/// The 95th percentile, by nearest rank over all requests, of how far timestamps lie after their arrival; those that do not count as 0.
fn clock_skew(pane: &InputPane) -> Option<f64> {
    let rank = (pane.requests.saturating_mul(95)).div_ceil(100);
    let in_time = pane.requests.saturating_sub(pane.skew_seconds.total());
    match rank {
        0 => None,
        rank if rank <= in_time => Some(0.0),
        rank => pane.skew_seconds.at_rank(rank - in_time),
    }
}
