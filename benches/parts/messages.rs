//! Bytes → events.

use crate::traffic::{Body, Log, Traffic};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use driftd::edge::decode::json::{Decoder, decode};
use driftd::edge::decode::{DecodeSettings, TopicRole};
use std::hint::black_box;

const ROWS: usize = 1000;

fn log(body: Body) -> Log {
    Log::new(Traffic::of(body), ROWS, false, 1)
}

/// All messages of a log, one after the other.
fn all(bencher: Bencher<'_, '_>, body: Body, mut read: impl FnMut(&[u8]) + Send + Sync) {
    let log = log(body);
    let bytes: usize = log.iter().map(|(_, bytes)| bytes.len()).sum();
    let bencher = bencher.counter(ItemsCount::new(ROWS)).counter(BytesCount::new(bytes));
    bencher.bench_local(|| log.iter().for_each(|(_, bytes)| read(black_box(bytes))));
}

/// The decoder of the daemon.
#[divan::bench(args = [Body::Short, Body::Long])]
fn decode_fast(bencher: Bencher<'_, '_>, body: Body) {
    let (mut decoder, settings) = (Decoder::default(), DecodeSettings::default());
    all(bencher, body, |bytes| {
        decoder.decode(Some(bytes), TopicRole::Predictions, &settings, &mut |event| drop(black_box(event)));
    });
}

/// The decoder that decides where the fast one leaves a message alone.
#[divan::bench(args = [Body::Short, Body::Long])]
fn decode_reference(bencher: Bencher<'_, '_>, body: Body) {
    let settings = DecodeSettings::default();
    all(bencher, body, |bytes| decode(Some(bytes), TopicRole::Predictions, &settings, &mut |event| drop(black_box(event))));
}
