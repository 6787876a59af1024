//! What the decoder is told.

use crate::event::Timestamp;

/// Bounds on what a message may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeSettings {
    /// Longest message, in bytes.
    pub max_bytes: usize,
    /// Most features of one event.
    pub max_features: usize,
    /// Earliest event time taken.
    pub earliest: Timestamp,
    /// First event time no longer taken.
    pub latest: Timestamp,
}

impl Default for DecodeSettings {
    fn default() -> Self {
        Self { max_bytes: 1 << 20, max_features: 2000, earliest: Timestamp(315_532_800_000), latest: Timestamp(4_102_444_800_000) }
    }
}

/// What a topic carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TopicRole {
    /// Predictions.
    Predictions,
    /// Labels.
    Labels,
    /// Both: an object with `label` and without `features`, `prediction` and `status` is a label.
    Both,
}
