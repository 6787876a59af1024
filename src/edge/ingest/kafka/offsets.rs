//! The next offset of each partition, shared between the engine, which advances it, and the consumer, which seeks to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One partition and the offset to be read next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartitionOffset {
    /// Name of the topic.
    pub topic: Arc<str>,
    /// Partition within the topic.
    pub partition: i32,
    /// Offset of the next message: the last applied one plus 1.
    pub next_offset: i64,
}

/// Next offsets by topic and partition. The engine fills it from the snapshot before it starts the source, and advances it as it
/// applies; a message in flight during a rebalance may come again, so the engine skips what lies below (invariant I3).
#[derive(Debug, Default)]
pub struct OffsetTable {
    next: Mutex<HashMap<Arc<str>, HashMap<i32, i64>>>,
}

impl OffsetTable {
    /// An empty table: every partition begins where `kafka.start` says.
    pub fn new() -> Self {
        Self::default()
    }

    /// A table with these offsets.
    pub fn from_offsets(offsets: impl IntoIterator<Item = PartitionOffset>) -> Self {
        let table = Self::default();
        for offset in offsets {
            table.set(&offset.topic, offset.partition, offset.next_offset);
        }
        table
    }

    /// The next offset, if the state knows the partition.
    pub fn get(&self, topic: &str, partition: i32) -> Option<i64> {
        self.lock().get(topic)?.get(&partition).copied()
    }

    /// Sets the next offset.
    pub fn set(&self, topic: &Arc<str>, partition: i32, next_offset: i64) {
        self.lock().entry(topic.clone()).or_default().insert(partition, next_offset);
    }

    /// All offsets, sorted by topic and partition.
    pub fn offsets(&self) -> Vec<PartitionOffset> {
        let table = self.lock();
        let mut offsets: Vec<PartitionOffset> = table
            .iter()
            .flat_map(|(topic, partitions)| {
                partitions.iter().map(|(partition, next)| PartitionOffset {
                    topic: topic.clone(),
                    partition: *partition,
                    next_offset: *next,
                })
            })
            .collect();
        offsets.sort();
        offsets
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, HashMap<i32, i64>>> {
        // each change is a single insertion, so a panic elsewhere leaves the table whole
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
