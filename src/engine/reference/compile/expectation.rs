//! What the outputs of a table let expect of rows without a label: calibrated scores, errors by prediction.

use super::CompileSpec;
use crate::engine::reference::table::{ColumnValues, Origin, Table};
use crate::engine::reference::{ColumnReference, ErrorTable, Expectation, OutputReference, Place, ScoreCalibration};
use crate::engine::summary::{ScoreTable, score_cell};
use crate::event::{Scalar, class_place};
use std::sync::Arc;

/// Least rows of a group of neighbouring predictions: its mean error is then known to about a tenth.
const GROUP_ROWS: u64 = 100;

/// What `outputs` let expect; `None` where the table lacks scores, predictions or labels.
pub(super) fn expectation(
    table: &Table,
    spec: &CompileSpec,
    outputs: &OutputReference,
    positive: Option<&Arc<str>>,
) -> Option<Expectation> {
    let (said, truth) = (output(table, spec, "prediction")?, output(table, spec, "label")?);
    if outputs.classes.is_empty() {
        return errors(said, truth, outputs.prediction.as_ref()?, outputs.label.as_ref()?);
    }
    let columns = score_columns(table, spec, &outputs.classes, positive);
    if columns.is_empty() || columns.len() != outputs.scores.len() {
        return None;
    }
    let fitted = columns.iter().zip(&outputs.scores).map(|((class, scores), truth)| {
        let predicted = by_class(scores, said, &outputs.classes, *class);
        ScoreCalibration::fit(outputs.classes.get(*class)?.clone(), truth, predicted)
    });
    fitted.collect::<Option<Vec<_>>>().map(Expectation::Classes)
}

/// The scores of each class by its place: of a binary model those of the positive class, of a multiclass one those of every class, or none.
fn score_columns<'a>(
    table: &'a Table,
    spec: &CompileSpec,
    classes: &[Arc<str>],
    positive: Option<&Arc<str>>,
) -> Vec<(usize, &'a ColumnValues)> {
    if classes.len() == 2 {
        let wanted = positive.map_or("1", |name| &**name);
        let place = class_place(classes, &Scalar::Text(wanted.into()));
        return place.zip(output(table, spec, "score")).into_iter().collect();
    }
    let of_class = |(place, class): (usize, &Arc<str>)| Some((place, output(table, spec, &format!("score_{class}"))?));
    classes.iter().enumerate().map(of_class).collect::<Option<Vec<_>>>().unwrap_or_default()
}

fn output<'a>(table: &'a Table, spec: &CompileSpec, name: &str) -> Option<&'a ColumnValues> {
    let column = table.columns.iter().find(|c| c.origin == Origin::Flat && *c.name == *name && !spec.ignore.contains(&c.name))?;
    Some(&column.values)
}

/// Scores of a class by whether a column says that class; rows without a score within 0 to 1 or without a class are left out.
fn by_class(scores: &ColumnValues, said: &ColumnValues, classes: &[Arc<str>], class: usize) -> ScoreTable {
    let mut table = ScoreTable::default();
    for (score, said) in scores.iter().zip(said.iter()) {
        if let (Scalar::Number(score), Some(said)) = (score, class_place(classes, &said))
            && (0.0..=1.0).contains(&score)
        {
            table.add(score_cell(score), said == class);
        }
    }
    table
}

/// Errors of a regression by groups of neighbouring predictions.
fn errors(said: &ColumnValues, truth: &ColumnValues, predictions: &ColumnReference, labels: &ColumnReference) -> Option<Expectation> {
    let rows: Vec<(usize, f64)> = said
        .iter()
        .zip(truth.iter())
        .filter_map(|(said, truth)| {
            let (Scalar::Number(number), Scalar::Number(truth)) = (&said, truth) else { return None };
            let slot = match predictions.place(&said) {
                Place::Slot(slot) => slot,
                Place::Number(number) => predictions.cell(number)?,
                _ => return None,
            };
            Some((slot, number - truth))
        })
        .collect();
    let mut counts = vec![0; predictions.counts.slots.len()];
    rows.iter().for_each(|(slot, _)| counts[*slot] += 1);
    let mut table = ErrorTable::new(labels.moments?.std, groups(&counts));
    rows.iter().for_each(|(slot, error)| table.add(*slot, *error));
    (!rows.is_empty()).then_some(Expectation::Numbers(table))
}

/// Neighbouring slots as groups of at least [`GROUP_ROWS`] rows; what is left over at the end belongs to the last one.
fn groups(counts: &[u64]) -> Vec<u16> {
    let (mut group, mut n, mut left) = (0, 0, counts.iter().sum::<u64>());
    let mut groups = Vec::with_capacity(counts.len());
    for &count in counts {
        if n >= GROUP_ROWS && left >= GROUP_ROWS && group < u16::MAX {
            (group, n) = (group + 1, 0);
        }
        groups.push(group);
        (n, left) = (n + count, left - count);
    }
    groups
}
