//! Rows of a reference → panes, counted as the shard counts live events.

use crate::engine::reference::table::{ColumnValues, Origin, Table};
use crate::engine::reference::{ColumnReference, Place, Reference, ReferenceQuality, Slots};
use crate::engine::summary::{ColumnCounts, Confusion, RegressionSums};
use crate::engine::window::{InputPane, OutcomePane, Quality};
use crate::event::{Scalar, class_place};
use std::borrow::Cow;
use std::sync::Arc;

/// The columns of a table by their place in a reference.
pub(super) struct Rows<'a> {
    reference: &'a Reference,
    inputs: Vec<Input<'a>>,
    prediction: Option<&'a ColumnValues>,
    score: Option<&'a ColumnValues>,
    label: Option<&'a ColumnValues>,
}

struct Input<'a> {
    column: &'a ColumnReference,
    /// `None`: the table does not have it.
    values: Option<&'a ColumnValues>,
    /// Whether names that spell a number are numbers.
    read_names: bool,
}

impl<'a> Rows<'a> {
    /// The columns of `table`; `numeric`: features that were compiled as numeric whatever they look like.
    pub(super) fn new(reference: &'a Reference, table: &'a Table, numeric: &[Arc<str>]) -> Self {
        let find = |name: &str, origin| table.columns.iter().find(|c| c.origin == origin && *c.name == *name).map(|c| &c.values);
        let inputs = reference.inputs.iter().map(|feature| Input {
            column: &feature.column,
            values: find(&feature.name, Origin::Features).or_else(|| find(&feature.name, Origin::Flat)),
            read_names: numeric.contains(&feature.name),
        });
        let output = |name: &str| find(name, Origin::Flat);
        let (prediction, score, label) = (output("prediction"), output("score"), output("label"));
        Self { reference, inputs: inputs.collect(), prediction, score, label }
    }

    /// Counts some of the rows.
    pub(super) fn count(&self, rows: &[usize]) -> (InputPane, OutcomePane) {
        (self.count_inputs(rows), self.count_outcomes(rows))
    }

    fn count_inputs(&self, rows: &[usize]) -> InputPane {
        let outputs = &self.reference.outputs;
        let mut pane = InputPane { requests: rows.len() as u64, ..InputPane::default() };
        for input in &self.inputs {
            let mut counts = input.column.empty_counts();
            if let Some(values) = input.values {
                rows.iter().for_each(|&row| input.column.place(&input.cell(values, row)).count(&mut counts));
            }
            pane.inputs.push(counts);
        }
        pane.prediction = column(&outputs.prediction, self.prediction, rows, |c, value| self.place_answer(c, value));
        pane.score = column(&outputs.score, self.score, rows, |_, value| outputs.place_score(value).unwrap_or(Place::Missing));
        pane
    }

    fn count_outcomes(&self, rows: &[usize]) -> OutcomePane {
        let outputs = &self.reference.outputs;
        let quality = match &outputs.quality {
            Some(ReferenceQuality::Numbers(sums)) => {
                let spread = outputs.label.as_ref().and_then(|label| label.moments).map_or(0.0, |moments| moments.std);
                Quality::Numbers(RegressionSums::new(sums.center, spread))
            }
            _ => Quality::Classes(Confusion::default()),
        };
        let labels = column(&outputs.label, self.label, rows, |c, value| self.place_answer(c, value));
        let mut pane = OutcomePane::new(quality, labels);
        let (Some(said), Some(truth)) = (self.prediction, self.label) else {
            // labels alone: each stands for a prediction that has it
            pane.labelled = pane.labels.as_ref().map_or(0, ColumnCounts::valid);
            pane.expected = pane.labelled;
            return pane;
        };
        for &row in rows {
            let (said, truth) = (said.get(row), truth.get(row));
            pane.expected += u64::from(!said.is_null());
            let counted = match &mut pane.quality {
                Quality::Classes(confusion) => match (class_place(&outputs.classes, &said), class_place(&outputs.classes, &truth)) {
                    (Some(said), Some(truth)) => {
                        confusion.add(truth as u16, said as u16);
                        true
                    }
                    _ => false,
                },
                Quality::Numbers(sums) => match (said, truth) {
                    (Scalar::Number(said), Scalar::Number(truth)) => {
                        sums.add(said, truth);
                        true
                    }
                    _ => false,
                },
            };
            pane.labelled += u64::from(counted);
        }
        pane
    }

    /// Where a prediction or label belongs: a class by the label map, a number by the cells.
    fn place_answer(&self, column: &ColumnReference, value: &Scalar<'_>) -> Place {
        let classes = &self.reference.outputs.classes;
        if classes.is_empty() {
            return column.place(value);
        }
        match self.reference.outputs.place_class(value) {
            Place::Slot(class) => column.place(&Scalar::Text(Cow::Borrowed(&*classes[class]))),
            other => other,
        }
    }
}

impl Input<'_> {
    fn cell<'v>(&self, values: &'v ColumnValues, row: usize) -> Scalar<'v> {
        let value = values.get(row);
        match (&value, &self.column.slots) {
            (Scalar::Text(text), Slots::Numeric(_)) if self.read_names => match text.trim().parse::<f64>() {
                Ok(number) if number.is_nan() => Scalar::Null,
                Ok(number) => Scalar::Number(number),
                Err(_) => value,
            },
            _ => value,
        }
    }
}

/// Counts of one output, where reference and table have it.
fn column(
    column: &Option<ColumnReference>,
    values: Option<&ColumnValues>,
    rows: &[usize],
    place: impl Fn(&ColumnReference, &Scalar<'_>) -> Place,
) -> Option<ColumnCounts> {
    let (column, values) = (column.as_ref()?, values?);
    let mut counts = column.empty_counts();
    for &row in rows {
        place(column, &values.get(row)).count(&mut counts);
    }
    Some(counts)
}

/// The reference without the rows of one of its windows, as far as distances go by its counts.
pub(super) fn without(reference: &Reference, inputs: &InputPane, outcomes: &OutcomePane) -> Reference {
    let mut rest = reference.clone();
    for (feature, counts) in rest.inputs.iter_mut().zip(&inputs.inputs) {
        feature.column.counts.unmerge(counts);
    }
    let outputs = &mut rest.outputs;
    let columns =
        [(&mut outputs.prediction, &inputs.prediction), (&mut outputs.score, &inputs.score), (&mut outputs.label, &outcomes.labels)];
    for (column, counts) in columns {
        if let (Some(column), Some(counts)) = (column, counts) {
            column.counts.unmerge(counts);
        }
    }
    rest
}
