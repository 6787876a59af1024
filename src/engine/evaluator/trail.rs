//! Past windows of a stream, for conditions that compare with the window before or with the same hour of last week.
//!
//! Invariant: bounded (bins, not cells; one window a window length; as far back as a condition looks, and never more than [`MOST_WINDOWS`]), and part of
//! the state, so that a restart changes no comparison. A past window counts as it was judged: events that came later do not change it.
//! Not here: labels and quality, whose windows mature at different times.

use crate::engine::catalogue::{Metric, Subject};
use crate::engine::metric::{Baseline, Measurement, Reading, UndefinedReason, WindowFacts};
use crate::engine::published::ModelFacts;
use crate::engine::reference::{ColumnReference, OF_BINS, Reference};
use crate::engine::settings::ColumnKind;
use crate::engine::summary::ColumnCounts;
use crate::engine::verdict::SubjectPattern;
use crate::engine::window::{InputPane, StreamKey};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most windows that are kept of one stream. A week of windows shorter than ten minutes is more: those have no last week.
const MOST_WINDOWS: usize = 1000;

const WEEK_MS: i64 = 7 * 24 * 3_600_000;
/// How far back a condition can look.
pub(super) const LONGEST_MS: i64 = WEEK_MS;

/// Past windows of one stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Trail {
    /// By which bins they were counted: id of the reference, and length of the windows.
    by: Option<(Arc<str>, i64)>,
    /// By their end: the bins of every column of the reference, as [`columns`] has them; no bins for a column that no condition looks at.
    windows: BTreeMap<Timestamp, Vec<Vec<u32>>>,
}

/// What a condition compares with the past.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wish {
    subject: SubjectPattern,
    kind: Option<ColumnKind>,
    metric: Metric,
    against: Baseline,
}

/// What the rules of a model compare with the past, on one stream; distances over bins only.
pub(super) fn wishes(model: &ModelFacts, key: &StreamKey) -> Vec<Wish> {
    let rules = model.settings.rules.iter().filter(|rule| rule.segments || key.segment.is_none());
    let conditions = rules.flat_map(|rule| &rule.conditions);
    let trailing =
        conditions.filter(|c| c.against != Baseline::Reference && OF_BINS.contains(&c.metric) && model.settings.metrics.contains(c.metric));
    trailing.map(|c| Wish { subject: c.subject.clone(), kind: c.kind, metric: c.metric, against: c.against }).collect()
}

/// One column of a window, and its place in the reference.
struct Seen<'a> {
    subject: Subject,
    column: &'a ColumnReference,
    counts: Option<&'a ColumnCounts>,
}

/// Inputs, prediction and score, always as many and in the same order for one reference.
fn columns<'a>(reference: &'a Reference, pane: &'a InputPane) -> Vec<Seen<'a>> {
    let inputs = reference.inputs.iter().enumerate().map(|(place, feature)| Seen {
        subject: Subject::Feature(feature.name.clone()),
        column: &feature.column,
        counts: pane.inputs.get(place),
    });
    let outputs =
        [(Subject::Prediction, &reference.outputs.prediction, &pane.prediction), (Subject::Score, &reference.outputs.score, &pane.score)];
    let outputs = outputs.into_iter().filter_map(|(subject, column, counts)| {
        let column = column.as_ref()?;
        Some(Seen { subject, column, counts: counts.as_ref() })
    });
    inputs.chain(outputs).collect()
}

impl Wish {
    fn looks_at(&self, seen: &Seen<'_>) -> bool {
        self.subject.matches(&seen.subject) && self.kind.is_none_or(|kind| seen.column.kind() == kind)
    }
}

impl Trail {
    /// Compares a window with those of the past, then remembers it. Only windows that end at a multiple of their length are compared: those between
    /// overlap them, and would say the same again.
    pub(super) fn step(
        &mut self,
        key: &StreamKey,
        window: WindowFacts,
        reference: &Reference,
        pane: &InputPane,
        wishes: &[Wish],
    ) -> Vec<Measurement> {
        let size_ms = window.end.since(window.start);
        if size_ms <= 0 {
            return Vec::new();
        }
        if self.by.as_ref().is_none_or(|(id, size)| *id != reference.id || *size != size_ms) {
            (self.by, self.windows) = (Some((reference.id.clone(), size_ms)), BTreeMap::new());
        }
        let (columns, is_compared) = (columns(reference, pane), window.end.floor(size_ms) == window.end);
        let measurements = if is_compared { self.measure(key, window, reference, &columns, wishes) } else { Vec::new() };
        let weekly = wishes.iter().any(|wish| wish.against == Baseline::LastWeek);
        let is_asked_for_in_a_week = weekly && window.end.plus(WEEK_MS).floor(size_ms) == window.end.plus(WEEK_MS);
        if pane.requests > 0 && (is_compared || is_asked_for_in_a_week) {
            let kept = |seen: &Seen<'_>| match seen.counts {
                Some(counts) if wishes.iter().any(|wish| wish.looks_at(seen)) => binned(seen.column, counts),
                _ => Vec::new(),
            };
            self.windows.insert(window.end, columns.iter().map(kept).collect());
        }
        self.forget(window.end.minus(if weekly { WEEK_MS.max(size_ms) } else { size_ms }));
        measurements
    }

    /// Drops the windows that end before `oldest`, and the oldest beyond the bound.
    pub(super) fn forget(&mut self, oldest: Timestamp) {
        self.windows = self.windows.split_off(&oldest);
        while self.windows.len() > MOST_WINDOWS {
            self.windows.pop_first();
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    fn measure(
        &self,
        key: &StreamKey,
        window: WindowFacts,
        reference: &Reference,
        columns: &[Seen<'_>],
        wishes: &[Wish],
    ) -> Vec<Measurement> {
        let mut measurements = Vec::new();
        for (place, seen) in columns.iter().enumerate() {
            let asked: BTreeSet<(Metric, Baseline)> = wishes.iter().filter(|w| w.looks_at(seen)).map(|w| (w.metric, w.against)).collect();
            if asked.is_empty() {
                continue;
            }
            let empty = seen.column.empty_counts();
            let current = seen.counts.filter(|counts| counts.slots.len() == empty.slots.len()).unwrap_or(&empty);
            for (metric, baseline) in asked {
                let end = match baseline {
                    Baseline::LastWeek => window.end.minus(WEEK_MS),
                    Baseline::PreviousWindow | Baseline::Reference => window.start,
                };
                let bins = self.windows.get(&end).and_then(|columns| columns.get(place));
                let past = bins.map_or_else(|| empty.clone(), |bins| unbinned(seen.column, bins));
                let (n_reference, n_current) = (past.valid(), current.valid());
                let (reading, degrees, p_value) = match seen.column.compare(metric, &past, current) {
                    Ok(compared) => (
                        Reading::Value(compared.value),
                        compared.degrees,
                        compared.p_value.filter(|_| seen.column.kind() != ColumnKind::Text),
                    ),
                    Err(_) if n_current == 0 => (Reading::Undefined(UndefinedReason::NoData), 0, None),
                    Err(_) => (Reading::Undefined(UndefinedReason::NoReference), 0, None),
                };
                let calibration = reference.calibration.as_ref();
                let (sizes, is_week) = ([n_current, n_reference], baseline == Baseline::LastWeek);
                let floor = calibration.and_then(|c| c.floor_between(&seen.subject, metric, sizes, seen.column.counts.valid(), is_week));
                measurements.push(Measurement {
                    segment: key.segment.clone(),
                    baseline,
                    degrees,
                    p_value,
                    n_reference,
                    n_current,
                    noise_floor: floor,
                    ..Measurement::new(key.model.clone(), window, seen.subject.clone(), metric, reading)
                });
            }
        }
        measurements
    }
}

/// The bins of a window, as small as they are kept.
fn binned(column: &ColumnReference, counts: &ColumnCounts) -> Vec<u32> {
    column.binned(counts).iter().map(|&n| u32::try_from(n).unwrap_or(u32::MAX)).collect()
}

/// Counts with these bins: each in the first of its slots, because only their sum is known.
fn unbinned(column: &ColumnReference, bins: &[u32]) -> ColumnCounts {
    let mut counts = column.empty_counts();
    for (bin, &n) in bins.iter().enumerate() {
        let slot = column.bins.iter().position(|&of_slot| usize::from(of_slot) == bin);
        if let Some(count) = slot.and_then(|slot| counts.slots.get_mut(slot)) {
            *count = u64::from(n);
        }
    }
    counts
}

#[cfg(test)]
mod tests;
