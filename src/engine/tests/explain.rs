//! Why an alert fires, through the whole engine: nulls, values that moved with the prediction, segments.

use super::script::{Script, text};
use super::tumbling;
use crate::engine::alert::{AlertFacts, CauseKind, Explanation};
use crate::engine::catalogue::{Family, MetricSet};
use crate::engine::metric::{Measurement, Metric, Subject};
use crate::engine::reference::Direction;
use crate::engine::settings::{NewVersion, ReferencePolicy, Settings};
use crate::engine::verdict::{Bound, Condition, Rule, SubjectPattern, Threshold};
use crate::event::Scalar;
use std::sync::Arc;

fn rule(name: &str, subject: SubjectPattern, metrics: &[Metric], bound: Bound) -> Arc<Rule> {
    let conditions = metrics.iter().map(|&metric| Condition::new(subject.clone(), metric, bound)).collect();
    Arc::new(Rule { confirm: 2, segments: false, repeat_ms: Some(20_000), ..Rule::new(name, conditions) })
}

/// A model with segments by country, and rules on features, the prediction and accuracy.
fn explained() -> Settings {
    let above = |level| Bound::Above(Threshold::Absolute(level));
    let mut settings = tumbling();
    let mut model = (*settings.models[0]).clone();
    model.segments = vec!["country".into()];
    model.metrics = MetricSet::all();
    (model.reference, model.new_version) = (ReferencePolicy::Learn { rows: 200 }, NewVersion::Learn { rows: 200 });
    model.rules = vec![
        rule("features", SubjectPattern::AnyFeature, &[Metric::Ks, Metric::MissingRate], above(0.25)),
        rule("prediction", SubjectPattern::Exactly(Subject::Prediction), &[Metric::TotalVariation], above(0.2)),
        rule("quality", SubjectPattern::Exactly(Subject::Quality), &[Metric::Accuracy], Bound::Below(Threshold::Absolute(0.9))),
    ];
    settings.models = vec![Arc::new(model)];
    settings
}

/// Twenty predictions a second, of which one in four is of France; `event` says feature, prediction and label of the nth (in time, of both countries).
fn run(seconds: i64, event: impl Fn(i64, &str) -> (Scalar<'static>, &'static str, &'static str)) -> Script {
    let mut script = Script::new(explained());
    tell(&mut script, seconds, event);
    script
}

fn tell(script: &mut Script, seconds: i64, event: impl Fn(i64, &str) -> (Scalar<'static>, &'static str, &'static str)) {
    for n in 0..seconds * 20 {
        let (at, country) = (n * 50, if n % 4 == 0 { "FR" } else { "DE" });
        let (value, prediction, label) = event(n, country);
        script.predict(&n.to_string(), "v1", at, prediction, &[("x", value), ("country", text(country))]);
        script.label(&n.to_string(), at, label);
    }
}

/// The first step to firing of the rule.
fn fired(script: &Script, rule: &str) -> AlertFacts {
    let step = |effect: &super::Effect| match effect {
        super::Effect::Alert(t) if &*t.facts.rule == rule && t.facts.state.as_str() == "firing" => Some(t.facts.clone()),
        _ => None,
    };
    script.effects.iter().find_map(step).unwrap()
}

fn usual(n: i64) -> Scalar<'static> {
    Scalar::Number((n % 19) as f64)
}

fn even(n: i64) -> &'static str {
    if n / 2 % 2 == 0 { "1" } else { "0" }
}

fn segments(explanation: &Explanation) -> Vec<(&str, f64)> {
    explanation.segments.iter().map(|share| (&*share.segment, share.rows)).collect()
}

#[test]
fn a_null_surge_is_told_as_one_with_the_segment_that_has_it() {
    let mut script = run(60, |n, country| {
        let missing = n >= 400 && (country == "FR" || n % 3 == 0);
        (if missing { Scalar::Null } else { usual(n) }, even(n), even(n))
    });
    let facts = fired(&script, "features");
    assert_eq!((facts.worst.len(), facts.worst[0].metric, facts.worst[0].share), (1, Metric::MissingRate, 1.0));
    assert_eq!(facts.worst[0].reference, Some(0.0));
    let explanation = facts.explanation.unwrap();
    let causes: Vec<_> = explanation.causes.iter().map(|cause| (cause.subject.to_string(), cause.kind)).collect();
    let [(subject, CauseKind::NullSurge { reference: Some(reference), current })] = causes.as_slice() else { panic!("{causes:?}") };
    assert_eq!((subject.as_str(), *reference), ("feature:x", 0.0));
    assert!((current - 0.5).abs() < 0.01, "{current}");
    let moved = explanation.prediction.unwrap();
    assert!(!moved.moved && moved.metric == Metric::TotalVariation && moved.threshold == 0.2, "{moved:?}");
    assert_eq!(segments(&explanation), [("country=DE", 0.75), ("country=FR", 0.25)], "a third of 75 % is as much as all of 25 %");
    assert_eq!(explanation.segments[1].value, 1.0);

    // the explanation is part of the state
    let before = script.evaluator.state().alerts.clone();
    script.restart();
    assert_eq!(script.evaluator.state().alerts, before);
    let again = script.evaluator.state().alerts.firing().find(|facts| &*facts.rule == "features").and_then(|f| f.explanation.clone());
    assert!(again.is_some_and(|now| now.causes[0].subject == explanation.causes[0].subject));
}

#[test]
fn values_that_moved_up_in_one_segment_and_the_prediction_with_them() {
    let script = run(60, |n, country| {
        let moved = n >= 400 && country == "DE";
        let x = if moved { Scalar::Number((n % 19 / 2 + 9) as f64) } else { usual(n) };
        (x, if n >= 400 && n % 20 != 3 { "1" } else { even(n) }, "1")
    });
    let facts = fired(&script, "features");
    let explanation = facts.explanation.as_ref().unwrap();
    let cause = &explanation.causes[0];
    let CauseKind::Moved(movement) = cause.kind else { panic!("{cause:?}") };
    assert_eq!(movement.direction, Direction::Up);
    let (before, now) = movement.means.unwrap();
    assert!((before - 9.0).abs() < 1.0 && now > before + 2.0, "{before} {now}");
    assert!(cause.part.as_ref().is_some_and(|part| part.current > part.reference), "{cause:?}");
    assert!(explanation.prediction.unwrap().moved, "{:?}", explanation.prediction);
    assert_eq!(explanation.segments[0].segment, "country=DE".into());
    assert!(explanation.segments[0].contribution > 3.0 * explanation.segments[1].contribution, "{:?}", explanation.segments);

    let prediction = fired(&script, "prediction").explanation.unwrap();
    assert_eq!(prediction.prediction, None);
    let CauseKind::Moved(movement) = prediction.causes[0].kind else { panic!("{prediction:?}") };
    assert_eq!((movement.direction, movement.means), (Direction::Shares, None));
    assert_eq!(prediction.causes[0].part.as_ref().map(|part| (&*part.name, part.current)), Some(("1", 0.95)));
}

#[test]
fn segments_are_ranked_by_the_errors_that_they_add() {
    let script = run(60, |n, country| {
        let wrong = if country == "FR" { n % 8 == 0 } else { n % 12 == 1 };
        (usual(n), even(n), if (even(n) == "1") == (n < 200 || !wrong) { "1" } else { "0" })
    });
    let facts = fired(&script, "quality");
    let explanation = facts.explanation.unwrap();
    assert_eq!((explanation.causes.len(), explanation.prediction), (0, None));
    assert_eq!(segments(&explanation), [("country=FR", 0.25), ("country=DE", 0.75)]);
    let shares: f64 = explanation.segments.iter().map(|share| share.contribution).sum();
    assert!((shares - (1.0 - facts.worst[0].value)).abs() < 1e-9, "together they are all errors: {shares} {}", facts.worst[0].value);
}

#[test]
fn a_pending_alert_is_not_explained_and_a_resolved_one_keeps_its_worst_window() {
    let script = run(100, |n, _| (if (400..1000).contains(&n) { Scalar::Null } else { usual(n) }, even(n), even(n)));
    let steps: Vec<(&str, bool)> = script
        .effects
        .iter()
        .filter_map(|effect| match effect {
            super::Effect::Alert(t) if &*t.facts.rule == "features" => Some((t.facts.state.as_str(), t.facts.explanation.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(steps, [("pending", false), ("firing", true), ("resolved", true)]);
}

#[test]
fn alerts_name_the_same_parts_whether_all_measurements_do_or_not() {
    let event = |n: i64, country: &str| match (n >= 600, country) {
        (true, "FR") => (Scalar::Number((n % 7) as f64), "1", "0"),
        (true, _) => (Scalar::Number(((n % 19) + 9) as f64), "1", if n % 3 == 0 { "0" } else { "1" }),
        _ => (usual(n), if n % 2 == 0 { "1" } else { "0" }, if n % 2 == 0 { "1" } else { "0" }),
    };
    let [every, few] = [true, false].map(|all_parts| {
        let mut script = Script::new(explained());
        if all_parts {
            script.evaluator.name_all_parts();
        }
        tell(&mut script, 90, event);
        script.finish();
        script
    });
    let steps = |script: &Script| -> Vec<AlertFacts> {
        let step = |effect: &super::Effect| if let super::Effect::Alert(t) = effect { Some(t.facts.clone()) } else { None };
        script.effects.iter().filter_map(step).collect()
    };
    assert_eq!(steps(&every), steps(&few));
    assert!(steps(&few).iter().any(|facts| facts.worst.iter().any(|worst| !worst.parts.is_empty())), "some are named");
    let n_named = |script: &Script| script.measurements().filter(|m| m.metric.family() == Family::Distance && !m.parts.is_empty()).count();
    assert!(n_named(&every) > 100 && n_named(&few) == 0);
    let without_parts =
        |script: &Script| -> Vec<Measurement> { script.measurements().map(|m| Measurement { parts: Vec::new(), ..m.clone() }).collect() };
    assert_eq!(without_parts(&every), without_parts(&few));
}
