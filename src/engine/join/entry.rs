//! What is remembered of a prediction.

use super::ALLOCATION_BYTES;
use crate::engine::summary::{ListValues, Scores};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};

/// What was predicted, or what was true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// A class by its place in the model's label map.
    Class(u16),
    /// A number.
    Number(f64),
    /// A ranked list. Boxed twice, so that the entries of other tasks stay small.
    List(Box<RankedList>),
    /// What was true of a ranked list.
    Judged(Box<JudgedList>),
}

/// A ranked list: hashes of its first k items, best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankedList(pub Box<[u64]>);

/// A ranked list against its label; the label itself is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct JudgedList {
    /// Hash of the relevant items and their gains: tells one label from another.
    pub label: u64,
    /// What the list is worth by it.
    pub values: ListValues,
}

/// The truth as it is known for one prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// What was true.
    pub outcome: Outcome,
    /// When that became known.
    pub at: Timestamp,
}

/// A remembered prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The model version, by its place in the shard.
    pub model: u32,
    /// The streams it was counted in, by the route's place in the shard. All entries of a route are of one model.
    pub route: u32,
    /// When it was made.
    pub timestamp: Timestamp,
    /// What was predicted; `None`: nothing that a label could be compared with.
    pub predicted: Option<Outcome>,
    /// Its scores, where a metric needs them.
    pub scores: Scores,
    /// The truth, once it is known.
    pub truth: Option<Truth>,
}

impl Entry {
    /// Most bytes that it takes outside of itself.
    pub(super) fn heap_bytes(&self) -> usize {
        let scores = match &self.scores {
            Scores::None | Scores::Positive(_) => 0,
            Scores::Classes(scores) => ALLOCATION_BYTES + size_of_val(scores.as_ref()),
        };
        let truth = self.truth.as_ref().map(|truth| &truth.outcome);
        scores + self.predicted.iter().chain(truth).map(Outcome::heap_bytes).sum::<usize>()
    }
}

impl Outcome {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Class(_) | Self::Number(_) => 0,
            Self::List(list) => 2 * ALLOCATION_BYTES + size_of::<RankedList>() + size_of_val(list.0.as_ref()),
            Self::Judged(_) => ALLOCATION_BYTES + size_of::<JudgedList>(),
        }
    }
}
