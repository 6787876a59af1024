//! What the model said and what was true: task, classes, columns and quality of the reference itself.

use super::categorical::class_column;
use super::numeric::{Names, Range, Resolution, numeric_column};
use super::{CompileError, CompileSpec, CompiledColumn};
use crate::engine::reference::table::ColumnValues;
use crate::engine::reference::{ColumnReference, ReferenceQuality};
use crate::engine::settings::Task;
use crate::engine::summary::{Confusion, RegressionSums, ScoreSums, Scores};
use crate::event::{Scalar, canonical_text, class_place};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Up to this many distinct whole numbers are classes where the task was not said.
const MOST_CLASSES_INFERRED: usize = 20;

/// The output columns of a table, those without any value left out.
#[derive(Debug, Clone, Default)]
pub(super) struct OutputColumns<'a> {
    pub(super) prediction: Option<&'a ColumnValues>,
    pub(super) label: Option<&'a ColumnValues>,
    pub(super) score: Option<&'a ColumnValues>,
    /// Columns `score_<name>`; those whose name is a class are its scores.
    pub(super) class_scores: Vec<(&'a str, &'a ColumnValues)>,
}

/// What became of them.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    pub(super) task: Option<Task>,
    pub(super) classes: Vec<Arc<str>>,
    pub(super) positive: Option<Arc<str>>,
    pub(super) prediction: Option<CompiledColumn>,
    pub(super) label: Option<CompiledColumn>,
    pub(super) score: Option<CompiledColumn>,
    pub(super) scores: ScoreSums,
    pub(super) residual: Option<ColumnReference>,
    pub(super) quality: Option<ReferenceQuality>,
}

/// Compiles the outputs.
pub(super) fn compile_outputs(columns: &OutputColumns<'_>, spec: &CompileSpec) -> Result<Outputs, CompileError> {
    let seen = Seen::in_columns(columns, spec.max_classes);
    let Some(task) = spec.task.or_else(|| seen.task(spec)) else { return Ok(Outputs::default()) };
    if task == Task::Regression {
        return numbers(columns, spec);
    }
    // lists are no columns
    if task == Task::Ranking {
        return Ok(Outputs { task: Some(task), ..Outputs::default() });
    }
    let classes = classes(task, &seen, spec)?;
    let positive = positive(task, &classes, spec)?;
    let column = |values| class_column(values, &classes);
    Ok(Outputs {
        task: Some(task),
        prediction: columns.prediction.map(column),
        label: columns.label.map(column),
        score: columns.score.map(|values| numeric_column(values, spec.resolution(), Range::Unit, Names::Invalid)),
        quality: columns.prediction.zip(columns.label).and_then(|(said, truth)| confusion(said, truth, &classes)),
        scores: scores(columns, task, &classes, positive.as_deref()),
        residual: None,
        positive,
        classes,
    })
}

/// What predictions and labels look like: distinct canonical texts, as far as they are needed.
struct Seen {
    texts: BTreeSet<String>,
    more: bool,
    all_numbers: bool,
    fraction: Option<f64>,
}

impl Seen {
    fn in_columns(columns: &OutputColumns<'_>, max: usize) -> Self {
        let mut seen = Self { texts: BTreeSet::new(), more: false, all_numbers: true, fraction: None };
        for value in [columns.prediction, columns.label].into_iter().flatten().flat_map(ColumnValues::iter) {
            let Some(text) = canonical_text(&value) else { continue };
            match value {
                Scalar::Number(number) if number.fract() != 0.0 => seen.fraction = seen.fraction.or(Some(number)),
                Scalar::Number(_) => {}
                _ => seen.all_numbers = false,
            }
            if !seen.texts.contains(&*text) {
                // a few beyond the bound, because several texts may stand for one class
                if seen.texts.len() < 2 * max.max(MOST_CLASSES_INFERRED) {
                    seen.texts.insert(text.into_owned());
                } else {
                    seen.more = true;
                }
            }
        }
        seen
    }

    /// Distinct classes, those that stand for the same counted once.
    fn classes(&self) -> Vec<Arc<str>> {
        let mut classes: Vec<Arc<str>> = Vec::new();
        for text in &self.texts {
            if class_place(&classes, &Scalar::Text(text.as_str().into())).is_none() {
                classes.push(text.as_str().into());
            }
        }
        classes
    }

    /// The task that the values suggest; `None` without any value.
    fn task(&self, spec: &CompileSpec) -> Option<Task> {
        let n = if spec.classes.is_empty() { self.classes().len() } else { spec.classes.len() };
        let numbers = spec.classes.is_empty() && self.all_numbers;
        match n {
            0 => None,
            _ if numbers && (self.fraction.is_some() || n > MOST_CLASSES_INFERRED) => Some(Task::Regression),
            1 if complement(self.texts.first()?).is_some() => Some(Task::Binary),
            1 if numbers => Some(Task::Regression),
            2 => Some(Task::Binary),
            _ => Some(Task::Multiclass),
        }
    }
}

/// The label map: given or seen, sorted by name, and of a number that fits the task.
fn classes(task: Task, seen: &Seen, spec: &CompileSpec) -> Result<Vec<Arc<str>>, CompileError> {
    let mut classes = if spec.classes.is_empty() { seen.classes() } else { spec.classes.clone() };
    if task == Task::Binary
        && let [only] = classes.as_slice()
    {
        let other = spec.positive.clone().filter(|positive| positive != only).or_else(|| complement(only).map(Arc::from));
        classes.extend(other);
    }
    classes.sort();
    classes.dedup();
    if task == Task::Binary && !classes.is_empty() && classes.len() != 2 {
        return Err(CompileError::NotBinary { n: classes.len(), examples: examples(&classes), fraction: seen.fraction });
    }
    let n = classes.len();
    if n > spec.max_classes || (seen.more && spec.classes.is_empty()) {
        return Err(CompileError::TooManyClasses { max: spec.max_classes, examples: examples(&classes) });
    }
    Ok(classes)
}

/// The other class of a column that holds one truth value only.
fn complement(class: &str) -> Option<&'static str> {
    Some(match class {
        "0" => "1",
        "1" => "0",
        "false" => "true",
        "true" => "false",
        _ => return None,
    })
}

/// The positive class as the label map writes it.
fn positive(task: Task, classes: &[Arc<str>], spec: &CompileSpec) -> Result<Option<Arc<str>>, CompileError> {
    let Some(wanted) = spec.positive.as_ref().filter(|_| task == Task::Binary) else { return Ok(None) };
    if classes.is_empty() {
        return Ok(Some(wanted.clone()));
    }
    match class_place(classes, &Scalar::Text((&**wanted).into())) {
        Some(place) => Ok(Some(classes[place].clone())),
        None => Err(CompileError::UnknownPositive { positive: wanted.clone(), classes: examples(classes) }),
    }
}

fn examples(classes: &[Arc<str>]) -> String {
    let shown: Vec<&str> = classes.iter().take(5).map(|class| &**class).collect();
    shown.join(", ") + if classes.len() > shown.len() { ", …" } else { "" }
}

fn confusion(predictions: &ColumnValues, labels: &ColumnValues, classes: &[Arc<str>]) -> Option<ReferenceQuality> {
    let mut confusion = Confusion::default();
    for (said, truth) in predictions.iter().zip(labels.iter()) {
        if let (Some(said), Some(truth)) = (class_place(classes, &said), class_place(classes, &truth)) {
            confusion.add(truth as u16, said as u16);
        }
    }
    (confusion.total() > 0).then_some(ReferenceQuality::Classes(confusion))
}

/// Scores against labels: of a binary model those of the positive class (which is `1` where none was named), of a multiclass one those of all classes.
/// Rows without a usable score of each class or without a label of a class are left out.
fn scores(columns: &OutputColumns<'_>, task: Task, classes: &[Arc<str>], positive: Option<&str>) -> ScoreSums {
    let mut sums = ScoreSums::default();
    let of_class = |class: &str| columns.class_scores.iter().find(|(name, _)| *name == class).map(|(_, values)| *values);
    let positive = class_place(classes, &Scalar::Text(positive.unwrap_or("1").into()));
    let scores: Option<Vec<&ColumnValues>> = match (task, positive) {
        (Task::Binary, Some(place)) => columns.score.or_else(|| of_class(&classes[place])).map(|values| vec![values]),
        (Task::Multiclass, _) => classes.iter().map(|class| of_class(class)).collect(),
        (Task::Binary | Task::Regression | Task::Ranking, _) => None,
    };
    let (Some(scores), Some(labels)) = (scores.filter(|scores| !scores.is_empty()), columns.label) else { return sums };
    for (row, label) in labels.iter().enumerate() {
        let Some(truth) = class_place(classes, &label) else { continue };
        let row: Option<Box<[f64]>> = scores.iter().map(|values| usable_score(&values.get(row))).collect();
        match (row, task) {
            (Some(row), Task::Binary) => sums.tally(&Scores::Positive(row[0]), truth, positive, true),
            (Some(row), _) => sums.tally(&Scores::Classes(row), truth, None, true),
            (None, _) => {}
        }
    }
    sums
}

fn usable_score(value: &Scalar<'_>) -> Option<f64> {
    match value {
        Scalar::Number(score) if (0.0..=1.0).contains(score) => Some(*score),
        _ => None,
    }
}

/// Outputs of a regression.
fn numbers(columns: &OutputColumns<'_>, spec: &CompileSpec) -> Result<Outputs, CompileError> {
    let column = |values| numeric_column(values, spec.resolution(), Range::Finite, Names::Invalid);
    let (prediction, label) = (columns.prediction.map(column), columns.label.map(column));
    for (name, compiled) in [("prediction", &prediction), ("label", &label)] {
        if compiled.as_ref().is_some_and(|c| c.column.counts.valid() == 0) {
            return Err(CompileError::NotNumeric { column: name });
        }
    }
    let moments = label.as_ref().and_then(|compiled| compiled.column.moments);
    let quality = columns.prediction.zip(columns.label).zip(moments).and_then(|((said, truth), moments)| {
        let mut sums = RegressionSums::new(moments.mean, moments.std);
        for pair in said.iter().zip(truth.iter()) {
            if let (Scalar::Number(said), Scalar::Number(truth)) = pair {
                sums.add(said, truth);
            }
        }
        (sums.n > 0).then_some(ReferenceQuality::Numbers(sums))
    });
    let residual = columns.prediction.zip(columns.label).and_then(|(said, truth)| residual(said, truth, spec.resolution()));
    Ok(Outputs { task: Some(Task::Regression), prediction, label, quality, residual, ..Outputs::default() })
}

/// Prediction minus label of the rows that have both; `None` where there is no such row.
fn residual(predictions: &ColumnValues, labels: &ColumnValues, resolution: Resolution) -> Option<ColumnReference> {
    let mut residuals = ColumnValues::default();
    for pair in predictions.iter().zip(labels.iter()) {
        if let (Scalar::Number(said), Scalar::Number(truth)) = pair
            && (said - truth).is_finite()
        {
            residuals.push(&Scalar::Number(said - truth));
        }
    }
    (!residuals.is_empty()).then(|| numeric_column(&residuals, resolution, Range::Finite, Names::Invalid).column)
}
