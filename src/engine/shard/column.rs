//! A value's place in a column.

use crate::engine::reference::{ColumnReference, Reference, Slots};
use crate::engine::summary::ColumnCounts;
use crate::engine::window::InputPane;
use crate::event::{InvalidReason, Scalar, canonical_text};

/// Where a value is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Slot(usize),
    Missing,
    Invalid(InvalidReason),
}

/// The place of `value` in `column`. A number in a column of names is taken by its canonical text; a name in a column of numbers is of the wrong type.
pub(super) fn place(column: &ColumnReference, value: &Scalar<'_>) -> Place {
    match (&column.slots, value) {
        (_, Scalar::Null) => Place::Missing,
        (_, Scalar::NonFinite) => Place::Invalid(InvalidReason::NonFinite),
        (Slots::Numeric(cells), Scalar::Number(number)) if number.is_finite() => Place::Slot(cells.cell(*number)),
        (Slots::Categorical(names), value) => match canonical_text(value) {
            Some(name) => Place::Slot(names.slot(&name)),
            None => Place::Invalid(InvalidReason::WrongType),
        },
        _ => Place::Invalid(InvalidReason::WrongType),
    }
}

/// Counts a value at its place.
pub(super) fn count(counts: &mut ColumnCounts, place: Place) {
    match place {
        Place::Slot(slot) => counts.add(slot),
        Place::Missing => counts.missing += 1,
        Place::Invalid(reason) => counts.add_invalid(reason),
    }
}

/// Gives a pane the columns of the reference that it does not have yet (a reference that was being learned when the pane began).
pub(super) fn fit(pane: &mut InputPane, reference: &Reference) {
    if pane.inputs.len() != reference.inputs.len() {
        pane.inputs = reference.inputs.iter().map(|f| f.column.empty_counts()).collect();
    }
    let outputs = &reference.outputs;
    for (counts, column) in [(&mut pane.prediction, &outputs.prediction), (&mut pane.score, &outputs.score)] {
        if counts.is_none() {
            *counts = column.as_ref().map(ColumnReference::empty_counts);
        }
    }
}
