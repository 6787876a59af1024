//! `driftd init` and `driftd replay` over real data sets, against what scipy and scikit-learn say of each chunk.
//! The golden numbers and the calls behind them: `tests/data/<set>/golden.json`, `method_notes`.

use crate::support::dataset::{Dataset, reading};
use serde_json::Value;

const RELATIVE: f64 = 1e-9;
pub(crate) const SETS: [(&str, &[&str]); 3] = [
    ("elec2", &["--model", "elec2", "--task", "binary", "--positive", "1"]),
    ("nml_car_price", &["--model", "nml_car_price", "--task", "regression"]),
    ("nml_credit_card", &["--model", "nml_credit_card", "--task", "multiclass"]),
];

#[track_caller]
fn assert_close(what: &str, got: &Value, want: f64) {
    let got = got["value"].as_f64().unwrap_or_else(|| panic!("{what}: no value in {got}"));
    assert!((got - want).abs() <= RELATIVE * want.abs().max(1e-3), "{what}: {got} instead of {want}");
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// KS of every numeric column: exact where the cells resolve every reference value, else below the true value by no more than the stated bound.
fn check_ks(set: &Dataset, lines: &[Value], exact: bool) {
    for (name, golden) in set.golden["numerical"].as_object().unwrap() {
        let subject = match name.as_str() {
            "prediction" | "label" | "score" => name.clone(),
            _ if name.starts_with("score_") => continue,
            _ => format!("feature:{name}"),
        };
        for (i, want) in numbers(&golden["ks_stat"]).into_iter().enumerate() {
            let line = reading(lines, i, &subject, "ks");
            let (got, bound) = (line["value"].as_f64().unwrap(), line["error_bound"].as_f64().unwrap_or(0.0));
            let what = format!("ks of {subject} in window {i}");
            if exact {
                assert_close(&what, &line, want);
            } else {
                assert!(got <= want + 1e-9 && want <= got + bound + 1e-9, "{what}: {got} + {bound} does not hold {want}");
            }
        }
    }
}

fn check_total_variation(set: &Dataset, lines: &[Value]) {
    for (name, golden) in set.golden["categorical"].as_object().unwrap() {
        let subject = if ["prediction", "label"].contains(&name.as_str()) { name.clone() } else { format!("feature:{name}") };
        for (i, want) in numbers(&golden["tvd"]).into_iter().enumerate() {
            assert_close(&format!("total variation of {subject} in window {i}"), &reading(lines, i, &subject, "total_variation"), want);
        }
    }
}

fn check_quality(set: &Dataset, lines: &[Value]) {
    for (i, golden) in set.golden["quality"].as_array().unwrap().iter().enumerate() {
        for (metric, twin) in [
            ("accuracy", "accuracy"),
            ("precision", "precision"),
            ("recall", "recall"),
            ("f1", "f1"),
            ("precision", "precision_macro_present_classes"),
            ("recall", "recall_macro_present_classes"),
            ("f1", "f1_macro_present_classes"),
            ("mae", "mae"),
            ("rmse", "rmse"),
            ("r2", "r2"),
        ] {
            if let Some(want) = golden[twin].as_f64() {
                assert_close(&format!("{metric} in window {i}"), &reading(lines, i, "quality", metric), want);
            }
        }
        for metric in ["precision", "recall", "f1"] {
            for (class, want) in golden[format!("{metric}_per_class")].as_object().into_iter().flatten() {
                let line = reading(lines, i, &format!("quality:{class}"), metric);
                assert_close(&format!("{metric} of {class} in window {i}"), &line, want.as_f64().unwrap());
            }
        }
        let labels = reading(lines, i, "quality", "label_coverage")["window"]["labels"].as_u64();
        assert_eq!(labels, golden["n_labelled"].as_u64(), "labels of window {i}");
    }
}

/// `received = applied + late + duplicate + rejected + in flight`.
fn check_conservation(lines: &[Value]) {
    let summary = lines.last().unwrap();
    assert_eq!(summary["kind"], "summary");
    let counts = &summary["counts"];
    let rejected: u64 = counts["rejected"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    let rest: u64 = ["applied", "late", "duplicate", "in_flight"].iter().map(|k| counts[*k].as_u64().unwrap()).sum();
    assert_eq!(counts["received"].as_u64().unwrap(), rest + rejected, "{counts}");
}

fn check(set: usize, cells: Option<&str>) {
    let (name, init) = SETS[set];
    let set = Dataset::prepare(name);
    let mut init = init.to_vec();
    init.extend(cells.iter().flat_map(|c| ["--cells", c]));
    let lines = set.replay(&init);
    check_ks(&set, &lines, cells.is_some());
    check_total_variation(&set, &lines);
    check_quality(&set, &lines);
    check_conservation(&lines);
}

#[test]
fn elec2_with_default_cells() {
    check(0, None);
}

#[test]
fn elec2_with_cells_that_resolve_every_value() {
    check(0, Some("10000"));
}

#[test]
fn car_price_with_default_cells() {
    check(1, None);
}

#[test]
fn car_price_with_cells_that_resolve_every_value() {
    check(1, Some("20000"));
}

#[test]
fn credit_card_with_default_cells() {
    check(2, None);
}

#[test]
fn credit_card_with_cells_that_resolve_every_value() {
    check(2, Some("20000"));
}

#[test]
fn two_replays_are_byte_identical() {
    let (name, init) = SETS[0];
    let set = Dataset::prepare(name);
    set.replay(init);
    let replay = ["replay", "--config", "driftd.toml", "--predictions", "predictions.jsonl", "--labels", "labels.jsonl"];
    assert_eq!(set.driftd(&replay).stdout, set.driftd(&replay).stdout);
}

/// The configuration of the README names secrets in the environment; a replay tells nobody, and so must not ask for them.
#[test]
fn a_replay_needs_no_secrets() {
    let directory = tempfile::tempdir().unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::copy(root.join("config/minimal.toml"), directory.path().join("driftd.toml")).unwrap();
    let event = r#"{"prediction_id":"a","model":"fraud","version":"v1","timestamp":"2026-01-01T00:00:00Z","prediction":1}"#;
    std::fs::write(directory.path().join("p.jsonl"), event).unwrap();
    let mut driftd = std::process::Command::new(env!("CARGO_BIN_EXE_driftd"));
    let output = driftd.args(["replay", "--predictions", "p.jsonl"]).env_clear().current_dir(directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let last = String::from_utf8(output.stdout).unwrap().lines().last().map(str::to_owned).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&last).unwrap()["counts"]["applied"], 1);
}
