//! Quality of real data, every chunk, against scikit-learn 1.6.1 (`tests/data/<set>/golden.json`, `method_notes`): events in, sums of a window,
//! measurements out; and the same figures of the reference itself.

use super::golden_quality_peers::{of_evidently, realised};
use super::real::{self, Set, scalar};
use super::*;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::summary::Scores;
use crate::event::class_place;
use crate::stats::scores::{ScoreGroup, average_precision, groups, roc_auc};
use serde_json::{Value, json};

/// Numbers of other libraries are met to this relative error.
const RELATIVE: f64 = 1e-9;

fn load(name: &'static str, task: Task) -> (Set, Reference) {
    let set = real::load(name);
    let spec = CompileSpec { task: Some(task), positive: (task == Task::Binary).then(|| "1".into()), ..CompileSpec::default() };
    let reference = compile(&set.table, &spec).unwrap().reference;
    (set, reference)
}

impl Set {
    /// Labelled predictions of every chunk beside what is expected of it.
    fn labelled(&self) -> impl Iterator<Item = (Vec<(&Value, &Value)>, &Value)> {
        let quality = self.golden["quality"].as_array().unwrap();
        self.chunks().zip(quality).map(|(chunk, want)| (chunk.iter().filter_map(|event| Some((event, self.label(event)?))).collect(), want))
    }
}

/// The outcome pane of a window, counted as a shard does.
fn pane(reference: &Reference, task: Task, pairs: &[(&Value, &Value)]) -> OutcomePane {
    let classes = &reference.outputs.classes;
    let quality = match task {
        Task::Regression => {
            let moments = reference.outputs.label.as_ref().unwrap().moments.unwrap();
            Quality::Numbers(RegressionSums::new(moments.mean, moments.std))
        }
        Task::Binary | Task::Multiclass => Quality::Classes(Confusion::default()),
        Task::Ranking => panic!("no data set of lists"),
    };
    let mut pane = OutcomePane::new(quality, None);
    (pane.expected, pane.labelled) = (pairs.len() as u64, pairs.len() as u64);
    for (event, label) in pairs {
        match &mut pane.quality {
            Quality::Lists(_) => panic!("no data set of lists"),
            Quality::Numbers(sums) => sums.add(event["prediction"].as_f64().unwrap(), label.as_f64().unwrap()),
            Quality::Classes(confusion) => {
                let place = |value: &Value| class_place(classes, &scalar(value)).unwrap();
                confusion.add(place(label) as u16, place(&event["prediction"]) as u16);
                let scores = match event["score"].as_f64() {
                    Some(score) => Scores::Positive(score),
                    None => Scores::Classes(classes.iter().map(|class| event["scores"][&**class].as_f64().unwrap()).collect()),
                };
                pane.scores.tally(&scores, place(label), Some(1), true);
            }
        }
    }
    pane
}

#[track_caller]
fn close(what: &str, got: f64, want: f64) {
    assert!((got - want).abs() <= RELATIVE * want.abs().max(1e-3), "{what}: got {got}, want {want}");
}

/// Compares a figure, on the window or (`on_reference`) on the reference.
#[track_caller]
fn check(measured: &[Measurement], on_reference: bool, subject: &Subject, metric: Metric, want: &Value, within_bound: bool) {
    let got = reading(measured, subject, metric);
    let value = if on_reference { got.on_reference } else { got.reading.value() }.unwrap_or_else(|| panic!("no value: {got:?}"));
    let want = want.as_f64().unwrap_or_else(|| panic!("no golden number for {metric:?}"));
    match within_bound {
        // the bound is the window's; the reference's own is of the same kind
        true if on_reference => assert!((value - want).abs() < 2e-4, "{metric:?}: {value}, want {want}"),
        true => {
            assert!((value - want).abs() <= got.error_bound + 1e-12, "{metric:?}: {value} ± {}, want {want}", got.error_bound);
            assert!(got.error_bound < 1e-2, "{metric:?}: a bound of {} says little", got.error_bound);
        }
        false => close(metric.as_str(), value, want),
    }
    if !on_reference && let Some((low, high)) = got.interval {
        assert!(low <= value && value <= high, "{got:?}");
    }
}

/// The matrix that stands beside the accuracy.
fn confusion(measured: &[Measurement]) -> Value {
    json!(reading(measured, &Subject::Quality, Metric::Accuracy).confusion.as_ref().unwrap().counts)
}

/// Areas by ROC and precision of scores that the cells do not resolve.
fn exact_areas(groups: &[ScoreGroup]) -> [f64; 2] {
    [roc_auc(groups).unwrap().value, average_precision(groups).unwrap().value]
}

fn binary(measured: &[Measurement], on_reference: bool, want: &Value) {
    for (metric, key, within_bound) in [
        (Metric::Accuracy, "accuracy", false),
        (Metric::Precision, "precision", false),
        (Metric::Recall, "recall", false),
        (Metric::F1, "f1", false),
        (Metric::LogLoss, "log_loss", false),
        (Metric::Brier, "brier", false),
        (Metric::SelectionRate, "positive_rate_prediction", false),
        (Metric::RocAuc, "roc_auc", true),
        (Metric::PrAuc, "average_precision", true),
    ] {
        check(measured, on_reference, &Subject::Quality, metric, &want[key], within_bound);
    }
}

#[test]
fn elec2() {
    let (set, reference) = load("elec2", Task::Binary);
    let (stream, classes) = (stream(), reference.outputs.classes.clone());
    let ctx = context(&stream, Task::Binary, &classes, Some(&reference));
    let (mut n_chunks, mut compared) = (0, 0);
    for (pairs, want) in set.labelled() {
        let measured = measure_outcomes(&ctx, &pane(&reference, Task::Binary, &pairs));
        binary(&measured, false, want);
        // from the scores themselves, which have six decimals, the areas are exact
        let exact = groups(pairs.iter().map(|(event, label)| (event["score"].as_f64().unwrap(), label.as_f64() == Some(1.0))));
        close("roc_auc", roc_auc(&exact).unwrap().value, want["roc_auc"].as_f64().unwrap());
        close("average_precision", average_precision(&exact).unwrap().value, want["average_precision"].as_f64().unwrap());
        assert_eq!(
            confusion(&measured),
            json!([[want["confusion"]["tn"], want["confusion"]["fp"]], [want["confusion"]["fn"], want["confusion"]["tp"]]])
        );
        compared += realised(&measured, &set, n_chunks, &exact_areas(&exact));
        compared += of_evidently(&measured, &set, n_chunks);
        n_chunks += 1;
    }
    // NannyML: 7 figures; Evidently: 10 of the first three chunks
    assert_eq!((n_chunks, compared), (12, 12 * 7 + 3 * 10));
    let nothing = OutcomePane::new(Quality::Classes(Confusion::default()), None);
    binary(&measure_outcomes(&ctx, &nothing), true, &set.golden["quality_reference"]);
}

fn multiclass(measured: &[Measurement], on_reference: bool, want: &Value, classes: &[Arc<str>]) {
    for (metric, key) in [
        (Metric::Accuracy, "accuracy"),
        (Metric::Precision, "precision_macro_present_classes"),
        (Metric::Recall, "recall_macro_present_classes"),
        (Metric::Precision, "precision_macro_all_classes"),
        (Metric::RecallMacro, "recall_macro_all_classes"),
        (Metric::F1Macro, "f1_macro_all_classes"),
        (Metric::BalancedAccuracy, "recall_macro_present_classes"),
        (Metric::F1, "f1_macro_present_classes"),
        (Metric::PrecisionMicro, "precision_micro_present_classes"),
        (Metric::RecallMicro, "recall_micro_present_classes"),
        (Metric::F1Micro, "f1_micro_present_classes"),
        (Metric::PrecisionWeighted, "precision_weighted_present_classes"),
        (Metric::RecallWeighted, "recall_weighted_present_classes"),
        (Metric::F1Weighted, "f1_weighted_present_classes"),
        // scores of two decimals are points of the grid: exact
        (Metric::RocAuc, "roc_auc_ovr_macro_raw_scores_present_classes"),
        (Metric::RocAuc, "roc_auc_ovr_macro_raw_scores_all_classes"),
        (Metric::LogLoss, "log_loss"),
    ] {
        check(measured, on_reference, &Subject::Quality, metric, &want[key], false);
    }
    for class in classes {
        let subject = Subject::ClassQuality(class.clone());
        for (metric, key) in [
            (Metric::Precision, "precision_per_class"),
            (Metric::Recall, "recall_per_class"),
            (Metric::F1, "f1_per_class"),
            (Metric::RocAuc, "roc_auc_ovr_per_class_raw_scores"),
        ] {
            check(measured, on_reference, &subject, metric, &want[key][&**class], false);
        }
    }
}

#[test]
fn credit_card() {
    let (set, reference) = load("nml_credit_card", Task::Multiclass);
    let (stream, classes) = (stream(), reference.outputs.classes.clone());
    let ctx = context(&stream, Task::Multiclass, &classes, Some(&reference));
    let (mut n_chunks, mut compared) = (0, 0);
    for (pairs, want) in set.labelled() {
        let measured = measure_outcomes(&ctx, &pane(&reference, Task::Multiclass, &pairs));
        multiclass(&measured, false, want, &classes);
        assert_eq!(reading(&measured, &Subject::Quality, Metric::RocAuc).error_bound, 0.0);
        assert_eq!(confusion(&measured), want["confusion"]["matrix_rows_are_labels"]);
        compared += realised(&measured, &set, n_chunks, &[]);
        // Evidently does not read the prediction: its answer is the class with the greatest score
        let mut by_score = pane(&reference, Task::Multiclass, &pairs);
        let Quality::Classes(confusion) = &mut by_score.quality else { panic!("classes") };
        *confusion = Confusion::default();
        for (event, label) in &pairs {
            let score = |class: &Arc<str>| event["scores"][&**class].as_f64().unwrap();
            let best = (1..classes.len()).fold(0, |best, class| if score(&classes[class]) > score(&classes[best]) { class } else { best });
            confusion.add(class_place(&classes, &scalar(label)).unwrap() as u16, best as u16);
        }
        compared += of_evidently(&measure_outcomes(&ctx, &by_score), &set, n_chunks);
        n_chunks += 1;
    }
    // NannyML: 7 figures; Evidently: 6 figures and 4 of each of three classes, of the first three chunks
    assert_eq!((n_chunks, compared), (10, 10 * 7 + 3 * 18));
    let nothing = OutcomePane::new(Quality::Classes(Confusion::default()), None);
    multiclass(&measure_outcomes(&ctx, &nothing), true, &set.golden["quality_reference"], &classes);
}

fn regression(measured: &[Measurement], on_reference: bool, want: &Value) {
    for (metric, key) in [
        (Metric::Mae, "mae"),
        (Metric::Rmse, "rmse"),
        (Metric::R2, "r2"),
        (Metric::Mape, "mape"),
        (Metric::MeanError, "mean_error_pred_minus_label"),
    ] {
        check(measured, on_reference, &Subject::Quality, metric, &want[key], false);
    }
    let median = reading(measured, &Subject::Quality, Metric::MedianAbsoluteError);
    let value = if on_reference { median.on_reference } else { median.reading.value() }.unwrap();
    let want = want["medae"].as_f64().unwrap();
    assert!((value - want).abs() <= 0.01 * want, "{value}, want {want}");
    if !on_reference {
        assert!((value - want).abs() <= median.error_bound, "{value} ± {}, want {want}", median.error_bound);
        let (low, high) = median.interval.unwrap();
        assert!(low < want && want < high, "{median:?}");
    }
}

#[test]
fn car_price() {
    let (set, reference) = load("nml_car_price", Task::Regression);
    let stream = stream();
    let ctx = context(&stream, Task::Regression, &[], Some(&reference));
    let (mut n_chunks, mut compared) = (0, 0);
    for (pairs, want) in set.labelled() {
        assert_eq!(want["n_labelled"].as_u64(), Some(pairs.len() as u64));
        let measured = measure_outcomes(&ctx, &pane(&reference, Task::Regression, &pairs));
        regression(&measured, false, want);
        compared += realised(&measured, &set, n_chunks, &[]);
        compared += of_evidently(&measured, &set, n_chunks);
        n_chunks += 1;
    }
    // NannyML: 4 figures, without MSLE and RMSLE; Evidently: 5 of the first three chunks, without the greatest error
    assert_eq!((n_chunks, compared), (10, 10 * 4 + 3 * 5));
    let nothing = OutcomePane::new(Quality::Numbers(RegressionSums::new(0.0, 1.0)), None);
    regression(&measure_outcomes(&ctx, &nothing), true, &set.golden["quality_reference"]);
    // the reference's own residuals: 20,000 rows, and their mean is the bias
    let residual = reference.outputs.residual.as_ref().unwrap();
    assert_eq!(residual.counts.valid(), 20_000);
    close("bias", residual.moments.unwrap().mean, set.golden["quality_reference"]["mean_error_pred_minus_label"].as_f64().unwrap());
}
