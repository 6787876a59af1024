use super::*;
use crate::engine::reference::Variation;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::Column;
use crate::engine::summary::ColumnCounts;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// A stationary stream of numbers whose neighbours correlate by `rho`: x' = ρx + √(1−ρ²)·noise, each value standard normal.
struct Stream {
    random: ChaCha8Rng,
    rho: f64,
    value: f64,
}

impl Stream {
    fn new(rho: f64, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let value = StandardNormal.sample(&mut random);
        Self { random, rho, value }
    }

    fn next(&mut self) -> f64 {
        let noise: f64 = StandardNormal.sample(&mut self.random);
        self.value = self.rho * self.value + (1.0 - self.rho * self.rho).sqrt() * noise;
        self.value
    }

    fn take(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.next()).collect()
    }
}

const HOUR: i64 = 3_600_000;

fn spec() -> CalibrationSpec {
    CalibrationSpec { window_ms: HOUR, task: None, positive: None, numeric: Vec::new(), costly: MetricSet::all() }
}

/// A reference of one feature `x`, `n` rows an hour; calibrated.
fn reference(values: &[f64], n: usize, timed: bool) -> Reference {
    let mut table = Table::new(vec![Column::of("x", values.iter().map(|&v| Scalar::Number(v)))]);
    if timed {
        (0..values.len()).for_each(|row| table.times.push(&Scalar::Number((row as i64 * HOUR / n as i64) as f64)));
    }
    let mut reference = compile(&table, &CompileSpec::default()).unwrap().reference;
    calibrate(&mut reference, &table, &spec());
    reference
}

fn x() -> Subject {
    Subject::Feature("x".into())
}

/// Everything about a live window of `x`.
fn live(reference: &Reference, values: &[f64]) -> Vec<Measurement> {
    let mut counts = reference.inputs[0].column.empty_counts();
    reference.inputs[0].column.count_numbers(values, &mut counts);
    let pane = InputPane { requests: values.len() as u64, inputs: vec![counts], ..InputPane::default() };
    measure(
        reference,
        &spec(),
        MetricSet::all(),
        &pane,
        &OutcomePane::new(crate::engine::window::Quality::Classes(Default::default()), None),
    )
}

/// Share of `windows` live windows of `n` values that are above their floor.
fn above(reference: &Reference, stream: &mut Stream, windows: usize, n: usize, metric: Metric) -> f64 {
    let column = &reference.inputs[0].column;
    let mut over = 0;
    for _ in 0..windows {
        let mut counts: ColumnCounts = column.empty_counts();
        column.count_numbers(&stream.take(n), &mut counts);
        let value = match metric {
            Metric::Psi => {
                crate::stats::psi(&column.binned(&column.counts), &column.binned(&counts), crate::stats::Smoothing::Jeffreys).unwrap().value
            }
            _ => crate::stats::ks(&column.counts.slots, &counts.slots).unwrap().distance,
        };
        let floor =
            reference.calibration.as_ref().unwrap().normal(&x(), metric, n as u64, column.counts.valid()).unwrap().noise_floor.unwrap();
        over += usize::from(value > floor);
    }
    over as f64 / windows as f64
}

#[test]
fn stationary_windows_stay_below_the_floor_and_without_one_would_not() {
    for metric in [Metric::Psi, Metric::Ks] {
        let mut stream = Stream::new(0.9, 7);
        let reference = reference(&stream.take(60_000), 1000, true);
        let calibration = reference.calibration.as_ref().unwrap();
        assert_eq!((calibration.window_ms, calibration.windows), (HOUR, 60));
        let floor = calibration.normal(&x(), metric, 1000, 60_000).unwrap().noise_floor.unwrap();
        assert!(floor > 0.1, "the documented bound alone would be breached by chance: {metric:?} {floor}");
        assert!(above(&reference, &mut stream, 1000, 1000, metric) <= 0.001, "{metric:?}");
        let typical = calibration.figures[&(x(), metric)].max;
        assert!(typical > 0.1 && floor < 3.0 * typical, "{metric:?}: {floor}, windows of the reference up to {typical}");
    }
}

#[test]
fn independent_values_have_a_floor_that_hides_nothing() {
    for timed in [true, false] {
        let reference = reference(&Stream::new(0.0, 7).take(80_000), 5000, timed);
        let calibration = reference.calibration.as_ref().unwrap();
        assert_eq!((calibration.windows, calibration.window_ms), (16, if timed { HOUR } else { 0 }));
        for (metric, most) in [(Metric::Psi, 0.05), (Metric::Ks, 0.05), (Metric::TotalVariation, 0.05)] {
            let floor = calibration.normal(&x(), metric, 5000, 80_000).unwrap().noise_floor.unwrap();
            assert!(floor < most, "{metric:?}: {floor}");
        }
    }
}

#[test]
fn blocks_scale_to_windows_of_any_size() {
    // blocks of 5,000 rows, windows of 1,000 and of 20,000
    for rho in [0.0, 0.6] {
        let mut stream = Stream::new(rho, 11);
        let reference = reference(&stream.take(80_000), 5000, false);
        for (n, windows) in [(1000, 400), (20_000, 40)] {
            for metric in [Metric::Psi, Metric::Ks] {
                assert!(above(&reference, &mut stream, windows, n, metric) <= 0.0025, "{metric:?} {rho} {n}");
            }
        }
    }
}

#[test]
fn the_hour_of_the_day_is_normal() {
    // the mean goes up and down by half a standard deviation each day
    let daily = |stream: &mut Stream, hours: usize| -> Vec<f64> {
        let shift = |row: usize| 0.5 * (std::f64::consts::TAU * (row / 500) as f64 / 24.0).sin();
        (0..hours * 500).map(|row| stream.next() + shift(row)).collect()
    };
    let mut stream = Stream::new(0.0, 3);
    let reference = reference(&daily(&mut stream, 14 * 24), 500, true);
    let week = daily(&mut stream, 7 * 24);
    for hour in week.chunks(500) {
        for m in live(&reference, hour).iter().filter(|m| matches!(m.metric, Metric::Psi | Metric::Ks)) {
            assert!(m.reading.value() <= m.noise_floor, "{m:?}");
        }
    }
    let peak =
        week.chunks(500).flat_map(|hour| live(&reference, hour)).filter_map(|m| m.reading.value().filter(|_| m.metric == Metric::Psi));
    assert!(peak.fold(0.0, f64::max) > 0.2, "which a fixed bound takes for drift");
}

#[test]
fn a_live_window_says_what_is_normal() {
    let reference = reference(&Stream::new(0.6, 5).take(20_000), 1000, true);
    let half = live(&reference, &Stream::new(0.6, 6).take(500));
    let psi = half.iter().find(|m| m.metric == Metric::Psi).unwrap();
    let figure = reference.calibration.as_ref().unwrap().figures[&(x(), Metric::Psi)];
    let by = (1.0 / 500.0 + 1.0 / 20_000.0) / (1.0 / 1000.0 + 1.0 / 20_000.0);
    let near = |got: Option<f64>, expected: f64| assert!((got.unwrap() / expected - 1.0).abs() < 1e-12, "{got:?} {expected}");
    near(psi.noise_floor, figure.ceiling * by);
    near(psi.on_reference, figure.mean * by);
    near(psi.sigma, figure.std * by);
    let missing = half.iter().find(|m| m.metric == Metric::MissingRate).unwrap();
    assert_eq!((missing.on_reference, missing.noise_floor), (Some(0.0), None));
    assert!(missing.sigma.unwrap() > 0.0, "no window without a null says that there is never one");
}

/// A binary model that is right in nine of ten rows, and its answers' reference.
fn classifier(hours: usize, n: usize) -> (Table, CompileSpec) {
    let mut stream = Stream::new(0.0, 1);
    let rows = hours * n;
    let truth: Vec<bool> = (0..rows).map(|_| stream.next() > 1.0).collect();
    let said: Vec<bool> = truth.iter().map(|&truth| truth != (stream.next() > 1.2816)).collect();
    let class = |flag: &bool| Scalar::Text(if *flag { "yes".into() } else { "no".into() });
    let mut table = Table::new(vec![Column::of("prediction", said.iter().map(class)), Column::of("label", truth.iter().map(class))]);
    (0..rows).for_each(|row| table.times.push(&Scalar::Number((row as i64 * HOUR / n as i64) as f64)));
    (table, CompileSpec::default())
}

#[test]
fn quality_varies_by_its_sampling_error_and_per_class() {
    let (table, compile_spec) = classifier(100, 400);
    let compiled = compile(&table, &compile_spec).unwrap();
    let mut reference = compiled.reference;
    calibrate(&mut reference, &table, &CalibrationSpec { task: compiled.task, ..spec() });
    let calibration = reference.calibration.as_ref().unwrap();
    let of_class = |class: &str, metric| calibration.figures[&(Subject::ClassQuality(class.into()), metric)];
    let accuracy = of_class("yes", Metric::Accuracy);
    assert_eq!((accuracy.windows, accuracy.n), (100, 400));
    assert!((accuracy.mean - 0.9).abs() < 0.01 && (accuracy.std - f64::sqrt(0.09 / 400.0)).abs() < 0.003, "{accuracy:?}");
    let (yes, no) = (of_class("yes", Metric::Precision).mean, of_class("no", Metric::Precision).mean);
    assert!(yes < 0.7 && no > 0.95, "{yes} {no}");

    // and a live window finds the figures of the class that its configuration calls positive
    let stream = StreamKey { model: ModelKey::new("m", "v"), segment: None };
    let rows: Vec<usize> = (0..100).collect();
    let (inputs, outcomes) = Rows::new(&reference, &table, &spec()).count(&rows, true);
    let window = WindowFacts { start: Timestamp(0), end: Timestamp(HOUR), predictions: inputs.requests, labels: 100, whole: true };
    for (positive, class) in ["no", "yes"].into_iter().enumerate() {
        let ctx = Context {
            stream: &stream,
            window,
            task: Task::Binary,
            positive: Some(positive),
            classes: &reference.outputs.classes,
            reference: Some(&reference),
            learning: false,
            wanted: MetricSet::usual(),
            estimate: false,
            beta: 2.0,
            costs: None,
            each_class: false,
            decision_thresholds: &[],
            detectors: &Default::default(),
            names_parts: true,
        };
        let measured = measure_outcomes(&ctx, &outcomes);
        let precision = measured.iter().find(|m| m.metric == Metric::Precision).unwrap();
        let figure = of_class(class, Metric::Precision);
        let expected = figure.std * (figure.n as f64 / precision.n_current as f64).sqrt();
        assert!((precision.sigma.unwrap() - expected).abs() < 1e-12, "about a quarter of the rows, about twice the spread");
        assert!((1.5..2.8).contains(&(expected / figure.std)), "{expected}");
    }
}

/// The figure of `subject` after calibration of a table with a prediction, a label and these further columns.
fn figure(table: &mut Table, task: Task, positive: Option<&str>, subject: Subject, metric: Metric) -> Option<Variation> {
    (0..table.rows).for_each(|row| table.times.push(&Scalar::Number((row as i64 * HOUR / 400) as f64)));
    let mut reference = compile(table, &CompileSpec { task: Some(task), ..CompileSpec::default() }).unwrap().reference;
    calibrate(&mut reference, table, &CalibrationSpec { task: Some(task), positive: positive.map(Into::into), ..spec() });
    reference.calibration.unwrap().figures.get(&(subject, metric)).copied()
}

#[test]
fn scores_and_residuals_are_calibrated_too() {
    let mut stream = Stream::new(0.0, 9);
    let n = 40 * 400;
    // what comes true is a coin with the score as its probability: the expected Brier score is the mean of p(1 − p)
    let scores: Vec<f64> = (0..n).map(|i| [0.1, 0.3, 0.9][i % 3]).collect();
    let truth: Vec<bool> = scores.iter().map(|&p| f64::midpoint(1.0, two_sided(stream.next())) < p).collect();
    let class = |flag: bool| Scalar::Text(if flag { "yes".into() } else { "no".into() });
    let columns = |names: [(&str, bool); 2]| {
        let mut columns = vec![
            Column::of("prediction", scores.iter().map(|&p| class(p > 0.5))),
            Column::of("label", truth.iter().map(|&truth| class(truth))),
        ];
        columns.extend(
            names.iter().map(|&(name, yes)| Column::of(name, scores.iter().map(|&p| Scalar::Number(if yes { p } else { 1.0 - p })))),
        );
        Table::new(columns)
    };
    let brier = (0.09 + 0.21 + 0.09) / 3.0;
    let mut binary = columns([("score", true), ("score_no", false)]);
    let found = figure(&mut binary, Task::Binary, Some("yes"), Subject::ClassQuality("yes".into()), Metric::Brier).unwrap();
    assert!((found.mean - brier).abs() < 0.01 && found.std > 0.0 && found.n == 400, "{found:?}");
    let mut several = columns([("score_yes", true), ("score_no", false)]);
    let found = figure(&mut several, Task::Multiclass, None, Subject::Quality, Metric::LogLoss).unwrap();
    let log_loss = [0.1f64, 0.3, 0.9].iter().map(|p| -p * p.ln() - (1.0 - p) * (1.0 - p).ln()).sum::<f64>() / 3.0;
    assert!((found.mean - log_loss).abs() < 0.02 && found.n == 400, "{found:?}");

    let mut numbers = Table::new(vec![
        Column::of("prediction", (0..n).map(|i| Scalar::Number((i % 50) as f64 + stream.next()))),
        Column::of("label", (0..n).map(|i| Scalar::Number((i % 50) as f64))),
    ]);
    let found = figure(&mut numbers, Task::Regression, None, Subject::Residual, Metric::Ks).unwrap();
    assert!(found.ceiling < 0.15 && found.n == 400, "{found:?}");
}

/// 2Φ(z) − 1, so that half of one plus it is uniform: by the series of Φ.
fn two_sided(z: f64) -> f64 {
    let mut term = z;
    let mut sum = z;
    for i in 1..200 {
        term *= z * z / f64::from(2 * i + 1);
        sum += term;
    }
    2.0 * sum * (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt()
}

#[test]
fn a_sample_of_the_traffic_hides_nothing_of_it() {
    // a reference of 40 rows an hour, live windows of 4,000
    let quiet = reference(&Stream::new(0.0, 21).take(20_000), 40, true);
    let floor = |reference: &Reference, metric, n| {
        reference.calibration.as_ref().unwrap().normal(&x(), metric, n, 20_000).unwrap().noise_floor.unwrap()
    };
    for (metric, most) in [(Metric::Psi, 0.1), (Metric::Ks, 0.12)] {
        assert!(floor(&quiet, metric, 40) > 0.25 && floor(&quiet, metric, 4_000) < most, "{metric:?} {}", floor(&quiet, metric, 4_000));
    }
    // where hours differ by a standard deviation each way, that stays
    let mut stream = Stream::new(0.0, 22);
    let daily: Vec<f64> = (0..20_000).map(|row| stream.next() + if row / 40 % 24 < 12 { -1.0 } else { 1.0 }).collect();
    let daily = reference(&daily, 40, true);
    assert!(floor(&daily, Metric::Psi, 4_000) > 0.6 && floor(&daily, Metric::Ks, 4_000) > 0.3);
}

#[test]
fn rows_sorted_by_a_column_do_not_calibrate_it() {
    let sorted = Column::of("sorted", (0..8000).map(|i| Scalar::Number(f64::from(i))));
    let country = Column::of("country", (0..8000).map(|i| Scalar::Text(["AT", "BE", "CH", "DE"][i / 2000].into())));
    let x = Column::of("x", Stream::new(0.0, 2).take(8000).into_iter().map(Scalar::Number));
    let table = Table::new(vec![sorted, country, x]);
    let mut reference = compile(&table, &CompileSpec::default()).unwrap().reference;
    calibrate(&mut reference, &table, &spec());
    let subjects: BTreeSet<String> = reference.calibration.unwrap().figures.keys().map(|(subject, _)| subject.to_string()).collect();
    assert_eq!(subjects.into_iter().collect::<Vec<_>>(), ["feature:x"]);
}

#[test]
fn every_figure_is_a_number_and_only_of_what_rows_can_say() {
    let values: Vec<f64> = Stream::new(0.0, 4).take(4000).into_iter().map(|v| (v * 3.0).round() * 1e300).collect();
    let mut table = Table::new(vec![
        Column::of("huge", values.iter().map(|&v| if v == 0.0 { Scalar::Null } else { Scalar::Number(v) })),
        Column::of("constant", values.iter().map(|_| Scalar::Number(0.1))),
        Column::of("empty", values.iter().map(|_| Scalar::Null)),
        Column::of("text", values.iter().map(|v| Scalar::Text(format!("{v}").into()))),
    ]);
    (0..4000).for_each(|row| table.times.push(&Scalar::Number(f64::from(row))));
    let compile_spec = CompileSpec { numeric: vec!["text".into()], ..CompileSpec::default() };
    let mut reference = compile(&table, &compile_spec).unwrap().reference;
    let calibration_spec = CalibrationSpec { window_ms: 200, numeric: compile_spec.numeric.clone(), ..spec() };
    calibrate(&mut reference, &table, &calibration_spec);
    assert_eq!(reference.check(), Ok(()));
    let calibration = reference.calibration.as_ref().unwrap();
    let of = |name: &str, metric| calibration.figures.get(&(Subject::Feature(name.into()), metric)).copied();
    assert_eq!(of("constant", Metric::Psi).map(|v| (v.max, v.ceiling)), Some((0.0, 0.0)));
    assert_eq!(of("empty", Metric::Psi), None);
    assert_eq!(of("empty", Metric::MissingRate).map(|v| v.mean), Some(1.0));
    assert_eq!(of("text", Metric::Psi).map(|v| v.windows), Some(20), "names are read as the compiler read them");
    assert!(calibration.figures.keys().all(|(subject, metric)| *subject != Subject::Service && is_calibrated(*metric)));
    let mut torn = reference.clone();
    torn.calibration.as_mut().unwrap().windows += 1;
    assert!(torn.check().unwrap_err().starts_with("its id is"), "the id covers the calibration");
}

#[test]
fn too_few_rows_calibrate_nothing() {
    let reference = reference(&Stream::new(0.0, 1).take(200), 100, true);
    assert_eq!((reference.calibration.as_ref(), reference.check()), (None, Ok(())));
}

mod together;
