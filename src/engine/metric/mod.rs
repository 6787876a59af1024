//! Reference × Window → Measurement.
//!
//! Invariant (I5): a measurement is a pure function of two summaries and carries their sizes; where there is no number it carries the
//! reason. Each subject is measured on its own, so one faulty column never costs another its reading.
//! Not here: thresholds, and what they say about a measurement (`verdict`).

mod columns;
mod data;
mod detectors;
mod estimate;
mod fairness;
mod measurement;
mod multivariate;
mod quality;
mod rates;
mod service;
mod vectors;

pub use crate::engine::catalogue::{Metric, Subject};
pub use columns::named_parts;
pub use data::{DataFacts, measure_data};
pub use fairness::{measure_fairness, wants_fairness};
pub use measurement::{Baseline, ConfusionTable, Measurement, Part, Reading, UndefinedReason, Verdict, WindowFacts};
pub use multivariate::share_of_drifted;

use crate::engine::catalogue::{Family, MetricSet, Signal};
use crate::engine::reference::{ColumnReference, Normal, Reference, sampling_sigma};
use crate::engine::settings::{CostMatrix, DEFAULT_BETA, Task};
use crate::engine::summary::ColumnCounts;
use crate::engine::window::{InputPane, OutcomePane, StreamKey};
use columns::Role;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a window's sums belong to, and what they are compared with.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The stream.
    pub stream: &'a StreamKey,
    /// The window.
    pub window: WindowFacts,
    /// What the model predicts.
    pub task: Task,
    /// The positive class of a binary model as a place in `classes`; `None`: it was never seen.
    pub positive: Option<usize>,
    /// The label map of the model: the confusion matrix counts by places in it.
    pub classes: &'a [Arc<str>],
    /// What the window is compared with.
    pub reference: Option<&'a Reference>,
    /// Whether a reference (or the outputs of one) is still being learned.
    pub learning: bool,
    /// The metrics that are measured: what nobody asked for costs nothing.
    pub wanted: MetricSet,
    /// Whether quality is estimated before labels arrive.
    pub estimate: bool,
    /// How many times as much recall counts as precision in F-beta.
    pub beta: f64,
    /// What answers are worth; `None`: not said.
    pub costs: Option<&'a CostMatrix>,
    /// Whether a binary model has the quality of each of its two classes (a multiclass one always has).
    pub each_class: bool,
    /// Decision thresholds other than the model's own at which quality is measured (binary models).
    pub decision_thresholds: &'a [Arc<str>],
    /// The change detectors that run, each with what it watches.
    pub detectors: &'a BTreeSet<(Signal, Metric)>,
    /// Whether distances of columns name the bins that they come from: as much work again, for nothing where nobody reads it.
    pub names_parts: bool,
}

/// What the service figures of a window need besides its own sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceFacts {
    /// Requests of all versions of the model in the same window.
    pub requests_of_model: u64,
    /// Length of the window in seconds.
    pub seconds: f64,
}

/// Everything that the requests of a window say, from its summed pane: features by name, all features together, prediction, score (binary models),
/// estimated quality, service, and what change detectors found in it.
/// Within a subject the order is that of [`Metric::ALL`]. Without a reference nothing is known about the inputs, so there is nothing on them.
pub fn measure_inputs(ctx: &Context<'_>, pane: &InputPane, service: &ServiceFacts) -> Vec<Measurement> {
    let compare = |subject: Subject, role: Role, column: Option<&ColumnReference>, counts: Option<&ColumnCounts>| {
        let mut findings = columns::findings(ctx, role, column, counts, ctx.no_reference(), UndefinedReason::NoData);
        findings.extend(rates::findings(ctx, role, column, counts, ctx.no_reference()));
        ctx.measurements(&subject, findings, ctx.reference)
    };
    let mut measurements = Vec::new();
    for (place, feature) in ctx.reference.iter().flat_map(|r| r.inputs.iter().enumerate()) {
        let subject = Subject::Feature(feature.name.clone());
        measurements.extend(vectors::measure(ctx, place, feature, pane));
        measurements.extend(compare(subject, Role::Feature, Some(&feature.column), pane.inputs.get(place)));
    }
    measurements.extend(multivariate::measure(ctx, pane));
    let outputs = ctx.reference.map(|r| &r.outputs);
    let prediction = outputs.and_then(|o| o.prediction.as_ref());
    // a list is no value of a column
    if ctx.task != Task::Ranking {
        measurements.extend(compare(Subject::Prediction, Role::answer(ctx.task), prediction, pane.prediction.as_ref()));
    }
    if ctx.task == Task::Binary {
        let score = outputs.and_then(|o| o.score.as_ref());
        measurements.extend(compare(Subject::Score, Role::Score, score, pane.score.as_ref()));
    }
    measurements.extend(estimate::measure(ctx, pane));
    measurements.extend(ctx.measurements(&Subject::Service, service::findings(ctx, pane, service), None));
    measurements.extend(detectors::measure(ctx, pane));
    measurements
}

/// Everything that the labels of a window say, from its summed pane: label drift, quality with coverage and delay, for multiclass models
/// the quality of each class in the order of the label map, for binary ones at other decision thresholds, for regressions the drift of residuals.
/// Within a subject the order is that of [`Metric::ALL`].
pub fn measure_outcomes(ctx: &Context<'_>, pane: &OutcomePane) -> Vec<Measurement> {
    if ctx.task == Task::Ranking {
        return quality::measure(ctx, pane);
    }
    let label = ctx.reference.and_then(|r| r.outputs.label.as_ref());
    let role = Role::truth(ctx.task);
    let findings = columns::findings(ctx, role, label, pane.labels.as_ref(), ctx.no_reference(), quality::without_labels(pane));
    let mut measurements = ctx.measurements(&Subject::Label, findings, ctx.reference);
    measurements.extend(quality::measure(ctx, pane));
    measurements
}

/// What one metric found, before it is tied to a stream, a window and a subject.
#[derive(Debug, Clone, PartialEq)]
struct Finding {
    metric: Metric,
    reading: Reading,
    error_bound: f64,
    interval: Option<(f64, f64)>,
    degrees: u32,
    p_value: Option<f64>,
    parts: Vec<Part>,
    n_reference: u64,
    n_current: u64,
    on_reference: Option<f64>,
    /// Standard error of the figure at the size of this window, by the reference's own interval; `None`: not known, or the reference's windows say more.
    sampling: Option<f64>,
}

impl Finding {
    /// A reading about `n_current` values that has nothing to do with the reference.
    fn new(metric: Metric, reading: Reading, n_current: u64) -> Self {
        Self {
            metric,
            reading,
            error_bound: 0.0,
            degrees: 0,
            p_value: None,
            parts: Vec::new(),
            interval: None,
            n_reference: 0,
            n_current,
            on_reference: None,
            sampling: None,
        }
    }
}

impl Context<'_> {
    /// Why a column that the reference lacks cannot be compared.
    fn no_reference(&self) -> UndefinedReason {
        if self.learning { UndefinedReason::Learning } else { UndefinedReason::NoReference }
    }

    /// Findings about one subject as measurements; `against` is the reference where one is involved.
    fn measurements(&self, subject: &Subject, findings: Vec<Finding>, against: Option<&Reference>) -> Vec<Measurement> {
        findings
            .into_iter()
            .filter(|finding| self.wanted.contains(finding.metric))
            .map(|finding| {
                let normal = self.normal(subject, &finding, against);
                let on_reference = finding.on_reference.or(normal.map(|normal| normal.mean));
                let sampling = on_reference.and_then(|share| sampling_sigma(finding.metric, share, finding.n_current, finding.n_reference));
                let sigmas = normal.map(|normal| normal.sigma).into_iter().chain(sampling).chain(finding.sampling);
                Measurement {
                    segment: self.stream.segment.clone(),
                    error_bound: finding.error_bound,
                    interval: finding.interval,
                    p_value: finding.p_value,
                    parts: finding.parts,
                    degrees: finding.degrees,
                    noise_floor: normal.and_then(|normal| normal.noise_floor),
                    // windows that happened to be all alike do not make chance any smaller
                    sigma: sigmas.reduce(f64::max),
                    n_reference: finding.n_reference,
                    n_current: finding.n_current,
                    reference: against.map(|r| r.id.clone()),
                    on_reference,
                    ..Measurement::new(self.stream.model.clone(), self.window, subject.clone(), finding.metric, finding.reading)
                }
            })
            .collect()
    }

    /// What the reference's own windows show of a figure, at the size of this window.
    fn normal(&self, subject: &Subject, finding: &Finding, against: Option<&Reference>) -> Option<Normal> {
        let calibration = against?.calibration.as_ref()?;
        // a reference is calibrated without the model's settings, so at the β that holds where none is set
        if finding.metric == Metric::FBeta && self.beta != DEFAULT_BETA {
            return None;
        }
        let of = |subject: &Subject| calibration.normal(subject, finding.metric, finding.n_current, finding.n_reference);
        // figures of a binary model are those of its positive class, which the configuration names
        let positive = self.positive.and_then(|place| self.classes.get(place)).filter(|_| self.task == Task::Binary);
        match positive.filter(|_| *subject == Subject::Quality && finding.metric.family() == Family::Classes) {
            Some(class) => of(&Subject::ClassQuality(class.clone())),
            None => of(subject),
        }
    }
}

#[cfg(test)]
mod tests;
