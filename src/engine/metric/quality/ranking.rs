//! What is read from scores: how well they rank, how well they are calibrated, what they lose, and what other decisions they would have made.

use super::super::{Context, Metric};
use super::Figure;
use super::decisions::{Decisions, Scope};
use crate::engine::settings::Task;
use crate::engine::summary::{Losses, ScoreTable, score_cell, score_range};
use crate::stats::Bounded;
use crate::stats::scores::{
    ScoreGroup, average_precision, average_precision_interval, brier, brier_interval, calibration_error, roc_auc, roc_auc_interval,
};
use crate::stats::{ClassCounts, NoValue, interval};
use std::sync::Arc;

/// Steps between two decision thresholds that are told apart: points of the grid of scores.
const GRID: f64 = 1000.0;

/// Scores against truth.
#[derive(Debug)]
pub(super) struct Ranking<'a> {
    /// Of a binary model the positive class alone, else every class.
    groups: Vec<Vec<ScoreGroup>>,
    classes: Vec<&'a str>,
    losses: &'a Losses,
    task: Task,
    /// The positive class of a binary model: the one that the scores are of.
    positive: Option<&'a str>,
}

impl<'a> Ranking<'a> {
    pub(super) fn new(tables: &[ScoreTable], losses: &'a Losses, classes: &'a [Arc<str>], ctx: &Context<'_>) -> Self {
        let asked = !ctx.decision_thresholds.is_empty() || ctx.wanted.iter().any(Metric::needs_scores);
        let groups = tables.iter().filter(|_| asked).map(groups).collect();
        let positive = ctx.positive.and_then(|place| ctx.classes.get(place));
        let positive = positive.and_then(|name| classes.iter().find(|class| *class == name)).map(|name| &**name);
        Self { groups, classes: classes.iter().map(|class| &**class).collect(), losses, task: ctx.task, positive }
    }

    /// One figure; `Empty` for one that is not read from scores.
    pub(super) fn figure(&self, metric: Metric, scope: Scope<'_>) -> Figure {
        match (self.task, scope) {
            // scores of the other class are what is left of 1
            (Task::Binary, Scope::Class(Some(name))) if self.positive.is_some_and(|positive| positive != name) => {
                let groups = self.groups.first().map(|groups| mirrored(groups));
                groups.map_or(Figure::exact(Err(NoValue::Empty), 0), |groups| of_class(metric, &groups))
            }
            (Task::Binary, _) => match metric {
                Metric::LogLoss | Metric::Brier => self.loss(metric),
                _ => self.groups.first().map_or(Figure::exact(Err(NoValue::Empty), 0), |groups| of_class(metric, groups)),
            },
            (_, Scope::All) => match metric {
                Metric::LogLoss | Metric::Brier => self.loss(metric),
                Metric::RocAucWeighted => self.mean(Metric::RocAuc, |groups| positives(groups) as f64),
                Metric::PrAucWeighted => self.mean(Metric::PrAuc, |groups| positives(groups) as f64),
                _ => self.mean(metric, |_| 1.0),
            },
            (_, Scope::Class(name)) => {
                let place = name.and_then(|name| self.classes.iter().position(|class| *class == name));
                let groups = place.and_then(|place| self.groups.get(place));
                groups.map_or(Figure::exact(Err(NoValue::Empty), 0), |groups| of_class(metric, groups))
            }
        }
    }

    /// The decisions of a binary model if the positive class were predicted from this score on. Exact for the points of the grid of scores, to which the
    /// threshold is rounded.
    pub(super) fn decided_at(&self, threshold: f64, ctx: &Context<'_>) -> Decisions<'static> {
        let threshold = (threshold * GRID).round() / GRID;
        let first = score_range(score_cell(threshold)).0;
        let mut counts = ClassCounts::default();
        for group in self.groups.first().into_iter().flatten() {
            if group.low >= first {
                counts.true_positive += group.positives;
                counts.false_positive += group.negatives;
            } else {
                counts.false_negative += group.positives;
                counts.true_negative += group.negatives;
            }
        }
        Decisions::of_two(counts, ctx)
    }

    /// A mean over predictions, with its interval from the squares.
    fn loss(&self, metric: Metric) -> Figure {
        let (sum, squares) = match metric {
            Metric::LogLoss => (self.losses.log_loss, self.losses.log_loss_squared),
            _ => (self.losses.brier, self.losses.brier_squared),
        };
        let n = self.losses.n;
        let value = if n > 0 { Ok((sum.value() / n as f64).max(0.0)) } else { Err(NoValue::Empty) };
        Figure::exact(value, n).within(interval::mean(n, sum.value(), squares.value()))
    }

    /// The mean of a figure over the classes that have it, by `weight`: with labels of both kinds, or any for the calibration error. Its interval reaches from the
    /// mean of the classes' lower ends to that of their upper ends: the classes depend on each other, and the errors of a mean are at most the mean of the errors.
    fn mean(&self, metric: Metric, weight: fn(&[ScoreGroup]) -> f64) -> Figure {
        let figures: Vec<_> = self.groups.iter().map(|groups| (bounded(metric, groups), weight(groups))).collect();
        let usable: Vec<(Bounded, f64)> = figures.iter().filter_map(|&(figure, weight)| Some((figure.ok()?, weight))).collect();
        let weights: f64 = usable.iter().map(|(_, weight)| weight).sum();
        let intervals = self.groups.iter().zip(&figures).filter(|(_, (figure, _))| figure.is_ok());
        let intervals: Option<Vec<(f64, f64, f64)>> =
            intervals.map(|(groups, (_, weight))| interval_of(metric, groups).map(|(low, high)| (low, high, *weight))).collect();
        let mean = match usable.len() {
            0 => Err(figures.first().and_then(|(figure, _)| figure.err()).unwrap_or(NoValue::Empty)),
            _ => Ok(Bounded {
                value: usable.iter().map(|(f, weight)| f.value * weight).sum::<f64>() / weights,
                bound: usable.iter().map(|(f, weight)| f.bound * weight).sum::<f64>() / weights,
            }),
        };
        let ends = |intervals: Vec<(f64, f64, f64)>| {
            let end = |of: fn(&(f64, f64, f64)) -> f64| intervals.iter().map(|interval| of(interval) * interval.2).sum::<f64>() / weights;
            (end(|interval| interval.0), end(|interval| interval.1))
        };
        Figure::bounded(mean, self.losses.n).within(intervals.filter(|_| weights > 0.0).map(ends))
    }
}

fn groups(table: &ScoreTable) -> Vec<ScoreGroup> {
    let group = |(cell, [negatives, positives]): (u16, [u64; 2])| {
        let (low, high) = score_range(cell);
        ScoreGroup { low, high, negatives, positives }
    };
    table.iter().map(group).collect()
}

/// The scores of the other of two classes, falling ones in rising order.
fn mirrored(groups: &[ScoreGroup]) -> Vec<ScoreGroup> {
    let turn = |g: &ScoreGroup| ScoreGroup { low: 1.0 - g.high, high: 1.0 - g.low, negatives: g.positives, positives: g.negatives };
    groups.iter().rev().map(turn).collect()
}

fn positives(groups: &[ScoreGroup]) -> u64 {
    groups.iter().map(|group| group.positives).sum()
}

fn bounded(metric: Metric, groups: &[ScoreGroup]) -> Result<Bounded, NoValue> {
    match metric {
        Metric::RocAuc => roc_auc(groups),
        Metric::PrAuc => average_precision(groups),
        Metric::Brier => brier(groups),
        Metric::CalibrationError => calibration_error(groups),
        _ => Err(NoValue::Empty),
    }
}

/// A figure of one class against the rest.
fn of_class(metric: Metric, groups: &[ScoreGroup]) -> Figure {
    let n = groups.iter().map(|g| g.negatives + g.positives).sum();
    Figure::bounded(bounded(metric, groups), n).within(interval_of(metric, groups))
}

fn interval_of(metric: Metric, groups: &[ScoreGroup]) -> Option<(f64, f64)> {
    match metric {
        Metric::RocAuc => roc_auc_interval(groups),
        Metric::PrAuc => average_precision_interval(groups),
        Metric::Brier => brier_interval(groups),
        _ => None,
    }
}
