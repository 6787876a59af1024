//! Scores and segments through the whole engine.

use super::script::{self, SECOND, Script};
use crate::engine::catalogue::{Metric, Subject};
use crate::engine::metric::{Reading, UndefinedReason};
use crate::engine::settings::{NewVersion, Settings};
use crate::engine::verdict::{Bound, SubjectPattern, Threshold};
use std::sync::Arc;

fn fairness() -> Subject {
    Subject::Fairness("country".into())
}

/// Windows of 100 s kept apart by country, and a rule on the difference of recall.
fn settings(segments: &[&str]) -> Settings {
    let mut settings = script::settings();
    (settings.window.size_ms, settings.window.slide_ms) = (100 * SECOND, 100 * SECOND);
    let mut model = (*settings.models[0]).clone();
    model.segments = segments.iter().map(|&s| s.into()).collect();
    model.new_version = NewVersion::Learn { rows: 50 };
    let mut rule = (*script::rule(
        "recall-gap",
        SubjectPattern::Exactly(fairness()),
        Metric::RecallDifference,
        Bound::Above(Threshold::Absolute(0.3)),
    ))
    .clone();
    rule.conditions[0].min_events = 0;
    model.metrics.insert(Metric::RecallDifference);
    model.rules = vec![Arc::new(rule)];
    settings.models = vec![Arc::new(model)];
    settings
}

/// Two countries by turns, half of the labels positive: in DE every positive is found, in FR every second one once `unfair`.
fn traffic(script: &mut Script, from: i64, to: i64, unfair: bool) {
    for n in from * 10..to * 10 {
        let (country, positive) = (["DE", "FR"][n as usize % 2], n / 2 % 2 == 0);
        let missed = unfair && country == "FR" && n / 4 % 2 == 0;
        let said = if positive && !missed { "1" } else { "0" };
        script.predict(&format!("{n}"), "v1", n * 100, said, &[("country", script::text(country))]);
        script.label(&format!("{n}"), n * 100, if positive { "1" } else { "0" });
    }
}

#[test]
fn a_gap_between_segments_fires_and_names_them() {
    let mut script = Script::new(settings(&["country"]));
    traffic(&mut script, 0, 100, false);
    traffic(&mut script, 100, 400, true);
    script.finish();
    assert_eq!(script.reading(0, &fairness(), Metric::RecallDifference), Some(0.0));
    assert_eq!(script.reading(200_000, &fairness(), Metric::RecallDifference), Some(0.5));
    let measured: Vec<_> = script.measurements().filter(|m| m.subject == fairness()).cloned().collect();
    assert!(measured.iter().all(|m| m.segment.is_none() && m.metric == Metric::RecallDifference), "{measured:?}");
    let last = measured.last().unwrap();
    let parts: Vec<_> = last.parts.iter().map(|p| &*p.name).collect();
    assert_eq!(parts, ["country=DE (500 labels)", "country=FR (500 labels)"]);
    assert!(last.interval.is_some_and(|(from, to)| 0.4 < from && to < 0.6), "{last:?}");
    let states: Vec<_> = script.alerts().into_iter().map(|(state, _)| state).collect();
    assert_eq!(states.first().copied(), Some("pending"), "{states:?}");
    assert!(states.contains(&"firing"));
}

#[test]
fn a_feature_that_windows_are_not_kept_apart_by_says_so() {
    let mut script = Script::new(settings(&[]));
    traffic(&mut script, 0, 100, true);
    script.finish();
    let readings: Vec<_> = script.measurements().filter(|m| m.subject == fairness()).map(|m| m.reading).collect();
    assert!(!readings.is_empty() && readings.iter().all(|&r| r == Reading::Undefined(UndefinedReason::NotConfigured)), "{readings:?}");
}

#[test]
fn nobody_asked_nothing_is_compared() {
    let mut settings = settings(&["country"]);
    let mut model = (*settings.models[0]).clone();
    model.metrics = crate::engine::catalogue::MetricSet::usual();
    model.rules.clear();
    settings.models = vec![Arc::new(model)];
    let mut script = Script::new(settings);
    traffic(&mut script, 0, 100, true);
    script.finish();
    assert!(script.measurements().all(|m| !matches!(m.subject, Subject::Fairness(_))));
}
