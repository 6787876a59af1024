//! The daemon's loop over a disk that fails and a log that is read again, stopped at every step: it converges to the uninterrupted run.

use super::*;
use crate::edge::decode::TopicRole;
use crate::edge::encode::Line;
use crate::edge::state::memory::{Crash, MemoryDisk};
use crate::engine::alert::Delivery;
use crate::engine::evaluator::Effect;
use crate::engine::tests::{SECOND, script_settings};
use crate::engine::window::Carries;
use crate::event::{PartitionId, Position};
use std::collections::BTreeMap;

/// Messages between two checkpoints by the clock.
const CHECKPOINT_EVERY: usize = 40;
/// Messages taken before time passes.
const TURN_EVERY: usize = 10;

/// What was written to Kafka: (topic, time, message), in the order of its arrival.
fn log() -> Vec<(usize, i64, String)> {
    let mut messages = Vec::new();
    for n in 0..600_i64 {
        let (at, answer) = (n * 100, n % 2);
        let x = if (150..400).contains(&n) { n % 20 + 15 } else { n % 20 };
        let prediction = format!(
            r#"{{"prediction_id":"p{n}","model":"model","version":"v1","timestamp":{},"features":{{"x":{x}}},"prediction":{answer}}}"#,
            BASE + at
        );
        messages.push((0, at, prediction));
        if n >= 5 {
            let known = n - 5;
            let truth = if (200..400).contains(&known) && known % 3 == 0 { 1 - known % 2 } else { known % 2 };
            messages.push((1, at, format!(r#"{{"prediction_id":"p{known}","label":{truth},"timestamp":{}}}"#, BASE + at)));
        }
    }
    messages
}

/// Event time of the first message: within `events.earliest`.
const BASE: i64 = 1_767_225_600_000;

/// What the world saw.
#[derive(Debug, Default, Clone, PartialEq)]
struct World {
    /// The last line of each (window, subject, metric).
    windows: BTreeMap<String, String>,
    /// How often each id came, and with which content.
    received: BTreeMap<String, (u32, String)>,
}

/// Where the process dies: after this many steps of the loop, or at this call of the disk.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Death {
    Never,
    AtStep(u64),
    AtDiskCall(u64),
}

/// Steps until death.
struct Life {
    step: u64,
    death: Death,
}

impl Life {
    fn goes_on(&mut self) -> Result<(), ()> {
        self.step += 1;
        if self.death == Death::AtStep(self.step) { Err(()) } else { Ok(()) }
    }
}

/// Runs the loop from what the disk holds to the end of the log, or to its death; the number of its steps and disk calls.
fn live(mut disk: MemoryDisk, world: &mut World, death: Death) -> (MemoryDisk, bool, u64) {
    if let Death::AtDiskCall(call) = death {
        disk.crash_at(call);
    }
    let store = SnapshotStore::open(disk).expect("the disk crashes later");
    let settings = Arc::new(script_settings());
    let (mut keeper, _) = Keeper::open(store, settings, DecodeSettings::default(), References::new(), 7).expect("a good snapshot is there");
    let mut life = Life { step: 0, death };
    let ended = days(&mut keeper, world, &mut life).is_ok();
    (keeper.into_store().into_disk(), ended, life.step)
}

fn days(keeper: &mut Keeper<MemoryDisk>, world: &mut World, life: &mut Life) -> Result<(), ()> {
    let carries = [Carries { predictions: true, labels: false }, Carries { predictions: false, labels: true }];
    let partitions = ["predictions", "labels"].iter().zip(carries).map(|(name, carries)| {
        let topic = keeper.pipeline_mut().shard.topic(name, carries).expect("two topics");
        let partition = PartitionId { topic, partition: 0 };
        keeper.pipeline_mut().shard.assign(partition, Timestamp(BASE));
        partition
    });
    let partitions: Vec<_> = partitions.collect();
    keeper.save().map_err(drop)?;
    let begun: BTreeMap<_, _> = keeper.pipeline().shard.state().next_offsets().map(|(name, _, next)| (name.to_string(), next)).collect();
    let mut offsets = [0, 0];
    for (taken, (topic, at, message)) in log().iter().enumerate() {
        let position = Position { partition: partitions[*topic], offset: offsets[*topic] };
        offsets[*topic] += 1;
        // Kafka is asked for what the state does not have; the last of it comes again all the same, and must change nothing
        let next = begun.get(["predictions", "labels"][*topic]).copied().unwrap_or(0);
        if position.offset < next - 1 {
            continue;
        }
        life.goes_on()?;
        let role = [TopicRole::Predictions, TopicRole::Labels][*topic];
        let now = Timestamp(BASE + at);
        keeper.pipeline_mut().message(Some(message.as_bytes()), role, position, now, &mut |reason| panic!("{reason}"));
        if position.offset < next {
            continue;
        }
        if taken % TURN_EVERY == 0 {
            world.see(&keeper.pipeline_mut().turn());
            life.goes_on()?;
        }
        if keeper.is_unsaved() || taken % CHECKPOINT_EVERY == 0 {
            keeper.save().map_err(drop)?;
        }
        deliver(keeper, world, life, now)?;
    }
    // nothing more comes: time goes on, and the last windows close
    let last = log().last().map_or(0, |(_, at, _)| *at);
    for second in 1..60 {
        let now = Timestamp(BASE + last + second * SECOND);
        for (partition, next) in partitions.iter().zip(offsets) {
            keeper.pipeline_mut().shard.reached_end(*partition, next, now);
        }
        world.see(&keeper.pipeline_mut().turn());
        life.goes_on()?;
        if keeper.is_unsaved() {
            keeper.save().map_err(drop)?;
        }
        deliver(keeper, world, life, now)?;
    }
    keeper.save().map(drop).map_err(drop)
}

fn deliver(keeper: &mut Keeper<MemoryDisk>, world: &mut World, life: &mut Life, now: Timestamp) -> Result<(), ()> {
    loop {
        let due = keeper.due(now);
        if due.is_empty() {
            return Ok(());
        }
        for (notification, _) in due {
            keeper.sending(&notification.id);
            life.goes_on()?;
            world.receive(&notification);
            // the answer may be lost with the process: then the same id goes out again
            life.goes_on()?;
            let (id, receiver) = (Arc::clone(&notification.id), Arc::clone(&notification.receiver));
            let outcome = Outcome { id, receiver, delivery: Delivery::Accepted, retry_at_ms_from_now: None, latency_ms: 1 };
            keeper.settle(&outcome, now);
        }
    }
}

impl World {
    fn see(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Measured(m) = effect {
                let mut line = Vec::new();
                Line::measurement(m).write(&mut line).expect("memory takes it");
                let place = format!("{} {} {}", m.window.start, m.subject, m.metric.as_str());
                self.windows.insert(place, String::from_utf8(line).expect("JSON is UTF-8"));
            }
        }
    }

    fn receive(&mut self, notification: &Notification) {
        let body = format!("{:?}", notification.body);
        let (times, before) = self.received.entry(notification.id.to_string()).or_insert((0, body.clone()));
        *times += 1;
        assert_eq!(*before, body, "one id, one meaning: {}", notification.id);
    }

    fn ids(&self) -> Vec<&String> {
        self.received.keys().collect()
    }
}

/// Dies once (and where `twice`, again at the same place of its second life), restarts until the log is read.
fn check(undisturbed: &World, death: Death, crash: Crash, twice: bool) {
    let mut world = World::default();
    let (disk, ended, _) = live(MemoryDisk::new(), &mut world, death);
    assert!(!ended, "{death:?} was beyond the end");
    let mut deaths = 1;
    let mut disk = disk.after(crash);
    if twice {
        let (again, ended, _) = live(disk, &mut world, death);
        deaths += u32::from(!ended);
        disk = again.after(crash);
    }
    let (_, ended, _) = live(disk, &mut world, Death::Never);
    assert!(ended);
    for (place, line) in &undisturbed.windows {
        assert_eq!(world.windows.get(place), Some(line), "{place} after {death:?} {crash:?}");
    }
    assert_eq!(world.windows.len(), undisturbed.windows.len());
    assert_eq!(world.ids(), undisturbed.ids(), "{death:?} {crash:?}");
    for (id, (times, _)) in &world.received {
        assert!(*times <= 1 + deaths, "{id} came {times} times after {deaths} deaths");
    }
}

/// An undisturbed run; its number of steps and disk calls.
fn undisturbed() -> (World, u64, u64) {
    let mut world = World::default();
    let (disk, ended, steps) = live(MemoryDisk::new(), &mut world, Death::Never);
    assert!(ended);
    (world, steps, disk.n_calls())
}

#[test]
fn the_story_has_alerts_a_retraining_and_resolutions() {
    let (world, ..) = undisturbed();
    let ids = world.ids();
    for reason in ["-firing", "-resolved", "-retrain"] {
        assert!(ids.iter().any(|id| id.contains(reason)), "{ids:?}");
    }
    assert!(world.received.values().all(|(times, _)| *times == 1));
}

#[test]
fn death_at_any_step_changes_nothing_that_the_world_sees() {
    let (world, steps, _) = undisturbed();
    for step in 1..steps {
        check(&world, Death::AtStep(step), Crash::KeepsUnsynced, step % 2 == 0);
    }
}

#[test]
fn death_at_any_disk_call_changes_nothing_that_the_world_sees() {
    let (world, _, calls) = undisturbed();
    for call in 2..calls {
        check(&world, Death::AtDiskCall(call), Crash::ALL[call as usize % Crash::ALL.len()], false);
    }
}
