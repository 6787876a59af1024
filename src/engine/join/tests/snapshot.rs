//! The join in a snapshot: what was written comes back, only what changed is written again, and anything else is refused.

use super::entries::{entry, label};
use super::kept::Kept;
use crate::engine::join::*;
use crate::engine::part::{PartId, PartSource, Parts};
use crate::engine::summary::Scores;
use crate::event::Timestamp;
use proptest::prelude::*;
use std::sync::Arc;

fn text(store: &JoinStore) -> String {
    format!("{:?} {:?}", store.predictions.iter().collect::<Vec<_>>(), store.labels.iter().collect::<Vec<_>>())
}

/// Record and parts of a store.
fn written(store: &mut JoinStore) -> (Vec<u8>, Vec<(PartId, Vec<u8>)>) {
    let mut parts = Parts::new(&|_| false);
    let record = postcard::to_stdvec(&store.record(&mut parts)).unwrap();
    (record, parts.into_parts().into_iter().map(|part| (part.id, part.bytes.unwrap().to_vec())).collect())
}

fn read(record: &[u8], parts: Vec<(PartId, Vec<u8>)>) -> Option<JoinStore> {
    let source: PartSource = parts.into_iter().map(|(id, bytes)| (id, Arc::from(bytes))).collect();
    postcard::from_bytes::<JoinRecord<'_>>(record).ok()?.open(&source).ok()
}

proptest! {
    #[test]
    fn it_comes_back_as_it_was(
        entries in prop::collection::vec((any::<u64>(), entry()), 0..100),
        labels in prop::collection::vec((any::<u64>(), label()), 0..10),
        damage in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1u8..)),
    ) {
        let mut store = JoinStore::new(7);
        entries.into_iter().for_each(|(key, entry)| store.remember(key, entry));
        labels.into_iter().for_each(|(key, label)| store.wait(key, label));
        let (mut record, mut parts) = written(&mut store);
        let Some((which, at, xor)) = damage else {
            let mut again = read(&record, parts.clone()).unwrap();
            prop_assert_eq!(text(&again), text(&store));
            prop_assert_eq!(written(&mut again), (record, parts));
            return Ok(());
        };
        let which = which.index(parts.len() + 1);
        let bytes = if which == parts.len() { &mut record } else { &mut parts[which].1 };
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] ^= xor;
        }
        // whatever it is now, it is a store or an error, and a store that can be used
        if let Some(mut again) = read(&record, parts) {
            prop_assert_eq!(again.predictions.iter().count(), again.n_predictions());
            written(&mut again);
        }
    }

    #[test]
    fn no_bytes_break_it(record in prop::collection::vec(any::<u8>(), 0..200), part in prop::collection::vec(any::<u8>(), 0..400), n in 0u64..40, forgotten in 0u32..40) {
        if let Some(again) = read(&record, Vec::new()) {
            prop_assert_eq!(again.labels.iter().count(), again.n_labels());
        }
        let (told, truths) = part.split_at(part.len() / 2);
        let ids = [told, truths].map(PartId::of);
        let record = postcard::to_stdvec(&(7u64, n, forgotten, [(ids[0], ids[1])].as_slice(), &[] as &[u8])).unwrap();
        if let Some(again) = read(&record, vec![(ids[0], told.to_vec()), (ids[1], truths.to_vec())]) {
            prop_assert_eq!(again.predictions.iter().count() as u64, n);
        }
    }
}

fn plain_entry(i: u64) -> Entry {
    let predicted = Some(Outcome::Class((i % 3) as u16));
    Entry { model: 0, route: 0, timestamp: Timestamp(i as i64), predicted, scores: Scores::None, truth: None }
}

/// Of many chunks, those are written again that changed: where predictions came, and what became known of those that got a label.
#[test]
fn only_what_changed_is_written_again() {
    let (mut store, mut kept) = (JoinStore::new(7), Kept::default());
    let n = 5 * 16_384;
    let key = |i: u64| key_of(7, &i.to_string());
    (0..n).for_each(|i| store.remember(key(i), plain_entry(i)));
    kept.save(&mut store);
    // five chunks; nothing is known of any of them, which is one part
    assert_eq!(kept.n_new, 5 + 1);
    kept.save(&mut store);
    assert_eq!(kept.n_new, 0);
    let place = store.places(key(20_000))[0];
    store.set_truth(place, Truth { outcome: Outcome::Class(1), at: Timestamp(90_000) });
    kept.save(&mut store);
    assert_eq!(kept.n_new, 1, "the truths of one chunk");
    store.remember(key(n), plain_entry(n));
    let bounds = Bounds { predictions: n as usize - 20_000, labels: 0, bytes: usize::MAX };
    store.forget(Timestamp::MIN, &bounds);
    let record = kept.save(&mut store);
    assert_eq!(kept.n_new, 1, "a chunk that begins; what is forgotten is but a number");
    let mut again = kept.read(&record).unwrap();
    assert_eq!(text(&again), text(&store));
    kept.save(&mut again);
    assert_eq!(kept.n_new, 0, "what was read is known by its name");
    kept.lose();
    let record = kept.save(&mut store);
    assert_eq!(text(&kept.read(&record).unwrap()), text(&store));
}

/// A change of these bytes needs a new `FORMAT_VERSION` (`edge::state`).
#[test]
fn the_bytes_of_an_entry_stand() {
    let mut store = JoinStore::new(7);
    let truth = Some(Truth { outcome: Outcome::Class(0), at: Timestamp(1030) });
    let predicted = Some(Outcome::Class(1));
    let entry = Entry { model: 1, route: 2, timestamp: Timestamp(1000), predicted, scores: Scores::Positive(0.5), truth };
    store.remember(0x0102_0304_0506_0708, entry.clone());
    store.remember(
        9,
        Entry { timestamp: Timestamp(999), predicted: Some(Outcome::Number(2.0)), scores: Scores::None, truth: None, ..entry },
    );
    let half = 0.5f64.to_bits().to_le_bytes();
    let two = 2f64.to_bits().to_le_bytes();
    let told = [
        // none was forgotten; a class, scored; its key; model 1, route 2; 1000 ms after 0 (zigzag, 7 bits a byte); class 1; score
        [&[0, 0b101, 8, 7, 6, 5, 4, 3, 2, 1, 1, 2, 0xd0, 0x0f, 1][..], &half].concat(),
        // a number of the same route, 1 ms before
        [&[0b10010, 9, 0, 0, 0, 0, 0, 0, 0, 1][..], &two].concat(),
    ]
    .concat();
    // one truth: of the first prediction, a class, 0, known after 30 ms; no rare ones
    let truths = [1, 0, 1, 0, 60, 0];
    let (record, parts) = written(&mut store);
    let ids = [&told[..], &truths].map(PartId::of);
    assert_eq!(parts, [(ids[0], told), (ids[1], truths.to_vec())]);
    // seed, predictions, none of the first chunk forgotten, one chunk, no labels
    assert_eq!(record, postcard::to_stdvec(&(7u64, 2u64, 0u32, [(ids[0], ids[1])].as_slice(), &[] as &[u8])).unwrap());
}
