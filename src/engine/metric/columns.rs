//! One column of a window against the same column of the reference: drift and data quality.
//!
//! Nulls and invalid values are left out of distributions and have rates of their own, over all events that the column saw.

use super::{Context, Finding, Metric, Part, Reading, UndefinedReason};
use crate::engine::reference::{ColumnReference, Contribution, Incomparable, Pair, Slots};
use crate::engine::settings::{ColumnKind, Task};
use crate::engine::summary::ColumnCounts;

/// Contributions that a measurement names.
const MOST_PARTS: usize = 3;

/// What a column is to the model; decides what is measured on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// An input.
    Feature,
    /// The model's answers, of the kind that the task asks for.
    Answer(ColumnKind),
    /// Scores of the positive class.
    Score,
    /// Labels, of the kind that the task asks for. They are joined, so none is missing or invalid.
    Truth(ColumnKind),
}

impl Role {
    /// The answers of a model with that task.
    pub(super) fn answer(task: Task) -> Self {
        Self::Answer(answer_kind(task))
    }

    /// The labels of a model with that task.
    pub(super) fn truth(task: Task) -> Self {
        Self::Truth(answer_kind(task))
    }

    /// What is measured, in the order of [`Metric::ALL`]. A column of the reference knows its kind better than the task does.
    fn metrics(self, column: Option<&ColumnReference>) -> impl Iterator<Item = Metric> {
        use Metric::{InvalidRate, MissingRate, NewCategoryRate};
        let kind_or = |kind| column.map_or(kind, ColumnReference::kind);
        let (kind, rates): (_, &[Metric]) = match self {
            Self::Feature => match kind_or(ColumnKind::Numeric) {
                ColumnKind::Numeric => (ColumnKind::Numeric, &[MissingRate, InvalidRate]),
                ColumnKind::Categorical => (ColumnKind::Categorical, &[MissingRate, InvalidRate, NewCategoryRate]),
                // n-grams and events do not add up to a rate: the other columns of a text tell how many are missing or invalid
                ColumnKind::Text => (ColumnKind::Text, &[]),
                ColumnKind::Vector => (ColumnKind::Vector, &[MissingRate, InvalidRate]),
            },
            Self::Answer(kind) => (kind_or(kind), &[MissingRate, InvalidRate]),
            Self::Score => (ColumnKind::Numeric, &[MissingRate, InvalidRate]),
            Self::Truth(kind) => (kind_or(kind), &[]),
        };
        // how far vectors are from each other is measured elsewhere
        let distances = Metric::ALL.iter().filter(move |metric| metric.compares(kind) && kind != ColumnKind::Vector);
        distances.chain(rates).copied()
    }
}

fn answer_kind(task: Task) -> ColumnKind {
    match task {
        Task::Binary | Task::Multiclass | Task::Ranking => ColumnKind::Categorical,
        Task::Regression => ColumnKind::Numeric,
    }
}

/// What a column's counts say, of the metrics that are wanted. `no_reference` is the reason where the reference does not have the column, `no_data` where the window has
/// no valid value of it. Counts over other slots than the reference's cannot be compared and are taken as no counts.
pub(super) fn findings(
    ctx: &Context<'_>,
    role: Role,
    column: Option<&ColumnReference>,
    counts: Option<&ColumnCounts>,
    no_reference: UndefinedReason,
    no_data: UndefinedReason,
) -> Vec<Finding> {
    let metrics = role.metrics(column).filter(|&metric| ctx.wanted.contains(metric));
    let Some(column) = column else {
        return metrics.map(|metric| Finding::new(metric, Reading::Undefined(no_reference), 0)).collect();
    };
    let empty;
    let counts = match counts.filter(|counts| counts.slots.len() == column.counts.slots.len()) {
        Some(counts) => counts,
        None => {
            empty = column.empty_counts();
            &empty
        }
    };
    let pair = column.pair(&column.counts, counts);
    metrics
        .map(|metric| match metric {
            Metric::MissingRate => events_rate(metric, column, counts, &pair, |c| c.missing),
            Metric::InvalidRate => events_rate(metric, column, counts, &pair, ColumnCounts::invalid),
            Metric::NewCategoryRate => new_category_rate(column, counts, &pair),
            _ => drift(metric, column, &pair, no_data, if ctx.names_parts { MOST_PARTS } else { 0 }),
        })
        .collect()
}

/// A distance of the valid values of a window from those of the reference over the column's slots.
fn drift(metric: Metric, column: &ColumnReference, pair: &Pair<'_>, no_data: UndefinedReason, most_parts: usize) -> Finding {
    let finding = Finding { n_reference: pair.n_reference(), ..Finding::new(metric, Reading::Undefined(no_data), pair.n_current()) };
    match pair.compare(metric) {
        Ok(compared) => Finding {
            reading: Reading::Value(compared.value),
            error_bound: compared.error_bound,
            degrees: compared.degrees,
            p_value: compared.p_value.filter(|_| column.kind() != ColumnKind::Text),
            parts: pair.parts(metric, most_parts).into_iter().map(part).collect(),
            ..finding
        },
        Err(reason) => {
            let reason = match reason {
                Incomparable::NoReference => UndefinedReason::NoReference,
                Incomparable::NoData => no_data,
                Incomparable::NotInReference => UndefinedReason::NotInReference,
                Incomparable::OutOfRange => UndefinedReason::OutOfRange,
            };
            Finding { reading: Reading::Undefined(reason), ..finding }
        }
    }
}

/// The parts that a distance of a column from the reference names, where it was measured without naming them; none of what is no such distance.
pub fn named_parts(column: &ColumnReference, counts: &ColumnCounts, metric: Metric) -> Vec<Part> {
    let is_named = metric.compares(column.kind()) && column.kind() != ColumnKind::Vector;
    let parts = || column.pair(&column.counts, counts).parts(metric, MOST_PARTS);
    if is_named { parts().into_iter().map(part).collect() } else { Vec::new() }
}

fn part(contribution: Contribution) -> Part {
    let Contribution { name, reference, current, contribution } = contribution;
    Part { name, reference, current, contribution }
}

/// The share of a column's events that `part` counts, and the same share on the reference.
fn events_rate(
    metric: Metric,
    column: &ColumnReference,
    counts: &ColumnCounts,
    pair: &Pair<'_>,
    part: fn(&ColumnCounts) -> u64,
) -> Finding {
    let total = |c: &ColumnCounts, valid: u64| valid + c.missing + c.invalid();
    let (n_reference, n_current) = (total(&column.counts, pair.n_reference()), total(counts, pair.n_current()));
    let share = |c: &ColumnCounts, n: u64| (n > 0).then(|| part(c) as f64 / n as f64);
    let reading = share(counts, n_current).map_or(Reading::Undefined(UndefinedReason::NoData), Reading::Value);
    let on_reference = share(&column.counts, n_reference);
    Finding { n_reference, on_reference, ..Finding::new(metric, reading, n_current) }
}

/// The share of valid values whose category the reference does not have.
fn new_category_rate(column: &ColumnReference, counts: &ColumnCounts, pair: &Pair<'_>) -> Finding {
    let (n_reference, n_current) = (pair.n_reference(), pair.n_current());
    let new = match &column.slots {
        Slots::Categorical(categories) => counts.slots.get(categories.new_slot()).copied().unwrap_or(0),
        Slots::Numeric(_) | Slots::Vector(_) | Slots::Hashed(_) => 0,
    };
    let reading = match (n_reference, n_current) {
        (0, _) => Reading::Undefined(UndefinedReason::NoReference),
        (_, 0) => Reading::Undefined(UndefinedReason::NoData),
        _ => Reading::Value(new as f64 / n_current as f64),
    };
    // what the reference has is not new to it
    let on_reference = (n_reference > 0).then_some(0.0);
    Finding { n_reference, on_reference, ..Finding::new(Metric::NewCategoryRate, reading, n_current) }
}
