//! The Kafka producer as the generator sees it.

use super::sink::Publish;
use crate::edge::ingest::Producer;
use anyhow::Context;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest wait for the broker's last acknowledgements; longer than the time after which the producer gives a message up.
const FLUSH: Duration = Duration::from_secs(45);

/// A producer for `brokers` with further librdkafka properties. Whether a broker answers shows with the first messages.
pub(super) fn connect(brokers: &str, properties: &[(String, String)]) -> anyhow::Result<Producer> {
    let properties: BTreeMap<String, String> = properties.iter().cloned().collect();
    Producer::new(brokers, &properties).with_context(|| format!("cannot send to {brokers}"))
}

impl Publish for Producer {
    fn publish(&mut self, topic: &str, key: &[u8], payload: &[u8]) -> anyhow::Result<()> {
        Ok(self.send(topic, None, Some(key), Some(payload))?)
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        Producer::flush(self, FLUSH)?;
        Ok(())
    }
}
