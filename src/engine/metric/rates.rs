//! What is wrong with a column's valid values: outside of what the reference has, or all the same.

use super::columns::Role;
use super::{Context, Finding, Metric, Reading, UndefinedReason};
use crate::engine::reference::{ColumnReference, Slots};
use crate::engine::settings::ColumnKind;
use crate::engine::summary::ColumnCounts;

/// Values without which a column is not called constant.
const LEAST_VALUES: u64 = 100;
/// A column is called constant where chance gives so many equal values less often than this.
const CHANCE: f64 = 1e-3;

/// The share of valid values out of the reference's range (numeric columns), and whether they are all the same, as far as they are wanted. Labels have neither: they are joined, and
/// what is wrong with them is said of quality. Counts over other slots than the reference's are taken as no counts.
pub(super) fn findings(
    ctx: &Context<'_>,
    role: Role,
    column: Option<&ColumnReference>,
    counts: Option<&ColumnCounts>,
    no_reference: UndefinedReason,
) -> Vec<Finding> {
    let kind = match (column, role) {
        (_, Role::Truth(_)) => return Vec::new(),
        (Some(column), _) => column.kind(),
        (None, Role::Answer(kind)) => kind,
        (None, Role::Feature | Role::Score) => ColumnKind::Numeric,
    };
    let metrics: &[Metric] = match kind {
        ColumnKind::Numeric => &[Metric::OutOfRangeRate, Metric::Constant],
        ColumnKind::Categorical => &[Metric::Constant],
        ColumnKind::Vector | ColumnKind::Text => &[],
    };
    let metrics: Vec<Metric> = metrics.iter().copied().filter(|&metric| ctx.wanted.contains(metric)).collect();
    if metrics.is_empty() {
        return Vec::new();
    }
    let Some(column) = column else {
        return metrics.into_iter().map(|metric| Finding::new(metric, Reading::Undefined(no_reference), 0)).collect();
    };
    let counts = counts.filter(|c| c.slots.len() == column.counts.slots.len());
    let (n_reference, n_current) = (column.counts.valid(), counts.map_or(0, ColumnCounts::valid));
    let value = |metric| match (n_reference, counts.filter(|_| n_current > 0)) {
        (0, _) => Reading::Undefined(UndefinedReason::NoReference),
        (_, None) => Reading::Undefined(UndefinedReason::NoData),
        (_, Some(counts)) if metric == Metric::Constant => Reading::Value(f64::from(u8::from(is_constant(column, counts)))),
        (_, Some(counts)) => Reading::Value(out_of_range(counts) as f64 / n_current as f64),
    };
    let finding = |metric| Finding { n_reference, on_reference: Some(0.0), ..Finding::new(metric, value(metric), n_current) };
    metrics.into_iter().map(finding).collect()
}

/// Values below the least or above the greatest of the reference. Both are points of the column, so what lies beyond them is in the first and in the last cell.
fn out_of_range(counts: &ColumnCounts) -> u64 {
    match counts.slots.as_slice() {
        [below, .., above] => below + above,
        _ => 0,
    }
}

/// Whether all values are one and the same, of a column that has others in the reference, and are so many that chance does not explain it.
///
/// Only a slot that holds a single value can tell: a point of a numeric column, a name with a slot of its own. Chance is pⁿ, p being the value's share of
/// the reference: a flag that is set in one of a thousand requests is rightly the same in most windows of a hundred.
fn is_constant(column: &ColumnReference, counts: &ColumnCounts) -> bool {
    let n = counts.valid();
    let Some(slot) = counts.slots.iter().position(|&count| count == n).filter(|_| n >= LEAST_VALUES) else { return false };
    let is_one_value = match &column.slots {
        Slots::Numeric(_) => slot % 2 == 1,
        Slots::Categorical(names) => slot < names.kept().len(),
        Slots::Vector(_) | Slots::Hashed(_) => false,
    };
    let (of_value, of_all) = (column.counts.slots.get(slot).copied().unwrap_or(0), column.counts.valid());
    let share = (of_value as f64 + 0.5) / (of_all as f64 + 1.0);
    is_one_value && of_value < of_all && n as f64 * share.ln() < CHANCE.ln()
}
