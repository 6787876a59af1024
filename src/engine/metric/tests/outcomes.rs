//! Quality, by hand.

use super::*;
use crate::engine::settings::CostMatrix;
use crate::engine::summary::{ScoreSums, Scores};

fn confusion(pane: OutcomePane) -> ReferenceQuality {
    match pane.quality {
        Quality::Classes(confusion) => ReferenceQuality::Classes(confusion),
        Quality::Numbers(sums) => ReferenceQuality::Numbers(sums),
        Quality::Lists(_) => panic!("a reference has no lists"),
    }
}

#[test]
fn binary_quality_is_that_of_the_positive_class() {
    let (stream, classes) = (stream(), classes(&["0", "1"]));
    // tn 5, fp 1, fn 2, tp 2
    let measured = measure_outcomes(&context(&stream, Task::Binary, &classes, None), &pane(&[&[5, 1], &[2, 2]]));
    // precision is about three positive predictions, recall about four positive labels
    for (metric, want, n) in [
        (Metric::Accuracy, 0.7, 10),
        (Metric::Precision, 2.0 / 3.0, 3),
        (Metric::Recall, 0.5, 4),
        (Metric::F1, 4.0 / 7.0, 10),
        (Metric::LabelCoverage, 1.0, 10),
    ] {
        let got = reading(&measured, &Subject::Quality, metric);
        assert_eq!((got.reading, got.n_current, got.reference.as_ref()), (Reading::Value(want), n, None), "{metric:?}");
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
    for (metric, want, n) in
        [(Metric::Accuracy, 0.7, 10), (Metric::Precision, 2.0 / 3.0, 3), (Metric::Recall, 0.5, 4), (Metric::F1, 4.0 / 7.0, 10)]
    {
        let got = reading(&measured, &Subject::Quality, metric);
        assert_eq!((got.reading, got.on_reference, got.n_reference), (Reading::Value(1.0), Some(want), n), "{metric:?}");
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
                (_, Metric::BusinessValue) => Reading::Undefined(UndefinedReason::NotConfigured),
                _ => Reading::Undefined(reason),
            };
            assert_eq!(m.reading, want, "{m:?}");
        }
    }
}

/// A window of predictions and labels of a regression, measured.
fn of_pairs(pairs: &[(f64, f64)]) -> Vec<Measurement> {
    let mut sums = RegressionSums::new(0.0, 1.0);
    pairs.iter().for_each(|&(p, y)| sums.add(p, y));
    let n = pairs.len() as u64;
    let pane = OutcomePane { expected: n, labelled: n, ..OutcomePane::new(Quality::Numbers(sums), None) };
    measure_outcomes(&context(&stream(), Task::Regression, &[], None), &pane)
}

#[test]
fn regression_outliers_keep_their_direction_and_equal_labels_have_no_r2() {
    let measure = |pairs: &[(f64, f64)]| {
        let measured = of_pairs(pairs);
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

/// A pane of binary answers with scores: (score, truth), decided at 0.5.
fn scored(pairs: &[(f64, bool)]) -> OutcomePane {
    let (mut confusion, mut scores) = (Confusion::default(), ScoreSums::default());
    for &(score, truth) in pairs {
        confusion.add(u16::from(truth), u16::from(score >= 0.5));
        scores.tally(&Scores::Positive(score), usize::from(truth), Some(1), true);
    }
    let n = confusion.total();
    OutcomePane { expected: n, labelled: n, scores, ..OutcomePane::new(Quality::Classes(confusion), None) }
}

#[test]
fn a_window_of_one_class_has_no_area_and_says_why() {
    let (stream, classes) = (stream(), classes(&["0", "1"]));
    for truth in [false, true] {
        let measured = measure_outcomes(&context(&stream, Task::Binary, &classes, None), &scored(&[(0.25, truth), (0.75, truth)]));
        let of = |metric| reading(&measured, &Subject::Quality, metric).reading;
        for metric in [Metric::RocAuc, Metric::PrAuc, Metric::Matthews] {
            assert_eq!(of(metric), Reading::Undefined(UndefinedReason::OneClass), "{metric:?}");
        }
        assert_eq!(of(Metric::Accuracy), Reading::Value(0.5));
        assert_eq!(of(Metric::BalancedAccuracy), Reading::Value(0.5));
        assert!(of(Metric::LogLoss).value().is_some() && of(Metric::Brier) == Reading::Value(0.3125));
    }
}

#[test]
fn another_decision_threshold_is_evaluated_from_the_same_scores() {
    let (stream, classes) = (stream(), classes(&["0", "1"]));
    let pairs = [(0.1, false), (0.299, true), (0.3, false), (0.3004, true), (0.9, true)];
    let costs = CostMatrix::Binary { true_positive: 10.0, false_positive: -1.0, true_negative: 0.0, false_negative: -50.0 };
    let thresholds: Vec<Arc<str>> = ["0.3", "0.5", "0", "1", "0.2996"].map(Arc::from).to_vec();
    let outputs = OutputReference {
        classes: classes.clone(),
        scores: scored(&pairs).scores.tables,
        losses: scored(&pairs).scores.losses,
        ..OutputReference::default()
    };
    let reference = reference(vec![], outputs);
    let ctx =
        Context { costs: Some(&costs), decision_thresholds: &thresholds, ..context(&stream, Task::Binary, &classes, Some(&reference)) };
    let measured = measure_outcomes(&ctx, &scored(&pairs));
    for (threshold, recall, precision, value) in [
        ("0.3", Some(2.0 / 3.0), Some(2.0 / 3.0), (20.0 - 1.0 - 50.0) / 5.0),
        ("0.5", Some(1.0 / 3.0), Some(1.0), (10.0 - 100.0) / 5.0),
        ("0", Some(1.0), Some(0.6), (30.0 - 2.0) / 5.0),
        ("1", Some(0.0), None, -150.0 / 5.0),
        // thresholds are points of the grid: this one is 0.3
        ("0.2996", Some(2.0 / 3.0), Some(2.0 / 3.0), (20.0 - 1.0 - 50.0) / 5.0),
    ] {
        let of = |metric| reading(&measured, &Subject::QualityAt(threshold.into()), metric);
        assert_eq!(of(Metric::Recall).reading.value(), recall, "{threshold}");
        assert_eq!(of(Metric::Precision).reading.value(), precision, "{threshold}");
        assert_eq!(of(Metric::Recall).on_reference, recall, "{threshold}");
        let worth = of(Metric::BusinessValue);
        assert!((worth.reading.value().unwrap() - value).abs() < 1e-12, "{threshold}: {worth:?}");
        assert_eq!((worth.on_reference, worth.n_current, worth.n_reference), (worth.reading.value(), 5, 5));
    }
    // the model's own threshold, from its decisions and from its scores
    let own = |subject: &Subject, metric| reading(&measured, subject, metric).reading;
    for metric in [Metric::Accuracy, Metric::F1, Metric::FBeta, Metric::Specificity, Metric::Matthews, Metric::SelectionRate] {
        assert_eq!(own(&Subject::Quality, metric), own(&Subject::QualityAt("0.5".into()), metric), "{metric:?}");
    }
    // without costs there is no value, and the window says that nobody configured any
    let measured = measure_outcomes(&Context { costs: None, ..ctx }, &scored(&pairs));
    for subject in [Subject::Quality, Subject::QualityAt("0.3".into())] {
        assert_eq!(own_of(&measured, &subject), Reading::Undefined(UndefinedReason::NotConfigured));
    }
}

fn own_of(measured: &[Measurement], subject: &Subject) -> Reading {
    reading(measured, subject, Metric::BusinessValue).reading
}

#[test]
fn costs_of_classes_are_found_by_name() {
    let (stream, classes) = (stream(), classes(&["a", "b", "c"]));
    let pair = |truth: &str, answer: &str| (Arc::from(truth), Arc::from(answer));
    let costs = CostMatrix::Classes([(pair("b", "a"), -7.0), (pair("a", "a"), 2.0), (pair("x", "a"), 99.0)].into());
    let ctx = Context { costs: Some(&costs), ..context(&stream, Task::Multiclass, &classes, None) };
    let measured = measure_outcomes(&ctx, &pane(&[&[3, 1, 0], &[2, 4, 0], &[0, 0, 0]]));
    let worth = reading(&measured, &Subject::Quality, Metric::BusinessValue);
    assert_eq!(worth.reading, Reading::Value((6.0 - 14.0) / 10.0));
    assert!(worth.interval.is_some_and(|(low, high)| low < -0.8 && -0.8 < high));
}

#[test]
fn what_nobody_asked_for_is_not_measured() {
    let (stream, classes) = (stream(), classes(&["0", "1"]));
    let ctx = Context { wanted: MetricSet::usual(), ..context(&stream, Task::Binary, &classes, None) };
    let measured = measure_outcomes(&ctx, &scored(&[(0.25, true), (0.75, false)]));
    assert!(measured.iter().all(|m| MetricSet::usual().contains(m.metric)), "{measured:?}");
}

#[test]
fn shares_carry_wilson_intervals_and_the_rest_the_jackknife() {
    let (stream, classes) = (stream(), classes(&["0", "1"]));
    // tn 50, fp 10, fn 5, tp 35
    let measured = measure_outcomes(&context(&stream, Task::Binary, &classes, None), &pane(&[&[50, 10], &[5, 35]]));
    let of = |metric| reading(&measured, &Subject::Quality, metric).interval;
    assert_eq!(of(Metric::Accuracy), crate::stats::interval::wilson(85, 100));
    assert_eq!(of(Metric::Precision), crate::stats::interval::wilson(35, 45));
    assert_eq!(of(Metric::Recall), crate::stats::interval::wilson(35, 40));
    assert_eq!(of(Metric::Specificity), crate::stats::interval::wilson(50, 60));
    assert_eq!(of(Metric::SelectionRate), crate::stats::interval::wilson(45, 100));
    assert_eq!(of(Metric::LabelCoverage), crate::stats::interval::wilson(100, 100));
    // a share of 0.8 of 100 is known to about ± 0.08; these are made of two or more such
    for metric in [Metric::F1, Metric::FBeta, Metric::BalancedAccuracy, Metric::Matthews] {
        let (low, high) = of(metric).unwrap();
        assert!((0.05..0.35).contains(&(high - low)), "{metric:?}: {low} to {high}");
    }
}

#[test]
fn residuals_drift_like_any_numeric_column() {
    let stream = stream();
    let outputs = OutputReference { residual: Some(numeric(&numbers(&[-1.0, 0.0, 1.0, 2.0]))), ..OutputReference::default() };
    let reference = reference(vec![], outputs);
    let column = reference.outputs.residual.as_ref().unwrap();
    let mut pane = OutcomePane::new(Quality::Numbers(RegressionSums::new(0.0, 1.0)), None);
    (pane.expected, pane.labelled, pane.residuals) = (2, 2, Some(counts(column, &numbers(&[5.0, 6.0]))));
    let measured = measure_outcomes(&context(&stream, Task::Regression, &[], Some(&reference)), &pane);
    assert_eq!(reading(&measured, &Subject::Residual, Metric::Ks).reading, Reading::Value(1.0));
    let empty = Reference { outputs: OutputReference::default(), ..reference.clone() };
    let measured = measure_outcomes(&context(&stream, Task::Regression, &[], Some(&empty)), &pane);
    assert_eq!(reading(&measured, &Subject::Residual, Metric::Ks).reading, Reading::Undefined(UndefinedReason::NotInReference));
}

#[test]
fn labels_of_0_have_no_share_of_an_error() {
    let measure = |pairs: &[(f64, f64)]| {
        let measured = of_pairs(pairs);
        let mape = reading(&measured, &Subject::Quality, Metric::Mape);
        (mape.reading, mape.n_current)
    };
    assert_eq!(measure(&[(1.0, 0.0), (1.0, 2.0), (5.0, 4.0)]), (Reading::Value(0.375), 2));
    assert_eq!(measure(&[(1.0, 0.0)]), (Reading::Undefined(UndefinedReason::ConstantLabels), 1));
}

#[test]
fn what_hangs_on_settings_has_its_sampling_error_as_sigma() {
    use crate::engine::reference::{Calibration, Variation};
    let figure = Variation { timed: false, lasting: 0.0, windows: 16, n: 250, mean: 0.5, std: 0.25, min: 0.1, max: 0.9, ceiling: 0.95 };
    let mut reference = reference(
        vec![],
        OutputReference {
            classes: classes(&["0", "1"]),
            quality: Some(confusion(pane(&[&[500, 100], &[200, 200]]))),
            ..OutputReference::default()
        },
    );
    let figures = [((Subject::ClassQuality("1".into()), Metric::FBeta), figure)].into();
    reference.calibration = Some(Calibration { window_ms: 0, windows: 16, figures, ..Calibration::default() });
    let (stream, classes, window) = (stream(), classes(&["0", "1"]), pane(&[&[125, 25], &[50, 50]]));
    let costs = CostMatrix::Binary { true_positive: 3.0, false_positive: -1.0, true_negative: 0.5, false_negative: -20.0 };
    let of = |beta, metric| {
        let ctx = Context { beta, costs: Some(&costs), ..context(&stream, Task::Binary, &classes, Some(&reference)) };
        let m = reading(&measure_outcomes(&ctx, &window), &Subject::Quality, metric).clone();
        (m.sigma.unwrap(), m.interval.unwrap(), m.on_reference, m.reading.value())
    };
    // the window has the reference's shares, so its own interval says the same as the reference's at its size
    for (beta, metric) in [(0.5, Metric::FBeta), (2.0, Metric::BusinessValue)] {
        let (sigma, (low, high), on_reference, value) = of(beta, metric);
        assert!((sigma * 2.0 * 1.96 / (high - low) - 1.0).abs() < 0.02, "{metric:?} {sigma} {low} {high}");
        assert_eq!(on_reference, value);
    }
    assert_eq!(of(2.0, Metric::FBeta).0, 0.25, "windows of the reference are measured with the β that holds unless one is set");
}

#[test]
fn the_interval_of_a_root_of_squares_holds_the_truth_as_often_as_it_says() {
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let (stream, mut held, mut width) = (stream(), 0, 0.0);
    for _ in 0..500 {
        let mut sums = RegressionSums::new(0.0, 2.0);
        for i in 0..300 {
            let (noise, label): (f64, f64) = (StandardNormal.sample(&mut random), f64::from(i % 7));
            sums.add(label + 2.0 * noise, label);
        }
        let mut pane = OutcomePane::new(Quality::Numbers(sums), None);
        (pane.expected, pane.labelled) = (300, 300);
        let measured = measure_outcomes(&context(&stream, Task::Regression, &[], None), &pane);
        let (low, high) = reading(&measured, &Subject::Quality, Metric::Rmse).interval.unwrap();
        held += u32::from(low <= 2.0 && 2.0 <= high);
        width += (high - low) / 500.0;
    }
    // 2·1.96·σ/√(2n) for normal errors
    assert!((465..=485).contains(&held) && (width / (2.0 * 1.96 * 2.0 / 600f64.sqrt()) - 1.0).abs() < 0.05, "{held} {width}");
}

#[test]
fn a_mean_of_areas_is_as_uncertain_as_the_mean_of_its_classes() {
    let (stream, classes) = (stream(), classes(&["a", "b", "c"]));
    let mut pane = pane(&[&[40, 10, 10], &[10, 40, 10], &[10, 10, 40]]);
    for i in 0..180usize {
        let truth = i % 3;
        let scores = [0, 1, 2].map(|class| 0.2 + 0.05 * ((i * 7 + class * 3) % 8) as f64 + if class == truth { 0.15 } else { 0.0 });
        pane.scores.tally(&Scores::Classes(scores.into()), truth, None, true);
    }
    let measured = measure_outcomes(&context(&stream, Task::Multiclass, &classes, None), &pane);
    for metric in [Metric::RocAuc, Metric::PrAuc] {
        let of_class = |class: &Arc<str>| reading(&measured, &Subject::ClassQuality(class.clone()), metric).interval.unwrap();
        let mean = |end: fn((f64, f64)) -> f64| classes.iter().map(|class| end(of_class(class))).sum::<f64>() / 3.0;
        let (low, high) = reading(&measured, &Subject::Quality, metric).interval.unwrap();
        assert!((low - mean(|(low, _)| low)).abs() < 1e-12 && (high - mean(|(_, high)| high)).abs() < 1e-12, "{metric:?} {low} {high}");
    }
    assert!(reading(&measured, &Subject::ClassQuality("a".into()), Metric::Brier).interval.is_some());
}
