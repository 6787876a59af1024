//! The built-in rules on the quality of data, over real data sets and over events that are wrong in one way each.

use crate::golden::SETS;
use crate::support::dataset::{Dataset, reading};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

/// Rules on the data (docs/ALERTS.md).
const RULES: [&str; 9] = [
    "missing-values",
    "constant-feature",
    "new-categories",
    "out-of-range",
    "schema-change",
    "duplicates",
    "clock-skew",
    "no-data",
    "label-stall",
];

/// Rule, state and hour of every step of an alert on the data.
fn steps(lines: &[Value]) -> Vec<String> {
    let of_data = lines.iter().filter(|l| l["kind"] == "alert" && RULES.contains(&l["rule"].as_str().unwrap()));
    of_data.map(|l| format!("{} {} {}", l["rule"], l["state"], &l["window"]["end"].as_str().unwrap()[11..13]).replace('"', "")).collect()
}

/// Subjects that a rule's alert names when it fires.
fn named(lines: &[Value], rule: &str) -> BTreeSet<String> {
    let firing = lines.iter().find(|l| l["kind"] == "alert" && l["rule"] == rule && l["state"] == "firing").expect(rule);
    firing["worst"].as_array().unwrap().iter().map(|w| w["subject"].as_str().unwrap().to_owned()).collect()
}

/// Three inputs of elec2 are constant in its reference and then move: all of it is out of range. That is drift, and nothing silences it.
#[test]
fn what_moves_out_of_the_range_of_elec2_is_drift() {
    let lines = Dataset::prepare(SETS[0].0).replay(SETS[0].1);
    let others: Vec<_> = steps(&lines).into_iter().filter(|step| !step.starts_with("out-of-range")).collect();
    assert_eq!(others, [""; 0]);
    let moved: BTreeSet<String> = ["vicprice", "vicdemand", "transfer"].map(|name| format!("feature:{name}")).into();
    let rate = |name: &str| reading(&lines, 2, name, "out_of_range_rate")["value"].as_f64().unwrap();
    assert!(moved.iter().all(|name| rate(name) > 0.99));
    assert!(named(&lines, "feature-drift").is_superset(&moved));
}

/// Shifted, but whole.
#[test]
fn nothing_is_wrong_with_the_data_of_car_price() {
    assert_eq!(steps(&Dataset::prepare(SETS[1].0).replay(SETS[1].1)), [""; 0]);
}

/// Half of its labels take 13 days and more: at the horizon of 7 days every seventh prediction has one. That is a sample, and nothing wrong.
#[test]
fn labels_of_credit_card_are_a_sample_at_the_horizon() {
    let lines = Dataset::prepare(SETS[2].0).replay(SETS[2].1);
    assert_eq!(steps(&lines), [""; 0]);
    let coverage: Vec<f64> = lines.iter().filter(|l| l["metric"] == "label_coverage").filter_map(|l| l["value"].as_f64()).collect();
    assert_eq!((coverage.len(), coverage[0], coverage[19]), (20, 0.1475, 1.0), "judged at the horizon, and told anew with the last label");
}

/// 200 requests an hour of a model that learns from the first two hours; what `change` makes of them from the fifth hour on.
fn replay(hours: i64, change: impl Fn(i64, &mut Value)) -> Vec<Value> {
    let directory = tempfile::tempdir().unwrap();
    let config =
        "[window]\nsize = \"1h\"\nslide = \"1h\"\n[[model]]\nname = \"m\"\ntask = \"binary\"\npositive = 1\nreference = { learn = 400 }\n";
    std::fs::write(directory.path().join("driftd.toml"), config).unwrap();
    let mut events = String::new();
    for n in 0..hours * 200 {
        let at = driftd::event::Timestamp(1_767_225_600_000 + n * 18_000).to_string();
        let features = json!({"amount": (n * 37) % 200, "country": (["DE", "FR", "IT"][n as usize % 3])});
        let mut event = json!({"prediction_id": n.to_string(), "model": "m", "version": "v1", "timestamp": at, "prediction": n % 2,
            "latency_ms": 5, "features": features});
        if n >= 800 {
            change(n, &mut event);
        }
        events.push_str(&format!("{event}\n"));
    }
    std::fs::write(directory.path().join("p.jsonl"), events).unwrap();
    let mut driftd = Command::new(env!("CARGO_BIN_EXE_driftd"));
    let output = driftd.args(["replay", "--predictions", "p.jsonl"]).current_dir(directory.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn healthy_traffic_raises_nothing() {
    assert_eq!(steps(&replay(8, |_, _| {})), [""; 0]);
}

/// §6.7
#[test]
fn a_null_surge_raises_its_own_alert() {
    let lines = replay(8, |n, event| {
        if n % 10 < 3 {
            event["features"]["amount"] = Value::Null;
        }
    });
    assert_eq!(steps(&lines), ["missing-values pending 05", "missing-values firing 06"]);
    assert_eq!(named(&lines, "missing-values"), ["feature:amount".to_owned()].into());
    assert_eq!(lines.last().unwrap()["counts"]["applied"], 1600, "no event is lost by it");
}

/// §6.8
#[test]
fn a_new_category_costs_no_event_and_raises_its_own_alert() {
    let lines = replay(8, |n, event| {
        if n % 14 == 0 {
            event["features"]["country"] = "XX".into();
        }
    });
    assert_eq!(steps(&lines), ["new-categories pending 05", "new-categories firing 06"]);
    assert_eq!(named(&lines, "new-categories"), ["feature:country".to_owned()].into());
    assert_eq!(lines.last().unwrap()["counts"]["applied"], 1600);
}

/// §6.6: a feature that vanished is named, and the others keep their readings.
#[test]
fn a_feature_that_vanished_raises_its_own_alerts_and_no_other_one() {
    let lines = replay(8, |_, event| {
        event["features"].as_object_mut().unwrap().remove("amount");
    });
    let firing: Vec<_> = steps(&lines).into_iter().filter(|step| step.contains("firing")).collect();
    assert_eq!(firing, ["missing-values firing 06", "schema-change firing 06"]);
    let last = |subject: &str, metric: &str| {
        let fits = |l: &&Value| l["kind"] == "measurement" && l["subject"] == subject && l["metric"] == metric;
        lines.iter().rev().find(fits).unwrap()["value"].clone()
    };
    assert_eq!(last("feature:amount", "psi"), Value::Null);
    assert!(last("feature:country", "psi").as_f64().is_some_and(|psi| psi < 0.05));
}

#[test]
fn a_feature_that_got_stuck_and_one_that_is_new() {
    let lines = replay(8, |_, event| {
        event["features"]["amount"] = 37.into();
        event["features"]["basket"] = 1.into();
    });
    let firing: Vec<_> = steps(&lines).into_iter().filter(|step| step.contains("firing")).collect();
    assert_eq!(firing, ["constant-feature firing 06", "schema-change firing 06"]);
    assert_eq!(named(&lines, "constant-feature"), ["feature:amount".to_owned()].into());
}

/// The model goes silent for five hours; then traffic returns.
#[test]
fn no_data_fires_after_one_empty_window_and_ends_with_the_traffic() {
    let late = |n: i64| driftd::event::Timestamp(1_767_225_600_000 + n * 18_000 + 5 * 3_600_000).to_string();
    let lines = replay(8, |n, event| event["timestamp"] = late(n).into());
    // the last request comes 18 s before 04:00, the next one at 09:00: the first window without any is enough
    assert_eq!(steps(&lines), ["no-data firing 05", "no-data resolved 10"]);
}

/// The events of a batch lie an hour apart: it comes with the last of them.
#[test]
fn a_batch_in_a_replay_is_not_ahead_of_its_time() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("driftd.toml"), "[[model]]\nname = \"*\"\ntask = \"binary\"\n").unwrap();
    let event = |n: usize| {
        let at = format!("2026-01-01T{:02}:00:00Z", n % 24);
        json!({"prediction_id": n.to_string(), "model": "m", "version": "v1", "timestamp": at, "prediction": 1})
    };
    std::fs::write(directory.path().join("p.jsonl"), Value::Array((0..4).map(event).collect()).to_string()).unwrap();
    let mut driftd = Command::new(env!("CARGO_BIN_EXE_driftd"));
    let output = driftd.args(["replay", "--predictions", "p.jsonl"]).current_dir(directory.path()).output().unwrap();
    let lines: Vec<Value> = String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.last().unwrap()["counts"]["applied"], 4, "{:?}", lines.last());
    let skews: BTreeSet<String> = lines.iter().filter(|l| l["metric"] == "clock_skew_seconds").map(|l| l["value"].to_string()).collect();
    assert_eq!(skews, ["0.0".to_owned()].into());
}
