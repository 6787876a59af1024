//! How far event time has come: the least over partitions that still speak.

use crate::engine::settings::WindowSettings;
use crate::event::{PartitionId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a partition carries, and so which watermark it holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carries {
    /// Predictions: it holds back the close of input windows.
    pub predictions: bool,
    /// Labels: it holds back the judgement of quality only.
    pub labels: bool,
}

/// The two watermarks: no event before them is expected any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermarks {
    /// Of predictions.
    pub inputs: Timestamp,
    /// Of predictions and labels.
    pub all: Timestamp,
}

/// Event-time progress by partition. A partition that has said nothing yet holds everything back until it is idle; one that was read to its end and has
/// been silent for `idle` holds nothing back; when all are idle, time goes on as fast as the clock does. Watermarks never go back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watermark {
    partitions: BTreeMap<PartitionId, PartitionClock>,
    current: Watermarks,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PartitionClock {
    carries: Carries,
    /// Highest event time seen, capped by arrival plus `max_future`.
    highest: Option<Timestamp>,
    /// The rim's clock at the last message (or at the assignment).
    last_arrival: Timestamp,
    /// Whether it was read to its end after the last message.
    at_end: bool,
    idle: bool,
}

impl Default for Watermark {
    fn default() -> Self {
        Self { partitions: BTreeMap::new(), current: Watermarks { inputs: Timestamp::MIN, all: Timestamp::MIN } }
    }
}

impl Watermark {
    /// Both watermarks.
    pub fn current(&self) -> Watermarks {
        self.current
    }

    /// Begins to watch a partition. One that is known keeps its progress, but must show anew that it was read to its end.
    pub fn assign(&mut self, partition: PartitionId, carries: Carries, now: Timestamp) {
        let clock = self.partitions.entry(partition).or_insert(PartitionClock {
            carries,
            highest: None,
            last_arrival: now,
            at_end: false,
            idle: false,
        });
        clock.carries = carries;
        clock.last_arrival = now;
        (clock.at_end, clock.idle) = (false, false);
    }

    /// Stops watching a partition that was taken away: it no longer holds anything back.
    pub fn revoke(&mut self, partition: PartitionId) {
        self.partitions.remove(&partition);
    }

    /// Notes an event of a watched partition.
    pub fn observe(&mut self, partition: PartitionId, event_time: Timestamp, arrival: Timestamp, settings: &WindowSettings) {
        if let Some(clock) = self.partitions.get_mut(&partition) {
            let capped = event_time.min(arrival.plus(settings.max_future_ms));
            clock.highest = Some(clock.highest.map_or(capped, |h| h.max(capped)));
        }
    }

    /// Notes that a message came, whatever was in it.
    pub fn heard(&mut self, partition: PartitionId, arrival: Timestamp) {
        if let Some(clock) = self.partitions.get_mut(&partition) {
            clock.last_arrival = clock.last_arrival.max(arrival);
            (clock.at_end, clock.idle) = (false, false);
        }
    }

    /// Notes that a partition was read to its end.
    pub fn reached_end(&mut self, partition: PartitionId) {
        if let Some(clock) = self.partitions.get_mut(&partition) {
            clock.at_end = true;
        }
    }

    /// Recomputes both watermarks at `now`.
    pub fn advance(&mut self, now: Timestamp, settings: &WindowSettings) -> Watermarks {
        for clock in self.partitions.values_mut() {
            clock.idle = clock.at_end && now.since(clock.last_arrival) >= settings.idle_ms;
        }
        if let Some(inputs) = self.least(|c| c.predictions, now, settings) {
            self.current.inputs = self.current.inputs.max(inputs);
        }
        let labels = self.least(|c| c.labels, now, settings).unwrap_or(Timestamp::MAX);
        self.current.all = self.current.all.max(self.current.inputs.min(labels));
        self.current
    }

    /// Ends all waiting: nothing more will come (the end of a replay).
    pub fn finish(&mut self) {
        self.current = Watermarks { inputs: Timestamp::MAX, all: Timestamp::MAX };
    }

    /// How far the partitions that count have come; `None` where none of them holds anything back (there is none, or all are idle and never spoke).
    fn least(&self, counts: impl Fn(Carries) -> bool, now: Timestamp, settings: &WindowSettings) -> Option<Timestamp> {
        let relevant = || self.partitions.values().filter(|c| counts(c.carries));
        let reached = match relevant().filter(|c| !c.idle).map(|c| c.highest.unwrap_or(Timestamp::MIN)).min() {
            Some(least) => least,
            // all are idle: event time goes on with the clock, from where each partition stood when it fell silent
            None => relevant().filter_map(|c| Some(c.highest?.plus(now.since(c.last_arrival).max(0)))).max()?,
        };
        Some(reached.minus(settings.lateness_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::TopicId;

    const SETTINGS: WindowSettings =
        WindowSettings { size_ms: 60_000, slide_ms: 10_000, lateness_ms: 1_000, idle_ms: 5_000, max_future_ms: 2_000 };
    const INPUTS: Carries = Carries { predictions: true, labels: false };
    const LABELS: Carries = Carries { predictions: false, labels: true };

    fn partition(topic: u16, partition: i32) -> PartitionId {
        PartitionId { topic: TopicId(topic), partition }
    }

    fn at(watermark: &mut Watermark, now: i64) -> (i64, i64) {
        let marks = watermark.advance(Timestamp(now), &SETTINGS);
        (marks.inputs.0, marks.all.0)
    }

    #[test]
    fn the_slowest_partition_holds_back_until_it_is_idle() {
        let mut watermark = Watermark::default();
        for p in [0, 1] {
            watermark.assign(partition(0, p), INPUTS, Timestamp(0));
        }
        watermark.observe(partition(0, 0), Timestamp(50_000), Timestamp(50_000), &SETTINGS);
        watermark.heard(partition(0, 0), Timestamp(50_000));
        assert_eq!(at(&mut watermark, 50_000).0, i64::MIN, "partition 1 has said nothing");
        watermark.reached_end(partition(0, 1));
        assert_eq!(at(&mut watermark, 50_000).0, 49_000, "partition 1 was read to its end and is silent");
        watermark.heard(partition(0, 1), Timestamp(50_001));
        watermark.observe(partition(0, 1), Timestamp(20_000), Timestamp(50_001), &SETTINGS);
        assert_eq!(at(&mut watermark, 50_001).0, 49_000, "watermarks never go back");
    }

    #[test]
    fn time_goes_on_when_traffic_stops() {
        let mut watermark = Watermark::default();
        watermark.assign(partition(0, 0), INPUTS, Timestamp(0));
        watermark.heard(partition(0, 0), Timestamp(10_000));
        // events of long ago: their time goes on at the clock's pace, it does not jump to the clock
        watermark.observe(partition(0, 0), Timestamp(1_000), Timestamp(10_000), &SETTINGS);
        watermark.reached_end(partition(0, 0));
        assert_eq!(at(&mut watermark, 12_000).0, 0, "not idle yet");
        assert_eq!(at(&mut watermark, 20_000).0, 10_000);
    }

    #[test]
    fn one_event_from_the_future_does_not_close_everything() {
        let mut watermark = Watermark::default();
        watermark.assign(partition(0, 0), INPUTS, Timestamp(0));
        watermark.observe(partition(0, 0), Timestamp(4_000_000_000_000), Timestamp(10_000), &SETTINGS);
        assert_eq!(at(&mut watermark, 10_000).0, 11_000);
    }

    #[test]
    fn labels_hold_back_only_the_judgement_of_quality() {
        let mut watermark = Watermark::default();
        watermark.assign(partition(0, 0), INPUTS, Timestamp(0));
        watermark.assign(partition(1, 0), LABELS, Timestamp(0));
        watermark.observe(partition(0, 0), Timestamp(30_000), Timestamp(30_000), &SETTINGS);
        assert_eq!(at(&mut watermark, 30_000), (29_000, i64::MIN));
        watermark.observe(partition(1, 0), Timestamp(12_000), Timestamp(30_000), &SETTINGS);
        assert_eq!(at(&mut watermark, 30_000), (29_000, 11_000));
    }

    #[test]
    fn a_label_topic_that_stays_empty_holds_nothing_back() {
        let mut watermark = Watermark::default();
        watermark.assign(partition(0, 0), INPUTS, Timestamp(0));
        watermark.assign(partition(1, 0), LABELS, Timestamp(0));
        watermark.reached_end(partition(1, 0));
        watermark.observe(partition(0, 0), Timestamp(30_000), Timestamp(30_000), &SETTINGS);
        assert_eq!(at(&mut watermark, 30_000), (29_000, 29_000));
    }
}
