//! librdkafka's callbacks. All of them run on the reader's thread, within its polls; what they learn waits in a list until the poll returns.

use super::existing::{Existing, begin};
use super::status::Shared;
use super::{Assignment, OffsetTable, ProblemKind, SourceProblem};
use crate::edge::ingest::StartAt;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::statistics::{Partition, Statistics};
use rdkafka::types::RDKafkaRespErr;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The same problem is told again after this time.
const REPEAT: Duration = Duration::from_secs(30);

/// What makes two problems the same.
type Told = (ProblemKind, Option<Arc<str>>);

/// What happened during a poll.
#[derive(Debug)]
pub(super) enum Noticed {
    Assigned(Vec<Assignment>),
    Revoked(Vec<(Arc<str>, i32)>),
    /// Partitions that have been fetched to their ends, and how much stood in the queue then: statistics overtake messages.
    Ends {
        ends: Vec<(Arc<str>, i32, i64)>,
        n_queued: u64,
    },
    Problem(SourceProblem),
    Fatal(String),
}

/// The consumer's callbacks.
#[derive(Debug)]
pub(super) struct SourceContext {
    topics: Arc<[Arc<str>]>,
    offsets: Arc<OffsetTable>,
    start: StartAt,
    /// What there was before the consumer joined its group. Only asked for, and so only known, where `latest` must not skip what is new.
    existing: OnceLock<Existing>,
    shared: Arc<Shared>,
    noticed: Mutex<Vec<Noticed>>,
    /// Whether there is anything in it: asked for every message.
    has_noticed: AtomicBool,
    told: Mutex<HashMap<Told, Instant>>,
}

impl SourceContext {
    pub(super) fn new(topics: Arc<[Arc<str>]>, offsets: Arc<OffsetTable>, start: StartAt, shared: Arc<Shared>) -> Self {
        let (existing, noticed, told) = (OnceLock::new(), Mutex::default(), Mutex::default());
        Self { topics, offsets, start, existing, shared, noticed, has_noticed: AtomicBool::new(false), told }
    }

    /// Whether it must be known which partitions there are before the group is joined.
    pub(super) fn asks_what_exists(&self) -> bool {
        self.start == StartAt::Latest
    }

    /// Notes which partitions there are before the group is joined.
    pub(super) fn set_existing(&self, existing: Existing) {
        // once, by the reader, before it subscribes
        let _known_already = self.existing.set(existing);
    }

    /// What happened since the last call, in order.
    pub(super) fn take(&self) -> Vec<Noticed> {
        if !self.has_noticed.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        std::mem::take(&mut *self.noticed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a problem, and keeps it to be told unless the same was told a moment ago.
    pub(super) fn problem(&self, problem: SourceProblem) {
        self.shared.n_problems.fetch_add(1, Ordering::Relaxed);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (problem.kind, problem.topic.clone());
        // losses are told one by one: each partition has its own
        if problem.gap.is_none() && told.get(&key).is_some_and(|at| at.elapsed() < REPEAT) {
            return;
        }
        told.insert(key, Instant::now());
        self.notice(Noticed::Problem(problem));
    }

    fn notice(&self, noticed: Noticed) {
        self.noticed.lock().unwrap_or_else(PoisonError::into_inner).push(noticed);
        // read by the thread that writes it
        self.has_noticed.store(true, Ordering::Relaxed);
    }

    fn topic(&self, name: &str) -> Option<&Arc<str>> {
        self.topics.iter().find(|topic| &***topic == name)
    }

    /// Sets the offset of each new partition before it is fetched.
    fn assign(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) -> KafkaResult<()> {
        let mut assigned = Vec::new();
        for mut element in partitions.elements() {
            let Some(topic) = self.topic(element.topic()).cloned() else { continue };
            let partition = element.partition();
            let existed = self.existing.get().is_none_or(|existing| existing.has(&topic, partition));
            let from = begin(self.offsets.get(&topic, partition), self.start, existed);
            element.set_offset(from.into())?;
            self.shared.assign(&topic, partition);
            assigned.push(Assignment { topic, partition, from });
        }
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(partitions)?,
            RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.assign(partitions)?,
        }
        self.notice(Noticed::Assigned(assigned));
        Ok(())
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, partitions: &TopicPartitionList) -> KafkaResult<()> {
        let mut revoked = Vec::new();
        for element in partitions.elements() {
            let Some(topic) = self.topic(element.topic()).cloned() else { continue };
            self.shared.revoke(&topic, element.partition());
            revoked.push((topic, element.partition()));
        }
        self.notice(Noticed::Revoked(revoked));
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(partitions),
            RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
        }
    }

    fn note_ends(&self, statistics: &Statistics) {
        let is_up = |id: i32| statistics.brokers.values().any(|b| b.nodeid == id && b.state == "UP");
        let mut ends = Vec::new();
        // the partitions' queues lead into the same one, so each of these counts all of it
        let mut n_queued = statistics.replyq;
        for topic in &*self.topics {
            let Some(known) = statistics.topics.get(&**topic) else { continue };
            for partition in known.partitions.values() {
                let end_offset = if partition.ls_offset >= 0 { partition.ls_offset } else { partition.hi_offset };
                n_queued = n_queued.max(partition.fetchq_cnt);
                let is_assigned = self.shared.set_end(topic, partition.partition, end_offset);
                if is_assigned && is_fetched_to_its_end(partition) && is_up(partition.leader) {
                    ends.push((topic.clone(), partition.partition, partition.eof_offset));
                }
            }
        }
        self.notice(Noticed::Ends { ends, n_queued: u64::try_from(n_queued).unwrap_or(0) });
    }
}

/// Whether the last fetch found nothing behind what had been fetched.
fn is_fetched_to_its_end(partition: &Partition) -> bool {
    partition.fetch_state == "active" && partition.eof_offset >= 0 && partition.eof_offset == partition.next_offset
}

impl ClientContext for SourceContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::warn!(facility, "librdkafka: {message}");
            }
            RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => tracing::info!(facility, "librdkafka: {message}"),
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => tracing::debug!(facility, "librdkafka: {message}"),
        }
    }

    fn stats(&self, statistics: Statistics) {
        let n_up = statistics.brokers.values().filter(|b| b.nodeid >= 0 && b.state == "UP").count();
        self.shared.n_brokers_up.store(n_up, Ordering::Relaxed);
        let coordinator_up = statistics.brokers.values().any(|b| b.name == "GroupCoordinator" && b.state == "UP");
        self.shared.coordinator_up.store(coordinator_up, Ordering::Relaxed);
        self.note_ends(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
        let topic = self.topics.iter().find(|topic| reason.contains(&format!(" {topic}: "))).cloned();
        self.problem(SourceProblem { kind: kind_of(code), topic, text: reason.to_owned(), gap: None });
    }
}

impl ConsumerContext for SourceContext {
    /// Replaces the default, which cannot set offsets and ignores what (un)assigning returns.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let outcome = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assign(consumer, partitions),
            _ => self.revoke(consumer, partitions),
        };
        if let Err(error) = outcome
            && !self.shared.is_stopping()
        {
            // assigned, but nothing would be fetched: a silent stall. A restart joins the group anew
            self.notice(Noticed::Fatal(format!("the consumer could not take over its partitions: {error}")));
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        let Err(error) = result else { return };
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::NoOffset) {
            self.problem(commit_failed(&error));
        }
    }
}

/// A commit that did not reach the group.
pub(super) fn commit_failed(error: &KafkaError) -> SourceProblem {
    SourceProblem { kind: ProblemKind::CommitFailed, topic: None, text: format!("offsets were not committed: {error}"), gap: None }
}

/// The kind of problem behind one of librdkafka's or the broker's error codes.
pub(super) fn kind_of(code: RDKafkaErrorCode) -> ProblemKind {
    use RDKafkaErrorCode as Code;
    match code {
        Code::AllBrokersDown | Code::BrokerTransportFailure | Code::Resolve | Code::OperationTimedOut => ProblemKind::Unreachable,
        Code::Authentication | Code::SaslAuthenticationFailed | Code::UnsupportedSASLMechanism | Code::IllegalSASLState => {
            ProblemKind::Authentication
        }
        Code::SSL => ProblemKind::Tls,
        Code::TopicAuthorizationFailed | Code::GroupAuthorizationFailed | Code::ClusterAuthorizationFailed => ProblemKind::Authorization,
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => ProblemKind::TopicMissing,
        Code::PollExceeded => ProblemKind::PollTooLate,
        _ => ProblemKind::Other,
    }
}
