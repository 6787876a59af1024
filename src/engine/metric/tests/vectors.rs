//! Vector columns: the discrepancy against an exact one, and how often chance alone makes it significant.

use super::special::{special_pane, special_reference};
use super::*;
use crate::engine::catalogue::Range;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::{Column, Table};
use crate::engine::reference::vectors::FEATURES;
use crate::engine::summary::VectorSums;
use crate::event::Scalar;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const DIMENSION: usize = 6;

/// `n` normal vectors whose standard deviations fall from dimension to dimension.
fn vectors(seed: u64, n: usize, change: impl Fn(&mut Vec<f64>)) -> Vec<Vec<f64>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut vector = || {
        let mut vector: Vec<f64> = (0..DIMENSION)
            .map(|i| {
                let normal: f64 = StandardNormal.sample(&mut rng);
                normal / (1 + i) as f64
            })
            .collect();
        change(&mut vector);
        vector
    };
    (0..n).map(|_| vector()).collect()
}

fn learned(vectors: &[Vec<f64>]) -> Reference {
    let cells = vectors.iter().map(|v| Scalar::Vector(v.as_slice().into()));
    compile(&Table::new(vec![Column::of("e", cells)]), &CompileSpec::default()).unwrap().reference
}

fn pane(reference: &Reference, window: &[Vec<f64>]) -> InputPane {
    let projection = reference.encodings.vectors[0].projection();
    let (mut sums, mut units) = (VectorSums::default(), Vec::new());
    for vector in window {
        assert!(projection.features(vector, &mut units));
        sums.add(&units);
    }
    let mut counts = reference.inputs[0].column.empty_counts();
    counts.slots[0] = window.len() as u64;
    InputPane { inputs: vec![counts], vectors: vec![sums], ..InputPane::default() }
}

fn mmd(reference: &Reference, window: &[Vec<f64>]) -> Measurement {
    let stream = stream();
    let measured = measure_inputs(&context(&stream, Task::Binary, &[], Some(reference)), &pane(reference, window), &SERVICE);
    reading(&measured, &feature("e"), Metric::Mmd).clone()
}

#[test]
fn what_has_not_changed_is_seldom_significant() {
    let reference = learned(&vectors(1, 1500, |_| {}));
    let p: Vec<f64> = (0..80).map(|i| mmd(&reference, &vectors(100 + i, 200, |_| {})).p_value.unwrap()).collect();
    // 4 expected; 10 or more would have a probability below 1 %
    let below = |level: f64| p.iter().filter(|p| **p < level).count();
    assert!(below(0.05) < 10 && below(0.001) == 0, "{p:?}");
    assert!((25..=55).contains(&below(0.5)), "{p:?}");
}

#[test]
fn a_shift_a_spread_and_swapped_dimensions_are_seen() {
    let reference = learned(&vectors(1, 1500, |_| {}));
    type Change = fn(&mut Vec<f64>);
    let changes: [(&str, Change); 4] = [
        ("shift", |v| v[0] += 0.5),
        ("spread", |v| v.iter_mut().for_each(|x| *x *= 1.5)),
        ("swapped", |v| v.reverse()),
        ("collapsed", |v| v.fill(0.0)),
    ];
    for (name, change) in changes {
        let measured = mmd(&reference, &vectors(7, 400, change));
        assert!(measured.p_value.unwrap() < 1e-4, "{name}: {measured:?}");
        assert_eq!((measured.n_current, measured.n_reference), (400, 1500));
    }
}

#[test]
fn the_order_of_dimensions_does_not_matter_where_both_have_it() {
    let (known, window) = (vectors(1, 800, |_| {}), vectors(7, 300, |v| v[1] += 0.4));
    let turned = |vectors: &[Vec<f64>]| vectors.iter().map(|v| v.iter().rev().copied().collect()).collect::<Vec<Vec<f64>>>();
    let (a, b) = (mmd(&learned(&known), &window), mmd(&learned(&turned(&known)), &turned(&window)));
    let (a, b) = (a.reading.value().unwrap(), b.reading.value().unwrap());
    // other frequencies, so equal but for the error of the features
    assert!((a / b - 1.0).abs() < 0.5, "{a} {b}");
}

#[test]
fn the_value_is_about_the_exact_one() {
    let (known, window) = (vectors(1, 500, |_| {}), vectors(7, 300, |v| v[0] += 1.0));
    let reference = learned(&known);
    let sigma = reference.encodings.vectors[0].sigma;
    let kernel = |a: &[f64], b: &[f64]| (-a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>() / (2.0 * sigma * sigma)).exp();
    let mean = |a: &[Vec<f64>], b: &[Vec<f64>]| {
        a.iter().flat_map(|x| b.iter().map(move |y| (x, y))).map(|(x, y)| kernel(x, y)).sum::<f64>() / (a.len() * b.len()) as f64
    };
    let exact = mean(&known, &known) + mean(&window, &window) - 2.0 * mean(&known, &window);
    let got = mmd(&reference, &window).reading.value().unwrap();
    // the value is a mean over frequencies: its own standard error, four times
    let pane = pane(&reference, &window);
    let (mine, theirs) = (pane.vectors[0].mean().unwrap(), &reference.encodings.vectors[0].mean);
    let by_frequency: Vec<f64> = mine.chunks(2).zip(theirs.chunks(2)).map(|(a, b)| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).collect();
    let n = (FEATURES / 2) as f64;
    let variance = by_frequency.iter().map(|v| (v - got).powi(2)).sum::<f64>() / n;
    assert!((got - exact).abs() < 4.0 * (variance / n).sqrt(), "{got} {exact}");
    assert!(exact > 0.05);
}

/// numpy: X = [[sin(i), cos(2i)] for i < 40], Z = [[sin(3i) + .5, cos(i)] for i < 30], σ the upper of the two middle distances of X, k(A, B) the mean of
/// exp(-‖a-b‖²/2σ²): `k(X, X) + k(Z, Z) - 2*k(X, Z)` is 0.047232072085453325. The features are off by less than 1/√128.
#[test]
fn the_value_is_numpys_within_the_stated_error() {
    let known: Vec<Vec<f64>> = (0..40).map(f64::from).map(|i| vec![i.sin(), (2.0 * i).cos()]).collect();
    let window: Vec<Vec<f64>> = (0..30).map(f64::from).map(|i| vec![(3.0 * i).sin() + 0.5, i.cos()]).collect();
    let reference = learned(&known);
    assert!((reference.encodings.vectors[0].sigma - 1.3962539956927087).abs() < 1e-12);
    let got = mmd(&reference, &window);
    assert!((got.reading.value().unwrap() - 0.047232072085453325).abs() < 0.25 / f64::from(128).sqrt(), "{got:?}");
    assert_eq!(got.error_bound, 0.0, "it is exact for its features");
}

#[test]
fn references_of_one_value_and_of_none() {
    let constant = learned(&vec![vec![3.0, 4.0]; 50]);
    assert_eq!(constant.encodings.vectors[0].trace_of_square, 0.0);
    let same = mmd(&constant, &vec![vec![3.0, 4.0]; 20]);
    assert_eq!((same.reading, same.p_value), (Reading::Value(0.0), Some(1.0)));
    let moved = mmd(&constant, &vec![vec![3.0, 4.5]; 20]);
    assert!(moved.reading.value().unwrap() > 0.1 && moved.p_value.unwrap() < 1e-6, "{moved:?}");
    for (vectors, sigma) in [(vec![vec![0.0; 3]; 9], 1.0), (vec![vec![f64::MAX, -f64::MAX], vec![-f64::MAX, f64::MAX]], f64::MAX)] {
        assert_eq!(learned(&vectors).encodings.vectors[0].sigma, sigma);
    }
    let odd = learned(&[vec![f64::INFINITY, 1.0], vec![1.0, f64::INFINITY]]);
    assert!(odd.encodings.vectors.is_empty());
    assert!(odd.check().is_ok());
    let stream = stream();
    let measured = measure_inputs(&context(&stream, Task::Binary, &[], Some(&odd)), &InputPane::default(), &SERVICE);
    assert_eq!(reading(&measured, &feature("e"), Metric::Mmd).reading, Reading::Undefined(UndefinedReason::NoReference));
}

#[test]
fn rows_may_come_in_any_order_and_odd_ones_are_counted() {
    let mut rows = vectors(1, 60, |_| {});
    let forward = learned(&rows);
    rows.reverse();
    assert_eq!(forward, learned(&rows));
    assert!(forward.check().is_ok());
    let vector = |numbers: &'static [f64]| Scalar::Vector(numbers.into());
    let cells = [
        vector(&[1.0, 2.0]),
        vector(&[1.0]),
        vector(&[2.0, 1.0]),
        Scalar::Null,
        Scalar::Structured,
        vector(&[f64::INFINITY, 1.0]),
        vector(&[0.0, 1.0]),
    ];
    let mixed = compile(&Table::new(vec![Column::of("e", cells)]), &CompileSpec::default()).unwrap().reference;
    let counts = &mixed.inputs[0].column.counts;
    assert_eq!((counts.slots.as_slice(), counts.missing, counts.invalid), ([3].as_slice(), 1, [2, 1, 0, 0]));
    assert_eq!(mixed.inputs[0].column.kind(), ColumnKind::Vector);
}

/// Every case of the suite as numbers, vectors and texts: whatever comes, a reading is finite and within its limits, and another column's is untouched.
#[test]
fn special_columns_in_every_case_of_the_suite() {
    for case in super::conformance::cases().into_iter().filter(|case| !case.reference.is_empty()) {
        let reference = special_reference(&case.reference);
        let pane = special_pane(&reference, case.current.iter());
        let stream = stream();
        let mut measured = measure_inputs(&context(&stream, Task::Binary, &[], Some(&reference)), &pane, &SERVICE);
        share_of_drifted(Some(&reference), &mut measured);
        for metric in [Metric::Mmd, Metric::DriftedShare, Metric::PcaError, Metric::Frechet] {
            let has_vectors = reference.inputs.iter().any(|f| f.column.kind() == ColumnKind::Vector);
            assert!(measured.iter().any(|m| m.metric == metric) || metric == Metric::Mmd && !has_vectors, "{}: {metric:?}", case.name);
        }
        for m in &measured {
            let numbers = m.reading.value().into_iter().chain(m.on_reference).chain(m.p_value);
            assert!(numbers.into_iter().all(|v| v.is_finite() && (v >= 0.0 || m.metric.range() == Range::Real)), "{}: {m:?}", case.name);
            assert!(m.p_value.is_none_or(|p| p <= 1.0), "{}: {m:?}", case.name);
            assert!(m.parts.iter().all(|p| [p.reference, p.current, p.contribution].iter().all(|v| v.is_finite())), "{}: {m:?}", case.name);
        }
        if ["same", "constant", "single both"].contains(&case.name) {
            for m in measured.iter().filter(|m| [Metric::Mmd, Metric::Frechet].contains(&m.metric)) {
                assert!(m.reading.value().is_none_or(|v| v < 1e-9), "{}: {m:?}", case.name);
            }
        }
    }
}
