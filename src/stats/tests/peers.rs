//! NannyML's and Evidently's own figures, from their bins and their smoothing: the same functions, told to count as the peers do.
//!
//! What is not met is listed beside each test and in `docs/STATISTICS.md`.

use super::golden::vectors;
use super::*;
use figures::doane;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Read;

/// The formulas by which `benches/detection` runs the peers' rules: one piece for both.
#[path = "../../../benches/detection/figures.rs"]
mod figures;

/// Values without nulls and infinities, as Evidently cleans them.
fn finite(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().filter_map(Value::as_f64).map(|v| v + 0.0).collect()
}

/// `numpy.histogram_bin_edges(values, "sturges")`.
fn sturges(values: &[f64]) -> Vec<f64> {
    let (first, last) = figures::range(values);
    figures::edges(values, (last - first) / ((values.len() as f64).log2() + 1.0))
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

fn histogram(values: &[f64], edges: &[f64]) -> Vec<u64> {
    figures::histogram(&sorted(values), edges)
}

fn by_value<T: Ord + Clone>(reference: &[T], current: &[T]) -> (Vec<u64>, Vec<u64>) {
    let keys: BTreeSet<T> = reference.iter().chain(current).cloned().collect();
    let tally = |values: &[T]| keys.iter().map(|key| values.iter().filter(|v| *v == key).count() as u64).collect();
    (tally(reference), tally(current))
}

/// Order of bits of non-negative numbers, and a total order of all.
fn key(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

fn keys(values: &[f64]) -> Vec<i64> {
    values.iter().map(|&v| key(v)).collect()
}

/// Evidently's bins: a value each up to 20 distinct reference values, Sturges' over both samples above that.
fn evidently_bins(reference: &[f64], current: &[f64]) -> (Vec<u64>, Vec<u64>) {
    let distinct: BTreeSet<i64> = keys(reference).into_iter().collect();
    if distinct.len() > 20 {
        let edges = sturges(&[reference, current].concat());
        (histogram(reference, &edges), histogram(current, &edges))
    } else {
        by_value(&keys(reference), &keys(current))
    }
}

/// Evidently's shares: an empty bin gets 0.0001, or a millionth of the least share where that is no larger.
fn filled(counts: &[u64]) -> Vec<f64> {
    let n = counts.iter().sum::<u64>() as f64;
    let shares = counts.iter().map(|&c| c as f64 / n);
    let least = shares.clone().filter(|p| *p > 0.0).fold(f64::INFINITY, f64::min);
    let floor = if least <= 1e-4 { least / 1e6 } else { 1e-4 };
    shares.map(|p| if p == 0.0 { floor } else { p }).collect()
}

/// PSI and `scipy.stats.entropy(reference, current)` of Evidently's shares; the latter divides by their sums.
fn evidently_psi_and_kl(reference: &[u64], current: &[u64]) -> (f64, f64) {
    let occupied: Vec<(u64, u64)> = reference.iter().zip(current).map(|(&r, &c)| (r, c)).collect();
    let (p, q) = (filled(&occupied.iter().map(|b| b.0).collect::<Vec<_>>()), filled(&occupied.iter().map(|b| b.1).collect::<Vec<_>>()));
    let (sum_p, sum_q) = (p.iter().sum::<f64>(), q.iter().sum::<f64>());
    let pairs = p.iter().zip(&q);
    let psi = pairs.clone().map(|(p, q)| (q - p) * (q / p).ln()).sum();
    (psi, pairs.map(|(p, q)| p / sum_p * ((p / sum_p) / (q / sum_q)).ln()).sum())
}

#[track_caller]
fn met(name: &str, got: f64, want: &Value, absolute: f64) -> usize {
    let Some(want) = want.as_f64() else { return 0 };
    assert!((got - want).abs() <= RELATIVE * want.abs() + absolute, "{name}: got {got}, want {want}");
    1
}

const LN_2_ROOT: f64 = 0.832_554_611_157_697_8;

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
        let (r, c) = evidently_bins(&reference, &current);
        let occupied: Vec<usize> = (0..r.len()).filter(|&i| r[i] + c[i] > 0 || r.len() > 1 && i + 1 < r.len()).collect();
        let take = |counts: &[u64]| occupied.iter().map(|&i| counts[i]).collect::<Vec<_>>();
        let (psi, kl) = evidently_psi_and_kl(&take(&r), &take(&c));
        compared += met(name, psi, &want["psi"], 1e-15);
        compared += met(name, kl, &want["kl_div"], 1e-15);
        compared += met(name, jensen_shannon(&r, &c).unwrap() * LN_2_ROOT, &want["jensenshannon"], 1e-15);
        if !["huge_values", "tiny_values", "denormal", "large_offset"].contains(&name) {
            let distinct: BTreeSet<i64> = keys(&[&reference[..], &current].concat()).into_iter().collect();
            let mut unique: Vec<f64> = [&reference[..], &current].concat();
            unique.sort_by(f64::total_cmp);
            unique.dedup();
            assert_eq!(unique.len(), distinct.len());
            let edges = sturges(&unique);
            let got = hellinger(&histogram(&reference, &edges), &histogram(&current, &edges)).unwrap();
            compared += met(name, got, &want["hellinger"], 1e-15);
        }
    }
    assert!(compared >= 120, "{compared}");
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

/// Evidently on categories: `chisquare` is a test against the reference's shares as if they were known (scipy.stats.chisquare). `z`, a test of two proportions, has no twin.
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
    assert!(compared >= 78, "{compared}");
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

/// `scipy.stats.chisquare(current, reference share · m).pvalue`.
fn goodness_of_fit(reference: &[u64], current: &[u64]) -> f64 {
    let (n, m) = (reference.iter().sum::<u64>() as f64, current.iter().sum::<u64>() as f64);
    let cells = reference.iter().zip(current).map(|(&r, &c)| (r as f64 / n * m, c as f64));
    let statistic: f64 = cells.map(|(expected, seen)| (seen - expected).powi(2) / expected).sum();
    if statistic.is_infinite() { 0.0 } else { chi_square_tail(statistic, reference.len() as u32 - 1) }
}

/// NannyML on numbers: Doane's bins of the reference and one for what lies outside. Not met: what holds infinities (`inf_current`, `inf_reference`, `nan_and_inf`: NannyML keeps them, here they
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
    assert!(compared >= 54, "{compared}");
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
    assert!(compared >= 78, "{compared}");
}

/// `scipy.stats.chi2_contingency(correction=True)` of two by two: every difference is up to a half nearer to what is expected.
fn with_yates(reference: &[u64], current: &[u64]) -> f64 {
    let (n, m) = (reference.iter().sum::<u64>() as f64, current.iter().sum::<u64>() as f64);
    let bins = reference.iter().zip(current).map(|(&r, &c)| (r as f64, c as f64));
    bins.flat_map(|(r, c)| [(r, n * (r + c) / (n + m)), (c, m * (r + c) / (n + m))])
        .map(|(seen, expected)| ((seen - expected).abs() - 0.5f64.min((seen - expected).abs())).powi(2) / expected)
        .sum()
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

/// Cases of NannyML's own tests, by their full figure. Not here: `wasserstein_out_of_reference_drift` (a million values); of `wasserstein_positive_means_small_drift` the exact distance is met to the
/// two digits that NannyML asserts, since with 10,000 reference values it estimates from 10,000 bins.
#[test]
fn nannyml_own_tests() {
    let cases: Value = serde_json::from_str(include_str!("../../../tests/data/peer_tests/nannyml.json")).unwrap();
    let mut left = Vec::new();
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
                continue;
            }
            other => {
                left.push(other.to_owned());
                continue;
            }
        };
        met(id, got, want, 1e-15);
    }
    assert_eq!(left, ["wasserstein_out_of_reference_drift"]);
}

/// Cases of Evidently's own tests. `z` tests two proportions and has no twin.
#[test]
fn evidently_own_tests() {
    let cases: Value = serde_json::from_str(include_str!("../../../tests/data/peer_tests/evidently.json")).unwrap();
    let mut left = 0;
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
        met(id, got, &case["value_here"], 1e-15);
        let (want, tolerance) = (case["expected_score"].as_f64().unwrap(), case["abs_tol"].as_f64().unwrap_or(1e-12));
        assert!((got - want).abs() <= tolerance, "{id}: {got}, want {want}");
    }
    assert_eq!(left, 2, "the two z tests");
}

/// What both peers say about the chunks of the data sets (see `tests/data/golden/README.md`), from the values of the excerpts.
#[test]
fn both_peers_on_real_data() {
    let mut compared = 0;
    for text in [
        include_str!("../../../tests/data/golden/elec2.json"),
        include_str!("../../../tests/data/golden/nml_credit_card.json"),
        include_str!("../../../tests/data/golden/nml_car_price.json"),
    ] {
        let data: Value = serde_json::from_str(text).unwrap();
        let spread = |pairs: &Value| -> Vec<f64> {
            let pairs = pairs.as_array().unwrap().iter();
            pairs.flat_map(|p| std::iter::repeat_n(p[0].as_f64().unwrap(), p[1].as_u64().unwrap() as usize)).collect()
        };
        for (name, figures) in data["numerical"].as_object().unwrap() {
            let reference = spread(&figures["reference"]);
            let doane = doane(&reference);
            for (place, chunk) in figures["chunks"].as_array().unwrap().iter().enumerate() {
                let current = spread(chunk);
                let (r, c) = (histogram(&reference, &doane), histogram(&current, &doane));
                let nannyml = &figures["nannyml"];
                compared += met(name, jensen_shannon(&r, &c).unwrap(), &nannyml["jensen_shannon"][place], 1e-15);
                compared += met(name, hellinger(&r, &c).unwrap(), &nannyml["hellinger"][place], 1e-15);
                let (r, c) = evidently_bins(&reference, &current);
                let inside = if reference.iter().map(|&v| key(v)).collect::<BTreeSet<_>>().len() > 20 { r.len() - 1 } else { r.len() };
                let (psi, kl) = evidently_psi_and_kl(&r[..inside], &c[..inside]);
                let evidently = &figures["evidently"];
                compared += met(name, psi, &evidently["psi"][place], 1e-15);
                compared += met(name, kl, &evidently["kl_div"][place], 1e-15);
                compared += met(name, jensen_shannon(&r, &c).unwrap() * LN_2_ROOT, &evidently["jensenshannon"][place], 1e-15);
            }
        }
        for (name, figures) in data["categorical"].as_object().unwrap() {
            let r = super::golden::counts(&figures["reference_counts"]);
            for (place, chunk) in figures["counts"].as_array().unwrap().iter().enumerate() {
                let c = super::golden::counts(chunk);
                let (nannyml, evidently) = (&figures["nannyml"], &figures["evidently"]);
                compared += met(name, jensen_shannon(&r, &c).unwrap(), &nannyml["jensen_shannon"][place], 1e-15);
                compared += met(name, hellinger(&r, &c).unwrap(), &nannyml["hellinger"][place], 1e-15);
                compared += met(name, l_infinity(&r, &c).unwrap(), &nannyml["l_infinity"][place], 1e-15);
                let statistic = if r.len() == 2 { with_yates(&r, &c) } else { chi_square(&r, &c, 0.0).unwrap().statistic };
                compared += met(name, statistic, &nannyml["chi2"][place], 1e-13);
                let (psi, kl) = evidently_psi_and_kl(&r, &c);
                compared += met(name, psi, &evidently["psi"][place], 1e-15);
                compared += met(name, kl, &evidently["kl_div"][place], 1e-15);
                compared += met(name, jensen_shannon(&r, &c).unwrap() * LN_2_ROOT, &evidently["jensenshannon"][place], 1e-15);
                compared += met(name, hellinger(&r, &c).unwrap(), &evidently["hellinger"][place], 1e-15);
                compared += met(name, goodness_of_fit(&r, &c), &evidently["chisquare"][place], 1e-300);
            }
        }
    }
    assert!(compared >= 500, "{compared}");
}
