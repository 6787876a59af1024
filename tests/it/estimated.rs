//! Estimated quality on real data: against NannyML 0.13.1 (`tests/data/<set>/estimated.json`) and against what came true (`golden.json`).

use crate::support::dataset::{Dataset, reading};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// A replay with every figure that NannyML has too, and what it says of each chunk.
fn replay(name: &str, init: &[&str]) -> (Dataset, Vec<Value>, Value) {
    let set = Dataset::prepare(name);
    let all = ["init", "--reference", "reference.parquet", "--window", "1h", "--slide", "1h", "--out", "driftd.toml", "--model", name];
    set.driftd(&[&all, init].concat());
    let config = fs::read_to_string(set.path("driftd.toml")).unwrap();
    fs::write(set.path("driftd.toml"), config.replacen("[[model]]\n", "[[model]]\nmetrics = [\"roc_auc\", \"specificity\"]\n", 1)).unwrap();
    let output = set.driftd(&["replay", "--config", "driftd.toml", "--predictions", "predictions.jsonl", "--labels", "labels.jsonl"]);
    let lines = String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name).join("estimated.json");
    let golden: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    (set, lines, golden["values"].clone())
}

fn estimated(lines: &[Value], i: usize, metric: &str) -> f64 {
    let line = reading(lines, i, "estimated_quality", metric);
    line["value"].as_f64().unwrap_or_else(|| panic!("{metric} in window {i}: {line}"))
}

/// Every figure that NannyML has, within `tolerance`.
fn check(lines: &[Value], golden: &Value, tolerance: f64) {
    for metric in ["accuracy", "precision", "recall", "f1", "specificity", "roc_auc"] {
        for (i, want) in golden[metric].as_array().unwrap().iter().enumerate() {
            let (got, want) = (estimated(lines, i, metric), want.as_f64().unwrap());
            assert!((got - want).abs() <= tolerance, "{metric} in window {i}: {got}, NannyML says {want}");
        }
    }
}

/// Both calibrate by isotonic regression; what is left is that here a score stands for its cell of 1/1000, there for itself.
/// The stream drifts in concept, which no estimate can see: half of the answers are wrong where nearly all are expected to be right.
#[test]
fn elec2_is_the_warning() {
    let (set, lines, golden) = replay("elec2", &["--task", "binary", "--positive", "1"]);
    check(&lines, &golden, 1e-3);
    let (expected, real) = (estimated(&lines, 7, "accuracy"), set.golden["quality"][7]["accuracy"].as_f64().unwrap());
    assert!(expected > 0.98 && real < 0.60, "{expected} {real}");
}

/// NannyML calibrates only the classes that it finds in need of it, and scales the scores of a row so that they sum to 1, which counts by class cannot:
/// up to 0.005 apart.
#[test]
fn credit_card_comes_true_where_nothing_shifted() {
    let (set, lines, golden) = replay("nml_credit_card", &["--task", "multiclass"]);
    check(&lines, &golden, 5e-3);
    for i in 0..5 {
        let real = set.golden["quality"][i]["accuracy"].as_f64().unwrap();
        let (expected, n) = (estimated(&lines, i, "accuracy"), set.golden["quality"][i]["n_labelled"].as_f64().unwrap());
        let sigma = (expected * (1.0 - expected) / n).sqrt();
        assert!((expected - real).abs() < 3.0 * sigma, "accuracy in window {i}: {expected}, then {real}");
    }
}

/// NannyML predicts each row's error from all features by gradient boosting, here only the prediction is asked: 1 % apart where nothing shifted, a
/// tenth where the inputs did. Both come true there within three standard errors.
#[test]
fn car_price_comes_true_where_nothing_shifted() {
    let (set, lines, golden) = replay("nml_car_price", &["--task", "regression"]);
    for metric in ["mae", "rmse"] {
        for i in 0..10 {
            let (got, twin) = (estimated(&lines, i, metric), golden[metric][i].as_f64().unwrap());
            let (real, share) = (set.golden["quality"][i][metric].as_f64().unwrap(), if i < 5 { 0.015 } else { 0.12 });
            assert!((got - twin).abs() <= share * twin, "{metric} in window {i}: {got}, NannyML says {twin}");
            // NannyML's own sampling errors: 14.2 and 17.4
            let sigma = if metric == "mae" { 14.2 } else { 17.4 };
            assert!(i >= 5 || (got - real).abs() < 3.0 * sigma, "{metric} in window {i}: {got}, then {real}");
        }
    }
}
