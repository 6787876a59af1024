//! A thin producer for generated traffic, the demo and tests. The daemon itself only reads.

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest wait for room in the queue. The broker is away then: `message.timeout.ms` is shorter.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why messages could not be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProducerError {
    /// librdkafka refuses the settings.
    #[error("kafka producer: {0}")]
    Refused(String),
    /// A message was not taken.
    #[error("cannot send to topic {topic:?}: {text}")]
    Send {
        /// The topic.
        topic: String,
        /// What librdkafka said.
        text: String,
    },
    /// Messages were not acknowledged in time.
    #[error("{n_waiting} messages are not acknowledged: {text}")]
    NotFlushed {
        /// How many still wait.
        n_waiting: usize,
        /// What librdkafka said.
        text: String,
    },
    /// Messages were given up.
    #[error("{n_failed} messages were not delivered, the first because: {text}")]
    NotDelivered {
        /// How many.
        n_failed: u64,
        /// What librdkafka said about the first.
        text: String,
    },
}

/// What became of the messages so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivered {
    /// Acknowledged by the broker.
    pub n_delivered: u64,
}

/// Sends messages; each partition keeps their order, and none is written twice (`enable.idempotence`).
pub struct Producer {
    inner: ThreadedProducer<Deliveries>,
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("deliveries", self.inner.context()).finish_non_exhaustive()
    }
}

impl Producer {
    /// A producer for `brokers` (`host:port`, comma-separated) with further librdkafka properties. No broker need be there yet.
    pub fn new(brokers: &str, properties: &BTreeMap<String, String>) -> Result<Self, ProducerError> {
        let mut config = ClientConfig::new();
        config
            .set("client.id", "driftd-producer")
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .set("compression.type", "lz4")
            .set("message.timeout.ms", "30000");
        for (property, value) in properties {
            config.set(property, value);
        }
        config.set("bootstrap.servers", brokers).set_log_level(RDKafkaLogLevel::Info);
        let refused = |error: KafkaError| ProducerError::Refused(error.to_string());
        Ok(Self { inner: config.create_with_context(Deliveries::default()).map_err(refused)? })
    }

    /// Queues one message; waits while the queue is full. Without a `partition` the key's hash decides; `payload: None` is a tombstone.
    ///
    /// Returns before the message is written: [`Producer::flush`] says whether all were.
    pub fn send(&self, topic: &str, partition: Option<i32>, key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<(), ProducerError> {
        let began = Instant::now();
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic);
        record.partition = partition;
        record.key = key;
        record.payload = payload;
        loop {
            record = match self.inner.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), record)) if began.elapsed() < LONGEST_WAIT => record,
                Err((error, _)) => return Err(ProducerError::Send { topic: topic.to_owned(), text: error.to_string() }),
            };
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until every message so far is acknowledged. Errors: some are not within `timeout`, or were given up.
    pub fn flush(&self, timeout: Duration) -> Result<Delivered, ProducerError> {
        let flushed = self.inner.flush(timeout);
        let deliveries = self.inner.context();
        let n_failed = deliveries.n_failed.load(Ordering::Acquire);
        if n_failed > 0 {
            let first = deliveries.first_failure.lock().unwrap_or_else(PoisonError::into_inner);
            return Err(ProducerError::NotDelivered { n_failed, text: first.clone().unwrap_or_default() });
        }
        let n_waiting = usize::try_from(self.inner.in_flight_count()).unwrap_or(0);
        flushed.map_err(|error| ProducerError::NotFlushed { n_waiting, text: error.to_string() })?;
        Ok(Delivered { n_delivered: deliveries.n_delivered.load(Ordering::Acquire) })
    }
}

/// Counts what the broker acknowledged.
#[derive(Debug, Default)]
struct Deliveries {
    n_delivered: AtomicU64,
    n_failed: AtomicU64,
    first_failure: Mutex<Option<String>>,
}

impl ClientContext for Deliveries {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, "librdkafka: {message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, "librdkafka: {reason}");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => {
                self.n_delivered.fetch_add(1, Ordering::Release);
            }
            Err((error, _)) => {
                let mut first = self.first_failure.lock().unwrap_or_else(PoisonError::into_inner);
                first.get_or_insert_with(|| error.to_string());
                self.n_failed.fetch_add(1, Ordering::Release);
            }
        }
    }
}
