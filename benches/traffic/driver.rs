//! Feeds an engine as the daemon's thread does: messages one by one, time between batches.

use super::Message;
use driftd::app::Pipeline;
use driftd::edge::decode::TopicRole;
use driftd::engine::evaluator::Effect;
use driftd::engine::window::Carries;
use driftd::event::{Event, PartitionId, Position, Timestamp};

/// An engine with one partition of predictions and one of labels.
#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) pipeline: Pipeline,
    positions: [Position; 2],
    /// Event time of the last message: nothing is ahead of its arrival.
    now: Timestamp,
}

impl Driver {
    /// Messages between two turns, as in a batch of the Kafka source.
    pub(crate) const BATCH: usize = 1024;

    pub(crate) fn new(mut pipeline: Pipeline) -> Self {
        let mut begin = |name: &str, carries: Carries| {
            let topic = pipeline.shard.topic(name, carries).expect("two topics are few");
            let partition = PartitionId { topic, partition: 0 };
            pipeline.shard.assign(partition, Timestamp::MIN);
            Position { partition, offset: 0 }
        };
        let predictions = begin("predictions", Carries { predictions: true, labels: false });
        let labels = begin("labels", Carries { predictions: false, labels: true });
        Self { pipeline, positions: [predictions, labels], now: Timestamp::MIN }
    }

    fn next(&mut self, message: Message) -> Position {
        self.now = message.at;
        let position = &mut self.positions[usize::from(message.role == TopicRole::Labels)];
        position.offset += 1;
        *position
    }

    /// Takes a message in.
    pub(crate) fn message(&mut self, message: Message, bytes: &[u8]) {
        let position = self.next(message);
        let refused = &mut |reason| panic!("a message was rejected: {reason:?}");
        self.pipeline.message(Some(bytes), message.role, position, self.now, refused);
    }

    /// Takes a decoded message in.
    pub(crate) fn event(&mut self, message: Message, event: &Event<'_>) {
        let position = self.next(message);
        assert!(self.pipeline.shard.begin(position, self.now), "no message comes twice");
        let rejected = self.pipeline.shard.apply(event, position, self.now);
        assert!(rejected.is_none(), "a message was rejected: {rejected:?}");
    }

    /// Counts what was only gathered so far.
    pub(crate) fn settle(&mut self) {
        std::hint::black_box(self.pipeline.shard.settled());
    }

    /// Closes and judges what the watermark has passed.
    pub(crate) fn turn(&mut self) -> Vec<Effect> {
        self.pipeline.turn()
    }
}
