//! Answers against truth: quality of a window, beside the same figure on the reference.

use super::{Context, Finding, Measurement, Metric, Reading, Subject, UndefinedReason};
use crate::engine::reference::{Reference, ReferenceQuality};
use crate::engine::settings::Task;
use crate::engine::summary::{Confusion, RegressionSums};
use crate::engine::window::{OutcomePane, Quality};
use crate::stats::{self, ClassCounts, NoValue, RegressionTotals};
use ndarray::Array2;
use std::sync::Arc;

/// Figures of a classifier.
const CLASSES: [Metric; 4] = [Metric::Accuracy, Metric::Precision, Metric::Recall, Metric::F1];
/// Figures of one class against the rest.
const ONE_CLASS: [Metric; 3] = [Metric::Precision, Metric::Recall, Metric::F1];
/// Figures of a regression.
const NUMBERS: [Metric; 3] = [Metric::Mae, Metric::Rmse, Metric::R2];

/// Why a window without a label has no figure that needs one: nothing to label, or no label yet.
pub(super) fn without_labels(pane: &OutcomePane) -> UndefinedReason {
    if pane.expected == 0 { UndefinedReason::NoData } else { UndefinedReason::NoLabels }
}

/// Quality, coverage and delay, then for multiclass models the quality of each class.
pub(super) fn measure(ctx: &Context<'_>, pane: &OutcomePane) -> Vec<Measurement> {
    let current = match &pane.quality {
        Quality::Classes(confusion) => Sums::classes(confusion, ctx.classes),
        Quality::Numbers(sums) => Sums::numbers(sums),
    };
    let reference = ctx.reference.and_then(Sums::of_reference);
    let against = ctx.reference.filter(|_| reference.is_some());
    let figures = |metrics: &[Metric], scope| -> Vec<Finding> {
        metrics.iter().map(|&metric| finding(metric, scope, &current, reference.as_ref(), without_labels(pane))).collect()
    };
    let overall = match (&current, ctx.task) {
        (Sums::Numbers(_), _) => figures(&NUMBERS, Scope::All),
        (Sums::Classes { .. }, Task::Binary) => {
            figures(&CLASSES, Scope::Class(ctx.positive.and_then(|p| ctx.classes.get(p)).map(|name| &**name)))
        }
        (Sums::Classes { .. }, _) => figures(&CLASSES, Scope::All),
    };
    let mut measurements = ctx.measurements(&Subject::Quality, overall, against);
    measurements.extend(ctx.measurements(&Subject::Quality, label_arrival(pane), None));
    if ctx.task == Task::Multiclass && matches!(current, Sums::Classes { .. }) {
        for class in ctx.classes {
            let findings = figures(&ONE_CLASS, Scope::Class(Some(class)));
            measurements.extend(ctx.measurements(&Subject::ClassQuality(class.clone()), findings, against));
        }
    }
    measurements
}

/// How many labels came, and how long they took.
fn label_arrival(pane: &OutcomePane) -> Vec<Finding> {
    let coverage = match pane.expected {
        0 => Reading::Undefined(UndefinedReason::NoData),
        expected => Reading::Value(pane.labelled as f64 / expected as f64),
    };
    let delays = pane.delay_seconds.total();
    let delay = |q| pane.delay_seconds.quantile(q).map_or(Reading::Undefined(without_labels(pane)), Reading::Value);
    vec![
        Finding::new(Metric::LabelCoverage, coverage, pane.expected),
        Finding::new(Metric::LabelDelayP50, delay(0.5), delays),
        Finding::new(Metric::LabelDelayP95, delay(0.95), delays),
    ]
}

/// What precision, recall and F1 are about.
#[derive(Debug, Clone, Copy)]
enum Scope<'a> {
    /// All classes that occur, each with the same weight.
    All,
    /// One class against the rest; `None`: the positive class of a label map that does not have it, so nothing is of it.
    Class(Option<&'a str>),
}

/// Prediction against truth, dense. Window and reference may order their classes differently, so a class is found by name.
enum Sums<'a> {
    Classes { matrix: Array2<u64>, classes: &'a [Arc<str>] },
    Numbers(RegressionTotals),
}

impl<'a> Sums<'a> {
    fn classes(confusion: &Confusion, classes: &'a [Arc<str>]) -> Self {
        Self::Classes { matrix: confusion.matrix(classes.len()), classes }
    }

    fn numbers(sums: &RegressionSums) -> Self {
        // a sum of squares whose terms were cut is too small: the labels' spread is then not known, the errors' size at least
        let label_squared = if sums.label_squared.saturated() > 0 { f64::INFINITY } else { sums.label_squared.value() };
        Self::Numbers(RegressionTotals {
            n: sums.n,
            absolute_error: sums.absolute_error.value(),
            squared_error: sums.squared_error.value(),
            error: sums.error.value(),
            label: sums.label.value(),
            label_squared,
            ..RegressionTotals::default()
        })
    }

    fn of_reference(reference: &'a Reference) -> Option<Self> {
        reference.outputs.quality.as_ref().map(|quality| match quality {
            ReferenceQuality::Classes(confusion) => Self::classes(confusion, &reference.outputs.classes),
            ReferenceQuality::Numbers(sums) => Self::numbers(sums),
        })
    }

    /// Number of labelled predictions.
    fn n(&self) -> u64 {
        match self {
            Self::Classes { matrix, .. } => matrix.sum(),
            Self::Numbers(totals) => totals.n,
        }
    }

    /// One figure; `Empty` for a figure that sums of this kind do not have.
    fn figure(&self, metric: Metric, scope: Scope<'_>) -> Result<f64, NoValue> {
        match self {
            Self::Numbers(totals) => match metric {
                Metric::Mae => totals.mae(),
                Metric::Rmse => totals.rmse(),
                Metric::R2 => totals.r2(),
                _ => Err(NoValue::Empty),
            },
            Self::Classes { matrix, classes } => {
                let figure: fn(ClassCounts) -> Result<f64, NoValue> = match metric {
                    Metric::Accuracy => return stats::accuracy(matrix.view()),
                    Metric::Precision => ClassCounts::precision,
                    Metric::Recall => ClassCounts::recall,
                    Metric::F1 => ClassCounts::f1,
                    _ => return Err(NoValue::Empty),
                };
                match scope {
                    Scope::All => stats::macro_mean(matrix.view(), figure),
                    Scope::Class(name) => {
                        let place = name.and_then(|name| classes.iter().position(|class| **class == *name));
                        figure(place.map(|place| ClassCounts::of(matrix.view(), place)).unwrap_or_default())
                    }
                }
            }
        }
    }
}

fn finding(metric: Metric, scope: Scope<'_>, current: &Sums<'_>, reference: Option<&Sums<'_>>, empty: UndefinedReason) -> Finding {
    let n_current = current.n();
    let value = if n_current == 0 { Err(NoValue::Empty) } else { current.figure(metric, scope) };
    let reading = match value {
        Ok(value) => Reading::Value(value),
        Err(NoValue::Empty) => Reading::Undefined(empty),
        Err(NoValue::NoPositivePrediction) => Reading::Undefined(UndefinedReason::NoPositivePrediction),
        Err(NoValue::NoPositiveLabel) => Reading::Undefined(UndefinedReason::NoPositiveLabel),
        Err(NoValue::OneClass) => Reading::Undefined(UndefinedReason::OneClass),
        Err(NoValue::ConstantLabels) => Reading::Undefined(UndefinedReason::ConstantLabels),
        Err(NoValue::OutOfRange) => Reading::Undefined(UndefinedReason::OutOfRange),
    };
    let on_reference = reference.and_then(|sums| sums.figure(metric, scope).ok());
    Finding { n_reference: reference.map_or(0, Sums::n), on_reference, ..Finding::new(metric, reading, n_current) }
}
