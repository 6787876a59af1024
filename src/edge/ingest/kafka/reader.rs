//! The thread's loop: poll, gather, hand over.

use super::context::{Noticed, SourceContext, commit_failed};
use super::existing::Existing;
use super::status::Shared;
use super::{Closing, OffsetGap, ProblemKind, ReadFrom, SourceEvent, SourceProblem};
use crate::edge::ingest::Batch;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

/// A batch is handed over when it has this many messages, …
const BATCH_MESSAGES: usize = 1024;
/// … this many bytes, …
const BATCH_BYTES: usize = 4 << 20;
/// … or is this old.
const BATCH_AGE: Duration = Duration::from_millis(20);
/// Messages polled for one look at the clock and at what else there is to do.
const POLLS_A_TURN: usize = 64;
/// Longest poll without a message: how soon a stop or a commit is seen.
const POLL: Duration = Duration::from_millis(50);
/// Pause between attempts to hand over to an engine that is behind.
const RETRY: Duration = Duration::from_millis(1);
/// Polls in a row that brought nothing, after which librdkafka's queue counts as empty (a poll may also return early for an event).
const EMPTY_POLLS: u32 = 3;

/// The engine or the daemon does not want any more.
struct Ended;

/// Runs until it is told to stop, nobody listens, or the consumer cannot go on.
pub(super) fn run(
    consumer: BaseConsumer<SourceContext>,
    topics: Arc<[Arc<str>]>,
    events: SyncSender<SourceEvent>,
    shared: Arc<Shared>,
) -> Closing {
    let names: Vec<&str> = topics.iter().map(|topic| &**topic).collect();
    let mut reader = Reader::new(topics.clone(), events, shared.clone());
    if reader.learn_what_exists(&consumer).is_ok() {
        match consumer.subscribe(&names) {
            Ok(()) => while reader.turn(&consumer).is_ok() {},
            Err(error) => {
                let _nobody_listens = reader.send(SourceEvent::Fatal(format!("cannot subscribe: {error}")));
            }
        }
    }
    // the engine sees the end before the closing, which may take a while
    drop(reader);
    commit(&consumer, &shared);
    close(consumer, &shared)
}

/// The thread's state, but for the consumer, from which messages are borrowed.
struct Reader {
    topics: Arc<[Arc<str>]>,
    events: SyncSender<SourceEvent>,
    shared: Arc<Shared>,
    batch: Batch,
    batch_since: Instant,
    /// Assigned partitions by the place of their topic.
    partitions: HashMap<(u16, i32), Progress>,
    /// Ends that have been fetched, but perhaps not yet polled.
    ends: Vec<(Arc<str>, i32, i64)>,
    /// What stood in librdkafka's queue when these ends were found, less what was polled since.
    n_before_ends: u64,
    n_empty_polls: u32,
}

/// How far one assigned partition was handed over.
#[derive(Debug, Clone, Copy)]
struct Progress {
    /// The offset that was sought, until the first message.
    sought: Option<i64>,
    /// Offset behind the last message; `None` before the first one of a partition that the state did not know.
    next_offset: Option<i64>,
}

impl Reader {
    fn new(topics: Arc<[Arc<str>]>, events: SyncSender<SourceEvent>, shared: Arc<Shared>) -> Self {
        let batch = Batch::new(topics.clone());
        let (partitions, ends) = (HashMap::new(), Vec::new());
        Self { topics, events, shared, batch, batch_since: Instant::now(), partitions, ends, n_before_ends: 0, n_empty_polls: 0 }
    }

    /// Before the group is joined: which partitions there are, where that matters. Without an answer there would be no assignment either.
    fn learn_what_exists(&mut self, consumer: &BaseConsumer<SourceContext>) -> Result<(), Ended> {
        if !consumer.context().asks_what_exists() {
            return Ok(());
        }
        let mut existing = Existing::default();
        while let Err(error) = existing.learn(consumer, &self.topics) {
            tracing::debug!(%error, "the broker does not tell which partitions there are");
            // this is what tells of a broker that cannot be reached
            self.turn(consumer)?;
        }
        consumer.context().set_existing(existing);
        Ok(())
    }

    /// Some polls and what follows from them.
    fn turn(&mut self, consumer: &BaseConsumer<SourceContext>) -> Result<(), Ended> {
        self.shared.turn();
        if self.shared.is_stopping() {
            return Err(Ended);
        }
        commit(consumer, &self.shared);
        let wait = if self.batch.is_empty() { POLL } else { BATCH_AGE.saturating_sub(self.batch_since.elapsed()) };
        for place in 0..POLLS_A_TURN {
            let polled = consumer.poll(if place == 0 { wait } else { Duration::ZERO });
            // what the callbacks noticed came before this poll's message
            for noticed in consumer.context().take() {
                self.tell(consumer, noticed)?;
            }
            match polled {
                Some(Ok(message)) => self.append(consumer, &message),
                Some(Err(error)) => self.note_error(consumer, &error)?,
                None => {
                    self.n_empty_polls = self.n_empty_polls.saturating_add(1);
                    break;
                }
            }
            if self.batch.len() >= BATCH_MESSAGES || self.batch.n_bytes() >= BATCH_BYTES {
                self.flush()?;
            }
            self.tell_ends()?;
        }
        if self.batch_since.elapsed() >= BATCH_AGE {
            self.flush()?;
        }
        self.tell_ends()
    }

    fn append(&mut self, consumer: &BaseConsumer<SourceContext>, message: &BorrowedMessage<'_>) {
        self.n_empty_polls = 0;
        self.n_before_ends = self.n_before_ends.saturating_sub(1);
        let Some(topic) = self.place(message.topic()) else { return };
        let (partition, offset) = (message.partition(), message.offset());
        let progress = self.partitions.entry((topic, partition)).or_insert(Progress { sought: None, next_offset: None });
        progress.next_offset = Some(offset + 1);
        if let Some(expected) = progress.sought.take()
            && expected != offset
        {
            let gap = OffsetGap { partition, expected, found: offset };
            consumer.context().problem(gap_problem(&self.topics[usize::from(topic)], gap));
        }
        if self.batch.is_empty() {
            self.batch_since = Instant::now();
        }
        self.batch.push(topic, partition, offset, message.timestamp().to_millis(), message.payload());
    }

    /// Passes on what a callback noticed, behind the messages that came before it.
    fn tell(&mut self, consumer: &BaseConsumer<SourceContext>, noticed: Noticed) -> Result<(), Ended> {
        match noticed {
            Noticed::Ends { ends, n_queued } => {
                // older ones that still wait for the queue come first: the queue may never be empty
                if self.ends.is_empty() {
                    (self.ends, self.n_before_ends, self.n_empty_polls) = (ends, n_queued, 0);
                }
                Ok(())
            }
            Noticed::Assigned(assigned) => {
                for new in &assigned {
                    let Some(topic) = self.place(&new.topic) else { continue };
                    let sought = if let ReadFrom::State(offset) = new.from { Some(offset) } else { None };
                    self.partitions.insert((topic, new.partition), Progress { sought, next_offset: sought });
                }
                self.flush()?;
                self.send(SourceEvent::Assigned(assigned))
            }
            Noticed::Revoked(revoked) => {
                for (topic, partition) in &revoked {
                    self.place(topic).and_then(|topic| self.partitions.remove(&(topic, *partition)));
                }
                self.ends.clear();
                self.flush()?;
                self.send(SourceEvent::Revoked(revoked))
            }
            Noticed::Problem(problem) => self.send(SourceEvent::Problem(problem)),
            Noticed::Fatal(text) => self.end(consumer, text),
        }
    }

    /// Says which partitions have been handed over to their ends: those whose last message reached it, and, when all that was queued when the
    /// end was found has been polled, the others too (nothing may have come from them yet, and a transaction's marker takes an offset).
    fn tell_ends(&mut self) -> Result<(), Ended> {
        if self.ends.is_empty() {
            return Ok(());
        }
        let is_drained = self.n_before_ends == 0 || self.n_empty_polls >= EMPTY_POLLS;
        let mut reached = Vec::new();
        let mut ends = std::mem::take(&mut self.ends);
        ends.retain(|(topic, partition, end)| {
            let progress = self.place(topic).and_then(|topic| self.partitions.get(&(topic, *partition)));
            let Some(Progress { next_offset, .. }) = progress else { return false };
            if next_offset.is_some_and(|next| next > *end) {
                return false; // it went on meanwhile
            }
            let is_reached = is_drained || *next_offset == Some(*end);
            if is_reached {
                reached.push(SourceEvent::EndOfPartition { topic: topic.clone(), partition: *partition, offset: *end });
            }
            !is_reached
        });
        self.ends = ends;
        if !reached.is_empty() {
            self.flush()?;
        }
        reached.into_iter().try_for_each(|event| self.send(event))
    }

    /// Errors that a poll returns were given to the context with their text already; what is left is whether they are the end.
    fn note_error(&mut self, consumer: &BaseConsumer<SourceContext>, error: &KafkaError) -> Result<(), Ended> {
        match consumer.client().fatal_error() {
            Some((_, text)) => self.end(consumer, text),
            None => {
                tracing::debug!(%error, "poll returned an error");
                Ok(())
            }
        }
    }

    /// Tells what was read and why it ends.
    fn end(&mut self, consumer: &BaseConsumer<SourceContext>, text: String) -> Result<(), Ended> {
        self.flush()?;
        for noticed in consumer.context().take() {
            if let Noticed::Problem(problem) = noticed {
                self.send(SourceEvent::Problem(problem))?;
            }
        }
        self.send(SourceEvent::Fatal(text))?;
        Err(Ended)
    }

    fn flush(&mut self) -> Result<(), Ended> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::replace(&mut self.batch, Batch::new(self.topics.clone()));
        self.shared.n_messages.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.shared.n_bytes.fetch_add(batch.n_bytes() as u64, Ordering::Relaxed);
        self.send(SourceEvent::Batch(batch))
    }

    /// Hands over, waiting while the engine is behind. See the module's remark on back-pressure.
    fn send(&self, mut event: SourceEvent) -> Result<(), Ended> {
        let began = Instant::now();
        let mut counted_ms = 0;
        loop {
            event = match self.events.try_send(event) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Disconnected(_)) => return Err(Ended),
                Err(TrySendError::Full(event)) => event,
            };
            if self.shared.is_stopping() {
                return Err(Ended);
            }
            std::thread::sleep(RETRY);
            let waited_ms = began.elapsed().as_millis() as u64;
            self.shared.blocked_ms.fetch_add(waited_ms - counted_ms, Ordering::Relaxed);
            counted_ms = waited_ms;
        }
    }

    fn place(&self, topic: &str) -> Option<u16> {
        self.topics.iter().position(|t| &**t == topic).map(|place| place as u16)
    }
}

fn gap_problem(topic: &Arc<str>, gap: OffsetGap) -> SourceProblem {
    let OffsetGap { partition, expected, found } = gap;
    let (kind, text) = if found > expected {
        let text = format!("{topic}[{partition}]: offsets {expected} to {} are gone", found - 1);
        (ProblemKind::OffsetGap, text)
    } else {
        let text = format!("{topic}[{partition}] goes on at offset {found}, but the state is at {expected}");
        (ProblemKind::OffsetsRestarted, text)
    };
    SourceProblem { kind, topic: Some(topic.clone()), text, gap: Some(gap) }
}

/// Sends the requested offsets to the group.
fn commit(consumer: &BaseConsumer<SourceContext>, shared: &Shared) {
    let requested = shared.take_commits();
    if requested.is_empty() {
        return;
    }
    let mut offsets = TopicPartitionList::with_capacity(requested.len());
    let added = requested.iter().try_for_each(|o| offsets.add_partition_offset(&o.topic, o.partition, Offset::Offset(o.next_offset)));
    if let Err(error) = added.and_then(|()| consumer.commit(&offsets, CommitMode::Async)) {
        consumer.context().problem(commit_failed(&error));
    }
}

/// Leaves the group, or lets go of the consumer where leaving is not safe. See the module's remark on closing.
fn close(consumer: BaseConsumer<SourceContext>, shared: &Shared) -> Closing {
    if shared.coordinator_up.load(Ordering::Relaxed) {
        drop(consumer);
        Closing::Left
    } else {
        std::mem::forget(consumer);
        Closing::Abandoned
    }
}
