//! Settings → librdkafka's configuration. What would break the offset discipline is refused, not silently overridden.

use crate::edge::ingest::KafkaSettings;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use secrecy::ExposeSecret;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Properties that the source depends on, and why or where they are set instead.
const RESERVED: [(&str, &str); 12] = [
    ("bootstrap.servers", "set kafka.brokers instead"),
    ("metadata.broker.list", "set kafka.brokers instead"),
    ("group.id", "set kafka.group instead"),
    ("auto.offset.reset", "set kafka.start instead"),
    ("enable.auto.commit", "offsets belong to driftd's state and are committed after a snapshot"),
    ("auto.commit.enable", "offsets belong to driftd's state and are committed after a snapshot"),
    ("auto.commit.interval.ms", "offsets belong to driftd's state and are committed after a snapshot"),
    ("enable.auto.offset.store", "offsets belong to driftd's state and are committed after a snapshot"),
    ("offset.store.method", "offsets belong to driftd's state and are committed after a snapshot"),
    ("offset.store.path", "offsets belong to driftd's state and are committed after a snapshot"),
    ("enable.partition.eof", "driftd finds the ends of partitions from the statistics"),
    ("statistics.interval.ms", "driftd finds the ends of partitions from the statistics"),
];

/// Why the source could not be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KafkaConfigError {
    /// No topic to read.
    #[error("no topics: set kafka.predictions")]
    NoTopics,
    /// A topic name that librdkafka would take for a pattern, or that is no name.
    #[error("{0:?} is not a topic name; patterns are not supported, name each topic")]
    TopicName(String),
    /// More topics than a batch can number.
    #[error("{0} topics, but at most 65535 can be read")]
    TooManyTopics(usize),
    /// A property that the source depends on.
    #[error("kafka.properties {property:?} must not be set: {reason}")]
    Reserved {
        /// The property.
        property: String,
        /// Why, or what to set instead.
        reason: &'static str,
    },
    /// A property both among the open and the secret ones.
    #[error("{0:?} is set in kafka.properties and in kafka.secrets; keep one")]
    Twice(String),
    /// librdkafka refuses a property or the whole.
    #[error("kafka.properties: {0}")]
    Refused(String),
    /// The thread could not be started.
    #[error("cannot start the consumer's thread: {0}")]
    Thread(String),
}

impl KafkaConfigError {
    /// What librdkafka said, without the value where that is a secret.
    pub(super) fn from_client(error: KafkaError, settings: &KafkaSettings) -> Self {
        Self::Refused(match error {
            KafkaError::ClientConfig(_, _, property, _) if settings.secrets.contains_key(&property) => {
                format!("librdkafka refuses the value of {property:?} (a secret, not shown)")
            }
            KafkaError::ClientConfig(_, reason, property, value) => format!("{property} = {value:?}: {reason}"),
            other => redact(other.to_string(), settings),
        })
    }
}

/// Every topic once, sorted.
pub(super) fn topics(settings: &KafkaSettings) -> Result<Arc<[Arc<str>]>, KafkaConfigError> {
    let names: BTreeSet<&str> = settings.predictions.iter().chain(&settings.labels).map(String::as_str).collect();
    if names.is_empty() {
        return Err(KafkaConfigError::NoTopics);
    }
    if names.len() > usize::from(u16::MAX) {
        return Err(KafkaConfigError::TooManyTopics(names.len()));
    }
    let is_legal = |name: &str| {
        !name.is_empty() && name.len() <= 249 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    match names.iter().find(|name| !is_legal(name)) {
        Some(name) => Err(KafkaConfigError::TopicName((*name).to_owned())),
        None => Ok(names.into_iter().map(Arc::from).collect::<Vec<_>>().into()),
    }
}

/// Every librdkafka property of the daemon's consumer, secret ones included: for a consumer of one's own that is to behave like it.
pub fn consumer_properties(settings: &KafkaSettings) -> Result<BTreeMap<String, String>, KafkaConfigError> {
    let config = consumer(settings)?;
    Ok(config.config_map().iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// The consumer's configuration: driftd's defaults, the operator's properties over them, what must not change last.
pub(super) fn consumer(settings: &KafkaSettings) -> Result<ClientConfig, KafkaConfigError> {
    for property in settings.properties.keys().chain(settings.secrets.keys()) {
        if let Some((_, reason)) = RESERVED.iter().find(|(reserved, _)| reserved == property) {
            return Err(KafkaConfigError::Reserved { property: property.clone(), reason });
        }
    }
    if let Some(property) = settings.properties.keys().find(|property| settings.secrets.contains_key(*property)) {
        return Err(KafkaConfigError::Twice(property.clone()));
    }
    let mut config = ClientConfig::new();
    config
        .set("client.id", "driftd")
        .set("max.poll.interval.ms", "300000")
        // small queues: back-pressure reaches the broker soon, and a restart does not fetch a gigabyte
        .set("queued.min.messages", "10000")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.message.max.bytes", "1048576")
        .set("check.crcs", "true")
        .set("allow.auto.create.topics", "false")
        // a topic that appears later is found this soon
        .set("topic.metadata.refresh.interval.ms", "5000")
        .set("socket.keepalive.enable", "true");
    if settings.properties.get("group.protocol").map(String::as_str) != Some("consumer") {
        // with the newer protocol both are the broker's. Range gives equal partition numbers of all topics to the same member, which is
        // what a join of predictions and labels by key needs
        config.set("session.timeout.ms", "45000").set("partition.assignment.strategy", "range");
    }
    for (property, value) in &settings.properties {
        config.set(property, value);
    }
    for (property, value) in &settings.secrets {
        config.set(property, value.expose_secret());
    }
    config
        .set("bootstrap.servers", &settings.brokers)
        .set("group.id", &settings.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // only for an offset that is out of range: partitions the state does not know are told where to begin
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", "false")
        .set("statistics.interval.ms", "1000")
        .set_log_level(RDKafkaLogLevel::Info);
    Ok(config)
}

/// Takes secret values out of a message.
fn redact(mut message: String, settings: &KafkaSettings) -> String {
    for secret in settings.secrets.values().map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty()) {
        message = message.replace(secret, "***");
    }
    message
}
