//! What every metric must keep to, whatever the data.

use super::*;
use crate::engine::catalogue::Range;
use crate::engine::settings::ColumnKind;

pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) reference: Vec<Seen>,
    pub(super) current: Vec<Seen>,
}

pub(super) fn cases() -> Vec<Case> {
    let case = |name, reference: &[f64], current: &[f64]| Case { name, reference: numbers(reference), current: numbers(current) };
    let some = [1.0, 2.0, 3.0, 4.0];
    vec![
        case("empty", &some, &[]),
        case("single", &some, &[3.0]),
        case("single both", &[3.0], &[3.0]),
        case("same", &some, &some),
        case("constant", &[4.0; 20], &[4.0; 20]),
        case("constant moved up", &[4.0; 20], &[5.0; 20]),
        case("constant moved down", &[4.0; 20], &[3.0; 20]),
        case("disjoint", &some, &[-9.0, -8.0, 11.0]),
        case("huge", &[-1e300, 0.0, 1e300], &[1e300, 1.7e308, -1.7e308]),
        case("huge on both sides", &[f64::MAX, f64::MIN], &[f64::MIN, f64::MIN]),
        case("subnormal", &[5e-324, 1e-310, 0.0], &[-5e-324, 5e-324, 2e-310]),
        Case { name: "all missing", reference: numbers(&some), current: vec![Seen::Missing; 30] },
        Case { name: "all invalid", reference: numbers(&some), current: vec![Seen::Invalid; 30] },
        Case { name: "reference all missing", reference: vec![Seen::Missing; 9], current: numbers(&some) },
        Case { name: "nothing anywhere", reference: vec![], current: vec![] },
    ]
}

fn values(seen: &[Seen]) -> impl Iterator<Item = f64> + Clone {
    seen.iter().filter_map(|v| if let Seen::Number(v) = v { Some(*v) } else { None })
}

/// A model whose inputs, outputs and labels all show the case's values, measured.
fn measure(case: &Case, task: Task) -> Vec<Measurement> {
    let classes: Vec<Arc<str>> = if task == Task::Regression { vec![] } else { vec!["0".into(), "1".into(), "2".into()] };
    let answer = |values| if task == Task::Regression { numeric(values) } else { categorical(values) };
    let quality = |seen: &[Seen]| match task {
        Task::Regression => {
            let mut sums = RegressionSums::new(2.5, 1.0);
            values(seen).zip(values(seen).skip(1)).for_each(|(p, y)| sums.add(p, y));
            Quality::Numbers(sums)
        }
        Task::Binary | Task::Multiclass => {
            let mut confusion = Confusion::default();
            values(seen).zip(values(seen).skip(1)).for_each(|(p, y)| confusion.add(u16::from(y > 2.0), u16::from(p > 2.0)));
            Quality::Classes(confusion)
        }
    };
    let outputs = OutputReference {
        classes: classes.clone(),
        prediction: Some(answer(&case.reference)),
        score: Some(numeric(&case.reference)),
        label: Some(answer(&case.reference)),
        scores: Vec::new(),
        quality: Some(match quality(&case.reference) {
            Quality::Classes(confusion) => ReferenceQuality::Classes(confusion),
            Quality::Numbers(sums) => ReferenceQuality::Numbers(sums),
        }),
    };
    let reference = reference(vec![("c", categorical(&case.reference)), ("x", numeric(&case.reference))], outputs);
    let n = case.current.len() as u64;
    let over = |column: &Option<ColumnReference>| column.as_ref().map(|c| counts(c, &case.current));
    let mut input = InputPane { requests: n, errors: n / 3, ..InputPane::default() };
    input.inputs = reference.inputs.iter().map(|f| counts(&f.column, &case.current)).collect();
    (input.prediction, input.score) = (over(&reference.outputs.prediction), over(&reference.outputs.score));
    values(&case.current).for_each(|v| input.latency.add(v.abs()));
    let mut outcome = OutcomePane::new(quality(&case.current), over(&reference.outputs.label));
    (outcome.expected, outcome.labelled) = (n, n / 2);
    values(&case.current).for_each(|v| outcome.delay_seconds.add(v.abs()));
    let stream = stream();
    let ctx = context(&stream, task, &classes, Some(&reference));
    let service = ServiceFacts { requests_of_model: n, seconds: 60.0 };
    [measure_inputs(&ctx, &input, &service), measure_outcomes(&ctx, &outcome)].concat()
}

fn limits(metric: Metric) -> (f64, f64) {
    match (metric, metric.range()) {
        (Metric::R2, _) => (f64::MIN, 1.0),
        (_, Range::Unit) => (0.0, 1.0),
        (_, Range::Correlation) => (-1.0, 1.0),
        (_, Range::NonNegative) => (0.0, f64::MAX),
        (_, Range::Real) => (f64::MIN, f64::MAX),
    }
}

const DRIFT: [Metric; 3] = [Metric::Psi, Metric::Ks, Metric::TotalVariation];

#[test]
fn every_metric_is_measured_in_every_case_and_within_its_limits() {
    for case in cases() {
        let measured: Vec<_> = Task::ALL.iter().flat_map(|&task| measure(&case, task)).collect();
        for metric in MetricSet::usual().iter() {
            let of_metric: Vec<_> = measured.iter().filter(|m| m.metric == metric).collect();
            assert!(!of_metric.is_empty(), "{}: {metric:?}", case.name);
            let (least, most) = limits(metric);
            for m in of_metric {
                let numbers = m.reading.value().into_iter().chain(m.on_reference);
                assert!(numbers.into_iter().all(|v| v.is_finite() && least <= v && v <= most), "{}: {m:?}", case.name);
                assert!((0.0..=1.0).contains(&m.error_bound), "{}: {m:?}", case.name);
                assert!(m.degrees == 0 || m.reading.value().is_some() && DRIFT.contains(&metric), "{}: {m:?}", case.name);
                assert!((m.threshold, m.p_value, m.verdict) == (None, None, None));
            }
        }
    }
}

#[test]
fn the_same_again_is_exactly_no_drift() {
    for case in cases().iter().filter(|c| ["same", "constant", "single both"].contains(&c.name)) {
        for m in Task::ALL.iter().flat_map(|&task| measure(case, task)).filter(|m| DRIFT.contains(&m.metric)) {
            assert_eq!((m.reading, m.error_bound), (Reading::Value(0.0), 0.0), "{}: {m:?}", case.name);
        }
    }
}

#[test]
fn what_moved_is_seen_on_either_side() {
    for case in cases().iter().filter(|c| ["constant moved up", "constant moved down", "disjoint"].contains(&c.name)) {
        for m in Task::ALL.iter().flat_map(|&task| measure(case, task)).filter(|m| DRIFT.contains(&m.metric)) {
            let value = m.reading.value().unwrap();
            let least = if m.metric == Metric::Psi || case.name == "disjoint" { 0.5 } else { 1.0 };
            assert!(value >= least, "{}: {m:?}", case.name);
        }
    }
}

#[test]
fn an_empty_window_has_no_reading_but_its_throughput() {
    for task in Task::ALL {
        for m in measure(&cases()[0], task) {
            let want = match m.metric {
                Metric::Throughput => Reading::Value(0.0),
                // the hand-made reference has no covariance
                Metric::PcaError | Metric::Frechet => Reading::Undefined(UndefinedReason::NotInReference),
                _ => Reading::Undefined(UndefinedReason::NoData),
            };
            assert_eq!(m.reading, want, "{m:?}");
            assert_eq!(m.n_current, 0, "{m:?}");
        }
    }
}

#[test]
fn without_a_usable_value_there_is_no_drift_reading() {
    for (name, reason, rate) in
        [("all missing", UndefinedReason::NoData, Metric::MissingRate), ("all invalid", UndefinedReason::NoData, Metric::InvalidRate)]
    {
        let case = cases().into_iter().find(|c| c.name == name).unwrap();
        let measured = measure(&case, Task::Regression);
        for m in measured.iter().filter(|m| DRIFT.contains(&m.metric)) {
            let want = if m.subject == Subject::Label { UndefinedReason::NoLabels } else { reason };
            assert_eq!(m.reading, Reading::Undefined(want), "{name}: {m:?}");
        }
        assert_eq!(reading(&measured, &feature("x"), rate).reading, Reading::Value(1.0));
    }
}

#[test]
fn order_is_by_subject_then_metric_and_nothing_is_said_twice() {
    for task in Task::ALL {
        let measured = measure(&cases()[3], task);
        let mut subjects: Vec<_> = measured.iter().map(|m| m.subject.to_string()).collect();
        subjects.dedup();
        let classes: &[&str] = if task == Task::Multiclass { &["quality:0", "quality:1", "quality:2"] } else { &[] };
        let score: &[&str] = if task == Task::Binary { &["score"] } else { &[] };
        let want = [&["feature:c", "feature:x", "features", "prediction"][..], score, &["service", "label", "quality"], classes].concat();
        assert_eq!(subjects, want);
        for pair in measured.windows(2).filter(|pair| pair[0].subject == pair[1].subject) {
            assert!(pair[0].metric < pair[1].metric, "{:?} {:?}", pair[0], pair[1]);
        }
    }
}

#[test]
fn a_column_of_the_reference_decides_its_kind() {
    let reference = reference(vec![], OutputReference { prediction: Some(numeric(&numbers(&[1.0, 2.0]))), ..OutputReference::default() });
    assert_eq!(reference.outputs.prediction.as_ref().map(ColumnReference::kind), Some(ColumnKind::Numeric));
    let stream = stream();
    let measured = measure_inputs(&context(&stream, Task::Binary, &[], Some(&reference)), &InputPane::default(), &SERVICE);
    assert!(measured.iter().any(|m| m.subject == Subject::Prediction && m.metric == Metric::Ks));
}
