//! The whole engine by scripts: what goes in at which time, what comes out.

mod blocks;
mod data;
mod detectors;
mod explain;
mod fairness;
mod quality;
mod ranking;
mod references;
mod sampling;
mod script;
mod special;

pub(crate) use script::SECOND;
/// Settings of the scripts, for tests of what runs the engine.
pub(crate) fn script_settings() -> Settings {
    settings()
}

use super::catalogue::MetricSet;
use super::evaluator::Effect;
use super::metric::{Baseline, Metric, Subject};
use super::settings::{NewVersion, ReferencePolicy, Settings};
use super::verdict::{Bound, Severity, SubjectPattern, Threshold};
use crate::event::{RejectReason, Scalar};
pub(crate) use script::predicted;
use script::{Script, settings};
use std::sync::Arc;

/// One prediction every 100 ms in `[from, to)` seconds; `wrong` says which of them the label, 500 ms later, contradicts.
fn traffic(script: &mut Script, version: &str, from: i64, to: i64, wrong: impl Fn(i64) -> bool) {
    for n in from * 10..to * 10 {
        let at = n * 100;
        let feature = Scalar::Number((n % 20) as f64);
        script.predict(&format!("{version}-{n}"), version, at, if n % 2 == 0 { "1" } else { "0" }, &[("x", feature)]);
        let known = n - 5;
        if known >= from * 10 {
            let truth = (known % 2 == 0) != wrong(known);
            script.label(&format!("{version}-{known}"), at, if truth { "1" } else { "0" });
        }
    }
}

fn tumbling() -> Settings {
    let mut settings = settings();
    settings.window.slide_ms = settings.window.size_ms;
    settings
}

#[test]
fn accuracy_falls_fires_asks_for_a_retraining_and_resolves() {
    let mut script = Script::new(settings());
    traffic(&mut script, "v1", 0, 100, |n| (300..600).contains(&n) && n % 4 == 0);
    script.finish();
    assert_eq!(script.reading(0, &Subject::Quality, Metric::Accuracy), Some(1.0));
    assert_eq!(script.reading(40_000, &Subject::Quality, Metric::Accuracy), Some(0.75));
    let states: Vec<_> = script.alerts().into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["pending", "firing", "resolved"]);
    let retrains = script.effects.iter().filter(|e| matches!(e, Effect::Retrain(_))).count();
    assert_eq!(retrains, 1, "one incident asks once");
    let outbox = &script.evaluator.state().outbox;
    assert_eq!((outbox.owed().count(), outbox.cancelled()), (1, 2), "the retraining; the alert was over before anybody was told");
}

#[test]
fn of_several_wishes_for_a_retraining_the_gravest_is_granted() {
    let mut settings = settings();
    let mut model = (*settings.models[0]).clone();
    let mut grave = (*model.rules[0]).clone();
    (grave.name, grave.severity) = ("grave".into(), Severity::Critical);
    model.rules.push(Arc::new(grave));
    settings.models = vec![Arc::new(model)];
    let mut script = Script::new(settings);
    traffic(&mut script, "v1", 0, 60, |n| n >= 200 && n % 3 == 0);
    let asked: Vec<_> =
        script.effects.iter().filter_map(|e| if let Effect::Retrain(facts) = e { Some(&*facts.alert.rule) } else { None }).collect();
    assert_eq!(asked, ["grave"], "both rules fire with the same window, and the cooldown lets one ask");
}

#[test]
fn a_restart_changes_nothing() {
    let run = |restart_at: Option<i64>| {
        let mut script = Script::new(settings());
        traffic(&mut script, "v1", 0, 45, |n| n >= 200 && n % 3 == 0);
        if let Some(times) = restart_at {
            (0..times).for_each(|_| script.restart());
        }
        traffic(&mut script, "v1", 45, 90, |n| n < 600 && n % 3 == 0);
        script.finish();
        (script.effects.clone(), script.evaluator.state().outbox.owed().map(|(n, _)| n.id.clone()).collect::<Vec<_>>())
    };
    let (effects, owed) = run(None);
    for times in [1, 3] {
        let (disturbed, still_owed) = run(Some(times));
        let differs = disturbed.iter().zip(&effects).find(|(a, b)| a != b);
        assert_eq!(differs, None);
        assert_eq!(disturbed.len(), effects.len());
        // a message that may have been sent before the restart is never taken back
        assert!(owed.iter().all(|id| still_owed.contains(id)), "{still_owed:?}");
    }
}

#[test]
fn labels_come_in_either_order_twice_and_revised() {
    let mut script = Script::new(tumbling());
    script.label("a", 1000, "1");
    script.predict("a", "v1", 1000, "1", &[]);
    script.predict("b", "v1", 2000, "1", &[]);
    script.label("b", 3000, "0");
    script.label("b", 4000, "0");
    script.label("b", 5000, "true");
    script.predict("a", "v1", 6000, "1", &[]);
    script.label("b", 7000, "purple");
    script.label("nobody", 8000, "1");
    script.finish();
    let counts = script.counts();
    assert_eq!((counts.received, counts.applied, counts.duplicate, counts.revised), (9, 5, 2, 1));
    assert_eq!(counts.rejected.get(&RejectReason::UnknownLabelClass), Some(&1));
    assert_eq!(counts.settled() + script.shard.in_flight(), counts.received);
    assert_eq!(script.reading(0, &Subject::Quality, Metric::Accuracy), Some(1.0), "the revised label counts");
}

#[test]
fn windows_close_when_traffic_stops() {
    let mut script = Script::new(tumbling());
    traffic(&mut script, "v1", 0, 15, |_| false);
    let windows = |script: &Script| script.measurements().filter(|m| m.metric == Metric::ErrorRate).count();
    assert_eq!(windows(&script), 1);
    script.silence(28_000);
    assert!(windows(&script) >= 2, "the second window closed though nothing came");
    assert_eq!(script.reading(20_000, &Subject::Service, Metric::Throughput), None);
    script.silence(33_000);
    assert_eq!(script.reading(20_000, &Subject::Service, Metric::Throughput), Some(0.0), "an outage is a throughput of 0");
}

#[test]
fn late_events_amend_open_windows_and_are_counted_beyond() {
    let mut script = Script::new(settings());
    traffic(&mut script, "v1", 0, 21, |_| false);
    script.predict("amends", "v1", 17_000, "1", &[]);
    script.predict("too late", "v1", 3_000, "1", &[]);
    assert_eq!((script.counts().amended, script.counts().late), (1, 1));
    traffic(&mut script, "v1", 21, 30, |_| false);
    let requests = |at: i64| script.measurements().find(|m| m.window.start.millis() == at).map(|m| m.window.predictions);
    assert_eq!(requests(15_000), Some(101));
}

#[test]
fn a_version_that_another_one_replaced_resolves_its_alerts() {
    let mut script = Script::new(settings());
    traffic(&mut script, "v1", 0, 60, |n| n % 3 == 0);
    traffic(&mut script, "v2", 60, 120, |_| false);
    script.finish();
    let v1: Vec<_> = script.alerts().into_iter().filter(|(_, version)| version == "v1").map(|(state, _)| state).collect();
    assert_eq!(v1, ["pending", "firing", "resolved"]);
    assert!(!script.alerts().iter().any(|(_, version)| version == "v2"));
}

#[test]
fn a_label_of_a_failed_request_says_so() {
    let mut script = Script::new(tumbling());
    script.fail("a", 1000);
    script.label("a", 2000, "1");
    assert_eq!(script.counts().rejected.get(&RejectReason::LabelWithoutOutcome), Some(&1));
}

#[test]
fn an_invalid_value_is_counted_for_its_own_prediction_only() {
    let mut script = Script::new(tumbling());
    traffic(&mut script, "v1", 0, 10, |_| false);
    script.predict("bad", "v1", 10_000, "1", &[("x", Scalar::NonFinite)]);
    let invalid = |script: &Script| script.counts().invalid_values.iter().sum::<u64>();
    assert_eq!(invalid(&script), 1);
    // v2 is still learning: it has no columns yet that a value could be invalid in
    script.predict("good", "v2", 10_100, "1", &[("x", Scalar::Number(1.0))]);
    assert_eq!(invalid(&script), 1);
}

#[test]
fn a_firing_alert_keeps_its_stream_awake() {
    let mut settings = tumbling();
    settings.models = settings
        .models
        .iter()
        .map(|m| {
            let mut model = (**m).clone();
            let mut rule = (*script::rule(
                "throughput",
                SubjectPattern::Exactly(Subject::Service),
                Metric::Throughput,
                Bound::Below(Threshold::Absolute(1.0)),
            ))
            .clone();
            rule.conditions[0].min_events = 0;
            rule.repeat_ms = Some(100 * SECOND);
            model.rules = vec![std::sync::Arc::new(rule)];
            std::sync::Arc::new(model)
        })
        .collect();
    let mut script = Script::new(settings);
    traffic(&mut script, "v1", 0, 20, |_| false);
    script.silence(400_000);
    let owed = &script.evaluator.state().outbox;
    assert!(owed.owed().any(|(n, _)| n.id.contains("repeat-")), "an outage is told again, long after the last request");
    traffic(&mut script, "v1", 410, 450, |_| false);
    assert_eq!(script.alerts().last().map(|(state, _)| *state), Some("resolved"));
}

#[test]
fn a_reference_is_learned_and_then_compared_with() {
    let mut script = Script::new(tumbling());
    traffic(&mut script, "v1", 0, 30, |_| false);
    script.finish();
    let x = Subject::Feature("x".into());
    assert_eq!(script.reading(0, &x, Metric::Ks).map(|d| d < 0.2), Some(true), "the second half of the first window");
    assert_eq!(script.reading(10_000, &x, Metric::Ks), Some(0.1), "the sample of 50 has two and a half turns of the 20 values");
}

#[test]
fn segments_are_kept_apart_up_to_their_cap() {
    let mut settings = tumbling();
    let mut model = (*settings.models[0]).clone();
    model.segments = vec!["country".into()];
    model.new_version = NewVersion::Learn { rows: 50 };
    settings.models = vec![std::sync::Arc::new(model)];
    let mut script = Script::new(settings);
    for n in 0..100 {
        let country = ["DE", "FR", "IT", "ES"][n as usize % 4];
        script.predict(&format!("{n}"), "v1", n * 100, "1", &[("country", script::text(country))]);
    }
    script.finish();
    let mut segments: Vec<_> = script.measurements().filter_map(|m| m.segment.clone()).collect();
    segments.sort();
    segments.dedup();
    assert_eq!(segments.iter().map(|s| &**s).collect::<Vec<_>>(), ["country=DE", "country=FR"]);
    assert_eq!(script.counts().segments_overflow, 50);
}

#[test]
fn unknown_and_too_many_models_are_rejected() {
    let mut script = Script::new(tumbling());
    for version in 0..6 {
        script.predict(&format!("{version}"), &format!("v{version}"), 1000, "1", &[]);
    }
    assert_eq!(script.counts().rejected.get(&RejectReason::TooManyModels), Some(&2));
}

#[test]
fn a_message_below_the_offset_is_a_no_op() {
    let mut script = Script::new(tumbling());
    traffic(&mut script, "v1", 0, 5, |_| false);
    let before = script.shard.settled().clone();
    let position =
        crate::event::Position { partition: crate::event::PartitionId { topic: crate::event::TopicId(0), partition: 0 }, offset: 3 };
    assert!(!script.shard.begin(position, crate::event::Timestamp(5 * SECOND)));
    assert_eq!(*script.shard.settled(), before);
}

#[test]
fn a_learned_reference_is_calibrated_on_the_windows_that_are_judged() {
    let mut settings = tumbling();
    let mut model = (*settings.models[0]).clone();
    model.reference = ReferencePolicy::Learn { rows: 1000 };
    settings.models = vec![Arc::new(model)];
    let mut script = Script::new(settings);
    // ten windows of 100 requests in a row
    traffic(&mut script, "v1", 0, 130, |_| false);
    let x = Subject::Feature("x".into());
    let model = script.evaluator.models().next().unwrap();
    let calibration = model.reference.as_ref().unwrap().calibration.as_ref().unwrap();
    assert_eq!((calibration.window_ms, calibration.windows), (10 * SECOND, 10));
    let figure = calibration.figures[&(x.clone(), Metric::Ks)];
    assert_eq!((figure.n, figure.max, figure.timed), (100, 0.0, true), "each window has five turns of the 20 values");
    let label = calibration.figures[&(Subject::Label, Metric::Psi)];
    assert!(!label.timed && label.windows == 16, "{label:?}");
    script.finish();
    let last = script.measurements().filter(|m| m.subject == x && m.metric == Metric::Ks).last().unwrap();
    assert_eq!((last.reading.value(), last.noise_floor, last.on_reference), (Some(0.0), Some(0.0), Some(0.0)));
    let prediction = script.measurements().filter(|m| m.subject == Subject::Prediction && m.metric == Metric::Psi).last().unwrap();
    assert!(prediction.noise_floor.is_some() && prediction.sigma.is_some(), "{prediction:?}");
}

/// A model whose feature `x` is compared with its past, beside the rule of the script that looks at accuracy.
fn with_past(baseline: Baseline, mut settings: Settings) -> Settings {
    let mut model = (*settings.models[0]).clone();
    let bound = Bound::Above(Threshold::Absolute(0.6));
    let mut rule = (*script::rule("moved", SubjectPattern::AnyFeature, Metric::TotalVariation, bound)).clone();
    (rule.conditions[0].against, rule.confirm, rule.retrain) = (baseline, 1, false);
    model.rules.push(Arc::new(rule));
    settings.models = vec![Arc::new(model)];
    settings
}

/// One prediction every 100 ms in `[from, to)` seconds, `x` going through 20 values from `least`.
fn values(script: &mut Script, from: i64, to: i64, least: i64) {
    for n in from * 10..to * 10 {
        let x = Scalar::Number((least + n % 20) as f64);
        script.predict(&format!("{n}"), "v1", n * 100, "1", &[("x", x)]);
    }
}

fn trailing(script: &Script) -> Vec<(i64, Option<f64>)> {
    let of_past = script.measurements().filter(|m| m.baseline != Baseline::Reference);
    of_past.map(|m| (m.window.start.millis() / SECOND, m.reading.value())).collect()
}

#[test]
fn a_step_breaches_against_the_previous_window_once_and_against_the_reference_for_good() {
    let run = |restart: bool| {
        let mut script = Script::new(with_past(Baseline::PreviousWindow, settings()));
        values(&mut script, 0, 40, 0);
        if restart {
            script.restart();
        }
        values(&mut script, 40, 75, 100);
        script.finish();
        script
    };
    let script = run(false);
    // the reference is learned from the first half of the first window, so the second one has half of a turn to compare with
    let expected = [(20, Some(0.0)), (30, Some(0.0)), (40, Some(1.0)), (50, Some(0.0)), (60, Some(0.0))];
    assert_eq!(trailing(&script)[2..], expected, "once a window length, though windows slide by half of it");
    let x = Subject::Feature("x".into());
    let fixed = |at: i64| {
        let mut of_x = script.measurements().filter(|m| m.subject == x && m.metric == Metric::TotalVariation);
        of_x.find(|m| m.baseline == Baseline::Reference && m.window.start.millis() == at * SECOND).map(|m| (m.reading.value(), m.verdict))
    };
    assert_eq!(fixed(50), Some((Some(1.0), None)), "no rule looks at it, and the condition on the past does not");
    let states: Vec<_> = script.alerts().into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["firing", "resolved"]);
    assert_eq!(run(true).effects, script.effects, "the past is part of the state");
}

#[test]
fn last_week_is_the_same_window_seven_days_ago() {
    const WEEK: i64 = 7 * 24 * 3600;
    let mut script = Script::new(with_past(Baseline::LastWeek, tumbling()));
    values(&mut script, 0, 30, 0);
    values(&mut script, 30, 50, 100);
    script.restart();
    values(&mut script, WEEK + 10, WEEK + 40, 0);
    script.finish();
    let known: Vec<_> = trailing(&script).into_iter().filter(|(_, value)| value.is_some()).collect();
    assert_eq!(known, [(WEEK + 10, Some(0.0)), (WEEK + 20, Some(0.0)), (WEEK + 30, Some(1.0))]);
}

#[test]
fn the_order_of_features_never_matters() {
    let run = |turn: usize| {
        let mut script = Script::new(tumbling());
        for n in 0..300usize {
            let known = [("a", n % 7), ("b", n % 11), ("c", n % 13)].map(|(name, value)| (name, Scalar::Number(value as f64)));
            let mut features = known.to_vec();
            if n % 5 == 0 {
                features.remove(n % 3);
            }
            if n % 4 == 0 {
                features.insert(n % 2, ("stranger", Scalar::Number(1.0)));
            }
            // the sample is learned from one order, so that the references are one
            let by = if n < 100 { 0 } else { n * turn % features.len() };
            features.rotate_left(by);
            script.predict(&format!("{n}"), "v1", n as i64 * 100, "1", &features);
        }
        script.finish();
        script.effects
    };
    let in_order = run(0);
    assert!(in_order.iter().any(|e| matches!(e, Effect::Measured(m) if m.subject == Subject::Feature("c".into()))));
    for turn in [1, 2] {
        assert_eq!(run(turn), in_order);
    }
}
