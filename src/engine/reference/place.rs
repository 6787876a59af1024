//! Where one live value belongs in a column of the reference: the counterpart of the compiler, so that both count by the same rules.

use super::{Cells, ColumnReference, OutputReference, Slots};
use crate::engine::summary::ColumnCounts;
use crate::event::{InvalidReason, Scalar, canonical_text, class_place};

/// Where a value belongs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// Into this slot.
    Slot(usize),
    /// A finite number, into the cell that is its own: found when it is counted, which may be later.
    Number(f64),
    /// Into many slots, which are counted by their own means.
    Many,
    /// Nothing was said.
    Missing,
    /// It cannot be used.
    Invalid(InvalidReason),
}

impl ColumnReference {
    /// Where a value belongs in this column. In a numeric column names are of the wrong type, numbers in quotes too; in a categorical
    /// column a number and its text are one category. Not for columns of classes: those go by [`OutputReference::place_class`].
    #[inline]
    pub fn place(&self, value: &Scalar<'_>) -> Place {
        match (&self.slots, value) {
            (Slots::Numeric(_), Scalar::Number(number)) if number.is_finite() => Place::Number(*number),
            _ => self.place_other(value),
        }
    }

    /// Where anything but a number of a numeric column belongs.
    fn place_other(&self, value: &Scalar<'_>) -> Place {
        match (&self.slots, value) {
            (_, Scalar::Null) => Place::Missing,
            (Slots::Vector(dimension), Scalar::Vector(vector)) if vector.len() == *dimension => {
                if vector.iter().all(|x| x.is_finite()) {
                    Place::Slot(0)
                } else {
                    Place::Invalid(InvalidReason::NonFinite)
                }
            }
            (_, Scalar::Structured | Scalar::List(_) | Scalar::Vector(_)) | (Slots::Hashed(_) | Slots::Vector(_), _) => {
                Place::Invalid(InvalidReason::WrongType)
            }
            (Slots::Numeric(_), Scalar::Text(_) | Scalar::Bool(_)) => Place::Invalid(InvalidReason::WrongType),
            (Slots::Categorical(categories), value) => match canonical_text(value) {
                Some(text) => Place::Slot(categories.slot(&text)),
                None => Place::Invalid(InvalidReason::NonFinite),
            },
            (Slots::Numeric(_), Scalar::Number(_) | Scalar::NonFinite) => Place::Invalid(InvalidReason::NonFinite),
        }
    }
}

impl ColumnReference {
    /// Counts what belongs to `place` of this column.
    pub fn count(&self, place: Place, counts: &mut ColumnCounts) {
        match place {
            Place::Slot(slot) => counts.add(slot),
            Place::Number(number) => self.count_numbers(&[number], counts),
            Place::Many => {}
            Place::Missing => counts.missing += 1,
            Place::Invalid(reason) => counts.add_invalid(reason),
        }
    }

    /// Takes a value that was counted there out again (a revised label). What was missing or invalid stays counted.
    pub fn take_back(&self, place: Place, counts: &mut ColumnCounts) {
        match (place, &self.slots) {
            (Place::Slot(slot), _) => counts.remove(slot),
            (Place::Number(number), Slots::Numeric(cells)) => {
                let Spot { slot, deviation, beyond } = self.spot(cells, number);
                counts.remove_number(slot, deviation, beyond);
            }
            (Place::Number(_) | Place::Many | Place::Missing | Place::Invalid(_), _) => {}
        }
    }

    /// Counts the numbers of many places of a numeric column, one after the other: while its cells are at hand.
    pub fn count_numbers(&self, numbers: &[f64], counts: &mut ColumnCounts) {
        let Slots::Numeric(cells) = &self.slots else { return };
        let Some(sums) = counts.sums else {
            return numbers.iter().for_each(|&number| counts.add(cells.cell(number)));
        };
        let (mean, last) = (self.moments.map_or(0.0, |moments| moments.mean), cells.n_cells() - 1);
        let mut sums = sums;
        sums.deviation.add_all(numbers.iter().map(|&number| number - mean));
        for &number in numbers {
            let slot = cells.cell(number);
            counts.add(slot);
            if slot == 0 || slot == last {
                sums.add_beyond(cells.beyond(number));
            }
        }
        counts.sums = Some(sums);
    }

    /// The cell of a finite number in a numeric column; `None` in any other.
    pub fn cell(&self, number: f64) -> Option<usize> {
        if let Slots::Numeric(cells) = &self.slots { Some(cells.cell(number)) } else { None }
    }

    fn spot(&self, cells: &Cells, number: f64) -> Spot {
        let deviation = number - self.moments.map_or(0.0, |moments| moments.mean);
        Spot { slot: cells.cell(number), deviation, beyond: cells.beyond(number) }
    }
}

/// What a number adds to a numeric column: one to a cell, and to the sums what [`NumberSums`] wants of it.
///
/// [`NumberSums`]: crate::engine::summary::NumberSums
struct Spot {
    slot: usize,
    deviation: f64,
    beyond: f64,
}

impl OutputReference {
    /// Where a predicted or true class belongs: its place in the label map, which is its slot and its row or column of the confusion matrix.
    pub fn place_class(&self, value: &Scalar<'_>) -> Place {
        match value {
            Scalar::Null => Place::Missing,
            Scalar::Structured | Scalar::List(_) | Scalar::Vector(_) => Place::Invalid(InvalidReason::WrongType),
            Scalar::NonFinite => Place::Invalid(InvalidReason::NonFinite),
            _ => class_place(&self.classes, value).map_or(Place::Invalid(InvalidReason::UnknownClass), Place::Slot),
        }
    }

    /// Where a score belongs, `None` where the reference has none; outside 0 to 1 it is invalid.
    pub fn place_score(&self, value: &Scalar<'_>) -> Option<Place> {
        let column = self.score.as_ref()?;
        Some(match value {
            Scalar::Number(number) if number.is_finite() && !(0.0..=1.0).contains(number) => Place::Invalid(InvalidReason::OutOfRange),
            value => column.place(value),
        })
    }
}
