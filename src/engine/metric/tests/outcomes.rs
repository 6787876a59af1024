//! Quality, by hand.

use super::*;

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

fn confusion(pane: OutcomePane) -> ReferenceQuality {
    match pane.quality {
        Quality::Classes(confusion) => ReferenceQuality::Classes(confusion),
        Quality::Numbers(sums) => ReferenceQuality::Numbers(sums),
    }
}

#[test]
fn binary_quality_is_that_of_the_positive_class() {
    let (stream, classes) = (stream(), classes(&["0", "1"]));
    // tn 5, fp 1, fn 2, tp 2
    let measured = measure_outcomes(&context(&stream, Task::Binary, &classes, None), &pane(&[&[5, 1], &[2, 2]]));
    for (metric, want) in [
        (Metric::Accuracy, 0.7),
        (Metric::Precision, 2.0 / 3.0),
        (Metric::Recall, 0.5),
        (Metric::F1, 4.0 / 7.0),
        (Metric::LabelCoverage, 1.0),
    ] {
        let got = reading(&measured, &Subject::Quality, metric);
        assert_eq!((got.reading, got.n_current, got.reference.as_ref()), (Reading::Value(want), 10, None), "{metric:?}");
    }
    assert!(measured.iter().all(|m| !matches!(m.subject, Subject::ClassQuality(_))));
}

#[test]
fn a_positive_class_that_was_never_seen_is_told_apart_from_a_bad_one() {
    let (stream, classes) = (stream(), classes(&["0"]));
    let measured = measure_outcomes(&context(&stream, Task::Binary, &classes, None), &pane(&[&[5]]));
    let of = |metric| reading(&measured, &Subject::Quality, metric).reading;
    assert_eq!(of(Metric::Accuracy), Reading::Value(1.0));
    assert_eq!(of(Metric::Precision), Reading::Undefined(UndefinedReason::NoPositivePrediction));
    assert_eq!(of(Metric::Recall), Reading::Undefined(UndefinedReason::NoPositiveLabel));
    assert_eq!(of(Metric::F1), Reading::Undefined(UndefinedReason::NoPositiveLabel));
}

#[test]
fn the_reference_is_read_by_class_name_whatever_its_order() {
    let outputs = OutputReference {
        classes: classes(&["1", "0"]),
        quality: Some(confusion(pane(&[&[2, 2], &[1, 5]]))),
        ..OutputReference::default()
    };
    let (stream, classes, reference) = (stream(), classes(&["0", "1"]), reference(vec![], outputs));
    let measured = measure_outcomes(&context(&stream, Task::Binary, &classes, Some(&reference)), &pane(&[&[3, 0], &[0, 1]]));
    for (metric, want) in [(Metric::Accuracy, 0.7), (Metric::Precision, 2.0 / 3.0), (Metric::Recall, 0.5), (Metric::F1, 4.0 / 7.0)] {
        let got = reading(&measured, &Subject::Quality, metric);
        assert_eq!((got.reading, got.on_reference, got.n_reference), (Reading::Value(1.0), Some(want), 10), "{metric:?}");
        assert_eq!(got.reference.as_deref(), Some("reference"));
    }
    assert_eq!(reading(&measured, &Subject::Quality, Metric::LabelCoverage).reference, None);
}

#[test]
fn multiclass_quality_is_the_mean_over_classes_that_occur_and_each_class() {
    let (stream, classes) = (stream(), classes(&["a", "b", "c"]));
    let measured = measure_outcomes(&context(&stream, Task::Multiclass, &classes, None), &pane(&[&[3, 1], &[0, 4]]));
    // sklearn.metrics.recall_score([0]*4 + [1]*4, [0]*3 + [1]*5, average="macro")
    assert_eq!(reading(&measured, &Subject::Quality, Metric::Recall).reading, Reading::Value(0.875));
    let of = |class: &str, metric| reading(&measured, &Subject::ClassQuality(class.into()), metric).reading;
    assert_eq!(of("a", Metric::Recall), Reading::Value(0.75));
    assert_eq!(of("b", Metric::Precision), Reading::Value(0.8));
    assert_eq!(of("c", Metric::Recall), Reading::Undefined(UndefinedReason::NoPositiveLabel));
}

#[test]
fn no_label_yet_is_not_no_data() {
    let (stream, classes) = (stream(), classes(&["0", "1"]));
    for (expected, reason, coverage) in
        [(0, UndefinedReason::NoData, Reading::Undefined(UndefinedReason::NoData)), (50, UndefinedReason::NoLabels, Reading::Value(0.0))]
    {
        let pane = OutcomePane { expected, ..pane(&[]) };
        for m in measure_outcomes(&context(&stream, Task::Multiclass, &classes, None), &pane) {
            let want = match (&m.subject, m.metric) {
                (Subject::Label, _) => Reading::Undefined(UndefinedReason::NoReference),
                (_, Metric::LabelCoverage) => coverage,
                _ => Reading::Undefined(reason),
            };
            assert_eq!(m.reading, want, "{m:?}");
        }
    }
}

#[test]
fn regression_outliers_keep_their_direction_and_equal_labels_have_no_r2() {
    let stream = stream();
    let measure = |pairs: &[(f64, f64)]| {
        let mut sums = RegressionSums::new(0.0, 1.0);
        pairs.iter().for_each(|&(p, y)| sums.add(p, y));
        let n = pairs.len() as u64;
        let pane = OutcomePane { expected: n, labelled: n, ..OutcomePane::new(Quality::Numbers(sums), None) };
        let measured = measure_outcomes(&context(&stream, Task::Regression, &[], None), &pane);
        [Metric::Mae, Metric::Rmse, Metric::R2].map(|metric| reading(&measured, &Subject::Quality, metric).reading)
    };
    assert_eq!(measure(&[(1.0, 2.0), (3.0, 2.0)])[..2], [Reading::Value(1.0), Reading::Value(1.0)]);
    assert_eq!(measure(&[(1.0, 2.0), (3.0, 2.0)])[2], Reading::Undefined(UndefinedReason::ConstantLabels));
    let [mae, rmse, r2] = measure(&[(1e300, 1.0), (2.0, 2.0)]).map(|r| r.value().unwrap());
    assert!(mae > 1e9 && rmse > 1e5 && r2 < -1e9, "{mae} {rmse} {r2}");
    let [mae, _, r2] = measure(&[(1.0, 1e300), (2.0, 2.0)]);
    assert!(mae.value().unwrap() > 1e9);
    assert_eq!(r2, Reading::Undefined(UndefinedReason::OutOfRange));
}
