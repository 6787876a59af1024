//! What a shard remembers over a restart, as one value.

use super::Counts;
use super::model::ModelRecord;
use crate::engine::join::JoinStore;
use crate::engine::window::{Carries, InputPane, OutcomePane, Panes, StreamKey, Watermark};
use crate::event::{PartitionId, Timestamp, TopicId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The whole state of a shard: offsets, panes, join and counters together (invariant I2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardState {
    pub(super) topics: Vec<Topic>,
    /// The next offset to apply, by partition.
    pub(super) offsets: BTreeMap<PartitionId, i64>,
    pub(super) watermark: Watermark,
    pub(super) join: JoinStore,
    pub(super) models: Vec<ModelRecord>,
    pub(super) streams: Vec<StreamState>,
    /// Sets of streams that a prediction is counted in.
    pub(super) routes: Vec<Vec<u32>>,
    pub(super) counts: Counts,
}

/// A topic's name and what it carries, at the place of its [`TopicId`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Topic {
    pub(super) name: Arc<str>,
    pub(super) carries: Carries,
}

/// The panes of one stream by their start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StreamState {
    pub(super) key: Arc<StreamKey>,
    pub(super) inputs: Panes<InputPane>,
    pub(super) outcomes: Panes<OutcomePane>,
    /// Input panes that end by this time have been published.
    pub(super) published: Timestamp,
}

impl ShardState {
    /// An empty state; `seed` is the seed of the id hash.
    pub fn new(seed: u64) -> Self {
        Self {
            topics: Vec::new(),
            offsets: BTreeMap::new(),
            watermark: Watermark::default(),
            join: JoinStore::new(seed),
            models: Vec::new(),
            streams: Vec::new(),
            routes: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// The place of a topic, entered if it is new; what it carries follows the configuration.
    pub(super) fn topic(&mut self, name: &str, carries: Carries) -> Option<TopicId> {
        let place = match self.topics.iter().position(|t| *t.name == *name) {
            Some(place) => place,
            None => {
                self.topics.push(Topic { name: name.into(), carries });
                self.topics.len() - 1
            }
        };
        self.topics[place].carries = carries;
        u16::try_from(place).ok().map(TopicId)
    }

    /// Names of the topics by place.
    pub fn topic_names(&self) -> Vec<Arc<str>> {
        self.topics.iter().map(|t| Arc::clone(&t.name)).collect()
    }

    /// The next offset of every partition, by topic name.
    pub fn next_offsets(&self) -> impl Iterator<Item = (&Arc<str>, i32, i64)> {
        self.offsets.iter().filter_map(|(p, &next)| Some((&self.topics.get(usize::from(p.topic.0))?.name, p.partition, next)))
    }

    /// The seed of the id hash: random, chosen when the state began, and so a name of this state.
    pub fn seed(&self) -> u64 {
        self.join.seed()
    }

    /// Counters.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}
