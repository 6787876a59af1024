//! From Apache Kafka: a bare consumer that throws messages away, decoding alone, and the daemon as it is shipped, on the same topic with the same
//! settings of the consumer.

use crate::Options;
use crate::broker::Broker;
use crate::daemon::Daemon;
use crate::figure::{Figure, Goal};
use crate::measure::{Stage, cpu_of, memory, rounds};
use crate::memory::USUAL;
use crate::traffic::{Body, Messages, Traffic, Watched};
use driftd::edge::decode::TopicRole;
use driftd::edge::decode::json::Decoder;
use driftd::edge::ingest::{KafkaSettings, KafkaSource, OffsetTable, Producer, SourceEvent, StartAt, consumer_properties};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Partitions of a topic.
pub(crate) const PARTITIONS: i32 = 4;
/// A log of this scene is so many times as long as one in memory: checkpoints fall due while it is read.
const LONGER: usize = 5;
/// Longest wait for all messages, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// Longest wait for one message.
const LOOK: Duration = Duration::from_millis(100);

pub(crate) fn run(options: &Options) -> Vec<Figure> {
    let broker = Broker::start();
    let rows = options.rows * LONGER;
    let watched = Watched::new(Traffic::of(Body::Long), USUAL);
    let mut figures = Vec::new();
    for (name, with_labels) in [("predictions", false), ("with labels", true)] {
        let topic = Topic::new(if with_labels { "labelled" } else { "unlabelled" }, with_labels);
        broker.create_topic(&topic.name, PARTITIONS);
        let n = topic.write(&broker, &mut Messages::new(watched.traffic, rows, with_labels, 5));
        figures.extend(read(options, &broker, &watched, &topic, name, n));
    }
    figures
}

/// The three ways of reading, for one topic.
fn read(options: &Options, broker: &Broker, watched: &Watched, topic: &Topic, name: &str, n: usize) -> Vec<Figure> {
    let per_message = |seconds: f64| seconds * 1e9 / n as f64;
    let (snapshots, resident) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    let mut stages = [
        Stage::new(format!("{name}: bare consumer"), || per_message(bare(&topic.settings(broker), n))),
        Stage::new(format!("{name}: source and decoder"), || per_message(decode(&topic.settings(broker), n))),
        Stage::new(format!("{name}: the daemon"), || {
            let settings = topic.settings(broker);
            let mut daemon = Daemon::start(watched, &settings, "[daemon]\ncheckpoint = \"5s\"\n");
            daemon.wait_for("driftd_events_received_total", n as f64);
            snapshots.borrow_mut().push(daemon.metric("driftd_checkpoint_total"));
            resident.borrow_mut().push(memory(&daemon.process(), "VmHWM"));
            per_message(daemon.cpu())
        }),
    ];
    rounds(options.rounds, &mut stages);
    let samples = stages.map(|stage| (stage.name, stage.samples));
    let mut figures: Vec<Figure> = samples.iter().map(|(name, samples)| Figure::new(name, "ns CPU/message", samples.clone())).collect();
    let [(_, bare), _, (_, daemon)] = samples;
    let ratio = Figure::ratio(format!("{name}: rate of the daemon against the bare consumer"), &bare, &daemon);
    let rate = Figure::rate(format!("{name}: the daemon"), &daemon);
    figures.extend([ratio.goal(Goal::AtLeast(0.5)), rate.goal(Goal::AtLeast(900.0))]);
    figures.push(Figure::new(format!("{name}: snapshots meanwhile"), "", snapshots.into_inner()));
    figures.push(Figure::new(format!("{name}: the daemon's memory at most"), "MB", resident.into_inner()));
    figures
}

/// CPU seconds of a loop that polls and does nothing.
fn bare(settings: &KafkaSettings, n: usize) -> f64 {
    let (seconds, ()) = cpu_of(|| {
        let mut config = ClientConfig::new();
        for (name, value) in consumer_properties(settings).expect("the settings are right") {
            config.set(name, value);
        }
        let consumer: BaseConsumer = config.set("auto.offset.reset", "earliest").create().expect("the settings are right");
        consumer.subscribe(&[&settings.predictions[0]]).expect("the topic has a name");
        let (mut left, began) = (n, Instant::now());
        while left > 0 {
            // none where something else has happened, too
            let Some(message) = consumer.poll(LOOK) else {
                assert!(began.elapsed() < PATIENCE, "{left} of {n} messages are missing");
                continue;
            };
            std::hint::black_box(message.expect("the broker is well"));
            left -= 1;
        }
    });
    seconds
}

/// CPU seconds of the daemon's source and its decoder.
fn decode(settings: &KafkaSettings, n: usize) -> f64 {
    let (seconds, ()) = cpu_of(|| {
        let (source, events) = KafkaSource::start(settings, Arc::new(OffsetTable::default())).expect("the settings are right");
        let (mut decoder, limits) = (Decoder::default(), Default::default());
        let role = if settings.labels.is_empty() { TopicRole::Predictions } else { TopicRole::Both };
        let mut left = n;
        while left > 0 {
            let SourceEvent::Batch(batch) = events.recv_timeout(PATIENCE).expect("messages come") else { continue };
            for message in batch.iter() {
                decoder.decode(message.payload, role, &limits, &mut |event| drop(std::hint::black_box(event)));
            }
            left -= batch.len();
        }
        source.stop(PATIENCE);
    });
    seconds
}

/// A topic: of predictions, or of predictions and labels in the order of their times, as one stream.
pub(crate) struct Topic {
    name: String,
    with_labels: bool,
}

impl Topic {
    pub(crate) fn new(name: &str, with_labels: bool) -> Self {
        Self { name: name.to_owned(), with_labels }
    }

    /// Settings with a consumer group of their own.
    pub(crate) fn settings(&self, broker: &Broker) -> KafkaSettings {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = vec![self.name.clone()];
        KafkaSettings {
            brokers: broker.address.clone(),
            group: format!("bench-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            labels: if self.with_labels { name.clone() } else { Vec::new() },
            predictions: name,
            start: StartAt::Earliest,
            properties: BTreeMap::new(),
            secrets: BTreeMap::new(),
        }
    }

    /// Writes messages, uncompressed, a label to the partition of its prediction; how many.
    pub(crate) fn write(&self, broker: &Broker, messages: &mut Messages) -> usize {
        let properties = [("compression.type", "none"), ("batch.size", "1000000"), ("linger.ms", "20")];
        let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let producer = Producer::new(&broker.address, &properties.into()).expect("the settings are right");
        let (mut bytes, mut n) = (Vec::new(), 0);
        while let Some(message) = messages.next_into(&mut bytes) {
            let partition = (message.row % PARTITIONS as usize) as i32;
            producer.send(&self.name, Some(partition), None, Some(&bytes)).expect("the broker is well");
            bytes.clear();
            n += 1;
        }
        producer.flush(PATIENCE).expect("the broker is well");
        n
    }
}
