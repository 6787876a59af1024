//! All inputs of a table together: the only figure for which the values of one row are looked at side by side.

use super::numeric::{Names, number};
use super::{CompileSpec, Note, NoteKind};
use crate::engine::reference::FeatureReference;
use crate::engine::reference::moments::{Dimension, Encoding, MAX_INPUTS, MomentReference};
use crate::engine::reference::table::ColumnValues;
use crate::engine::summary::MomentSums;
use crate::event::Scalar;

/// Compiles mean and covariance of the inputs; `values` has the cells of an input by its name.
pub(super) fn compile_moments<'a>(
    inputs: &[FeatureReference],
    values: impl Fn(&str) -> Option<&'a ColumnValues>,
    spec: &CompileSpec,
    rows: usize,
    notes: &mut Vec<Note>,
) -> Option<MomentReference> {
    let mut dimensions: Vec<(Dimension, &ColumnValues)> = Vec::new();
    for (place, input) in inputs.iter().enumerate() {
        if let (Some(dimension), Some(cells)) = (Dimension::of(place, &input.column), values(&input.name)) {
            dimensions.push((dimension, cells));
        }
    }
    if dimensions.len() > MAX_INPUTS {
        let dropped = dimensions.split_off(MAX_INPUTS);
        let first = dropped.first().map(|(dimension, _)| inputs[dimension.input].name.to_string()).unwrap_or_default();
        notes.push(Note { column: None, kind: NoteKind::TooManyInputs { kept: MAX_INPUTS as u64, first } });
    }
    let mut sums = MomentSums::new(dimensions.len());
    let mut units = vec![0; dimensions.len()];
    for row in 0..rows {
        for (unit, (dimension, cells)) in units.iter_mut().zip(&dimensions) {
            let (input, value) = (&inputs[dimension.input], cells.get(row));
            *unit = match dimension.encoding {
                // a name in a column that is numeric by order may spell a number
                Encoding::Number { .. } => match number(&value, names(&input.name, spec)) {
                    Ok(Some(number)) => dimension.units(&Scalar::Number(number), input.column.place(&Scalar::Number(number))),
                    _ => 0,
                },
                Encoding::Frequency(_) => dimension.units(&value, input.column.place(&value)),
            };
        }
        sums.add(&units);
    }
    MomentReference::new(dimensions.into_iter().map(|(dimension, _)| dimension).collect(), &sums)
}

fn names(input: &str, spec: &CompileSpec) -> Names {
    if spec.numeric.iter().any(|name| **name == *input) { Names::Read } else { Names::Invalid }
}
