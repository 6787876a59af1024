//! What a shard remembers over a restart, as one value.

use super::Counts;
use super::model::ModelRecord;
use crate::engine::join::{JoinRecord, JoinStore};
use crate::engine::part::{PartError, PartSource, Parts};
use crate::engine::window::{Carries, InputHead, InputPane, OutcomeHead, OutcomePane, PackedRecord, Panes, StreamKey, Watermark};
use crate::event::{PartitionId, Timestamp, TopicId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The whole state of a shard: offsets, panes, join and counters together (invariant I2).
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StreamState {
    pub(super) key: Arc<StreamKey>,
    pub(super) inputs: Panes<InputPane>,
    pub(super) outcomes: Panes<OutcomePane>,
    /// Input panes that end by this time have been published.
    pub(super) published: Timestamp,
}

/// A [`ShardState`] as it stands in a snapshot: what makes up most of it is in parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardRecord<'s> {
    topics: Cow<'s, [Topic]>,
    offsets: Cow<'s, BTreeMap<PartitionId, i64>>,
    watermark: Cow<'s, Watermark>,
    join: JoinRecord<'s>,
    models: Cow<'s, [ModelRecord]>,
    streams: Vec<StreamRecord>,
    routes: Cow<'s, [Vec<u32>]>,
    counts: Cow<'s, Counts>,
}

/// The panes of one stream as they stand in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct StreamRecord {
    key: Arc<StreamKey>,
    inputs: Vec<(Timestamp, PackedRecord<InputHead>)>,
    outcomes: Vec<(Timestamp, PackedRecord<OutcomeHead>)>,
    published: Timestamp,
}

impl ShardRecord<'_> {
    /// The state again.
    pub fn open(self, parts: &PartSource) -> Result<ShardState, PartError> {
        let stream = |record: StreamRecord| {
            let (inputs, outcomes) = (Panes::from_record(record.inputs, parts)?, Panes::from_record(record.outcomes, parts)?);
            Ok(StreamState { key: record.key, inputs, outcomes, published: record.published })
        };
        Ok(ShardState {
            topics: self.topics.into_owned(),
            offsets: self.offsets.into_owned(),
            watermark: self.watermark.into_owned(),
            join: self.join.open(parts)?,
            models: self.models.into_owned(),
            streams: self.streams.into_iter().map(stream).collect::<Result<_, PartError>>()?,
            routes: self.routes.into_owned(),
            counts: self.counts.into_owned(),
        })
    }
}

impl ShardState {
    /// What stands of it in a snapshot, and its parts.
    pub(super) fn record<'s>(&'s mut self, parts: &mut Parts<'_>) -> ShardRecord<'s> {
        let streams = self.streams.iter().map(|stream| StreamRecord {
            key: Arc::clone(&stream.key),
            inputs: stream.inputs.record(parts),
            outcomes: stream.outcomes.record(parts),
            published: stream.published,
        });
        let streams = streams.collect();
        ShardRecord {
            topics: Cow::Borrowed(&self.topics),
            offsets: Cow::Borrowed(&self.offsets),
            watermark: Cow::Borrowed(&self.watermark),
            join: self.join.record(parts),
            models: Cow::Borrowed(&self.models),
            streams,
            routes: Cow::Borrowed(&self.routes),
            counts: Cow::Borrowed(&self.counts),
        }
    }

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
