//! Rows of a reference → panes, counted as the shard counts live events.

use super::CalibrationSpec;
use super::special::{CHUNK, TextRows, Together, VectorRows};
use crate::engine::catalogue::Metric;
use crate::engine::reference::table::{ColumnValues, Origin, Table};
use crate::engine::reference::{ColumnReference, Place, Reference, ReferenceQuality, Slots};
use crate::engine::settings::Task;
use crate::engine::summary::{ColumnCounts, Confusion, MomentSums, RegressionSums, Scores};
use crate::engine::window::{InputPane, OutcomePane, Quality};
use crate::event::{Scalar, class_place};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

/// The columns of a table by their place in a reference.
pub(super) struct Rows<'a> {
    reference: &'a Reference,
    inputs: Vec<Input<'a>>,
    /// The features that four inputs each are made of.
    texts: Vec<TextRows<'a>>,
    /// In the order of the reference's.
    vectors: Vec<VectorRows<'a>>,
    /// Whether all inputs are looked at together.
    together: bool,
    n_rows: usize,
    /// All inputs of all rows together, once somebody wants them.
    all: OnceCell<Option<MomentSums>>,
    prediction: Option<&'a ColumnValues>,
    score: Option<&'a ColumnValues>,
    label: Option<&'a ColumnValues>,
    /// Scores by class, in the order of the label map; empty where one is missing, or of a model of two classes or of numbers.
    scores: Vec<&'a ColumnValues>,
    /// The place of a binary model's positive class.
    positive: Option<usize>,
}

struct Input<'a> {
    column: &'a ColumnReference,
    /// `None`: the table does not have it as it is (nor at all, or as a text or a vector).
    values: Option<&'a ColumnValues>,
    /// Whether names that spell a number are numbers.
    read_names: bool,
}

impl<'a> Rows<'a> {
    /// The columns of `table`.
    pub(super) fn new(reference: &'a Reference, table: &'a Table, spec: &CalibrationSpec) -> Self {
        let find = |name: &str, origin| table.columns.iter().find(|c| c.origin == origin && *c.name == *name).map(|c| &c.values);
        let feature = |name: &str| find(name, Origin::Features).or_else(|| find(name, Origin::Flat));
        let inputs = reference.inputs.iter().map(|input| Input {
            column: &input.column,
            values: feature(&input.name).filter(|_| !matches!(input.column.slots, Slots::Vector(_))),
            read_names: spec.numeric.contains(&input.name),
        });
        let texts = reference.encodings.texts.iter().filter_map(|text| Some(TextRows::new(text, feature(&text.source)?)));
        let projected = spec.calibrates(Metric::Mmd);
        let vectors = reference.inputs.iter().enumerate().filter(|(_, input)| matches!(input.column.slots, Slots::Vector(_)));
        let vectors =
            vectors.filter_map(|(place, input)| Some(VectorRows::new(reference, place, feature(&input.name)?, projected, table.rows)));
        let output = |name: &str| find(name, Origin::Flat);
        let (prediction, score, label) = (output("prediction"), output("score"), output("label"));
        let classes = &reference.outputs.classes;
        let of_class = |class: &Arc<str>| {
            let says = |name: &str| name.strip_prefix("score_").is_some_and(|c| class_place(&[class], &Scalar::Text(c.into())).is_some());
            table.columns.iter().find(|c| c.origin == Origin::Flat && says(&c.name)).map(|c| &c.values)
        };
        let scores = if spec.task == Some(Task::Multiclass) { classes.iter().map(of_class).collect() } else { None };
        let positive = spec.positive.as_ref().filter(|_| spec.task == Some(Task::Binary));
        let positive = positive.and_then(|name| class_place(classes, &Scalar::Text((&**name).into())));
        Self {
            reference,
            inputs: inputs.collect(),
            texts: texts.collect(),
            vectors: vectors.collect(),
            together: spec.calibrates(Metric::PcaError) || spec.calibrates(Metric::Frechet),
            n_rows: table.rows,
            all: OnceCell::new(),
            prediction,
            score,
            label,
            scores: scores.unwrap_or_default(),
            positive,
        }
    }

    /// What the rows are counted for.
    pub(super) fn reference(&self) -> &'a Reference {
        self.reference
    }

    /// Counts some of the rows; `together`: all inputs of a row side by side too, where they are calibrated.
    pub(super) fn count(&self, rows: &[usize], together: bool) -> (InputPane, OutcomePane) {
        (self.count_inputs(rows, together), self.count_outcomes(rows))
    }

    pub(super) fn count_inputs(&self, rows: &[usize], together: bool) -> InputPane {
        let outputs = &self.reference.outputs;
        let mut pane = InputPane { requests: rows.len() as u64, ..InputPane::default() };
        pane.inputs = self.reference.inputs.iter().map(|feature| feature.column.empty_counts()).collect();
        pane.moments = self.count_columns(rows, &mut pane.inputs, together);
        pane.vectors.resize_with(self.reference.encodings.vectors.len(), Default::default);
        for vector in &self.vectors {
            vector.count(rows, &mut pane);
        }
        pane.prediction = column(&outputs.prediction, self.prediction, rows, |c, value| self.place_answer(c, value));
        pane.score = column(&outputs.score, self.score, rows, |_, value| outputs.place_score(value).unwrap_or(Place::Missing));
        pane
    }

    /// Counts what is a column by itself, or four that a text is made of; all of them together where they are wanted.
    fn count_columns(&self, rows: &[usize], counts: &mut [ColumnCounts], together: bool) -> Option<MomentSums> {
        let mut together = if together && self.together { Together::new(self.reference) } else { None };
        for rows in rows.chunks(CHUNK) {
            together.iter_mut().for_each(|together| together.begin(rows.len()));
            for (place, input) in self.inputs.iter().enumerate() {
                let Some(values) = input.values else { continue };
                for (at, &row) in rows.iter().enumerate() {
                    let value = input.cell(values, row);
                    let found = input.column.place(&value);
                    input.column.count(found, &mut counts[place]);
                    together.iter_mut().for_each(|together| together.note(place, at, &value, found));
                }
            }
            for text in &self.texts {
                text.count(self.reference, rows, counts, together.as_mut());
            }
            together.iter_mut().for_each(Together::end);
        }
        together.map(Together::sums)
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
                        pane.scores.tally(&self.scores(row), truth, self.positive, true);
                        true
                    }
                    _ => false,
                },
                Quality::Numbers(sums) => match (said, truth) {
                    (Scalar::Number(said), Scalar::Number(truth)) => {
                        sums.add(said, truth);
                        if let Some(column) = outputs.residual.as_ref().filter(|_| (said - truth).is_finite()) {
                            let counts = pane.residuals.get_or_insert_with(|| column.empty_counts());
                            column.count(column.place(&Scalar::Number(said - truth)), counts);
                        }
                        true
                    }
                    _ => false,
                },
                // lists are no columns
                Quality::Lists(_) => false,
            };
            pane.labelled += u64::from(counted);
        }
        pane
    }

    /// The scores of a row, as a live prediction's are remembered: each between 0 and 1, and of several classes all or none.
    fn scores(&self, row: usize) -> Scores {
        let score = |values: &ColumnValues| match values.get(row) {
            Scalar::Number(score) if (0.0..=1.0).contains(&score) => Some(score),
            _ => None,
        };
        match (self.positive, self.score) {
            (Some(_), Some(values)) => score(values).map_or(Scores::None, Scores::Positive),
            _ if self.scores.is_empty() => Scores::None,
            _ => self.scores.iter().map(|values| score(values)).collect::<Option<_>>().map_or(Scores::None, Scores::Classes),
        }
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
        column.count(place(column, &values.get(row)), &mut counts);
    }
    Some(counts)
}

impl Rows<'_> {
    /// The reference without the rows of one of its windows, as far as distances go by its counts.
    pub(super) fn without(&self, inputs: &InputPane, outcomes: &OutcomePane) -> Reference {
        let mut rest = self.reference.clone();
        for (vector, part) in rest.encodings.vectors.iter_mut().zip(&inputs.vectors) {
            let of = rest.inputs.get(vector.input).map_or(0, |input| input.column.counts.valid());
            *vector = vector.without(part, of);
        }
        if let (Some(part), Some(known)) = (&inputs.moments, &rest.encodings.moments) {
            let mut sums = self.all_together();
            sums.iter_mut().for_each(|sums| sums.unmerge(part));
            rest.encodings.moments = sums.and_then(|sums| known.over(&sums));
        }
        for (feature, counts) in Arc::make_mut(&mut rest.inputs).iter_mut().zip(&inputs.inputs) {
            feature.column.counts.unmerge(counts);
        }
        let outputs = &mut rest.outputs;
        let columns = [
            (&mut outputs.prediction, &inputs.prediction),
            (&mut outputs.score, &inputs.score),
            (&mut outputs.label, &outcomes.labels),
            (&mut outputs.residual, &outcomes.residuals),
        ];
        for (column, counts) in columns {
            if let (Some(column), Some(counts)) = (column, counts) {
                column.counts.unmerge(counts);
            }
        }
        rest
    }

    /// All inputs of all rows together.
    fn all_together(&self) -> Option<MomentSums> {
        let count = || {
            let rows: Vec<usize> = (0..self.n_rows).collect();
            let mut counts: Vec<ColumnCounts> = self.reference.inputs.iter().map(|feature| feature.column.empty_counts()).collect();
            self.count_columns(&rows, &mut counts, true)
        };
        self.all.get_or_init(count).clone()
    }
}
