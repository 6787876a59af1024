//! What is owed to the world: written into the state before it is sent (intent before effect, invariant I7).
//!
//! Invariants: for one receiver and one incident messages are delivered in the order in which they were owed; what is owed is bounded, and each message
//! that leaves ends in exactly one counter (delivered, refused, cancelled, dropped). It knows no clock: `now` is the rim's. It does not send.

use super::{Body, Delivery, FailureReason, Incident, Notification, NotifyReason};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The notifications that are owed, oldest first; bounded, and what the bound drops is counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outbox {
    entries: VecDeque<Entry>,
    pushed: u64,
    dropped: u64,
    cancelled: u64,
    delivered: BTreeMap<(Arc<str>, NotifyReason), u64>,
    failed: BTreeMap<(Arc<str>, FailureReason), u64>,
    refused: BTreeMap<(Arc<str>, FailureReason), u64>,
}

/// One owed notification and how it has fared.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    notification: Arc<Notification>,
    attempts: u32,
    /// Not to be tried before this time (the rim's clock).
    not_before: Timestamp,
    #[serde(skip)]
    here: Here,
}

/// What this run knows of a message beyond the state. After a restart it knows nothing: the message may have been sent after the last snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Here {
    /// It waits, and an attempt may have been made.
    #[default]
    Waiting,
    /// It waits, and certainly no attempt was made.
    Untouched,
    /// It is being sent.
    InFlight,
}

impl PartialEq for Entry {
    /// Equal as state: what this run knows beyond it does not count.
    fn eq(&self, other: &Self) -> bool {
        (&self.notification, self.attempts, self.not_before) == (&other.notification, other.attempts, other.not_before)
    }
}

impl Outbox {
    /// Owes `notification`, at most `max` of them at once (at least one).
    ///
    /// A repeat or a resolution takes the place of repeats that still wait. A resolution of which the receiver was certainly never told goes, together with
    /// its firing message. Over the bound the oldest repeat is dropped, or else the oldest message; what is in flight only when nothing else is left.
    pub fn push(&mut self, notification: Notification, max: usize) {
        if matches!(notification.reason, NotifyReason::Repeat | NotifyReason::Resolved) && self.supersede(&notification) {
            return;
        }
        while self.entries.len() >= max.max(1) {
            self.drop_one();
        }
        self.pushed += 1;
        let notification = Arc::new(notification);
        self.entries.push_back(Entry { notification, attempts: 0, not_before: Timestamp::MIN, here: Here::Untouched });
    }

    /// Owes all of them, in order.
    pub fn push_all(&mut self, notifications: impl IntoIterator<Item = Notification>, max: usize) {
        notifications.into_iter().for_each(|notification| self.push(notification, max));
    }

    /// What may be sent now, oldest first, with the number of attempts before: for each receiver and incident only the first that is owed, and only
    /// when it is not in flight and its time has come.
    pub fn due(&self, now: Timestamp) -> Vec<(Arc<Notification>, u32)> {
        let ready = self.first_in_line().filter(|entry| entry.not_before <= now);
        ready.map(|entry| (Arc::clone(&entry.notification), entry.attempts)).collect()
    }

    /// The message is being sent. Not part of the state: after a restart everything that is owed is sent again under the same id.
    pub fn mark_in_flight(&mut self, id: &str) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| &*entry.notification.id == id) {
            entry.here = Here::InFlight;
        }
    }

    /// What became of one attempt. A message that is no longer owed (dropped meanwhile) is passed over.
    ///
    /// `retry_not_before`: for `Delivery::Retry`, the rim's time of the next attempt, its back-off and the receiver's wish already in it.
    pub fn settle(&mut self, id: &str, receiver: &str, delivery: &Delivery, retry_not_before: Timestamp) {
        let is_it = |entry: &Entry| &*entry.notification.id == id && &*entry.notification.receiver == receiver;
        let Some(place) = self.entries.iter().position(is_it) else { return };
        let entry = &mut self.entries[place];
        let (receiver, reason) = (Arc::clone(&entry.notification.receiver), entry.notification.reason);
        match *delivery {
            Delivery::Accepted => {
                count(&mut self.delivered, (receiver, reason));
                self.entries.remove(place);
            }
            Delivery::Retry { reason, .. } => {
                entry.attempts = entry.attempts.saturating_add(1);
                entry.not_before = retry_not_before;
                entry.here = Here::Waiting;
                count(&mut self.failed, (receiver, reason));
            }
            Delivery::Refused(reason) => {
                count(&mut self.failed, (Arc::clone(&receiver), reason));
                count(&mut self.refused, (receiver, reason));
                self.entries.remove(place);
            }
        }
    }

    /// Messages that ever came to be owed: when it grows, the state must be saved before anything is sent.
    pub fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Messages that are owed.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is owed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The message that is owed longest.
    pub fn oldest(&self) -> Option<&Arc<Notification>> {
        self.entries.front().map(|entry| &entry.notification)
    }

    /// Everything that is owed, oldest first, with the number of attempts so far.
    pub fn owed(&self) -> impl Iterator<Item = (&Arc<Notification>, u32)> {
        self.entries.iter().map(|entry| (&entry.notification, entry.attempts))
    }

    /// Messages that the bound dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Messages that had lost their meaning before they were sent.
    pub fn cancelled(&self) -> u64 {
        self.cancelled
    }

    /// Messages that a receiver accepted, by receiver and reason.
    pub fn delivered(&self) -> impl Iterator<Item = (&Arc<str>, NotifyReason, u64)> {
        self.delivered.iter().map(|((receiver, reason), &n)| (receiver, *reason, n))
    }

    /// Attempts that failed, by receiver and reason; the ones that were given up are among them.
    pub fn failed(&self) -> impl Iterator<Item = (&Arc<str>, FailureReason, u64)> {
        self.failed.iter().map(|((receiver, reason), &n)| (receiver, *reason, n))
    }

    /// Messages that were given up because the receiver would refuse them again, by receiver and reason.
    pub fn refused(&self) -> impl Iterator<Item = (&Arc<str>, FailureReason, u64)> {
        self.refused.iter().map(|((receiver, reason), &n)| (receiver, *reason, n))
    }

    /// For each receiver and incident the first message that is owed, unless it is in flight.
    fn first_in_line(&self) -> impl Iterator<Item = &Entry> {
        let mut seen = BTreeSet::new();
        let is_first = move |entry: &&Entry| seen.insert((Arc::clone(&entry.notification.receiver), entry.notification.incident().clone()));
        self.entries.iter().filter(is_first).filter(|entry| entry.here != Here::InFlight)
    }

    /// Takes away what `newer` makes pointless. Returns whether `newer` itself has become pointless.
    fn supersede(&mut self, newer: &Notification) -> bool {
        let same = |entry: &Entry| entry.notification.receiver == newer.receiver && entry.notification.incident() == newer.incident();
        let untold = newer.reason == NotifyReason::Resolved
            && self.entries.iter().any(|e| same(e) && e.notification.reason == NotifyReason::Firing && e.here == Here::Untouched);
        let before = self.entries.len();
        self.entries.retain(|entry| {
            let waits = entry.here != Here::InFlight;
            let pointless = untold || entry.notification.reason == NotifyReason::Repeat;
            !(same(entry) && waits && pointless)
        });
        self.cancelled += (before - self.entries.len()) as u64 + u64::from(untold);
        untold
    }

    fn drop_one(&mut self) {
        let waits = |entry: &Entry| entry.here != Here::InFlight;
        let repeat = self.entries.iter().position(|e| waits(e) && e.notification.reason == NotifyReason::Repeat);
        let place = repeat.or_else(|| self.entries.iter().position(waits)).unwrap_or(0);
        self.entries.remove(place);
        self.dropped += 1;
    }
}

impl Notification {
    /// Event time at which it came to be owed.
    pub fn owed_since(&self) -> Timestamp {
        match &self.body {
            Body::Alert(facts) => facts.window.end,
            Body::Retrain(facts) => facts.requested_at,
        }
    }

    /// The incident it is about.
    pub fn incident(&self) -> &Incident {
        match &self.body {
            Body::Alert(facts) => &facts.incident,
            Body::Retrain(facts) => &facts.alert.incident,
        }
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_default() += 1;
}

#[cfg(test)]
mod tests;
