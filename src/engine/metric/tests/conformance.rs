//! What every metric must keep to, whatever the data.

use super::special::{special_pane, special_reference};
use super::*;
use crate::engine::catalogue::{Family, Range};
use crate::engine::settings::{ColumnKind, CostMatrix};
use crate::engine::summary::{FoundValues, ListValues, RankingSums, ScoreSums, Scores};
use crate::engine::window::Detections;

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

/// A score between 0 and 1 that rises with the value.
fn score(value: f64) -> f64 {
    (value / 5.0).clamp(0.0, 1.0)
}

/// What values let expect of those that follow them; `None` without a pair.
fn expectation(task: Task, seen: &[Seen], prediction: &ColumnReference) -> Option<Expectation> {
    let pairs: Vec<(f64, f64)> = values(seen).zip(values(seen).skip(1)).collect();
    if task == Task::Regression {
        let mut errors = ErrorTable::new(2.0, prediction.bins.clone());
        let Slots::Numeric(cells) = &prediction.slots else { return None };
        pairs.iter().for_each(|(said, truth)| errors.add(cells.cell(*said), said - truth));
        return (!pairs.is_empty()).then_some(Expectation::Numbers(errors));
    }
    if task == Task::Ranking {
        return None;
    }
    let classes: &[&str] = if task == Task::Binary { &["1"] } else { &["0", "1", "2"] };
    let calibration = |&class: &&str| {
        let (mut truth, mut predicted) = (ScoreTable::default(), ScoreTable::default());
        pairs.iter().for_each(|&(said, is)| truth.add(score_cell(score(said)), (is > 2.0) == (class == "1")));
        values(seen).for_each(|said| predicted.add(score_cell(score(said)), (said > 2.0) == (class == "1")));
        ScoreCalibration::fit(class.into(), &truth, predicted)
    };
    classes.iter().map(calibration).collect::<Option<Vec<_>>>().map(Expectation::Classes)
}

/// A model whose inputs, outputs and labels all show the case's values, measured.
fn measure(case: &Case, task: Task) -> Vec<Measurement> {
    measure_with(case, task, &[])
}

/// The same with further inputs, of names between the two that are always there.
pub(super) fn measure_with(case: &Case, task: Task, further: &[(&'static str, ColumnReference)]) -> Vec<Measurement> {
    let classes: Vec<Arc<str>> = if task == Task::Regression { vec![] } else { vec!["0".into(), "1".into(), "2".into()] };
    let answer = |values| if task == Task::Regression { numeric(values) } else { categorical(values) };
    let quality = |seen: &[Seen]| match task {
        Task::Regression => {
            let mut sums = RegressionSums::new(2.5, 1.0);
            values(seen).zip(values(seen).skip(1)).for_each(|(p, y)| sums.add(p, y));
            Quality::Numbers(sums)
        }
        Task::Ranking => {
            let mut sums = RankingSums::default();
            for (p, y) in values(seen).zip(values(seen).skip(1)) {
                let (precision, reciprocal_rank, ndcg, recall) = (score(p), score(y), score(-p), score(-y));
                let of_relevant = (p < y).then_some(FoundValues { ndcg, recall });
                sums.tally(&ListValues { precision, reciprocal_rank, of_relevant }, true);
            }
            Quality::Lists(sums)
        }
        Task::Binary | Task::Multiclass => {
            let mut confusion = Confusion::default();
            values(seen).zip(values(seen).skip(1)).for_each(|(p, y)| confusion.add(u16::from(y > 2.0), u16::from(p > 2.0)));
            Quality::Classes(confusion)
        }
    };
    let scores = |seen: &[Seen]| {
        let mut sums = ScoreSums::default();
        let score = |v: f64| 1.0 / (1.0 + (-v).exp());
        for (p, y) in values(seen).zip(values(seen).skip(1)) {
            let truth = usize::from(y > 2.0);
            match task {
                Task::Binary => sums.tally(&Scores::Positive(score(p)), truth, Some(1), true),
                Task::Multiclass => sums.tally(&Scores::Classes([score(p), score(-p), 0.25].into()), truth, None, true),
                Task::Regression | Task::Ranking => {}
            }
        }
        sums
    };
    let residuals =
        |seen: &[Seen]| numbers(&values(seen).zip(values(seen).skip(1)).map(|(p, y)| p - y).filter(|e| e.is_finite()).collect::<Vec<_>>());
    let outputs = OutputReference {
        classes: classes.clone(),
        prediction: Some(answer(&case.reference)),
        score: Some(numeric(&case.reference)),
        label: Some(answer(&case.reference)),
        scores: scores(&case.reference).tables,
        losses: scores(&case.reference).losses,
        expectation: expectation(task, &case.reference, &answer(&case.reference)),
        residual: (task == Task::Regression).then(|| numeric(&residuals(&case.reference))),
        quality: match quality(&case.reference) {
            Quality::Classes(confusion) => Some(ReferenceQuality::Classes(confusion)),
            Quality::Numbers(sums) => Some(ReferenceQuality::Numbers(sums)),
            Quality::Lists(_) => None,
        },
    };
    let inputs = [vec![("c", categorical(&case.reference))], further.to_vec(), vec![("x", numeric(&case.reference))]].concat();
    let reference = reference(inputs, outputs);
    let n = case.current.len() as u64;
    let over = |column: &Option<ColumnReference>| column.as_ref().map(|c| counts(c, &case.current));
    let mut input = InputPane { requests: n, errors: n / 3, ..InputPane::default() };
    input.inputs = reference.inputs.iter().map(|f| counts(&f.column, &case.current)).collect();
    (input.prediction, input.score) = (over(&reference.outputs.prediction), over(&reference.outputs.score));
    values(&case.current).for_each(|v| input.latency.add(v.abs()));
    for class in 0..if task == Task::Binary { 1 } else { classes.len() } {
        values(&case.current).for_each(|v| input.add_score(class, score_cell(score(v)), v > 2.0));
    }
    let mut outcome = OutcomePane::new(quality(&case.current), over(&reference.outputs.label));
    (outcome.expected, outcome.labelled) = (n, n / 2);
    values(&case.current).for_each(|v| outcome.delay_seconds.add(v.abs()));
    outcome.scores = scores(&case.current);
    outcome.residuals = reference.outputs.residual.as_ref().map(|c| counts(c, &residuals(&case.current)));
    let stream = stream();
    let costs = CostMatrix::Binary { true_positive: 3.0, false_positive: -1.0, true_negative: 0.5, false_negative: -20.0 };
    let thresholds: [Arc<str>; 1] = ["0.3".into()];
    let of_detectors = Metric::ALL.iter().copied().filter(|metric| metric.family() == Family::Detector);
    let detectors: BTreeSet<_> = of_detectors.flat_map(|metric| Signal::ALL.map(|signal| (signal, metric))).collect();
    for &detector in &detectors {
        input.detections.insert(detector, Detections { seen: n, found: n / 4 });
    }
    let ctx = Context {
        costs: Some(&costs),
        each_class: true,
        decision_thresholds: &thresholds,
        detectors: &detectors,
        ..context(&stream, task, &classes, Some(&reference))
    };
    let service = ServiceFacts { requests_of_model: n, seconds: 60.0 };
    (input.duplicates, outcome.last_label) = (n / 2, Some(Timestamp(0)));
    values(&case.current).filter(|v| *v > 0.0).for_each(|v| input.skew_seconds.add(v));
    values(&case.current).for_each(|v| input.new_features.add(&v.to_string()));
    let silence = values(&case.current).next().map(|v| v as i64);
    let data = DataFacts { silence_ms: silence, label_silence_ms: silence };
    [measure_inputs(&ctx, &input, &service), measure_data(&ctx, &input, &data), measure_outcomes(&ctx, &outcome)].concat()
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

/// Residuals here are differences of neighbouring values: theirs is another story.
fn is_drift_of_a_value(m: &Measurement) -> bool {
    distances().any(|d| d == m.metric) && m.subject != Subject::Residual
}

/// Every distance of a single column.
fn distances() -> impl Iterator<Item = Metric> + Clone {
    Metric::ALL.iter().copied().filter(|m| m.family() == Family::Distance && *m != Metric::Mmd)
}

#[test]
fn every_metric_is_measured_in_every_case_and_within_its_limits() {
    let mut seen = MetricSet::default();
    for case in cases() {
        let mut measured: Vec<_> = Task::ALL.iter().flat_map(|&task| measure(&case, task)).collect();
        measured.extend(together(&case));
        measured.extend(segments(&case));
        for &metric in Metric::ALL {
            let of_metric: Vec<_> = measured.iter().filter(|m| m.metric == metric).collect();
            // a reference without a vector has no column of them
            let without = metric == Metric::Mmd && ["reference all missing", "nothing anywhere"].contains(&case.name);
            assert_eq!(of_metric.is_empty(), without, "{}: {metric:?}", case.name);
            seen.insert(metric);
            let (least, most) = limits(metric);
            for m in of_metric {
                let numbers = m.reading.value().into_iter().chain(m.on_reference);
                assert!(numbers.into_iter().all(|v| v.is_finite() && least <= v && v <= most), "{}: {m:?}", case.name);
                assert!(m.error_bound.is_finite() && m.error_bound >= 0.0, "{}: {m:?}", case.name);
                assert!(metric.range() != Range::Unit || m.error_bound <= 1.0, "{}: {m:?}", case.name);
                let is_distance = metric.family() == Family::Distance && m.reading.value().is_some();
                assert!(m.degrees == 0 || is_distance, "{}: {m:?}", case.name);
                assert!(m.p_value.is_none_or(|p| is_distance && (0.0..=1.0).contains(&p)), "{}: {m:?}", case.name);
                // the inputs of the special columns are fewer than ten
                let most_parts = match metric.family() {
                    Family::Distance => 3,
                    Family::Inputs => 10,
                    Family::Data => 50,
                    Family::Fairness => 2,
                    _ => 0,
                };
                assert!(m.parts.len() <= most_parts && (m.parts.is_empty() || m.reading.value().is_some()), "{}: {m:?}", case.name);
                for part in &m.parts {
                    let numbers = [part.reference, part.current, part.contribution];
                    assert!(numbers.iter().all(|v| v.is_finite()) && !part.name.is_empty(), "{}: {m:?}", case.name);
                    // a distance is a sum of what its parts add, but what shrank takes away from these two; an input may have come nearer
                    let signed = matches!(metric, Metric::KullbackLeibler | Metric::MeanShift) || metric.family() != Family::Distance;
                    assert!(part.contribution > 0.0 || signed, "{}: {m:?}", case.name);
                }
                assert!((m.threshold, m.verdict) == (None, None));
                if let Some((low, high)) = m.interval {
                    let value = m.reading.value().expect("an interval is about a value");
                    let slack = m.error_bound + 1e-12 * value.abs();
                    assert!(least <= low && low <= value + slack && value - slack <= high && high <= most, "{}: {m:?}", case.name);
                }
                assert!(m.sigma.is_none_or(|s| s.is_finite() && s >= 0.0), "{}: {m:?}", case.name);
                // which detectors run on what is for the settings to say; here all do
                assert!(m.subject.carries(metric) || metric.family() == Family::Detector, "{}: {m:?}", case.name);
            }
        }
    }
    assert_eq!(seen.iter().count(), Metric::ALL.len());
}

/// All inputs together, vectors and texts.
fn together(case: &Case) -> Vec<Measurement> {
    if case.reference.is_empty() {
        return Vec::new();
    }
    let (reference, stream) = (special_reference(&case.reference), stream());
    let pane = special_pane(&reference, case.current.iter());
    let mut measured = measure_inputs(&context(&stream, Task::Binary, &[], Some(&reference)), &pane, &SERVICE);
    share_of_drifted(Some(&reference), &mut measured);
    measured
}

/// Two segments, each with the case's answers a hundred times over.
fn segments(case: &Case) -> Vec<Measurement> {
    let (stream, classes) = (stream(), classes(&["0", "1"]));
    let segment = |turn: bool| {
        let mut confusion = Confusion::default();
        for (p, y) in values(&case.current).zip(values(&case.current).skip(1)) {
            (0..100).for_each(|_| confusion.add(u16::from(y > 2.0), u16::from((p > 2.0) != turn)));
        }
        OutcomePane::new(Quality::Classes(confusion), None)
    };
    let segments = [("country=DE".into(), segment(false)), ("country=FR".into(), segment(true))];
    measure_fairness(&context(&stream, Task::Binary, &classes, None), &"country".into(), Some(&segments))
}

#[test]
fn the_same_again_is_exactly_no_drift() {
    for case in cases().iter().filter(|c| ["same", "constant", "single both"].contains(&c.name)) {
        for m in Task::ALL.iter().flat_map(|&task| measure(case, task)).filter(is_drift_of_a_value) {
            // its mean without a change is 0, and equal samples lie below that; it takes four values
            if m.metric == Metric::AndersonDarling {
                assert!(m.reading.value().map_or(case.name == "single both", |v| v < 0.0), "{}: {m:?}", case.name);
            } else {
                assert_eq!((m.reading, m.error_bound), (Reading::Value(0.0), 0.0), "{}: {m:?}", case.name);
                assert!(m.parts.is_empty() && m.p_value.is_none_or(|p| p > 0.5), "{}: {m:?}", case.name);
            }
        }
    }
}

#[test]
fn what_moved_is_seen_on_either_side() {
    for case in cases().iter().filter(|c| ["constant moved up", "constant moved down", "disjoint"].contains(&c.name)) {
        let is_documented = |m: &Measurement| is_drift_of_a_value(m) && MetricSet::usual().contains(m.metric);
        for m in Task::ALL.iter().flat_map(|&task| measure(case, task)).filter(is_documented) {
            let value = m.reading.value().unwrap();
            assert!(!m.parts.is_empty(), "{}: {m:?}", case.name);
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
                Metric::LabelSilence => Reading::Undefined(UndefinedReason::NoLabels),
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
        for m in measured.iter().filter(|m| distances().any(|d| d == m.metric)) {
            let want = if [Subject::Label, Subject::Residual].contains(&m.subject) { UndefinedReason::NoLabels } else { reason };
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
        let score: &[&str] = if task == Task::Binary { &["score"] } else { &[] };
        let more: &[&str] = match task {
            Task::Binary => &["quality:0", "quality:1", "quality:2", "quality@0.3"],
            Task::Multiclass => &["quality:0", "quality:1", "quality:2"],
            Task::Regression => &["residual"],
            Task::Ranking => &[],
        };
        // a list is no value of a column
        let (answer, label): (&[&str], &[&str]) = if task == Task::Ranking { (&[], &[]) } else { (&["prediction"], &["label"]) };
        let estimated: &[&str] = if task == Task::Ranking { &[] } else { &["estimated_quality"] };
        let want = [
            &["feature:c", "feature:x", "features"][..],
            answer,
            score,
            estimated,
            &["service", "errors", "latency", "data"],
            label,
            &["quality"],
            more,
        ]
        .concat();
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

#[test]
fn a_move_away_from_a_constant_is_told_by_every_distance_that_has_a_size_for_it() {
    for case in cases().iter().filter(|c| ["constant moved up", "constant moved down"].contains(&c.name)) {
        let measured = measure(case, Task::Regression);
        for metric in distances() {
            let got = reading(&measured, &feature("x"), metric);
            match metric {
                // in spreads of a constant nothing has a size
                Metric::WassersteinScaled | Metric::MeanShift | Metric::MedianShift | Metric::P95Shift => {
                    assert_eq!(got.reading, Reading::Undefined(UndefinedReason::NotInReference), "{}: {got:?}", case.name);
                }
                Metric::Wasserstein => assert_eq!((got.reading, got.error_bound), (Reading::Value(1.0), 0.0), "{}", case.name),
                _ => {
                    assert!(got.reading.value().unwrap() > 0.5, "{}: {got:?}", case.name);
                    assert!(got.p_value.is_none_or(|p| p <= 0.001), "{}: {got:?}", case.name);
                }
            }
        }
    }
}

#[test]
fn what_is_not_wanted_is_not_measured() {
    let (stream, reference) = (stream(), reference(vec![("x", numeric(&numbers(&[1.0, 2.0])))], OutputReference::default()));
    let wanted = [Metric::Wasserstein, Metric::MissingRate].into_iter().collect();
    let ctx = Context { wanted, ..context(&stream, Task::Regression, &[], Some(&reference)) };
    let measured = measure_inputs(&ctx, &InputPane::default(), &SERVICE);
    let of_x: Vec<Metric> = measured.iter().filter(|m| m.subject == feature("x")).map(|m| m.metric).collect();
    assert_eq!(of_x, [Metric::Wasserstein, Metric::MissingRate]);
}
