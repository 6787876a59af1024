//! A numeric column: its cut points, bins, counts and moments.

use super::CompiledColumn;
use crate::engine::reference::table::ColumnValues;
use crate::engine::reference::{Cells, ColumnReference, Moments, Slots};
use crate::engine::summary::ColumnCounts;
use crate::event::{InvalidReason, Scalar};
use std::ops::RangeInclusive;

/// Up to this many distinct values each value has a bin of its own.
const MOST_VALUES_AS_BINS: usize = 20;

/// How finely a numeric column is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resolution {
    /// Quantiles at which a column of more distinct values is cut into cells.
    pub(super) cells: usize,
    /// Bins of about equal mass of a column with more than [`MOST_VALUES_AS_BINS`] distinct values.
    pub(super) bins: usize,
}

/// What a number must be to be usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// Finite.
    Finite,
    /// A probability.
    Unit,
}

/// What is done with names in a numeric column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// They are of the wrong type.
    Invalid,
    /// They are read as numbers where they spell one (a column that was named numeric by hand).
    Read,
}

/// Compiles a numeric column.
pub(super) fn numeric_column(values: &ColumnValues, resolution: Resolution, range: Range, names: Names) -> CompiledColumn {
    let mut counts = ColumnCounts::new(0);
    let mut sample = Vec::new();
    for value in values.iter() {
        match number(&value, names) {
            Ok(Some(v)) if range == Range::Unit && !(0.0..=1.0).contains(&v) => counts.add_invalid(InvalidReason::OutOfRange),
            Ok(Some(v)) => sample.push(v + 0.0),
            Ok(None) => counts.missing += 1,
            Err(reason) => counts.add_invalid(reason),
        }
    }
    sample.sort_unstable_by(f64::total_cmp);
    let runs = runs(&sample);
    let slots = cut(&runs, sample.len() as u64, resolution);
    counts.slots = vec![0; slots.n_cells()];
    for &(value, count) in &runs {
        counts.slots[slots.cell(value)] += count;
    }
    let (bins, n_bins) = bins(&slots, &runs, sample.len() as u64, resolution.bins);
    let mut column = ColumnReference { slots: Slots::Numeric(slots), counts, bins, n_bins, moments: moments(&sample) };
    column.counts.sums = column.empty_counts().sums;
    if let (Some(sums), Some(moments)) = (&mut column.counts.sums, column.moments) {
        // its least and its greatest value are points, so nothing lies beyond them
        sample.iter().for_each(|value| sums.add(value - moments.mean, 0.0));
    }
    CompiledColumn { column, distinct: runs.len() as u64 }
}

/// The number in a cell, `None` for null.
pub(super) fn number(value: &Scalar<'_>, names: Names) -> Result<Option<f64>, InvalidReason> {
    match value {
        Scalar::Null => Ok(None),
        Scalar::Number(number) if number.is_finite() => Ok(Some(*number)),
        Scalar::Number(_) | Scalar::NonFinite => Err(InvalidReason::NonFinite),
        Scalar::Text(text) if names == Names::Read => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            Ok(number) if number.is_nan() => Ok(None),
            Ok(_) => Err(InvalidReason::NonFinite),
            Err(_) => Err(InvalidReason::WrongType),
        },
        Scalar::Text(_) | Scalar::Bool(_) | Scalar::Structured | Scalar::List(_) | Scalar::Vector(_) => Err(InvalidReason::WrongType),
    }
}

/// Distinct values of a sorted sample, each with how often it occurs.
fn runs(sorted: &[f64]) -> Vec<(f64, u64)> {
    sorted.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u64)).collect()
}

/// The quantiles at the levels j/k, each once: the least value v with F(v) ≥ j/k. Over all levels from 0 to k, a value of mass 1/k or more is
/// always among them, because its step of F holds one of the levels; so are the least and the greatest value.
fn quantiles(runs: &[(f64, u64)], n: u64, k: usize, levels: RangeInclusive<u64>) -> Vec<f64> {
    let mut points = Vec::new();
    let mut remaining = runs.iter();
    let Some(&(mut value, mut below_or_equal)) = remaining.next() else { return points };
    for j in levels {
        // F(v) ≥ j/k exactly: in integers, so that no rounding moves a cut
        while u128::from(below_or_equal) * (k as u128) < u128::from(j) * u128::from(n) {
            let Some(&(next, count)) = remaining.next() else { break };
            value = next;
            below_or_equal += count;
        }
        points.push(value);
    }
    points.dedup();
    points
}

/// Where the column is cut: at every distinct value if there are few, else at quantiles of the wished resolution and between the bins.
fn cut(runs: &[(f64, u64)], n: u64, Resolution { cells, bins }: Resolution) -> Cells {
    if runs.len() <= cells.max(MOST_VALUES_AS_BINS) {
        return Cells::new(runs.iter().map(|&(value, _)| value).collect(), true);
    }
    let mut points = quantiles(runs, n, cells, 0..=cells as u64);
    points.extend(quantiles(runs, n, bins, 0..=bins as u64));
    Cells::new(points, false)
}

/// For each cell its bin, and the number of bins.
fn bins(cells: &Cells, runs: &[(f64, u64)], n: u64, bins: usize) -> (Vec<u16>, u16) {
    if runs.is_empty() {
        return (vec![0], 1);
    }
    if runs.len() <= MOST_VALUES_AS_BINS { bins_by_value(runs.len()) } else { bins_by_quantile(cells, runs, n, bins) }
}

/// Bin 0 below all values, one bin per value, one above all, and one for everything between two values.
fn bins_by_value(n_values: usize) -> (Vec<u16>, u16) {
    let (above, between) = (n_values + 1, n_values + 2);
    let bin = |cell: usize| match cell {
        0 => 0,
        c if c == 2 * n_values => above,
        c if c % 2 == 1 => c / 2 + 1,
        _ => between,
    };
    let n_bins = if n_values == 1 { above + 1 } else { between + 1 };
    ((0..=2 * n_values).map(|cell| bin(cell) as u16).collect(), n_bins as u16)
}

/// Bins (e_i, e_{i+1}] between the inner quantiles e at j/`wanted` (deciles, if nothing else is said), equal ones merged, open at both ends.
fn bins_by_quantile(cells: &Cells, runs: &[(f64, u64)], n: u64, wanted: usize) -> (Vec<u16>, u16) {
    let edges = quantiles(runs, n, wanted, 1..=wanted as u64 - 1);
    let below = |value: f64| edges.partition_point(|&edge| edge < value) as u16;
    let mut bins = Vec::with_capacity(cells.n_cells());
    for &point in cells.points() {
        bins.extend([below(point), below(point)]);
    }
    bins.push(edges.len() as u16);
    (bins, edges.len() as u16 + 1)
}

/// Mean and population standard deviation of a sorted sample, free of overflow: computed on values scaled by a power of two, with compensated
/// sums (A. Neumaier, ZAMM 54, 1974) in ascending order, so that the order of the rows does not matter. `None` when it is empty.
pub(in crate::engine) fn moments(sorted: &[f64]) -> Option<Moments> {
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    if min == max {
        return Some(Moments { mean: min, std: 0.0, min, max });
    }
    let n = sorted.len() as f64;
    let scale = 2f64.powi((min.abs().max(max.abs()).log2().ceil() as i32).clamp(-1000, 1000));
    let mean = sum(sorted.iter().map(|v| v / scale)) / n;
    let variance = sum(sorted.iter().map(|v| (v / scale - mean).powi(2))) / n;
    Some(Moments { mean: (mean * scale).clamp(min, max), std: variance.sqrt() * scale, min, max })
}

/// A compensated sum.
fn sum(terms: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut lost) = (0.0f64, 0.0f64);
    for term in terms {
        let next = sum + term;
        lost += if sum.abs() >= term.abs() { (sum - next) + term } else { (term - next) + sum };
        sum = next;
    }
    sum + lost
}
