//! `driftd replay` of real data with every figure of quality asked for, against scikit-learn (`tests/data/<set>/golden.json`): from event to line.

use crate::support::dataset::{Dataset, reading};
use serde_json::Value;
use std::fs;

const METRICS: &str = r#"metrics = ["balanced_accuracy", "f1_weighted", "recall_micro", "roc_auc", "pr_auc", "log_loss", "brier_score", "mape",
    "median_absolute_error", "mean_error", "business_value"]"#;

/// The lines of a replay whose model has these further keys.
fn replay(set: &Dataset, init: &[&str], keys: &str) -> Vec<Value> {
    let mut arguments = vec!["init", "--reference", "reference.parquet", "--window", "1h", "--slide", "1h", "--out", "driftd.toml"];
    arguments.extend(init);
    set.driftd(&arguments);
    let text = fs::read_to_string(set.path("driftd.toml")).unwrap();
    let changed = text.replacen("[[model]]\n", &format!("[[model]]\n{METRICS}\n{keys}\n"), 1);
    assert_ne!(text, changed);
    fs::write(set.path("driftd.toml"), changed).unwrap();
    let output = set.driftd(&["replay", "--config", "driftd.toml", "--predictions", "predictions.jsonl", "--labels", "labels.jsonl"]);
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Compares every window's figure with its twin, within its own error bound.
fn check(set: &Dataset, lines: &[Value], twins: &[(&str, &str)]) {
    for (i, golden) in set.golden["quality"].as_array().unwrap().iter().enumerate() {
        for (metric, twin) in twins {
            let line = reading(lines, i, "quality", metric);
            let (got, want) = (line["value"].as_f64().unwrap_or_else(|| panic!("{line}")), golden[*twin].as_f64().unwrap());
            let bound = line["error_bound"].as_f64().unwrap_or(0.0);
            assert!((got - want).abs() <= bound + 1e-9 * want.abs().max(1e-3), "{metric} in window {i}: {got} ± {bound}, not {want}");
        }
    }
}

#[test]
fn binary_scores_and_costs() {
    let set = Dataset::prepare("elec2");
    let costs = "costs = { true_positive = 10, false_positive = -1, true_negative = 0, false_negative = -5 }";
    let lines = replay(&set, &["--model", "elec2", "--task", "binary", "--positive", "1"], costs);
    let twins = [("roc_auc", "roc_auc"), ("pr_auc", "average_precision"), ("log_loss", "log_loss"), ("brier_score", "brier")];
    check(&set, &lines, &twins);
    for (i, golden) in set.golden["quality"].as_array().unwrap().iter().enumerate() {
        let count = |key: &str| golden["confusion"][key].as_f64().unwrap();
        let want = (10.0 * count("tp") - count("fp") - 5.0 * count("fn")) / golden["n_labelled"].as_f64().unwrap();
        let got = reading(&lines, i, "quality", "business_value")["value"].as_f64().unwrap();
        assert!((got - want).abs() < 1e-9, "window {i}: {got}, not {want}");
    }
}

#[test]
fn multiclass_scores() {
    let set = Dataset::prepare("nml_credit_card");
    let lines = replay(&set, &["--model", "nml_credit_card", "--task", "multiclass"], "");
    let twins = [
        ("roc_auc", "roc_auc_ovr_macro_raw_scores_present_classes"),
        ("log_loss", "log_loss"),
        ("balanced_accuracy", "recall_macro_present_classes"),
        ("f1_weighted", "f1_weighted_present_classes"),
        ("recall_micro", "recall_micro_present_classes"),
    ];
    check(&set, &lines, &twins);
    for (i, golden) in set.golden["quality"].as_array().unwrap().iter().enumerate() {
        for (class, want) in golden["roc_auc_ovr_per_class_raw_scores"].as_object().unwrap() {
            let got = reading(&lines, i, &format!("quality:{class}"), "roc_auc")["value"].as_f64().unwrap();
            assert!((got - want.as_f64().unwrap()).abs() < 1e-9, "{class} in window {i}: {got}, not {want}");
        }
    }
}

#[test]
fn regression_errors_and_residuals() {
    let set = Dataset::prepare("nml_car_price");
    let lines = replay(&set, &["--model", "nml_car_price", "--task", "regression"], "");
    let twins = [("mape", "mape"), ("median_absolute_error", "medae"), ("mean_error", "mean_error_pred_minus_label")];
    check(&set, &lines, &twins);
    // the errors' shape changes with the cars from chunk 5 on
    let drift = |i| reading(&lines, i, "residual", "ks")["value"].as_f64().unwrap();
    let (before, after) = ((0..5).map(drift).fold(0.0, f64::max), (5..10).map(drift).fold(1.0, f64::min));
    assert!(before < 0.05 && after > before, "{before} {after}");
}

/// A rule on one class of a binary model: both classes have figures, of the negative one from the same matrix and from scores taken from 1.
#[test]
fn the_negative_class_has_figures_where_a_rule_looks_at_it() {
    let set = Dataset::prepare("elec2");
    let rule = "[[rule]]\nname = \"down\"\n\n[[rule.condition]]\nsubject = \"quality:0\"\nmetric = \"precision\"\nbelow = 0.5\n\n\
                [[rule.condition]]\nsubject = \"quality:0\"\nmetric = \"roc_auc\"\nbelow = 0.5\n";
    fs::write(set.path("rules.toml"), rule).unwrap();
    let lines = replay(&set, &["--model", "elec2", "--task", "binary", "--positive", "1"], "");
    assert!(lines.iter().all(|line| line["subject"] != "quality:0"), "nobody asks");
    let config = fs::read_to_string(set.path("driftd.toml")).unwrap();
    fs::write(set.path("driftd.toml"), format!("{config}\n[rules]\nfiles = [\"rules.toml\"]\n")).unwrap();
    let output = set.driftd(&["replay", "--config", "driftd.toml", "--predictions", "predictions.jsonl", "--labels", "labels.jsonl"]);
    let lines: Vec<Value> = String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (i, golden) in set.golden["quality"].as_array().unwrap().iter().enumerate() {
        let count = |key: &str| golden["confusion"][key].as_f64().unwrap();
        for (class, want) in [("0", count("tn") / (count("tn") + count("fn"))), ("1", golden["precision"].as_f64().unwrap())] {
            let line = reading(&lines, i, &format!("quality:{class}"), "precision");
            assert!((line["value"].as_f64().unwrap() - want).abs() < 1e-9, "{class} in window {i}: {line}, not {want}");
        }
        // the area is the same from either side
        let line = reading(&lines, i, "quality:0", "roc_auc");
        let (got, bound) = (line["value"].as_f64().unwrap(), line["error_bound"].as_f64().unwrap_or(0.0));
        assert!((got - golden["roc_auc"].as_f64().unwrap()).abs() <= bound + 1e-9, "{line}");
    }
}
