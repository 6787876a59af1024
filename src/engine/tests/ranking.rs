//! Ranked lists, from their events to the figures of a window.

use super::script::*;
use crate::engine::catalogue::{Family, MetricSet};
use crate::engine::metric::{Metric, Reading, Subject, UndefinedReason};
use crate::engine::settings::{Settings, Task};
use crate::event::{InvalidReason, Item, RejectReason, Scalar};
use std::sync::Arc;

/// The first 4 places count.
fn ranking() -> Settings {
    let mut settings = settings();
    let model = Arc::make_mut(&mut settings.models[0]);
    (model.task, model.positive, model.classes, model.k) = (Task::Ranking, None, vec![], 4);
    model.metrics = MetricSet::usual().iter().chain(Metric::ALL.iter().copied().filter(|m| m.family() == Family::Ranking)).collect();
    settings
}

fn gains(named: &[(&str, f64)]) -> Scalar<'static> {
    Scalar::List(named.iter().map(|(name, gain)| Item { name: (*name).to_owned().into(), gain: *gain }).collect())
}

fn items(names: &[&str]) -> Scalar<'static> {
    gains(&names.iter().map(|name| (*name, 1.0)).collect::<Vec<_>>())
}

fn rank(script: &mut Script, id: &str, at: i64, list: Scalar<'static>) {
    script.predict_scored(id, at, list, Scalar::Null, &[]);
}

/// nDCG, precision, recall and MRR of the first window.
fn figures(script: &Script) -> [Option<f64>; 4] {
    [Metric::Ndcg, Metric::PrecisionAtK, Metric::RecallAtK, Metric::Mrr].map(|metric| script.reading(0, &Subject::Quality, metric))
}

fn assert_close(got: [Option<f64>; 4], want: [f64; 4]) {
    for (got, want) in got.into_iter().zip(want) {
        assert!((got.unwrap() - want).abs() < 1e-12, "{got:?} {want}");
    }
}

const LOG_3: f64 = 1.584_962_500_721_156;

/// Five lists and their labels of every kind.
fn play(script: &mut Script, labels_first: bool) {
    let labels = |script: &mut Script| {
        // the first place; the second; both, the other way about; nothing there; nothing relevant
        script.label("a", 3000, "x");
        script.label_of("b", 3000, items(&["7"]));
        script.label_of("c", 3000, gains(&[("x", 1.0), ("y", 3.0), ("z", 0.0)]));
        script.label_of("d", 3000, items(&["p", "q"]));
        script.label_of("e", 3000, items(&[]));
    };
    if labels_first {
        labels(script);
    }
    rank(script, "a", 1000, items(&["x", "y"]));
    rank(script, "b", 1000, Scalar::Vector(vec![6.0, 7.0, 8.0].into()));
    rank(script, "c", 1000, items(&["x", "y", "z"]));
    rank(script, "d", 1000, items(&["x", "y", "z", "u", "p", "q"]));
    rank(script, "e", 1000, items(&["x"]));
    if !labels_first {
        labels(script);
    }
}

/// What [`play`] comes to.
fn want() -> [f64; 4] {
    let both = (1.0 + 3.0 / LOG_3) / (3.0 + 1.0 / LOG_3);
    [(1.0 + 1.0 / LOG_3 + both + 0.0) / 4.0, (0.25 + 0.25 + 0.5 + 0.0 + 0.0) / 5.0, 3.0 / 4.0, (1.0 + 0.5 + 1.0 + 0.0 + 0.0) / 5.0]
}

#[test]
fn lists_are_measured_in_either_order_and_over_a_restart() {
    for labels_first in [false, true] {
        for restart in [false, true] {
            let mut script = Script::new(ranking());
            if labels_first && restart {
                script.label_of("c", 500, gains(&[("x", 1.0), ("y", 3.0)]));
                script.restart();
            }
            play(&mut script, labels_first);
            if restart {
                script.restart();
            }
            script.silence(100_000);
            script.finish();
            assert_close(figures(&script), want());
            let counts = script.counts();
            assert_eq!((counts.labels_joined, counts.rejected.len()), (5, 0), "{counts:?}");
            let ndcg = script.measurements().filter(|m| m.metric == Metric::Ndcg && m.reading.value().is_some()).last().unwrap();
            assert_eq!(ndcg.n_current, 4, "what has nothing relevant has no nDCG");
            let (low, high) = ndcg.interval.unwrap();
            assert!(low < want()[0] && want()[0] < high && low >= 0.0 && high <= 1.0);
        }
    }
}

#[test]
fn a_revised_label_takes_the_first_one_back() {
    let mut script = Script::new(ranking());
    play(&mut script, false);
    rank(&mut script, "r", 1000, items(&["x", "y"]));
    script.label_of("r", 3000, items(&["nothing", "of", "it"]));
    script.restart();
    script.label_of("r", 3500, items(&["y"]));
    script.label_of("r", 3600, items(&["y", "y"]));
    script.silence(100_000);
    script.finish();
    let [ndcg, precision, _, mrr] = want();
    assert_close(figures(&script), [(4.0 * ndcg + 1.0 / LOG_3) / 5.0, (5.0 * precision + 0.25) / 6.0, 4.0 / 5.0, (5.0 * mrr + 0.5) / 6.0]);
    assert_eq!((script.counts().revised, script.counts().duplicate), (1, 1), "the same item twice says nothing new");
}

#[test]
fn a_bad_list_is_counted_and_loses_nothing_else() {
    let mut script = Script::new(ranking());
    let bad = [Scalar::Structured, Scalar::Text("x".into()), Scalar::Vector(vec![0.5].into())];
    for (n, list) in bad.into_iter().enumerate() {
        rank(&mut script, &format!("bad{n}"), 1000, list);
        script.label(&format!("bad{n}"), 2000, "x");
    }
    play(&mut script, false);
    let many: Vec<String> = (0..1001).map(|n| n.to_string()).collect();
    script.label_of("a", 4000, items(&many.iter().map(String::as_str).collect::<Vec<_>>()));
    script.label_of("b", 4000, gains(&[("7", -1.0)]));
    script.silence(100_000);
    script.finish();
    assert_close(figures(&script), want());
    let counts = script.counts();
    assert_eq!(counts.invalid_values[InvalidReason::WrongType as usize], 3);
    assert_eq!(counts.rejected.get(&RejectReason::LabelWithoutOutcome), Some(&3));
    assert_eq!(counts.rejected.get(&RejectReason::InvalidLabel), Some(&2));
    assert_eq!(script.reading(0, &Subject::Service, Metric::ErrorRate), Some(0.0));
}

#[test]
fn a_list_is_no_label_of_another_task() {
    let mut script = Script::new(settings());
    script.label_of("a", 500, items(&["1"]));
    script.predict("a", "v1", 1000, "1", &[]);
    script.predict("b", "v1", 1000, "1", &[]);
    script.label_of("b", 2000, items(&["1"]));
    script.label("b", 3000, "1");
    assert_eq!(script.counts().rejected.get(&RejectReason::InvalidLabel), Some(&2));
    assert_eq!(script.counts().labels_joined, 1);
}

#[test]
fn without_labels_or_without_anything_relevant_the_reason_is_said() {
    let undefined = |script: &Script, metric| {
        let found = script.measurements().filter(|m| m.metric == metric && m.window.start.0 == 0).last().unwrap();
        match found.reading {
            Reading::Undefined(reason) => Some(reason),
            _ => None,
        }
    };
    let mut script = Script::new(ranking());
    rank(&mut script, "a", 1000, items(&["x"]));
    script.silence(100_000);
    script.finish();
    assert_eq!(undefined(&script, Metric::Mrr), Some(UndefinedReason::NoLabels));
    let mut script = Script::new(ranking());
    rank(&mut script, "a", 1000, items(&["x"]));
    script.label_of("a", 2000, items(&[]));
    script.silence(100_000);
    script.finish();
    assert_eq!(undefined(&script, Metric::Ndcg), Some(UndefinedReason::NoPositiveLabel));
    assert_eq!(undefined(&script, Metric::RecallAtK), Some(UndefinedReason::NoPositiveLabel));
    assert_eq!(script.reading(0, &Subject::Quality, Metric::PrecisionAtK), Some(0.0));
}

#[test]
fn features_of_a_ranking_are_learned_and_drift_while_its_answers_are_no_column() {
    let mut script = Script::new(ranking());
    for n in 0..200_i64 {
        let mut event =
            predicted(&format!("{n}"), "v1", n * 100, "", &[("x", Scalar::Number((n % 10) as f64 + if n < 100 { 0.0 } else { 50.0 }))]);
        if let crate::event::Event::Prediction(prediction) = &mut event {
            prediction.prediction = items(&["x"]);
        }
        script.event(0, &event);
    }
    script.silence(100_000);
    script.finish();
    let drift = script.reading(10_000, &Subject::Feature("x".into()), Metric::Psi).unwrap();
    assert!(drift > 1.0, "{drift}");
    assert!(script.measurements().all(|m| !matches!(m.subject, Subject::Prediction | Subject::Label | Subject::EstimatedQuality)));
}
