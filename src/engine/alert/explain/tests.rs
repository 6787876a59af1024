//! What is said of a column, of the prediction and of segments, from readings.

use super::*;
use crate::engine::metric::{Reading, UndefinedReason, WindowFacts};
use crate::engine::reference::Direction;
use crate::engine::settings::Task;
use crate::engine::verdict::Aspect;
use crate::engine::window::StreamKey;
use crate::event::{ModelKey, Timestamp};

const WINDOW: WindowFacts = WindowFacts { start: Timestamp(0), end: Timestamp(60_000), predictions: 100, labels: 0, whole: true };

fn x() -> Subject {
    Subject::Feature("x".into())
}

fn reading(subject: Subject, metric: Metric, value: f64, on_reference: Option<f64>) -> Measurement {
    Measurement { on_reference, ..Measurement::new(ModelKey::new("m", "v1"), WINDOW, subject, metric, Reading::Value(value)) }
}

fn part(name: &str, reference: f64, current: f64) -> Part {
    Part { name: name.into(), reference, current, contribution: (current - reference).abs() }
}

fn worst(subject: Subject, metric: Metric) -> Worst {
    Worst {
        subject,
        metric,
        value: 0.4,
        threshold: 0.1,
        above: true,
        n_current: 100,
        against: Baseline::Reference,
        reference: None,
        parts: vec![part("below 3", 0.5, 0.2), part("above 9", 0.1, 0.3), part("3 to 9", 0.4, 0.5)],
        share: 1.0,
    }
}

/// Values went up, and one segment has all of it.
struct Known;

impl Insight for Known {
    fn movement(&self, _: &Subject) -> Option<Movement> {
        Some(Movement { direction: Direction::Up, means: Some((1.0, 2.0)) })
    }

    fn segments(&self, worst: &Worst) -> Vec<SegmentShare> {
        vec![SegmentShare { segment: "country=DE".into(), value: worst.value, rows: 0.5, contribution: worst.value * 0.5 }]
    }

    fn parts(&self, _: &Measurement) -> Vec<Part> {
        Vec::new()
    }
}

fn explain(worst: &[Worst], measurements: &[Measurement], insight: &dyn Insight) -> Option<Explanation> {
    let stream = StreamKey { model: ModelKey::new("m", "v1"), segment: None };
    let judged = Judged {
        stream: &stream,
        aspect: Aspect::Inputs,
        window: WINDOW,
        rules: &[],
        task: Task::Binary,
        kinds: &|_| None,
        measurements,
        insight,
    };
    Explanation::of(worst, &judged)
}

const MOVED_UP: CauseKind = CauseKind::Moved(Movement { direction: Direction::Up, means: Some((1.0, 2.0)) });

/// What is tried, the breaching metric, the column's readings with those of the reference, what is said.
type Case<'a> = (&'a str, Metric, &'a [(Metric, f64, Option<f64>)], CauseKind);

#[test]
fn a_cause_is_what_the_columns_own_rates_say_and_else_a_movement() {
    use Metric::{Constant, InvalidRate, MissingRate, NewCategoryRate, OutOfRangeRate, Psi};
    let null = |reference, current| CauseKind::NullSurge { reference, current };
    let cases: &[Case<'_>] = &[
        ("nothing but the distance", Psi, &[(Psi, 0.4, None)], MOVED_UP),
        ("nulls by 6 points", Psi, &[(MissingRate, 0.07, Some(0.01))], null(Some(0.01), 0.07)),
        ("nulls by exactly 5 points", Psi, &[(MissingRate, 0.05, Some(0.0))], MOVED_UP),
        ("as many nulls as ever", Psi, &[(MissingRate, 0.50, Some(0.49))], MOVED_UP),
        ("fewer nulls", Psi, &[(MissingRate, 0.10, Some(0.49))], MOVED_UP),
        ("nulls without a reference", Psi, &[(MissingRate, 0.30, None)], MOVED_UP),
        ("nulls are what breached", MissingRate, &[(MissingRate, 0.03, None)], null(None, 0.03)),
        ("nulls before new values", Psi, &[(NewCategoryRate, 0.3, None), (MissingRate, 0.2, Some(0.0))], null(Some(0.0), 0.2)),
        (
            "the breach before a surge",
            NewCategoryRate,
            &[(MissingRate, 0.2, Some(0.0)), (NewCategoryRate, 0.02, None)],
            CauseKind::NewValues { rate: 0.02 },
        ),
        ("unusable", Psi, &[(InvalidRate, 0.2, Some(0.0))], CauseKind::InvalidSurge { reference: Some(0.0), current: 0.2 }),
        ("stuck", Psi, &[(Constant, 1.0, Some(0.0))], CauseKind::Stuck),
        ("not stuck", Psi, &[(Constant, 0.0, Some(0.0))], MOVED_UP),
        ("new names", Psi, &[(NewCategoryRate, 0.12, None)], CauseKind::NewValues { rate: 0.12 }),
        ("few new names", Psi, &[(NewCategoryRate, 0.04, None)], MOVED_UP),
        ("out of range", Psi, &[(OutOfRangeRate, 0.06, Some(0.0))], CauseKind::NewValues { rate: 0.06 }),
    ];
    for (name, metric, readings, want) in cases {
        let mut measurements: Vec<_> = readings.iter().map(|&(metric, value, known)| reading(x(), metric, value, known)).collect();
        // another feature's nulls are not this one's
        measurements.push(reading(Subject::Feature("y".into()), MissingRate, 1.0, Some(0.0)));
        let explanation = explain(&[worst(x(), *metric)], &measurements, &Known).unwrap();
        let kinds: Vec<_> = explanation.causes.iter().map(|cause| cause.kind).collect();
        assert_eq!(kinds, [*want], "{name}");
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    assert_eq!(explain(&[worst(x(), Metric::Psi)], &[], &()), None, "no movement is known");
    assert_eq!(explain(&[worst(Subject::Service, Metric::LatencyP95)], &[], &()), None);
    let against = Worst { against: Baseline::PreviousWindow, ..worst(x(), Metric::Psi) };
    assert_eq!(explain(&[against], &[], &Known).unwrap().causes, [], "the movement is that from the reference");
    let undefined = Measurement {
        reading: Reading::Undefined(UndefinedReason::NoData),
        on_reference: Some(0.0),
        ..reading(x(), Metric::MissingRate, 0.0, None)
    };
    assert_eq!(explain(&[worst(x(), Metric::MissingRate)], &[undefined], &()), None);
}

#[test]
fn three_columns_are_explained_each_once() {
    let feature = |name: &str, metric| worst(Subject::Feature(name.into()), metric);
    let entries = [
        worst(Subject::Quality, Metric::Accuracy),
        feature("a", Metric::Psi),
        feature("a", Metric::Ks),
        feature("b", Metric::Psi),
        feature("c", Metric::Psi),
        feature("d", Metric::Psi),
    ];
    let causes = explain(&entries, &[], &Known).unwrap().causes;
    let names: Vec<_> = causes.iter().map(|cause| cause.subject.to_string()).collect();
    assert_eq!(names, ["feature:a", "feature:b", "feature:c"]);
}

#[test]
fn the_part_that_grew_most_is_named_and_a_shrunk_one_where_none_grew() {
    let named = |parts: Vec<Part>, others: Vec<Part>| {
        let entry = Worst { parts, ..worst(x(), Metric::Ks) };
        let other = Measurement { parts: others, ..reading(x(), Metric::Psi, 0.1, None) };
        explain(&[entry], &[other], &Known).unwrap().causes[0].part.as_ref().map(|part| part.name.to_string())
    };
    assert_eq!(named(worst(x(), Metric::Ks).parts, vec![]).as_deref(), Some("above 9"));
    assert_eq!(named(vec![part("up to 3", 0.5, 0.2)], vec![part("above 9", 0.1, 0.2)]).as_deref(), Some("above 9"));
    assert_eq!(named(vec![part("up to 3", 0.5, 0.2)], vec![]).as_deref(), Some("up to 3"));
    assert_eq!(named(vec![], vec![]), None);
}

#[test]
fn the_prediction_has_moved_where_it_is_judged_to_be_beyond_its_bound() {
    let of = |metric, value, verdict| Measurement { threshold: Some(0.05), verdict, ..reading(Subject::Prediction, metric, value, None) };
    let (tv, psi) = (Metric::TotalVariation, Metric::Psi);
    let moved = |metric, value, moved| Some(Moved { metric, value, threshold: 0.05, moved });
    let few = Some(Verdict::NotEnough { n: 3, need: 9 });
    for (measurements, want) in [
        (vec![], None),
        (vec![of(tv, 0.08, None)], None),
        (vec![of(tv, 0.08, few)], None),
        (vec![of(tv, 0.04, Some(Verdict::Ok))], moved(tv, 0.04, false)),
        (vec![of(tv, 0.08, Some(Verdict::NotSignificant))], moved(tv, 0.08, false)),
        (vec![of(tv, 0.08, Some(Verdict::Breach))], moved(tv, 0.08, true)),
        (vec![of(tv, 0.06, Some(Verdict::Breach)), of(psi, 0.09, Some(Verdict::NotSignificant))], moved(tv, 0.06, true)),
        (vec![of(tv, 0.01, Some(Verdict::Ok)), of(psi, 0.02, Some(Verdict::Ok))], moved(psi, 0.02, false)),
    ] {
        assert_eq!(explain(&[worst(x(), psi)], &measurements, &Known).unwrap().prediction, want);
    }
    let breach = [of(tv, 0.08, Some(Verdict::Breach))];
    let about_prediction = explain(&[worst(Subject::Prediction, tv)], &breach, &Known).unwrap();
    assert_eq!(about_prediction.prediction, None, "the alert says it already");
    let latency = explain(&[worst(Subject::Service, Metric::LatencyP95)], &breach, &Known).unwrap();
    assert_eq!(latency.prediction, None, "a slow answer moves no prediction");
}

#[test]
fn two_clocks_speak_in_turn_and_segments_are_those_of_the_worst() {
    let of = |subjects: &[Subject], insight: &dyn Insight| {
        let entries: Vec<_> = subjects.iter().map(|subject| worst(subject.clone(), Metric::Psi)).collect();
        explain(&entries, &[], insight)
    };
    let (inputs, outcomes) = (of(&[x(), Subject::Score, Subject::Prediction], &Known), of(&[Subject::Label], &Known));
    let names = |first: &Option<Explanation>, second: &Option<Explanation>| {
        let joined = Explanation::joined([first.as_ref(), second.as_ref()].into_iter()).unwrap();
        (joined.causes.iter().map(|cause| cause.subject.to_string()).collect::<Vec<_>>(), joined.segments.len())
    };
    assert_eq!(names(&outcomes, &inputs), (vec!["label".into(), "feature:x".into(), "score".into()], 1));
    assert_eq!(names(&None, &outcomes), (vec!["label".into()], 0), "its segments are not those of the worst reading");
    assert_eq!(Explanation::joined([None, None].into_iter()), None);
}
