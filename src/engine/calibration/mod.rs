//! What is normal, from the reference's own windows: cut it as live traffic is cut, measure each window by the live functions, keep how the figures vary.
//!
//! Invariant: a window of the reference is counted and measured exactly as a live one would be, so that its figures can stand beside live figures.
//! The cost is bounded by the number of windows, not of rows. Not here: what becomes of it in a live window (`reference::calibration`).

mod count;
mod cut;
mod special;
mod variation;
mod week;

use crate::engine::catalogue::{Family, Metric, MetricSet, Subject};
use crate::engine::metric::{Context, Measurement, ServiceFacts, WindowFacts, measure_inputs, measure_outcomes};
use crate::engine::reference::table::Table;
use crate::engine::reference::{Calibration, Reference};
use crate::engine::settings::{DEFAULT_BETA, Task};
use crate::engine::window::{InputPane, OutcomePane, StreamKey};
use crate::event::{ModelKey, Scalar, Timestamp, class_place};
use count::Rows;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use variation::Spread;

/// A window that makes up more than one in this many rows of the reference is compared with the rest of it: a part of a whole is closer to it than to
/// another sample, by the share that it is (2 % of a distance at most goes unnoticed).
const LEAVE_OUT: u64 = 50;

/// Blocks of rows that are further than this from the rest, on average, show rows that are sorted by the column, and not how it varies over time.
const MOST_DISTANCE_OF_BLOCKS: f64 = 0.5;

/// Work that distances of all inputs together may take: number of windows times the cube of the number of inputs (an eigenvalue problem each).
const MOST_CUBES: usize = 50_000_000;
/// As many windows are measured for them, whatever the cost.
const LEAST_TOGETHER: usize = 16;

/// How a reference is to be calibrated.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationSpec {
    /// Length of a window, in milliseconds.
    pub window_ms: i64,
    /// What the model predicts; `None` without outputs.
    pub task: Option<Task>,
    /// The positive class of a binary model, where it is known.
    pub positive: Option<Arc<str>>,
    /// Features that were compiled as numeric whatever they look like: names that spell a number are numbers.
    pub numeric: Vec<Arc<str>>,
    /// Whether its costly metrics are calibrated too, those of vectors and of all inputs together; the others always are.
    pub costly: MetricSet,
}

/// Fills the calibration of `reference` from the rows it was compiled from, and names its content anew. Without rows enough there is none.
pub fn calibrate(reference: &mut Reference, table: &Table, spec: &CalibrationSpec) {
    reference.calibration = figures_of(reference, table, spec);
    reference.id = reference.content_id();
}

/// What the windows of a table show against `reference`; `None` where there are too few rows for it.
pub fn figures_of(reference: &Reference, table: &Table, spec: &CalibrationSpec) -> Option<Calibration> {
    let cut = cut::cut(table, spec.window_ms, cells(reference))?;
    let rows = Rows::new(reference, table, spec);
    let spreads = spreads(&rows, spec, &cut.windows);
    // what differs between hours is told from chance by windows without any
    let chance = cut.timed.then(|| self::spreads(&rows, spec, &cut.dealt()));
    let variation = |(key, spread): ((Subject, Metric), Spread)| {
        let chance = chance.as_ref().map(|chance| chance.get(&key).copied().unwrap_or_default());
        Some((key.clone(), spread.variation(key.1, chance.as_ref())?))
    };
    let mut figures: BTreeMap<_, _> = spreads.into_iter().filter_map(variation).collect();
    if !cut.timed {
        let far = |metric, mean| matches!(metric, Metric::Ks | Metric::TotalVariation) && mean > MOST_DISTANCE_OF_BLOCKS;
        let sorted: BTreeSet<Subject> =
            figures.iter().filter(|((_, metric), figure)| far(*metric, figure.mean)).map(|((subject, _), _)| subject.clone()).collect();
        // and all inputs together are as far apart as the sorted one is
        figures.retain(|(subject, _), _| !sorted.contains(subject) && (sorted.is_empty() || *subject != Subject::Features));
    }
    let window_ms = if cut.timed { spec.window_ms } else { 0 };
    Some(Calibration { window_ms, windows: cut.windows.len() as u32, figures, week_apart: week::apart(&rows, &cut) })
}

/// Figures of windows of rows against the reference.
fn spreads(rows: &Rows<'_>, spec: &CalibrationSpec, windows: &[Vec<usize>]) -> BTreeMap<(Subject, Metric), Spread> {
    let reference = rows.reference();
    let every = windows.len().div_ceil(most_together(reference)).max(1);
    let mut spreads: BTreeMap<(Subject, Metric), Spread> = BTreeMap::new();
    for (i, window) in windows.iter().enumerate() {
        let together = i % every == 0;
        let (inputs, outcomes) = rows.count(window, together);
        let rest = (window.len() as u64 * LEAVE_OUT > reference.rows).then(|| rows.without(&inputs, &outcomes));
        let wanted =
            Metric::ALL.iter().copied().filter(|&metric| spec.calibrates(metric) && (together || metric.family() != Family::Inputs));
        for measurement in measure(rest.as_ref().unwrap_or(reference), spec, wanted.collect(), &inputs, &outcomes) {
            if let Some(value) = measurement.reading.value().filter(|_| is_calibrated(measurement.metric)) {
                spreads.entry((measurement.subject, measurement.metric)).or_default().add(value, measurement.n_current);
            }
        }
    }
    spreads
}

/// Windows of which all inputs together are measured: of more, every so many-th is.
fn most_together(reference: &Reference) -> usize {
    let d = reference.encodings.moments.as_ref().map_or(0, |moments| moments.dimensions.len());
    (MOST_CUBES / d.pow(3).max(1)).max(LEAST_TOGETHER)
}

impl CalibrationSpec {
    /// Whether the metric is to be calibrated.
    fn calibrates(&self, metric: Metric) -> bool {
        let is_costly = metric == Metric::Mmd || metric.family() == Family::Inputs;
        !is_costly || self.costly.contains(metric)
    }
}

/// Cells of all columns.
fn cells(reference: &Reference) -> usize {
    let outputs = &reference.outputs;
    let outputs = [&outputs.prediction, &outputs.score, &outputs.label, &outputs.residual].into_iter().flatten();
    reference.inputs.iter().map(|feature| &feature.column).chain(outputs).map(|column| column.counts.slots.len()).sum()
}

/// Whether a figure of rows says something of live windows; latencies, delays and the like are not in the rows of a reference.
fn is_calibrated(metric: Metric) -> bool {
    matches!(metric.family(), Family::Distance | Family::Rate | Family::Inputs | Family::Classes | Family::Numbers | Family::Ranking)
}

/// Every figure of one window. Those of a binary model that depend on which class is the positive one are figures of each class, because it is the
/// configuration that says which.
fn measure(
    reference: &Reference,
    spec: &CalibrationSpec,
    wanted: MetricSet,
    inputs: &InputPane,
    outcomes: &OutcomePane,
) -> Vec<Measurement> {
    let stream = StreamKey { model: ModelKey::new("", ""), segment: None };
    let classes = &reference.outputs.classes;
    let window = WindowFacts {
        start: Timestamp(0),
        end: Timestamp(spec.window_ms),
        predictions: inputs.requests,
        labels: outcomes.labelled,
        whole: false,
    };
    let positive = spec.positive.as_ref().and_then(|name| class_place(classes, &Scalar::Text((&**name).into())));
    let detectors = BTreeSet::new();
    let ctx = Context {
        stream: &stream,
        window,
        task: spec.task.unwrap_or(Task::Binary),
        positive,
        classes,
        reference: Some(reference),
        learning: false,
        wanted,
        estimate: false,
        // what hangs on a model's own settings (another β, costs, thresholds) varies by its sampling error only: `metric::quality`
        beta: DEFAULT_BETA,
        costs: None,
        each_class: false,
        decision_thresholds: &[],
        detectors: &detectors,
        names_parts: false,
    };
    let service = ServiceFacts { requests_of_model: inputs.requests, seconds: spec.window_ms as f64 / 1000.0 };
    let mut measurements = measure_inputs(&ctx, inputs, &service);
    measurements.extend(measure_outcomes(&ctx, outcomes));
    if spec.task == Some(Task::Binary) {
        measurements.retain(|m| m.subject != Subject::Quality || m.metric.family() != Family::Classes);
        for (place, class) in classes.iter().enumerate() {
            let of_class = measure_outcomes(&Context { positive: Some(place), ..ctx }, outcomes);
            // the scores are those of the positive class: of the other one they are not figures
            let usable = |metric: Metric| positive.is_none_or(|positive| positive == place) || !metric.needs_scores();
            let usable = |m: &Measurement| m.metric.family() == Family::Classes && usable(m.metric);
            let of_class = of_class.into_iter().filter(|m| m.subject == Subject::Quality && usable(m));
            measurements.extend(of_class.map(|m| Measurement { subject: Subject::ClassQuality(class.clone()), ..m }));
        }
    }
    measurements
}

#[cfg(test)]
mod tests;
