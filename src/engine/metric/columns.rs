//! One column of a window against the same column of the reference: drift and data quality.
//!
//! Nulls and invalid values are left out of distributions and have rates of their own, over all events that the column saw.

use super::{Finding, Metric, Reading, UndefinedReason};
use crate::engine::reference::{ColumnReference, Slots};
use crate::engine::settings::{ColumnKind, Task};
use crate::engine::summary::ColumnCounts;
use crate::stats::{self, Smoothing};

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
    fn metrics(self, column: Option<&ColumnReference>) -> &'static [Metric] {
        use Metric::{InvalidRate, Ks, MissingRate, NewCategoryRate, Psi, TotalVariation};
        let kind_or = |kind| column.map_or(kind, ColumnReference::kind);
        match self {
            Self::Feature => match kind_or(ColumnKind::Numeric) {
                ColumnKind::Numeric => &[Psi, Ks, TotalVariation, MissingRate, InvalidRate],
                ColumnKind::Categorical => &[Psi, TotalVariation, MissingRate, InvalidRate, NewCategoryRate],
                // n-grams and events do not add up to a rate: the other columns of a text tell how many are missing or invalid
                ColumnKind::Text => &[Psi, TotalVariation],
                // how far they are from each other is measured elsewhere
                ColumnKind::Vector => &[MissingRate, InvalidRate],
            },
            Self::Answer(kind) => match kind_or(kind) {
                ColumnKind::Numeric => &[Psi, Ks, TotalVariation, MissingRate, InvalidRate],
                ColumnKind::Categorical | ColumnKind::Text | ColumnKind::Vector => &[Psi, TotalVariation, MissingRate, InvalidRate],
            },
            Self::Score => &[Psi, Ks, MissingRate, InvalidRate],
            Self::Truth(kind) => match kind_or(kind) {
                ColumnKind::Numeric => &[Psi, Ks, TotalVariation],
                ColumnKind::Categorical | ColumnKind::Text | ColumnKind::Vector => &[Psi, TotalVariation],
            },
        }
    }
}

fn answer_kind(task: Task) -> ColumnKind {
    match task {
        Task::Binary | Task::Multiclass => ColumnKind::Categorical,
        Task::Regression => ColumnKind::Numeric,
    }
}

/// What a column's counts say. `no_reference` is the reason where the reference does not have the column, `no_data` where the window has
/// no valid value of it. Counts over other slots than the reference's cannot be compared and are taken as no counts.
pub(super) fn findings(
    role: Role,
    column: Option<&ColumnReference>,
    counts: Option<&ColumnCounts>,
    no_reference: UndefinedReason,
    no_data: UndefinedReason,
) -> Vec<Finding> {
    let metrics = role.metrics(column).iter();
    let Some(column) = column else {
        return metrics.map(|&metric| Finding::new(metric, Reading::Undefined(no_reference), 0)).collect();
    };
    let empty = column.empty_counts();
    let counts = counts.filter(|c| c.slots.len() == empty.slots.len()).unwrap_or(&empty);
    metrics
        .map(|&metric| match metric {
            Metric::MissingRate => events_rate(metric, column, counts, |c| c.missing),
            Metric::InvalidRate => events_rate(metric, column, counts, ColumnCounts::invalid),
            Metric::NewCategoryRate => new_category_rate(column, counts),
            _ => drift(metric, column, counts, no_data),
        })
        .collect()
}

/// A distance between the two distributions of valid values.
fn drift(metric: Metric, column: &ColumnReference, counts: &ColumnCounts, no_data: UndefinedReason) -> Finding {
    let (n_reference, n_current) = (column.counts.valid(), counts.valid());
    let undefined = if n_reference == 0 { UndefinedReason::NoReference } else { no_data };
    let mut finding = Finding { n_reference, ..Finding::new(metric, Reading::Undefined(undefined), n_current) };
    match metric {
        Metric::Ks => {
            if let Some(ks) = stats::ks(&column.counts.slots, &counts.slots) {
                (finding.reading, finding.error_bound) = (Reading::Value(ks.distance), ks.bound);
            }
        }
        Metric::TotalVariation => {
            let (reference, current) = match column.slots {
                Slots::Numeric(_) => (column.binned(&column.counts), column.binned(counts)),
                Slots::Categorical(_) | Slots::Vector(_) | Slots::Hashed(_) => (column.counts.slots.clone(), counts.slots.clone()),
            };
            if let Some(value) = stats::total_variation(&reference, &current) {
                finding.reading = Reading::Value(value);
                finding.degrees = stats::occupied(&reference, &current).saturating_sub(1);
            }
        }
        _ => {
            debug_assert_eq!(metric, Metric::Psi);
            if let Some(psi) = stats::psi(&column.binned(&column.counts), &column.binned(counts), Smoothing::Jeffreys) {
                (finding.reading, finding.degrees) = (Reading::Value(psi.value), psi.bins.saturating_sub(1));
            }
        }
    }
    finding
}

/// The share of a column's events that `part` counts, and the same share on the reference.
fn events_rate(metric: Metric, column: &ColumnReference, counts: &ColumnCounts, part: fn(&ColumnCounts) -> u64) -> Finding {
    let share = |c: &ColumnCounts| (c.total() > 0).then(|| part(c) as f64 / c.total() as f64);
    let reading = share(counts).map_or(Reading::Undefined(UndefinedReason::NoData), Reading::Value);
    let on_reference = share(&column.counts);
    Finding { n_reference: column.counts.total(), on_reference, ..Finding::new(metric, reading, counts.total()) }
}

/// The share of valid values whose category the reference does not have.
fn new_category_rate(column: &ColumnReference, counts: &ColumnCounts) -> Finding {
    let (n_reference, n_current) = (column.counts.valid(), counts.valid());
    let new = match &column.slots {
        Slots::Categorical(categories) => counts.slots.get(categories.new_slot()).copied().unwrap_or(0),
        Slots::Numeric(_) | Slots::Vector(_) | Slots::Hashed(_) => 0,
    };
    let reading = match (n_reference, n_current) {
        (0, _) => Reading::Undefined(UndefinedReason::NoReference),
        (_, 0) => Reading::Undefined(UndefinedReason::NoData),
        _ => Reading::Value(new as f64 / n_current as f64),
    };
    Finding { n_reference, ..Finding::new(Metric::NewCategoryRate, reading, n_current) }
}
