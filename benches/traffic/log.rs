//! Rows as messages: predictions, and a minute of event time later their labels.

use super::{LABEL_DELAY_MS, Row, Rows, Traffic, model};
use driftd::edge::decode::TopicRole;
use driftd::event::Timestamp;
use std::collections::VecDeque;
use std::io::Write as _;

const WRITES: &str = "writing to a Vec does not fail";

/// What a message is, beside its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message {
    pub(crate) role: TopicRole,
    /// Event time.
    pub(crate) at: Timestamp,
    /// The number of its row.
    pub(crate) row: usize,
}

/// A label that is to come.
#[derive(Debug)]
struct Due {
    at: Timestamp,
    row: usize,
    id: u128,
    model: usize,
    label: bool,
}

/// Writes messages one by one.
#[derive(Debug)]
pub(crate) struct Messages {
    rows: Rows,
    left: usize,
    names: Vec<String>,
    row: Row,
    with_labels: bool,
    /// Labels to come.
    labels: VecDeque<Due>,
    /// Whether `row` still waits to be written.
    drawn: bool,
}

impl Messages {
    /// The messages of so many rows.
    pub(crate) fn new(traffic: Traffic, n_rows: usize, with_labels: bool, seed: u64) -> Self {
        let names = (0..traffic.features).map(|place| traffic.body.feature(place)).collect();
        Self {
            rows: Rows::new(traffic, seed),
            left: n_rows,
            names,
            row: Row::default(),
            with_labels,
            labels: VecDeque::new(),
            drawn: false,
        }
    }

    /// Appends the next message; `None` after the last one.
    pub(crate) fn next_into(&mut self, out: &mut Vec<u8>) -> Option<Message> {
        if !self.drawn && self.left > 0 {
            self.rows.next_into(&mut self.row);
            (self.left, self.drawn) = (self.left - 1, true);
        }
        if let Some(due) = self.labels.pop_front_if(|due| !self.drawn || due.at < self.row.at) {
            label_message(out, &due);
            return Some(Message { role: TopicRole::Labels, at: due.at, row: due.row });
        }
        if !self.drawn {
            return None;
        }
        self.drawn = false;
        let row = &self.row;
        if self.with_labels {
            let Row { n, id, model, label, .. } = *row;
            self.labels.push_back(Due { at: row.at.plus(LABEL_DELAY_MS), row: n, id, model, label });
        }
        prediction_message(out, row, &self.names);
        Some(Message { role: TopicRole::Predictions, at: row.at, row: row.n })
    }
}

/// Messages back to back in memory.
#[derive(Debug, Default)]
pub(crate) struct Log {
    bytes: Vec<u8>,
    entries: Vec<(usize, Message)>,
    /// Predictions among them.
    pub(crate) rows: usize,
}

impl Log {
    pub(crate) fn new(traffic: Traffic, n_rows: usize, with_labels: bool, seed: u64) -> Self {
        let mut log = Self { rows: n_rows, ..Self::default() };
        let mut messages = Messages::new(traffic, n_rows, with_labels, seed);
        while let Some(message) = messages.next_into(&mut log.bytes) {
            log.entries.push((log.bytes.len(), message));
        }
        log
    }

    /// All of them.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Mean length in bytes.
    pub(crate) fn mean_bytes(&self) -> f64 {
        self.bytes.len() as f64 / self.entries.len() as f64
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Message, &[u8])> {
        let mut begin = 0;
        self.entries.iter().map(move |&(end, message)| {
            let bytes = &self.bytes[begin..end];
            begin = end;
            (message, bytes)
        })
    }
}

fn id(out: &mut Vec<u8>, id: u128) {
    let (a, b, c, d, e) = (id >> 96, id >> 80 & 0xffff, id >> 64 & 0xffff, id >> 48 & 0xffff, id & 0xffff_ffff_ffff);
    write!(out, "{{\"prediction_id\":\"{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}\"").expect(WRITES);
}

fn prediction_message(out: &mut Vec<u8>, row: &Row, names: &[String]) {
    id(out, row.id);
    write!(out, ",\"model\":\"{}\",\"version\":\"2026.1\",\"timestamp\":\"{}\",\"features\":", model(row.model), row.at).expect(WRITES);
    let mut before = b'{';
    for (name, value) in names.iter().zip(&row.values) {
        out.push(before);
        write!(out, "\"{name}\":").expect(WRITES);
        value.write(out);
        before = b',';
    }
    let Row { prediction, score, latency_ms, .. } = row;
    let prediction = u8::from(*prediction);
    write!(out, "}},\"prediction\":{prediction},\"score\":{score},\"latency_ms\":{latency_ms},\"status\":\"ok\"}}").expect(WRITES);
}

fn label_message(out: &mut Vec<u8>, due: &Due) {
    id(out, due.id);
    let (label, at, model) = (u8::from(due.label), due.at, model(due.model));
    write!(out, ",\"label\":{label},\"timestamp\":\"{at}\",\"model\":\"{model}\"}}").expect(WRITES);
}
