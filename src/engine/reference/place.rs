//! Where one live value belongs in a column of the reference: the counterpart of the compiler, so that both count by the same rules.

use super::{Cells, ColumnReference, OutputReference, Slots};
use crate::event::{InvalidReason, Scalar, canonical_text, class_place};

/// Where a value belongs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// Into this slot.
    Slot(usize),
    /// A number, into this slot.
    Number {
        /// Its cell.
        slot: usize,
        /// How far it is above the reference's mean.
        deviation: f64,
        /// How far it is above the reference's greatest point, or (negative) below its least; 0 between them.
        beyond: f64,
    },
    /// Into many slots, which are counted by their own means.
    Many,
    /// Nothing was said.
    Missing,
    /// It cannot be used.
    Invalid(InvalidReason),
}

impl Place {
    /// Counts it.
    pub fn count(self, counts: &mut crate::engine::summary::ColumnCounts) {
        match self {
            Self::Slot(slot) => counts.add(slot),
            Self::Number { slot, deviation, beyond } => counts.add_number(slot, deviation, beyond),
            Self::Many => {}
            Self::Missing => counts.missing += 1,
            Self::Invalid(reason) => counts.add_invalid(reason),
        }
    }

    /// Takes a value that was counted there out again (a revised label). What was missing or invalid stays counted.
    pub fn take_back(self, counts: &mut crate::engine::summary::ColumnCounts) {
        match self {
            Self::Slot(slot) => counts.remove(slot),
            Self::Number { slot, deviation, beyond } => counts.remove_number(slot, deviation, beyond),
            Self::Many | Self::Missing | Self::Invalid(_) => {}
        }
    }
}

impl ColumnReference {
    /// Where a value belongs in this column. In a numeric column names are of the wrong type, numbers in quotes too; in a categorical
    /// column a number and its text are one category. Not for columns of classes: those go by [`OutputReference::place_class`].
    pub fn place(&self, value: &Scalar<'_>) -> Place {
        match (&self.slots, value) {
            (_, Scalar::Null) => Place::Missing,
            (Slots::Vector(dimension), Scalar::Vector(vector)) if vector.len() == *dimension => {
                if vector.iter().all(|x| x.is_finite()) {
                    Place::Slot(0)
                } else {
                    Place::Invalid(InvalidReason::NonFinite)
                }
            }
            (_, Scalar::Structured | Scalar::Vector(_)) | (Slots::Hashed(_) | Slots::Vector(_), _) => {
                Place::Invalid(InvalidReason::WrongType)
            }
            (Slots::Numeric(cells), Scalar::Number(number)) if number.is_finite() => self.place_number(cells, *number),
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
    /// Where a finite number belongs in this column, whose cells are `cells`.
    fn place_number(&self, cells: &Cells, number: f64) -> Place {
        let slot = cells.cell(number);
        let deviation = number - self.moments.map_or(0.0, |moments| moments.mean);
        let beyond = match (cells.points().first(), cells.points().last()) {
            (Some(least), _) if slot == 0 => number - least,
            (_, Some(greatest)) if slot + 1 == cells.n_cells() => number - greatest,
            _ => 0.0,
        };
        Place::Number { slot, deviation, beyond }
    }
}

impl OutputReference {
    /// Where a predicted or true class belongs: its place in the label map, which is its slot and its row or column of the confusion matrix.
    pub fn place_class(&self, value: &Scalar<'_>) -> Place {
        match value {
            Scalar::Null => Place::Missing,
            Scalar::Structured | Scalar::Vector(_) => Place::Invalid(InvalidReason::WrongType),
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
