//! The join in a snapshot: predictions in blocks of bytes, a chunk each, because millions of them are written at every checkpoint.
//!
//! An entry is a byte that says what follows, the key, then what there is of: model and route (where they are not those of the entry before),
//! milliseconds since the entry before, answer, truth, score, and milliseconds to the truth. Whole numbers are of variable length, 7 bits a byte. Of a
//! rare entry only the key is in its block, and the entry beside it.

use super::entry::{Entry, Outcome, Truth};
use super::label::WaitingLabel;
use super::predictions::Predictions;
use super::store::JoinStore;
use super::waiting::WaitingLabels;
use crate::engine::summary::Scores;
use crate::event::Timestamp;
use serde::de::Error as _;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

const KIND: u8 = 0b11;
const NOTHING: u8 = 0;
const CLASS: u8 = 1;
const NUMBER: u8 = 2;
const RARE: u8 = 3;
const SCORED: u8 = 0b100;
const TRUE: u8 = 0b1000;
const SAME_ROUTE: u8 = 0b1_0000;

/// Least and most bytes of an entry in a block.
const LEAST: usize = 9;
const MOST: usize = 64;

/// Entries of a block.
const BLOCK: usize = 1 << 14;

/// What an entry is told relative to: the one before it in its block.
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

/// The parts of the join as they stand in a snapshot.
#[derive(Deserialize)]
struct Read<'a> {
    seed: u64,
    n: u64,
    #[serde(borrow)]
    blocks: Vec<Block<'a>>,
    labels: Vec<(u64, WaitingLabel)>,
}

#[derive(Deserialize)]
struct Block<'a> {
    n: u32,
    #[serde(borrow)]
    bytes: Cow<'a, [u8]>,
    rare: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename = "JoinStore")]
struct Written<'a> {
    seed: u64,
    n: u64,
    blocks: Blocks<'a>,
    labels: Vec<(u64, &'a WaitingLabel)>,
}

struct Blocks<'a>(&'a Predictions);

#[derive(Serialize)]
struct WrittenBlock<'a> {
    n: u32,
    bytes: Bytes<'a>,
    rare: Vec<Cow<'a, Entry>>,
}

struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl Serialize for JoinStore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (n, blocks) = (self.predictions.len() as u64, Blocks(&self.predictions));
        Written { seed: self.seed, n, blocks, labels: self.labels.iter().collect() }.serialize(serializer)
    }
}

impl Serialize for Blocks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut blocks = serializer.serialize_seq(Some(self.0.len().div_ceil(BLOCK)))?;
        let mut entries = self.0.iter();
        let mut bytes = Vec::new();
        let mut left = self.0.len();
        while left > 0 {
            let n = left.min(BLOCK);
            bytes.clear();
            let (mut before, mut rare) = (Before::none(), Vec::new());
            for (key, entry) in entries.by_ref().take(n) {
                if !put(&mut bytes, key, &entry, &mut before) {
                    rare.push(entry);
                }
            }
            blocks.serialize_element(&WrittenBlock { n: n as u32, bytes: Bytes(&bytes), rare })?;
            left -= n;
        }
        blocks.end()
    }
}

impl<'de> Deserialize<'de> for JoinStore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Read::deserialize(deserializer)?;
        // what is there decides, not what is said: a number alone must not take memory
        let most: usize = read.blocks.iter().map(|block| block.bytes.len() / LEAST).sum();
        let mut predictions = Predictions::with_capacity(most.min(read.n as usize));
        for block in read.blocks {
            read_block(block, &mut predictions).ok_or_else(|| D::Error::custom("a block of predictions is not what was written"))?;
        }
        if predictions.len() as u64 != read.n {
            return Err(D::Error::custom("predictions are missing"));
        }
        let mut labels = WaitingLabels::new();
        read.labels.into_iter().for_each(|(key, label)| labels.wait(key, label));
        Ok(Self { seed: read.seed, predictions, labels })
    }
}

/// Remembers the predictions of a block; `None` where it is not one.
fn read_block(block: Block<'_>, predictions: &mut Predictions) -> Option<()> {
    let mut bytes: &[u8] = &block.bytes;
    let (mut before, mut rare) = (Before::none(), block.rare.into_iter());
    let mut entries = Vec::with_capacity(64);
    for _ in 0..block.n {
        let (key, entry) = take(&mut bytes, &mut before)?;
        let entry = match entry {
            Some(entry) => entry,
            None => rare.next()?,
        };
        entries.push((key, entry));
        if entries.len() == entries.capacity() {
            predictions.remember_all(&mut entries);
        }
    }
    predictions.remember_all(&mut entries);
    (bytes.is_empty() && rare.next().is_none()).then_some(())
}

/// Writes an entry, or only its key where it is a rare one; whether it was written.
fn put(bytes: &mut Vec<u8>, key: u64, entry: &Entry, before: &mut Before) -> bool {
    let truth = entry.truth.as_ref();
    let kind = match (&entry.predicted, &entry.scores, truth.map(|truth| &truth.outcome)) {
        (None, Scores::None, None) => NOTHING,
        (Some(Outcome::Class(_)), Scores::None, None | Some(Outcome::Class(_))) => CLASS,
        (Some(Outcome::Class(_)), Scores::Positive(_), None | Some(Outcome::Class(_))) => CLASS | SCORED,
        (Some(Outcome::Number(_)), Scores::None, None | Some(Outcome::Number(_))) => NUMBER,
        _ => RARE,
    };
    let mut out = Out { bytes: [kind; MOST], n: 1 };
    out.raw(key);
    if kind != RARE {
        if (entry.model, entry.route) == (before.model, before.route) {
            out.bytes[0] |= SAME_ROUTE;
        } else {
            out.whole(u64::from(entry.model));
            out.whole(u64::from(entry.route));
        }
        out.difference(entry.timestamp, before.at);
        *before = Before { at: entry.timestamp, model: entry.model, route: entry.route };
        for outcome in entry.predicted.iter().chain(truth.map(|truth| &truth.outcome)) {
            match outcome {
                Outcome::Class(class) => out.whole(u64::from(*class)),
                Outcome::Number(number) => out.raw(number.to_bits()),
                Outcome::List(_) | Outcome::Judged(_) => {}
            }
        }
        if let Scores::Positive(score) = entry.scores {
            out.raw(score.to_bits());
        }
        if let Some(truth) = truth {
            out.bytes[0] |= TRUE;
            out.difference(truth.at, entry.timestamp);
        }
    }
    bytes.extend_from_slice(&out.bytes[..out.n]);
    kind != RARE
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
    let timestamp = after(bytes, before.at)?;
    before.at = timestamp;
    let outcome = |bytes: &mut &[u8]| match head & KIND {
        CLASS => Some(Outcome::Class(u16::try_from(whole(bytes)?).ok()?)),
        _ => Some(Outcome::Number(f64::from_bits(raw(bytes)?))),
    };
    let predicted = if head & KIND == NOTHING { None } else { Some(outcome(bytes)?) };
    let truth = if head & TRUE == 0 { None } else { Some(outcome(bytes)?) };
    let scores = if head & SCORED == 0 { Scores::None } else { Scores::Positive(f64::from_bits(raw(bytes)?)) };
    let truth = match truth {
        Some(outcome) => Some(Truth { outcome, at: after(bytes, timestamp)? }),
        None => None,
    };
    Some((key, Some(Entry { model: before.model, route: before.route, timestamp, predicted, scores, truth })))
}

/// The bytes of one entry.
struct Out {
    bytes: [u8; MOST],
    n: usize,
}

impl Out {
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

fn after(bytes: &mut &[u8], earlier: Timestamp) -> Option<Timestamp> {
    let folded = whole(bytes)?;
    let span = (folded >> 1) as i64 ^ -((folded & 1) as i64);
    Some(Timestamp(earlier.0.wrapping_add(span)))
}
