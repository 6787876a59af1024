//! What happens to topics while driftd reads them, against a real broker: the source alone, without the daemon around it.

use crate::support::kafka::{Broker, unique_name};
use driftd::edge::ingest::{KafkaSettings, KafkaSource, OffsetTable, SourceEvent, SourceProblem, StartAt};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// The source, and what came from it.
struct Reading {
    source: KafkaSource,
    events: Receiver<SourceEvent>,
    table: Arc<OffsetTable>,
    /// Partition and offset, in the order in which they came.
    messages: Vec<(i32, i64)>,
    ends: Vec<(i32, i64)>,
    problems: Vec<SourceProblem>,
}

impl Reading {
    fn start(broker: &Broker, topic: &str, start: StartAt, table: OffsetTable) -> Self {
        let settings = KafkaSettings {
            brokers: broker.address().to_owned(),
            group: unique_name("topics"),
            predictions: vec![topic.to_owned()],
            labels: Vec::new(),
            start,
            properties: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        let table = Arc::new(table);
        let (source, events) = KafkaSource::start(&settings, Arc::clone(&table)).unwrap();
        Self { source, events, table, messages: Vec::new(), ends: Vec::new(), problems: Vec::new() }
    }

    #[track_caller]
    fn run_until(&mut self, what: &str, is_done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_done(self) {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => self.take(event),
                Err(error) => panic!("waiting for {what}: {error}; {:?} {:?} {:?}", self.messages, self.ends, self.problems),
            }
        }
    }

    fn take(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Batch(batch) => {
                for message in batch.iter() {
                    self.table.set(message.topic, message.partition, message.offset + 1);
                    self.messages.push((message.partition, message.offset));
                }
            }
            SourceEvent::EndOfPartition { partition, offset, .. } => self.ends.push((partition, offset)),
            SourceEvent::Problem(problem) => self.problems.push(problem),
            SourceEvent::Assigned(_) | SourceEvent::Revoked(_) => {}
            SourceEvent::Fatal(text) => panic!("{text}"),
        }
    }

    fn stop(self) {
        self.source.stop(Duration::from_secs(10));
    }
}

fn produce(broker: &Broker, topic: &str, partition: i32, n_messages: usize) {
    for n in 0..n_messages {
        broker.produce(topic, partition, "key", n.to_string());
    }
    broker.flush();
}

#[test]
fn latest_passes_over_nothing_of_a_partition_that_is_added() {
    let broker = Broker::shared();
    let topic = broker.create_unique_topic("grows", 1);
    produce(broker, &topic, 0, 10);
    let mut reading = Reading::start(broker, &topic, StartAt::Latest, OffsetTable::new());
    reading.run_until("the end", |r| r.ends.contains(&(0, 10)));
    broker.add_partitions(&topic, 2);
    // within the seconds until the group hears of the partition
    produce(broker, &topic, 1, 5);
    reading.run_until("its messages", |r| r.messages.len() == 5);
    assert_eq!(reading.messages, (0..5).map(|offset| (1, offset)).collect::<Vec<_>>());
    reading.stop();
}
