//! Windows of the same hour of two weeks: how far they are apart, for conditions on last week.
//!
//! A season makes two hours of a day differ much, and the same hour of two weeks not at all: by what all windows show, last week would never have changed.

use super::count::Rows;
use super::cut::Cut;
use super::variation::Spread;
use crate::engine::catalogue::{Metric, Subject};
use crate::engine::reference::{ColumnReference, OF_BINS, Variation};
use crate::engine::summary::ColumnCounts;
use crate::engine::window::InputPane;
use std::collections::BTreeMap;

/// Distances over bins of every column between windows a week apart; empty where the table has too few such pairs.
pub(super) fn apart(rows: &Rows<'_>, cut: &Cut) -> BTreeMap<(Subject, Metric), Variation> {
    let pairs = cut.a_week_apart();
    if pairs.is_empty() {
        return BTreeMap::new();
    }
    // what lasts is told from chance as it is for single windows: by the same sizes without any order
    let (found, chance) = (spreads(rows, &cut.windows, &pairs), spreads(rows, &cut.dealt(), &pairs));
    let variation = |(key, spread): ((Subject, Metric), Spread)| {
        let found = spread.variation(key.1, Some(&chance.get(&key).copied().unwrap_or_default()))?;
        Some((key, found))
    };
    found.into_iter().filter_map(variation).collect()
}

fn spreads(rows: &Rows<'_>, windows: &[Vec<usize>], pairs: &[(usize, usize)]) -> BTreeMap<(Subject, Metric), Spread> {
    let panes: Vec<InputPane> = windows.iter().map(|window| rows.count_inputs(window, false)).collect();
    let mut spreads = BTreeMap::<_, Spread>::new();
    for &(before, now) in pairs {
        let (before, now) = (columns(rows, &panes[before]), columns(rows, &panes[now]));
        for ((subject, column, before), (_, _, now)) in before.into_iter().zip(now) {
            for metric in OF_BINS {
                if let Ok(compared) = column.compare(metric, before, now) {
                    spreads.entry((subject.clone(), metric)).or_default().add(compared.value, compared.n_current);
                }
            }
        }
    }
    spreads
}

/// Inputs, prediction and score of a pane.
fn columns<'a>(rows: &Rows<'a>, pane: &'a InputPane) -> Vec<(Subject, &'a ColumnReference, &'a ColumnCounts)> {
    let (reference, outputs) = (rows.reference(), &rows.reference().outputs);
    let inputs = reference.inputs.iter().zip(&pane.inputs).map(|(f, counts)| (Subject::Feature(f.name.clone()), &f.column, counts));
    let outputs = [(Subject::Prediction, &outputs.prediction, &pane.prediction), (Subject::Score, &outputs.score, &pane.score)];
    let outputs = outputs.into_iter().filter_map(|(subject, column, counts)| Some((subject, column.as_ref()?, counts.as_ref()?)));
    inputs.chain(outputs).collect()
}
