//! NannyML's and Evidently's own figures, from their bins and their smoothing: the same functions, told to count as the peers do.
//!
//! What is not met is listed beside each test and in `docs/STATISTICS.md`.

use super::bins::*;
use super::golden::vectors;
use super::*;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;

#[track_caller]
pub(crate) fn met(name: &str, got: f64, want: &Value, absolute: f64) -> usize {
    let Some(want) = want.as_f64() else { return 0 };
    assert!((got - want).abs() <= RELATIVE * want.abs() + absolute, "{name}: got {got}, want {want}");
    1
}

/// Evidently on numbers. Not met: `hellinger` of `huge_values`, `tiny_values`, `denormal`, whose densities overflow or underflow there (1, 0 and 0), that of
/// `large_offset`, whose bins of 5.4 around 10¹⁵ are not of equal width in doubles, and `ks`, an exact probability (met where the asymptotic one is asked for).
#[test]
fn evidently_on_numbers() {
    let mut compared = 0;
    for vector in vectors("numerical") {
        let (name, want) = (vector["name"].as_str().unwrap(), &vector["expected"]["evidently_0.7.23"]);
        let (reference, current) = (finite(&vector["reference"]), finite(&vector["current"]));
        if reference.is_empty() || current.is_empty() {
            assert!(want["psi"]["error"].is_string(), "{name}");
            continue;
        }
        let [psi, kl, js] = evidently_numbers(&reference, &current);
        compared += met(name, psi, &want["psi"], 1e-15);
        compared += met(name, kl, &want["kl_div"], 1e-15);
        compared += met(name, js, &want["jensenshannon"], 1e-15);
        if !["huge_values", "tiny_values", "denormal", "large_offset"].contains(&name) {
            compared += met(name, evidently_hellinger(&reference, &current), &want["hellinger"], 1e-15);
        }
        let (points, known, live) = super::distances::exactly(&reference, &current);
        let moved = wasserstein(&points, known.line(), live.line()).unwrap().value;
        // numpy.std; what is below 0.001 is taken for 0.001
        let mean = reference.iter().sum::<f64>() / reference.len() as f64;
        let std = (reference.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / reference.len() as f64).sqrt();
        compared += met(name, moved / std.max(0.001), &want["wasserstein"], 1e-320);
    }
    // 32 vectors with values on both sides: five figures each, but for four `hellinger`
    assert_eq!(compared, 32 * 5 - 4);
}

/// What `benches/detection` does not share with the tests above: its distances of shares, and Evidently's Wasserstein distance, to one part in 10⁹ (10⁻⁸ of a Jensen–Shannon distance,
/// which is the root of a sum of logarithms that cancel).
#[test]
fn the_formulas_of_the_detection_benchmark() {
    let mut compared = 0;
    for vector in vectors("numerical") {
        let (name, want) = (vector["name"].as_str().unwrap(), &vector["expected"]);
        let (reference, current) = (finite(&vector["reference"]), finite(&vector["current"]));
        if reference.is_empty() || current.is_empty() {
            continue;
        }
        let deciles = &want["drop_nan_and_inf"]["deciles"];
        let of = |key: &str| figures::shares(&super::golden::counts(&deciles[key]));
        let (p, q) = (of("reference_counts"), of("current_counts"));
        compared += met(name, figures::psi(&p, &q, 1e-4), &deciles["psi_floor_1e-4"], 1e-15);
        compared += met(name, figures::psi(&p, &q, 1e-6), &deciles["psi_floor_1e-6"], 1e-15);
        compared += met(name, figures::jensen_shannon(&p, &q), &deciles["js_distance_base_e"], 1e-8);
        // of values of 1e300 the spread is beyond numbers, and what numpy makes of equal ones of 1e15 is rounding
        if !["huge_values", "tiny_values", "denormal"].contains(&name) {
            let distance = figures::Ranked::new(reference.clone()).wasserstein(&sorted(&current));
            compared += met(name, distance / figures::std(&reference).max(0.001), &want["evidently_0.7.23"]["wasserstein"], 1e-12);
        }
    }
    assert!(compared >= 110, "{compared}");
    for vector in vectors("categorical") {
        let (name, want) = (vector["name"].as_str().unwrap(), &vector["expected"]);
        let Some((r, c)) = categories(&vector) else { continue };
        let js = figures::jensen_shannon(&figures::shares(&r), &figures::shares(&c));
        met(name, js, &want["evidently_0.7.23"]["jensenshannon"], 1e-8);
        met(name, js / LN_2_ROOT, &want["nannyml_0.13.1"]["jensen_shannon"], 1e-8);
    }
}

/// Evidently on categories: `chisquare` is a test against the reference's shares as if they were known (scipy.stats.chisquare). `z`, a test of two
/// proportions, has no twin.
#[test]
fn evidently_on_categories() {
    let mut compared = 0;
    for vector in vectors("categorical") {
        let (name, want) = (vector["name"].as_str().unwrap(), &vector["expected"]["evidently_0.7.23"]);
        let Some((r, c)) = categories(&vector) else { continue };
        let (psi, kl) = evidently_psi_and_kl(&r, &c);
        compared += met(name, psi, &want["psi"], 1e-15);
        compared += met(name, kl, &want["kl_div"], 1e-15);
        compared += met(name, jensen_shannon(&r, &c).unwrap() * LN_2_ROOT, &want["jensenshannon"], 1e-15);
        compared += met(name, hellinger(&r, &c).unwrap(), &want["hellinger"], 1e-15);
        compared += met(name, goodness_of_fit(&r, &c), &want["chisquare"], 1e-300);
    }
    // 16 vectors with names on both sides: five figures each, but for one `chisquare` that is NaN
    assert_eq!(compared, 16 * 5 - 1);
}

fn categories(vector: &Value) -> Option<(Vec<u64>, Vec<u64>)> {
    if vector["reference"].is_null() {
        // kept as counts
        let figures = &vector["expected"]["drop_null"];
        return Some((super::golden::counts(&figures["reference_counts"]), super::golden::counts(&figures["current_counts"])));
    }
    let names = |key: &str| -> Option<Vec<String>> {
        vector[key].as_array()?.iter().filter(|v| !v.is_null() && *v != "NaN").map(|v| Some(v.to_string())).collect()
    };
    let (reference, current) = (names("reference")?, names("current")?);
    (!reference.is_empty() && !current.is_empty()).then(|| by_value(&reference, &current))
}

/// NannyML on numbers: Doane's bins of the reference and one for what lies outside. Not met: what holds infinities (`inf_current`, `inf_reference`,
/// `nan_and_inf`: NannyML keeps them, here they
/// are counted apart), and the bins of `tiny_values` and `denormal`, whose spread underflows in numpy.
#[test]
fn nannyml_on_numbers() {
    let mut compared = 0;
    for vector in vectors("numerical") {
        let (name, want) = (vector["name"].as_str().unwrap(), &vector["expected"]["nannyml_0.13.1"]);
        let (reference, current) = (finite(&vector["reference"]), finite(&vector["current"]));
        if ["inf_current", "inf_reference", "nan_and_inf"].contains(&name) || reference.is_empty() || current.is_empty() {
            continue;
        }
        // below 10,000 values they are scipy's
        let (points, known, live) = super::distances::exactly(&reference, &current);
        compared += met(name, ks(&known.cells, &live.cells).unwrap().distance, &want["kolmogorov_smirnov"], 1e-15);
        compared += met(name, wasserstein(&points, known.line(), live.line()).unwrap().value, &want["wasserstein"], 1e-320);
        let edges: Vec<f64> = want["doane_edges"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        if !["huge_values", "tiny_values", "denormal"].contains(&name) {
            let ours = doane(&reference);
            assert_eq!(ours.len(), edges.len(), "{name}");
            assert!(ours.iter().zip(&edges).all(|(a, b)| (a - b).abs() <= 1e-12 * b.abs().max(1.0)), "{name}: {ours:?}");
        }
        if ["tiny_values", "denormal"].contains(&name) {
            continue;
        }
        let (r, c) = (histogram(&reference, &edges), histogram(&current, &edges));
        compared += met(name, jensen_shannon(&r, &c).unwrap(), &want["jensen_shannon"], 1e-15);
        compared += met(name, hellinger(&r, &c).unwrap(), &want["hellinger"], 1e-15);
    }
    // 32 less 3 with infinities: two distances in bins, but for two, and two of scipy
    assert_eq!(compared, 27 * 2 + 29 * 2);
}

/// NannyML on categories: chi-square with Yates' correction for two by two.
#[test]
fn nannyml_on_categories() {
    let mut compared = 0;
    for vector in vectors("categorical") {
        let (name, want) = (vector["name"].as_str().unwrap(), &vector["expected"]["nannyml_0.13.1"]);
        let Some((r, c)) = categories(&vector) else { continue };
        compared += met(name, jensen_shannon(&r, &c).unwrap(), &want["jensen_shannon"], 1e-15);
        compared += met(name, hellinger(&r, &c).unwrap(), &want["hellinger"], 1e-15);
        compared += met(name, l_infinity(&r, &c).unwrap(), &want["l_infinity"], 1e-15);
        let statistic = if r.len() == 2 { with_yates(&r, &c) } else { chi_square(&r, &c, 0.0).unwrap().statistic };
        compared += met(name, statistic, &want["chi2"]["stat"], 1e-13);
        compared += met(name, chi_square_tail(statistic, r.len() as u32 - 1), &want["chi2"]["p"], 1e-300);
    }
    assert_eq!(compared, 16 * 5);
}

fn file(bytes: &[u8]) -> Vec<String> {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

fn floats(bytes: &[u8]) -> Vec<f64> {
    file(bytes).iter().map(|line| line.parse().unwrap()).collect()
}

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/data/peer_tests/nml_", $name, ".csv.gz"))
    };
}

/// Cases of NannyML's own tests, by their full figure. Not here: `wasserstein_out_of_reference_drift` (a million values). With 10,000 reference values it
/// estimates from 10,000 bins; the exact distance agrees to the two digits that its test asserts.
#[test]
fn nannyml_own_tests() {
    let cases: Value = serde_json::from_str(include_str!("../../../tests/data/peer_tests/nannyml.json")).unwrap();
    let (mut left, mut compared) = (Vec::new(), 0);
    for case in cases["univariate"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let want = &case["value_here_full_precision"];
        let binned = |reference: &[f64], current: &[f64]| {
            let edges = doane(reference);
            (histogram(reference, &edges), histogram(current, &edges))
        };
        let names = |key: &str| -> Vec<String> { case[key].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect() };
        let got = match id.rsplit('/').next().unwrap() {
            "js_for_0_distance" => {
                let same = floats(data!("js_for_0_distance_reference"));
                let (r, c) = binned(&same, &same);
                jensen_shannon(&r, &c).unwrap()
            }
            "js_for_quasi_continuous" => {
                let (r, c) = binned(&floats(data!("js_for_0_distance_reference")), &floats(data!("js_for_quasi_continuous_current")));
                jensen_shannon(&r, &c).unwrap()
            }
            "js_for_categorical" => {
                let (r, c) = by_value(&file(data!("js_for_categorical_reference")), &file(data!("js_for_categorical_current")));
                jensen_shannon(&r, &c).unwrap()
            }
            "l_infinity_for_new_category" | "l_infinity_for_total_change" => {
                let (r, c) = by_value(&names("reference"), &names("current"));
                l_infinity(&r, &c).unwrap()
            }
            "hellinger_no_overlap" => {
                let (r, c) = binned(&floats(data!("hellinger_no_overlap_reference")), &floats(data!("hellinger_no_overlap_current")));
                hellinger(&r, &c).unwrap()
            }
            "wasserstein_positive_means_small_drift" => {
                let (reference, current) =
                    (floats(data!("hellinger_no_overlap_reference")), floats(data!("wasserstein_positive_means_small_drift_current")));
                let (points, known, live) = super::distances::exactly(&reference, &current);
                let got = wasserstein(&points, known.line(), live.line()).unwrap().value;
                assert_eq!((got * 100.0).round() / 100.0, case["expected"].as_f64().unwrap(), "{id}");
                Estimated::new(&reference, true).wasserstein(&current)
            }
            other => {
                left.push(other.to_owned());
                continue;
            }
        };
        compared += met(id, got, want, 1e-15);
    }
    assert_eq!(compared, 7);
    assert_eq!(left, ["wasserstein_out_of_reference_drift"]);
}

/// Cases of Evidently's own tests. `z` tests two proportions and has no twin.
#[test]
fn evidently_own_tests() {
    let cases: Value = serde_json::from_str(include_str!("../../../tests/data/peer_tests/evidently.json")).unwrap();
    let (mut left, mut compared) = (0, 0);
    for case in cases["stattests"].as_array().unwrap().iter().chain(cases["column_drift"].as_array().unwrap()) {
        let id = case["id"].as_str().unwrap();
        let text =
            |key: &str| -> Vec<String> { case[key].as_array().unwrap().iter().filter(|v| !v.is_null()).map(Value::to_string).collect() };
        let (r, c) = by_value(&text("reference"), &text("current"));
        let got = match case["metric"].as_str().unwrap() {
            "chisquare" => goodness_of_fit(&r, &c),
            "hellinger" if case["kind"] == "num" => {
                let (reference, current) = (finite(&case["reference"]), finite(&case["current"]));
                let edges = sturges(&[&reference[..], &current].concat());
                hellinger(&histogram(&reference, &edges), &histogram(&current, &edges)).unwrap()
            }
            "hellinger" => hellinger(&r, &c).unwrap(),
            _ => {
                left += 1;
                continue;
            }
        };
        compared += met(id, got, &case["value_here"], 1e-15);
        // a probability below its threshold, or a distance from it on
        let threshold = case["threshold"].as_f64().unwrap();
        let drifts = if case["metric"] == "chisquare" { got < threshold } else { got >= threshold };
        assert_eq!(Some(drifts), case["expected_drift"].as_bool(), "{id}");
        let (want, tolerance) = (case["expected_score"].as_f64().unwrap(), case["abs_tol"].as_f64().unwrap_or(1e-12));
        assert!((got - want).abs() <= tolerance, "{id}: {got}, want {want}");
    }
    assert_eq!((compared, left), (12, 2), "all but the two z tests");
}
