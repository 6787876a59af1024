//! An Apache Kafka of `scripts/kafka.sh`, which goes away with this process however that ends. Its CPU time is its own and is not counted.

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running broker.
pub(crate) struct Broker {
    pub(crate) address: String,
    directory: PathBuf,
}

impl Broker {
    pub(crate) fn start() -> Self {
        let output = script().arg("start").env("DRIFTD_KAFKA_WATCH", std::process::id().to_string()).output().expect("the script starts");
        assert!(
            output.status.success(),
            "no Kafka broker (`make setup` installs what it needs): {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let said = String::from_utf8(output.stdout).expect("the script prints text");
        let (address, directory) = said.trim().split_once(' ').expect("address and directory");
        Self { address: address.to_owned(), directory: directory.into() }
    }

    /// Creates a topic of so many partitions.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32) {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.address).create().expect("the settings are right");
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
        let created = runtime.block_on(admin.create_topics(&[topic], &AdminOptions::new())).expect("the broker answers");
        created.into_iter().for_each(|topic| drop(topic.expect("the topic is new")));
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // a failure leaves it to the script's watchdog
        drop(script().arg("remove").arg(&self.directory).output());
    }
}

fn script() -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/kafka.sh"))
}
