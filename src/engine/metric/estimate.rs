//! Quality before labels arrive: what the reference lets expect of this window's scores or predictions.
//!
//! Classifiers by confidence-based performance estimation (Białek, Kuberski, Perrakis 2023): scores calibrated on the reference, then summed. Regressions by
//! the reference's errors at like predictions (direct loss estimation, with groups of predictions in place of a second model).
//! It holds while a score, or a prediction, means what it meant in the reference. It cannot see concept drift.

use super::{Context, Measurement, Metric, Reading, Subject, UndefinedReason};
use crate::engine::reference::{ErrorSums, ErrorTable, Expectation, ScoreCalibration};
use crate::engine::settings::Task;
use crate::engine::summary::ScoreTable;
use crate::engine::window::InputPane;
use crate::event::{Scalar, class_place};
use crate::stats::{Estimate, ExpectedClass, Group, NoValue, Pool, ScoredRows, expected_mean};

/// Figures of a classifier.
const CLASSES: [Metric; 7] =
    [Metric::Accuracy, Metric::BalancedAccuracy, Metric::Precision, Metric::Recall, Metric::F1, Metric::Specificity, Metric::RocAuc];
/// Figures of a regression.
const NUMBERS: [Metric; 2] = [Metric::Mae, Metric::Rmse];

/// A class is part of a mean over classes where it is predicted, or at least this many labels of it are to be expected.
const OCCURS: f64 = 1.0;

/// The estimated quality of a window, in the order of [`Metric::ALL`]; nothing where no estimates are wanted.
pub(super) fn measure(ctx: &Context<'_>, pane: &InputPane) -> Vec<Measurement> {
    let metrics: &[Metric] = if ctx.task == Task::Regression { &NUMBERS } else { &CLASSES };
    let wanted: Vec<Metric> = metrics.iter().copied().filter(|&metric| ctx.estimate && ctx.wanted.contains(metric)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let Some(reference) = ctx.reference else { return undefined(ctx, &wanted, ctx.no_reference()) };
    match &reference.outputs.expectation {
        Some(Expectation::Classes(calibrations)) if fits(ctx, calibrations) => classes(ctx, pane, calibrations, &wanted),
        Some(Expectation::Numbers(errors)) if ctx.task == Task::Regression => numbers(ctx, pane, errors, &wanted),
        _ => undefined(ctx, &wanted, UndefinedReason::NotInReference),
    }
}

fn undefined(ctx: &Context<'_>, metrics: &[Metric], reason: UndefinedReason) -> Vec<Measurement> {
    metrics.iter().map(|&metric| measurement(ctx, metric, Err(reason), None)).collect()
}

/// Whether calibrations speak of the classes that the task asks about.
fn fits(ctx: &Context<'_>, calibrations: &[ScoreCalibration]) -> bool {
    let place = |class: &str| class_place(ctx.classes, &Scalar::Text(class.into()));
    match (ctx.task, calibrations) {
        (Task::Binary, [only]) => ctx.positive.is_some() && place(&only.class) == ctx.positive,
        (Task::Multiclass, [_, ..]) => true,
        _ => false,
    }
}

fn classes(ctx: &Context<'_>, pane: &InputPane, calibrations: &[ScoreCalibration], wanted: &[Metric]) -> Vec<Measurement> {
    let none = ScoreTable::default();
    let live = Scored::new(calibrations, |place, _| pane.scores.get(place).unwrap_or(&none));
    let known = Scored::new(calibrations, |_, calibration| &calibration.predicted);
    let (live, known) = (live.classes(), known.classes());
    let n_current = rows(ctx.task, &live);
    let n_reference = calibrations.iter().map(ScoreCalibration::n).max().unwrap_or(0);
    let found = wanted.iter().map(|&metric| {
        let current = if n_current > 0.0 { of_classes(ctx.task, metric, &live) } else { Err(UndefinedReason::NoData) };
        let on_reference = of_classes(ctx.task, metric, &known).ok().map(|estimate| estimate.value);
        let measured = measurement(ctx, metric, current.map(|estimate| (estimate, (0.0, 1.0))), on_reference);
        Measurement { n_reference, n_current: n_current as u64, ..measured }
    });
    found.collect()
}

/// Score tables as [`ExpectedClass`] wants them.
struct Scored(Vec<(Vec<ScoredRows>, Vec<Pool>)>);

impl Scored {
    fn new<'t>(calibrations: &'t [ScoreCalibration], table: impl Fn(usize, &'t ScoreCalibration) -> &'t ScoreTable) -> Self {
        let of = |(place, calibration): (usize, &'t ScoreCalibration)| {
            let cells = table(place, calibration).iter();
            let rows = cells.map(|(cell, rows)| ScoredRows { rows, chance: calibration.chance(cell) });
            (rows.collect(), calibration.pools())
        };
        Self(calibrations.iter().enumerate().map(of).collect())
    }

    fn classes(&self) -> Vec<ExpectedClass<'_>> {
        self.0.iter().map(|(cells, pools)| ExpectedClass::new(cells, pools)).collect()
    }
}

/// Predictions that the estimate is about: with a score of the positive class, or of the class that was predicted.
fn rows(task: Task, classes: &[ExpectedClass<'_>]) -> f64 {
    match (task, classes) {
        (Task::Binary, [positive]) => positive.n(),
        _ => classes.iter().map(ExpectedClass::predicted).sum(),
    }
}

fn of_classes(task: Task, metric: Metric, classes: &[ExpectedClass<'_>]) -> Result<Estimate, UndefinedReason> {
    match (task, classes) {
        (Task::Binary, [positive]) => of_class(metric, positive),
        _ => of_several(metric, classes),
    }
}

/// A figure of one class against the rest.
fn of_class(metric: Metric, class: &ExpectedClass<'_>) -> Result<Estimate, UndefinedReason> {
    let found = match metric {
        Metric::Accuracy => class.accuracy(),
        Metric::BalancedAccuracy => class.balanced_accuracy(),
        Metric::Precision => class.precision(),
        Metric::Recall => class.recall(),
        Metric::F1 => class.f1(),
        Metric::Specificity => class.specificity(),
        Metric::RocAuc => return class.roc_auc().ok_or(UndefinedReason::OneClass),
        _ => Err(NoValue::Empty),
    };
    found.map_err(|reason| match reason {
        NoValue::NoPositivePrediction => UndefinedReason::NoPositivePrediction,
        NoValue::NoPositiveLabel => UndefinedReason::NoPositiveLabel,
        _ => UndefinedReason::NoData,
    })
}

/// A figure of several classes, each calibrated against the rest. Accuracy is the sum of what each class adds to it; the others are means over the classes
/// that occur, where one that occurs but has no figure counts as 0, as for the realised figure.
fn of_several(metric: Metric, classes: &[ExpectedClass<'_>]) -> Result<Estimate, UndefinedReason> {
    const MISSED: Estimate = Estimate { value: 0.0, sampling: 0.0, learning: 0.0 };
    if metric == Metric::Accuracy {
        let n = rows(Task::Multiclass, classes);
        let shares: Vec<Estimate> = classes.iter().map(|class| class.accuracy_share(n)).collect();
        let sum = Estimate::sum(&shares);
        return if n > 0.0 { Ok(Estimate { value: sum.value.clamp(0.0, 1.0), ..sum }) } else { Err(UndefinedReason::NoData) };
    }
    let expected = |class: &&ExpectedClass<'_>| class.expected() >= OCCURS;
    let occurs = |class: &&ExpectedClass<'_>| class.predicted() > 0.0 || expected(class);
    let figures: Vec<Estimate> = match metric {
        Metric::BalancedAccuracy => classes.iter().filter(expected).filter_map(|class| class.recall().ok()).collect(),
        Metric::RocAuc => classes.iter().filter_map(ExpectedClass::roc_auc).collect(),
        _ => classes.iter().filter(occurs).map(|class| of_class(metric, class).unwrap_or(MISSED)).collect(),
    };
    let none = if metric == Metric::RocAuc { UndefinedReason::OneClass } else { UndefinedReason::NoData };
    Estimate::mean(&figures).ok_or(none)
}

fn numbers(ctx: &Context<'_>, pane: &InputPane, errors: &ErrorTable, wanted: &[Metric]) -> Vec<Measurement> {
    let mut counts = vec![0; errors.sums.len()];
    let slots = pane.prediction.iter().filter(|column| column.slots.len() == errors.groups.len()).flat_map(|column| &column.slots);
    for (&group, n) in errors.groups.iter().zip(slots) {
        if let Some(count) = counts.get_mut(usize::from(group)) {
            *count += n;
        }
    }
    let known: Vec<u64> = errors.sums.iter().map(|sums| sums.n).collect();
    let found = wanted.iter().map(|&metric| {
        let current = if counts.iter().sum::<u64>() > 0 {
            of_errors(metric, errors, &counts).ok_or(UndefinedReason::OutOfRange)
        } else {
            Err(UndefinedReason::NoData)
        };
        let on_reference = of_errors(metric, errors, &known).map(|estimate| estimate.value);
        let measured = measurement(ctx, metric, current.map(|estimate| (estimate, (0.0, f64::MAX))), on_reference);
        Measurement { n_reference: errors.n(), n_current: counts.iter().sum(), ..measured }
    });
    found.collect()
}

/// Mean absolute or root mean squared error of rows of which `counts` fall into each group.
fn of_errors(metric: Metric, errors: &ErrorTable, counts: &[u64]) -> Option<Estimate> {
    let group = |sums: &ErrorSums| {
        let n = sums.n as f64;
        let (mean, square) = match metric {
            Metric::Mae => (sums.absolute.value() / n, sums.squared.value() / n),
            _ => (sums.squared.value() / n, sums.fourth.value() / n),
        };
        Group { n: sums.n, mean, variance: (square - mean * mean).max(0.0) }
    };
    if errors.is_cut() {
        return None;
    }
    let groups = counts.iter().copied().zip(&errors.sums).filter(|(_, sums)| sums.n > 0).map(|(n, sums)| (n, group(sums)));
    let mean = expected_mean(groups)?;
    let estimate = if metric == Metric::Mae { mean } else { mean.sqrt() }.scaled(errors.unit);
    (estimate.value.is_finite() && (estimate.sampling + estimate.learning).is_finite()).then_some(estimate)
}

/// One measurement; an estimate comes with the limits of its metric, which its interval keeps to.
fn measurement(
    ctx: &Context<'_>,
    metric: Metric,
    found: Result<(Estimate, (f64, f64)), UndefinedReason>,
    on_reference: Option<f64>,
) -> Measurement {
    let reading = found.map_or_else(Reading::Undefined, |(estimate, _)| Reading::Value(estimate.value));
    let interval = found.ok().map(|(estimate, (least, most))| {
        let (from, to) = estimate.interval();
        (from.max(least), to.min(most))
    });
    Measurement {
        segment: ctx.stream.segment.clone(),
        sigma: found.ok().map(|(estimate, _)| (estimate.sampling + estimate.learning).sqrt()),
        interval,
        reference: ctx.reference.map(|reference| reference.id.clone()),
        on_reference,
        ..Measurement::new(ctx.stream.model.clone(), ctx.window, Subject::EstimatedQuality, metric, reading)
    }
}
