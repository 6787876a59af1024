//! `[kafka]`: brokers, topics, and what is passed on to librdkafka.

use super::reader::{Fallback, Section};
use super::secret::{SecretPolicy, Secrets};
use crate::edge::ingest::{KafkaSettings, StartAt};
use secrecy::SecretString;
use std::collections::BTreeMap;

/// librdkafka properties that driftd sets itself, and what to do instead.
const OWN_PROPERTIES: [(&str, &str); 7] = [
    ("bootstrap.servers", "set kafka.brokers"),
    ("metadata.broker.list", "set kafka.brokers"),
    ("group.id", "set kafka.group"),
    ("auto.offset.reset", "set kafka.start"),
    ("enable.auto.commit", "offsets live in the snapshot; leave it out"),
    ("enable.auto.offset.store", "offsets live in the snapshot; leave it out"),
    ("enable.partition.eof", "driftd needs it; leave it out"),
];

/// librdkafka properties whose values are secrets.
const SECRET_PROPERTIES: [&str; 8] = [
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.assertion.private.key.passphrase",
];

/// `[kafka]`.
pub(crate) fn kafka(section: Section<'_>, secrets: &Secrets<'_>) -> KafkaSettings {
    let brokers = section.checked_text(
        "brokers",
        Fallback::Text("\"localhost:9092\""),
        "`host:port` of some brokers, comma-separated; the others are found through them.",
        broker_list,
    );
    let group = section.text("group", Fallback::Text("\"driftd\""), "Consumer group.");
    let predictions = topics(&section, "predictions", Fallback::Text("[\"predictions\"]"), "Topics of predictions.");
    let labels = topics(&section, "labels", Fallback::Text("[\"labels\"]"), "Topics of labels; a topic in both lists carries both.");
    if predictions.is_empty() && section.sound(&["predictions"]) {
        section.refuse("predictions", "names no topic, so nothing would be read");
    }
    let starts = [("earliest", StartAt::Earliest), ("latest", StartAt::Latest)];
    let start = section.choice(
        "start",
        &starts,
        Fallback::Text("\"earliest\""),
        "Where to begin a partition for which the state has no offset: `earliest` or `latest`. \
         What is made after the start, partition or topic, begins at its first message.",
    );
    let properties = section.map("properties", "Further librdkafka properties, e.g. `{ \"security.protocol\" = \"sasl_ssl\" }`.");
    for name in properties.keys() {
        if let Some((_, instead)) = OWN_PROPERTIES.iter().find(|(own, _)| own == name) {
            section.refuse(&format!("properties.{name}"), format!("is set by driftd: {instead}"));
        }
        if SECRET_PROPERTIES.contains(&name.as_str()) {
            section.refuse(&format!("properties.{name}"), "is a secret: name the file that holds it in kafka.secrets");
        }
    }
    let files = section.map("secrets", "librdkafka properties whose values are secrets: property = file that holds the value.");
    let mut values = BTreeMap::new();
    for (property, file) in files {
        let key = format!("secrets.{property}");
        if let Some((_, instead)) = OWN_PROPERTIES.iter().find(|(own, _)| *own == property) {
            section.refuse(&key, format!("is set by driftd: {instead}"));
        } else if secrets.policy == SecretPolicy::Required {
            match secrets.read_file(&file) {
                Ok(value) => {
                    values.insert(property, SecretString::from(value));
                }
                Err(message) => section.refuse(&key, message),
            }
        }
    }
    section.finish();
    KafkaSettings { brokers, group, predictions, labels, start: start.unwrap_or(StartAt::Earliest), properties, secrets: values }
}

fn broker_list(text: &str) -> Result<(), String> {
    for broker in text.split(',').map(str::trim) {
        let port = broker.rsplit_once(':').filter(|(host, _)| !host.is_empty() && !host.contains('/')).map(|(_, port)| port);
        if port.and_then(|port| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
            return Err(format!("{broker:?} is no broker: write host:port, comma-separated"));
        }
    }
    Ok(())
}

/// Topic names as Kafka has them: 1 to 249 of ASCII letters, digits, `.`, `_`, `-`.
fn topics(section: &Section<'_>, key: &'static str, fallback: Fallback, doc: &'static str) -> Vec<String> {
    let topics = section.list(key, fallback, doc);
    for topic in &topics {
        let plain = topic.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !plain || topic.len() > 249 || topic == "." || topic == ".." {
            section.refuse(key, format!("{topic:?} is no topic name: at most 249 letters, digits and . _ -"));
        }
    }
    topics
}
