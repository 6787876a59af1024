//! What the Kafka source is told.

use secrecy::SecretString;
use std::collections::BTreeMap;

/// Where to begin a partition for which the state has no offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// With the oldest message kept.
    Earliest,
    /// With the next message.
    Latest,
}

/// The Kafka source.
#[derive(Debug, Clone)]
pub struct KafkaSettings {
    /// `host:port`, comma-separated.
    pub brokers: String,
    /// Consumer group.
    pub group: String,
    /// Topics of predictions.
    pub predictions: Vec<String>,
    /// Topics of labels; a topic in both lists carries both.
    pub labels: Vec<String>,
    /// Where to begin without a state.
    pub start: StartAt,
    /// Further librdkafka properties.
    pub properties: BTreeMap<String, String>,
    /// Further librdkafka properties whose values are secrets.
    pub secrets: BTreeMap<String, SecretString>,
}
