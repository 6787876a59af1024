//! A categorical column: which names have a slot of their own, and counts.

use super::CompiledColumn;
use crate::engine::reference::table::ColumnValues;
use crate::engine::reference::{Categories, ColumnReference, Slots};
use crate::engine::summary::ColumnCounts;
use crate::event::{InvalidReason, Scalar, canonical_text, class_place};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Compiles a categorical column: the `kept` names of greatest mass have a slot of their own (ties: the lesser name), further names up to
/// `remembered` in all are known to be in the reference.
pub(super) fn categorical_column(values: &ColumnValues, kept: usize, remembered: usize) -> CompiledColumn {
    let mut counts = ColumnCounts::new(0);
    let mut names: BTreeMap<Arc<str>, u64> = BTreeMap::new();
    for value in values.iter() {
        let Some(text) = usable(&value, &mut counts) else { continue };
        match names.get_mut(&*text) {
            Some(count) => *count += 1,
            None => drop(names.insert(Arc::from(&*text), 1)),
        }
    }
    let mut by_mass: Vec<(&Arc<str>, u64)> = names.iter().map(|(name, &count)| (name, count)).collect();
    by_mass.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let first = |n: usize| by_mass.iter().take(n).map(|&(name, _)| name.clone()).collect::<Vec<_>>();
    let truncated = names.len() > remembered.max(kept);
    let other = first(remembered).split_off(kept.min(names.len()).min(remembered));
    let categories = Categories::new(first(kept), other, truncated);
    counts.slots = vec![0; categories.n_slots()];
    for (name, &count) in &names {
        counts.slots[categories.slot(name)] += count;
    }
    CompiledColumn { column: column(categories, counts), distinct: names.len() as u64 }
}

/// Compiles a column of classes: one slot per class, in the order of `classes`, which are sorted. Other values are invalid.
pub(super) fn class_column(values: &ColumnValues, classes: &[Arc<str>]) -> CompiledColumn {
    let categories = Categories::new(classes.to_vec(), Vec::new(), false);
    let mut counts = ColumnCounts::new(categories.n_slots());
    for value in values.iter() {
        if usable(&value, &mut counts).is_some() {
            match class_place(classes, &value) {
                Some(class) => counts.add(class),
                None => counts.add_invalid(InvalidReason::UnknownClass),
            }
        }
    }
    let distinct = counts.slots.iter().filter(|&&count| count > 0).count() as u64;
    CompiledColumn { column: column(categories, counts), distinct }
}

/// The canonical text of a cell; what has none is counted.
fn usable<'a>(value: &'a Scalar<'_>, counts: &mut ColumnCounts) -> Option<std::borrow::Cow<'a, str>> {
    let text = canonical_text(value);
    match value {
        Scalar::Null => counts.missing += 1,
        _ if text.is_some() => {}
        Scalar::Structured | Scalar::Vector(_) => counts.add_invalid(InvalidReason::WrongType),
        _ => counts.add_invalid(InvalidReason::NonFinite),
    }
    text
}

/// Every slot is a bin of its own, `other` and `new` too.
fn column(categories: Categories, counts: ColumnCounts) -> ColumnReference {
    let n_bins = categories.n_slots() as u16;
    ColumnReference { slots: Slots::Categorical(categories), counts, bins: (0..n_bins).collect(), n_bins, moments: None }
}
