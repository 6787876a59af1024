use super::*;
use crate::engine::reference::compile::moments;
use crate::engine::reference::{Categories, Cells, ColumnReference, FeatureReference, OutputReference, ReferenceQuality, Slots};
use crate::engine::reference::{ErrorTable, Expectation, ScoreCalibration};
use crate::engine::settings::ColumnKind;
use crate::engine::summary::{ColumnCounts, Confusion, RegressionSums, ScoreTable, score_cell};
use crate::engine::window::Quality;
use crate::event::{InvalidReason, ModelKey, Scalar, Timestamp};

mod acceptance;
mod conformance;
mod coverage;
mod data;
mod detectors;
mod estimate;
mod fairness;
mod figures;
mod golden;
mod golden_peers;
mod golden_quality;
mod golden_quality_peers;
mod golden_vectors;
mod measured;
mod multivariate;
mod outcomes;
mod parts;
mod properties;
mod real;
mod special;
mod vectors;

/// One value of a column, as a shard would have understood it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen {
    Number(f64),
    Missing,
    Invalid,
}

/// Counts of values over a numeric column's cells, or over the names of a categorical one (a number by its text).
fn counts(column: &ColumnReference, values: &[Seen]) -> ColumnCounts {
    let mut counts = column.empty_counts();
    for value in values {
        match (value, &column.slots) {
            (Seen::Number(v), Slots::Numeric(_)) => column.count(column.place(&Scalar::Number(*v)), &mut counts),
            (Seen::Number(v), Slots::Categorical(names)) => counts.add(names.slot(&v.to_string())),
            (Seen::Number(_), Slots::Vector(_)) => counts.add(0),
            (Seen::Number(v), Slots::Hashed(buckets)) => counts.add((v.abs() as usize) % buckets),
            (Seen::Missing, _) => counts.missing += 1,
            (Seen::Invalid, _) => counts.add_invalid(InvalidReason::NonFinite),
        }
    }
    counts
}

fn numbers(values: &[f64]) -> Vec<Seen> {
    values.iter().map(|&v| Seen::Number(v)).collect()
}

/// A numeric column with every reference value a point, and a bin of its own for each cell.
fn numeric(reference: &[Seen]) -> ColumnReference {
    let points = reference.iter().filter_map(|v| if let Seen::Number(v) = v { Some(*v) } else { None }).collect();
    let cells = Cells::new(points, true);
    column((0..cells.n_cells() as u16).collect(), Slots::Numeric(cells), reference)
}

/// A categorical column that keeps every name of the reference.
fn categorical(reference: &[Seen]) -> ColumnReference {
    let names = reference.iter().filter_map(|v| if let Seen::Number(v) = v { Some(v.to_string().into()) } else { None }).collect();
    let names = Categories::new(names, vec![], false);
    column((0..names.n_slots() as u16).collect(), Slots::Categorical(names), reference)
}

fn column(bins: Vec<u16>, slots: Slots, reference: &[Seen]) -> ColumnReference {
    let n_bins = bins.iter().max().map_or(0, |bin| bin + 1);
    let mut values: Vec<f64> = reference.iter().filter_map(|v| if let Seen::Number(v) = v { Some(v + 0.0) } else { None }).collect();
    values.sort_by(f64::total_cmp);
    let moments = if matches!(slots, Slots::Numeric(_)) { moments(&values) } else { None };
    let mut column = ColumnReference { slots, counts: ColumnCounts::new(bins.len()), bins, n_bins, moments };
    column.counts = counts(&column, reference);
    column
}

fn reference(inputs: Vec<(&str, ColumnReference)>, outputs: OutputReference) -> Reference {
    let inputs = inputs.into_iter().map(|(name, column)| FeatureReference { name: name.into(), column }).collect();
    Reference { id: "reference".into(), rows: 100, inputs, outputs, calibration: None, encodings: Default::default() }
}

fn stream() -> StreamKey {
    StreamKey { model: ModelKey::new("fraud", "v1"), segment: None }
}

/// No detector runs.
static NO_DETECTORS: BTreeSet<(Signal, Metric)> = BTreeSet::new();

fn context<'a>(stream: &'a StreamKey, task: Task, classes: &'a [Arc<str>], reference: Option<&'a Reference>) -> Context<'a> {
    let window = WindowFacts { start: Timestamp(0), end: Timestamp(60_000), predictions: 0, labels: 0, whole: true };
    let positive = classes.iter().position(|class| &**class == "1");
    Context {
        stream,
        window,
        task,
        positive,
        classes,
        reference,
        learning: false,
        wanted: MetricSet::all(),
        estimate: true,
        beta: 2.0,
        costs: None,
        each_class: false,
        decision_thresholds: &[],
        detectors: &NO_DETECTORS,
        names_parts: true,
    }
}

const SERVICE: ServiceFacts = ServiceFacts { requests_of_model: 1200, seconds: 60.0 };

#[track_caller]
fn reading<'a>(measurements: &'a [Measurement], subject: &Subject, metric: Metric) -> &'a Measurement {
    measurements.iter().find(|m| m.subject == *subject && m.metric == metric).expect("the metric is measured on the subject")
}

fn feature(name: &str) -> Subject {
    Subject::Feature(name.into())
}

#[test]
fn service_figures() {
    let (stream, mut pane) = (stream(), InputPane { requests: 1000, errors: 20, ..InputPane::default() });
    (1..=980).for_each(|ms| pane.latency.add(f64::from(ms)));
    let mut ctx = context(&stream, Task::Binary, &[], None);
    let of = |ctx: &Context<'_>, metric| reading(&measure_inputs(ctx, &pane, &SERVICE), &Subject::Service, metric).clone();
    assert_eq!(of(&ctx, Metric::Throughput).reading, Reading::Value(20.0));
    assert_eq!(of(&ctx, Metric::ErrorRate).reading, Reading::Value(0.02));
    let p95 = of(&ctx, Metric::LatencyP95);
    assert!((p95.reading.value().unwrap() - 931.0).abs() < 9.31, "{p95:?}");
    assert_eq!(p95.n_current, 980);
    ctx.window.whole = false;
    assert_eq!(of(&ctx, Metric::Throughput).reading, Reading::Undefined(UndefinedReason::PartialWindow));
    let segment = StreamKey { segment: Some("country=DE".into()), ..stream.clone() };
    ctx.stream = &segment;
    let measurements = measure_inputs(&ctx, &pane, &SERVICE);
    assert!(measurements.iter().all(|m| m.metric != Metric::Throughput && m.segment == segment.segment));
}

#[test]
fn nulls_and_invalid_values_have_rates_and_stay_out_of_distributions() {
    let seen = [numbers(&[1.0, 2.0]), vec![Seen::Missing; 5], vec![Seen::Invalid; 3]].concat();
    let known = [numbers(&[1.0, 2.0]), vec![Seen::Missing; 2]].concat();
    let reference = reference(vec![("c", categorical(&known)), ("x", numeric(&known))], OutputReference::default());
    let inputs = reference.inputs.iter().map(|f| counts(&f.column, &seen)).collect();
    let stream = stream();
    let measurements =
        measure_inputs(&context(&stream, Task::Binary, &[], Some(&reference)), &InputPane { inputs, ..InputPane::default() }, &SERVICE);
    for name in ["c", "x"] {
        let missing = reading(&measurements, &feature(name), Metric::MissingRate);
        assert_eq!((missing.reading, missing.on_reference), (Reading::Value(0.5), Some(0.5)));
        assert_eq!((missing.n_current, missing.n_reference), (10, 4));
        assert_eq!(reading(&measurements, &feature(name), Metric::InvalidRate).reading, Reading::Value(0.3));
        let psi = reading(&measurements, &feature(name), Metric::Psi);
        assert_eq!((psi.reading, psi.n_current, psi.n_reference, psi.degrees), (Reading::Value(0.0), 2, 2, 1));
    }
}

#[test]
fn a_new_category_is_a_bin_and_a_rate_of_its_own() {
    let reference = reference(vec![("c", categorical(&numbers(&[1.0, 1.0, 2.0, 2.0])))], OutputReference::default());
    let inputs = vec![counts(&reference.inputs[0].column, &[numbers(&[1.0, 2.0, 7.0, 8.0]), vec![Seen::Missing]].concat())];
    let stream = stream();
    let measurements =
        measure_inputs(&context(&stream, Task::Binary, &[], Some(&reference)), &InputPane { inputs, ..InputPane::default() }, &SERVICE);
    let rate = reading(&measurements, &feature("c"), Metric::NewCategoryRate);
    assert_eq!((rate.reading, rate.n_current), (Reading::Value(0.5), 4));
    let distance = reading(&measurements, &feature("c"), Metric::TotalVariation);
    assert_eq!((distance.reading, distance.degrees), (Reading::Value(0.5), 2));
}

#[test]
fn counts_over_other_slots_cost_only_their_own_column() {
    let values = numbers(&[1.0, 2.0, 3.0]);
    let reference = reference(vec![("bad", numeric(&values)), ("good", numeric(&values))], OutputReference::default());
    let inputs = vec![ColumnCounts { slots: vec![9; 99], ..ColumnCounts::new(0) }, counts(&reference.inputs[1].column, &values)];
    let stream = stream();
    let measurements =
        measure_inputs(&context(&stream, Task::Binary, &[], Some(&reference)), &InputPane { inputs, ..InputPane::default() }, &SERVICE);
    assert_eq!(reading(&measurements, &feature("bad"), Metric::Ks).reading, Reading::Undefined(UndefinedReason::NoData));
    assert_eq!(reading(&measurements, &feature("good"), Metric::Ks).reading, Reading::Value(0.0));
}

#[test]
fn without_a_reference_each_output_says_why_and_inputs_say_nothing() {
    let stream = stream();
    for (learning, reason) in [(false, UndefinedReason::NoReference), (true, UndefinedReason::Learning)] {
        for task in Task::ALL {
            let ctx = Context { learning, ..context(&stream, task, &[], None) };
            let measurements = measure_inputs(&ctx, &InputPane { requests: 5, ..InputPane::default() }, &SERVICE);
            let drift: Vec<_> = measurements.iter().filter(|m| m.subject != Subject::Service).collect();
            assert!(drift.iter().all(|m| m.reading == Reading::Undefined(reason) && m.reference.is_none()));
            let without = |s: &Subject| matches!(s, Subject::Features | Subject::Prediction | Subject::Score | Subject::EstimatedQuality);
            assert!(drift.iter().all(|m| without(&m.subject)));
            assert_eq!(drift.iter().any(|m| m.subject == Subject::Score), task == Task::Binary);
        }
    }
}

#[test]
fn a_reference_without_values_is_no_reference() {
    let reference = reference(vec![("x", numeric(&[Seen::Missing, Seen::Missing]))], OutputReference::default());
    let inputs = vec![counts(&reference.inputs[0].column, &numbers(&[1.0]))];
    let stream = stream();
    let measurements =
        measure_inputs(&context(&stream, Task::Binary, &[], Some(&reference)), &InputPane { inputs, ..InputPane::default() }, &SERVICE);
    for metric in [Metric::Psi, Metric::Ks, Metric::TotalVariation] {
        let got = reading(&measurements, &feature("x"), metric);
        assert_eq!((got.reading, got.degrees), (Reading::Undefined(UndefinedReason::NoReference), 0));
    }
    assert_eq!(reading(&measurements, &feature("x"), Metric::MissingRate).on_reference, Some(1.0));
}

fn classes(names: &[&str]) -> Vec<Arc<str>> {
    names.iter().map(|&n| n.into()).collect()
}

/// A pane of the given matrix (rows are labels), all expected labels there.
fn pane(matrix: &[&[u64]]) -> OutcomePane {
    let mut confusion = Confusion::default();
    for (label, row) in matrix.iter().enumerate() {
        for (predicted, &n) in row.iter().enumerate() {
            (0..n).for_each(|_| confusion.add(label as u16, predicted as u16));
        }
    }
    let n = confusion.total();
    OutcomePane { expected: n, labelled: n, ..OutcomePane::new(Quality::Classes(confusion), None) }
}
