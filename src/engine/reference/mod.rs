//! What is normal: a reference data set, compiled once into cells, categories and counts.
//!
//! Invariant: it holds no rows, and its size depends on cells and categories, never on the number of rows.

mod calibration;
mod categories;
mod cells;
mod compare;
pub mod compile;
mod encodings;
mod expectation;
mod lookup;
pub mod moments;
mod movement;
mod parts;
mod place;
pub mod table;
pub mod text;
pub mod vectors;

pub use calibration::{Calibration, Normal, Variation, is_distance, is_of_the_window, sampling_sigma};
pub use categories::Categories;
pub use cells::Cells;
pub use compare::{Comparison, Incomparable, OF_BINS, Pair};
pub use encodings::Encodings;
pub use expectation::{CalibrationStep, ErrorSums, ErrorTable, Expectation, ScoreCalibration};
pub(crate) use lookup::ByName;
pub use movement::{Direction, Movement};
pub use parts::Contribution;
pub use place::Place;

use crate::engine::settings::{ColumnKind, Task};
use crate::engine::summary::{ColumnCounts, Losses, NumberSums, ScoreTable};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A compiled reference of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Names the content: a hash of the compiled columns and of the calibration; stands in every measurement.
    pub id: Arc<str>,
    /// Rows it was compiled from.
    pub rows: u64,
    /// Inputs, sorted by name; shared by the versions of a model that inherit them.
    pub inputs: Arc<[FeatureReference]>,
    /// Outputs and truth.
    pub outputs: OutputReference,
    /// How its figures vary from window to window; `None`: it was too small to say.
    pub calibration: Option<Calibration>,
    /// How texts, vectors and all inputs together are read.
    pub encodings: Encodings,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureReference {
    /// Name of the feature.
    pub name: Arc<str>,
    /// How it is cut, and what it looked like.
    pub column: ColumnReference,
}

/// What the model said and what was true, as far as the reference has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OutputReference {
    /// Classes in canonical form, sorted by name (as text: "10" before "2"); empty for a regression. The label map of the model: a class's
    /// place here is its slot in `prediction` and `label`, and its row and column in the confusion matrix.
    pub classes: Vec<Arc<str>>,
    /// The predictions: categorical over `classes`, or numeric for a regression.
    pub prediction: Option<ColumnReference>,
    /// The score of the positive class (binary).
    pub score: Option<ColumnReference>,
    /// The labels: as `prediction`.
    pub label: Option<ColumnReference>,
    /// Scores by whether the class was true, for every class that has scores: of a binary model the positive class alone, of a multiclass one in the order
    /// of `classes`. Empty where the reference lacks scores or labels.
    pub scores: Vec<ScoreTable>,
    /// What those scores lose.
    pub losses: Losses,
    /// Prediction minus label of the rows that have both (regressions).
    pub residual: Option<ColumnReference>,
    /// Quality on the reference itself, where it has predictions and labels.
    pub quality: Option<ReferenceQuality>,
    /// What scores and predictions let expect of rows without a label; `None` where the reference lacks scores, predictions or labels.
    pub expectation: Option<Expectation>,
}

/// Quality of the model on its reference, as summaries (so that every metric can be read from it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "one a pane or reference: a box would save nothing that counts")]
pub enum ReferenceQuality {
    /// Confusion over the classes of the reference.
    Classes(crate::engine::summary::Confusion),
    /// Sums of a regression.
    Numbers(crate::engine::summary::RegressionSums),
}

/// One column: how live values are put into slots, and the reference's own counts over the same slots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnReference {
    /// How values are put into slots.
    pub slots: Slots,
    /// The reference's own counts.
    pub counts: ColumnCounts,
    /// For each slot the bin it belongs to; PSI and its relatives count by bins.
    pub bins: Vec<u16>,
    /// Number of bins.
    pub n_bins: u16,
    /// First and second moment of the reference's valid values (numeric columns).
    pub moments: Option<Moments>,
}

/// Mean and spread of a numeric column of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Arithmetic mean.
    pub mean: f64,
    /// Population standard deviation; exactly 0 when all values are equal.
    pub std: f64,
    /// Least value.
    pub min: f64,
    /// Greatest value.
    pub max: f64,
}

impl Moments {
    /// The magnitude of differences between values: the spread, or that of the value itself where all are equal.
    fn scale(self) -> f64 {
        if self.std > 0.0 { self.std } else { self.mean.abs() }
    }
}

/// How values are put into slots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Slots {
    /// By cells of a numeric column.
    Numeric(Cells),
    /// By name.
    Categorical(Categories),
    /// One slot for every vector of this length.
    Vector(usize),
    /// By the hash of what one event has many of, into this many buckets (character 3-grams of a text).
    Hashed(usize),
}

impl ColumnReference {
    /// How the column is understood.
    pub fn kind(&self) -> ColumnKind {
        match self.slots {
            Slots::Numeric(_) => ColumnKind::Numeric,
            Slots::Categorical(_) => ColumnKind::Categorical,
            Slots::Vector(_) => ColumnKind::Vector,
            Slots::Hashed(_) => ColumnKind::Text,
        }
    }

    /// Empty counts over this column's slots.
    pub fn empty_counts(&self) -> ColumnCounts {
        ColumnCounts { sums: self.moments.map(|moments| NumberSums::new(moments.scale())), ..ColumnCounts::new(self.counts.slots.len()) }
    }

    /// `counts` added up by bin.
    pub fn binned(&self, counts: &ColumnCounts) -> Vec<u64> {
        let mut binned = vec![0; usize::from(self.n_bins)];
        for (&bin, &count) in self.bins.iter().zip(&counts.slots) {
            if let Some(sum) = binned.get_mut(usize::from(bin)) {
                *sum += count;
            }
        }
        binned
    }
}

impl Reference {
    /// Whether it is one that the compiler makes: sorted where it is searched, one bin per slot, and content that fits its id.
    /// Says what is wrong; meant for references that come from outside.
    pub fn check(&self) -> Result<(), String> {
        if !self.inputs.is_sorted_by(|a, b| a.name < b.name) {
            return Err("its inputs are not sorted".to_owned());
        }
        let outputs = [&self.outputs.prediction, &self.outputs.score, &self.outputs.label, &self.outputs.residual];
        let columns = self.inputs.iter().map(|input| (&*input.name, &input.column));
        for (name, column) in columns.chain(outputs.into_iter().flatten().map(|column| ("an output", column))) {
            let n_slots = match &column.slots {
                Slots::Numeric(cells) => cells.n_cells(),
                Slots::Categorical(categories) => categories.n_slots(),
                Slots::Vector(_) => 1,
                Slots::Hashed(buckets) => *buckets,
            };
            let bins_fit = column.bins.len() == n_slots && column.bins.iter().all(|&bin| bin < column.n_bins);
            if column.counts.slots.len() != n_slots || !bins_fit {
                return Err(format!("counts or bins of {name} do not fit its slots"));
            }
        }
        self.encodings.check(&self.inputs)?;
        if let Some(calibration) = &self.calibration {
            calibration.check()?;
        }
        let content = self.content_id();
        if content == self.id { Ok(()) } else { Err(format!("its id is {} and not {content}", self.id)) }
    }

    /// The name of what is in it: 16 hexadecimal digits of a hash (xxh3) of its columns and its calibration.
    pub fn content_id(&self) -> Arc<str> {
        compile::content_id(&self.inputs, &self.outputs, &self.encodings, self.calibration.as_ref())
    }

    /// The input of that name.
    pub fn input(&self, name: &str) -> Option<(usize, &FeatureReference)> {
        let place = self.inputs.binary_search_by(|f| (*f.name).cmp(name)).ok()?;
        Some((place, &self.inputs[place]))
    }

    /// What the outputs look like: the task that the columns allow, `None` without any output.
    pub fn task(&self) -> Option<Task> {
        match (&self.outputs.prediction, self.outputs.classes.len()) {
            (_, 2) => Some(Task::Binary),
            (_, 3..) => Some(Task::Multiclass),
            (Some(column), _) if column.kind() == ColumnKind::Numeric => Some(Task::Regression),
            _ => None,
        }
    }
}
