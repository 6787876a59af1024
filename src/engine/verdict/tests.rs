//! Verdicts as tables; the builders are shared with the tests of alerts.

mod grounds;

use super::*;
use crate::engine::metric::{Measurement, Metric, Reading, Subject, UndefinedReason, Verdict, WindowFacts};
use crate::engine::settings::{ColumnKind, Task};
use crate::event::{ModelKey, Timestamp};
use std::sync::Arc;

/// A condition without any narrowing.
pub(crate) fn condition(subject: &str, metric: Metric, bound: Bound) -> Condition {
    let subject =
        if subject == "feature:*" { SubjectPattern::AnyFeature } else { SubjectPattern::Exactly(Subject::parse(subject).unwrap()) };
    Condition::new(subject, metric, bound)
}

/// A rule that confirms after 2 windows, resolves after 2 at 80 %, notifies, looks at segments and repeats never.
pub(crate) fn rule(name: &str, conditions: Vec<Condition>) -> Rule {
    Rule { title: format!("title of {name}").into(), repeat_ms: None, ..Rule::new(name, conditions) }
}

/// A measurement of 100,000 values against 1,000,000.
pub(crate) fn measurement(subject: &str, metric: Metric, value: f64) -> Measurement {
    let window = WindowFacts { start: Timestamp(0), end: Timestamp(60_000), predictions: 100_000, labels: 100_000, whole: true };
    let subject = Subject::parse(subject).unwrap();
    Measurement {
        n_reference: 1_000_000,
        n_current: 100_000,
        degrees: 9,
        ..Measurement::new(ModelKey::new("fraud", "v1"), window, subject, metric, Reading::Value(value))
    }
}

pub(crate) const ABOVE: fn(f64) -> Bound = |level| Bound::Above(Threshold::Absolute(level));
pub(crate) const BELOW: fn(f64) -> Bound = |level| Bound::Below(Threshold::Absolute(level));

fn no_kinds(_: &Subject) -> Option<ColumnKind> {
    None
}

fn judged(rules: Vec<Rule>, mature: bool, mut measurement: Measurement) -> Measurement {
    let rules: Vec<_> = rules.into_iter().map(Arc::new).collect();
    judge(&rules, Task::Binary, &no_kinds, false, mature, std::slice::from_mut(&mut measurement));
    measurement
}

#[track_caller]
fn check_bound(metric: Metric, bound: Bound, value: f64, verdict: Verdict, standing: Standing) {
    let measurement = measurement("quality", metric, value);
    let rule = rule("quality", vec![condition("quality", metric, bound)]);
    let assessment = assess(&rule, &rule.conditions[0], true, &measurement);
    assert_eq!((assessment.verdict, assessment.standing), (verdict, standing), "{metric:?} {bound:?} {value}");
}

#[test]
fn bounds_and_resolve_levels() {
    use Standing::*;
    check_bound(Metric::ErrorRate, ABOVE(0.10), 0.1001, Verdict::Breach, Breach);
    check_bound(Metric::ErrorRate, ABOVE(0.10), 0.10, Verdict::Ok, Between);
    check_bound(Metric::ErrorRate, ABOVE(0.10), 0.0801, Verdict::Ok, Between);
    check_bound(Metric::ErrorRate, ABOVE(0.10), 0.08, Verdict::Ok, Clear);
    check_bound(Metric::Accuracy, BELOW(0.90), 0.8999, Verdict::Breach, Breach);
    check_bound(Metric::Accuracy, BELOW(0.90), 0.90, Verdict::Ok, Between);
    check_bound(Metric::Accuracy, BELOW(0.90), 0.9199, Verdict::Ok, Between);
    check_bound(Metric::Accuracy, BELOW(0.90), 0.9201, Verdict::Ok, Clear);
    check_bound(Metric::Throughput, BELOW(1000.0), 999.9, Verdict::Breach, Breach);
    check_bound(Metric::Throughput, BELOW(1000.0), 1000.0, Verdict::Ok, Clear);
    check_bound(Metric::R2, BELOW(0.5), 0.5, Verdict::Ok, Clear);
    // an upper bound below zero resolves further down, not above the bound
    check_bound(Metric::R2, ABOVE(-1.0), -1.1, Verdict::Ok, Between);
    check_bound(Metric::R2, ABOVE(-1.0), -1.2, Verdict::Ok, Clear);
    check_bound(Metric::ErrorRate, ABOVE(f64::INFINITY), 1e300, Verdict::Ok, Clear);
}

#[test]
fn grounds_come_in_order() {
    let bound = Bound::Below(Threshold::Reference { factor: 0.9, offset: 0.0, sigmas: 0.0 });
    let mut quality = condition("quality", Metric::R2, bound);
    quality.min_events = 100;
    let rules = || vec![rule("quality", vec![quality.clone()])];
    let mut m = measurement("quality", Metric::R2, 0.1);
    m.n_current = 5;
    m.reading = Reading::Undefined(UndefinedReason::ConstantLabels);
    assert_eq!(judged(rules(), false, m.clone()).verdict, Some(Verdict::Undefined(UndefinedReason::ConstantLabels)));
    m.reading = Reading::Value(0.1);
    let without_reference = judged(rules(), false, m.clone());
    assert_eq!((without_reference.verdict, without_reference.threshold), (Some(Verdict::Undefined(UndefinedReason::NotInReference)), None));
    m.on_reference = Some(0.5);
    let immature = judged(rules(), false, m.clone());
    assert_eq!((immature.verdict, immature.threshold), (Some(Verdict::Immature), Some(0.45)));
    assert_eq!(judged(rules(), true, m.clone()).verdict, Some(Verdict::NotEnough { n: 5, need: 100 }));
    m.n_current = 100;
    assert_eq!(judged(rules(), true, m.clone()).verdict, Some(Verdict::Breach));
    m.reading = Reading::Value(0.45);
    assert_eq!(judged(rules(), true, m).verdict, Some(Verdict::Ok));
}

#[test]
fn maturity_does_not_touch_inputs() {
    let rules = || vec![rule("drift", vec![condition("prediction", Metric::TotalVariation, ABOVE(0.05))])];
    assert_eq!(judged(rules(), false, measurement("prediction", Metric::TotalVariation, 0.06)).verdict, Some(Verdict::Breach));
}

#[test]
fn a_reference_that_is_too_small_is_never_enough() {
    let rules = vec![rule("drift", vec![condition("feature:*", Metric::Psi, ABOVE(0.10))])];
    let mut m = measurement("feature:a", Metric::Psi, 5.0);
    m.n_reference = 100;
    let verdict = judged(rules, true, m).verdict.unwrap();
    assert_eq!(verdict, Verdict::NotEnough { n: 100_000, need: NEVER_ENOUGH });
    assert_eq!(verdict.to_string(), "not_enough (100000 values, the reference is too small for any number)");
}

#[test]
fn the_first_rule_and_condition_that_fit_judge() {
    let first = rule("own", vec![condition("feature:a", Metric::Psi, ABOVE(0.5)), condition("feature:*", Metric::Psi, ABOVE(0.4))]);
    let second = rule("general", vec![condition("feature:*", Metric::Psi, ABOVE(0.1)), condition("feature:*", Metric::Ks, ABOVE(0.1))]);
    let rules = || vec![first.clone(), second.clone()];
    assert_eq!(judged(rules(), true, measurement("feature:a", Metric::Psi, 0.45)).threshold, Some(0.5));
    assert_eq!(judged(rules(), true, measurement("feature:b", Metric::Psi, 0.45)).threshold, Some(0.4));
    assert_eq!(judged(rules(), true, measurement("feature:b", Metric::Ks, 0.45)).threshold, Some(0.1));
    let unseen = judged(rules(), true, measurement("prediction", Metric::Psi, 0.45));
    assert_eq!((unseen.threshold, unseen.verdict), (None, None));
}

#[test]
fn a_bound_that_nothing_reaches_switches_off() {
    let off = rule("off", vec![condition("feature:a", Metric::Psi, ABOVE(f64::INFINITY)), condition("feature:*", Metric::Psi, ABOVE(0.1))]);
    let unseen = judged(vec![off.clone()], true, measurement("feature:a", Metric::Psi, 0.45));
    assert_eq!((unseen.threshold, unseen.verdict), (None, None));
    assert_eq!(judged(vec![off], true, measurement("feature:b", Metric::Psi, 0.45)).verdict, Some(Verdict::Breach));
}

#[test]
fn kind_task_and_segment_narrow() {
    let mut numeric = condition("feature:*", Metric::Psi, ABOVE(0.1));
    numeric.kind = Some(ColumnKind::Numeric);
    let mut target = condition("prediction", Metric::Ks, ABOVE(0.05));
    target.kind = Some(ColumnKind::Numeric);
    let mut regression = condition("quality", Metric::Mae, ABOVE(1.0));
    regression.task = Some(Task::Regression);
    let mut narrow = rule("narrow", vec![numeric, target, regression]);
    narrow.segments = false;
    let kinds = |s: &Subject| (s == &Subject::Feature("n".into())).then_some(ColumnKind::Numeric);
    let fits = |task, is_segment, subject: &str, metric| {
        narrow.condition_for(&Scope { task, kinds: &kinds, is_segment }, &measurement(subject, metric, 0.5)).is_some()
    };
    assert!(fits(Task::Binary, false, "feature:n", Metric::Psi));
    assert!(!fits(Task::Binary, false, "feature:c", Metric::Psi));
    assert!(!fits(Task::Binary, true, "feature:n", Metric::Psi));
    // a target without a known column is of the kind that its task says
    assert!(fits(Task::Regression, false, "prediction", Metric::Ks));
    assert!(!fits(Task::Binary, false, "prediction", Metric::Ks));
    assert!(fits(Task::Regression, false, "quality", Metric::Mae));
    assert!(!fits(Task::Binary, false, "quality", Metric::Mae));
}

#[test]
fn names_are_stable() {
    assert_eq!(Aspect::ALL.map(Aspect::as_str), ["inputs", "outcomes"]);
    assert_eq!(Significance::ALL.map(Significance::as_str), ["untested", "chance", "within_noise", "significant"]);
    assert_eq!(Aspect::of(&Subject::Data, Metric::LabelCoverage), Aspect::Outcomes);
    assert_eq!(Aspect::of(&Subject::Score, Metric::Psi), Aspect::Inputs);
}
