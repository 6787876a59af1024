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

/// Every set of counts of the vectors, by the vector's name: histograms, names with nulls left out and as a name of their own, and numbers by their deciles.
pub(super) fn all_counts() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut take = |name: &Value, group: &str, figures: &Value| {
        if figures["js_distance_base2"].is_number() {
            all.push((format!("{} {group}", name.as_str().unwrap()), figures.clone()));
        }
    };
    vectors("histograms").iter().for_each(|v| take(&v["name"], "histogram", &v["expected"]));
    for group in ["drop_null", "null_as_category"] {
        vectors("categorical").iter().for_each(|v| take(&v["name"], group, &v["expected"][group]));
    }
    for group in ["drop_nan", "drop_nan_and_inf"] {
        vectors("numerical").iter().for_each(|v| take(&v["name"], group, &v["expected"][group]["deciles"]));
    }
    all
}

/// `numpy`: p = max(c/n, eps); sum((q - p) * log(q / p)), with `laplace_0.5` p = (c + .5) / (n + .5 B), B all bins, and without smoothing p = c/n.
/// `tvd`: .5 * abs(p - q).sum().
#[test]
fn psi_and_total_variation() {
    let (mut compared, mut laplace, mut empty_in_both) = (0, 0, Vec::new());
    for (name, figures) in all_counts() {
        let (reference, current) = (counts(&figures["reference_counts"]), counts(&figures["current_counts"]));
        let value = |smoothing| psi(&reference, &current, smoothing).map(|reading| reading.value);
        for (eps, key) in [(1e-4, "psi_floor_1e-4"), (1e-6, "psi_floor_1e-6")] {
            matches(&name, value(Smoothing::Epsilon(eps)), expected(&figures[key]));
            compared += 1;
        }
        let both_empty = reference.iter().zip(&current).any(|(&r, &c)| r + c == 0);
        match figures["psi_laplace_0.5"].as_f64() {
            // of numbers there is none; counted here are the bins that either sample occupies
            None => assert!(name.contains("drop_nan")),
            Some(_) if both_empty => empty_in_both.push(name.clone()),
            want => {
                matches(&name, value(Smoothing::Jeffreys), want);
                laplace += 1;
            }
        }
        match &figures["psi_no_smoothing"] {
            Value::Null => {}
            want if want == "Infinity" => assert_eq!(value(Smoothing::Epsilon(0.0)), Some(f64::INFINITY), "{name}"),
            // 0·ln(0/0) of a bin that is empty in both samples
            want if want == "NaN" => assert!(both_empty, "{name}"),
            want => matches(&name, value(Smoothing::Epsilon(0.0)), want.as_f64()),
        }
        if let Some(want) = figures["tvd"].as_f64() {
            let got = total_variation(&reference, &current).unwrap();
            // numpy's own sum is off in the last digits where shares nearly cancel
            assert!((got - want).abs() <= 1e-15, "{name}: {got}");
            compared += 1;
        }
    }
    // 10 + 16 + 3 sets of names, 30 + 32 of numbers
    assert_eq!((compared, laplace), (91 * 2 + 29, 27));
    assert_eq!(empty_in_both, ["zero_in_both histogram", "all_in_one_bin histogram"]);
}
