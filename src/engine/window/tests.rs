//! Packed panes against open ones: packing, adding up, taking out again, counting on, and writing down.

use super::*;
use crate::engine::catalogue::{Metric, Signal};
use crate::engine::part::{PartSource, Parts};
use crate::engine::summary::{ColumnCounts, Confusion, MomentSums, NumberSums, RankingSums, RegressionSums, Scores, VectorSums};
use crate::event::{InvalidReason, PartitionId, Position, Timestamp, TopicId};
use proptest::prelude::*;

/// What a request or a label of the suite is made of.
pub(crate) type Seed = (u16, u32);

/// Numbers from which panes are made.
pub(crate) fn seeds() -> impl Strategy<Value = Vec<Seed>> {
    prop::collection::vec((any::<u16>(), any::<u32>()), 0..12)
}

fn position((a, b): Seed) -> Position {
    Position { partition: PartitionId { topic: TopicId(a % 2), partition: i32::from(a % 3) }, offset: i64::from(b) }
}

/// A pane of requests that has everything that a pane can have; without a seed, as without a reference, no columns.
pub(crate) fn input_pane(seeds: &[Seed]) -> InputPane {
    let column = || ColumnCounts { sums: Some(NumberSums::new(1.0)), ..ColumnCounts::new(9) };
    let mut pane = InputPane::default();
    if !seeds.is_empty() {
        pane.inputs = vec![column(), ColumnCounts::new(300), column()];
        pane.score = Some(column());
    }
    for &seed in seeds {
        let (a, b) = seed;
        pane.requests += 1;
        pane.errors += u64::from(a % 5 == 0);
        pane.latency.add(f64::from(b % 1000));
        pane.latency_missing += u64::from(a % 4 == 1);
        pane.inputs[0].add_number(usize::from(a % 9), f64::from(b) / 3.0, f64::from(a % 3) - 1.0);
        pane.inputs[1].add(usize::from(a % 300));
        pane.inputs[2].add_invalid(InvalidReason::ALL[usize::from(a % 4)]);
        pane.score.as_mut().unwrap().missing += 1;
        if a % 2 == 0 {
            pane.prediction.get_or_insert_with(|| ColumnCounts::new(2)).add(usize::from(a % 4 / 2));
        }
        pane.add_score(usize::from(a % 2), (b % 2000) as u16, b % 3 == 0);
        pane.unknown_features += u64::from(a % 7);
        if a % 6 == 0 {
            pane.new_features.add(&format!("f{}", b % 90));
        }
        pane.duplicates += u64::from(b % 2);
        pane.skew_seconds.add(f64::from(a % 50));
        pane.vectors.resize_with(2, VectorSums::default);
        pane.vectors[usize::from(a % 2)].add(&[a.into(), -7, (b % 1000) as i32]);
        pane.moments.get_or_insert_with(|| MomentSums::new(2)).add(&[i32::from(a % 100), -(i32::from(a % 30))]);
        pane.positions.add(position(seed));
        pane.extend_span(Timestamp(b.into()));
        let found = pane.detections.entry((Signal::Latency, Metric::Adwin)).or_default();
        (found.seen, found.found) = (found.seen + 1, found.found + u64::from(a % 9 == 0));
    }
    pane
}

/// A pane of outcomes of the given kind that has everything that one can have.
pub(crate) fn outcome_pane(kind: u8, seeds: &[Seed]) -> OutcomePane {
    let quality = match kind % 3 {
        0 => Quality::Classes(Confusion::default()),
        1 => Quality::Numbers(RegressionSums::new(5.5, 2.0)),
        _ => Quality::Lists(RankingSums::default()),
    };
    let mut pane = OutcomePane::new(quality, Some(ColumnCounts::new(3)));
    for &seed in seeds {
        let (a, b) = seed;
        pane.expected += 2;
        pane.labelled += 1;
        pane.revised += u64::from(a % 3 == 0);
        pane.labels.as_mut().unwrap().add(usize::from(a % 3));
        let share = |n: u32| f64::from(n % 1001) / 1000.0;
        match &mut pane.quality {
            Quality::Classes(confusion) => confusion.add(a % 3, (b % 3) as u16),
            Quality::Numbers(sums) => sums.add(f64::from(a), f64::from(b) / 7.0),
            Quality::Lists(sums) => {
                let values = crate::engine::summary::ListValues { precision: share(b), reciprocal_rank: share(b / 7), of_relevant: None };
                sums.tally(&values, true);
            }
        }
        pane.scores.tally(&Scores::Positive(share(b)), usize::from(a % 2), Some(1), true);
        if kind % 3 == 1 {
            let column = || ColumnCounts { sums: Some(NumberSums::new(1.0)), ..ColumnCounts::new(40) };
            pane.residuals.get_or_insert_with(column).add_number(usize::from(a % 40), f64::from(b), 0.0);
        }
        pane.delay_seconds.add(f64::from(b % 100_000));
        pane.last_label = pane.last_label.max(Some(Timestamp(b.into())));
        pane.prediction_positions.add(position(seed));
        pane.label_positions.add(position((a, b / 2)));
    }
    pane
}

/// A sum as [`InputSum`] has it: without what no part can be taken out of, and without traces of nothing.
pub(crate) fn as_a_sum(mut pane: InputPane) -> InputPane {
    (pane.positions, pane.span, pane.new_features) = Default::default();
    while pane.scores.last().is_some_and(|table| table.iter().next().is_none()) {
        pane.scores.pop();
    }
    pane.vectors.truncate(pane.vectors.iter().rposition(|sums| sums.n() > 0).map_or(0, |last| last + 1));
    pane.moments = pane.moments.filter(|moments| moments.n() > 0);
    pane.detections.retain(|_, found| found.seen > 0);
    (pane.prediction, pane.score) = (pane.prediction.filter(|c| c.total() > 0), pane.score.filter(|c| c.total() > 0));
    pane
}

fn outcomes_as_a_sum(mut pane: OutcomePane) -> OutcomePane {
    (pane.last_label, pane.prediction_positions, pane.label_positions) = Default::default();
    pane.residuals = pane.residuals.filter(|column| column.total() > 0);
    pane
}

/// What a sum lends out.
pub(crate) fn lent(sum: &mut InputSum, buffer: &mut InputPane) -> InputPane {
    sum.lend(buffer);
    let pane = buffer.clone();
    sum.take_back(buffer);
    pane
}

proptest! {
    #[test]
    fn what_is_unpacked_is_what_was_packed(seeds in seeds(), kind in 0u8..3) {
        let (input, outcome) = (input_pane(&seeds), outcome_pane(kind, &seeds));
        prop_assert_eq!(&InputPane::unpack(&input.pack()), &input);
        prop_assert_eq!(&OutcomePane::unpack(&outcome.pack()), &outcome);
        let mut parts = Parts::new(&|_| false);
        let records = (input.pack().record(&mut parts), outcome.pack().record(&mut parts));
        let (source, written) = (parts.into_source(), postcard::to_stdvec(&records).unwrap());
        let (read_input, read_outcome): (PackedRecord<InputHead>, PackedRecord<OutcomeHead>) = postcard::from_bytes(&written).unwrap();
        prop_assert_eq!((read_input.open(&source).unwrap(), read_outcome.open(&source).unwrap()), (input.pack(), outcome.pack()));
    }

    #[test]
    fn packed_panes_add_up_and_go_again_like_open_ones(panes in prop::collection::vec(seeds(), 1..6), leaving in 0usize..6, kind in 0u8..3) {
        let (mut sum, mut outcomes, mut buffer) = (InputSum::default(), OutcomeSum::default(), InputPane::default());
        for seeds in &panes {
            sum.come(&input_pane(seeds).pack());
            outcomes.come(&outcome_pane(kind, seeds).pack());
        }
        let leaving = leaving.min(panes.len());
        for seeds in &panes[..leaving] {
            sum.leave(&input_pane(seeds).pack());
            outcomes.leave(&outcome_pane(kind, seeds).pack());
        }
        let mut expected = InputPane::default();
        panes[leaving..].iter().for_each(|seeds| expected.merge(&input_pane(seeds)));
        prop_assert_eq!(as_a_sum(lent(&mut sum, &mut buffer)), as_a_sum(expected.clone()));
        prop_assert_eq!(as_a_sum(lent(&mut sum, &mut buffer)), as_a_sum(expected.clone()), "lending changes nothing");
        prop_assert_eq!(sum.input(1), expected.inputs.get(1).cloned());
        let rest = panes[leaving..].iter().map(|seeds| outcome_pane(kind, seeds)).reduce(|mut a, b| { a.merge(&b); a });
        prop_assert_eq!(outcomes.pane().cloned().map(outcomes_as_a_sum), rest.map(outcomes_as_a_sum));
    }

    #[test]
    fn it_makes_no_difference_when_panes_are_closed(steps in prop::collection::vec((0i64..3, any::<bool>(), any::<u16>(), any::<u32>()), 0..20)) {
        let (mut panes, mut always_open) = (Panes::<InputPane>::default(), Panes::<InputPane>::default());
        for (at, closes, a, b) in steps {
            let at = Timestamp(at);
            if closes {
                panes.close(at);
            }
            for panes in [&mut panes, &mut always_open] {
                panes.open(at).merge(&input_pane(&[(a, b)]));
            }
        }
        prop_assert_eq!(&panes, &always_open);
        let mut parts = Parts::new(&|_| false);
        let record = always_open.record(&mut parts);
        prop_assert_eq!(&panes.record(&mut Parts::new(&|_| false)), &record);
        prop_assert_eq!(&Panes::<InputPane>::from_record(record.clone(), &parts.into_source()).unwrap(), &panes);
        prop_assert_eq!(Panes::<InputPane>::from_record(record.clone(), &PartSource::default()).is_ok(), record.is_empty());
        let (of_open, of_all) = (panes.close(Timestamp(1)), always_open.close_from(Timestamp(1), Timestamp(2), 1).next());
        prop_assert_eq!(of_open, of_all.map(|(_, pane)| pane));
    }
}

#[test]
fn panes_close_by_their_end_and_are_dropped_by_their_start() {
    let mut panes = Panes::<InputPane>::default();
    (0..5).for_each(|at| panes.open(Timestamp(at * 10)).requests = at as u64 + 1);
    let closed: Vec<(i64, u64)> =
        panes.close_from(Timestamp(10), Timestamp(39), 10).map(|(start, pane)| (start.millis(), pane.head().requests)).collect();
    assert_eq!(closed, [(10, 2), (20, 3)]);
    panes.drop_before(Timestamp(20));
    let mut starts: Vec<i64> = panes.starts().map(Timestamp::millis).collect();
    starts.sort_unstable();
    assert_eq!(starts, [20, 30, 40]);
    assert!(panes.open_known(Timestamp(0)).is_none() && panes.close(Timestamp(10)).is_none());
    panes.open_known(Timestamp(20)).expect("kept").requests += 1;
    assert_eq!(panes.close(Timestamp(20)).expect("kept").head().requests, 4);
}
