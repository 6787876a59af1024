//! Scores counted by a fixed grid, so that tables of any time, version and reference add up.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Steps of the grid between 0 and 1.
const STEPS: u16 = 1000;

/// Scores (0 to 1) of one class by the answer to one yes/no question: whether the class was predicted, or whether it was true.
///
/// The grid has the points 0, 0.001, …, 1. A score that is a point has a cell of its own, so scores of up to three decimals are kept exactly; cell
/// `2i` lies strictly between the points `i−1` and `i`, cell `2i+1` is point `i`. At most 2,001 cells, and only those that occur take memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreTable {
    cells: BTreeMap<u16, [u64; 2]>,
}

/// The cell of a score; one outside 0 to 1 counts as the nearer end.
pub fn score_cell(score: f64) -> u16 {
    let score = score.clamp(0.0, 1.0);
    let nearest = (score * f64::from(STEPS)).round() as u16;
    let point = f64::from(nearest) / f64::from(STEPS);
    if score == point {
        2 * nearest + 1
    } else if score < point {
        2 * nearest
    } else {
        2 * nearest + 2
    }
}

/// Least and greatest score of a cell; equal where the cell is a point.
pub fn score_range(cell: u16) -> (f64, f64) {
    let point = |i: u16| f64::from(i.min(STEPS)) / f64::from(STEPS);
    if cell % 2 == 1 { (point(cell / 2), point(cell / 2)) } else { (point((cell / 2).saturating_sub(1)), point(cell / 2)) }
}

impl ScoreTable {
    /// Counts one score.
    pub fn add(&mut self, cell: u16, yes: bool) {
        self.cells.entry(cell).or_default()[usize::from(yes)] += 1;
    }

    /// Takes one score out again (a revised label).
    pub fn remove(&mut self, cell: u16, yes: bool) {
        if let Some(counts) = self.cells.get_mut(&cell) {
            let count = &mut counts[usize::from(yes)];
            *count = count.saturating_sub(1);
            if *counts == [0, 0] {
                self.cells.remove(&cell);
            }
        }
    }

    /// Adds `other`.
    pub fn merge(&mut self, other: &Self) {
        for (&cell, counts) in &other.cells {
            let mine = self.cells.entry(cell).or_default();
            mine[0] += counts[0];
            mine[1] += counts[1];
        }
    }

    /// Takes `other`, which is a part of it, out again; no trace of it is left.
    pub fn unmerge(&mut self, other: &Self) {
        for (cell, [no, yes]) in &other.cells {
            let Some(mine) = self.cells.get_mut(cell) else { continue };
            *mine = [mine[0].saturating_sub(*no), mine[1].saturating_sub(*yes)];
            if *mine == [0, 0] {
                self.cells.remove(cell);
            }
        }
    }

    /// Every cell that has a score, rising: the cell, and how many were no and yes.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u16, [u64; 2])> + '_ {
        self.cells.iter().map(|(&cell, &counts)| (cell, counts))
    }

    /// How many were no and yes.
    pub fn totals(&self) -> [u64; 2] {
        self.cells.values().fold([0, 0], |sum, counts| [sum[0] + counts[0], sum[1] + counts[1]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_three_decimals_are_points() {
        for (score, cell, range) in [
            (0.0, 1, (0.0, 0.0)),
            (0.0005, 2, (0.0, 0.001)),
            (0.001, 3, (0.001, 0.001)),
            (0.29, 581, (0.29, 0.29)),
            (0.2905, 582, (0.29, 0.291)),
            (0.9999, 2000, (0.999, 1.0)),
            (1.0, 2001, (1.0, 1.0)),
            (7.0, 2001, (1.0, 1.0)),
            (-1.0, 1, (0.0, 0.0)),
        ] {
            assert_eq!((score_cell(score), score_range(score_cell(score))), (cell, range), "{score}");
        }
        assert!((0..=1000).all(|i| score_cell(f64::from(i) / 1000.0) == 2 * i as u16 + 1));
    }

    #[test]
    fn what_is_taken_out_leaves_no_trace() {
        let mut table = ScoreTable::default();
        table.add(5, true);
        table.add(5, false);
        let mut sum = table.clone();
        sum.merge(&table);
        assert_eq!((sum.totals(), sum.iter().count()), ([2, 2], 1));
        sum.unmerge(&table);
        assert_eq!(sum, table);
        sum.unmerge(&table);
        assert_eq!(sum, ScoreTable::default());
        table.remove(5, true);
        table.remove(5, false);
        assert_eq!(table, ScoreTable::default());
    }
}
