//! Quality of a classifier as calibrated scores let expect it (confidence-based performance estimation: Białek, Kuberski, Perrakis 2023).

use super::{Chance, Estimate, NoValue, Pool};

/// Rows of one score, by whether the class was predicted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredRows {
    /// Rows of which the class was not, and was predicted.
    pub rows: [u64; 2],
    /// The chance that one of them is of the class.
    pub chance: Chance,
}

/// One class against the rest, as its scores let expect it.
///
/// Every row is of the class with the chance that its score has, so true positives are the sum of the chances of the rows predicted so, and the other three
/// counts of the confusion matrix follow. Errors are by the delta method: each row a draw of its own, each pool's share as uncertain as its size says.
#[derive(Debug, Clone)]
pub struct ExpectedClass<'a> {
    cells: &'a [ScoredRows],
    pools: &'a [Pool],
    chances: Vec<f64>,
    /// Rows of which the class was not, and was predicted.
    rows: [f64; 2],
    /// Rows expected to be of the class among them.
    hits: [f64; 2],
}

impl<'a> ExpectedClass<'a> {
    /// `cells`: by rising score; `pools`: what their chances refer to.
    pub fn new(cells: &'a [ScoredRows], pools: &'a [Pool]) -> Self {
        let chances: Vec<f64> = cells.iter().map(|cell| cell.chance.of(pools).clamp(0.0, 1.0)).collect();
        let (mut rows, mut hits) = ([0.0; 2], [0.0; 2]);
        for (cell, chance) in cells.iter().zip(&chances) {
            for side in 0..2 {
                rows[side] += cell.rows[side] as f64;
                hits[side] += cell.rows[side] as f64 * chance;
            }
        }
        Self { cells, pools, chances, rows, hits }
    }

    /// Number of rows.
    pub fn n(&self) -> f64 {
        self.rows[0] + self.rows[1]
    }

    /// Number of rows that were predicted to be of the class.
    pub fn predicted(&self) -> f64 {
        self.rows[1]
    }

    /// Number of rows that are expected to be of the class.
    pub fn expected(&self) -> f64 {
        self.hits[0] + self.hits[1]
    }

    /// Share of right answers, (tp + tn) / n.
    pub fn accuracy(&self) -> Result<Estimate, NoValue> {
        let n = self.n();
        if n <= 0.0 {
            return Err(NoValue::Empty);
        }
        Ok(self.estimate((self.hits[1] + self.rows[0] - self.hits[0]) / n, |_| [-1.0 / n, 1.0 / n]))
    }

    /// True positives as a share of all `n` rows of a model with several classes: what the class adds to the accuracy.
    pub fn accuracy_share(&self, n: f64) -> Estimate {
        let n = n.max(1.0);
        self.estimate(self.hits[1] / n, |_| [0.0, 1.0 / n])
    }

    /// Precision tp / (tp + fp).
    pub fn precision(&self) -> Result<Estimate, NoValue> {
        let predicted = self.rows[1];
        if predicted <= 0.0 {
            return Err(NoValue::NoPositivePrediction);
        }
        Ok(self.estimate(self.hits[1] / predicted, |_| [0.0, 1.0 / predicted]))
    }

    /// Recall tp / (tp + fn).
    pub fn recall(&self) -> Result<Estimate, NoValue> {
        let (slope, expected) = (self.recall_slope(), self.expected());
        if expected <= 0.0 {
            return Err(NoValue::NoPositiveLabel);
        }
        Ok(self.estimate(self.hits[1] / expected, |_| slope))
    }

    /// Specificity tn / (tn + fp); not defined where every row is expected to be of the class.
    pub fn specificity(&self) -> Result<Estimate, NoValue> {
        let (slope, others) = (self.specificity_slope(), self.n() - self.expected());
        if others <= 0.0 {
            return Err(NoValue::NoPositiveLabel);
        }
        Ok(self.estimate((self.rows[0] - self.hits[0]) / others, |_| slope))
    }

    /// Mean of recall and specificity.
    pub fn balanced_accuracy(&self) -> Result<Estimate, NoValue> {
        let value = (self.recall()?.value + self.specificity()?.value) / 2.0;
        let (recall, specificity) = (self.recall_slope(), self.specificity_slope());
        Ok(self.estimate(value, |_| [(recall[0] + specificity[0]) / 2.0, (recall[1] + specificity[1]) / 2.0]))
    }

    /// F1 = 2tp / (2tp + fp + fn).
    pub fn f1(&self) -> Result<Estimate, NoValue> {
        let (whole, hits) = (self.rows[1] + self.expected(), self.hits[1]);
        if whole <= 0.0 {
            return Err(NoValue::NoPositiveLabel);
        }
        let missed = -2.0 * hits / (whole * whole);
        Ok(self.estimate(2.0 * hits / whole, |_| [missed, 2.0 / whole + missed]))
    }

    /// Area under the ROC curve: the chance that a row of the class has the higher score than one of the rest, half of it for equal scores.
    /// `None` where all rows are expected to be of one kind.
    pub fn roc_auc(&self) -> Option<Estimate> {
        let (positives, negatives) = (self.expected(), self.n() - self.expected());
        if positives <= 0.0 || negatives <= 0.0 {
            return None;
        }
        let rows = |cell: &ScoredRows| (cell.rows[0] + cell.rows[1]) as f64;
        // for each score: negatives below it, half of its own counted, and positives below it likewise
        let (mut below, mut sums) = (Vec::with_capacity(self.cells.len()), [0.0, 0.0]);
        let mut wins = 0.0;
        for (cell, chance) in self.cells.iter().zip(&self.chances) {
            let (of_class, of_rest) = (rows(cell) * chance, rows(cell) * (1.0 - chance));
            let at = [sums[0] + of_rest / 2.0, sums[1] + of_class / 2.0];
            wins += of_class * at[0];
            below.push(at);
            sums = [sums[0] + of_rest, sums[1] + of_class];
        }
        let area = wins / (positives * negatives);
        // a row that turns from the rest to the class wins against the rest below it, and no longer loses to the class above it
        let slope = |place: usize| {
            let turned = below.get(place).map_or(0.0, |at| at[0] - (positives - at[1]));
            turned / (positives * negatives) - area / positives + area / negatives
        };
        Some(self.estimate(area, |place| [slope(place); 2]))
    }

    fn recall_slope(&self) -> [f64; 2] {
        let expected = self.expected();
        [-self.hits[1] / (expected * expected), self.hits[0] / (expected * expected)]
    }

    fn specificity_slope(&self) -> [f64; 2] {
        let others = self.n() - self.expected();
        [(self.hits[1] - self.rows[1]) / (others * others), (self.rows[0] - self.hits[0]) / (others * others)]
    }

    /// A figure within 0 to 1 and its errors. `slope`: by how much it grows when one more row of a cell, not predicted or predicted, is of the class.
    fn estimate(&self, value: f64, slope: impl Fn(usize) -> [f64; 2]) -> Estimate {
        let mut sampling = 0.0;
        let mut by_pool = vec![0.0; self.pools.len()];
        for (place, (cell, chance)) in self.cells.iter().zip(&self.chances).enumerate() {
            let (slope, rows) = (slope(place), cell.rows.map(|n| n as f64));
            sampling += chance * (1.0 - chance) * (slope[0] * slope[0] * rows[0] + slope[1] * slope[1] * rows[1]);
            let moved = slope[0] * rows[0] + slope[1] * rows[1];
            let Chance { low, high, weight } = cell.chance;
            for (pool, part) in [(low, 1.0 - weight), (high, weight)] {
                if let Some(sum) = by_pool.get_mut(pool) {
                    *sum += part * moved;
                }
            }
        }
        // Jeffreys' half an answer on either side: a pool without a single no is not certain
        let variance = |pool: &Pool| {
            let (share, n) = ((pool.yes as f64 + 0.5) / (pool.n() as f64 + 1.0), pool.n() as f64 + 1.0);
            share * (1.0 - share) / n
        };
        let learning = self.pools.iter().zip(&by_pool).map(|(pool, moved)| moved * moved * variance(pool)).sum();
        Estimate { value: value.clamp(0.0, 1.0), sampling, learning }
    }
}

#[cfg(test)]
mod tests;
