//! The join, the whole of a message, and the snapshot.

use crate::scattered;
use crate::traffic::{Body, Driver, Log, Traffic, Watched};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use driftd::engine::join::{Bounds, Entry, JoinStore};
use driftd::event::Timestamp;
use std::hint::black_box;

/// Changes of a store that is full.
const STEPS: usize = 10_000;

/// A new prediction is remembered and the oldest one forgotten, with so many in the store.
#[divan::bench(args = [10_000, 1_000_000], sample_count = 20)]
fn join_remember_and_forget(bencher: Bencher<'_, '_>, n: usize) {
    let mut store = JoinStore::new(1);
    let bounds = Bounds { predictions: n, labels: 0, bytes: usize::MAX };
    let mut ids = scattered(usize::MAX >> 8).enumerate();
    let mut remember = |store: &mut JoinStore| {
        if let Some((i, id)) = ids.next() {
            store.remember(black_box(id), entry(i));
        }
    };
    (0..n).for_each(|_| remember(&mut store));
    bencher.counter(ItemsCount::new(STEPS)).bench_local(|| {
        (0..STEPS).for_each(|_| remember(&mut store));
        store.forget(Timestamp::MIN, &bounds)
    });
}

fn entry(i: usize) -> Entry {
    Entry { model: 0, route: 0, timestamp: Timestamp(i as i64), predicted: None, scores: Default::default(), truth: None }
}

/// A log through the engine, with windows and labels.
fn fed(rows: usize) -> (Log, Watched) {
    let watched = Watched::new(Traffic::of(Body::Long), "");
    (Log::new(watched.traffic, rows, true, 1), watched)
}

fn feed(driver: &mut Driver, log: &Log) {
    log.iter().for_each(|(message, bytes)| driver.message(message, black_box(bytes)));
    black_box(driver.turn());
}

/// 20,000 predictions and their labels.
#[divan::bench(sample_count = 10)]
fn messages(bencher: Bencher<'_, '_>) {
    let (log, watched) = fed(20_000);
    let bencher = bencher.counter(ItemsCount::new(log.len()));
    bencher.with_inputs(|| watched.driver()).bench_local_refs(|driver| feed(driver, &log));
}

/// The bytes of a snapshot with 20,000 predictions in the join.
#[divan::bench]
fn snapshot(bencher: Bencher<'_, '_>) {
    let (log, watched) = fed(20_000);
    let mut driver = watched.driver();
    feed(&mut driver, &log);
    let bytes = driver.pipeline.snapshot(&|_| false).expect("the state can be encoded").bytes();
    bencher.counter(BytesCount::new(bytes)).bench_local(|| driver.pipeline.snapshot(&|_| false));
}
