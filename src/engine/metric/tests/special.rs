//! Numbers, vectors, texts and names of one case side by side: the reference of such rows, and the pane of others.

use super::*;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::{Column, Table};
use crate::engine::summary::{MomentSums, VectorSums};

/// Columns that are made of one value: e a vector, n its name, t a text, x the number.
const COLUMNS: [&str; 4] = ["e", "n", "t", "x"];

/// The cell of a column.
fn cell(column: &str, seen: &Seen) -> Scalar<'static> {
    match (seen, column) {
        (Seen::Missing, _) => Scalar::Null,
        (Seen::Invalid, _) => Scalar::Structured,
        (Seen::Number(v), "e") => Scalar::Vector(vec![*v, -v, 1.0].into()),
        (Seen::Number(v), "n") => Scalar::Text(format!("{v}").into()),
        (Seen::Number(v), "t") => Scalar::Text(format!("about {v} or {:.0}", v % 10.0).into()),
        (Seen::Number(v), _) => Scalar::Number(*v),
    }
}

/// The reference of rows with all these columns; there must be a row.
pub(super) fn special_reference(rows: &[Seen]) -> Reference {
    let columns = COLUMNS.map(|name| Column::of(name, rows.iter().map(|seen| cell(name, seen))));
    let spec = CompileSpec { text: vec!["t".into()], categorical: vec!["n".into()], numeric: vec!["x".into()], ..CompileSpec::default() };
    let reference = compile(&Table::new(columns.into()), &spec).unwrap().reference;
    reference.check().unwrap();
    reference
}

/// The pane of rows, counted as a shard does.
pub(super) fn special_pane<'a>(reference: &Reference, rows: impl Iterator<Item = &'a Seen>) -> InputPane {
    let encodings = &reference.encodings;
    let mut pane = InputPane { inputs: reference.inputs.iter().map(|f| f.column.empty_counts()).collect(), ..InputPane::default() };
    pane.moments = encodings.moments.as_ref().map(|m| MomentSums::new(m.dimensions.len()));
    pane.vectors.resize_with(encodings.vectors.len(), VectorSums::default);
    let mut units = Vec::new();
    for seen in rows {
        let of_input = |name: &str| COLUMNS.contains(&name).then(|| cell(name, seen));
        for (input, counts) in reference.inputs.iter().zip(&mut pane.inputs) {
            if let Some(value) = of_input(&input.name) {
                input.column.count(input.column.place(&value), counts);
            }
        }
        if let (Scalar::Text(text), Some(known)) = (cell("t", seen), encodings.texts.first()) {
            let grams = known.figures(&text).grams;
            pane.inputs[known.grams].slots.iter_mut().zip(&grams).for_each(|(sum, n)| *sum += n);
        }
        if let (Scalar::Vector(vector), Some(known)) = (cell("e", seen), encodings.vectors.first())
            && known.projection().features(&vector, &mut units)
        {
            pane.vectors[0].add(&units);
        }
        if let (Some(sums), Some(known)) = (&mut pane.moments, &encodings.moments) {
            let row = known.dimensions.iter().map(|d| {
                let input = &reference.inputs[d.input];
                of_input(&input.name).map_or(0, |value| d.units(&value, input.column.place(&value)))
            });
            sums.add(&row.collect::<Vec<i32>>());
        }
    }
    pane
}
