//! Against scipy 1.15.3, numpy 2.2.6 and scikit-learn 1.6.1 on `tests/data/vectors.json` (see `tests/data/golden/README.md`).

use super::*;
use serde_json::Value;

pub(super) fn vectors(group: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../../tests/data/vectors.json")).unwrap();
    all[group].as_array().unwrap().clone()
}

pub(super) fn counts(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|c| c.as_u64().unwrap()).collect()
}

/// The expected number, `None` where the library says NaN.
pub(super) fn expected(value: &Value) -> Option<f64> {
    assert!(value.is_number() || value == "NaN", "{value}");
    value.as_f64()
}

#[track_caller]
pub(super) fn matches(name: &str, got: Option<f64>, want: Option<f64>) {
    match (got, want) {
        (Some(got), Some(want)) => assert!((got - want).abs() <= RELATIVE * want.abs(), "{name}: got {got}, want {want}"),
        (got, want) => assert_eq!(got, want, "{name}"),
    }
}

/// `numpy`: p = max(c/n, eps); sum((q - p) * log(q / p)), and with `laplace_0.5` p = (c + .5) / (n + .5 B).
/// `tvd`: .5 * abs(p - q).sum().
#[track_caller]
fn check_counts(name: &str, figures: &Value) {
    let (reference, current) = (counts(&figures["reference_counts"]), counts(&figures["current_counts"]));
    let value = |smoothing| psi(&reference, &current, smoothing).map(|reading| reading.value);
    matches(name, value(Smoothing::Epsilon(1e-4)), expected(&figures["psi_floor_1e-4"]));
    matches(name, value(Smoothing::Epsilon(1e-6)), expected(&figures["psi_floor_1e-6"]));
    if reference.iter().zip(&current).all(|(&r, &c)| r + c > 0) {
        matches(name, value(Smoothing::Jeffreys), expected(&figures["psi_laplace_0.5"]));
    }
    let got = total_variation(&reference, &current).unwrap();
    // numpy's own sum is off in the last digits where shares nearly cancel
    assert!((got - figures["tvd"].as_f64().unwrap()).abs() <= 1e-15, "{name}: {got}");
}

#[test]
fn histograms() {
    let vectors = vectors("histograms");
    assert!(!vectors.is_empty());
    vectors.iter().for_each(|v| check_counts(v["name"].as_str().unwrap(), &v["expected"]));
}

#[test]
fn categories() {
    let mut compared = 0;
    for vector in vectors("categorical") {
        let figures = &vector["expected"]["drop_null"];
        if figures["psi_floor_1e-4"].is_number() {
            check_counts(vector["name"].as_str().unwrap(), figures);
            compared += 1;
        }
    }
    assert!(compared >= 14, "{compared}");
}

#[test]
fn decile_counts_of_numbers() {
    let mut compared = 0;
    for vector in vectors("numerical") {
        let deciles = &vector["expected"]["drop_nan_and_inf"]["deciles"];
        if deciles["psi_floor_1e-4"].is_number() {
            let (reference, current) = (counts(&deciles["reference_counts"]), counts(&deciles["current_counts"]));
            for (eps, key) in [(1e-4, "psi_floor_1e-4"), (1e-6, "psi_floor_1e-6")] {
                let got = psi(&reference, &current, Smoothing::Epsilon(eps)).unwrap().value;
                matches(vector["name"].as_str().unwrap(), Some(got), expected(&deciles[key]));
            }
            compared += 1;
        }
    }
    assert!(compared >= 25, "{compared}");
}
