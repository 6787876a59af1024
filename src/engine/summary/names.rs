//! Counts by name of names that nobody foresaw.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most names that are kept.
const MOST_NAMES: usize = 50;
/// A longer name is cut to as many bytes (at a character's border), so that it is noticed and costs no more than others.
const MOST_BYTES: usize = 128;

/// Counts by name, bounded: the least names in alphabetical order are kept.
///
/// A name among the least is never dropped on the way, whatever comes in which order: who drops it knows as many lesser ones. So the counts of
/// those that are kept are exact, and merging is associative, commutative and equal to one pass (the idea of bottom-k sketches: Cohen, Kaplan, PODC 2007).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameCounts {
    counts: BTreeMap<Arc<str>, u64>,
}

impl NameCounts {
    /// Counts one occurrence of `name`.
    pub fn add(&mut self, name: &str) {
        let name = &name[..name.floor_char_boundary(MOST_BYTES)];
        match self.counts.get_mut(name) {
            Some(count) => *count += 1,
            None => self.enter(name, || name.into(), 1),
        }
    }

    /// Adds `other`.
    pub fn merge(&mut self, other: &Self) {
        for (name, &n) in &other.counts {
            match self.counts.get_mut(name) {
                Some(count) => *count += n,
                None => self.enter(name, || Arc::clone(name), n),
            }
        }
    }

    /// Number of names that are kept; at the bound there may be more.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The names that are kept, in their order, each with how often it came.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        self.counts.iter().map(|(name, &count)| (name, count))
    }

    fn enter(&mut self, name: &str, owned: impl FnOnce() -> Arc<str>, n: u64) {
        if self.counts.len() >= MOST_NAMES {
            if self.counts.last_key_value().is_some_and(|(last, _)| **last <= *name) {
                return;
            }
            self.counts.pop_last();
        }
        self.counts.insert(owned(), n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted<'a>(names: impl Iterator<Item = &'a u16>) -> NameCounts {
        let mut counts = NameCounts::default();
        names.for_each(|name| counts.add(&format!("f{name:03}")));
        counts
    }

    #[test]
    fn long_names_are_cut_at_a_character() {
        let mut counts = NameCounts::default();
        counts.add(&"é".repeat(300));
        counts.add(&format!("a{}", "é".repeat(300)));
        let lengths: Vec<usize> = counts.iter().map(|(name, _)| name.len()).collect();
        assert_eq!(lengths, [127, 128]);
    }

    proptest! {
        #[test]
        fn merging_is_one_pass_in_any_order_and_bounded(names in prop::collection::vec((0u16..120, 0usize..3), 0..400)) {
            let whole = counted(names.iter().map(|(name, _)| name));
            let parts: Vec<_> = (0..3).map(|p| counted(names.iter().filter(|(_, part)| *part == p).map(|(name, _)| name))).collect();
            for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
                let mut sum = NameCounts::default();
                order.iter().for_each(|&p| sum.merge(&parts[p]));
                prop_assert_eq!(&sum, &whole);
            }
            let mut right = parts[1].clone();
            right.merge(&parts[2]);
            let mut nested = parts[0].clone();
            nested.merge(&right);
            prop_assert_eq!(&nested, &whole);
            prop_assert_eq!(&counted(names.iter().rev().map(|(name, _)| name)), &whole);
            prop_assert!(whole.len() <= MOST_NAMES);
            for (name, count) in whole.iter() {
                let want = names.iter().filter(|(n, _)| format!("f{n:03}") == **name).count() as u64;
                prop_assert_eq!(count, want);
            }
        }
    }
}
