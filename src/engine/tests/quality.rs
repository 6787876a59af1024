//! Quality from events: scores are remembered until labels come, labels are revised, classes are written in any way.

use super::script::{Script, settings, text};
use super::*;
use crate::engine::catalogue::MetricSet;
use crate::engine::metric::{Reading, UndefinedReason};
use crate::engine::settings::{ReferencePolicy, Task};
use crate::event::InvalidReason;

/// Tumbling windows of 10 s, every metric, one other decision threshold.
fn scored(task: Task, classes: &[&str]) -> Settings {
    let mut settings = settings();
    settings.window.slide_ms = settings.window.size_ms;
    let mut model = (*settings.models[0]).clone();
    model.task = task;
    model.positive = (task == Task::Binary).then(|| "1".into());
    model.classes = classes.iter().map(|&class| class.into()).collect();
    model.metrics = MetricSet::all();
    model.decision_thresholds = if task == Task::Binary { vec!["0.3".into()] } else { Vec::new() };
    model.rules = Vec::new();
    settings.models = vec![Arc::new(model)];
    settings
}

/// The reading of a metric in the first window.
#[track_caller]
fn of(script: &Script, subject: &Subject, metric: Metric) -> Reading {
    let found = script.measurements().filter(|m| m.window.start.0 == 0 && m.subject == *subject && m.metric == metric).last();
    found.unwrap_or_else(|| panic!("no {metric:?} of {subject}")).reading
}

fn number(value: f64) -> Scalar<'static> {
    Scalar::Number(value)
}

#[test]
fn the_score_waits_for_its_label_over_a_restart_and_goes_with_a_revised_one() {
    let mut script = Script::new(scored(Task::Binary, &["0", "1"]));
    // answers 0 0 1 1 1 1 0 0 by scores; vectors.json `binary.plain`
    let scores = [0.1, 0.4, 0.35, 0.8, 0.9, 0.6, 0.55, 0.2];
    let labels = [0, 0, 1, 1, 1, 0, 1, 0];
    for (n, score) in scores.iter().enumerate() {
        script.predict_scored(&n.to_string(), n as i64, text(if *score >= 0.5 { "1" } else { "0" }), number(*score), &[]);
    }
    script.restart();
    for (n, label) in labels.iter().enumerate() {
        // every label is wrong at first
        script.label(&n.to_string(), 100 + n as i64, if *label == 1 { "0" } else { "1" });
        script.label(&n.to_string(), 200 + n as i64, &label.to_string());
    }
    script.finish();
    assert_eq!(script.counts().revised, 8);
    let quality = |metric| of(&script, &Subject::Quality, metric).value().unwrap();
    // sklearn.metrics on the same arrays
    assert_eq!(quality(Metric::RocAuc), 0.8125);
    assert!((quality(Metric::PrAuc) - 0.8541666666666666).abs() < 1e-12);
    assert!((quality(Metric::LogLoss) - 0.4664729518548145).abs() < 1e-12);
    assert!((quality(Metric::Brier) - 0.155625).abs() < 1e-12);
    assert_eq!(quality(Metric::Accuracy), 0.75);
    // from 0.3 on: 4 of 4 positives found, 2 false alarms
    let at = |metric| of(&script, &Subject::QualityAt("0.3".into()), metric);
    assert_eq!((at(Metric::Recall), at(Metric::Accuracy)), (Reading::Value(1.0), Reading::Value(0.75)));
}

/// A window whose labels are all of one class has no ROC curve, and nothing else suffers.
#[test]
fn a_single_class_window_breaks_nothing() {
    let mut script = Script::new(scored(Task::Binary, &["0", "1"]));
    for n in 0..20 {
        script.predict_scored(&n.to_string(), n, text("0"), number(0.01 * n as f64), &[]);
        script.label(&n.to_string(), n + 1, "0");
    }
    script.finish();
    for metric in [Metric::RocAuc, Metric::PrAuc, Metric::Matthews] {
        assert_eq!(of(&script, &Subject::Quality, metric), Reading::Undefined(UndefinedReason::OneClass), "{metric:?}");
    }
    assert_eq!(of(&script, &Subject::Quality, Metric::Accuracy), Reading::Value(1.0));
    assert_eq!(of(&script, &Subject::Quality, Metric::Specificity), Reading::Value(1.0));
    assert_eq!(of(&script, &Subject::Quality, Metric::Recall), Reading::Undefined(UndefinedReason::NoPositiveLabel));
    assert!(of(&script, &Subject::Quality, Metric::LogLoss).value().is_some());
}

/// `"1"`, `1`, `1.0`, `true` are one class, whether an answer or a label says it; a label outside the map is counted and in no figure.
#[test]
fn classes_meet_however_they_are_written() {
    let positive = || [text("1"), number(1.0), Scalar::Bool(true), text("1.0"), text("true")];
    let negative = || [text("0"), number(0.0), Scalar::Bool(false), text("0.0"), text("false")];
    let mut script = Script::new(scored(Task::Binary, &["0", "1"]));
    let mut n = 0;
    for (answers, labels, score) in [(positive(), positive(), 0.9), (negative(), negative(), 0.1)] {
        for answer in &answers {
            for label in &labels {
                script.predict_scored(&n.to_string(), n, answer.clone(), number(score), &[]);
                script.label_of(&n.to_string(), n + 1, label.clone());
                n += 1;
            }
        }
    }
    script.predict_scored("odd", n, text("1"), number(0.5), &[]);
    script.label("odd", n + 1, "maybe");
    script.finish();
    for metric in [Metric::Accuracy, Metric::RocAuc, Metric::PrAuc, Metric::BalancedAccuracy, Metric::Matthews] {
        assert_eq!(of(&script, &Subject::Quality, metric), Reading::Value(1.0), "{metric:?}");
    }
    assert_eq!(of(&script, &Subject::Quality, Metric::LabelCoverage), Reading::Value(50.0 / 51.0));
    assert_eq!(script.counts().rejected.get(&RejectReason::UnknownLabelClass).copied(), Some(1));
}

#[test]
fn scores_of_classes_are_remembered_where_all_of_them_can_be_used() {
    let mut script = Script::new(scored(Task::Multiclass, &["a", "b", "c"]));
    let rows: [(&str, &str, [f64; 3]); 4] =
        [("a", "a", [0.7, 0.2, 0.1]), ("b", "a", [0.3, 0.5, 0.2]), ("b", "b", [0.1, 0.8, 0.1]), ("c", "b", [0.2, 0.3, 0.5])];
    for (n, (answer, _, [a, b, c])) in rows.iter().enumerate() {
        // in any order, with a class that the map does not have
        let scores = if n % 2 == 0 { [("a", *a), ("b", *b), ("c", *c)] } else { [("c", *c), ("a", *a), ("b", *b)] };
        script.predict_scored(&n.to_string(), n as i64, text(answer), Scalar::Null, &scores);
    }
    script.predict_scored("without c", 4, text("a"), Scalar::Null, &[("a", 0.5), ("b", 0.5)]);
    script.predict_scored("too great", 5, text("a"), Scalar::Null, &[("a", 1.5), ("b", 0.5), ("c", 0.0)]);
    script.predict_scored("unknown", 6, text("a"), Scalar::Null, &[("a", 0.5), ("b", 0.25), ("c", 0.25), ("d", 0.0)]);
    for (n, (_, label, _)) in rows.iter().enumerate() {
        script.label(&n.to_string(), 100 + n as i64, label);
    }
    for id in ["without c", "too great", "unknown"] {
        script.label(id, 200, "a");
    }
    script.finish();
    let invalid = script.counts().invalid_values;
    assert_eq!((invalid[InvalidReason::OutOfRange as usize], invalid[InvalidReason::UnknownClass as usize]), (1, 1));
    let found: Vec<_> = script.measurements().filter(|m| m.subject == Subject::Quality && m.window.start.0 == 0).cloned().collect();
    let n_of = |metric| found.iter().rfind(|m| m.metric == metric).unwrap().n_current;
    assert_eq!((n_of(Metric::Accuracy), n_of(Metric::LogLoss)), (7, 5));
    // class b against the rest: scores 0.2 0.5 0.8 0.3 0.25, of which the third and the fourth are b: 5 of 6 pairs
    assert_eq!(of(&script, &Subject::ClassQuality("b".into()), Metric::RocAuc), Reading::Value(5.0 / 6.0));
    assert_eq!(of(&script, &Subject::ClassQuality("c".into()), Metric::RocAuc), Reading::Undefined(UndefinedReason::OneClass));
}

#[test]
fn a_binary_model_may_say_its_score_by_class() {
    let mut script = Script::new(scored(Task::Binary, &["0", "1"]));
    for (n, label) in [(0, "0"), (1, "1")] {
        let score = 0.2 + 0.6 * n as f64;
        script.predict_scored(&n.to_string(), n, text(label), Scalar::Null, &[("false", 1.0 - score), ("true", score)]);
        script.label(&n.to_string(), n + 1, label);
    }
    script.finish();
    assert_eq!(of(&script, &Subject::Quality, Metric::RocAuc), Reading::Value(1.0));
    assert!((of(&script, &Subject::Quality, Metric::Brier).value().unwrap() - 0.04).abs() < 1e-12);
}

#[test]
fn a_label_map_that_is_open_learns_classes_from_scores() {
    let mut settings = scored(Task::Multiclass, &[]);
    let mut model = (*settings.models[0]).clone();
    model.reference = ReferencePolicy::Learn { rows: 1000 };
    settings.models = vec![Arc::new(model)];
    let mut script = Script::new(settings);
    script.predict_scored("0", 0, text("b"), Scalar::Null, &[("a", 0.25), ("b", 0.5), ("c", 0.25)]);
    script.label("0", 1, "c");
    script.finish();
    assert!((of(&script, &Subject::Quality, Metric::LogLoss).value().unwrap() - 4f64.ln()).abs() < 1e-12);
}

/// Scores take memory: where nothing is read from them, nothing is remembered.
#[test]
fn scores_that_nobody_asked_for_are_not_remembered() {
    let states = [MetricSet::usual(), MetricSet::all()].map(|metrics| {
        let mut settings = scored(Task::Binary, &["0", "1"]);
        let mut model = (*settings.models[0]).clone();
        (model.metrics, model.decision_thresholds) = (metrics, Vec::new());
        settings.models = vec![Arc::new(model)];
        let mut script = Script::new(settings);
        for n in 0..100 {
            script.predict_scored(&n.to_string(), n, text("0"), number(0.123), &[]);
        }
        script.written_bytes()
    });
    assert!(states[0] + 100 * 8 <= states[1], "{states:?}");
}
