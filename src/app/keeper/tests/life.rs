//! One life of the daemon's loop: from what the disk holds to the end of the log.

use super::recording_disk::RecordingDisk;
use crate::app::Keeper;
use crate::edge::decode::{DecodeSettings, TopicRole};
use crate::edge::encode::Line;
use crate::edge::notify::Outcome;
use crate::edge::state::SnapshotStore;
use crate::engine::alert::{Delivery, FailureReason, Notification};
use crate::engine::evaluator::Effect;
use crate::engine::shard::References;
use crate::engine::tests::{SECOND, script_settings};
use crate::engine::window::Carries;
use crate::event::{PartitionId, Position, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Event time of the first message: within `events.earliest`.
const BASE: i64 = 1_767_225_600_000;
/// Seconds that pass after the last message.
const AFTERWARDS: i64 = 60;
/// How long a receiver that was not ready wants to be left alone.
const RETRY_MS: i64 = 2 * SECOND;

/// What happens, in one of many variations.
#[derive(Debug, Clone)]
pub(super) struct Story {
    /// What was written to Kafka: (topic, time, message), in the order of its arrival.
    log: Vec<(usize, i64, String)>,
    /// Messages between two checkpoints by the clock.
    checkpoint_every: usize,
    /// Messages taken before time passes.
    turn_every: usize,
    /// Of how many notifications one is not taken at the first attempt; 0: all are taken.
    not_ready: u64,
}

/// What the world sees.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Seen {
    /// A line about a (window, subject, metric). The last one counts.
    Window { place: String, line: String },
    /// A message to a receiver, and whether it took it.
    Message { id: Arc<str>, body: String, taken: bool },
}

impl Story {
    /// A story of drift, of a model that is wrong for a while, and of recovery; when and how long depends on the seed.
    pub(super) fn new(seed: u64) -> Self {
        let of_seed = |salt: u64, n: u64| xxhash_rust::xxh3::xxh3_64_with_seed(&salt.to_le_bytes(), seed) % n;
        let (drifts, wrong) = (100 + of_seed(1, 100) as i64, 180 + of_seed(2, 60) as i64);
        let delay = 2 + of_seed(3, 20) as i64;
        let mut log = Vec::new();
        for n in 0..500_i64 {
            let (at, answer) = (n * 100, n % 2);
            let x = if (drifts..drifts + 200).contains(&n) { n % 20 + 15 } else { n % 20 };
            let prediction = format!(
                r#"{{"prediction_id":"p{n}","model":"model","version":"v1","timestamp":{},"features":{{"x":{x}}},"prediction":{answer}}}"#,
                BASE + at
            );
            log.push((0, at, prediction));
            if n >= delay {
                let known = n - delay;
                let truth = if (wrong..wrong + 150).contains(&known) && known % 3 == 0 { 1 - known % 2 } else { known % 2 };
                log.push((1, at, format!(r#"{{"prediction_id":"p{known}","label":{truth},"timestamp":{}}}"#, BASE + at)));
            }
        }
        let (checkpoint_every, turn_every) = (20 + of_seed(4, 60) as usize, 5 + of_seed(5, 15) as usize);
        Self { log, checkpoint_every, turn_every, not_ready: [0, 2, 3][of_seed(6, 3) as usize] }
    }
}

/// Lives from what the disk holds to the end of the log; the disk records what happens.
pub(super) fn live(story: &Story, disk: RecordingDisk) {
    let recorder = disk.recorder();
    let settings = Arc::new(script_settings());
    let store = SnapshotStore::open(disk).expect("it can be listed");
    let (mut keeper, _) = Keeper::open(store, settings, DecodeSettings::default(), References::new(), 7).expect("a good snapshot is there");
    let carries = [Carries { predictions: true, labels: false }, Carries { predictions: false, labels: true }];
    let partitions = ["predictions", "labels"].iter().zip(carries).map(|(name, carries)| {
        let topic = keeper.pipeline_mut().shard.topic(name, carries).expect("two topics");
        let partition = PartitionId { topic, partition: 0 };
        keeper.pipeline_mut().shard.assign(partition, Timestamp(BASE));
        partition
    });
    let partitions: Vec<_> = partitions.collect();
    keeper.save().expect("the disk only records");
    let begun: BTreeMap<_, _> = keeper.pipeline().shard.state().next_offsets().map(|(name, _, next)| (name.to_string(), next)).collect();
    let mut offsets = [0, 0];
    for (taken, (topic, at, message)) in story.log.iter().enumerate() {
        let position = Position { partition: partitions[*topic], offset: offsets[*topic] };
        offsets[*topic] += 1;
        // Kafka is asked for what the state does not have; the last of it comes again all the same, and must change nothing
        let next = begun.get(["predictions", "labels"][*topic]).copied().unwrap_or(0);
        if position.offset < next - 1 {
            continue;
        }
        recorder.step();
        let role = [TopicRole::Predictions, TopicRole::Labels][*topic];
        let now = Timestamp(BASE + at);
        keeper.pipeline_mut().message(Some(message.as_bytes()), role, position, now, &mut |reason| panic!("{reason}"));
        if position.offset < next {
            continue;
        }
        if taken % story.turn_every == 0 {
            recorder.see(keeper.pipeline_mut().turn().iter().filter_map(window));
        }
        if keeper.is_unsaved() || taken % story.checkpoint_every == 0 {
            keeper.save().expect("the disk only records");
        }
        deliver(story, &mut keeper, now);
    }
    // nothing more comes: time goes on, and the last windows close
    let last = story.log.last().map_or(0, |(_, at, _)| *at);
    for second in 1..AFTERWARDS {
        let now = Timestamp(BASE + last + second * SECOND);
        for (partition, next) in partitions.iter().zip(offsets) {
            keeper.pipeline_mut().shard.reached_end(*partition, next, now);
        }
        recorder.see(keeper.pipeline_mut().turn().iter().filter_map(window));
        if keeper.is_unsaved() {
            keeper.save().expect("the disk only records");
        }
        deliver(story, &mut keeper, now);
    }
    keeper.save().expect("the disk only records");
    assert!(keeper.pipeline().evaluator.state().outbox.is_empty(), "everything was delivered");
}

fn deliver(story: &Story, keeper: &mut Keeper<RecordingDisk>, now: Timestamp) {
    loop {
        let due = keeper.due(now);
        if due.is_empty() {
            return;
        }
        for (notification, attempts) in due {
            let recorder = keeper.store().disk().recorder();
            keeper.sending(&notification.id);
            recorder.step();
            let is_ready = attempts > 0
                || story.not_ready == 0
                || !xxhash_rust::xxh3::xxh3_64(notification.id.as_bytes()).is_multiple_of(story.not_ready);
            // the answer may be lost with the process: then the same id goes out again
            recorder.see([message(&notification, is_ready)].into_iter());
            let retry = Delivery::Retry { reason: FailureReason::ServerError, after_ms: None };
            let (delivery, again) = if is_ready { (Delivery::Accepted, None) } else { (retry, Some(RETRY_MS)) };
            let (id, receiver) = (Arc::clone(&notification.id), Arc::clone(&notification.receiver));
            keeper.settle(&Outcome { id, receiver, delivery, retry_at_ms_from_now: again, latency_ms: 1 }, now);
            recorder.step();
        }
    }
}

fn window(effect: &Effect) -> Option<Seen> {
    let Effect::Measured(m) = effect else { return None };
    let mut line = Vec::new();
    Line::measurement(m).write(&mut line).expect("memory takes it");
    let place = format!("{} {} {}", m.window.start, m.subject, m.metric.as_str());
    Some(Seen::Window { place, line: String::from_utf8(line).expect("JSON is UTF-8") })
}

fn message(notification: &Notification, taken: bool) -> Seen {
    Seen::Message { id: Arc::clone(&notification.id), body: format!("{:?}", notification.body), taken }
}
