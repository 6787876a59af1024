//! The words of the domain as plain data: what a prediction, a label and their coordinates are.
//!
//! Invariant: nothing here knows a wire format, a rule or a clock. Text is borrowed from the message where it can be.

mod canonical;
mod features;
mod kind;
mod time;
mod value;

pub use canonical::{canonical_text, class_place, number_text};
pub use features::{Features, SharedNames};
pub use kind::{Event, Label, Prediction, RejectReason, Status};
pub use time::{Timestamp, TimestampError};
pub use value::{InvalidReason, Item, MAX_DIMENSIONS, MAX_ITEMS, Scalar};

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A model in one version: what a reference, a window and an alert belong to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModelKey {
    /// Name of the model, as its events carry it.
    pub model: Arc<str>,
    /// Version of the model, as its events carry it.
    pub version: Arc<str>,
}

impl ModelKey {
    /// Builds a key from anything that turns into shared text.
    pub fn new(model: impl Into<Arc<str>>, version: impl Into<Arc<str>>) -> Self {
        Self { model: model.into(), version: version.into() }
    }
}

impl fmt::Display for ModelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.model, self.version)
    }
}

/// A topic by its place in the run's topic table (a table in the state, so that the number keeps its meaning over restarts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TopicId(pub u16);

/// One partition of one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartitionId {
    /// The topic.
    pub topic: TopicId,
    /// Partition number within the topic.
    pub partition: i32,
}

/// Where a message stood in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The partition.
    pub partition: PartitionId,
    /// Offset within the partition (for files: the line number, from 0).
    pub offset: i64,
}
