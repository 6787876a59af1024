//! Which parts of the log a pane was made of.

use crate::event::{PartitionId, Position};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A range of offsets, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetRange {
    /// First offset.
    pub first: i64,
    /// Last offset.
    pub last: i64,
}

/// The least offset ranges, one per partition, that hold every message of a pane. Bounded by the number of partitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Positions {
    ranges: BTreeMap<PartitionId, OffsetRange>,
}

impl Positions {
    /// Notes one message.
    pub fn add(&mut self, position: Position) {
        let offset = position.offset;
        self.ranges
            .entry(position.partition)
            .and_modify(|r| {
                r.first = r.first.min(offset);
                r.last = r.last.max(offset);
            })
            .or_insert(OffsetRange { first: offset, last: offset });
    }

    /// Adds `other`.
    pub fn merge(&mut self, other: &Self) {
        for (&partition, range) in &other.ranges {
            self.ranges
                .entry(partition)
                .and_modify(|r| {
                    r.first = r.first.min(range.first);
                    r.last = r.last.max(range.last);
                })
                .or_insert(*range);
        }
    }

    /// Ranges by partition, in order.
    pub fn iter(&self) -> impl Iterator<Item = (PartitionId, OffsetRange)> {
        self.ranges.iter().map(|(&p, &r)| (p, r))
    }
}
