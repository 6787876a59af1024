//! What is wrong with the data, through the whole engine: silence, stalled labels, duplicates, clocks, features that come and go.

use super::script::{SECOND, Script, predicted, settings};
use super::tumbling;
use crate::engine::catalogue::MetricSet;
use crate::engine::metric::{Metric, Subject};
use crate::engine::settings::Settings;
use crate::engine::verdict::{Bound, Condition, Rule, SubjectPattern, Threshold};
use crate::event::{Event, Scalar};
use std::sync::Arc;

/// The settings with one rule that fires at once: `metric` of the data above `level`.
fn watching(mut settings: Settings, metric: Metric, level: f64) -> Settings {
    let mut model = (*settings.models[0]).clone();
    let condition = Condition::new(SubjectPattern::Exactly(Subject::Data), metric, Bound::Above(Threshold::Absolute(level)));
    model.rules = vec![Arc::new(Rule { confirm: 1, resolve_after: 1, resolve_level: 1.0, ..Rule::new("data", vec![condition]) })];
    model.metrics = MetricSet::all();
    settings.models = vec![Arc::new(model)];
    settings
}

/// Ten predictions a second in `[from, to)` seconds; the label of each comes a second later.
fn traffic(script: &mut Script, version: &str, from: i64, to: i64, labelled: bool) {
    for n in from * 10..to * 10 {
        script.predict(&format!("{version}-{n}"), version, n * 100, "1", &[("x", Scalar::Number((n % 20) as f64))]);
        if labelled && n - 10 >= from * 10 {
            script.label(&format!("{version}-{}", n - 10), n * 100, "1");
        }
    }
}

/// State, version and time of every alert step.
fn steps(script: &Script) -> Vec<(String, i64)> {
    let step = |t: &crate::engine::alert::Transition| {
        (format!("{} {}", t.facts.model.version, t.facts.state.as_str()), t.facts.window.end.millis())
    };
    script.effects.iter().filter_map(|e| if let super::Effect::Alert(t) = e { Some(step(t)) } else { None }).collect()
}

fn firing(script: &Script) -> usize {
    script.evaluator.state().alerts.firing().count()
}

/// Windows and threshold of 10 s; the last request comes at 19.9 s.
#[test]
fn no_data_fires_stays_and_ends_with_the_first_request() {
    for restarts in [false, true] {
        let mut script = Script::new(watching(tumbling(), Metric::Silence, 10.0));
        traffic(&mut script, "v1", 0, 20, false);
        script.silence(32_000);
        assert_eq!(script.reading(10_000, &Subject::Data, Metric::Silence), Some(0.1));
        assert_eq!(script.reading(20_000, &Subject::Data, Metric::Silence), Some(10.1));
        assert_eq!(steps(&script), [("v1 firing".to_owned(), 30_000)], "within one window");
        if restarts {
            script.restart();
        }
        script.silence(400_000);
        assert_eq!((firing(&script), steps(&script).len()), (1, 1), "it stays, and is told once");
        assert_eq!(script.reading(380_000, &Subject::Data, Metric::Silence), Some(370.1), "long after its panes are gone");
        traffic(&mut script, "v1", 410, 425, false);
        assert_eq!(steps(&script).last(), Some(&("v1 resolved".to_owned(), 420_000)));
    }
}

#[test]
fn a_threshold_of_many_windows_keeps_the_stream_awake_until_it_is_reached() {
    let mut script = Script::new(watching(tumbling(), Metric::Silence, 200.0));
    traffic(&mut script, "v1", 0, 20, false);
    script.silence(210_000);
    assert_eq!(steps(&script), []);
    script.silence(240_000);
    assert_eq!(steps(&script).last(), Some(&("v1 firing".to_owned(), 220_000)));
}

#[test]
fn a_replaced_version_is_not_silent_not_even_when_all_are() {
    let mut script = Script::new(watching(settings(), Metric::Silence, 10.0));
    traffic(&mut script, "v1", 0, 30, false);
    traffic(&mut script, "v2", 30, 60, false);
    assert_eq!(steps(&script), []);
    script.restart();
    script.silence(120_000);
    assert_eq!(steps(&script).iter().map(|(step, _)| &**step).collect::<Vec<_>>(), ["v2 firing"]);
    traffic(&mut script, "v1", 130, 160, false);
    assert_eq!(steps(&script).last().map(|(step, _)| &**step), Some("v2 resolved"), "the old version is back: a rollback is no outage");
    assert_eq!(firing(&script), 0);
}

/// While both take traffic the silence of one that gets little of it is that of the model.
#[test]
fn a_canary_that_gets_little_traffic_is_not_silent() {
    let mut script = Script::new(watching(settings(), Metric::Silence, 4.0));
    for n in 0..600 {
        script.predict(&format!("v1-{n}"), "v1", n * 100, "1", &[]);
        if n % 90 == 0 {
            script.predict(&format!("v2-{n}"), "v2", n * 100, "1", &[]);
        }
    }
    script.finish();
    assert_eq!(steps(&script), []);
}

#[test]
fn the_end_of_a_log_is_not_an_outage() {
    let mut wide = settings();
    (wide.window.size_ms, wide.window.slide_ms) = (100 * SECOND, 100 * SECOND);
    let mut script = Script::new(watching(wide, Metric::Silence, 10.0));
    traffic(&mut script, "v1", 0, 120, false);
    script.finish();
    assert_eq!(script.reading(100_000, &Subject::Data, Metric::Silence), Some(0.0), "the log ends 80 s before the window");
    assert_eq!(steps(&script), []);
}

#[test]
fn labels_that_stop_are_noticed_over_a_restart_and_only_then() {
    for restarts in [false, true] {
        let mut script = Script::new(watching(tumbling(), Metric::LabelSilence, 20.0));
        traffic(&mut script, "v1", 0, 30, true);
        if restarts {
            script.restart();
        }
        traffic(&mut script, "v1", 30, 90, false);
        // labels are read up to here: before, nobody knows whether there are any
        assert_eq!(steps(&script), [], "the label topic may lag behind");
        script.silence(95_000);
        traffic(&mut script, "v1", 96, 150, false);
        let step = steps(&script).first().cloned();
        assert!(step.is_some_and(|(_, at)| at >= 90_000), "{:?}", steps(&script));
        script.label("v1-1499", 150_000, "1");
        traffic(&mut script, "v1", 151, 175, true);
        assert_eq!(steps(&script).last().map(|(step, _)| &**step), Some("v1 resolved"));
    }
}

#[test]
fn a_model_that_never_had_a_label_has_neither_silence_nor_coverage_of_them() {
    let mut script = Script::new(watching(tumbling(), Metric::LabelSilence, 1.0));
    traffic(&mut script, "v1", 0, 30, false);
    script.silence(200_000);
    let of = |metric| script.measurements().filter(|m| m.metric == metric).collect::<Vec<_>>();
    for metric in [Metric::LabelSilence, Metric::LabelCoverage] {
        let measured = of(metric);
        assert!(!measured.is_empty() && measured.iter().all(|m| m.reading.value().is_none()), "{measured:?}");
    }
    assert_eq!(steps(&script), []);
}

/// The labels of a new version come later: those of the old one show that they do come.
#[test]
fn a_rollout_is_no_stall_of_labels() {
    let mut script = Script::new(watching(tumbling(), Metric::LabelSilence, 15.0));
    traffic(&mut script, "v1", 0, 60, true);
    for n in 600..750 {
        script.predict(&format!("v2-{n}"), "v2", n * 100, "1", &[]);
        script.label(&format!("v1-{}", n - 10), n * 100, "1");
    }
    traffic(&mut script, "v2", 75, 120, true);
    script.finish();
    assert_eq!(steps(&script), []);
    assert!(script.measurements().any(|m| m.metric == Metric::LabelSilence && m.reading.value().is_some() && &*m.model.version == "v2"));
}

#[test]
fn duplicates_count_in_the_pane_of_their_own_time() {
    let mut script = Script::new(watching(tumbling(), Metric::DuplicateRate, 0.05));
    traffic(&mut script, "v1", 0, 25, false);
    for n in 200..225 {
        script.predict(&format!("v1-{n}"), "v1", n * 100, "1", &[]);
    }
    // the pane of the first window has closed, and no window holds it any more
    script.predict("v1-5", "v1", 500, "1", &[]);
    traffic(&mut script, "v1", 25, 40, false);
    script.finish();
    assert_eq!(script.counts().duplicate, 26);
    assert_eq!(script.reading(0, &Subject::Data, Metric::DuplicateRate), Some(0.0));
    assert_eq!(script.reading(20_000, &Subject::Data, Metric::DuplicateRate), Some(25.0 / 125.0));
    assert_eq!(script.reading(20_000, &Subject::Service, Metric::ErrorRate), Some(0.0));
    assert_eq!(steps(&script).iter().map(|(step, _)| &**step).collect::<Vec<_>>(), ["v1 firing", "v1 resolved"]);
}

#[test]
fn clocks_that_are_ahead_are_noticed() {
    let mut script = Script::new(watching(tumbling(), Metric::ClockSkew, 5.0));
    traffic(&mut script, "v1", 0, 10, false);
    (100..200).for_each(|n| script.predict_ahead(&format!("early-{n}"), n * 100, 8_000));
    script.finish();
    assert_eq!(script.reading(0, &Subject::Data, Metric::ClockSkew), Some(0.0));
    let skew = script.reading(20_000, &Subject::Data, Metric::ClockSkew).unwrap();
    assert!((skew - 8.0).abs() < 0.08, "{skew}");
}

/// §6.6 to §6.8 and the schema, from events to alerts: what vanished and what is new is named, and no event is lost by it.
#[test]
fn features_that_vanish_and_features_that_are_new_are_named() {
    let mut changed = watching(tumbling(), Metric::NewFeatures, 0.0);
    let mut model = (*changed.models[0]).clone();
    (model.ignore, model.segments) = (vec!["trace".into()], vec!["region".into()]);
    changed.models = vec![Arc::new(model)];
    let mut script = Script::new(changed);
    let features = |n: i64| -> Vec<(&'static str, Scalar<'static>)> {
        let (x, country) = (Scalar::Number((n % 20) as f64), ["DE", "FR"][n as usize % 2]);
        match n {
            0..300 => vec![("x", x), ("country", super::script::text(country))],
            _ => vec![
                ("country", super::script::text(if n % 4 == 0 { "XX" } else { country })),
                ("y", x.clone()),
                ("trace", x.clone()),
                ("region", x),
                ("tags", Scalar::Structured),
                ("later", Scalar::Null),
            ],
        }
    };
    for n in 0..600 {
        let Event::Prediction(event) = predicted(&format!("{n}"), "v1", n * 100, "1", &features(n)) else { return };
        script.event(0, &Event::Prediction(event));
    }
    script.finish();
    let parts = |at: i64, metric| {
        let mut found = script.measurements().filter(|m| m.window.start.millis() == at && m.metric == metric && m.segment.is_none());
        let m = found.next().unwrap();
        (m.reading.value(), m.parts.iter().map(|p| p.name.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(parts(20_000, Metric::NewFeatures), (Some(0.0), vec![]));
    assert_eq!(parts(30_000, Metric::NewFeatures), (Some(1.0), vec!["y".to_owned()]));
    assert_eq!(parts(30_000, Metric::VanishedFeatures), (Some(1.0), vec!["x".to_owned()]));
    let feature = |name: &str| Subject::Feature(name.into());
    assert_eq!(script.reading(30_000, &feature("x"), Metric::MissingRate), Some(1.0));
    assert_eq!(script.reading(30_000, &feature("x"), Metric::Psi), None, "no data is not no drift");
    assert_eq!(script.reading(30_000, &feature("country"), Metric::NewCategoryRate), Some(0.25));
    assert_eq!(script.counts().applied, 600, "no event is lost by it");
    assert_eq!(steps(&script).first().map(|(step, at)| (&**step, *at)), Some(("v1 firing", 40_000)));
}
