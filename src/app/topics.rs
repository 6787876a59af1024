//! Topics by name: what they carry and where they stand in the state's topic table.

use crate::edge::decode::TopicRole;
use crate::edge::ingest::KafkaSettings;
use crate::engine::shard::Shard;
use crate::engine::window::Carries;
use crate::event::{PartitionId, TopicId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The configured topics.
#[derive(Debug)]
pub(super) struct Topics {
    known: BTreeMap<Arc<str>, (TopicId, TopicRole)>,
}

impl Topics {
    /// Enters the configured topics into the state's table.
    pub(super) fn enter(settings: &KafkaSettings, shard: &mut Shard) -> Self {
        let mut known = BTreeMap::new();
        for name in settings.predictions.iter().chain(&settings.labels) {
            let (predictions, labels) = (settings.predictions.contains(name), settings.labels.contains(name));
            let role = match (predictions, labels) {
                (true, true) => TopicRole::Both,
                (false, true) => TopicRole::Labels,
                _ => TopicRole::Predictions,
            };
            if let Some(id) = shard.topic(name, Carries { predictions, labels }) {
                known.insert(Arc::from(name.as_str()), (id, role));
            }
        }
        Self { known }
    }

    /// The place of a partition, and what it carries.
    pub(super) fn find(&self, topic: &str, partition: i32) -> Option<(PartitionId, TopicRole)> {
        let &(topic, role) = self.known.get(topic)?;
        Some((PartitionId { topic, partition }, role))
    }

    /// The name of a topic.
    pub(super) fn name(&self, id: TopicId) -> Option<&Arc<str>> {
        self.known.iter().find(|(_, (known, _))| *known == id).map(|(name, _)| name)
    }
}
