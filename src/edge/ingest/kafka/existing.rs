//! Which partitions there were when the source started, and from that where a partition begins.
//!
//! `kafka.start = "latest"` passes over what was written before driftd started. A partition, or a whole topic, that is made later has nothing of
//! that age: all of it is new, also what was written before the group heard of it and handed it out (seconds later), so it begins at its first message.

use super::ReadFrom;
use super::context::SourceContext;
use crate::edge::ingest::StartAt;
use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use rdkafka::types::RDKafkaRespErr;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for the answer about one topic: how soon a stop is seen while no broker answers.
const ANSWER: Duration = Duration::from_secs(1);

/// The number of partitions of each topic at one moment. Kafka numbers them from 0 and never takes one away.
#[derive(Debug, Default)]
pub(super) struct Existing(HashMap<Arc<str>, i32>);

impl Existing {
    /// Asks the broker about the topics it has not told of yet. An error leaves the rest for the next call.
    pub(super) fn learn(&mut self, consumer: &BaseConsumer<SourceContext>, topics: &[Arc<str>]) -> KafkaResult<()> {
        for topic in topics {
            if !self.0.contains_key(topic) {
                let answer = consumer.fetch_metadata(Some(topic), ANSWER)?;
                let told = answer.topics().iter().find(|told| told.name() == &**topic);
                let n_partitions = told.map_or(0, |told| match told.error() {
                    None => told.partitions().iter().map(|partition| partition.id() + 1).max().unwrap_or(0),
                    Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART | RDKafkaRespErr::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) => 0,
                    // there may be something that this user must not see (yet): `latest` is taken at its word
                    Some(_) => i32::MAX,
                });
                self.0.insert(topic.clone(), n_partitions);
            }
        }
        Ok(())
    }

    /// Whether the partition was there.
    pub(super) fn has(&self, topic: &str, partition: i32) -> bool {
        self.0.get(topic).is_some_and(|n_partitions| partition < *n_partitions)
    }
}

/// Where a partition begins: at the state's offset; without one as `kafka.start` says, but never beyond what was written since driftd started.
pub(super) fn begin(next_offset: Option<i64>, start: StartAt, existed: bool) -> ReadFrom {
    match (next_offset, start) {
        (Some(next), _) => ReadFrom::State(next),
        (None, StartAt::Latest) if existed => ReadFrom::Latest,
        (None, StartAt::Latest | StartAt::Earliest) => ReadFrom::Earliest,
    }
}

impl From<ReadFrom> for Offset {
    fn from(from: ReadFrom) -> Self {
        match from {
            ReadFrom::State(next) => Self::Offset(next),
            ReadFrom::Earliest => Self::Beginning,
            ReadFrom::Latest => Self::End,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_there_at_the_start_is_passed_over() {
        for (state, start, existed, expected) in [
            (Some(7), StartAt::Earliest, true, ReadFrom::State(7)),
            (Some(7), StartAt::Latest, true, ReadFrom::State(7)),
            (Some(7), StartAt::Latest, false, ReadFrom::State(7)),
            (None, StartAt::Earliest, true, ReadFrom::Earliest),
            (None, StartAt::Earliest, false, ReadFrom::Earliest),
            (None, StartAt::Latest, true, ReadFrom::Latest),
            (None, StartAt::Latest, false, ReadFrom::Earliest),
        ] {
            assert_eq!(begin(state, start, existed), expected, "{state:?} {start:?} {existed}");
        }
        let existing = Existing(HashMap::from([("p".into(), 2), ("missing".into(), 0), ("hidden".into(), i32::MAX)]));
        let there = [("p", 0, true), ("p", 1, true), ("p", 2, false), ("missing", 0, false), ("hidden", 9, true), ("other", 0, false)];
        for (topic, partition, expected) in there {
            assert_eq!(existing.has(topic, partition), expected, "{topic} {partition}");
        }
    }
}
