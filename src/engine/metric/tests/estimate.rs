//! Estimated quality, by hand.

use super::*;
use proptest::prelude::*;

fn table(rows: &[(f64, u64, u64)]) -> ScoreTable {
    let mut table = ScoreTable::default();
    for &(score, no, yes) in rows {
        (0..no).for_each(|_| table.add(score_cell(score), false));
        (0..yes).for_each(|_| table.add(score_cell(score), true));
    }
    table
}

fn calibration(class: &str, truth: &[(f64, u64, u64)], predicted: &[(f64, u64, u64)]) -> ScoreCalibration {
    ScoreCalibration::fit(class.into(), &table(truth), table(predicted)).unwrap()
}

fn with_expectation(expectation: Expectation) -> Reference {
    reference(vec![], OutputReference { expectation: Some(expectation), ..OutputReference::default() })
}

fn names(classes: &[&str]) -> Vec<Arc<str>> {
    classes.iter().map(|&class| class.into()).collect()
}

/// A calibration by which 0.2 means 0.1 and 0.7 means 0.9, from 200 rows.
fn binary() -> Reference {
    let rows = [(0.2, 90, 10), (0.7, 10, 90)];
    with_expectation(Expectation::Classes(vec![calibration("1", &rows, &[(0.2, 100, 0), (0.7, 0, 100)])]))
}

#[track_caller]
fn check(measured: &[Measurement], want: &[(Metric, f64)]) {
    for &(metric, want) in want {
        let got = reading(measured, &Subject::EstimatedQuality, metric);
        let value = got.reading.value().unwrap_or_else(|| panic!("{got:?}"));
        assert!((value - want).abs() < 1e-12, "{metric:?}: {value} instead of {want}");
        assert!(got.interval.is_some_and(|(from, to)| from < value && value < to), "{got:?}");
    }
}

#[test]
fn a_binary_window_is_estimated_from_its_scores() {
    let (stream, classes, reference) = (stream(), names(&["0", "1"]), binary());
    let pane = InputPane { scores: vec![table(&[(0.2, 30, 0), (0.7, 0, 10)])], ..InputPane::default() };
    let measured = measure_inputs(&context(&stream, Task::Binary, &classes, Some(&reference)), &pane, &SERVICE);
    // tp 9, fp 1, fn 3, tn 27
    let auc = (9.0 * (27.0 + 0.5) + 3.0 * 13.5) / (12.0 * 28.0);
    check(
        &measured,
        &[
            (Metric::Accuracy, 0.9),
            (Metric::BalancedAccuracy, (9.0 / 12.0 + 27.0 / 28.0) / 2.0),
            (Metric::Precision, 0.9),
            (Metric::Recall, 9.0 / 12.0),
            (Metric::F1, 18.0 / 22.0),
            (Metric::Specificity, 27.0 / 28.0),
            (Metric::RocAuc, auc),
        ],
    );
    let accuracy = reading(&measured, &Subject::EstimatedQuality, Metric::Accuracy);
    assert_eq!((accuracy.n_current, accuracy.n_reference, accuracy.reference.as_deref()), (40, 200, Some("reference")));
    assert!(accuracy.on_reference.is_some_and(|v| (v - 0.9).abs() < 1e-12));
    // 40 draws at 0.9, and two shares of 100 with weights 3/4 and 1/4, (10.5/101)(90.5/101)/101 each
    let sigma = (0.09 / 40.0 + (0.5625 + 0.0625) * (10.5 * 90.5 / 101f64.powi(3))).sqrt();
    assert!((accuracy.sigma.unwrap() - sigma).abs() < 1e-12, "{accuracy:?}");
}

#[test]
fn rules_can_ask_for_what_is_estimated_and_for_nothing_else() {
    let stream = stream();
    let of = |task| measure_inputs(&context(&stream, task, &[], None), &InputPane::default(), &SERVICE);
    let measured = Task::ALL.into_iter().flat_map(of).filter(|m| m.subject == Subject::EstimatedQuality);
    let measured: MetricSet = measured.map(|m| m.metric).collect();
    assert_eq!(measured, Metric::ALL.iter().copied().filter(|&metric| Subject::EstimatedQuality.carries(metric)).collect());
}

#[test]
fn what_the_reference_cannot_say_has_a_reason() {
    let (stream, classes) = (stream(), names(&["0", "1"]));
    let pane = InputPane { scores: vec![table(&[(0.2, 30, 0)])], ..InputPane::default() };
    let check = |task: Task, reference: &Reference, want: UndefinedReason| {
        let measured = measure_inputs(&context(&stream, task, &classes, Some(reference)), &pane, &SERVICE);
        let estimated: Vec<_> = measured.iter().filter(|m| m.subject == Subject::EstimatedQuality).collect();
        assert!(!estimated.is_empty());
        assert!(estimated.iter().all(|m| m.reading == Reading::Undefined(want) && m.interval.is_none()), "{estimated:?}");
    };
    check(Task::Binary, &reference(vec![], OutputReference::default()), UndefinedReason::NotInReference);
    check(Task::Regression, &binary(), UndefinedReason::NotInReference);
    // the scores of the reference speak of another class than the settings' positive one
    let other = with_expectation(Expectation::Classes(vec![calibration("0", &[(0.2, 1, 1)], &[])]));
    check(Task::Binary, &other, UndefinedReason::NotInReference);
    let ctx = Context { estimate: false, ..context(&stream, Task::Binary, &classes, None) };
    assert!(measure_inputs(&ctx, &pane, &SERVICE).iter().all(|m| m.subject != Subject::EstimatedQuality));
    let reference = binary();
    let measured = measure_inputs(&context(&stream, Task::Binary, &classes, Some(&reference)), &pane, &SERVICE);
    let precision = reading(&measured, &Subject::EstimatedQuality, Metric::Precision);
    assert_eq!(precision.reading, Reading::Undefined(UndefinedReason::NoPositivePrediction));
}

#[test]
fn several_classes_add_up_to_accuracy_and_have_means() {
    let (stream, classes) = (stream(), names(&["a", "b", "c"]));
    let of = |class: &str| calibration(class, &[(0.1, 80, 20), (0.8, 20, 80)], &[(0.1, 100, 0), (0.8, 0, 100)]);
    let reference = with_expectation(Expectation::Classes(vec![of("a"), of("b"), of("c")]));
    // 60 rows said to be a, 40 said to be b, none c: c is expected 20 times and never found
    let scores = vec![table(&[(0.1, 40, 0), (0.8, 0, 60)]), table(&[(0.1, 60, 0), (0.8, 0, 40)]), table(&[(0.1, 100, 0)])];
    let pane = InputPane { scores, ..InputPane::default() };
    let measured = measure_inputs(&context(&stream, Task::Multiclass, &classes, Some(&reference)), &pane, &SERVICE);
    let recall = (48.0 / 56.0 + 32.0 / 44.0) / 3.0;
    check(
        &measured,
        &[
            (Metric::Accuracy, 0.8),
            (Metric::Precision, 1.6 / 3.0),
            (Metric::Recall, recall),
            (Metric::BalancedAccuracy, recall),
            (Metric::F1, (96.0 / (96.0 + 12.0 + 8.0) + 64.0 / (64.0 + 8.0 + 12.0)) / 3.0),
        ],
    );
    assert_eq!(reading(&measured, &Subject::EstimatedQuality, Metric::Accuracy).n_current, 100);
}

#[test]
fn expected_errors_follow_the_predictions() {
    // predictions of 1 are off by ±1, those of 5 by ±4; the window has three of five
    let prediction = numeric(&numbers(&[1.0, 1.0, 5.0, 5.0]));
    let mut errors = ErrorTable::new(2.0, vec![0, 0, 0, 1, 1]);
    [(1, 1.0), (1, -1.0), (3, 4.0), (3, -4.0)].iter().for_each(|&(slot, error)| errors.add(slot, error));
    let outputs = OutputReference {
        prediction: Some(prediction.clone()),
        expectation: Some(Expectation::Numbers(errors)),
        ..OutputReference::default()
    };
    let (stream, reference) = (stream(), reference(vec![], outputs));
    let live = counts(&prediction, &numbers(&[0.0, 1.0, 5.0, 5.0, 7.0]));
    let measure = |live: ColumnCounts| {
        let pane = InputPane { prediction: Some(live), ..InputPane::default() };
        measure_inputs(&context(&stream, Task::Regression, &[], Some(&reference)), &pane, &SERVICE)
    };
    let measured = measure(live);
    let of = |metric| reading(&measured, &Subject::EstimatedQuality, metric);
    let (mae, rmse) = (of(Metric::Mae), of(Metric::Rmse));
    assert!((mae.reading.value().unwrap() - (2.0 + 12.0) / 5.0).abs() < 1e-12, "{mae:?}");
    assert!((rmse.reading.value().unwrap() - ((2.0 + 48.0) / 5.0f64).sqrt()).abs() < 1e-12, "{rmse:?}");
    assert_eq!((mae.n_current, mae.n_reference, mae.on_reference), (5, 4, Some(2.5)));
    assert_eq!(mae.sigma, Some(0.0), "within a group every error is the same");
    let mae = measure(prediction.empty_counts());
    assert_eq!(reading(&mae, &Subject::EstimatedQuality, Metric::Mae).reading, Reading::Undefined(UndefinedReason::NoData));
}

proptest! {
    #[test]
    fn merged_scores_estimate_like_one_pass(rows in prop::collection::vec((0u32..=100, any::<bool>(), 0usize..4), 0..80)) {
        let (stream, classes, reference) = (stream(), names(&["0", "1"]), binary());
        let mut panes: Vec<InputPane> = vec![InputPane::default(); 5];
        for &(score, predicted, pane) in &rows {
            let cell = score_cell(f64::from(score) / 100.0);
            panes[pane].add_score(0, cell, predicted);
            panes[4].add_score(0, cell, predicted);
        }
        let whole = panes.pop().unwrap();
        let mut merged = InputPane::default();
        panes.iter().rev().for_each(|pane| merged.merge(pane));
        let ctx = context(&stream, Task::Binary, &classes, Some(&reference));
        prop_assert_eq!(measure_inputs(&ctx, &merged, &SERVICE), measure_inputs(&ctx, &whole, &SERVICE));
    }
}
