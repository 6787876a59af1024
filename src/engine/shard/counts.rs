//! What became of every event: each ends in exactly one counter (invariant I1).

use crate::engine::join::Pushed;
use crate::event::{InvalidReason, RejectReason, TopicId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an event turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventKind {
    /// A prediction.
    Prediction,
    /// A label.
    Label,
    /// Neither, as far as the decoder could tell.
    Unreadable,
}

impl EventKind {
    /// Every kind, for tables and suites.
    pub const ALL: [Self; 3] = [Self::Prediction, Self::Label, Self::Unreadable];

    /// The name used in output and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prediction => "prediction",
            Self::Label => "label",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Counters of one shard since its state began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Events that came, broken ones included.
    pub received: u64,
    /// The same by topic and kind.
    pub received_by: BTreeMap<(TopicId, EventKind), u64>,
    /// Predictions counted in a pane, and labels joined with a prediction.
    pub applied: u64,
    /// Predictions whose windows are all closed.
    pub late: u64,
    /// Predictions and labels that said again what was said before.
    pub duplicate: u64,
    /// Events that were not applied, by reason.
    pub rejected: BTreeMap<RejectReason, u64>,
    /// Of the applied predictions: those that came after their pane had closed.
    pub amended: u64,
    /// Of the applied: labels.
    pub labels_joined: u64,
    /// Of the applied labels: those that replaced another one.
    pub revised: u64,
    /// Single values that could not be used, in the order of [`InvalidReason::ALL`].
    pub invalid_values: [u64; InvalidReason::ALL.len()],
    /// Labels whose id is not in the sample that is joined.
    pub labels_not_sampled: u64,
    /// Of the applied predictions: those whose id is not in the sample that is joined, so that nothing was remembered of them.
    pub predictions_not_sampled: u64,
    /// Predictions that were forgotten before their time.
    pub predictions_evicted: Pushed,
    /// Of the rejected labels: those that were forgotten before their time.
    pub labels_evicted: Pushed,
    /// Predictions whose segment was not kept apart because there are too many.
    pub segments_overflow: u64,
}

impl Counts {
    /// Counts an event that came.
    pub fn receive(&mut self, topic: TopicId, kind: EventKind) {
        self.received += 1;
        *self.received_by.entry((topic, kind)).or_default() += 1;
    }

    /// Counts an event that was not applied.
    pub fn reject(&mut self, reason: RejectReason) {
        self.reject_many(reason, 1);
    }

    /// Counts `n` events that were not applied.
    pub fn reject_many(&mut self, reason: RejectReason, n: u64) {
        if n > 0 {
            *self.rejected.entry(reason).or_default() += n;
        }
    }

    /// Counts a single value that could not be used.
    pub fn invalid(&mut self, reason: InvalidReason) {
        self.invalid_values[reason as usize] += 1;
    }

    /// Events that are accounted for: all but those that still wait.
    pub fn settled(&self) -> u64 {
        self.applied + self.late + self.duplicate + self.labels_not_sampled + self.rejected.values().sum::<u64>()
    }
}
