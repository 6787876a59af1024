//! Change detectors in the whole engine.

use super::script::{Script, predicted, rule, settings, text};
use super::*;
use crate::engine::catalogue::{Family, Signal};
use crate::engine::settings::{ModelSettings, Task};
use crate::event::Event;

/// Settings with one rule for each detector: any change in a window fires at once.
fn watching(watched: &[(Signal, Metric)], change: impl FnOnce(&mut ModelSettings)) -> Settings {
    let mut settings = settings();
    let mut model = (*settings.models[0]).clone();
    let rules = watched.iter().map(|&(signal, metric)| {
        let subject = SubjectPattern::Exactly(signal.subject());
        let mut rule = (*rule(metric.as_str(), subject, metric, Bound::Above(Threshold::Absolute(0.0)))).clone();
        (rule.confirm, rule.conditions[0].min_events) = (1, 0);
        Arc::new(rule)
    });
    model.rules = rules.collect();
    model.metrics = MetricSet::usual().iter().chain(watched.iter().map(|(_, metric)| *metric)).collect();
    change(&mut model);
    settings.models = vec![Arc::new(model)];
    settings
}

/// One answer in ten is wrong, from the 50th second on every second one.
fn worse(n: i64) -> bool {
    if n < 500 { n % 10 == 0 } else { n % 2 == 0 }
}

/// Start of the windows with a reading above 0.
fn found(script: &Script, subject: &Subject, metric: Metric) -> Vec<i64> {
    let fits = |m: &&crate::engine::metric::Measurement| m.subject == *subject && m.metric == metric && m.reading.value() > Some(0.0);
    script.measurements().filter(fits).map(|m| m.window.start.millis()).collect()
}

#[test]
fn a_change_counts_in_the_window_in_which_its_label_came_and_fires() {
    let mut script = Script::new(watching(&[(Signal::Errors, Metric::Ddm), (Signal::Errors, Metric::HddmA)], |_| ()));
    traffic(&mut script, "v1", 0, 100, worse);
    script.finish();
    for metric in [Metric::Ddm, Metric::HddmA] {
        let windows = found(&script, &Subject::Errors, metric);
        assert!(
            !windows.is_empty() && windows.len() <= 6 && windows.iter().all(|at| (40_000..60_000).contains(at)),
            "{metric:?} {windows:?}"
        );
        assert_eq!(script.reading(20_000, &Subject::Errors, metric), Some(0.0));
    }
    let states: Vec<_> = script.alerts().into_iter().map(|(state, _)| state).collect();
    assert_eq!(states.iter().filter(|s| **s == "firing").count(), 2, "{states:?}");
    assert_eq!(states.iter().filter(|s| **s == "resolved").count(), 2, "{states:?}");
}

#[test]
fn a_detector_that_no_rule_names_does_not_run() {
    let mut script = Script::new(watching(&[], |model| model.metrics = MetricSet::all()));
    traffic(&mut script, "v1", 0, 60, worse);
    script.finish();
    assert!(script.measurements().all(|m| m.metric.family() != Family::Detector));
}

#[test]
fn a_restart_at_any_time_finds_the_same() {
    let every: Vec<_> = Metric::ALL.iter().filter(|m| m.family() == Family::Detector).map(|m| (Signal::Errors, *m)).collect();
    let every = [every, vec![(Signal::Latency, Metric::Adwin), (Signal::Latency, Metric::Cusum)]].concat();
    let run = |restarts: &[i64]| {
        let mut script = Script::new(watching(&every, |model| (model.detectors.warm_up, model.detectors.refractory) = (100, 20)));
        for from in 0..90 {
            if restarts.contains(&from) {
                script.restart();
            }
            traffic(&mut script, "v1", from, from + 1, worse);
        }
        script.finish();
        (script.effects.clone(), script.shard.settled().clone())
    };
    let (effects, state) = run(&[]);
    assert!(effects.iter().any(|e| matches!(e, Effect::Measured(m) if m.metric == Metric::Kswin)));
    for restarts in [&[31][..], &[49, 50, 51, 52, 53], &[3, 33, 63, 64]] {
        let (disturbed, restarted) = run(restarts);
        assert_eq!(disturbed.iter().zip(&effects).find(|(a, b)| a != b), None, "{restarts:?}");
        assert_eq!((disturbed.len(), restarted == state), (effects.len(), true), "{restarts:?}");
    }
}

#[test]
fn the_first_label_counts_and_no_other() {
    let mut script = Script::new(watching(&[(Signal::Errors, Metric::Ddm)], |_| ()));
    let seen = |script: &Script| {
        let of_errors = script.measurements().filter(|m| m.subject == Subject::Errors && m.window.start.millis() == 0);
        of_errors.last().map(|m| (m.n_current, m.reading.value()))
    };
    script.predict("a", "v1", 1000, "1", &[]);
    script.predict("b", "v1", 1500, "1", &[]);
    script.label("a", 2000, "1");
    script.label("a", 3000, "1");
    script.label("a", 4000, "0");
    script.label("nobody", 5000, "0");
    script.predict("c", "v1", 11_000, "1", &[]);
    assert_eq!(seen(&script), Some((1, Some(0.0))));
    // the slide of the label's time is closed by now: it counts in the oldest open one
    script.label("b", 4500, "0");
    script.finish();
    assert_eq!(seen(&script), Some((1, Some(0.0))));
    let later = script.measurements().filter(|m| m.subject == Subject::Errors).last().map(|m| (m.window.start.millis(), m.n_current));
    assert_eq!(later, Some((5000, 1)));
}

#[test]
fn labels_alone_do_not_wake_a_stream() {
    let mut script = Script::new(watching(&[(Signal::Errors, Metric::Ddm)], |_| ()));
    traffic(&mut script, "v1", 0, 20, |_| false);
    for late in 0..50 {
        script.predict(&format!("late-{late}"), "v1", 20_000 + late, "1", &[]);
    }
    script.silence(100_000);
    let windows = script.evaluator.state().windows;
    for late in 0..50 {
        script.label(&format!("late-{late}"), 100_000 + 1000 * late, "0");
        script.silence(100_000 + 1000 * late);
    }
    assert_eq!(script.evaluator.state().windows, windows, "no request, no window");
    assert_eq!(script.counts().labels_joined, 195 + 50);
    traffic(&mut script, "v1", 150, 170, |_| false);
    script.finish();
    let woken = script.measurements().find(|m| m.window.start.millis() >= 130_000).map(|m| (m.window.start.millis(), m.window.predictions));
    assert_eq!(woken, Some((145_000, 50)));
    assert_eq!(script.reading(155_000, &Subject::Errors, Metric::Ddm), Some(0.0));
}

#[test]
fn latency_counts_at_the_time_of_its_request() {
    let watched = [(Signal::Latency, Metric::Cusum), (Signal::Latency, Metric::Adwin), (Signal::Latency, Metric::Ddm)];
    let mut script = Script::new(watching(&watched, |model| {
        model.detectors.warm_up = 100;
        model.segments = vec!["x".into()];
    }));
    for n in 0..1000 {
        let Event::Prediction(mut prediction) = predicted(&format!("{n}"), "v1", n * 100, "1", &[("x", text("a"))]) else { return };
        prediction.latency_ms = Scalar::Number(if n < 600 { 4.0 } else { 30.0 } + (n % 3) as f64);
        script.event(0, &Event::Prediction(prediction));
    }
    script.finish();
    assert_eq!(found(&script, &Subject::Latency, Metric::Cusum), [55_000, 60_000]);
    assert!(!found(&script, &Subject::Latency, Metric::Adwin).is_empty());
    assert!(script.measurements().all(|m| m.metric != Metric::Ddm), "works on answers only");
    assert!(script.measurements().all(|m| m.segment.is_none() || m.subject != Subject::Latency), "of the whole only");
}

#[test]
fn errors_of_a_regression_are_numbers() {
    let watched = [(Signal::Errors, Metric::Cusum), (Signal::Errors, Metric::Ddm)];
    let mut script = Script::new(watching(&watched, |model| {
        (model.task, model.positive, model.classes) = (Task::Regression, None, vec![]);
        model.detectors.warm_up = 100;
    }));
    for n in 0..1000i64 {
        let Event::Prediction(mut prediction) = predicted(&format!("{n}"), "v1", n * 100, "1", &[]) else { return };
        prediction.prediction = Scalar::Number(10.0);
        script.event(0, &Event::Prediction(prediction));
        let error = if n < 600 { 1 } else { 9 } + n % 4;
        script.label(&format!("{n}"), n * 100, &format!("{}", if n % 2 == 0 { 10 + error } else { 10 - error }));
    }
    script.finish();
    assert_eq!(found(&script, &Subject::Errors, Metric::Cusum), [55_000, 60_000]);
    assert!(script.measurements().all(|m| m.metric != Metric::Ddm));
}
