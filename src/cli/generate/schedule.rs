//! A scenario played from its start: requests at random times of the asked rate, labels after their delay, changes at their time, in order of event time.
//!
//! Invariant: pure and deterministic, times never go back, at equal times a change comes before a prediction and a prediction before a label.
//! It knows event time only; whoever drives it decides how fast that passes.

use super::change::{Change, ChangeError};
use super::scenario::Scenario;
use super::traffic::Traffic;
use crate::event::Timestamp;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::Exp1;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Most labels that wait for their time at once; further ones are left out, and counted.
const MAX_WAITING: usize = 2_000_000;

/// Something that happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// When, in event time.
    pub at: Timestamp,
    /// What.
    pub what: What,
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A step of the scenario.
    Change(Change),
    /// A prediction event.
    Prediction(Message),
    /// A label event.
    Label(Message),
}

/// A message on its way out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// `prediction_id`: the key by which both topics are partitioned, so that a label meets its prediction.
    pub key: String,
    /// The event, without a line end.
    pub line: String,
}

/// A scenario being played. Predictions end with the scenario's duration; their labels follow until the last has come.
#[derive(Debug)]
pub struct Schedule {
    scenario: Scenario,
    traffic: Traffic,
    arrivals: ChaCha8Rng,
    start: Timestamp,
    /// Time since the start up to which everything was drawn, in milliseconds.
    now_ms: f64,
    /// Time of the next request since the start; `None` where it is not drawn, or after the last.
    next_ms: Option<f64>,
    n_steps_done: usize,
    waiting: BinaryHeap<Reverse<(Timestamp, u64, Message)>>,
    n_labels: u64,
    n_left_out: u64,
}

impl Schedule {
    /// Plays `scenario` from `start`. A change that cannot be made is refused here, so that a run does not end in its middle.
    pub fn new(scenario: Scenario, seed: u64, start: Timestamp) -> Result<Self, ChangeError> {
        for step in &scenario.steps {
            step.change.check()?;
        }
        let mut arrivals = ChaCha8Rng::seed_from_u64(seed);
        arrivals.set_stream(5);
        Ok(Self {
            traffic: Traffic::new(&scenario, seed),
            scenario,
            arrivals,
            start,
            now_ms: 0.0,
            next_ms: None,
            n_steps_done: 0,
            waiting: BinaryHeap::new(),
            n_labels: 0,
            n_left_out: 0,
        })
    }

    /// End of the predictions.
    pub fn end(&self) -> Timestamp {
        self.start.plus(self.scenario.duration_ms)
    }

    /// Makes a change now, besides the steps of the scenario; it holds from the next request on.
    pub fn apply(&mut self, change: &Change) -> Result<(), ChangeError> {
        self.traffic.apply(change)
    }

    /// Labels left out because too many waited.
    pub fn n_labels_left_out(&self) -> u64 {
        self.n_left_out
    }

    /// Draws the next request's time unless it is known. A step that comes first is returned instead: what follows it is drawn anew at its rate,
    /// which an exponential distribution allows because it has no memory.
    fn draw_arrival(&mut self) -> Option<Happening> {
        if self.next_ms.is_none() {
            let per_ms = self.scenario.rate * self.traffic.rate_factor() / 1000.0;
            self.next_ms = Some(self.now_ms + self.arrivals.sample::<f64, _>(Exp1) / per_ms);
        }
        let next_ms = self.next_ms?;
        let step = self.scenario.steps.get(self.n_steps_done)?;
        if step.at_ms as f64 > next_ms || step.at_ms >= self.scenario.duration_ms {
            return None;
        }
        let at = self.start.plus(step.at_ms);
        if self.waiting.peek().is_some_and(|Reverse((label_at, ..))| *label_at < at) {
            return None;
        }
        self.n_steps_done += 1;
        self.now_ms = step.at_ms as f64;
        self.next_ms = None;
        let change = step.change.clone();
        self.traffic.apply(&change).expect("every step was checked when the schedule was made");
        Some(Happening { at, what: What::Change(change) })
    }

    fn pop_label(&mut self) -> Option<Happening> {
        self.waiting.pop().map(|Reverse((at, _, message))| Happening { at, what: What::Label(message) })
    }

    fn predict(&mut self, next_ms: f64, at: Timestamp) -> Happening {
        self.now_ms = next_ms;
        self.next_ms = None;
        let request = self.traffic.next_request(at);
        if let (Some(label_at), Some(line)) = (request.label_at, request.label_line()) {
            if self.waiting.len() < MAX_WAITING {
                self.waiting.push(Reverse((label_at, self.n_labels, Message { key: request.id.clone(), line })));
                self.n_labels += 1;
            } else {
                self.n_left_out += 1;
            }
        }
        let line = request.prediction_line();
        Happening { at, what: What::Prediction(Message { key: request.id, line }) }
    }
}

impl Iterator for Schedule {
    type Item = Happening;

    fn next(&mut self) -> Option<Happening> {
        if let Some(change) = self.draw_arrival() {
            return Some(change);
        }
        let next_ms = self.next_ms?;
        let at = self.start.plus(next_ms as i64);
        let ended = at >= self.end();
        let label_first = self.waiting.peek().is_some_and(|Reverse((label_at, ..))| ended || *label_at < at);
        if label_first || ended {
            return self.pop_label();
        }
        Some(self.predict(next_ms, at))
    }
}

#[cfg(test)]
mod tests;
