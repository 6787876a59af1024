//! The bytes of a snapshot: what was written comes back, and anything else is refused.

use super::entries::{entry, label};
use crate::engine::join::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn it_comes_back_as_it_was(
        entries in prop::collection::vec((any::<u64>(), entry()), 0..100),
        labels in prop::collection::vec((any::<u64>(), label()), 0..10),
        damage in prop::option::of((any::<prop::sample::Index>(), 1u8..)),
    ) {
        let mut store = JoinStore::new(7);
        entries.into_iter().for_each(|(key, entry)| store.remember(key, entry));
        labels.into_iter().for_each(|(key, label)| store.wait(key, label));
        let mut bytes = postcard::to_stdvec(&store).unwrap();
        if let Some((at, xor)) = damage {
            let at = at.index(bytes.len());
            bytes[at] ^= xor;
            // whatever it is now, it is a store or an error, and a store that can be used
            if let Ok(read) = postcard::from_bytes::<JoinStore>(&bytes) {
                prop_assert_eq!(read.predictions.iter().count(), read.n_predictions());
            }
        } else {
            let read: JoinStore = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!(format!("{:?}", read.predictions.iter().collect::<Vec<_>>()), format!("{:?}", store.predictions.iter().collect::<Vec<_>>()));
            prop_assert_eq!(postcard::to_stdvec(&read).unwrap(), bytes);
        }
    }

    #[test]
    fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(read) = postcard::from_bytes::<JoinStore>(&bytes) {
            prop_assert_eq!(read.labels.iter().count(), read.n_labels());
        }
    }
}

/// A change of these bytes needs a new `FORMAT_VERSION` (`edge::state`).
#[test]
fn the_bytes_of_an_entry_stand() {
    use crate::engine::summary::Scores;
    use crate::event::Timestamp;
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
    let block = [
        // a class, scored, true; its key; model 1, route 2; 1000 ms after 0 (zigzag, 7 bits a byte); class 1, truly 0; score; known after 30 ms
        [&[0b01101, 8, 7, 6, 5, 4, 3, 2, 1, 1, 2, 0xd0, 0x0f, 1, 0][..], &half, &[60]].concat(),
        // a number of the same route, 1 ms before
        [&[0b10010, 9, 0, 0, 0, 0, 0, 0, 0, 1][..], &two].concat(),
    ]
    .concat();
    // seed, predictions, one block of two, its bytes, no rare ones, no labels
    let want = [&[7, 2, 1, 2, block.len() as u8][..], &block, &[0, 0]].concat();
    assert_eq!(postcard::to_stdvec(&store).unwrap(), want);
}
