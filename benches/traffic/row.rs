//! Rows: what a model saw, said, and what was true.

use super::{BEGIN_MS, BLOCK, Traffic};
use driftd::event::{Scalar, Timestamp};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::io::Write as _;

/// Values of the categorical features.
const CATEGORIES: [u32; 5] = [2, 5, 20, 100, 1000];
/// Share of the positive class.
const POSITIVE: f64 = 0.4;
/// Share of wrong answers.
const ERRORS: f64 = 0.03;

/// A value of a feature.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    /// An amount of money.
    Cents(i64),
    /// A count: few values, many ties.
    Integer(i64),
    /// A number of full precision.
    Double(f64),
    /// A category by its number.
    Category(u32),
}

impl Value {
    /// The value as the decoder gives it.
    pub(crate) fn scalar(self) -> Scalar<'static> {
        match self {
            Self::Cents(cents) => Scalar::Number(cents as f64 / 100.0),
            Self::Integer(number) => Scalar::Number(number as f64),
            Self::Double(number) => Scalar::Number(number),
            Self::Category(number) => Scalar::Text(format!("c{number}").into()),
        }
    }

    /// The value as JSON.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let written = match self {
            Self::Cents(cents) => write!(out, "{}.{:02}", cents / 100, cents % 100),
            Self::Integer(number) => write!(out, "{number}"),
            Self::Double(number) => write!(out, "{number:?}"),
            Self::Category(number) => write!(out, "\"c{number}\""),
        };
        written.expect("writing to a Vec does not fail");
    }
}

/// One request and its truth.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its number.
    pub(crate) n: usize,
    /// 128 bits, written as 36 characters.
    pub(crate) id: u128,
    pub(crate) model: usize,
    pub(crate) at: Timestamp,
    pub(crate) values: Vec<Value>,
    pub(crate) prediction: bool,
    pub(crate) score: f64,
    pub(crate) latency_ms: f64,
    pub(crate) label: bool,
}

/// An endless stream of rows.
#[derive(Debug)]
pub(crate) struct Rows {
    traffic: Traffic,
    rng: ChaCha8Rng,
    n: usize,
}

impl Rows {
    pub(crate) fn new(traffic: Traffic, seed: u64) -> Self {
        Self { traffic, rng: ChaCha8Rng::seed_from_u64(seed), n: 0 }
    }

    /// Replaces `row` by the next one; its memory is used again.
    pub(crate) fn next_into(&mut self, row: &mut Row) {
        let Self { traffic, rng, n } = self;
        row.n = *n;
        row.id = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
        row.model = *n % traffic.models;
        row.at = Timestamp(BEGIN_MS + (*n as f64 * 1000.0 / traffic.rate) as i64);
        row.values.clear();
        row.values.extend((0..traffic.features).map(|place| value(place, rng)));
        row.label = rng.random::<f64>() < POSITIVE;
        row.prediction = row.label ^ (rng.random::<f64>() < ERRORS);
        let certainty = 0.5 * rng.random::<f64>();
        row.score = ((0.5 + if row.prediction { certainty } else { -certainty }) * 1e4).round() / 1e4;
        row.latency_ms = (10.0 * (2.0 + 0.5 * normal(rng)).exp()).round() / 10.0;
        *n += 1;
    }
}

impl Default for Row {
    fn default() -> Self {
        Self {
            n: 0,
            id: 0,
            model: 0,
            at: Timestamp(BEGIN_MS),
            values: Vec::new(),
            prediction: false,
            score: 0.0,
            latency_ms: 0.0,
            label: false,
        }
    }
}

impl Iterator for Rows {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let mut row = Row::default();
        self.next_into(&mut row);
        Some(row)
    }
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

fn value(place: usize, rng: &mut ChaCha8Rng) -> Value {
    match place % BLOCK {
        0..6 => Value::Cents((100.0 * (4.0 + normal(rng)).exp()) as i64),
        kind @ 6..12 => Value::Integer((8.0 * kind as f64 + 12.0 * normal(rng)).abs() as i64),
        kind @ 12..20 => Value::Double(normal(rng) * (kind - 11) as f64),
        kind => {
            // the first values are the most frequent ones
            let u: f64 = rng.random();
            Value::Category((u * u * f64::from(CATEGORIES[kind - 20])) as u32)
        }
    }
}
