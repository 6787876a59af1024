//! The join in a snapshot: each chunk of predictions as two parts, because millions of them are remembered and few of them change between two snapshots.
//!
//! The first part has what was predicted: how many of the chunk's first predictions had been forgotten, then each other one as a byte that says what
//! follows, the key, then what there is of: model and route (where they are not those of the entry before), milliseconds since the entry before, answer,
//! score. Of a rare entry only its key stands there. The second part has what became known since: how many truths, each with the predictions between it
//! and the one before, its kind, itself, and milliseconds from prediction to truth; then the rare entries by their place. Whole numbers are of variable
//! length, 7 bits a byte.

use super::chunk::{CHUNK, Chunk};
use super::entry::{Entry, Outcome, Truth};
use super::label::WaitingLabel;
use super::predictions::Predictions;
use super::store::JoinStore;
use super::waiting::WaitingLabels;
use crate::engine::part::{PartError, PartId, PartSource, Parts};
use crate::engine::summary::Scores;
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

const KIND: u8 = 0b11;
const NOTHING: u8 = 0;
const CLASS: u8 = 1;
const NUMBER: u8 = 2;
const RARE: u8 = 3;
const SCORED: u8 = 0b100;
const SAME_ROUTE: u8 = 0b1_0000;

/// Least and most bytes of an entry in a part.
const LEAST: usize = 9;
const MOST: usize = 64;

/// Predictions that are remembered together when a part is read.
const TOGETHER: usize = 64;

/// What an entry is told relative to: the one before it in its part.
struct Before {
    at: Timestamp,
    model: u32,
    route: u32,
}

impl Before {
    fn none() -> Self {
        Self { at: Timestamp(0), model: 0, route: 0 }
    }
}

/// The join as it stands in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JoinRecord<'s> {
    seed: u64,
    n: u64,
    /// How many predictions of the first chunk are forgotten.
    forgotten: u32,
    /// Predictions and truths of each chunk.
    chunks: Vec<(PartId, PartId)>,
    labels: Vec<(u64, Cow<'s, WaitingLabel>)>,
}

impl JoinRecord<'_> {
    /// The join again.
    pub fn open(self, parts: &PartSource) -> Result<JoinStore, PartError> {
        // what is there decides, not what is said: a number alone must not take memory
        let mut most = 0;
        for &(predictions, _) in &self.chunks {
            most += parts.get(predictions)?.len() / LEAST;
        }
        let mut predictions = Predictions::with_capacity(most.min(self.n as usize));
        for (place, &(told, truths)) in self.chunks.iter().enumerate() {
            let forgotten = if place == 0 { self.forgotten as usize } else { 0 };
            read_chunk(parts.get(told)?, parts.get(truths)?, forgotten, &mut predictions).ok_or(PartError::Malformed(told))?;
            predictions.name_last_chunk(told, truths);
        }
        if predictions.len() as u64 != self.n {
            return Err(PartError::Malformed(self.chunks.last().map_or(PartId::of(&[]), |chunk| chunk.0)));
        }
        let mut labels = WaitingLabels::new();
        self.labels.into_iter().for_each(|(key, label)| labels.wait(key, label.into_owned()));
        Ok(JoinStore { seed: self.seed, predictions, labels })
    }
}

impl JoinStore {
    /// What stands of it in a snapshot. Chunks that have not changed since the last one are not looked at.
    pub fn record<'s>(&'s mut self, parts: &mut Parts<'_>) -> JoinRecord<'s> {
        let (n, forgotten) = (self.predictions.len() as u64, self.predictions.forgotten() as u32);
        let mut chunks = Vec::new();
        self.predictions.each_chunk(|chunk, from, model| {
            let named = chunk.parts();
            let mut name = |known: Option<PartId>, write: &dyn Fn() -> Vec<u8>| match known {
                Some(id) if parts.keep(id) => id,
                _ => parts.put(write()),
            };
            let told = name(named.0, &|| write_predictions(chunk, from, model));
            let truths = name(named.1, &|| write_truths(chunk, from, model));
            chunks.push((told, truths));
            (told, truths)
        });
        JoinRecord {
            seed: self.seed,
            n,
            forgotten,
            chunks,
            labels: self.labels.iter().map(|(key, label)| (key, Cow::Borrowed(label))).collect(),
        }
    }
}

/// What was predicted in a chunk, from the place `from` on.
fn write_predictions(chunk: &Chunk, from: usize, model: &dyn Fn(u32) -> u32) -> Vec<u8> {
    let mut out = Out::default();
    out.whole(from as u64);
    let mut bytes = Vec::with_capacity((chunk.len() - from) * 32);
    bytes.extend_from_slice(out.as_bytes());
    let mut before = Before::none();
    for at in from..chunk.len() {
        let key = chunk.slot(at).key;
        match chunk.rare(at) {
            None => put(&mut bytes, key, &chunk.entry(at, model), &mut before),
            Some(_) => {
                let mut out = Out::default();
                out.byte(RARE);
                out.raw(key);
                bytes.extend_from_slice(out.as_bytes());
            }
        }
    }
    bytes
}

/// What became known of a chunk's predictions from the place `from` on.
fn write_truths(chunk: &Chunk, from: usize, model: &dyn Fn(u32) -> u32) -> Vec<u8> {
    let (mut n, mut bytes, mut next, mut rare) = (0, Vec::new(), 0, Vec::new());
    for at in from..chunk.len() {
        if let Some(entry) = chunk.rare(at) {
            rare.push((at as u32, entry));
        } else if chunk.slot(at).is_true() {
            let entry = chunk.entry(at, model);
            let Some(truth) = &entry.truth else { continue };
            let mut out = Out::default();
            out.whole((at - next) as u64);
            match truth.outcome {
                Outcome::Number(number) => {
                    out.byte(NUMBER);
                    out.raw(number.to_bits());
                }
                Outcome::Class(class) => {
                    out.byte(CLASS);
                    out.whole(u64::from(class));
                }
                // these are rare
                Outcome::List(_) | Outcome::Judged(_) => continue,
            }
            out.difference(truth.at, entry.timestamp);
            bytes.extend_from_slice(out.as_bytes());
            (n, next) = (n + 1, at + 1);
        }
    }
    let mut head = Out::default();
    head.whole(n);
    let written = postcard::to_extend(&rare, [head.as_bytes(), &bytes].concat());
    debug_assert!(written.is_ok(), "plain data can be written");
    written.unwrap_or_default()
}

/// A truth as it was written: the place of its prediction, what it was, and how long after the prediction it became known.
type ReadTruth = (usize, Outcome, i64);

/// What became known of a chunk: truths and rare entries, each by their places.
struct ReadTruths {
    truths: Vec<ReadTruth>,
    rare: Vec<(u32, Entry)>,
}

/// Remembers the predictions of a chunk but for the `forgotten` first ones; `None` where it is not one.
fn read_chunk(told: &[u8], truths: &[u8], forgotten: usize, predictions: &mut Predictions) -> Option<()> {
    let ReadTruths { truths, rare } = read_truths(truths)?;
    let mut truths = truths.into_iter().peekable();
    let mut rare = rare.into_iter().peekable();
    let mut told = told;
    let mut at = usize::try_from(whole(&mut told)?).ok().filter(|&from| from <= forgotten && forgotten <= CHUNK)?;
    predictions.begin_forgotten(forgotten);
    let (mut before, mut entries) = (Before::none(), Vec::with_capacity(TOGETHER));
    while !told.is_empty() {
        let (key, entry) = take(&mut told, &mut before)?;
        while rare.next_if(|(place, _)| (*place as usize) < at).is_some() {}
        while truths.next_if(|(place, ..)| *place < at).is_some() {}
        if at >= forgotten {
            let entry = match entry {
                Some(mut entry) => {
                    if let Some((_, outcome, delay)) = truths.next_if(|(place, ..)| *place == at) {
                        entry.truth = Some(Truth { outcome, at: Timestamp(entry.timestamp.0.wrapping_add(delay)) });
                    }
                    entry
                }
                None => rare.next_if(|(place, _)| *place as usize == at)?.1,
            };
            entries.push((key, entry));
            if entries.len() == TOGETHER {
                predictions.remember_all(&mut entries);
            }
        }
        at += 1;
        if at > CHUNK {
            return None;
        }
    }
    predictions.remember_all(&mut entries);
    // what is left is of predictions that are forgotten, or of none
    let is_left_over = rare.all(|(place, _)| (place as usize) < at) && truths.all(|(place, ..)| place < at);
    is_left_over.then_some(())
}

fn read_truths(mut bytes: &[u8]) -> Option<ReadTruths> {
    let n = usize::try_from(whole(&mut bytes)?).ok().filter(|&n| n <= CHUNK)?;
    let (mut truths, mut next) = (Vec::with_capacity(n), 0usize);
    for _ in 0..n {
        let at = next.checked_add(usize::try_from(whole(&mut bytes)?).ok()?)?;
        let (&kind, rest) = bytes.split_first()?;
        bytes = rest;
        let outcome = match kind {
            CLASS => Outcome::Class(u16::try_from(whole(&mut bytes)?).ok()?),
            NUMBER => Outcome::Number(f64::from_bits(raw(&mut bytes)?)),
            _ => return None,
        };
        truths.push((at, outcome, span(&mut bytes)?));
        next = at.checked_add(1)?;
    }
    Some(ReadTruths { truths, rare: postcard::from_bytes(bytes).ok()? })
}

/// Writes an entry of the usual kind, but for its truth.
fn put(bytes: &mut Vec<u8>, key: u64, entry: &Entry, before: &mut Before) {
    let kind = match (&entry.predicted, &entry.scores) {
        (Some(Outcome::Class(_)), Scores::Positive(_)) => CLASS | SCORED,
        (Some(Outcome::Class(_)), _) => CLASS,
        (Some(Outcome::Number(_)), _) => NUMBER,
        _ => NOTHING,
    };
    let mut out = Out::default();
    let same_route = (entry.model, entry.route) == (before.model, before.route);
    out.byte(if same_route { kind | SAME_ROUTE } else { kind });
    out.raw(key);
    if !same_route {
        out.whole(u64::from(entry.model));
        out.whole(u64::from(entry.route));
    }
    out.difference(entry.timestamp, before.at);
    *before = Before { at: entry.timestamp, model: entry.model, route: entry.route };
    match entry.predicted {
        Some(Outcome::Class(class)) => out.whole(u64::from(class)),
        Some(Outcome::Number(number)) => out.raw(number.to_bits()),
        _ => {}
    }
    if let Scores::Positive(score) = entry.scores {
        out.raw(score.to_bits());
    }
    bytes.extend_from_slice(out.as_bytes());
}

/// Reads an entry: its key, and itself where it is no rare one; `None` where there is none.
fn take(bytes: &mut &[u8], before: &mut Before) -> Option<(u64, Option<Entry>)> {
    let (&head, rest) = bytes.split_first()?;
    *bytes = rest;
    let key = raw(bytes)?;
    if head & KIND == RARE {
        return (head == RARE).then_some((key, None));
    }
    if head & SAME_ROUTE == 0 {
        before.model = u32::try_from(whole(bytes)?).ok()?;
        before.route = u32::try_from(whole(bytes)?).ok()?;
    }
    let timestamp = Timestamp(before.at.0.wrapping_add(span(bytes)?));
    before.at = timestamp;
    let predicted = match head & KIND {
        CLASS => Some(Outcome::Class(u16::try_from(whole(bytes)?).ok()?)),
        NUMBER => Some(Outcome::Number(f64::from_bits(raw(bytes)?))),
        _ => None,
    };
    let scores = if head & SCORED == 0 { Scores::None } else { Scores::Positive(f64::from_bits(raw(bytes)?)) };
    Some((key, Some(Entry { model: before.model, route: before.route, timestamp, predicted, scores, truth: None })))
}

/// The bytes of one entry.
struct Out {
    bytes: [u8; MOST],
    n: usize,
}

impl Default for Out {
    fn default() -> Self {
        Self { bytes: [0; MOST], n: 0 }
    }
}

impl Out {
    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.n]
    }

    fn raw(&mut self, value: u64) {
        self.bytes[self.n..self.n + 8].copy_from_slice(&value.to_le_bytes());
        self.n += 8;
    }

    fn whole(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    /// A span of time, of either sign.
    fn difference(&mut self, later: Timestamp, earlier: Timestamp) {
        let span = later.0.wrapping_sub(earlier.0);
        self.whole(((span << 1) ^ (span >> 63)) as u64);
    }

    fn byte(&mut self, byte: u8) {
        self.bytes[self.n] = byte;
        self.n += 1;
    }
}

fn raw(bytes: &mut &[u8]) -> Option<u64> {
    let (value, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*value))
}

fn whole(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// A span of time, of either sign.
fn span(bytes: &mut &[u8]) -> Option<i64> {
    let folded = whole(bytes)?;
    Some((folded >> 1) as i64 ^ -((folded & 1) as i64))
}
