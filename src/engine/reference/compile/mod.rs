//! Rows → Reference: the one place where a data set becomes cells, categories and counts.
//!
//! Invariant: the result does not depend on the order of the rows, and its size on cells and categories only, never on the values.
//! It reads no file; a file's reader and the learner of live events hand in the same [`Table`].

mod categorical;
mod expectation;
mod moments;
mod note;
mod numeric;
mod outputs;
mod texts;
mod vectors;

pub use note::{Note, NoteKind};
#[cfg(test)]
pub(in crate::engine) use numeric::moments;

use super::table::{Column, ColumnValues, Origin, Table};
use super::vectors::VectorReference;
use super::{Calibration, ColumnReference, Encodings, FeatureReference, OutputReference, Reference};
use crate::engine::settings::{ColumnKind, DEFAULT_BINS, Task};
use crate::event::Scalar;
use categorical::categorical_column;
use numeric::{Names, Range, Resolution, numeric_column};
use outputs::{OutputColumns, Outputs, compile_outputs};
use std::sync::Arc;

/// Fewer rows than this earn a note: 217 are needed before a window of any size can be judged by PSI at all.
const FEW_ROWS: usize = 500;

/// How a table is to be understood.
#[derive(Debug, Clone, PartialEq)]
pub struct CompileSpec {
    /// Resolution of numeric columns: a column with more distinct values is cut at this many quantiles.
    pub cells: usize,
    /// Bins of a numeric column with more than 20 distinct values: as many parts of about equal mass as it is cut into for PSI and its like.
    pub bins: usize,
    /// Names of a categorical column with a slot of their own.
    pub max_categories: usize,
    /// Names of a categorical column that are known to be in the reference, those with a slot included.
    pub remembered_categories: usize,
    /// Most classes of a model.
    pub max_classes: usize,
    /// Features that are numeric whatever they look like.
    pub numeric: Vec<Arc<str>>,
    /// Features that are categorical whatever they look like.
    pub categorical: Vec<Arc<str>>,
    /// Features that are texts; a text is never taken for one by itself.
    pub text: Vec<Arc<str>>,
    /// Columns that are left out.
    pub ignore: Vec<Arc<str>>,
    /// What the model predicts; `None`: as its outputs look.
    pub task: Option<Task>,
    /// The positive class of a binary model.
    pub positive: Option<Arc<str>>,
    /// The classes, in canonical form; empty: those of the table.
    pub classes: Vec<Arc<str>>,
}

impl CompileSpec {
    fn resolution(&self) -> Resolution {
        Resolution { cells: self.cells, bins: self.bins }
    }
}

impl Default for CompileSpec {
    fn default() -> Self {
        Self {
            cells: 256,
            bins: DEFAULT_BINS,
            max_categories: 50,
            remembered_categories: 10_000,
            max_classes: 100,
            numeric: Vec::new(),
            categorical: Vec::new(),
            text: Vec::new(),
            ignore: Vec::new(),
            task: None,
            positive: None,
            classes: Vec::new(),
        }
    }
}

/// A reference, and what is worth knowing about how it came to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// The reference.
    pub reference: Reference,
    /// The task: as told, or as the outputs look; `None` without outputs.
    pub task: Option<Task>,
    /// The positive class as the label map writes it.
    pub positive: Option<Arc<str>>,
    /// Distinct values by column.
    pub distinct: DistinctCounts,
    /// Remarks.
    pub notes: Vec<Note>,
}

/// Number of distinct usable values of each column.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DistinctCounts {
    /// In the order of the reference's `inputs`.
    pub inputs: Vec<u64>,
    /// Of the predictions.
    pub prediction: Option<u64>,
    /// Of the scores.
    pub score: Option<u64>,
    /// Of the labels.
    pub label: Option<u64>,
}

/// Why a table cannot be a reference.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CompileError {
    /// There is no row.
    #[error("the reference has no rows")]
    NoRows,
    /// There is neither a feature nor an output.
    #[error("the reference has neither features nor a prediction, score or label column")]
    NoColumns,
    /// A name that two columns have.
    #[error("two columns are called {0:?}; rename one of them")]
    RepeatedColumn(Arc<str>),
    /// A column that is said to be both.
    #[error("column {0:?} is given as two of numeric, categorical and text; choose one")]
    TwoKinds(Arc<str>),
    /// A column that is left out, and yet has a kind.
    #[error("column {0:?} is ignored, but is given as numeric, categorical or text too; choose one")]
    IgnoredKind(Arc<str>),
    /// A number out of bounds.
    #[error("{name} = {value} is out of range: it must be from {min} to {max}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: usize,
        /// Least value allowed.
        min: usize,
        /// Greatest value allowed.
        max: usize,
    },
    /// A binary task whose outputs have another number of classes.
    #[error(
        "a binary task needs two classes, but predictions and labels have {n}: {examples}; {}",
        if fraction.is_some() { "put probabilities into the column `score` and the class into `prediction`, or use task regression" }
        else if *n < 2 { "name both with `classes`" } else { "use task multiclass, or correct the columns `prediction` and `label`" }
    )]
    NotBinary {
        /// Classes found.
        n: usize,
        /// The first of them.
        examples: String,
        /// A value with a fraction, where there is one.
        fraction: Option<f64>,
    },
    /// More classes than a model may have.
    #[error("more than {max} classes in predictions and labels ({examples}); use task regression, or raise the bound on classes")]
    TooManyClasses {
        /// The bound.
        max: usize,
        /// The first of them.
        examples: String,
    },
    /// A positive class that is none of the classes.
    #[error("the positive class {positive:?} is not among the classes of the reference ({classes})")]
    UnknownPositive {
        /// The positive class.
        positive: Arc<str>,
        /// The classes.
        classes: String,
    },
    /// A regression whose output holds no number.
    #[error("a regression needs numbers, but the column {column:?} has none; use task binary or multiclass")]
    NotNumeric {
        /// The column.
        column: &'static str,
    },
}

/// One column, compiled.
#[derive(Debug)]
struct CompiledColumn {
    column: ColumnReference,
    distinct: u64,
}

/// Compiles a table.
///
/// Flat columns are taken by name: `prediction`, `score`, `score_<class>`, `label` are outputs; `prediction_id`, `timestamp`, `model`, `version`,
/// `latency_ms` and `status` are left out unless the settings name their kind; every other column, and everything inside `features`, is a feature.
pub fn compile(table: &Table, spec: &CompileSpec) -> Result<Compiled, CompileError> {
    check(table, spec)?;
    let mut notes = Vec::new();
    if table.rows < FEW_ROWS {
        notes.push(Note { column: None, kind: NoteKind::FewRows { rows: table.rows as u64 } });
    }
    for name in spec.numeric.iter().chain(&spec.categorical).chain(&spec.text).chain(&spec.ignore) {
        if table.column(name).is_none() {
            notes.push(Note::on(name, NoteKind::NoSuchColumn));
        }
    }
    let outputs = compile_outputs(&output_columns(table, spec, &mut notes), spec)?;
    note_outputs(table, spec, &outputs, &mut notes);

    let (mut inputs, mut vectors) = (Vec::new(), Vec::new());
    let mut distinct = DistinctCounts::default();
    let mut features = features(table, spec, &outputs.classes)?;
    features.retain(|column| {
        let taken = texts::is_derived(&column.name, spec);
        if taken {
            notes.push(Note::on(&column.name, NoteKind::NameTaken));
        }
        !taken
    });
    for column in features.iter().filter(|column| !spec.text.contains(&column.name)) {
        if is_structured(&column.values) {
            notes.push(Note::on(&column.name, NoteKind::Structured));
            continue;
        }
        let (compiled, vector) = feature(column, spec, &mut notes);
        vectors.extend(vector.map(|vector| (column.name.clone(), vector)));
        distinct.inputs.push(compiled.distinct);
        inputs.push(FeatureReference { name: column.name.clone(), column: compiled.column });
    }
    let texts = features.iter().filter(|column| spec.text.contains(&column.name)).copied();
    let (texts, of_texts) = texts::compile_texts(texts, spec, &mut inputs, &mut distinct.inputs, &mut notes);
    let place = |name: &Arc<str>| inputs.partition_point(|input| input.name < *name);
    let vectors = vectors.into_iter().map(|(name, vector)| VectorReference { input: place(&name), ..vector }).collect();
    let values = |name: &str| {
        let derived = of_texts.iter().find(|(derived, _)| **derived == *name).map(|(_, values)| values);
        derived.or_else(|| features.iter().find(|column| *column.name == *name).map(|column| &column.values))
    };
    let moments = moments::compile_moments(&inputs, values, spec, table.rows, &mut notes);
    let encodings = Encodings { texts, vectors, moments };
    distinct.prediction = outputs.prediction.as_ref().map(|compiled| compiled.distinct);
    distinct.score = outputs.score.as_ref().map(|compiled| compiled.distinct);
    distinct.label = outputs.label.as_ref().map(|compiled| compiled.distinct);
    let (task, positive) = (outputs.task, outputs.positive);
    let mut outputs = OutputReference {
        classes: outputs.classes,
        prediction: outputs.prediction.map(|compiled| compiled.column),
        score: outputs.score.map(|compiled| compiled.column),
        label: outputs.label.map(|compiled| compiled.column),
        scores: outputs.scores.tables,
        losses: outputs.scores.losses,
        residual: outputs.residual,
        quality: outputs.quality,
        expectation: None,
    };
    outputs.expectation = expectation::expectation(table, spec, &outputs, positive.as_ref());
    if inputs.is_empty() && outputs.prediction.is_none() && outputs.label.is_none() && outputs.score.is_none() {
        return Err(CompileError::NoColumns);
    }
    let id = content_id(&inputs, &outputs, &encodings, None);
    let reference = Reference { id, rows: table.rows as u64, inputs: inputs.into(), outputs, calibration: None, encodings };
    Ok(Compiled { reference, task, positive, distinct, notes })
}

/// The name of a reference's content: 16 hexadecimal digits of the xxh3 of its columns, their encodings and its calibration.
pub(super) fn content_id(
    inputs: &[FeatureReference],
    outputs: &OutputReference,
    encodings: &Encodings,
    calibration: Option<&Calibration>,
) -> Arc<str> {
    let bytes = postcard::to_allocvec(&(inputs, outputs, encodings, calibration)).expect("plain data of known length always serialises");
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&bytes)).into()
}

fn check(table: &Table, spec: &CompileSpec) -> Result<(), CompileError> {
    let bounds = [
        ("cells", spec.cells, 2, 100_000),
        ("bins", spec.bins, 2, 100),
        ("max-categories", spec.max_categories, 1, 10_000),
        ("remembered-categories", spec.remembered_categories, 1, 1_000_000),
        ("max-classes", spec.max_classes, 2, 10_000),
    ];
    for (name, value, min, max) in bounds {
        if !(min..=max).contains(&value) {
            return Err(CompileError::Setting { name, value, min, max });
        }
    }
    let kinds = [&spec.numeric, &spec.categorical, &spec.text];
    let n_kinds = |name: &Arc<str>| kinds.iter().filter(|names| names.contains(name)).count();
    if let Some(name) = kinds.into_iter().flatten().find(|name| n_kinds(name) > 1) {
        return Err(CompileError::TwoKinds(name.clone()));
    }
    if let Some(name) = spec.ignore.iter().find(|name| n_kinds(name) > 0) {
        return Err(CompileError::IgnoredKind(name.clone()));
    }
    if table.rows == 0 { Err(CompileError::NoRows) } else { Ok(()) }
}

/// The outputs of a table; a column without any value is none.
fn output_columns<'a>(table: &'a Table, spec: &CompileSpec, notes: &mut Vec<Note>) -> OutputColumns<'a> {
    let mut columns = OutputColumns::default();
    for column in table.columns.iter().filter(|column| column.origin == Origin::Flat && !spec.ignore.contains(&column.name)) {
        let place = match &*column.name {
            "prediction" => &mut columns.prediction,
            "label" => &mut columns.label,
            "score" => &mut columns.score,
            name => {
                // which of these speak of a class is known only when the classes are
                if let Some(class) = name.strip_prefix("score_") {
                    columns.class_scores.push((class, &column.values));
                }
                continue;
            }
        };
        if column.values.iter().any(|value| !value.is_null()) {
            *place = Some(&column.values);
        } else {
            notes.push(Note::on(&column.name, NoteKind::NoValues));
        }
    }
    columns
}

/// The features of a table, sorted by name.
fn features<'a>(table: &'a Table, spec: &CompileSpec, classes: &[Arc<str>]) -> Result<Vec<&'a Column>, CompileError> {
    let mut features: Vec<&Column> = table.columns.iter().filter(|column| is_feature(column, spec, classes)).collect();
    features.sort_by(|a, b| a.name.cmp(&b.name));
    match features.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(CompileError::RepeatedColumn(pair[0].name.clone())),
        None => Ok(features),
    }
}

fn is_feature(column: &Column, spec: &CompileSpec, classes: &[Arc<str>]) -> bool {
    if spec.ignore.contains(&column.name) {
        return false;
    }
    if column.origin == Origin::Features {
        return true;
    }
    match &*column.name {
        "prediction" | "score" | "label" | "prediction_id" => false,
        // an index without a name, as data frames write it
        "" | "__index_level_0__" => false,
        "timestamp" | "model" | "version" | "latency_ms" | "status" => {
            [&spec.numeric, &spec.categorical, &spec.text].iter().any(|names| names.contains(&column.name))
        }
        name => {
            let score_of = name.strip_prefix("score_");
            !score_of.is_some_and(|class| classes.iter().any(|known| **known == *class))
        }
    }
}

/// Compiles one feature by its kind.
fn feature(column: &Column, spec: &CompileSpec, notes: &mut Vec<Note>) -> (CompiledColumn, Option<VectorReference>) {
    let (numbers, names) = count_types(&column.values);
    let vectors = column.values.iter().filter(|value| matches!(value, Scalar::Vector(_))).count() as u64;
    let kind = kind(&column.name, spec, numbers, names, vectors);
    let mut vector = None;
    let compiled = match kind {
        ColumnKind::Numeric => {
            let reading = if spec.numeric.contains(&column.name) { Names::Read } else { Names::Invalid };
            numeric_column(&column.values, spec.resolution(), Range::Finite, reading)
        }
        ColumnKind::Vector => {
            let (compiled, found) = vectors::vector_column(&column.name, &column.values);
            vector = found;
            compiled
        }
        // a text is compiled elsewhere
        ColumnKind::Categorical | ColumnKind::Text => categorical_column(&column.values, spec.max_categories, spec.remembered_categories),
    };
    let settled = spec.numeric.contains(&column.name) || spec.categorical.contains(&column.name);
    if numbers > 0 && names > 0 && !settled {
        notes.push(Note::on(&column.name, NoteKind::MixedTypes { numbers, names }));
    }
    note_column(&column.name, &compiled, notes);
    let (distinct, kept) = (compiled.distinct, spec.max_categories as u64);
    if kind == ColumnKind::Categorical && distinct > kept {
        notes.push(Note::on(&column.name, NoteKind::ManyCategories { distinct, kept }));
    }
    (compiled, vector)
}

/// As told; else of vectors where these are the most frequent type, else numeric where numbers are the more frequent type.
fn kind(name: &Arc<str>, spec: &CompileSpec, numbers: u64, names: u64, vectors: u64) -> ColumnKind {
    if spec.categorical.contains(name) {
        ColumnKind::Categorical
    } else if spec.numeric.contains(name) {
        ColumnKind::Numeric
    } else if vectors > numbers + names {
        ColumnKind::Vector
    } else if names == 0 || numbers > names {
        ColumnKind::Numeric
    } else {
        ColumnKind::Categorical
    }
}

/// Cells that are numbers (finite or not), and cells that are names.
fn count_types(values: &ColumnValues) -> (u64, u64) {
    values.iter().fold((0, 0), |(numbers, names), value| match value {
        Scalar::Number(_) | Scalar::NonFinite => (numbers + 1, names),
        Scalar::Text(_) | Scalar::Bool(_) => (numbers, names + 1),
        Scalar::Null | Scalar::Structured | Scalar::List(_) | Scalar::Vector(_) => (numbers, names),
    })
}

/// Whether there is something in the column, but nothing that could be a single value.
fn is_structured(values: &ColumnValues) -> bool {
    let mut structured = false;
    for value in values.iter() {
        match value {
            Scalar::Structured | Scalar::List(_) => structured = true,
            Scalar::Null => {}
            _ => return false,
        }
    }
    structured
}

/// Remarks that hold for any column.
fn note_column(name: &Arc<str>, compiled: &CompiledColumn, notes: &mut Vec<Note>) {
    let counts = &compiled.column.counts;
    match compiled.distinct {
        0 => notes.push(Note::on(name, NoteKind::NoValues)),
        1 => notes.push(Note::on(name, NoteKind::Constant)),
        _ => {}
    }
    if counts.invalid() > 0 {
        notes.push(Note::on(name, NoteKind::Invalid { values: counts.invalid() }));
    }
}

fn note_outputs(table: &Table, spec: &CompileSpec, outputs: &Outputs, notes: &mut Vec<Note>) {
    let compiled = [("prediction", &outputs.prediction), ("score", &outputs.score), ("label", &outputs.label)];
    for (name, compiled) in compiled {
        let flat = table.columns.iter().find(|c| c.origin == Origin::Flat && &*c.name == name && !spec.ignore.contains(&c.name));
        match (flat, compiled) {
            (Some(column), Some(compiled)) => note_column(&column.name, compiled, notes),
            (Some(column), None) if column.values.iter().any(|value| !value.is_null()) => {
                notes.push(Note::on(&column.name, NoteKind::NotUsed));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
