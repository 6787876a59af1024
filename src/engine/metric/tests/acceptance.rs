//! What users of other tools complained about, one test a complaint, as far as it concerns a single column. The threads are named beside each.

use super::*;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::{Column, Table};

/// A column compiled from values as a reference file would be.
fn compiled(values: &[f64], cells: usize) -> ColumnReference {
    let column = Column::of("x", values.iter().map(|&v| Scalar::Number(v)));
    let table = Table::new(vec![column]);
    let spec = CompileSpec { cells, numeric: vec!["x".into()], ..CompileSpec::default() };
    compile(&table, &spec).unwrap().reference.inputs[0].column.clone()
}

fn compared(column: &ColumnReference, metric: Metric, values: &[f64]) -> crate::engine::reference::Comparison {
    column.compare(metric, &column.counts, &counts(column, &numbers(values))).unwrap()
}

fn shares() -> [Metric; 6] {
    [Metric::Psi, Metric::TotalVariation, Metric::JensenShannon, Metric::Hellinger, Metric::KullbackLeibler, Metric::LInfinity]
}

/// A heavy-tailed sample without chance: quantiles of a Pareto distribution.
fn heavy(n: u32) -> Vec<f64> {
    (0..n).map(|i| ((f64::from(i) + 0.5) / f64::from(n)).recip().powf(1.2)).collect()
}

/// 1. evidently#1400: `n_bins` had no effect, and equal-width bins over both samples hid a shift of a heavy-tailed feature.
#[test]
fn bins_belong_to_the_reference_and_their_number_has_effect() {
    let values = heavy(5000);
    let moved: Vec<f64> = values.iter().map(|v| v * 1.5).collect();
    let (fine, coarse) = (compiled(&values, 256), compiled(&values, 16));
    assert!(fine.counts.slots.len() > 4 * coarse.counts.slots.len());
    assert!(compared(&fine, Metric::Ks, &moved).error_bound < compared(&coarse, Metric::Ks, &moved).error_bound);
    assert_eq!(fine.n_bins, 10);
    assert!(compared(&fine, Metric::Psi, &moved).value > 0.25);
    // the outlier that would stretch bins of equal width changes nothing here
    let with_outlier = [&moved[..], &[1e12]].concat();
    assert!((compared(&fine, Metric::Psi, &moved).value / compared(&fine, Metric::Psi, &with_outlier).value - 1.0).abs() < 1e-3);
}

/// 2. evidently#334, azureml-assets#909: shares sum to 1, nothing against itself is 0, and neither order nor side matters.
#[test]
fn the_same_again_is_nothing_and_both_sides_agree() {
    let column = compiled(&heavy(500), 256);
    for metric in shares() {
        assert_eq!(column.compare(metric, &column.counts, &column.counts).unwrap().value, 0.0, "{metric:?}");
    }
    let moved = counts(&column, &numbers(&[1.0, 1.5, 2.0, 40.0, 90.0]));
    for metric in shares().into_iter().filter(|m| *m != Metric::KullbackLeibler) {
        let (one, other) =
            (column.compare(metric, &column.counts, &moved).unwrap(), column.compare(metric, &moved, &column.counts).unwrap());
        assert!((one.value - other.value).abs() <= 1e-12 * one.value, "{metric:?}");
    }
    let parts = column.parts(Metric::TotalVariation, &column.counts, &moved, usize::MAX);
    assert!(
        (parts.iter().map(|p| p.contribution).sum::<f64>() - compared(&column, Metric::TotalVariation, &[1.0, 1.5, 2.0, 40.0, 90.0]).value)
            .abs()
            < 1e-12
    );
}

/// 4. alibi-detect PR#203: the reference is a sample too. Two halves of one population, a small reference: a one-sample test takes its chance for a change.
#[test]
fn the_reference_is_a_sample() {
    let reference = categorical(&numbers(&[vec![1.0; 60], vec![2.0; 40]].concat()));
    let live = counts(&reference, &numbers(&[vec![1.0; 5_000], vec![2.0; 5_000]].concat()));
    let got = reference.compare(Metric::ChiSquare, &reference.counts, &live).unwrap();
    // chi2_contingency([[60, 40], [5000, 5000]], correction=False); chisquare([5000, 5000], [6000, 4000]) has p = 0
    assert!((got.p_value.unwrap() - 0.046_604).abs() < 1e-3, "{got:?}");
}

/// 5. evidently#1929: a constant column has no NaN, and against itself no drift.
#[test]
fn a_constant_against_itself_is_no_drift() {
    let column = compiled(&[5.0; 100], 256);
    for &metric in Metric::ALL.iter().filter(|m| m.family() == crate::engine::catalogue::Family::Distance && **m != Metric::Mmd) {
        let got = compared(&column, metric, &[5.0; 40]);
        assert!(got.value <= 0.0 && got.p_value.is_none_or(|p| p > 0.2), "{metric:?} {got:?}");
    }
}

/// 6. evidently#1480: an empty column costs only its own reading.
#[test]
fn an_empty_column_costs_only_its_own_reading() {
    let values = numbers(&[1.0, 2.0, 3.0, 4.0]);
    let reference = reference(vec![("empty", numeric(&[Seen::Missing])), ("x", numeric(&values))], OutputReference::default());
    let inputs = reference.inputs.iter().map(|f| counts(&f.column, &values)).collect();
    let stream = stream();
    let measured =
        measure_inputs(&context(&stream, Task::Regression, &[], Some(&reference)), &InputPane { inputs, ..InputPane::default() }, &SERVICE);
    for m in measured.iter().filter(|m| m.metric.family() == crate::engine::catalogue::Family::Distance) {
        match &m.subject {
            Subject::Feature(name) if &**name == "empty" => {
                assert_eq!(m.reading, Reading::Undefined(UndefinedReason::NoReference), "{m:?}")
            }
            Subject::Feature(_) => assert!(m.reading.value().is_some(), "{m:?}"),
            _ => {}
        }
    }
}

/// 7. evidently#187, #241: a surge of nulls is seen, and moves no distance.
#[test]
fn a_surge_of_nulls_has_a_rate_of_its_own() {
    let column = numeric(&numbers(&[1.0, 2.0, 3.0]));
    let live = counts(&column, &[numbers(&[1.0, 2.0, 3.0]), vec![Seen::Missing; 97]].concat());
    let reference = reference(vec![("x", column)], OutputReference::default());
    let stream = stream();
    let pane = InputPane { inputs: vec![live], ..InputPane::default() };
    let measured = measure_inputs(&context(&stream, Task::Regression, &[], Some(&reference)), &pane, &SERVICE);
    assert_eq!(reading(&measured, &feature("x"), Metric::MissingRate).reading, Reading::Value(0.97));
    assert_eq!(reading(&measured, &feature("x"), Metric::Wasserstein).reading, Reading::Value(0.0));
}

/// 8. alibi-detect#191: a new category is a bin, and named.
#[test]
fn a_new_category_is_a_bin() {
    let column = categorical(&numbers(&[1.0, 1.0, 2.0, 2.0]));
    let live = counts(&column, &numbers(&[1.0, 2.0, 7.0, 7.0]));
    for metric in shares() {
        let parts = column.parts(metric, &column.counts, &live, 3);
        assert_eq!((&*parts[0].name, parts[0].reference, parts[0].current), ("(new)", 0.0, 0.5), "{metric:?}");
    }
}

/// 10. deepchecks#2317: no floor hides a rare category that doubles.
#[test]
fn a_rare_category_that_doubles_is_seen() {
    let sample = |rare: usize| numbers(&[vec![1.0; 100_000 - rare], vec![2.0; rare]].concat());
    let column = categorical(&sample(200));
    let got = column.compare(Metric::ChiSquare, &column.counts, &counts(&column, &sample(400))).unwrap();
    assert!(got.p_value.unwrap() < 1e-14, "{got:?}");
    assert!(column.compare(Metric::Psi, &column.counts, &counts(&column, &sample(400))).unwrap().value > 0.001);
}

/// 11. phoenix#730: which bins contribute, and how much.
#[test]
fn a_reading_says_which_bins_it_comes_from() {
    let column = compiled(&(1..=1000).map(f64::from).collect::<Vec<_>>(), 256);
    let live = counts(&column, &numbers(&(0..500).map(|i| if i < 250 { 950.0 } else { f64::from(2 * i) }).collect::<Vec<_>>()));
    let (whole, parts) =
        (column.compare(Metric::Psi, &column.counts, &live).unwrap(), column.parts(Metric::Psi, &column.counts, &live, usize::MAX));
    assert!((parts.iter().map(|p| p.contribution).sum::<f64>() - whole.value).abs() < 1e-12);
    assert_eq!(&*parts[0].name, "above 900");
    assert!(parts.is_sorted_by(|a, b| a.contribution >= b.contribution) && parts[0].current > 0.5);
    assert_eq!(column.parts(Metric::Ks, &column.counts, &live, 3).len(), 1);
    let names: Vec<_> = column.parts(Metric::Wasserstein, &column.counts, &live, 3).into_iter().map(|p| p.name.to_string()).collect();
    assert!(names.iter().all(|name| name.contains(" to ")), "{names:?}");
}

/// 13. nannyml#393: an outlier of 1e300 allocates nothing, and says that it is beyond numbers.
#[test]
fn an_outlier_takes_no_memory_and_no_reading_but_its_own() {
    let column = compiled(&(0..1000).map(|i| f64::from(i) / 10.0).collect::<Vec<_>>(), 256);
    let live = counts(&column, &numbers(&[1.0, 2.0, 1e300]));
    assert_eq!(live.slots.len(), column.counts.slots.len());
    for metric in [Metric::Wasserstein, Metric::Energy, Metric::MeanShift] {
        assert_eq!(column.compare(metric, &column.counts, &live), Err(crate::engine::reference::Incomparable::OutOfRange), "{metric:?}");
    }
    for metric in [Metric::Ks, Metric::Psi, Metric::MedianShift, Metric::CramerVonMises] {
        assert!(column.compare(metric, &column.counts, &live).is_ok(), "{metric:?}");
    }
    // one far outlier that fits is told exactly: a third of the way from 99.9 to 1e6 beyond what the others are
    let near = compared(&column, Metric::Wasserstein, &[99.9]);
    let far = compared(&column, Metric::Wasserstein, &[1e6]);
    assert!((far.value - near.value - (1e6 - 99.9)).abs() < 1e-6, "{near:?} {far:?}");
}

/// 14. whylogs#684: cells are exact counts, and what they cannot say is in the reading.
#[test]
fn a_reading_says_how_exact_it_is() {
    let values: Vec<f64> = (0..5000).map(|i| (f64::from(i) * 0.618_033_988_749_895).fract()).collect();
    let moved: Vec<f64> = values.iter().map(|v| v * 0.97).collect();
    let (exact, cells) = (compiled(&values, 5000), compiled(&values, 256));
    for metric in [Metric::Ks, Metric::Wasserstein, Metric::Energy, Metric::CramerVonMises, Metric::MedianShift, Metric::P95Shift] {
        let (want, got) = (compared(&exact, metric, &moved), compared(&cells, metric, &moved));
        assert!((got.value - want.value).abs() <= got.error_bound + want.error_bound + 1e-12, "{metric:?} {got:?} {want:?}");
        assert!(got.error_bound > 0.0, "{metric:?}");
    }
    assert!(compared(&cells, Metric::Ks, &moved).error_bound < 0.005);
}
