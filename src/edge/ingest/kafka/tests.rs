//! Against librdkafka's mock cluster: real sockets, a real group protocol. Each test has a broker of its own.

mod refusals;

use super::*;
use crate::edge::ingest::{EmbeddedBroker, Producer, StartAt};
use rdkafka::ClientConfig;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

const PATIENCE: Duration = Duration::from_secs(40);

fn settings(brokers: &str, topics: &[&str], properties: &[(&str, &str)]) -> KafkaSettings {
    KafkaSettings {
        brokers: brokers.to_owned(),
        group: "driftd-test".to_owned(),
        predictions: topics.iter().map(|t| (*t).to_owned()).collect(),
        labels: topics.last().map(|t| (*t).to_owned()).into_iter().collect(),
        start: StartAt::Earliest,
        // the mock cluster's rebalances take as long as a session
        properties: [("session.timeout.ms", "4000"), ("heartbeat.interval.ms", "300")]
            .iter()
            .chain(properties)
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect(),
        secrets: BTreeMap::new(),
    }
}

fn broker(topics: &[(&str, i32)]) -> EmbeddedBroker {
    let broker = EmbeddedBroker::start().unwrap();
    for (name, n_partitions) in topics {
        broker.create_topic(name, *n_partitions).unwrap();
    }
    broker
}

/// Writes `from..to` as text into one partition, so that offset and text agree if it starts empty.
fn produce(broker: &EmbeddedBroker, topic: &str, partition: i32, range: std::ops::Range<i64>) {
    let producer = Producer::new(broker.bootstrap_servers(), &BTreeMap::new()).unwrap();
    for n in range {
        producer.send(topic, Some(partition), None, Some(n.to_string().as_bytes())).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

/// A stand-in for the engine: applies what lies at or above its offsets (invariant I3) and notes everything else.
struct Engine {
    source: KafkaSource,
    events: Receiver<SourceEvent>,
    table: Arc<OffsetTable>,
    applied: Vec<(String, i32, i64, Option<String>)>,
    ends: Vec<(String, i32, i64)>,
    assigned: BTreeSet<(String, i32)>,
    assignments: Vec<Assignment>,
    problems: Vec<SourceProblem>,
    fatal: Option<String>,
}

impl Engine {
    fn start(settings: &KafkaSettings, table: OffsetTable) -> Self {
        let table = Arc::new(table);
        let (source, events) = KafkaSource::start(settings, table.clone()).unwrap();
        let (applied, ends, problems, assignments) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { source, events, table, applied, ends, assigned: BTreeSet::new(), assignments, problems, fatal: None }
    }

    fn take(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Batch(batch) => {
                for m in batch.iter() {
                    assert!(self.assigned.contains(&(m.topic.to_string(), m.partition)), "{m:?} of a partition that is not assigned");
                    if m.offset >= self.table.get(m.topic, m.partition).unwrap_or(0) {
                        self.table.set(m.topic, m.partition, m.offset + 1);
                        let text = m.payload.map(|p| String::from_utf8(p.to_vec()).unwrap());
                        self.applied.push((m.topic.to_string(), m.partition, m.offset, text));
                    }
                }
            }
            SourceEvent::Assigned(new) => {
                self.assigned.extend(new.iter().map(|a| (a.topic.to_string(), a.partition)));
                self.assignments.extend(new);
            }
            SourceEvent::Revoked(old) => {
                for (topic, partition) in old {
                    assert!(self.assigned.remove(&(topic.to_string(), partition)));
                }
            }
            SourceEvent::EndOfPartition { topic, partition, offset } => {
                // all before the end was handed over
                assert!(
                    self.table.get(&topic, partition).is_none_or(|next| next == offset),
                    "{topic}[{partition}] does not end at {offset}"
                );
                self.ends.push((topic.to_string(), partition, offset));
            }
            SourceEvent::Problem(problem) => self.problems.push(problem),
            SourceEvent::Fatal(text) => self.fatal = Some(text),
        }
    }

    /// Takes what is there for a moment.
    fn run_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(event) = self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.take(event);
        }
    }

    #[track_caller]
    fn run_until(&mut self, what: &str, is_done: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_done(self) {
            match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(event) => self.take(event),
                Err(error) => panic!("waiting for {what}: {error}; {:?} {:?} {:?}", self.assigned, self.problems, self.fatal),
            }
        }
    }

    fn offsets_of(&self, topic: &str, partition: i32) -> Vec<i64> {
        self.applied.iter().filter(|(t, p, ..)| t == topic && *p == partition).map(|(_, _, offset, _)| *offset).collect()
    }

    fn stop(self) -> (Arc<OffsetTable>, Closing) {
        (self.table, self.source.stop(Duration::from_secs(10)))
    }
}

fn committed(brokers: &str, topic: &str, partition: i32) -> Option<i64> {
    let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", brokers).set("group.id", "driftd-test").create().unwrap();
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition(topic, partition);
    let answer = consumer.committed_offsets(partitions, Duration::from_secs(10)).unwrap();
    answer.elements()[0].offset().to_raw().filter(|offset| *offset >= 0)
}

#[test]
fn everything_is_read_in_order_to_the_end() {
    let broker = broker(&[("labels", 2), ("predictions", 2)]);
    for (topic, partition, n) in [("predictions", 0, 3000), ("predictions", 1, 10), ("labels", 1, 500)] {
        produce(&broker, topic, partition, 0..n);
    }
    let producer = Producer::new(broker.bootstrap_servers(), &BTreeMap::new()).unwrap();
    producer.send("labels", Some(1), Some(b"key"), None).unwrap();
    assert_eq!(producer.flush(PATIENCE).unwrap().n_delivered, 1);

    let mut engine = Engine::start(&settings(broker.bootstrap_servers(), &["predictions", "labels"], &[]), OffsetTable::new());
    let expected = [("labels", 0, 0), ("labels", 1, 501), ("predictions", 0, 3000), ("predictions", 1, 10)];
    let expected = expected.map(|(topic, partition, offset)| (topic.to_owned(), partition, offset));
    engine.run_until("the ends", |e| expected.iter().all(|end| e.ends.contains(end)));
    assert_eq!(engine.applied.len(), 3511);
    for (topic, partition, n) in [("predictions", 0, 3000), ("predictions", 1, 10), ("labels", 1, 501)] {
        assert_eq!(engine.offsets_of(topic, partition), (0..n).collect::<Vec<_>>());
    }
    let tombstones: Vec<_> = engine.applied.iter().filter(|m| m.3.is_none()).map(|m| m.2).collect();
    assert_eq!(tombstones, [500]);
    assert!(engine.applied.iter().all(|(_, _, offset, text)| text.as_ref().is_none_or(|text| *text == offset.to_string())));
    assert!(engine.assignments.iter().all(|a| a.from == ReadFrom::Earliest));
    // an end is said only when all before it was handed over, and said again while it lasts
    assert!(engine.ends.iter().all(|end| expected.contains(end)), "{:?}", engine.ends);
    engine.ends.clear();
    engine.run_until("the ends again", |e| expected.iter().all(|end| e.ends.contains(end)));

    let lag = engine.source.lag();
    assert_eq!(
        lag.iter().map(|l| (l.end_offset, l.messages())).collect::<Vec<_>>(),
        [(0, None), (501, Some(0)), (3000, Some(0)), (10, Some(0))]
    );
    let status = engine.source.status();
    assert_eq!((status.n_brokers_up, status.n_assigned, status.n_messages), (1, 4, 3511));
    assert!(status.silent < Duration::from_secs(2) && engine.problems.is_empty(), "{status:?} {:?}", engine.problems);
    assert_eq!(engine.stop().1, Closing::Left);
}

fn a_restart_resumes_at_the_state(assignor: &str) {
    let broker = broker(&[("predictions", 2)]);
    produce(&broker, "predictions", 0, 0..100);
    produce(&broker, "predictions", 1, 0..100);
    let properties = [("partition.assignment.strategy", assignor)];
    let settings = settings(broker.bootstrap_servers(), &["predictions"], &properties);
    let mut engine = Engine::start(&settings, OffsetTable::new());
    engine.run_until("all messages", |e| e.applied.len() == 200);
    let offset = |partition, next_offset| PartitionOffset { topic: "predictions".into(), partition, next_offset };
    engine.source.commit(&[offset(0, 60), offset(1, 100), offset(7, 5)]);
    assert_eq!(engine.stop().1, Closing::Left);
    assert_eq!(committed(broker.bootstrap_servers(), "predictions", 0), Some(60));
    assert_eq!(committed(broker.bootstrap_servers(), "predictions", 1), Some(100));

    // the state is behind the group in one partition, and does not know the other
    let mut engine = Engine::start(&settings, OffsetTable::from_offsets([offset(0, 42)]));
    engine.run_until("the rest", |e| e.applied.len() >= 158);
    engine.run_for(Duration::from_millis(300));
    assert_eq!(engine.offsets_of("predictions", 0), (42..100).collect::<Vec<_>>());
    assert_eq!(engine.offsets_of("predictions", 1), (0..100).collect::<Vec<_>>());
    assert!(engine.assignments.iter().any(|a| a.partition == 0 && a.from == ReadFrom::State(42)));
    assert!(engine.problems.is_empty(), "{:?}", engine.problems);
    assert_eq!(engine.stop().1, Closing::Left);
}

#[test]
fn a_restart_resumes_at_the_state_with_range() {
    a_restart_resumes_at_the_state("range");
}

#[test]
fn a_restart_resumes_at_the_state_with_cooperative_sticky() {
    a_restart_resumes_at_the_state("cooperative-sticky");
}

/// Two members share the partitions while messages keep coming, then one leaves. Offsets are handed over by the table, as a state would be.
fn two_members_share(assignor: &str) {
    let broker = broker(&[("predictions", 4)]);
    let properties = [("partition.assignment.strategy", assignor)];
    let settings = settings(broker.bootstrap_servers(), &["predictions"], &properties);
    let write = |range: std::ops::Range<i64>| (0..4).for_each(|partition| produce(&broker, "predictions", partition, range.clone()));
    write(0..50);
    let mut first = Engine::start(&settings, OffsetTable::new());
    first.run_until("its messages", |e| e.applied.len() == 200);

    let mut second = Engine::start(&settings, OffsetTable::from_offsets(first.table.offsets()));
    write(50..100);
    let until = Instant::now() + PATIENCE;
    while (first.assigned.len(), second.assigned.len()) != (2, 2) {
        assert!(Instant::now() < until, "{:?} {:?}", first.assigned, second.assigned);
        first.run_for(Duration::from_millis(50));
        second.run_for(Duration::from_millis(50));
    }
    write(100..150);
    for _ in 0..40 {
        first.run_for(Duration::from_millis(50));
        second.run_for(Duration::from_millis(50));
    }
    assert!(first.assigned.is_disjoint(&second.assigned));
    for partition in 0..4 {
        let (mine, theirs) = if first.assigned.contains(&("predictions".to_owned(), partition)) {
            (first.offsets_of("predictions", partition), second.offsets_of("predictions", partition))
        } else {
            (second.offsets_of("predictions", partition), first.offsets_of("predictions", partition))
        };
        // whoever holds the partition now has its last message; together they have all
        assert_eq!(mine.last(), Some(&149), "partition {partition}");
        assert_eq!(mine.iter().chain(&theirs).copied().collect::<BTreeSet<_>>(), (0..150).collect::<BTreeSet<_>>());
        assert!(mine.is_sorted() && theirs.is_sorted());
    }
    let (left, closing) = second.stop();
    assert_eq!(closing, Closing::Left);
    for offset in left.offsets() {
        let ahead = first.table.get(&offset.topic, offset.partition).is_some_and(|mine| mine >= offset.next_offset);
        if !ahead {
            first.table.set(&offset.topic, offset.partition, offset.next_offset);
        }
    }
    write(150..160);
    first.run_until("all partitions", |e| e.assigned.len() == 4 && (0..4).all(|p| e.offsets_of("predictions", p).last() == Some(&159)));
    assert!(first.fatal.is_none() && first.problems.iter().all(|p| p.gap.is_none()), "{:?}", first.problems);
    first.stop();
}

#[test]
fn two_members_share_with_range() {
    two_members_share("range");
}

#[test]
fn two_members_share_with_cooperative_sticky() {
    two_members_share("cooperative-sticky");
}

#[test]
fn a_missing_topic_is_reported_and_read_when_it_appears() {
    let broker = broker(&[("predictions", 1)]);
    let mut engine = Engine::start(&settings(broker.bootstrap_servers(), &["predictions", "labels"], &[]), OffsetTable::new());
    engine.run_until("the problem", |e| e.problems.iter().any(|p| p.kind == ProblemKind::TopicMissing));
    let problem = &engine.problems[0];
    assert_eq!(problem.topic.as_deref(), Some("labels"));
    assert!(problem.to_string().contains("labels") && problem.to_string().contains("kafka.labels"), "{problem}");
    produce(&broker, "predictions", 0, 0..5);
    engine.run_until("the other topic", |e| e.applied.len() == 5);
    broker.create_topic("labels", 1).unwrap();
    produce(&broker, "labels", 0, 0..5);
    engine.run_until("the topic", |e| e.offsets_of("labels", 0).len() == 5);
    assert_eq!(engine.fatal, None);
    engine.stop();
}

#[test]
fn an_unreachable_broker_is_a_problem_and_no_exit() {
    let mut engine = Engine::start(&settings("127.0.0.1:1", &["predictions"], &[]), OffsetTable::new());
    engine.run_until("the problem", |e| !e.problems.is_empty());
    assert_eq!(engine.problems[0].kind, ProblemKind::Unreachable);
    assert!(engine.problems[0].to_string().contains("kafka.brokers"));
    assert_eq!(engine.source.status().n_brokers_up, 0);
    let began = Instant::now();
    assert_eq!(engine.stop().1, Closing::Abandoned);
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_broker_that_goes_away_comes_back() {
    let broker = broker(&[("predictions", 1)]);
    produce(&broker, "predictions", 0, 0..10);
    let mut engine = Engine::start(&settings(broker.bootstrap_servers(), &["predictions"], &[]), OffsetTable::new());
    engine.run_until("the end", |e| !e.ends.is_empty());
    broker.broker_down().unwrap();
    engine.run_until("the problem", |e| e.problems.iter().any(|p| p.kind == ProblemKind::Unreachable));
    engine.run_for(Duration::from_millis(1500));
    engine.ends.clear();
    engine.run_for(Duration::from_millis(2500));
    assert!(engine.ends.is_empty(), "a partition whose broker is down is not known to be read");
    broker.broker_up().unwrap();
    produce(&broker, "predictions", 0, 10..20);
    engine.run_until("the rest", |e| e.applied.len() == 20);
    engine.run_until("the end again", |e| e.ends.contains(&("predictions".to_owned(), 0, 20)));
    assert_eq!(engine.offsets_of("predictions", 0), (0..20).collect::<Vec<_>>());

    broker.broker_down().unwrap();
    engine.run_until("the second problem or a while", |e| e.source.status().n_brokers_up == 0);
    assert_eq!(engine.stop().1, Closing::Abandoned);
}

#[test]
fn nothing_is_lost_while_the_engine_is_busy() {
    // more than the channel takes, and few enough that librdkafka has all the rest queued, and its end found, meanwhile
    const N: i64 = 18_000;
    let broker = broker(&[("predictions", 1)]);
    produce(&broker, "predictions", 0, 0..N);
    let mut engine = Engine::start(&settings(broker.bootstrap_servers(), &["predictions"], &[]), OffsetTable::new());
    std::thread::sleep(Duration::from_secs(6));
    let status = engine.source.status();
    // what waits is bounded: the channel, and the batch that is held
    assert!(status.n_messages <= 1024 * (CHANNEL_CAPACITY as u64 + 1), "{status:?}");
    assert!(status.blocked > Duration::from_millis(100), "{status:?}");
    engine.run_until("all messages", |e| e.applied.len() == N as usize);
    assert_eq!(engine.offsets_of("predictions", 0), (0..N).collect::<Vec<_>>());
    engine.stop();
}

#[test]
fn a_stop_does_not_wait_for_a_busy_engine() {
    let broker = broker(&[("predictions", 1)]);
    produce(&broker, "predictions", 0, 0..40_000);
    let engine = Engine::start(&settings(broker.bootstrap_servers(), &["predictions"], &[]), OffsetTable::new());
    std::thread::sleep(Duration::from_secs(5));
    let began = Instant::now();
    assert_eq!(engine.stop().1, Closing::Left);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn lost_and_restarted_offsets_are_told() {
    let broker = broker(&[("predictions", 2)]);
    let producer = Producer::new(broker.bootstrap_servers(), &BTreeMap::new()).unwrap();
    // the embedded broker keeps 5 MiB of a partition; what does not compress counts in full
    let mut x = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        b'a' + (x >> 33) as u8 % 26
    })
    .take(200_000)
    .collect();
    for _ in 0..60 {
        producer.send("predictions", Some(0), None, Some(&noise)).unwrap();
        producer.flush(PATIENCE).unwrap();
    }
    produce(&broker, "predictions", 1, 0..3);
    let offset = |partition, next_offset| PartitionOffset { topic: "predictions".into(), partition, next_offset };
    let table = OffsetTable::from_offsets([offset(0, 2), offset(1, 1000)]);
    let mut engine = Engine::start(&settings(broker.bootstrap_servers(), &["predictions"], &[]), table);
    engine.run_until("both problems", |e| e.problems.iter().filter(|p| p.gap.is_some()).count() == 2);
    engine.problems.retain(|p| p.gap.is_some());
    engine.problems.sort_by_key(|p| p.kind);
    let [lost, restarted] = &engine.problems[..] else { panic!("{:?}", engine.problems) };
    let gap = lost.gap.as_ref().unwrap();
    assert!((lost.kind, gap.partition, gap.expected) == (ProblemKind::OffsetGap, 0, 2) && gap.found > 2, "{lost:?}");
    assert_eq!(restarted.kind, ProblemKind::OffsetsRestarted);
    assert_eq!(restarted.gap, Some(OffsetGap { partition: 1, expected: 1000, found: 0 }));
    engine.stop();
}

#[test]
fn latest_begins_with_the_next_message() {
    let broker = broker(&[("predictions", 1)]);
    produce(&broker, "predictions", 0, 0..10);
    let mut settings = settings(broker.bootstrap_servers(), &["predictions"], &[]);
    settings.start = StartAt::Latest;
    let mut engine = Engine::start(&settings, OffsetTable::new());
    engine.run_until("the end", |e| e.ends.contains(&("predictions".to_owned(), 0, 10)));
    produce(&broker, "predictions", 0, 10..12);
    engine.run_until("new messages", |e| e.applied.len() == 2);
    assert_eq!(engine.offsets_of("predictions", 0), [10, 11]);
    engine.stop();
}

#[test]
fn latest_passes_over_nothing_of_a_topic_that_is_made_later() {
    let broker = broker(&[("predictions", 1)]);
    produce(&broker, "predictions", 0, 0..10);
    let mut settings = settings(broker.bootstrap_servers(), &["predictions", "labels"], &[]);
    settings.start = StartAt::Latest;
    let mut engine = Engine::start(&settings, OffsetTable::new());
    engine.run_until("the end", |e| e.ends.contains(&("predictions".to_owned(), 0, 10)));
    broker.create_topic("labels", 1).unwrap();
    // within the seconds until the group hands the topic out
    produce(&broker, "labels", 0, 0..5);
    assert!(!engine.assigned.contains(&("labels".to_owned(), 0)));
    engine.run_until("the topic", |e| e.offsets_of("labels", 0).len() == 5);
    assert_eq!(engine.offsets_of("predictions", 0), [0; 0]);
    engine.stop();
}

#[test]
fn latest_with_an_unreachable_broker_tells_and_stops() {
    let mut settings = settings("127.0.0.1:1", &["predictions"], &[]);
    settings.start = StartAt::Latest;
    let mut engine = Engine::start(&settings, OffsetTable::new());
    engine.run_until("the problem", |e| e.problems.iter().any(|p| p.kind == ProblemKind::Unreachable));
    let began = Instant::now();
    engine.stop();
    assert!(began.elapsed() < Duration::from_secs(3));
}

/// Otherwise a silent partition would hold the watermark back for as long as another one is busy.
#[test]
fn a_silent_partition_is_at_its_end_while_another_is_busy() {
    let broker = broker(&[("predictions", 2)]);
    produce(&broker, "predictions", 0, 0..10);
    let mut settings = settings(broker.bootstrap_servers(), &["predictions"], &[]);
    settings.start = StartAt::Latest;
    let mut engine = Engine::start(&settings, OffsetTable::new());
    engine.run_until("the assignment", |e| e.assigned.len() == 2);
    let busy = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let producer = Producer::new(broker.bootstrap_servers(), &BTreeMap::new()).unwrap();
            while busy.load(Ordering::Relaxed) {
                producer.send("predictions", Some(1), None, Some(b"x")).unwrap();
                std::thread::sleep(Duration::from_micros(300));
            }
        });
        engine.run_until("traffic", |e| !e.applied.is_empty());
        engine.ends.clear();
        engine.run_for(Duration::from_secs(5));
        busy.store(false, Ordering::Relaxed);
    });
    let n_silent = engine.ends.iter().filter(|end| **end == ("predictions".to_owned(), 0, 10)).count();
    assert!(n_silent >= 3, "{:?}", engine.ends);
    assert!(engine.applied.len() > 2000, "{}", engine.applied.len());
    engine.stop();
}

#[test]
fn an_engine_that_was_blocked_too_long_comes_back() {
    let broker = broker(&[("predictions", 1)]);
    produce(&broker, "predictions", 0, 0..30_000);
    let properties = [("max.poll.interval.ms", "4500")];
    let mut engine = Engine::start(&settings(broker.bootstrap_servers(), &["predictions"], &properties), OffsetTable::new());
    engine.run_until("messages", |e| !e.applied.is_empty());
    std::thread::sleep(Duration::from_secs(9));
    engine.run_until("all messages", |e| e.applied.len() == 30_000);
    assert_eq!(engine.offsets_of("predictions", 0), (0..30_000).collect::<Vec<_>>());
    assert!(engine.problems.iter().any(|p| p.kind == ProblemKind::PollTooLate), "{:?}", engine.problems);
    assert!(engine.assignments.len() >= 2 && engine.fatal.is_none(), "{:?}", engine.assignments);
    engine.stop();
}

#[test]
fn the_thread_ends_when_nobody_listens() {
    let broker = broker(&[("predictions", 1)]);
    produce(&broker, "predictions", 0, 0..10);
    let (source, events) = KafkaSource::start(&settings(broker.bootstrap_servers(), &["predictions"], &[]), Arc::default()).unwrap();
    drop(events);
    assert_ne!(source.closed.recv_timeout(PATIENCE), Err(mpsc::RecvTimeoutError::Timeout));
}
