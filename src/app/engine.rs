//! The engine's thread: takes messages and outcomes in, keeps the state, hands out what is owed.
//!
//! Invariant: what is owed is in a durable snapshot before it is offered to a receiver (I7), and an offset is committed only after the snapshot that holds it.

use super::clock::wall_clock;
use super::keeper::Keeper;
use super::publisher::Publisher;
use super::topics::Topics;
use crate::edge::ingest::{KafkaSource, OffsetTable, PartitionOffset, ProblemKind, SourceEvent, SourceProblem};
use crate::edge::notify::{Outcome, Workers};
use crate::edge::state::DirDisk;
use crate::engine::alert::Delivery;
use crate::event::Position;
use crate::serve::{Heartbeat, NotReady, ReadyCheck};
use anyhow::Context as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Longest wait for a message: how often time passes when nothing comes.
const TURN: Duration = Duration::from_millis(50);
/// Time between two views.
const VIEW: Duration = Duration::from_millis(500);
/// Time between two attempts at a checkpoint that did not reach the disk.
const CHECKPOINT_RETRY: Duration = Duration::from_secs(1);
/// What is left of the shutdown time when delivering ends: for the last snapshot, leaving the group, and closing HTTP.
const CLOSING: Duration = Duration::from_secs(4);
/// Messages taken in one go before time passes again.
const MAX_EVENTS_PER_TURN: usize = 16;

/// Everything the engine's thread owns.
pub(super) struct Engine {
    pub(super) keeper: Keeper<DirDisk>,
    pub(super) topics: Topics,
    pub(super) source: Receiver<SourceEvent>,
    pub(super) kafka: KafkaSource,
    pub(super) offsets: Arc<OffsetTable>,
    pub(super) outcomes: Receiver<Outcome>,
    pub(super) workers: Arc<Workers>,
    pub(super) publisher: Publisher,
    pub(super) heartbeat: Heartbeat,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) checkpoint_every: Duration,
    pub(super) shutdown: Duration,
}

/// When things were last done.
struct Clock {
    checkpoint: Instant,
    view: Instant,
}

impl Engine {
    /// Runs until it is told to stop; then drains, saves and delivers within the shutdown time.
    pub(super) fn run(mut self) -> anyhow::Result<()> {
        if Publisher::logs_measurements() {
            self.keeper.pipeline_mut().evaluator.name_all_parts();
        }
        self.checkpoint()?;
        let mut clock = Clock { checkpoint: Instant::now(), view: Instant::now() };
        while !self.stop.load(Ordering::Relaxed) {
            self.heartbeat.beat();
            self.take_events()?;
            self.take_outcomes();
            self.turn();
            let since = clock.checkpoint.elapsed();
            let may_try = since >= CHECKPOINT_RETRY || !self.publisher.checkpoint_failed();
            if self.keeper.is_unsaved() && may_try || since >= self.checkpoint_every {
                self.checkpoint()?;
                clock.checkpoint = Instant::now();
            }
            self.offer_due();
            if clock.view.elapsed() >= VIEW {
                self.publish();
                clock.view = Instant::now();
            }
        }
        self.drain()
    }

    /// Takes what the source has, waiting a little where it has nothing.
    fn take_events(&mut self) -> anyhow::Result<()> {
        for taken in 0..MAX_EVENTS_PER_TURN {
            let event =
                if taken == 0 { self.source.recv_timeout(TURN) } else { self.source.try_recv().map_err(|_| RecvTimeoutError::Timeout) };
            match event {
                Ok(event) => self.handle(event)?,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the Kafka consumer ended by itself; see the log above for why"),
            }
        }
        Ok(())
    }

    fn handle(&mut self, event: SourceEvent) -> anyhow::Result<()> {
        let now = wall_clock();
        match event {
            SourceEvent::Batch(batch) => {
                for run in batch.runs() {
                    self.publisher.reads(run.topic());
                    let Some((partition, role)) = self.topics.find(run.topic(), run.partition()) else { continue };
                    let pipeline = self.keeper.pipeline_mut();
                    for message in run.messages() {
                        let position = Position { partition, offset: message.offset };
                        pipeline.message(message.payload, role, position, now, &mut |reason| {
                            tracing::trace!(topic = %message.topic, partition = message.partition, offset = message.offset, reason = reason.as_str(), "rejected");
                        });
                    }
                    self.offsets.set(run.topic(), run.partition(), run.next_offset());
                }
            }
            SourceEvent::Assigned(partitions) => {
                for p in &partitions {
                    tracing::info!(topic = %p.topic, partition = p.partition, from = ?p.from, "partition assigned");
                    self.publisher.reads(&p.topic);
                    if let Some((partition, _)) = self.topics.find(&p.topic, p.partition) {
                        self.keeper.pipeline_mut().shard.assign(partition, now);
                    }
                }
                self.publisher.solved(ReadyCheck::Kafka);
                self.publisher.solved(ReadyCheck::Partitions);
            }
            SourceEvent::Revoked(partitions) => {
                for (topic, partition) in &partitions {
                    tracing::info!(topic = %topic, partition, "partition revoked");
                    if let Some((id, _)) = self.topics.find(topic, *partition) {
                        self.keeper.pipeline_mut().shard.revoke(id);
                    }
                }
            }
            SourceEvent::EndOfPartition { topic, partition, offset } => {
                self.publisher.reads(&topic);
                if let Some((id, _)) = self.topics.find(&topic, partition) {
                    self.keeper.pipeline_mut().shard.reached_end(id, offset, now);
                    if self.offsets.get(&topic, partition).is_none() {
                        self.offsets.set(&topic, partition, offset);
                    }
                }
            }
            SourceEvent::Problem(problem) => self.problem(&problem),
            SourceEvent::Fatal(message) => anyhow::bail!("the Kafka consumer cannot go on: {message}"),
        }
        Ok(())
    }

    /// A problem that keeps events away makes driftd not ready; the others are told and passed over.
    fn problem(&mut self, problem: &SourceProblem) {
        let what_to_do = problem.kind.advice();
        let not_ready = || NotReady::new(ReadyCheck::Kafka, problem.text.clone(), what_to_do);
        match problem.kind {
            ProblemKind::Unreachable | ProblemKind::Authentication | ProblemKind::Tls => self.publisher.problem(not_ready(), None),
            ProblemKind::Authorization | ProblemKind::TopicMissing => {
                // it is the broker that says so; and that other topics are read says nothing about this one
                self.publisher.solved(ReadyCheck::Kafka);
                self.publisher.problem(not_ready(), problem.topic.clone());
            }
            _ => tracing::warn!(kind = problem.kind.as_str(), problem = %problem.text, what_to_do, "kafka"),
        }
    }

    /// Takes what became of notifications.
    fn take_outcomes(&mut self) {
        while let Ok(outcome) = self.outcomes.try_recv() {
            self.publisher.attempted(&outcome.receiver);
            if let Delivery::Refused(reason) = outcome.delivery {
                tracing::error!(receiver = %outcome.receiver, id = %outcome.id, reason = reason.as_str(), "notification given up");
            }
            self.keeper.settle(&outcome, wall_clock());
        }
    }

    /// Judges what has closed.
    fn turn(&mut self) {
        let publisher = &mut self.publisher;
        self.keeper.pipeline_mut().turn_telling(&mut |effect| publisher.take(effect));
    }

    /// Makes the state durable, then tells Kafka how far it was read (for lag tools only). `false`: it is not durable, for a reason that may
    /// pass (a full disk). An error stops the daemon: it must not go on beyond what it can remember.
    fn checkpoint(&mut self) -> anyhow::Result<bool> {
        let began = Instant::now();
        let saved = self.keeper.save();
        self.publisher.checkpoint(&saved, began.elapsed());
        if let Err(error) = saved {
            return if error.must_stop() { Err(error).context("cannot save the state") } else { Ok(false) };
        }
        let next = self.keeper.pipeline().shard.state().next_offsets();
        let next: Vec<_> =
            next.map(|(topic, partition, next_offset)| PartitionOffset { topic: Arc::clone(topic), partition, next_offset }).collect();
        self.kafka.commit(&next);
        Ok(true)
    }

    /// Offers what is owed and due to the workers.
    fn offer_due(&mut self) {
        for (notification, attempt) in self.keeper.due(wall_clock()) {
            let id = Arc::clone(&notification.id);
            // a full queue means that the receiver is slow: the outbox keeps it until there is room
            if self.workers.offer(notification, attempt).is_ok() {
                self.keeper.sending(&id);
            }
        }
    }

    fn publish(&mut self) {
        let lag = self.kafka.lag();
        self.publisher.publish(self.keeper.pipeline(), &self.topics, lag);
    }

    /// After the last message: judge what is due, save, leave the group, deliver what can be delivered, save again.
    /// Messages that were read but not taken are left for the next start.
    fn drain(mut self) -> anyhow::Result<()> {
        tracing::info!("stopping");
        let deadline = Instant::now() + self.shutdown.saturating_sub(CLOSING);
        self.turn();
        let saved = self.checkpoint()?;
        while saved && !self.keeper.pipeline().evaluator.state().outbox.is_empty() && Instant::now() < deadline {
            self.heartbeat.beat();
            self.offer_due();
            std::thread::sleep(Duration::from_millis(20));
            self.take_outcomes();
        }
        self.checkpoint()?;
        let owed = self.keeper.pipeline().evaluator.state().outbox.len();
        let closing = self.kafka.stop(CLOSING / 4);
        tracing::info!(owed, ?closing, "stopped; what is owed is sent after the next start");
        Ok(())
    }
}
