//! `join.sample`: which events it leaves out, that what is left in is as it would be alone, and that figures stay true; and `join.max_bytes`.

use super::script::{SECOND, Script, settings};
use super::*;
use crate::engine::catalogue::MetricSet;
use crate::engine::join::in_sample;
use crate::engine::metric::Measurement;
use crate::engine::shard::Counts;
use proptest::prelude::*;

/// Tumbling windows of 10 s, one share of the ids, no rules.
fn sampled(share: f64) -> Settings {
    let mut settings = settings();
    settings.window.slide_ms = settings.window.size_ms;
    settings.join.sample = share;
    settings.join.max_labels = 10_000;
    let mut model = (*settings.models[0]).clone();
    (model.rules, model.metrics) = (Vec::new(), MetricSet::all());
    settings.models = vec![Arc::new(model)];
    settings
}

/// A prediction and its label, what is right of it, and whether the label comes first.
#[derive(Debug, Clone)]
struct Pair {
    id: String,
    answer: u8,
    truth: Option<u8>,
    label_first: bool,
    twice: bool,
}

fn pair() -> impl Strategy<Value = Pair> {
    (0u32..5000, 0u8..2, prop::option::weighted(0.8, 0u8..2), any::<bool>(), any::<bool>())
        .prop_map(|(id, answer, truth, label_first, twice)| Pair { id: format!("id-{id}"), answer, truth, label_first, twice })
}

fn unique(mut pairs: Vec<Pair>) -> Vec<Pair> {
    let mut seen = std::collections::BTreeSet::new();
    pairs.retain(|pair| seen.insert(pair.id.clone()));
    pairs
}

/// Plays the pairs into the first window; `restart_at`: before which of them the process starts anew.
fn play(share: f64, pairs: &[Pair], restart_at: usize) -> Script {
    let mut script = Script::new(sampled(share));
    for (n, pair) in pairs.iter().enumerate() {
        if n == restart_at {
            script.restart();
        }
        let label = |script: &mut Script| {
            for _ in 0..=u8::from(pair.twice) {
                pair.truth.iter().for_each(|truth| script.label(&pair.id, n as i64, &truth.to_string()));
            }
        };
        if pair.label_first {
            label(&mut script);
        }
        script.predict(&pair.id, "v1", n as i64, &pair.answer.to_string(), &[]);
        if !pair.label_first {
            label(&mut script);
        }
    }
    script.finish();
    script
}

fn conserved(script: &Script) -> &Counts {
    let counts = script.counts();
    assert_eq!(counts.settled() + script.shard.in_flight(), counts.received);
    counts
}

/// What is said of answers against labels in the first window.
fn quality(script: &Script) -> Vec<Measurement> {
    let of_labels = |m: &&Measurement| matches!(m.subject, Subject::Quality | Subject::ClassQuality(_));
    script.measurements().filter(|m| m.window.start.0 == 0).filter(of_labels).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Quality of a sample is the quality that the sample has when nothing else comes, whatever came first, and over restarts; its drift is that of all.
    #[test]
    fn a_sample_is_joined_as_if_it_were_alone(
        pairs in prop::collection::vec(pair(), 1..120).prop_map(unique),
        share in prop_oneof![Just(0.1), Just(0.5), Just(0.9)],
        restart_at in 0usize..120,
    ) {
        let script = play(share, &pairs, restart_at);
        let counts = conserved(&script);
        let (inside, outside): (Vec<Pair>, Vec<Pair>) = pairs.iter().cloned().partition(|pair| in_sample(&pair.id, share));
        let labels_of = |pairs: &[Pair]| pairs.iter().filter(|p| p.truth.is_some()).map(|p| 1 + u64::from(p.twice)).sum::<u64>();
        prop_assert_eq!(counts.predictions_not_sampled, outside.len() as u64);
        prop_assert_eq!(counts.labels_not_sampled, labels_of(&outside));
        prop_assert_eq!(script.shard.n_predictions(), inside.len());

        // the same sample alone, in the other order
        let alone: Vec<Pair> = inside.iter().map(|pair| Pair { label_first: !pair.label_first, ..pair.clone() }).collect();
        let alone = play(1.0, &alone, usize::MAX);
        prop_assert_eq!(counts.labels_joined, conserved(&alone).labels_joined);
        let of_sample = |m: &Measurement| (m.subject.clone(), m.metric, m.reading, m.n_current, m.interval);
        let windows = |script: &Script| quality(script).iter().map(of_sample).collect::<Vec<_>>();
        if !inside.is_empty() {
            prop_assert_eq!(windows(&script), windows(&alone));
        }
        let requests = script.measurements().find(|m| m.subject == Subject::Service && m.window.start.0 == 0).map(|m| m.window.predictions);
        prop_assert_eq!(requests, Some(pairs.len() as u64));
    }
}

/// Of many windows the sample's accuracy is that of all on average, and its interval holds the true one as often as it says.
#[test]
fn figures_of_a_sample_are_unbiased_and_their_intervals_hold() {
    let (windows, per_window, truth) = (150i64, 400i64, 0.8);
    let mut script = Script::new(sampled(0.1));
    let mut random = 7u64;
    for n in 0..windows * per_window {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let is_right = (random >> 33) as f64 / f64::from(1u32 << 31) < truth;
        // ids as they are: counted on, so that nothing but the hash can make them fair
        let (id, at) = (n.to_string(), n * 10 * SECOND / per_window);
        script.predict(&id, "v1", at, "1", &[]);
        script.label(&id, at, if is_right { "1" } else { "0" });
    }
    script.finish();
    let found: Vec<&Measurement> =
        script.measurements().filter(|m| m.subject == Subject::Quality && m.metric == Metric::Accuracy && m.segment.is_none()).collect();
    assert_eq!(found.len() as i64, windows);
    let n: u64 = found.iter().map(|m| m.n_current).sum();
    let right: f64 = found.iter().map(|m| m.reading.value().unwrap() * m.n_current as f64).sum();
    let (mean, sd) = (right / n as f64, (truth * (1.0 - truth) / n as f64).sqrt());
    assert!((5_500..6_500).contains(&n) && (mean - truth).abs() < 4.0 * sd, "{mean} of {n}");
    let hold = found.iter().filter(|m| m.interval.is_some_and(|(low, high)| low <= truth && truth <= high)).count();
    // of 150 intervals of 95 %: 142.5, and 4.5 standard deviations (2.7) less
    assert!(hold >= 130, "{hold} of {windows} intervals hold {truth}");
    let coverage = script.measurements().filter(|m| m.metric == Metric::LabelCoverage && m.segment.is_none());
    assert!(coverage.into_iter().all(|m| m.reading.value() == Some(1.0)), "only what is in the sample expects a label");
}

/// What was remembered under a greater share gets its labels; from then on the smaller one holds.
#[test]
fn a_smaller_sample_leaves_nothing_without_its_label() {
    let mut script = Script::new(sampled(1.0));
    for n in 0..100i64 {
        script.predict(&n.to_string(), "v1", n, "1", &[]);
    }
    script.restart_with(sampled(0.1));
    for n in 0..200i64 {
        if n >= 100 {
            script.predict(&n.to_string(), "v1", n, "1", &[]);
        }
        script.label(&n.to_string(), n, "1");
    }
    script.finish();
    let inside = (100..200).filter(|n| in_sample(&n.to_string(), 0.1)).count() as u64;
    let counts = conserved(&script);
    assert_eq!((counts.labels_joined, counts.labels_not_sampled), (100 + inside, 100 - inside));
    let coverage = script.reading(0, &Subject::Quality, Metric::LabelCoverage);
    assert_eq!(coverage, Some(1.0));
}

#[test]
fn bytes_are_bounded_and_what_they_cost_is_counted() {
    let mut settings = sampled(1.0);
    settings.join.max_bytes = 100 * 64;
    let mut script = Script::new(settings);
    for n in 0..150i64 {
        script.predict(&n.to_string(), "v1", n, "1", &[]);
    }
    assert_eq!((script.shard.n_predictions(), script.shard.join_bytes()), (100, 6400));
    script.label("0", 150, "1");
    script.label("149", 151, "1");
    let counts = script.counts();
    // the label without a prediction pushes out as many predictions as it takes bytes, because they are older
    assert_eq!((counts.labels_joined, script.shard.in_flight()), (1, 1));
    assert_eq!((counts.predictions_evicted.by_number, counts.predictions_evicted.by_bytes), (0, 54));
    script.label_of("0", 152, Scalar::List(Vec::new().into()));
    for n in 0..60 {
        script.label(&format!("nobody-{n}"), 200 + n, "1");
    }
    assert!(script.shard.join_bytes() <= 6400);
    let counts = conserved(&script);
    assert_eq!(counts.rejected.get(&RejectReason::LabelEvicted).copied(), Some(counts.labels_evicted.by_bytes));
    assert!(counts.labels_evicted.by_bytes > 0 && script.shard.n_predictions() == 0);
    script.predict("last", "v1", 1000, "1", &[]);
    script.label("last", 1001, "1");
    assert_eq!(conserved(&script).labels_joined, 2);
}
