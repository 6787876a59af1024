//! A reference that is learned from the first events of a version.
//!
//! The sample is bounded by the number of rows and leaves memory as soon as it is compiled. Until then it is part of the state.

use super::Shard;
use super::model::{ModelRecord, ModelRuntime};
use crate::engine::reference::Reference;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::{Column, Table};
use crate::engine::settings::{ColumnKind, ModelSettings};
use crate::event::{Prediction, Scalar, Status};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which part of a reference is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Scope {
    /// Inputs, outputs and labels.
    Everything,
    /// Predictions and scores; inputs and labels are inherited.
    Outputs,
}

/// A sample that is growing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Learning {
    scope: Scope,
    wanted: usize,
    rows: usize,
    features: BTreeMap<String, Vec<Cell>>,
    prediction: Vec<Cell>,
    score: Vec<Cell>,
    /// Labels of any prediction; learned after the rows where labels come later.
    labels: Vec<Cell>,
    /// Whether the rows are compiled and only labels are still missing.
    rows_done: bool,
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
}

impl Learning {
    /// Learns inputs, outputs and labels from `rows` predictions (and as many labels).
    pub(super) fn everything(rows: usize) -> Self {
        Self::new(Scope::Everything, rows)
    }

    /// Learns predictions and scores from `rows` predictions.
    pub(super) fn outputs(rows: usize) -> Self {
        Self::new(Scope::Outputs, rows)
    }

    fn new(scope: Scope, wanted: usize) -> Self {
        let (features, prediction, score, labels) = Default::default();
        Self { scope, wanted, rows: 0, features, prediction, score, labels, rows_done: false }
    }

    /// Adds a row; whether the sample is complete.
    fn push(&mut self, prediction: &Prediction<'_>, ignore: &[Arc<str>]) -> bool {
        if self.scope == Scope::Everything {
            for (name, value) in &prediction.features {
                if ignore.iter().any(|i| **i == **name) {
                    continue;
                }
                let column = match self.features.get_mut(name.as_ref()) {
                    Some(column) => column,
                    None => self.features.entry(name.as_ref().to_owned()).or_default(),
                };
                column.resize(self.rows, Cell::Null);
                column.push(Cell::of(value));
            }
        }
        self.prediction.push(Cell::of(&prediction.prediction));
        self.score.push(Cell::of(&prediction.score));
        self.rows += 1;
        self.rows >= self.wanted
    }

    /// The sample as a table.
    fn table(&mut self) -> Table {
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
        Table::new(columns)
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
            Scalar::Structured => Self::Structured,
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
        }
    }
}

impl Shard {
    /// Takes a prediction into the sample of its model version, where one is growing, and compiles it once it is complete.
    pub(super) fn learn_from(&mut self, model: u32, prediction: &Prediction<'_>) {
        let (record, runtime) = (&mut self.state.models[model as usize], &mut self.runtimes[model as usize]);
        let Some(learning) = record.learning.as_mut().filter(|l| !l.rows_done) else { return };
        if prediction.status == Status::Failed || !learning.push(prediction, &runtime.settings.ignore) {
            return;
        }
        let (scope, wanted) = (learning.scope, learning.wanted);
        let table = learning.table();
        let spec = spec(&runtime.settings, record);
        let Ok(compiled) = compile(&table, &spec) else {
            // nothing usable in it: the next rows may be better
            record.learning = Some(Learning::new(scope, wanted));
            return;
        };
        let mut learned = compiled.reference;
        if scope == Scope::Outputs
            && let Some(inherited) = &record.reference
        {
            learned.id = format!("{}+{}", inherited.id, learned.id).into();
            learned.inputs.clone_from(&inherited.inputs);
            learned.outputs.label.clone_from(&inherited.outputs.label);
            learned.outputs.quality.clone_from(&inherited.outputs.quality);
            record.learning = None;
        }
        if let Some(learning) = &mut record.learning {
            learning.rows_done = true;
        }
        for class in &learned.outputs.classes {
            record.classes.place(&Scalar::Text(class.as_ref().into()), usize::MAX);
        }
        learned.outputs.classes = record.classes.names().to_vec();
        record.classes.close();
        record.reference = Some(Arc::new(learned));
        finish_labels(record, &runtime.settings);
        runtime.refresh(record);
    }
}

/// Takes a label into the sample of its model version, where labels are learned.
pub(super) fn learn_label(record: &mut ModelRecord, runtime: &mut ModelRuntime, label: &str) {
    let Some(learning) = record.learning.as_mut().filter(|l| l.scope == Scope::Everything && l.labels.len() < l.wanted) else { return };
    let cell = match label.parse::<f64>() {
        Ok(number) if runtime.is_regression() => Cell::Number(number),
        _ => Cell::Text(label.to_owned()),
    };
    learning.labels.push(cell);
    if learning.rows_done && learning.labels.len() >= learning.wanted {
        finish_labels(record, &runtime.settings);
        runtime.refresh(record);
    }
}

/// Adds the label column to a learned reference once there are labels enough; learning is then over.
fn finish_labels(record: &mut ModelRecord, settings: &ModelSettings) {
    let Some(learning) = record.learning.as_ref().filter(|l| l.rows_done && l.labels.len() >= l.wanted) else { return };
    let table = Table::new(vec![Column::of("label", learning.labels.iter().map(Cell::scalar))]);
    let compiled = compile(&table, &spec(settings, record));
    if let (Ok(compiled), Some(reference)) = (compiled, &record.reference) {
        let mut with_labels = Reference::clone(reference);
        with_labels.id = format!("{}+{}", reference.id, compiled.reference.id).into();
        with_labels.outputs.label = compiled.reference.outputs.label;
        record.reference = Some(Arc::new(with_labels));
    }
    record.learning = None;
}

/// How the model's settings cut a learned reference.
fn spec(settings: &ModelSettings, record: &ModelRecord) -> CompileSpec {
    let of_kind = |kind: ColumnKind| settings.kinds.iter().filter(|(_, k)| **k == kind).map(|(name, _)| Arc::clone(name)).collect();
    CompileSpec {
        cells: settings.cells,
        numeric: of_kind(ColumnKind::Numeric),
        categorical: of_kind(ColumnKind::Categorical),
        task: Some(settings.task),
        positive: settings.positive.clone(),
        // a single class so far: the compiler adds the other one of a binary model
        classes: if record.classes.names().len() < 2 { Vec::new() } else { record.classes.names().to_vec() },
        ..CompileSpec::default()
    }
}
