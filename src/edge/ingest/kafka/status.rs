//! What the reader thread shows to others, and what they ask of it. All of it is bounded by the number of assigned partitions.

use super::{OffsetTable, PartitionOffset};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How far one partition is behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionLag {
    /// Name of the topic.
    pub topic: Arc<str>,
    /// Partition within the topic.
    pub partition: i32,
    /// Offset the next message written will get (with transactions: of the first one still open).
    pub end_offset: i64,
    /// The state's next offset; `None` before the first message.
    pub next_offset: Option<i64>,
}

impl PartitionLag {
    /// Messages between the state and the end; `None` before the first message.
    pub fn messages(&self) -> Option<u64> {
        self.next_offset.map(|next| u64::try_from(self.end_offset - next).unwrap_or(0))
    }
}

/// Connection and counters of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceStatus {
    /// Brokers that are connected, as of the last statistics.
    pub n_brokers_up: usize,
    /// Partitions that are assigned.
    pub n_assigned: usize,
    /// Messages read.
    pub n_messages: u64,
    /// Bytes of their values.
    pub n_bytes: u64,
    /// Problems, those that were not told again included.
    pub n_problems: u64,
    /// Time spent waiting for the engine.
    pub blocked: Duration,
    /// Time since the thread last came round; more than a few seconds without growing `blocked` means that it hangs.
    pub silent: Duration,
}

/// Assigned partitions and their end offsets, where known.
type Ends = HashMap<(Arc<str>, i32), Option<i64>>;

/// Shared between the reader thread, librdkafka's callbacks (which run on it) and [`super::KafkaSource`].
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) stopping: AtomicBool,
    pub(super) coordinator_up: AtomicBool,
    pub(super) n_brokers_up: AtomicUsize,
    pub(super) n_messages: AtomicU64,
    pub(super) n_bytes: AtomicU64,
    pub(super) n_problems: AtomicU64,
    pub(super) blocked_ms: AtomicU64,
    last_turn_ms: AtomicU64,
    started: Instant,
    commit_requested: AtomicBool,
    commits: Mutex<HashMap<(Arc<str>, i32), i64>>,
    ends: Mutex<Ends>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            stopping: AtomicBool::new(false),
            coordinator_up: AtomicBool::new(false),
            n_brokers_up: AtomicUsize::new(0),
            n_messages: AtomicU64::new(0),
            n_bytes: AtomicU64::new(0),
            n_problems: AtomicU64::new(0),
            blocked_ms: AtomicU64::new(0),
            last_turn_ms: AtomicU64::new(0),
            started: Instant::now(),
            commit_requested: AtomicBool::new(false),
            commits: Mutex::default(),
            ends: Mutex::default(),
        }
    }
}

impl Shared {
    /// Notes that the thread came round.
    pub(super) fn turn(&self) {
        self.last_turn_ms.store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Whether the thread is to end.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(super) fn assign(&self, topic: &Arc<str>, partition: i32) {
        self.ends().insert((topic.clone(), partition), None);
    }

    pub(super) fn revoke(&self, topic: &Arc<str>, partition: i32) {
        self.ends().remove(&(topic.clone(), partition));
    }

    /// Notes the end of a partition if it is assigned; says whether it is.
    pub(super) fn set_end(&self, topic: &Arc<str>, partition: i32, end_offset: i64) -> bool {
        let mut ends = self.ends();
        let Some(end) = ends.get_mut(&(topic.clone(), partition)) else { return false };
        if end_offset >= 0 {
            *end = Some(end_offset);
        }
        true
    }

    pub(super) fn request_commit(&self, offsets: &[PartitionOffset]) {
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        for offset in offsets {
            commits.insert((offset.topic.clone(), offset.partition), offset.next_offset);
        }
        self.commit_requested.store(true, Ordering::Release);
    }

    /// Offsets to be committed of partitions that are assigned; each is given out once.
    pub(super) fn take_commits(&self) -> Vec<PartitionOffset> {
        if !self.commit_requested.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        let commits = std::mem::take(&mut *self.commits.lock().unwrap_or_else(PoisonError::into_inner));
        let ends = self.ends();
        let assigned = commits.into_iter().filter(|(partition, _)| ends.contains_key(partition));
        assigned.map(|((topic, partition), next_offset)| PartitionOffset { topic, partition, next_offset }).collect()
    }

    pub(super) fn lag(&self, offsets: &OffsetTable) -> Vec<PartitionLag> {
        let mut lag: Vec<PartitionLag> = self
            .ends()
            .iter()
            .filter_map(|((topic, partition), end)| {
                let next_offset = offsets.get(topic, *partition);
                Some(PartitionLag { topic: topic.clone(), partition: *partition, end_offset: (*end)?, next_offset })
            })
            .collect();
        lag.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        lag
    }

    pub(super) fn status(&self) -> SourceStatus {
        let now_ms = self.started.elapsed().as_millis() as u64;
        SourceStatus {
            n_brokers_up: self.n_brokers_up.load(Ordering::Relaxed),
            n_assigned: self.ends().len(),
            n_messages: self.n_messages.load(Ordering::Relaxed),
            n_bytes: self.n_bytes.load(Ordering::Relaxed),
            n_problems: self.n_problems.load(Ordering::Relaxed),
            blocked: Duration::from_millis(self.blocked_ms.load(Ordering::Relaxed)),
            silent: Duration::from_millis(now_ms.saturating_sub(self.last_turn_ms.load(Ordering::Relaxed))),
        }
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        // each change is a single insertion or removal, so a panic elsewhere leaves the map whole
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
