//! Input that is not as it should be: it is counted under its reason, line by line, and changes nothing else.

use crate::support::dataset::START_MS;
use crate::support::installation::Installation;
use crate::support::traffic::{Phase, Request, requests};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One kind of a broken message, from `tests/data/broken/events.json`.
struct Broken {
    topic: String,
    bytes: Vec<u8>,
    reason: String,
}

fn broken() -> Vec<Broken> {
    let text = std::fs::read_to_string(crate::support::root().join("tests/data/broken/events.json")).unwrap();
    let kinds: Vec<Value> = serde_json::from_str(&text).unwrap();
    let from_hex = |hex: &str| (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
    let kind = |kind: &Value| Broken {
        topic: kind["topic"].as_str().unwrap().to_owned(),
        bytes: match kind["line_hex"].as_str() {
            Some(hex) => from_hex(hex),
            None => kind["line"].as_str().unwrap().as_bytes().to_vec(),
        },
        reason: kind["reason"].as_str().unwrap().to_owned(),
    };
    kinds.iter().map(kind).collect()
}

/// The events of 1,800 requests: healthy, then with a drift.
fn events() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let requests: Vec<Request> = traffic();
    let predictions = requests.iter().map(|request| request.prediction().to_string().into_bytes()).collect();
    (predictions, requests.iter().map(|request| request.label(500).to_string().into_bytes()).collect())
}

fn traffic() -> Vec<Request> {
    requests(START_MS, 0, 4, Phase::Healthy).chain(requests(START_MS, 4, 8, Phase::AmountDrifts)).take(1_800).collect()
}

/// What it says of the model: measurements and alerts.
fn said(lines: &[String]) -> Vec<&String> {
    let kinds = [r#"{"kind":"measurement""#, r#"{"kind":"alert""#];
    let facts: Vec<&String> = lines.iter().filter(|line| kinds.iter().any(|kind| line.starts_with(kind))).collect();
    assert!(facts.len() > 100, "{} measurements are no test", facts.len());
    facts
}

fn summary(lines: &[String]) -> Value {
    let summary: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!(summary["kind"], "summary");
    let counts = &summary["counts"];
    let rejected: u64 = counts["rejected"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    let rest: u64 = ["applied", "late", "duplicate", "in_flight"].iter().map(|key| counts[key].as_u64().unwrap()).sum();
    assert_eq!(counts["received"], rest + rejected, "{counts}");
    summary
}

/// Puts a broken line before each ninth good one: a tenth of all lines. What is expected of each: (line from 1, reason).
fn mix(good: &[Vec<u8>], kinds: &[&Broken]) -> (Vec<Vec<u8>>, BTreeSet<(u64, String)>) {
    let (mut lines, mut expected) = (Vec::new(), BTreeSet::new());
    for (i, nine) in good.chunks(9).enumerate() {
        let kind = kinds[i % kinds.len()];
        lines.push(kind.bytes.clone());
        expected.insert((lines.len() as u64, kind.reason.clone()));
        lines.extend_from_slice(nine);
    }
    (lines, expected)
}

#[test]
fn a_tenth_of_broken_lines_changes_no_measurement_and_each_is_counted() {
    let installation = Installation::offline();
    let (predictions, labels) = events();
    let clean = installation.replay(&predictions, &labels);
    assert_eq!(summary(&clean)["counts"]["rejected"], serde_json::json!({}));

    let kinds = broken();
    let of_topic = |topic: &str| kinds.iter().filter(|kind| kind.topic == topic).collect::<Vec<_>>();
    let (bad_predictions, rejected_predictions) = mix(&predictions, &of_topic("predictions"));
    let (bad_labels, rejected_labels) = mix(&labels, &of_topic("labels"));
    assert_eq!((bad_predictions.len(), rejected_predictions.len(), rejected_labels.len()), (2_000, 200, 200));
    let ways: BTreeSet<&[u8]> = kinds.iter().map(|kind| &*kind.bytes).collect();
    assert!(ways.len() >= 60, "{} ways to be broken", ways.len());
    let dirty = installation.replay(&bad_predictions, &bad_labels);
    assert_eq!(said(&dirty), said(&clean));

    let mut counts = BTreeMap::<&str, u64>::new();
    for (file, expected) in [("predictions.jsonl", &rejected_predictions), ("labels.jsonl", &rejected_labels)] {
        let rejected = dirty.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let rejected = rejected.filter(|line| line["kind"] == "rejected" && line["source"] == file);
        let found: Vec<_> = rejected.map(|line| (line["line"].as_u64().unwrap(), line["reason"].as_str().unwrap().to_owned())).collect();
        assert_eq!((found.len(), &found.into_iter().collect()), (200, expected), "{file}");
        expected.iter().for_each(|(_, reason)| *counts.entry(reason).or_default() += 1);
    }
    assert_eq!(summary(&dirty)["counts"]["rejected"], serde_json::json!(counts));
    assert_eq!(summary(&dirty)["counts"]["applied"], summary(&clean)["counts"]["applied"]);
}

#[test]
fn a_value_that_cannot_be_used_costs_that_value_only() {
    let installation = Installation::offline();
    let (predictions, labels) = events();
    let clean = installation.replay(&predictions, &labels);
    let values = ["NaN", "-Infinity", "1e999", "\"twelve\"", "true", "{\"a\":1}", "[12.5]"];
    let requests = traffic();
    let mut dirty = predictions.clone();
    for (i, request) in requests.iter().enumerate().filter(|(i, _)| i % 25 == 0) {
        let text = String::from_utf8(predictions[i].clone()).unwrap();
        let value = format!("\"amount\":{}", serde_json::to_string(&request.amount).unwrap());
        assert!(text.contains(&value), "{text}");
        dirty[i] = text.replace(&value, &format!("\"amount\":{}", values[i / 25 % values.len()])).into_bytes();
    }
    let lines = installation.replay(&dirty, &labels);

    // a corrected p-value is about all features of the window by what it means: that of the others follows the p-value of this one
    let without_q = |line: &String| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("q_value");
        line
    };
    let other =
        |lines: &[String]| said(lines).into_iter().filter(|line| !line.contains("feature:amount")).map(without_q).collect::<Vec<_>>();
    assert_eq!(other(&lines), other(&clean));
    let (before, after) = (summary(&clean), summary(&lines));
    assert_eq!(before["counts"], after["counts"]);
    assert_eq!(before["invalid_values"], serde_json::json!({}));
    // 72 of them in turn, three of the seven kinds are not finite
    assert_eq!(after["invalid_values"], serde_json::json!({ "non_finite": 32, "wrong_type": 40 }));
    let of_amount = |lines: &[String]| {
        let parsed = said(lines).into_iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let ks = parsed.filter(|line| line["subject"] == "feature:amount" && line["metric"] == "ks");
        ks.map(|line| line["n_current"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let lost: Vec<u64> = of_amount(&clean).iter().zip(of_amount(&lines)).map(|(clean, dirty)| clean - dirty).collect();
    // a window of four seconds lost 40 of 1,000
    assert_eq!(lost[1..3], [40, 40], "{lost:?}");
}

#[test]
fn a_prediction_that_is_said_twice_counts_once() {
    let installation = Installation::offline();
    let (predictions, labels) = events();
    let clean = installation.replay(&predictions, &labels);
    let mut twice = predictions.clone();
    // an exact repetition, and one with another answer
    for i in (0..50).rev().map(|i| i * 30) {
        let text = String::from_utf8(predictions[i].clone()).unwrap();
        twice.insert(i + 1, text.replace("\"DE\"", "\"US\"").into_bytes());
    }
    let lines = installation.replay(&twice, &labels);
    // nothing else changes than the share that came twice, which is told as itself
    let rates = |lines: &[String]| {
        let parsed = said(lines).into_iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        parsed.filter(|line| line["metric"] == "duplicate_rate").map(|line| line["value"].as_f64().unwrap()).collect::<Vec<_>>()
    };
    let other = |lines: &[String]| said(lines).into_iter().filter(|line| !line.contains("duplicate_rate")).cloned().collect::<Vec<_>>();
    assert_eq!(other(&lines), other(&clean));
    assert!(rates(&clean).iter().all(|&rate| rate == 0.0));
    // the first window has seen half a window of requests: 17 of 517 came again
    assert_eq!(rates(&lines)[0], 17.0 / 517.0);
    assert!(rates(&lines).iter().all(|&rate| rate > 0.0));
    let counts = &summary(&lines)["counts"];
    assert_eq!((&counts["duplicate"], &counts["applied"]), (&50.into(), &summary(&clean)["counts"]["applied"]));
}
