//! The default rules over real data sets: what they tell, and in which window they do.

use crate::golden::SETS;
use crate::support::dataset::{Dataset, START_MS, WINDOW_MS};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

/// Windows whose breach confirms, by the default rules.
const CONFIRM: usize = 2;

/// A replay of a data set with the default rules.
fn replay(set: usize) -> (Dataset, Vec<Value>) {
    let (name, init) = SETS[set];
    let set = Dataset::prepare(name);
    let lines = set.replay(init);
    (set, lines)
}

/// The place of a line's window.
fn window(line: &Value) -> usize {
    let start = driftd::event::Timestamp::parse(line["window"]["start"].as_str().unwrap()).unwrap().millis();
    ((start - START_MS) / WINDOW_MS) as usize
}

/// What an alert became, and in which window.
fn story(lines: &[Value], rule: &str) -> Vec<(String, usize)> {
    let alerts = lines.iter().filter(|line| line["kind"] == "alert" && line["rule"] == rule);
    alerts.map(|line| (line["state"].as_str().unwrap().to_owned(), window(line))).collect()
}

fn told(states: &[(&str, usize)]) -> Vec<(String, usize)> {
    states.iter().map(|&(state, window)| (state.to_owned(), window)).collect()
}

/// The subjects of the alert that a rule fires in a window.
fn named(lines: &[Value], rule: &str, at: usize) -> BTreeSet<String> {
    let fires = |line: &&Value| line["kind"] == "alert" && line["rule"] == rule && line["state"] == "firing" && window(line) == at;
    let alert = lines.iter().find(fires).unwrap();
    alert["worst"].as_array().unwrap().iter().map(|worst| worst["subject"].as_str().unwrap().to_owned()).collect()
}

/// The windows in which model-quality has anything to tell, from scikit-learn's figures and the bounds of the rule: every default of it is an objective
/// that holds from above (`resolve_level = 1`), and is confirmed and resolved by two windows in a row.
fn expected_quality(set: &Dataset) -> Vec<(String, usize)> {
    let (golden, reference) = (set.golden["quality"].as_array().unwrap(), &set.golden["quality_reference"]);
    let breached = |figures: &Value| match set.golden["task"].as_str().unwrap() {
        "regression" => {
            let of = |from: &Value, metric: &str| from[metric].as_f64().unwrap();
            of(figures, "r2") < 0.9 * of(reference, "r2") || of(figures, "mae") > 1.1 * of(reference, "mae")
        }
        task => {
            let suffix = if task == "multiclass" { "_macro_present_classes" } else { "" };
            let names = ["accuracy".to_owned(), format!("precision{suffix}"), format!("recall{suffix}")];
            names.iter().any(|name| figures[name].as_f64().unwrap() < 0.90)
        }
    };
    confirmed(golden.iter().map(breached))
}

/// What is told of windows of which these breach.
fn confirmed(breached: impl Iterator<Item = bool>) -> Vec<(String, usize)> {
    let (mut told, mut firing, mut run) = (Vec::new(), false, 0);
    for (i, breached) in breached.enumerate() {
        run = if breached != firing { run + 1 } else { 0 };
        match (firing, run) {
            (false, 1) => told.push(("pending".to_owned(), i)),
            (false, CONFIRM) => told.push(("firing".to_owned(), i)),
            (true, CONFIRM) => told.push(("resolved".to_owned(), i)),
            _ => {}
        }
        if run == CONFIRM {
            (firing, run) = (!firing, 0);
        }
    }
    told
}

#[test]
fn elec2_drifts_at_once_and_the_constants_are_named() {
    let (set, lines) = replay(0);
    assert_eq!(story(&lines, "feature-drift"), told(&[("pending", 0), ("firing", 1)]));
    let constants = ["vicprice", "vicdemand", "transfer"].map(|name| format!("feature:{name}"));
    let named = named(&lines, "feature-drift", 1);
    assert!(constants.iter().all(|constant| named.contains(constant)), "{named:?}");
    assert_eq!(story(&lines, "model-quality"), expected_quality(&set));
    assert_eq!(expected_quality(&set), told(&[("pending", 0), ("firing", 1)]), "wrong from the beginning to the end");
}

#[test]
fn car_price_drifts_with_chunk_5_and_not_before() {
    let (set, lines) = replay(1);
    assert_eq!(story(&lines, "feature-drift"), told(&[("pending", 5), ("firing", 6)]));
    assert_eq!(story(&lines, "model-quality"), expected_quality(&set));
    assert_eq!(expected_quality(&set), [], "it gets better");
}

#[test]
fn credit_card_drifts_with_chunk_5_and_not_before() {
    let (set, lines) = replay(2);
    assert_eq!(story(&lines, "feature-drift"), told(&[("pending", 5), ("firing", 6)]));
    assert_eq!(story(&lines, "model-quality"), expected_quality(&set));
    assert_eq!(expected_quality(&set), told(&[("pending", 0), ("firing", 1)]), "it was never as good as the objective");
    assert_eq!(story(&lines, "label-stall"), [], "at the horizon one prediction in seven has a label");
}

/// Bounds that the accuracy of elec2 crosses in both directions: fires, resolves, and not for a single window.
#[test]
fn an_accuracy_that_falls_and_recovers_is_told_so() {
    let (set, _) = replay(0);
    let golden = set.golden["quality"].as_array().unwrap();
    let accuracy: Vec<f64> = golden.iter().map(|figures| figures["accuracy"].as_f64().unwrap()).collect();
    let config = fs::read_to_string(set.path("driftd.toml")).unwrap();
    let stories = [
        (0.63, told(&[("pending", 4), ("firing", 5), ("resolved", 9)])),
        // window 1 is just above: the first breach was alone, and is forgotten
        (0.70, told(&[("pending", 0), ("pending", 2), ("firing", 3), ("resolved", 9)])),
        (0.75, told(&[("pending", 0), ("firing", 1), ("resolved", 9)])),
        (0.79, told(&[("pending", 0), ("firing", 1), ("resolved", 9), ("pending", 11)])),
    ];
    for (bound, want) in stories {
        let rule = format!(
            "[[rule]]\nname = \"accuracy\"\nresolve_level = 1.0\n\n[[rule.condition]]\nsubject = \"quality\"\nmetric = \"accuracy\"\nbelow = {bound}\n"
        );
        fs::write(set.path("rules.toml"), rule).unwrap();
        fs::write(set.path("own.toml"), format!("{config}\n[rules]\nfiles = [\"rules.toml\"]\n")).unwrap();
        let replay = ["replay", "--config", "own.toml", "--predictions", "predictions.jsonl", "--labels", "labels.jsonl"];
        let output = String::from_utf8(set.driftd(&replay).stdout).unwrap();
        let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // by scikit-learn's figures, and written out
        let expected = confirmed(accuracy.iter().map(|accuracy| *accuracy < bound));
        assert_eq!(story(&lines, "accuracy"), expected, "{bound}");
        assert_eq!(expected, want, "{bound}");
    }
}
