//! `driftd init` and `driftd replay` over real data sets, against what scipy and scikit-learn say of each chunk.
//! The golden numbers and the calls behind them: `tests/data/<set>/golden.json`, `method_notes`.

use crate::support::dataset::{Dataset, reading};
use serde_json::{Value, json};

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

/// KS of every numeric column: exact where the cells resolve every reference value, else below the true value by no more than the stated bound. The scores of a
/// multiclass model are no column of a window (three of credit_card's; their figures are compared in `engine::metric::tests::golden`).
fn check_ks(set: &Dataset, lines: &[Value], exact: bool) {
    let mut compared = 0;
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
            compared += 1;
        }
    }
    let columns = match set.golden["task"].as_str().unwrap() {
        "multiclass" => 4,
        _ => 7,
    };
    assert_eq!(compared, columns * set.golden["chunks"].as_array().unwrap().len());
}

/// Nulls of every column and chunk are its missing rate; of labels they are what coverage lacks.
fn check_nulls(set: &Dataset, lines: &[Value]) {
    let mut compared = 0;
    for (name, golden) in ["numerical", "categorical"].iter().flat_map(|kind| set.golden[*kind].as_object().unwrap()) {
        for (i, nulls) in numbers(&golden["null"]).into_iter().enumerate() {
            let n = set.golden["chunks"][i]["n"].as_f64().unwrap();
            let line = match name.as_str() {
                "label" => reading(lines, i, "quality", "label_coverage"),
                "prediction" | "score" => reading(lines, i, name, "missing_rate"),
                _ if name.starts_with("score_") => continue,
                _ => reading(lines, i, &format!("feature:{name}"), "missing_rate"),
            };
            let want = if name == "label" { 1.0 - nulls / n } else { nulls / n };
            assert_close(&format!("nulls of {name} in window {i}"), &line, want);
            compared += 1;
        }
    }
    // 10, 9 and 9 columns
    assert_eq!(compared, if set.golden["task"] == "binary" { 120 } else { 90 });
}

/// `numpy.percentile` of the latencies; within 1 % of a value that was seen, and numpy goes between two of them: 2 % in all.
fn check_latency(set: &Dataset, lines: &[Value]) {
    for (metric, key) in [("latency_p50_ms", "p50"), ("latency_p95_ms", "p95"), ("latency_p99_ms", "p99")] {
        let want = numbers(&set.golden["latency_ms"][key]);
        assert_eq!(want.len(), set.golden["chunks"].as_array().unwrap().len());
        for (i, want) in want.into_iter().enumerate() {
            let got = reading(lines, i, "service", metric)["value"].as_f64().unwrap();
            assert!((got / want - 1.0).abs() <= 0.02, "{metric} in window {i}: {got} instead of {want}");
        }
    }
}

/// The confusion matrix stands beside the accuracy.
fn check_confusion(set: &Dataset, lines: &[Value]) {
    for (i, golden) in set.golden["quality"].as_array().unwrap().iter().enumerate() {
        let confusion = &golden["confusion"];
        if confusion.is_null() {
            continue;
        }
        let got = &reading(lines, i, "quality", "accuracy")["confusion"];
        if set.golden["task"] == "binary" {
            let want = json!([[confusion["tn"], confusion["fp"]], [confusion["fn"], confusion["tp"]]]);
            assert_eq!((&got["classes"], &got["matrix"]), (&json!(["0", "1"]), &want), "window {i}");
        } else {
            assert_eq!((&got["classes"], &got["matrix"]), (&confusion["classes"], &confusion["matrix_rows_are_labels"]), "window {i}");
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
    check_nulls(&set, &lines);
    check_latency(&set, &lines);
    check_confusion(&set, &lines);
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

/// `1`, `"1"`, `1.0` and `true` are one class wherever they stand, `0`, `"0"` and `false` the other; what is neither is counted under its reason.
#[test]
fn a_class_is_what_it_spells_wherever_it_stands() {
    let directory = tempfile::tempdir().unwrap();
    let (yes, no) =
        ([json!(1), json!("1"), json!(true), json!(1.0), json!("true")], [json!(0), json!("0"), json!(false), json!(0.0), json!("false")]);
    let (mut predictions, mut labels) = (String::new(), String::new());
    for i in 0..100 {
        let at = format!("2026-01-01T00:00:{:02}.000Z", i / 2);
        // 5 spellings of either class against 5 of the label: 40 true positives, 10 false ones, 30 true negatives, 20 false ones
        let (said, truth) = match i {
            0..40 => (&yes, &yes),
            40..50 => (&yes, &no),
            50..80 => (&no, &no),
            _ => (&no, &yes),
        };
        let prediction =
            json!({"prediction_id": i.to_string(), "model": "fraud", "version": "v1", "timestamp": at, "prediction": said[i % 5]});
        predictions.push_str(&format!("{prediction}\n"));
        labels.push_str(&format!("{}\n", json!({"prediction_id": i.to_string(), "timestamp": at, "label": truth[(i / 5) % 5]})));
    }
    labels.push_str("{\"prediction_id\":\"0\",\"timestamp\":\"2026-01-01T00:00:59.000Z\",\"label\":\"maybe\"}\n");
    std::fs::write(directory.path().join("p.jsonl"), predictions).unwrap();
    std::fs::write(directory.path().join("l.jsonl"), labels).unwrap();
    let config = "[window]\nsize = \"1m\"\nslide = \"1m\"\n\n[[model]]\nname = \"fraud\"\ntask = \"binary\"\npositive = \"1\"\n\
                  classes = [\"0\", \"1\"]\nreference = { learn = 1000 }\n";
    std::fs::write(directory.path().join("driftd.toml"), config).unwrap();
    let mut driftd = std::process::Command::new(env!("CARGO_BIN_EXE_driftd"));
    let output = driftd.args(["replay", "--predictions", "p.jsonl", "--labels", "l.jsonl"]).current_dir(directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> = String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |metric: &str| lines.iter().rev().find(|line| line["subject"] == "quality" && line["metric"] == metric).unwrap();
    assert_eq!(of("accuracy")["confusion"], json!({"classes": ["0", "1"], "matrix": [[30, 10], [20, 40]]}));
    for (metric, want) in [("accuracy", 0.7), ("precision", 0.8), ("recall", 40.0 / 60.0), ("label_coverage", 1.0)] {
        assert_close(metric, of(metric), want);
    }
    let counts = &lines.last().unwrap()["counts"];
    assert_eq!((&counts["applied"], &counts["rejected"]["unknown_label_class"]), (&json!(200), &json!(1)), "{counts}");
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
