//! Quality of real data as NannyML 0.13.1 and Evidently 0.7.23 have it, from what driftd measures of a chunk.

use super::real::{Set, folder};
use super::*;
use serde_json::Value;
use std::io::Read;

/// Numbers of other libraries are met to this relative error.
#[track_caller]
fn close(what: &str, got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9 * want.abs().max(1e-3), "{what}: got {got}, want {want}");
}

/// What NannyML 0.13.1 says of a chunk once its labels are there; `areas`: those of the scores themselves, where cells do not resolve them.
pub(super) fn realised(measured: &[Measurement], set: &Set, chunk: usize, areas: &[f64]) -> usize {
    let mut compared = 0;
    for (key, values) in set.figures["nannyml_realized"].as_object().unwrap() {
        let value = |metric| reading(measured, &Subject::Quality, metric).reading.value().unwrap();
        let got = match key.as_str() {
            "accuracy" => value(Metric::Accuracy),
            "precision" => value(Metric::Precision),
            "recall" => value(Metric::Recall),
            "f1" => value(Metric::F1),
            "specificity" => value(Metric::Specificity),
            "roc_auc" => areas.first().copied().unwrap_or_else(|| value(Metric::RocAuc)),
            "average_precision" => areas.get(1).copied().unwrap_or_else(|| value(Metric::PrAuc)),
            "mae" => value(Metric::Mae),
            "mape" => value(Metric::Mape),
            "rmse" => value(Metric::Rmse),
            "mse" => value(Metric::Rmse).powi(2),
            "msle" | "rmsle" => continue,
            other => panic!("{other}"),
        };
        close(key, got, values[chunk].as_f64().unwrap());
        compared += 1;
    }
    compared
}

/// What Evidently 0.7.23 says of a chunk; of the first three it was asked.
pub(super) fn of_evidently(measured: &[Measurement], set: &Set, chunk: usize) -> usize {
    let mut compared = 0;
    for (key, want) in set.figures["evidently_quality"][chunk].as_object().into_iter().flatten() {
        let value = |metric| reading(measured, &Subject::Quality, metric).reading.value().unwrap();
        if let Some(metric) = key.strip_suffix("ByLabel") {
            let metric = [("Precision", Metric::Precision), ("Recall", Metric::Recall), ("F1", Metric::F1), ("RocAuc", Metric::RocAuc)]
                .iter()
                .find_map(|(name, twin)| (*name == metric).then_some(*twin))
                .unwrap();
            for (class, want) in want.as_object().unwrap() {
                let got = reading(measured, &Subject::ClassQuality(class.as_str().into()), metric).reading.value().unwrap();
                close(key, got, want.as_f64().unwrap());
                compared += 1;
            }
            continue;
        }
        let (got, want) = match key.as_str() {
            "chunk" | "n" | "AbsMaxError" => continue,
            "Accuracy" => (value(Metric::Accuracy), want),
            "Precision" => (value(Metric::Precision), want),
            "Recall" | "TPR" => (value(Metric::Recall), want),
            "F1Score" => (value(Metric::F1), want),
            "TNR" => (value(Metric::Specificity), want),
            "FPR" => (1.0 - value(Metric::Specificity), want),
            "FNR" => (1.0 - value(Metric::Recall), want),
            "LogLoss" => (value(Metric::LogLoss), want),
            "RocAuc" => {
                // to the bound of the cells; from the scores themselves it is compared above
                let got = reading(measured, &Subject::Quality, Metric::RocAuc);
                assert!((got.reading.value().unwrap() - want.as_f64().unwrap()).abs() <= got.error_bound + 1e-9);
                compared += 1;
                continue;
            }
            "MAE" => (value(Metric::Mae), &want["mean"]),
            "RMSE" => (value(Metric::Rmse), want),
            "R2Score" => (value(Metric::R2), want),
            "MAPE" => (100.0 * value(Metric::Mape), &want["mean"]),
            "MeanError" => (value(Metric::MeanError), &want["mean"]),
            other => panic!("{other}"),
        };
        close(key, got, want.as_f64().unwrap());
        compared += 1;
    }
    compared
}

/// A peer's own test (NannyML 0.13.1, see `tests/data/peer_tests/nml_regression_performance.md`). Its MSLE and RMSLE have no twin here.
#[test]
fn nannyml_regression_performance() {
    let cases: Value = serde_json::from_str(include_str!("../../../../tests/data/peer_tests/nannyml.json")).unwrap();
    let expected = &cases["performance"][0]["expected"];
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
    let mut compared = 0;
    for (i, chunk) in rows.chunks(6_000).enumerate() {
        let mut sums = RegressionSums::new(10_000.0, 3_000.0);
        chunk.iter().for_each(|&(prediction, label)| sums.add(prediction, label));
        let n = chunk.len() as u64;
        let pane = OutcomePane { expected: n, labelled: n, ..OutcomePane::new(Quality::Numbers(sums), None) };
        let measured = measure_outcomes(&context(&stream, Task::Regression, &[], None), &pane);
        let value = |metric| reading(&measured, &Subject::Quality, metric).reading.value().unwrap();
        let mse = value(Metric::Rmse).powi(2);
        for (key, got) in [("mae", value(Metric::Mae)), ("mape", value(Metric::Mape)), ("rmse", value(Metric::Rmse)), ("mse", mse)] {
            let want = expected[key][i].as_f64().unwrap();
            // they are rounded to five places
            assert!((got - want).abs() <= 5.1e-6, "{key} of chunk {i}: {got}, want {want}");
            compared += 1;
        }
    }
    assert_eq!(compared, 40);
}
