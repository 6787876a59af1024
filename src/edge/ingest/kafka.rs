//! The Kafka source: one consumer on a plain thread of its own, which only polls and hands over.
//!
//! Invariants:
//! - The state's offsets decide where reading goes on (design idea 4): each assignment seeks to the [`OffsetTable`]; what the group has
//!   committed is never read, it only feeds lag tools.
//! - Events arrive in order: a partition's messages stand between its `Assigned` and its `Revoked`.
//! - Nothing the broker does ends the thread, except an error that librdkafka itself calls fatal.
//!
//! **Back-pressure.** The channel to the engine is bounded. While it is full the thread holds its batch and does not poll; librdkafka's own queues
//! are bounded too and stop fetching, while its threads go on sending heartbeats. Rebalances wait for that long. An engine that takes nothing
//! for `max.poll.interval.ms` (5 minutes) loses its partitions, as a stuck daemon should: another instance goes on with them, and
//! this one seeks to its own offsets when it comes back. Pausing partitions would drop what was prefetched (librdkafka#1849) for no gain.
//!
//! **The end of a partition.** rust-rdkafka reports an end without its topic, so the ends are taken from the statistics, once a second,
//! and only while the partition's leader can be reached: a broker that is down does not make a partition look read.
//!
//! **Closing.** Leaving the group while its coordinator is away can crash in the bundled librdkafka (fixed in 2.14.2), and can hang. So the consumer
//! is closed only while the coordinator is connected and no longer than asked; else it is abandoned, since the process is about to end.

mod configuration;
mod context;
mod event;
mod existing;
mod offsets;
mod reader;
mod status;

#[cfg(test)]
mod tests;

pub use configuration::{KafkaConfigError, consumer_properties};
pub use event::{Assignment, OffsetGap, ProblemKind, ReadFrom, SourceEvent, SourceProblem};
pub use offsets::{OffsetTable, PartitionOffset};
pub use status::{PartitionLag, SourceStatus};

use super::KafkaSettings;
use context::SourceContext;
use rdkafka::consumer::BaseConsumer;
use status::Shared;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// Events that wait for the engine at most. With 4 MiB a batch that is about 32 MiB.
const CHANNEL_CAPACITY: usize = 8;

/// A running consumer. Dropping it stops the thread without waiting for it.
#[derive(Debug)]
pub struct KafkaSource {
    shared: Arc<Shared>,
    offsets: Arc<OffsetTable>,
    topics: Arc<[Arc<str>]>,
    closed: Receiver<Closing>,
}

/// How the consumer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It left the group.
    Left,
    /// The coordinator was away, or leaving took too long: the group notices after `session.timeout.ms`.
    Abandoned,
}

impl Closing {
    /// Every way, for tables and suites.
    pub const ALL: [Self; 2] = [Self::Left, Self::Abandoned];

    /// The name used in output and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Abandoned => "abandoned",
        }
    }
}

impl KafkaSource {
    /// Checks the settings, starts the thread and subscribes. No broker need be there yet.
    ///
    /// The receiver is for the engine's thread. It disconnects after [`KafkaSource::stop`] or [`SourceEvent::Fatal`]; if it does so otherwise the
    /// thread has died, and the daemon must end with an error.
    pub fn start(settings: &KafkaSettings, offsets: Arc<OffsetTable>) -> Result<(Self, Receiver<SourceEvent>), KafkaConfigError> {
        let topics = configuration::topics(settings)?;
        let config = configuration::consumer(settings)?;
        let shared = Arc::new(Shared::default());
        let context = SourceContext::new(topics.clone(), offsets.clone(), settings.start, shared.clone());
        let consumer: BaseConsumer<SourceContext> =
            config.create_with_context(context).map_err(|error| KafkaConfigError::from_client(error, settings))?;
        let (events, receiver) = mpsc::sync_channel(CHANNEL_CAPACITY);
        let (closing, closed) = mpsc::sync_channel(1);
        let (read_topics, reader_shared) = (topics.clone(), shared.clone());
        std::thread::Builder::new()
            .name("kafka-source".to_owned())
            .spawn(move || {
                // nobody waits any more if the source was dropped or gave up on the closing
                let _abandoned = closing.send(reader::run(consumer, read_topics, events, reader_shared));
            })
            .map_err(|error| KafkaConfigError::Thread(error.to_string()))?;
        Ok((Self { shared, offsets, topics, closed }, receiver))
    }

    /// Topics that are read, in alphabetical order.
    pub fn topics(&self) -> &Arc<[Arc<str>]> {
        &self.topics
    }

    /// Tells the group how far the state goes, once a snapshot that holds these offsets is durable. Advisory and asynchronous: a failure is a
    /// [`ProblemKind::CommitFailed`]. Offsets of partitions that are not assigned are dropped.
    pub fn commit(&self, offsets: &[PartitionOffset]) {
        self.shared.request_commit(offsets);
    }

    /// How far each assigned partition is behind its end, as of the last statistics (once a second). Does not block.
    pub fn lag(&self) -> Vec<PartitionLag> {
        self.shared.lag(&self.offsets)
    }

    /// Connection and counters. Does not block.
    pub fn status(&self) -> SourceStatus {
        self.shared.status()
    }

    /// Ends reading, sends what was given to [`KafkaSource::commit`], and leaves the group within `timeout`.
    ///
    /// Messages that the engine has not taken by then are dropped: their offsets are not in the state, so they will be read again.
    pub fn stop(self, timeout: Duration) -> Closing {
        self.shared.stopping.store(true, Ordering::Release);
        self.closed.recv_timeout(timeout).unwrap_or(Closing::Abandoned)
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
    }
}
