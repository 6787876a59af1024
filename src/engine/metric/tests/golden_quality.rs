//! Quality of real data, every chunk, against scikit-learn 1.6.1 (`tests/data/<set>/golden.json`, `method_notes`): events in, sums of a window,
//! measurements out; and the same figures of the reference itself.

use super::*;
use crate::edge::ingest::table::read_table;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::summary::Scores;
use crate::event::{Scalar, class_place};
use crate::stats::scores::{average_precision, groups, roc_auc};
use serde_json::Value;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Numbers of other libraries are met to this relative error.
const RELATIVE: f64 = 1e-9;

struct Set {
    golden: Value,
    predictions: Vec<Value>,
    labels: HashMap<String, Value>,
    reference: Reference,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn lines(path: &Path) -> Vec<Value> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn load(name: &str, task: Task) -> Set {
    let folder = folder(name);
    let table = read_table(&folder.join("reference.parquet"), &mut |_, _| {}).unwrap();
    let spec = CompileSpec { task: Some(task), positive: (task == Task::Binary).then(|| "1".into()), ..CompileSpec::default() };
    Set {
        golden: serde_json::from_str(&std::fs::read_to_string(folder.join("golden.json")).unwrap()).unwrap(),
        predictions: lines(&folder.join("predictions.jsonl.gz")),
        labels: lines(&folder.join("labels.jsonl.gz"))
            .into_iter()
            .map(|mut line| (line["prediction_id"].as_str().unwrap().to_owned(), line["label"].take()))
            .collect(),
        reference: compile(&table, &spec).unwrap().reference,
    }
}

impl Set {
    /// Labelled predictions of every chunk beside what is expected of it.
    fn chunks(&self) -> impl Iterator<Item = (Vec<(&Value, &Value)>, &Value)> {
        let quality = self.golden["quality"].as_array().unwrap();
        self.golden["chunks"].as_array().unwrap().iter().zip(quality).map(|(chunk, want)| {
            let (from, to) = (chunk["start"].as_u64().unwrap() as usize, chunk["end"].as_u64().unwrap() as usize);
            let label = |event: &Value| self.labels.get(event["prediction_id"].as_str().unwrap());
            (self.predictions[from..to].iter().filter_map(|event| Some((event, label(event)?))).collect(), want)
        })
    }
}

fn scalar(value: &Value) -> Scalar<'_> {
    value.as_f64().map_or_else(|| Scalar::Text(value.as_str().unwrap().into()), Scalar::Number)
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
    };
    let mut pane = OutcomePane::new(quality, None);
    (pane.expected, pane.labelled) = (pairs.len() as u64, pairs.len() as u64);
    for (event, label) in pairs {
        match &mut pane.quality {
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
    let set = load("elec2", Task::Binary);
    let (stream, classes) = (stream(), set.reference.outputs.classes.clone());
    let ctx = context(&stream, Task::Binary, &classes, Some(&set.reference));
    let mut n_chunks = 0;
    for (pairs, want) in set.chunks() {
        binary(&measure_outcomes(&ctx, &pane(&set.reference, Task::Binary, &pairs)), false, want);
        // from the scores themselves, which have six decimals, the areas are exact
        let exact = groups(pairs.iter().map(|(event, label)| (event["score"].as_f64().unwrap(), label.as_f64() == Some(1.0))));
        close("roc_auc", roc_auc(&exact).unwrap().value, want["roc_auc"].as_f64().unwrap());
        close("average_precision", average_precision(&exact).unwrap().value, want["average_precision"].as_f64().unwrap());
        n_chunks += 1;
    }
    assert_eq!(n_chunks, 12);
    let nothing = OutcomePane::new(Quality::Classes(Confusion::default()), None);
    binary(&measure_outcomes(&ctx, &nothing), true, &set.golden["quality_reference"]);
}

fn multiclass(measured: &[Measurement], on_reference: bool, want: &Value, classes: &[Arc<str>]) {
    for (metric, key) in [
        (Metric::Accuracy, "accuracy"),
        (Metric::Precision, "precision_macro_present_classes"),
        (Metric::Recall, "recall_macro_present_classes"),
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
    let set = load("nml_credit_card", Task::Multiclass);
    let (stream, classes) = (stream(), set.reference.outputs.classes.clone());
    let ctx = context(&stream, Task::Multiclass, &classes, Some(&set.reference));
    let mut n_chunks = 0;
    for (pairs, want) in set.chunks() {
        let measured = measure_outcomes(&ctx, &pane(&set.reference, Task::Multiclass, &pairs));
        multiclass(&measured, false, want, &classes);
        assert_eq!(reading(&measured, &Subject::Quality, Metric::RocAuc).error_bound, 0.0);
        n_chunks += 1;
    }
    assert_eq!(n_chunks, 10);
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
    let set = load("nml_car_price", Task::Regression);
    let stream = stream();
    let ctx = context(&stream, Task::Regression, &[], Some(&set.reference));
    let mut n_chunks = 0;
    for (pairs, want) in set.chunks() {
        assert_eq!(want["n_labelled"].as_u64(), Some(pairs.len() as u64));
        regression(&measure_outcomes(&ctx, &pane(&set.reference, Task::Regression, &pairs)), false, want);
        n_chunks += 1;
    }
    assert_eq!(n_chunks, 10);
    let nothing = OutcomePane::new(Quality::Numbers(RegressionSums::new(0.0, 1.0)), None);
    regression(&measure_outcomes(&ctx, &nothing), true, &set.golden["quality_reference"]);
    // the reference's own residuals: 20,000 rows, and their mean is the bias
    let residual = set.reference.outputs.residual.as_ref().unwrap();
    assert_eq!(residual.counts.valid(), 20_000);
    close("bias", residual.moments.unwrap().mean, set.golden["quality_reference"]["mean_error_pred_minus_label"].as_f64().unwrap());
}

/// A peer's own test (NannyML 0.13.1, see `tests/data/peer_tests/nml_regression_performance.md`). Its MSLE and RMSLE have no twin here.
#[test]
fn nannyml_regression_performance() {
    const MAE: [f64; 10] = [853.39967, 853.13667, 846.304, 855.4945, 849.3295, 702.51767, 700.73583, 684.70167, 705.814, 698.34383];
    const MAPE: [f64; 10] = [0.22871, 0.23082, 0.22904, 0.23362, 0.23389, 0.26286, 0.26346, 0.26095, 0.26537, 0.26576];
    const RMSE: [f64; 10] =
        [1069.17225, 1067.64585, 1062.41273, 1076.23681, 1060.32338, 910.81803, 910.87506, 890.10494, 914.28495, 908.81003];
    let mut text = String::new();
    let file = std::fs::File::open(folder("peer_tests").join("nml_regression_performance.csv.gz")).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let rows: Vec<(f64, f64)> = text
        .lines()
        .skip(1)
        .map(|line| line.split_once(',').unwrap())
        .map(|(prediction, label)| (prediction.parse().unwrap(), label.parse().unwrap()))
        .collect();
    assert_eq!(rows.len(), 60_000);
    let stream = stream();
    for (i, chunk) in rows.chunks(6_000).enumerate() {
        let mut sums = RegressionSums::new(10_000.0, 3_000.0);
        chunk.iter().for_each(|&(prediction, label)| sums.add(prediction, label));
        let n = chunk.len() as u64;
        let pane = OutcomePane { expected: n, labelled: n, ..OutcomePane::new(Quality::Numbers(sums), None) };
        let measured = measure_outcomes(&context(&stream, Task::Regression, &[], None), &pane);
        for (metric, want) in [(Metric::Mae, MAE[i]), (Metric::Mape, MAPE[i]), (Metric::Rmse, RMSE[i])] {
            let got = reading(&measured, &Subject::Quality, metric).reading.value().unwrap();
            assert!((got - want).abs() <= 5.1e-6, "{metric:?} of chunk {i}: {got}, want {want}");
        }
    }
}
