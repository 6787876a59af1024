//! The first events of a version, kept until a reference can be compiled from them.
//!
//! Bounded by the number of rows; it leaves memory as soon as it is compiled. Until then it is part of the state.

use crate::engine::reference::table::{Column, Table};
use crate::event::{Prediction, Scalar};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which part of a reference is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Scope {
    /// Inputs, outputs and labels.
    Everything,
    /// Predictions, scores and labels; inputs are inherited.
    Outputs,
}

/// A sample that is growing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sample {
    pub(super) scope: Scope,
    wanted: usize,
    rows: usize,
    /// When each row's prediction was made, in milliseconds.
    times: Vec<i64>,
    features: BTreeMap<String, Vec<Cell>>,
    prediction: Vec<Cell>,
    score: Vec<Cell>,
    /// Labels of any prediction; learned after the rows where labels come later.
    labels: Vec<Cell>,
    /// Whether the rows are compiled and only labels are still missing.
    pub(super) rows_done: bool,
}

/// An owned [`Scalar`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Cell {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    NonFinite,
    Structured,
    Vector(Vec<f64>),
}

impl Sample {
    /// Learns inputs, outputs and labels from `rows` predictions (and as many labels).
    pub(super) fn everything(rows: usize) -> Self {
        Self::new(Scope::Everything, rows)
    }

    /// Learns predictions and scores from `rows` predictions (and labels from as many).
    pub(super) fn outputs(rows: usize) -> Self {
        Self::new(Scope::Outputs, rows)
    }

    fn new(scope: Scope, wanted: usize) -> Self {
        let (times, features, prediction, score, labels) = Default::default();
        Self { scope, wanted, rows: 0, times, features, prediction, score, labels, rows_done: false }
    }

    /// Begins anew with nothing in it.
    pub(super) fn restart(&mut self) {
        *self = Self::new(self.scope, self.wanted);
    }

    /// Adds a label, where more are wanted; whether all are there now.
    pub(super) fn push_label(&mut self, label: &Scalar<'_>) -> bool {
        if self.labels.len() < self.wanted {
            self.labels.push(Cell::of(label));
            return self.has_labels();
        }
        false
    }

    /// Whether all labels are there.
    pub(super) fn has_labels(&self) -> bool {
        self.labels.len() >= self.wanted
    }

    /// The labels as a table.
    pub(super) fn label_table(&self) -> Table {
        Table::new(vec![Column::of("label", self.labels.iter().map(Cell::scalar))])
    }

    /// Adds a row; whether the sample is complete.
    pub(super) fn push(&mut self, prediction: &Prediction<'_>, ignore: &[Arc<str>]) -> bool {
        if self.scope == Scope::Everything {
            for (name, value) in prediction.features.iter() {
                if ignore.iter().any(|i| **i == *name) {
                    continue;
                }
                let column = match self.features.get_mut(name) {
                    Some(column) => column,
                    None => self.features.entry(name.to_owned()).or_default(),
                };
                column.resize(self.rows, Cell::Null);
                column.push(Cell::of(value));
            }
        }
        self.times.push(prediction.timestamp.millis());
        self.prediction.push(Cell::of(&prediction.prediction));
        self.score.push(Cell::of(&prediction.score));
        self.rows += 1;
        self.rows >= self.wanted
    }

    /// The sample as a table.
    pub(super) fn table(&mut self) -> Table {
        let rows = self.rows;
        let mut columns: Vec<Column> = std::mem::take(&mut self.features)
            .into_iter()
            .map(|(name, mut cells)| {
                cells.resize(rows, Cell::Null);
                Column::of(name, cells.iter().map(Cell::scalar)).within_features()
            })
            .collect();
        for (name, cells) in [("prediction", std::mem::take(&mut self.prediction)), ("score", std::mem::take(&mut self.score))] {
            if cells.iter().any(|c| *c != Cell::Null) {
                columns.push(Column::of(name, cells.iter().map(Cell::scalar)));
            }
        }
        let mut table = Table::new(columns);
        std::mem::take(&mut self.times).into_iter().for_each(|ms| table.times.push(&Scalar::Number(ms as f64)));
        table
    }
}

impl Cell {
    fn of(value: &Scalar<'_>) -> Self {
        match value {
            Scalar::Null => Self::Null,
            Scalar::Bool(value) => Self::Bool(*value),
            Scalar::Number(number) => Self::Number(*number),
            Scalar::Text(text) => Self::Text(text.as_ref().to_owned()),
            Scalar::NonFinite => Self::NonFinite,
            // an answer that is a list is no column
            Scalar::Structured | Scalar::List(_) => Self::Structured,
            Scalar::Vector(vector) => Self::Vector(vector.to_vec()),
        }
    }

    fn scalar(&self) -> Scalar<'_> {
        match self {
            Self::Null => Scalar::Null,
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Number(number) => Scalar::Number(*number),
            Self::Text(text) => Scalar::Text(text.as_str().into()),
            Self::NonFinite => Scalar::NonFinite,
            Self::Structured => Scalar::Structured,
            Self::Vector(vector) => Scalar::Vector(vector.as_slice().into()),
        }
    }
}
