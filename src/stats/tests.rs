use super::*;
use ndarray::{Array2, array};

pub(crate) mod bins;
mod distances;
mod golden;
pub(crate) mod peers;
mod properties;
mod quality;
mod ranking;

/// Numbers of other libraries are met to this relative error.
const RELATIVE: f64 = 1e-9;

#[track_caller]
fn close(got: f64, want: f64) {
    assert!((got - want).abs() <= RELATIVE * want.abs().max(1e-300), "got {got}, want {want}");
}

#[test]
fn an_empty_sample_has_no_distance() {
    for (reference, current) in [(&[][..], &[][..]), (&[0, 0, 0], &[1, 2, 3]), (&[1, 2, 3], &[0, 0, 0]), (&[0], &[0])] {
        assert_eq!(psi(reference, current, Smoothing::Jeffreys), None);
        assert_eq!(total_variation(reference, current), None);
        assert_eq!(ks(reference, current), None);
    }
}

#[test]
fn equal_counts_are_exactly_no_change() {
    for counts in [&[7][..], &[1, 0, 2], &[0, 5, 0, 5, 0], &[1_000_000_007, 3, 999, 0, 1]] {
        assert_eq!(psi(counts, counts, Smoothing::Jeffreys).unwrap().value, 0.0);
        assert_eq!(psi(counts, counts, Smoothing::Epsilon(1e-4)).unwrap().value, 0.0);
        assert_eq!(total_variation(counts, counts), Some(0.0));
        assert_eq!(ks(counts, counts).unwrap().distance, 0.0);
    }
}

#[test]
fn one_value_each() {
    assert_eq!(ks(&[0, 1, 0], &[0, 0, 1]), Some(KsReading { distance: 1.0, bound: 0.0 }));
    assert_eq!(total_variation(&[1, 0], &[0, 1]), Some(1.0));
    // (1.5/2 - 0.5/2) * ln(3) * 2
    let reading = psi(&[1, 0], &[0, 1], Smoothing::Jeffreys).unwrap();
    close(reading.value, 1.098_612_288_668_109_8);
    assert_eq!((reading.bins, reading.empty), (2, 2));
}

#[test]
fn bins_that_nobody_occupies_do_not_move_psi() {
    let (reference, current) = ([5000, 0, 3000, 0, 2000], [40, 0, 70, 0, 107]);
    let packed = psi(&[5000, 3000, 2000], &[40, 70, 107], Smoothing::Jeffreys);
    assert_eq!(psi(&reference, &current, Smoothing::Jeffreys), packed);
    assert_eq!(occupied(&reference, &current), 3);
}

#[test]
fn large_counts_do_not_overflow() {
    let many = 1 << 61;
    assert_eq!(total_variation(&[many, many], &[many, 0]), Some(0.5));
    assert_eq!(ks(&[0, many, 0, many, 0], &[0, many, 0, 0, 0]).unwrap().distance, 0.5);
    close(psi(&[many, many], &[many, many / 3], Smoothing::Jeffreys).unwrap().value, 0.274_653_072_167_027_4);
}

#[test]
fn ks_says_what_coarse_cells_may_hide() {
    // reference 1,2 in one open cell, current 1.5 twice: the true distance is one half at 1 and at 2
    assert_eq!(ks(&[2], &[2]), Some(KsReading { distance: 0.0, bound: 1.0 }));
    // one sample alone in the open cell hides nothing
    assert_eq!(ks(&[2, 2, 0], &[0, 1, 3]).unwrap().bound, 0.0);
}

#[test]
fn a_class_without_predictions_has_recall_and_f1_but_no_precision() {
    // sklearn.metrics.precision_recall_fscore_support([0, 1, 1, 0], [0, 0, 0, 0], labels=[1])
    let matrix = array![[2, 0], [2, 0]];
    let counts = ClassCounts::of(matrix.view(), 1);
    assert_eq!(counts.precision(), Err(NoValue::NoPositivePrediction));
    assert_eq!((counts.recall(), counts.f1()), (Ok(0.0), Ok(0.0)));
    let counts = ClassCounts::of(array![[1, 2], [0, 0]].view(), 1);
    assert_eq!((counts.precision(), counts.recall(), counts.f1()), (Ok(0.0), Err(NoValue::NoPositiveLabel), Ok(0.0)));
}

#[test]
fn a_class_that_does_not_occur_has_nothing_and_no_part_in_the_mean() {
    let matrix = array![[3, 1, 0], [0, 4, 0], [0, 0, 0]];
    let absent = ClassCounts::of(matrix.view(), 2);
    assert_eq!(absent.precision(), Err(NoValue::NoPositivePrediction));
    assert_eq!((absent.recall(), absent.f1()), (Err(NoValue::NoPositiveLabel), Err(NoValue::NoPositiveLabel)));
    assert_eq!(ClassCounts::of(matrix.view(), 9), absent);
    // recall_score([0]*4 + [1]*4, [0]*3 + [1]*5, average="macro"); with labels=[0, 1, 2] it would be 7/12
    assert_eq!(macro_mean(matrix.view(), ClassCounts::recall), Ok(0.875));
}

#[test]
fn no_pairs_have_no_quality() {
    for n in [0, 3] {
        let matrix = Array2::zeros((n, n));
        assert_eq!(accuracy(matrix.view()), Err(NoValue::Empty));
        assert_eq!(macro_mean(matrix.view(), ClassCounts::f1), Err(NoValue::Empty));
    }
    let none = RegressionTotals::default();
    assert_eq!((none.mae(), none.rmse(), none.r2()), (Err(NoValue::Empty), Err(NoValue::Empty), Err(NoValue::Empty)));
}

#[test]
fn sums_that_overflowed_are_no_numbers() {
    for sum in [f64::INFINITY, f64::NAN] {
        let totals = RegressionTotals { n: 3, absolute_error: sum, squared_error: sum, label_squared: 1.0, ..RegressionTotals::default() };
        assert_eq!(totals.mae(), Err(NoValue::OutOfRange));
        assert_eq!(totals.rmse(), Err(NoValue::OutOfRange));
        assert_eq!(totals.r2(), Err(NoValue::OutOfRange));
        let totals = RegressionTotals { n: 3, absolute_error: 1.0, squared_error: 1.0, label_squared: sum, ..RegressionTotals::default() };
        assert_eq!(totals.r2(), Err(NoValue::OutOfRange));
    }
}

#[test]
fn equal_labels_have_no_r2_wherever_the_centre_is() {
    for (label, center) in [(0.1, 0.0), (0.1, 0.1), (7.3, -1e6), (1e9 + 0.7, 3.0)] {
        let totals = |n: u64| {
            let terms = std::iter::repeat_n(label - center, n as usize);
            RegressionTotals {
                n,
                absolute_error: 1.0,
                squared_error: 1.0,
                label: terms.clone().sum(),
                label_squared: terms.map(|t: f64| t * t).sum(),
                ..RegressionTotals::default()
            }
        };
        for n in [1, 2, 3, 1000] {
            assert_eq!(totals(n).r2(), Err(NoValue::ConstantLabels), "{n} times {label} around {center}");
        }
    }
}

#[test]
fn every_reason_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> = NoValue::ALL.iter().map(|r| r.as_str()).collect();
    assert_eq!(names.len(), NoValue::ALL.len());
}
