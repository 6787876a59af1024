//! Predictions that wait for labels, and labels that wait for predictions.

use super::entry::{Entry, Truth};
use super::label::WaitingLabel;
use super::predictions::{Place, Predictions};
use super::waiting::WaitingLabels;
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::borrow::Cow;

/// Whether a prediction was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// No.
    New,
    /// The same model version answered under this id before.
    Duplicate,
}

/// How much a store may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most predictions.
    pub predictions: usize,
    /// Most labels.
    pub labels: usize,
    /// Most bytes of both together, see [`JoinStore::bytes`].
    pub bytes: usize,
}

/// What was forgotten before its time, by the bound that wanted it so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// There were too many of them.
    pub by_number: u64,
    /// They took too many bytes.
    pub by_bytes: u64,
}

impl Pushed {
    /// Adds `more`.
    pub fn add(&mut self, more: Self) {
        self.by_number += more.by_number;
        self.by_bytes += more.by_bytes;
    }

    /// By whichever bound.
    pub fn total(self) -> u64 {
        self.by_number + self.by_bytes
    }
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Predictions before their time.
    pub predictions: Pushed,
    /// Labels that no prediction came for in time.
    pub labels_expired: u64,
    /// Labels before their time.
    pub labels: Pushed,
}

/// Predictions and labels by id. Ids are hashed to 64 bits with a seed of the state: among n live ids the odds that any two
/// collide are about n²/2⁶⁵ (3e-6 for 10 million).
#[derive(Debug, Clone)]
pub struct JoinStore {
    pub(super) seed: u64,
    pub(super) predictions: Predictions,
    pub(super) labels: WaitingLabels,
}

/// The key of an id, or of an item, in a store of that seed.
pub fn key_of(seed: u64, id: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(id.as_bytes(), seed)
}

impl JoinStore {
    /// An empty store whose ids are hashed with `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, predictions: Predictions::with_capacity(0), labels: WaitingLabels::new() }
    }

    /// The seed of the id hash.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The key of an id.
    pub fn key(&self, id: &str) -> u64 {
        key_of(self.seed, id)
    }

    /// Predictions that are remembered.
    pub fn n_predictions(&self) -> usize {
        self.predictions.len()
    }

    /// Labels that wait.
    pub fn n_labels(&self) -> usize {
        self.labels.len()
    }

    /// What predictions and labels take, at most: they are counted at what the fullest moment of their growth needs, so that the figure depends on
    /// nothing but what is remembered. Besides that the store holds up to 4 MiB that do not grow.
    pub fn bytes(&self) -> usize {
        self.predictions.bytes() + self.labels.bytes()
    }

    /// Bytes that are allocated for what does not lie in boxes and texts.
    #[cfg(test)]
    pub(super) fn allocated(&self) -> usize {
        self.predictions.allocated()
    }

    /// Reads the lines of memory that the next calls for these keys will read first. A processor waits for many of them at once, but for each alone
    /// where one call follows upon the other: so whoever knows what comes next says it here, some dozens at a time.
    pub fn touch(&self, keys: &[u64]) {
        self.predictions.touch(keys);
        self.labels.touch(keys);
    }

    /// Whether this model version answered under this id before. One id may be answered by several models (a champion and a shadow).
    pub fn known(&self, key: u64, model: u32) -> Known {
        self.predictions.known(key, model)
    }

    /// Remembers a prediction that is [`Known::New`].
    pub fn remember(&mut self, key: u64, entry: Entry) {
        self.predictions.remember(key, entry);
    }

    /// Where the predictions under an id are, in the order of their arrival.
    pub fn places(&self, key: u64) -> SmallVec<[Place; 2]> {
        self.predictions.places(key)
    }

    /// The prediction at a place; nothing may have been forgotten since the place was asked for.
    pub fn entry(&self, place: Place) -> Cow<'_, Entry> {
        self.predictions.entry(place)
    }

    /// Notes what was true of the prediction at a place; nothing may have been forgotten since the place was asked for.
    pub fn set_truth(&mut self, place: Place, truth: Truth) {
        self.predictions.set_truth(place, truth);
    }

    /// Keeps a label until its prediction comes.
    pub fn wait(&mut self, key: u64, label: WaitingLabel) {
        self.labels.wait(key, label);
    }

    /// The labels that wait for this id.
    pub fn waiting(&self, key: u64) -> impl Iterator<Item = &WaitingLabel> {
        self.labels.of(key)
    }

    /// The labels that waited for this id, taken out, in the order of their arrival.
    pub fn take_waiting(&mut self, key: u64) -> Vec<WaitingLabel> {
        self.labels.take(key)
    }

    /// Forgets what is from before `horizon`, and the oldest of what is beyond the bounds. Old is what came first; where predictions and labels
    /// take too many bytes together, what has the earlier time of the two that came first goes first.
    pub fn forget(&mut self, horizon: Timestamp, bounds: &Bounds) -> Forgotten {
        let mut forgotten = Forgotten::default();
        self.predictions.forget_while(|at, n, _| {
            let goes = at < horizon || n > bounds.predictions;
            forgotten.predictions.by_number += u64::from(goes && at >= horizon);
            goes
        });
        while let Some(at) = self.labels.oldest().filter(|at| *at < horizon || self.labels.len() > bounds.labels) {
            self.labels.forget_oldest();
            if at < horizon { forgotten.labels_expired += 1 } else { forgotten.labels.by_number += 1 }
        }
        while self.bytes() > bounds.bytes {
            let of_labels = self.labels.bytes();
            match (self.predictions.oldest(), self.labels.oldest()) {
                (None, None) => break,
                (Some(prediction), label) if label.is_none_or(|label| prediction < label) => {
                    self.predictions.forget_while(|at, _, bytes| {
                        let goes = bytes + of_labels > bounds.bytes && label.is_none_or(|label| at < label);
                        forgotten.predictions.by_bytes += u64::from(goes);
                        goes
                    });
                }
                _ => {
                    self.labels.forget_oldest();
                    forgotten.labels.by_bytes += 1;
                }
            }
        }
        forgotten
    }
}

impl PartialEq for JoinStore {
    /// Whether both remember the same, in the same order.
    fn eq(&self, other: &Self) -> bool {
        self.seed == other.seed && self.predictions.iter().eq(other.predictions.iter()) && self.labels.iter().eq(other.labels.iter())
    }
}
