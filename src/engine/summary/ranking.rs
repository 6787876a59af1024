//! Sums from which the quality of ranked lists follows.

use super::FixedSum;
use serde::{Deserialize, Serialize};

/// What one list is worth against the items that were relevant; all from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ListValues {
    /// Share of the k places that hold a relevant item.
    pub precision: f64,
    /// One over the place of the first relevant item; 0 where there is none.
    pub reciprocal_rank: f64,
    /// What only a list with something to find has.
    pub of_relevant: Option<FoundValues>,
}

/// What a list is worth by how much of the relevant it found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FoundValues {
    /// Normalised discounted cumulative gain.
    pub ndcg: f64,
    /// Share of the relevant items that the list has.
    pub recall: f64,
}

/// Exact sums over labelled lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankingSums {
    /// Lists.
    pub n: u64,
    /// Those whose label has a relevant item.
    pub n_relevant: u64,
    /// Share of relevant items, over all lists.
    pub precision: ValueSums,
    /// One over the place of the first relevant item, over all lists.
    pub reciprocal_rank: ValueSums,
    /// Normalised discounted cumulative gain, over the lists with something to find.
    pub ndcg: ValueSums,
    /// Share of the relevant items that were found, over the lists with something to find.
    pub recall: ValueSums,
}

/// A sum of values from 0 to 1, and that of their squares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueSums {
    /// Σx.
    pub sum: FixedSum,
    /// Σx².
    pub squares: FixedSum,
}

impl Default for ValueSums {
    fn default() -> Self {
        Self { sum: FixedSum::new(0), squares: FixedSum::new(0) }
    }
}

impl ValueSums {
    fn tally(&mut self, value: f64, add: bool) {
        for (sum, term) in [(&mut self.sum, value), (&mut self.squares, value * value)] {
            if add { sum.add(term) } else { sum.remove(term) }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
    }

    fn unmerge(&mut self, other: &Self) {
        self.sum.unmerge(&other.sum);
        self.squares.unmerge(&other.squares);
    }
}

impl RankingSums {
    /// Adds one list (or takes it out again, a revised label; no trace of it is left).
    pub fn tally(&mut self, values: &ListValues, add: bool) {
        let count = |n: u64| if add { n + 1 } else { n.saturating_sub(1) };
        self.n = count(self.n);
        self.precision.tally(values.precision, add);
        self.reciprocal_rank.tally(values.reciprocal_rank, add);
        if let Some(found) = values.of_relevant {
            self.n_relevant = count(self.n_relevant);
            self.ndcg.tally(found.ndcg, add);
            self.recall.tally(found.recall, add);
        }
    }

    /// Adds `other`.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.n_relevant += other.n_relevant;
        self.precision.merge(&other.precision);
        self.reciprocal_rank.merge(&other.reciprocal_rank);
        self.ndcg.merge(&other.ndcg);
        self.recall.merge(&other.recall);
    }

    /// Takes `other`, which is a part of it, out again; no trace of it is left.
    pub fn unmerge(&mut self, other: &Self) {
        self.n = self.n.saturating_sub(other.n);
        self.n_relevant = self.n_relevant.saturating_sub(other.n_relevant);
        self.precision.unmerge(&other.precision);
        self.reciprocal_rank.unmerge(&other.reciprocal_rank);
        self.ndcg.unmerge(&other.ndcg);
        self.recall.unmerge(&other.recall);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = ListValues> {
        let share = || 0.0..=1.0f64;
        let found = prop::option::of((share(), share()).prop_map(|(ndcg, recall)| FoundValues { ndcg, recall }));
        (share(), share(), found).prop_map(|(precision, reciprocal_rank, of_relevant)| ListValues {
            precision,
            reciprocal_rank,
            of_relevant,
        })
    }

    fn sums(lists: &[ListValues]) -> RankingSums {
        let mut sums = RankingSums::default();
        lists.iter().for_each(|values| sums.tally(values, true));
        sums
    }

    proptest! {
        #[test]
        fn parts_add_up_in_any_order_and_what_is_taken_out_leaves_no_trace(lists in prop::collection::vec(values(), 0..30), cut in 0usize..30) {
            let (first, second) = lists.split_at(cut.min(lists.len()));
            let (mut one, mut other) = (sums(first), sums(second));
            one.merge(&sums(second));
            other.merge(&sums(first));
            prop_assert_eq!(&one, &other);
            prop_assert_eq!(&one, &sums(&lists));
            let mut rest = one.clone();
            rest.unmerge(&sums(second));
            prop_assert_eq!(&rest, &sums(first));
            second.iter().for_each(|values| one.tally(values, false));
            prop_assert_eq!(one, sums(first));
        }
    }
}
