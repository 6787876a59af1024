//! Names of a categorical column.

use super::lookup::ByName;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The slots of a categorical column: one per kept name, then `other` (in the reference, but not kept), then `new` (never in the reference).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Categories {
    /// Kept names, sorted.
    kept: Vec<Arc<str>>,
    /// Names of the reference that share the slot `other`, sorted.
    other: Vec<Arc<str>>,
    /// Whether the reference had more names than are remembered; an unknown name is then `other`, because it may have been one of them.
    truncated: bool,
    /// The slot of every name of the reference that is remembered.
    #[serde(skip)]
    slots: ByName<usize>,
}

/// What is written down of categories; the rest follows from it.
#[derive(Deserialize)]
struct Stored {
    kept: Vec<Arc<str>>,
    other: Vec<Arc<str>>,
    truncated: bool,
}

impl From<Stored> for Categories {
    fn from(Stored { kept, other, truncated }: Stored) -> Self {
        let others = other.iter().map(|name| (Arc::clone(name), kept.len()));
        let slots = others.chain(kept.iter().enumerate().map(|(slot, name)| (Arc::clone(name), slot))).collect();
        Self { kept, other, truncated, slots }
    }
}

impl PartialEq for Categories {
    fn eq(&self, other: &Self) -> bool {
        (&self.kept, &self.other, self.truncated) == (&other.kept, &other.other, other.truncated)
    }
}

impl Categories {
    /// Slots for `kept` names of their own and `other` names that share one.
    pub fn new(mut kept: Vec<Arc<str>>, mut other: Vec<Arc<str>>, truncated: bool) -> Self {
        kept.sort();
        kept.dedup();
        other.sort();
        other.dedup();
        Stored { kept, other, truncated }.into()
    }

    /// Names with a slot of their own, in the order of their slots.
    pub fn kept(&self) -> &[Arc<str>] {
        &self.kept
    }

    /// Number of the reference's names without a slot of their own, as far as they are remembered.
    pub fn n_other(&self) -> usize {
        self.other.len()
    }

    /// Number of slots.
    pub fn n_slots(&self) -> usize {
        self.kept.len() + 2
    }

    /// The slot of the reference's names without one of their own.
    pub fn other_slot(&self) -> usize {
        self.kept.len()
    }

    /// The slot of names that the reference does not have.
    pub fn new_slot(&self) -> usize {
        self.kept.len() + 1
    }

    /// The slot of a name.
    pub fn slot(&self, name: &str) -> usize {
        let unknown = if self.truncated { self.other_slot() } else { self.new_slot() };
        self.slots.get(name).copied().unwrap_or(unknown)
    }

    /// What a slot is called in output.
    pub fn slot_name(&self, slot: usize) -> &str {
        match slot {
            s if s < self.kept.len() => &self.kept[s],
            s if s == self.kept.len() => "(other)",
            _ => "(new)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_name_has_a_slot() {
        let categories = Categories::new(vec!["b".into(), "a".into()], vec!["rare".into()], false);
        let got: Vec<usize> = ["a", "b", "rare", "never"].iter().map(|n| categories.slot(n)).collect();
        assert_eq!(got, [0, 1, 2, 3]);
        assert_eq!(categories.slot_name(3), "(new)");
    }
}
