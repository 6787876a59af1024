//! Random histories: the store and the plain one say the same at every step.

use super::entries::{entry, label, truth};
use super::kept::Kept;
use super::plain::PlainStore;
use crate::engine::join::*;
use crate::event::Timestamp;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Predict(u64, Entry),
    /// A label that joins the nth prediction under its id, or waits.
    Label(u64, WaitingLabel, usize, Truth),
    TakeWaiting(u64),
    Forget(i64, Bounds),
    Save,
    SaveFails,
    Restart,
}

/// Few ids, so that they meet; some differ in bits that the index does not look at.
fn key() -> impl Strategy<Value = u64> {
    prop_oneof![6 => (0u64..12).prop_map(|k| k << 40), 2 => 0u64..6, 1 => any::<u64>()]
}

fn step() -> impl Strategy<Value = Step> {
    let most = prop_oneof![3 => Just(usize::MAX), 1 => 0usize..40];
    let bytes = prop_oneof![3 => Just(usize::MAX), 1 => 0usize..8000];
    let bounds = (most.clone(), most, bytes).prop_map(|(predictions, labels, bytes)| Bounds { predictions, labels, bytes });
    prop_oneof![
        8 => (key(), entry()).prop_map(|(key, entry)| Step::Predict(key, entry)),
        6 => (key(), label(), 0usize..2, truth()).prop_map(|(key, label, nth, truth)| Step::Label(key, label, nth, truth)),
        2 => key().prop_map(Step::TakeWaiting),
        2 => (prop_oneof![4 => Just(i64::MIN), 2 => -10i64..120], bounds).prop_map(|(horizon, bounds)| Step::Forget(horizon, bounds)),
        1 => Just(Step::Save),
        1 => Just(Step::SaveFails),
        1 => Just(Step::Restart),
    ]
}

fn entries_under(store: &JoinStore, key: u64) -> Vec<Entry> {
    store.places(key).into_iter().map(|place| store.entry(place).into_owned()).collect()
}

/// NaN is a number like any other here.
fn text(what: &impl std::fmt::Debug) -> String {
    format!("{what:?}")
}

/// What a store would take that remembers what the plain one does, and nothing else.
fn bytes_of(plain: &PlainStore) -> usize {
    let (predictions, labels) = plain.all();
    let mut store = JoinStore::new(0);
    predictions.into_iter().for_each(|(key, entry)| store.remember(key, entry));
    labels.into_iter().for_each(|(key, label)| store.wait(key, label));
    store.bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn it_says_what_the_plain_store_says_at_every_step(steps in prop::collection::vec(step(), 0..300)) {
        let (mut store, mut plain, mut kept) = (JoinStore::new(7), PlainStore::default(), Kept::default());
        for step in steps {
            match step {
                Step::Predict(key, mut entry) => {
                    // as a shard has it: a route is of one model
                    entry.route = 10 * entry.route + entry.model;
                    prop_assert_eq!(store.known(key, entry.model), plain.known(key, entry.model));
                    if store.known(key, entry.model) == Known::New {
                        store.remember(key, entry.clone());
                        plain.remember(key, entry);
                    }
                    prop_assert_eq!(text(&entries_under(&store, key)), text(&plain.under(key)));
                }
                Step::Label(key, label, nth, truth) => match store.places(key).get(nth) {
                    Some(&place) => {
                        store.set_truth(place, truth.clone());
                        plain.set_truth(key, nth, truth);
                        prop_assert_eq!(text(&entries_under(&store, key)), text(&plain.under(key)));
                    }
                    None => {
                        store.wait(key, label.clone());
                        plain.wait(key, label);
                        prop_assert_eq!(store.waiting(key).cloned().collect::<Vec<_>>(), plain.waiting(key));
                    }
                },
                Step::TakeWaiting(key) => prop_assert_eq!(store.take_waiting(key), plain.take_waiting(key)),
                Step::Forget(horizon, bounds) => {
                    let want = plain.forget(Timestamp(horizon), &bounds, bytes_of);
                    prop_assert_eq!(store.forget(Timestamp(horizon), &bounds), want);
                }
                Step::Save => drop(kept.save(&mut store)),
                Step::SaveFails => kept.lose(),
                Step::Restart => {
                    let bytes = store.bytes();
                    store = kept.restart(&mut store);
                    prop_assert_eq!(store.bytes(), bytes);
                }
            }
            prop_assert_eq!((store.n_predictions(), store.n_labels()), (plain.n_predictions(), plain.n_labels()));
        }
        let (predictions, labels) = plain.all();
        let mut rebuilt = JoinStore::new(7);
        predictions.iter().for_each(|(key, entry)| rebuilt.remember(*key, entry.clone()));
        labels.iter().for_each(|(key, label)| rebuilt.wait(*key, label.clone()));
        prop_assert_eq!(text(&store.predictions.iter().collect::<Vec<_>>()), text(&rebuilt.predictions.iter().collect::<Vec<_>>()));
        prop_assert_eq!(text(&store.labels.iter().collect::<Vec<_>>()), text(&rebuilt.labels.iter().collect::<Vec<_>>()));
        prop_assert_eq!(store.bytes(), rebuilt.bytes());
        store.forget(Timestamp::MAX, &Bounds { predictions: 0, labels: 0, bytes: 0 });
        prop_assert_eq!((store.n_predictions(), store.n_labels(), store.bytes()), (0, 0, 0));
    }
}

/// Over many chunks, with places that begin again at 0: the front goes, the back comes, and every id is found.
#[test]
fn chunks_come_and_go() {
    let entry = |i: u64| Entry {
        model: 0,
        route: 0,
        timestamp: Timestamp(i as i64),
        predicted: Some(Outcome::Class((i % 3) as u16)),
        scores: crate::engine::summary::Scores::None,
        truth: None,
    };
    let key = |i: u64| key_of(7, &i.to_string());
    let (mut store, live) = (JoinStore::new(7), 40_000u64);
    store.predictions.begin_at(u32::MAX - 50_000 - u32::MAX % 16_384);
    let bounds = Bounds { predictions: live as usize, labels: 0, bytes: usize::MAX };
    for i in 0..200_000u64 {
        store.remember(key(i), entry(i));
        if i % 1000 == 999 {
            store.forget(Timestamp::MIN, &bounds);
            let (oldest, gone) = ((i + 1).saturating_sub(live), (i + 1).checked_sub(live + 1));
            assert!([oldest, (oldest + i) / 2, i].iter().all(|&i| entries_under(&store, key(i)) == [entry(i)]), "{i}");
            assert!(gone.is_none_or(|i| store.places(key(i)).is_empty()), "{i}");
        }
    }
    assert_eq!(store.n_predictions() as u64, live);
    assert!(store.bytes() == live as usize * 64 && store.allocated() < store.bytes() + (4 << 20), "{}", store.allocated());
}

#[test]
fn one_id_may_be_answered_by_two_models_but_not_twice_by_one() {
    let mut store = JoinStore::new(7);
    let entry = |model, at| Entry {
        model,
        route: model,
        timestamp: Timestamp(at),
        predicted: Some(Outcome::Class(1)),
        scores: crate::engine::summary::Scores::None,
        truth: None,
    };
    let key = store.key("a");
    assert_eq!(store.known(key, 0), Known::New);
    store.remember(key, entry(0, 5));
    assert_eq!(store.known(key, 0), Known::Duplicate);
    assert_eq!(store.known(key, 1), Known::New);
    store.remember(key, entry(1, 6));
    assert_eq!(store.places(key).len(), 2);
}

#[test]
fn both_stores_are_bounded_and_say_what_they_dropped() {
    let mut store = JoinStore::new(7);
    let fill = |store: &mut JoinStore| {
        for i in 0..10 {
            let (predicted, scores) = (Some(Outcome::Class(1)), crate::engine::summary::Scores::None);
            store.remember(i, Entry { model: 0, route: 0, timestamp: Timestamp(i as i64), predicted, scores, truth: None });
            let position = crate::event::Position {
                partition: crate::event::PartitionId { topic: crate::event::TopicId(1), partition: 0 },
                offset: i as i64,
            };
            let label = WaitingLabel { label: "1".into(), items: None, timestamp: Timestamp(i as i64), model: None, position };
            store.wait(100 + i, label);
        }
    };
    fill(&mut store);
    let bounds = Bounds { predictions: 5, labels: 5, bytes: usize::MAX };
    let five = |by_number, by_bytes| Pushed { by_number, by_bytes };
    let want = Forgotten { predictions: five(3, 0), labels_expired: 2, labels: five(3, 0) };
    assert_eq!(store.forget(Timestamp(2), &bounds), want, "two of each too old, three pushed out");
    assert_eq!((store.n_predictions(), store.n_labels()), (5, 5));
    assert_eq!(store.take_waiting(109).len(), 1);
    assert_eq!(store.forget(Timestamp(100), &bounds).labels_expired, 4);
    assert_eq!((store.n_predictions(), store.n_labels()), (0, 0));

    fill(&mut store);
    // of each the same number, because the older of the two goes
    let bytes = store.bytes();
    let want = Forgotten { predictions: five(0, 2), labels_expired: 0, labels: five(0, 2) };
    assert_eq!(store.forget(Timestamp::MIN, &Bounds { predictions: 99, labels: 99, bytes: bytes / 10 * 8 }), want);
    assert!(store.bytes() == bytes / 10 * 8 && store.places(1).is_empty() && store.places(2).len() == 1);
}
