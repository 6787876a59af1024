//! Entries and labels of every kind.

use crate::engine::join::*;
use crate::engine::summary::{FoundValues, ListValues, Scores};
use crate::event::{PartitionId, Position, Timestamp, TopicId};
use proptest::prelude::*;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -1e3..1e3f64, 1 => Just(-0.0), 1 => Just(f64::MAX), 1 => Just(f64::NAN), 1 => any::<f64>()]
}

pub(crate) fn outcome() -> impl Strategy<Value = Outcome> {
    let judged = |label, ndcg| {
        let values = ListValues { precision: 0.5, reciprocal_rank: 1.0, of_relevant: Some(FoundValues { ndcg, recall: 0.25 }) };
        Outcome::Judged(Box::new(JudgedList { label, values }))
    };
    prop_oneof![
        4 => (0u16..3).prop_map(Outcome::Class),
        1 => any::<u16>().prop_map(Outcome::Class),
        4 => number().prop_map(Outcome::Number),
        1 => prop::collection::vec(any::<u64>(), 0..5).prop_map(|items| Outcome::List(Box::new(RankedList(items.into())))),
        1 => (any::<u64>(), 0.0..1.0f64).prop_map(move |(label, ndcg)| judged(label, ndcg)),
    ]
}

fn scores() -> impl Strategy<Value = Scores> {
    prop_oneof![
        2 => Just(Scores::None),
        2 => number().prop_map(Scores::Positive),
        1 => prop::collection::vec(0.0..1.0f64, 0..4).prop_map(|scores| Scores::Classes(scores.into())),
    ]
}

fn timestamp() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -5i64..100, 2 => 1_700_000_000_000i64..1_800_000_000_000, 1 => any::<i64>()]
}

pub(crate) fn truth() -> impl Strategy<Value = Truth> {
    (outcome(), timestamp()).prop_map(|(outcome, at)| Truth { outcome, at: Timestamp(at) })
}

/// Any entry at all; most are as they usually are.
pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    let usual = (0u32..3, timestamp(), 0u16..2, number(), prop::option::of(0u16..2)).prop_map(|(model, at, class, score, truth)| Entry {
        model,
        route: model + 10,
        timestamp: Timestamp(at),
        predicted: Some(Outcome::Class(class)),
        scores: Scores::Positive(score),
        truth: truth.map(|class| Truth { outcome: Outcome::Class(class), at: Timestamp(at.saturating_add(7)) }),
    });
    let odd = (0u32..3, 0u32..3, timestamp(), prop::option::of(outcome()), scores(), prop::option::of(truth())).prop_map(
        |(model, route, at, predicted, scores, truth)| Entry { model, route, timestamp: Timestamp(at), predicted, scores, truth },
    );
    prop_oneof![usual, odd]
}

pub(crate) fn label() -> impl Strategy<Value = WaitingLabel> {
    let items = prop::option::of(prop::collection::vec((any::<u64>(), 0.0..2.0f64), 0..3));
    (prop_oneof![Just(""), Just("0"), Just("1")], items, timestamp(), prop::option::of("[ab]"), 0i64..9).prop_map(
        |(label, items, at, model, offset)| WaitingLabel {
            label: label.into(),
            items: items.map(Into::into),
            timestamp: Timestamp(at),
            model: model.map(Into::into),
            position: Position { partition: PartitionId { topic: TopicId(1), partition: 0 }, offset },
        },
    )
}
