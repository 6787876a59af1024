//! The store as plainly as it can be said: maps of lists, and queues. What is fast must equal it at every step.

use crate::engine::join::*;
use crate::event::Timestamp;
use std::collections::{BTreeMap, VecDeque};

/// Things in the order of their arrival, each with its key.
type ById<T> = Vec<(u64, T)>;

#[derive(Debug, Default)]
pub(super) struct PlainStore {
    /// Every prediction with the number of its arrival.
    predictions: BTreeMap<u64, Vec<(u64, Entry)>>,
    /// Arrivals of the predictions, for expiry.
    prediction_order: VecDeque<(Timestamp, u64, u64)>,
    labels: BTreeMap<u64, Vec<(u64, WaitingLabel)>>,
    label_order: VecDeque<(Timestamp, u64, u64)>,
    arrived: u64,
}

impl PlainStore {
    pub(super) fn n_predictions(&self) -> usize {
        self.predictions.values().map(Vec::len).sum()
    }

    pub(super) fn n_labels(&self) -> usize {
        self.labels.values().map(Vec::len).sum()
    }

    pub(super) fn known(&self, key: u64, model: u32) -> Known {
        match self.predictions.get(&key) {
            Some(entries) if entries.iter().any(|(_, e)| e.model == model) => Known::Duplicate,
            _ => Known::New,
        }
    }

    pub(super) fn remember(&mut self, key: u64, entry: Entry) {
        self.arrived += 1;
        self.prediction_order.push_back((entry.timestamp, key, self.arrived));
        self.predictions.entry(key).or_default().push((self.arrived, entry));
    }

    pub(super) fn under(&self, key: u64) -> Vec<Entry> {
        self.predictions.get(&key).into_iter().flatten().map(|(_, entry)| entry.clone()).collect()
    }

    pub(super) fn set_truth(&mut self, key: u64, nth: usize, truth: Truth) {
        self.predictions.get_mut(&key).unwrap()[nth].1.truth = Some(truth);
    }

    pub(super) fn wait(&mut self, key: u64, label: WaitingLabel) {
        self.arrived += 1;
        self.label_order.push_back((label.timestamp, key, self.arrived));
        self.labels.entry(key).or_default().push((self.arrived, label));
    }

    pub(super) fn waiting(&self, key: u64) -> Vec<WaitingLabel> {
        self.labels.get(&key).into_iter().flatten().map(|(_, label)| label.clone()).collect()
    }

    pub(super) fn take_waiting(&mut self, key: u64) -> Vec<WaitingLabel> {
        self.labels.remove(&key).unwrap_or_default().into_iter().map(|(_, label)| label).collect()
    }

    /// `bytes`: how much is held, said by the store that can say it.
    pub(super) fn forget(&mut self, horizon: Timestamp, bounds: &Bounds, bytes: impl Fn(&Self) -> usize) -> Forgotten {
        let mut forgotten = Forgotten::default();
        while let Some(&(at, _, _)) = self.prediction_order.front()
            && (at < horizon || self.n_predictions() > bounds.predictions)
        {
            self.forget_prediction();
            forgotten.predictions.by_number += u64::from(at >= horizon);
        }
        while let Some(at) = self.oldest_label()
            && (at < horizon || self.n_labels() > bounds.labels)
        {
            self.forget_label();
            if at < horizon { forgotten.labels_expired += 1 } else { forgotten.labels.by_number += 1 }
        }
        while bytes(self) > bounds.bytes {
            match (self.prediction_order.front().map(|o| o.0), self.oldest_label()) {
                (None, None) => break,
                (Some(prediction), label) if label.is_none_or(|label| prediction < label) => {
                    self.forget_prediction();
                    forgotten.predictions.by_bytes += 1;
                }
                _ => {
                    self.forget_label();
                    forgotten.labels.by_bytes += 1;
                }
            }
        }
        forgotten
    }

    fn forget_prediction(&mut self) {
        let Some((_, key, arrival)) = self.prediction_order.pop_front() else { return };
        let entries = self.predictions.get_mut(&key).unwrap();
        entries.retain(|(a, _)| *a != arrival);
        if entries.is_empty() {
            self.predictions.remove(&key);
        }
    }

    /// The time of the oldest label that still waits; those that were taken leave their place in the order behind.
    fn oldest_label(&mut self) -> Option<Timestamp> {
        while let Some(&(at, key, arrival)) = self.label_order.front() {
            if self.labels.get(&key).is_some_and(|labels| labels.iter().any(|(a, _)| *a == arrival)) {
                return Some(at);
            }
            self.label_order.pop_front();
        }
        None
    }

    fn forget_label(&mut self) {
        let Some((_, key, arrival)) = self.label_order.pop_front() else { return };
        let labels = self.labels.get_mut(&key).unwrap();
        labels.retain(|(a, _)| *a != arrival);
        if labels.is_empty() {
            self.labels.remove(&key);
        }
    }

    /// All that is remembered, oldest first.
    pub(super) fn all(&self) -> (ById<Entry>, ById<WaitingLabel>) {
        let entry = |&(_, key, arrival): &(Timestamp, u64, u64)| {
            let (_, entry) = self.predictions.get(&key)?.iter().find(|(a, _)| *a == arrival)?;
            Some((key, entry.clone()))
        };
        let label = |&(_, key, arrival): &(Timestamp, u64, u64)| {
            let (_, label) = self.labels.get(&key)?.iter().find(|(a, _)| *a == arrival)?;
            Some((key, label.clone()))
        };
        (self.prediction_order.iter().filter_map(entry).collect(), self.label_order.iter().filter_map(label).collect())
    }
}
