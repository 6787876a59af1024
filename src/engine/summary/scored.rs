//! Scores of labelled predictions: by how they rank, and by what they lose.

use super::{FixedSum, ScoreTable, score_cell};
use crate::stats::scores::{binary_loss, class_loss};
use serde::{Deserialize, Serialize};

/// The scores of one prediction as they are remembered until its label comes. All are from 0 to 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Scores {
    /// None that could be used, or none that anybody asked for.
    #[default]
    None,
    /// Of the positive class (binary).
    Positive(f64),
    /// Of every class, by its place in the label map (multiclass).
    Classes(Box<[f64]>),
}

/// Sums over labelled predictions that have scores, by class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct ScoreSums {
    /// Scores by whether the class was true: of a binary model those of the positive class, else of every class in the order of the label map.
    pub tables: Vec<ScoreTable>,
    /// What the scores lose.
    pub losses: Losses,
}

/// Exact sums of what scores lose on the truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Losses {
    /// Number of predictions.
    pub n: u64,
    /// Σ −ln(score of the true class), in nats.
    pub log_loss: FixedSum,
    /// Σ of its squares.
    pub log_loss_squared: FixedSum,
    /// Σ (score − truth)², multiclass: over all classes.
    pub brier: FixedSum,
    /// Σ of its squares.
    pub brier_squared: FixedSum,
}

impl Default for Losses {
    fn default() -> Self {
        // a clipped score loses at most 36.05, so a scale of 1 holds any number of terms
        let sum = FixedSum::new(0);
        Self { n: 0, log_loss: sum, log_loss_squared: sum, brier: sum, brier_squared: sum }
    }
}

impl Losses {
    fn tally(&mut self, (log, square): (f64, f64), add: bool) {
        let terms = [
            (&mut self.log_loss, log),
            (&mut self.log_loss_squared, log * log),
            (&mut self.brier, square),
            (&mut self.brier_squared, square * square),
        ];
        for (sum, term) in terms {
            if add { sum.add(term) } else { sum.remove(term) }
        }
        self.n = if add { self.n + 1 } else { self.n.saturating_sub(1) };
    }

    /// Adds `other`.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.log_loss.merge(&other.log_loss);
        self.log_loss_squared.merge(&other.log_loss_squared);
        self.brier.merge(&other.brier);
        self.brier_squared.merge(&other.brier_squared);
    }

    /// Takes `other`, which is a part of it, out again.
    pub fn unmerge(&mut self, other: &Self) {
        self.n = self.n.saturating_sub(other.n);
        self.log_loss.unmerge(&other.log_loss);
        self.log_loss_squared.unmerge(&other.log_loss_squared);
        self.brier.unmerge(&other.brier);
        self.brier_squared.unmerge(&other.brier_squared);
    }
}

impl ScoreSums {
    /// Adds one labelled prediction (or takes it out again, a revised label). `truth` is the true class, `positive` the positive one, as places in the label
    /// map. A truth that the scores say nothing of (a class that was not known yet) is left out.
    pub fn tally(&mut self, scores: &Scores, truth: usize, positive: Option<usize>, add: bool) {
        match scores {
            Scores::None => {}
            Scores::Positive(score) => {
                let yes = positive == Some(truth);
                self.count(0, *score, yes, add);
                self.losses.tally(binary_loss(*score, yes), add);
            }
            Scores::Classes(scores) => {
                let Some(loss) = class_loss(scores, truth) else { return };
                scores.iter().enumerate().for_each(|(class, &score)| self.count(class, score, class == truth, add));
                self.losses.tally(loss, add);
            }
        }
        self.drop_empty_tables();
    }

    fn drop_empty_tables(&mut self) {
        while self.tables.last().is_some_and(|table| *table == ScoreTable::default()) {
            self.tables.pop();
        }
    }

    fn count(&mut self, class: usize, score: f64, yes: bool, add: bool) {
        if self.tables.len() <= class {
            self.tables.resize_with(class + 1, ScoreTable::default);
        }
        let (table, cell) = (&mut self.tables[class], score_cell(score));
        if add { table.add(cell, yes) } else { table.remove(cell, yes) }
    }

    /// Adds `other`.
    pub fn merge(&mut self, other: &Self) {
        if self.tables.len() < other.tables.len() {
            self.tables.resize_with(other.tables.len(), ScoreTable::default);
        }
        self.tables.iter_mut().zip(&other.tables).for_each(|(mine, theirs)| mine.merge(theirs));
        self.losses.merge(&other.losses);
    }

    /// Takes `other`, which is a part of it, out again; no trace of it is left.
    pub fn unmerge(&mut self, other: &Self) {
        self.tables.iter_mut().zip(&other.tables).for_each(|(mine, theirs)| mine.unmerge(theirs));
        self.losses.unmerge(&other.losses);
        self.drop_empty_tables();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event() -> impl Strategy<Value = (Scores, usize)> {
        let score = || prop_oneof![Just(0.0), Just(1.0), (0u32..=1000).prop_map(|s| f64::from(s) / 1000.0), 0.0..=1.0f64];
        let scores = prop_oneof![
            1 => Just(Scores::None),
            4 => score().prop_map(Scores::Positive),
            4 => prop::collection::vec(score(), 1..4).prop_map(|scores| Scores::Classes(scores.into())),
        ];
        (scores, 0usize..4)
    }

    fn sums(events: &[(Scores, usize)]) -> ScoreSums {
        let mut sums = ScoreSums::default();
        events.iter().for_each(|(scores, truth)| sums.tally(scores, *truth, Some(1), true));
        sums
    }

    proptest! {
        #[test]
        fn parts_add_up_in_any_order_and_what_is_taken_out_leaves_no_trace(events in prop::collection::vec(event(), 0..30), cut in 0usize..30) {
            let (first, second) = events.split_at(cut.min(events.len()));
            let (mut one, mut other) = (sums(first), sums(second));
            one.merge(&sums(second));
            other.merge(&sums(first));
            prop_assert_eq!(&one, &other);
            prop_assert_eq!(&one, &sums(&events));
            let mut rest = one.clone();
            rest.unmerge(&sums(second));
            prop_assert_eq!(&rest, &sums(first));
            second.iter().for_each(|(scores, truth)| one.tally(scores, *truth, Some(1), false));
            prop_assert_eq!(one, sums(first));
        }
    }

    #[test]
    fn a_truth_without_a_score_is_left_out() {
        let mut sums = ScoreSums::default();
        sums.tally(&Scores::Classes([0.5, 0.5].into()), 2, None, true);
        sums.tally(&Scores::Classes([0.0, 0.0].into()), 1, None, true);
        sums.tally(&Scores::None, 1, None, true);
        assert_eq!(sums, ScoreSums::default());
    }
}
