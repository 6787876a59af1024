//! A real Apache Kafka broker, run by `scripts/kafka.sh`. It goes away with its [`Broker`], also when the test panics, and at
//! the latest with this process: the script leaves a watchdog behind.

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Longest wait for anything a broker does on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running broker with a producer of its own.
pub(crate) struct Broker {
    address: String,
    /// Directory of the script's broker; none when the broker is not ours.
    directory: Option<PathBuf>,
    producer: BaseProducer<Deliveries>,
}

/// A message as a consumer saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Consumed {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Broker {
    /// A broker for this test alone, which may stop it. Never the one of `DRIFTD_TEST_KAFKA`.
    pub(crate) fn start() -> Self {
        let output = script().arg("start").env("DRIFTD_KAFKA_WATCH", std::process::id().to_string()).output().unwrap();
        assert!(
            output.status.success(),
            "no Kafka broker, and these tests do not pass without one (`make setup` installs what it needs):\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let said = String::from_utf8(output.stdout).unwrap();
        let (address, directory) = said.trim().split_once(' ').unwrap();
        Self::at(address, Some(directory.into()))
    }

    /// The broker of all tests that do not stop it: the one of `DRIFTD_TEST_KAFKA`, or one that ends with this process.
    /// Topics are shared too: take their names from [`Self::create_unique_topic`].
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Broker> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var("DRIFTD_TEST_KAFKA") {
            Ok(address) => Self::at(&address, None),
            Err(_) => Self::start(),
        })
    }

    fn at(address: &str, directory: Option<PathBuf>) -> Self {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", address)
            .set("enable.idempotence", "true")
            .set("linger.ms", "2")
            .set("reconnect.backoff.max.ms", "500")
            .create_with_context(Deliveries::default())
            .unwrap();
        let broker = Self { address: address.to_owned(), directory, producer };
        let metadata = broker.producer.client().fetch_metadata(None, PATIENCE);
        assert!(metadata.is_ok(), "no Kafka broker answers at {address}: {metadata:?}");
        broker
    }

    /// `host:port` for `kafka.brokers`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Stops the broker in good order; data and port stay.
    pub(crate) fn stop(&self) {
        self.control("stop");
    }

    /// Stops the broker as a crash would; data and port stay.
    pub(crate) fn kill(&self) {
        self.control("kill");
    }

    /// Starts the stopped broker on the same port and data; returns when it serves.
    pub(crate) fn start_again(&self) {
        self.control("restart");
    }

    fn control(&self, verb: &str) {
        let directory = self.directory.as_ref().expect("a test stops only a broker that it started itself");
        let output = script().arg(verb).arg(directory).output().unwrap();
        assert!(output.status.success(), "kafka.sh {verb}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Creates a topic and waits until each of its partitions has a leader.
    pub(crate) fn create_topic(&self, name: &str, n_partitions: i32) {
        let topic = NewTopic::new(name, n_partitions, TopicReplication::Fixed(1));
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
        let results = block_on(self.admin().create_topics(&[topic], &options)).unwrap();
        for result in results {
            result.unwrap();
        }
        self.wait_for_leaders(name, n_partitions);
    }

    /// Creates a topic of a name that no other test and no earlier run has; returns the name.
    pub(crate) fn create_unique_topic(&self, prefix: &str, n_partitions: i32) -> String {
        let name = unique_name(prefix);
        self.create_topic(&name, n_partitions);
        name
    }

    /// Adds partitions to a topic.
    pub(crate) fn add_partitions(&self, name: &str, n_partitions: usize) {
        let wanted = rdkafka::admin::NewPartitions::new(name, n_partitions);
        for result in block_on(self.admin().create_partitions(&[wanted], &AdminOptions::new())).unwrap() {
            result.unwrap();
        }
        self.wait_for_leaders(name, i32::try_from(n_partitions).unwrap());
    }

    fn wait_for_leaders(&self, name: &str, n_partitions: i32) {
        let has_leaders = || {
            let metadata = self.producer.client().fetch_metadata(Some(name), Duration::from_secs(5)).ok()?;
            let topic = metadata.topics().first()?;
            let led = topic.partitions().iter().filter(|partition| partition.leader() >= 0).count();
            (i32::try_from(led).ok()? == n_partitions).then_some(())
        };
        super::wait_until(&format!("leaders of the {n_partitions} partitions of {name}"), PATIENCE, has_leaders);
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.address).create().unwrap()
    }

    /// Hands a message to the producer, which sends it in its own time (also over an outage of the broker): see [`Self::flush`].
    pub(crate) fn produce(&self, topic: &str, partition: i32, key: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) {
        let deadline = Instant::now() + PATIENCE;
        let mut record = BaseRecord::to(topic).partition(partition).key(key.as_ref()).payload(payload.as_ref());
        loop {
            self.producer.poll(Duration::ZERO);
            match self.producer.send(record) {
                Ok(()) => return,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent)) => {
                    assert!(Instant::now() < deadline, "the producer's queue stays full");
                    self.producer.poll(Duration::from_millis(50));
                    record = unsent;
                }
                Err((error, _)) => panic!("cannot produce to {topic}: {error}"),
            }
        }
    }

    /// Waits until everything produced so far is on the broker's log.
    #[track_caller]
    pub(crate) fn flush(&self) {
        self.producer.flush(PATIENCE).unwrap();
        assert_eq!(self.producer.context().n_failed.load(Ordering::Relaxed), 0, "messages that were not delivered");
    }

    /// Reads the first `count` messages of a topic over all its partitions, without a group.
    #[track_caller]
    pub(crate) fn consume(&self, topic: &str, count: usize) -> Vec<Consumed> {
        let consumer: BaseConsumer = self.consumer("driftd-test-reader");
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
        let mut from_the_start = TopicPartitionList::new();
        for partition in metadata.topics()[0].partitions() {
            from_the_start.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
        }
        consumer.assign(&from_the_start).unwrap();
        let deadline = Instant::now() + PATIENCE;
        let mut messages = Vec::with_capacity(count);
        while messages.len() < count {
            assert!(Instant::now() < deadline, "{} of {count} messages of {topic} within {PATIENCE:?}", messages.len());
            // an error is an outage that librdkafka recovers from by itself
            let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) else { continue };
            messages.push(Consumed {
                partition: message.partition(),
                offset: message.offset(),
                key: message.key().unwrap_or_default().to_vec(),
                payload: message.payload().unwrap_or_default().to_vec(),
            });
        }
        messages
    }

    /// The next offset that a group has committed for a partition, if any.
    pub(crate) fn committed(&self, group: &str, topic: &str, partition: i32) -> Option<i64> {
        let consumer: BaseConsumer = self.consumer(group);
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition(topic, partition);
        // a broker that has just begun answers that its group coordinator is still loading
        let committed = super::wait_until("the group coordinator", PATIENCE, || consumer.committed_offsets(wanted.clone(), PATIENCE).ok());
        match committed.find_partition(topic, partition)?.offset() {
            Offset::Offset(next) => Some(next),
            _ => None,
        }
    }

    fn consumer(&self, group: &str) -> BaseConsumer {
        let mut settings = ClientConfig::new();
        settings.set("bootstrap.servers", &self.address).set("group.id", group).set("enable.auto.commit", "false");
        settings.create().unwrap()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(directory) = &self.directory {
            // nothing to be done about a failure here: the watchdog removes it once more
            drop(script().arg("remove").arg(directory).output());
        }
    }
}

/// A name that no other test and no earlier run uses, for topics and groups.
pub(crate) fn unique_name(prefix: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let started = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    format!("{prefix}-{started}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn script() -> Command {
    let mut command = Command::new(super::root().join("scripts/kafka.sh"));
    command.stdin(std::process::Stdio::null());
    command
}

/// In a thread of its own, since the test may have a runtime itself.
fn block_on<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

/// Counts what could not be delivered.
#[derive(Default)]
struct Deliveries {
    n_failed: AtomicU64,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.n_failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}
