//! Answers against truth: quality of a window, beside the same figure on the reference.
//!
//! Every figure is a function of sums that a window and a reference both have, so both are read by the same code. What is read from decisions stands in
//! `decisions`, what is read from scores in `ranking`, what is read from numbers in `numbers`, what is read from ranked lists in `lists`.

mod decisions;
mod lists;
mod numbers;
mod ranking;

use super::columns::{self, Role};
use super::{Context, Finding, Measurement, Metric, Reading, Subject, UndefinedReason};
use crate::engine::catalogue::{MetricSet, OF_ONE_CLASS, OF_THRESHOLD, Range};
use crate::engine::reference::ReferenceQuality;
use crate::engine::settings::Task;
use crate::engine::window::{OutcomePane, Quality};
use crate::stats::{Bounded, NoValue, interval};
use decisions::{Decisions, Scope};
use numbers::Errors;
use ranking::Ranking;

/// One figure, as its sums have it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figure {
    value: Result<f64, NoValue>,
    /// How far the true value may be from it.
    bound: f64,
    /// 95 % confidence interval.
    interval: Option<(f64, f64)>,
    /// Labelled predictions behind it.
    n: u64,
    /// Those among them that it is a statement about: of precision the ones that were predicted to be of the class, of recall the ones that are. What a rule
    /// takes for the size of the sample: a recall of 90 % over ten positives is noise, however many negatives there are.
    about: u64,
}

impl Figure {
    fn exact(value: Result<f64, NoValue>, n: u64) -> Self {
        Self { value, bound: 0.0, interval: None, n, about: n }
    }

    fn bounded(figure: Result<Bounded, NoValue>, n: u64) -> Self {
        Self { value: figure.map(|f| f.value), bound: figure.map_or(0.0, |f| f.bound), interval: None, n, about: n }
    }

    fn about(self, about: u64) -> Self {
        Self { about, ..self }
    }

    fn within(self, interval: Option<(f64, f64)>) -> Self {
        Self { interval, ..self }
    }

    /// Standard error that the figure would have over `n` values in place of its own, by its interval.
    fn standard_error(self, n: u64) -> Option<f64> {
        let (low, high) = self.interval.filter(|_| n > 0)?;
        Some((high - low) / (2.0 * interval::NORMAL_975) * (self.about as f64 / n as f64).sqrt())
    }
}

/// Why a window without a label has no figure that needs one: nothing to label, or no label yet.
pub(super) fn without_labels(pane: &OutcomePane) -> UndefinedReason {
    if pane.expected == 0 { UndefinedReason::NoData } else { UndefinedReason::NoLabels }
}

/// Quality, coverage and delay, for multiclass models the quality of each class, at other decision thresholds, and the drift of residuals.
pub(super) fn measure(ctx: &Context<'_>, pane: &OutcomePane) -> Vec<Measurement> {
    let mut measurements = match &pane.quality {
        Quality::Classes(confusion) => {
            let current = Decisions::new(confusion, ctx.classes, ctx);
            let ranking = Ranking::new(&pane.scores.tables, &pane.scores.losses, ctx.classes, ctx);
            let outputs = ctx.reference.map(|r| &r.outputs);
            let of_reference = outputs.and_then(|o| match &o.quality {
                Some(ReferenceQuality::Classes(confusion)) => Some(Decisions::new(confusion, &o.classes, ctx)),
                _ => None,
            });
            let ranked_reference = outputs.filter(|o| o.losses.n > 0).map(|o| Ranking::new(&o.scores, &o.losses, &o.classes, ctx));
            let both = Both { ctx, pane, decisions: (&current, of_reference.as_ref()), ranking: (&ranking, ranked_reference.as_ref()) };
            both.measure()
        }
        Quality::Numbers(sums) => {
            let reference = ctx.reference.and_then(|r| match &r.outputs.quality {
                Some(ReferenceQuality::Numbers(sums)) => Some(Errors(sums)),
                _ => None,
            });
            let findings = wanted(ctx, numbers::METRICS)
                .map(|metric| finding(metric, Errors(sums).figure(metric), reference.map(|r| r.figure(metric)), without_labels(pane)));
            let findings = findings.collect();
            let mut measurements = ctx.measurements(&Subject::Quality, findings, ctx.reference.filter(|_| reference.is_some()));
            measurements.extend(ctx.measurements(&Subject::Quality, label_arrival(pane), None));
            measurements
        }
        Quality::Lists(sums) => {
            let findings =
                wanted(ctx, lists::METRICS).map(|metric| finding(metric, lists::figure(sums, metric), None, without_labels(pane)));
            let mut measurements = ctx.measurements(&Subject::Quality, findings.collect(), None);
            measurements.extend(ctx.measurements(&Subject::Quality, label_arrival(pane), None));
            measurements
        }
    };
    if ctx.task == Task::Regression {
        measurements.extend(residuals(ctx, pane));
    }
    measurements
}

/// A window and a reference of a classifier.
struct Both<'a> {
    ctx: &'a Context<'a>,
    pane: &'a OutcomePane,
    decisions: (&'a Decisions<'a>, Option<&'a Decisions<'a>>),
    ranking: (&'a Ranking<'a>, Option<&'a Ranking<'a>>),
}

impl Both<'_> {
    fn measure(&self) -> Vec<Measurement> {
        let (ctx, pane) = (self.ctx, self.pane);
        let scope = if ctx.task == Task::Binary { Scope::positive(ctx) } else { Scope::All };
        let mut measurements = self.figures(&Subject::Quality, &decisions::metrics(ctx.task), scope);
        if let Some(accuracy) = measurements.iter_mut().find(|m| m.metric == Metric::Accuracy) {
            accuracy.confusion = self.decisions.0.table();
        }
        measurements.extend(ctx.measurements(&Subject::Quality, label_arrival(pane), None));
        // means over classes that were added later stand behind what is said of the labels
        measurements.sort_by_key(|m| m.metric);
        if ctx.task == Task::Multiclass || ctx.each_class {
            for class in ctx.classes {
                measurements.extend(self.figures(&Subject::ClassQuality(class.clone()), OF_ONE_CLASS, Scope::Class(Some(class))));
            }
        }
        for threshold in ctx.decision_thresholds.iter().filter(|_| ctx.task == Task::Binary) {
            let Ok(score) = threshold.parse::<f64>() else { continue };
            let reference = self.ranking.1.map(|ranking| ranking.decided_at(score, ctx));
            let (current, reference) = (self.ranking.0.decided_at(score, ctx), reference.as_ref());
            let findings = wanted(ctx, OF_THRESHOLD).map(|m| {
                let (current, reference) = (current.figure(m, Scope::SECOND), reference.map(|r| r.figure(m, Scope::SECOND)));
                // no reference is calibrated for a threshold that a rule asks about
                let sampling = reference.and_then(|r| r.standard_error(current.about));
                Finding { sampling, ..finding(m, current, reference, self.without(m, true)) }
            });
            let subject = Subject::QualityAt(threshold.clone());
            measurements.extend(ctx.measurements(&subject, findings.collect(), ctx.reference.filter(|_| reference.is_some())));
        }
        measurements
    }

    fn figures(&self, subject: &Subject, metrics: &[Metric], scope: Scope<'_>) -> Vec<Measurement> {
        let ctx = self.ctx;
        let findings = wanted(ctx, metrics).map(|metric| {
            let scored = metric.needs_scores();
            let (current, reference) = if scored {
                (self.ranking.0.figure(metric, scope), self.ranking.1.map(|r| r.figure(metric, scope)))
            } else {
                (self.decisions.0.figure(metric, scope), self.decisions.1.map(|r| r.figure(metric, scope)))
            };
            // nor for another β and for costs
            let by_settings = matches!(metric, Metric::FBeta | Metric::BusinessValue);
            let sampling = reference.filter(|_| by_settings).and_then(|r| r.standard_error(current.about));
            Finding { sampling, ..finding(metric, current, reference, self.without(metric, scored)) }
        });
        let compared = self.decisions.1.is_some() || self.ranking.1.is_some();
        ctx.measurements(subject, findings.collect(), ctx.reference.filter(|_| compared))
    }

    /// Why a figure has nothing to be read from.
    fn without(&self, metric: Metric, scored: bool) -> UndefinedReason {
        match () {
            () if metric == Metric::BusinessValue && self.ctx.costs.is_none() => UndefinedReason::NotConfigured,
            () if scored && self.pane.labelled > 0 => UndefinedReason::NoData,
            () => without_labels(self.pane),
        }
    }
}

/// Those of `metrics` that somebody asked for.
fn wanted<'a>(ctx: &Context<'_>, metrics: &'a [Metric]) -> impl Iterator<Item = Metric> + 'a {
    let wanted: MetricSet = ctx.wanted;
    metrics.iter().copied().filter(move |&metric| wanted.contains(metric))
}

/// The drift of prediction minus label, like that of any numeric column.
fn residuals(ctx: &Context<'_>, pane: &OutcomePane) -> Vec<Measurement> {
    let column = ctx.reference.and_then(|r| r.outputs.residual.as_ref());
    let no_reference = match ctx.reference {
        Some(_) if !ctx.learning => UndefinedReason::NotInReference,
        _ => ctx.no_reference(),
    };
    let role = Role::truth(Task::Regression);
    let findings = columns::findings(ctx, role, column, pane.residuals.as_ref(), no_reference, without_labels(pane));
    ctx.measurements(&Subject::Residual, findings, ctx.reference)
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
        Finding {
            interval: interval::wilson(pane.labelled, pane.expected),
            ..Finding::new(Metric::LabelCoverage, coverage, pane.expected)
        },
        Finding::new(Metric::LabelDelayP50, delay(0.5), delays),
        Finding::new(Metric::LabelDelayP95, delay(0.95), delays),
    ]
}

/// A figure of a window beside the same one on the reference; `empty`: why a window without any pair has none.
fn finding(metric: Metric, current: Figure, reference: Option<Figure>, empty: UndefinedReason) -> Finding {
    let reading = match current.value {
        Ok(value) => Reading::Value(value),
        Err(NoValue::Empty) => Reading::Undefined(empty),
        Err(_) if current.n == 0 => Reading::Undefined(empty),
        Err(NoValue::NoPositivePrediction) => Reading::Undefined(UndefinedReason::NoPositivePrediction),
        Err(NoValue::NoPositiveLabel) => Reading::Undefined(UndefinedReason::NoPositiveLabel),
        Err(NoValue::OneClass) => Reading::Undefined(UndefinedReason::OneClass),
        Err(NoValue::ConstantLabels) => Reading::Undefined(UndefinedReason::ConstantLabels),
        Err(NoValue::OutOfRange) => Reading::Undefined(UndefinedReason::OutOfRange),
    };
    let (least, most) = match metric.range() {
        Range::Unit => (0.0, 1.0),
        Range::Correlation => (-1.0, 1.0),
        Range::NonNegative => (0.0, f64::MAX),
        Range::Real => (f64::MIN, f64::MAX),
    };
    let interval = current.interval.filter(|_| reading.value().is_some());
    Finding {
        error_bound: if reading.value().is_some() { current.bound } else { 0.0 },
        interval: interval.map(|(low, high)| (low.clamp(least, most), high.clamp(least, most))),
        n_reference: reference.map_or(0, |r| r.about),
        on_reference: reference.and_then(|r| r.value.ok()),
        ..Finding::new(metric, reading, current.about)
    }
}
