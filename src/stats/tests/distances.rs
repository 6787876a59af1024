//! Distances against scipy 1.15.3 and numpy 2.2.6: `tests/data/vectors.json`, and `tests/data/golden/distances.json` for what those vectors lack.

use super::bins::{goodness_of_fit, with_yates};
use super::golden::{all_counts, counts, expected, matches, vectors};
use super::*;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../tests/data/golden/distances.json")).unwrap()
}

/// The finite values, as `drop_nan_and_inf` leaves them.
fn finite(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().filter_map(Value::as_f64).map(|v| v + 0.0).collect()
}

fn distinct(values: &[f64]) -> Vec<f64> {
    let mut points = values.to_vec();
    points.sort_by(f64::total_cmp);
    points.dedup();
    points
}

/// One sample over the cells of `points`, with the sums of its tails.
pub(super) struct Sample {
    pub(super) cells: Vec<u64>,
    below: f64,
    above: f64,
}

impl Sample {
    fn new(points: &[f64], values: &[f64]) -> Self {
        let (first, last) = (points[0], points[points.len() - 1]);
        let mut cells = vec![0; 2 * points.len() + 1];
        for value in values {
            let below = points.partition_point(|p| p < value);
            cells[2 * below + usize::from(points.get(below) == Some(value))] += 1;
        }
        let sum = |distance: fn(f64, f64, f64) -> f64| values.iter().map(|&v| distance(v, first, last).max(0.0)).sum();
        Self { cells, below: sum(|v, first, _| first - v), above: sum(|v, _, last| v - last) }
    }

    pub(super) fn line(&self) -> LineSample<'_> {
        LineSample { cells: &self.cells, below: Some(self.below), above: Some(self.above) }
    }
}

/// Both samples over the points of both: everything exact.
pub(super) fn exactly(reference: &[f64], current: &[f64]) -> (Vec<f64>, Sample, Sample) {
    let points = distinct(&[reference, current].concat());
    let (known, live) = (Sample::new(&points, reference), Sample::new(&points, current));
    (points, known, live)
}

#[track_caller]
fn near(name: &str, got: f64, want: f64, absolute: f64) {
    assert!((got - want).abs() <= RELATIVE * want.abs() + absolute, "{name}: got {got}, want {want}");
}

/// nm/(n+m)²·Σ (F−G)² over every value of both samples.
fn by_definition(reference: &[f64], current: &[f64]) -> f64 {
    let share = |values: &[f64], x: f64| values.iter().filter(|v| **v <= x).count() as f64 / values.len() as f64;
    let squares = reference.iter().chain(current).map(|&x| (share(reference, x) - share(current, x)).powi(2));
    let (n, m) = (reference.len() as f64, current.len() as f64);
    n * m / (n + m).powi(2) * squares.sum::<f64>()
}

#[test]
fn distances_of_numbers() {
    let golden = golden();
    let (mut exact, mut coarse_ones, mut tied, mut energies, mut ranks, mut p_values, mut with_infinities) = (0, 0, 0, 0, 0, 0, 0);
    for vector in vectors("numerical") {
        let (name, want) = (vector["name"].as_str().unwrap(), &vector["expected"]["drop_nan_and_inf"]);
        let (reference, current) = (finite(&vector["reference"]), finite(&vector["current"]));
        if reference.is_empty() || current.is_empty() {
            continue;
        }
        let more = &golden["numerical"][name];
        let (points, known, live) = exactly(&reference, &current);
        let got = wasserstein(&points, known.line(), live.line()).unwrap();
        // scipy's denormal product underflows to 0: the distance is a quarter of the least number
        near(name, got.value, want["wasserstein"].as_f64().unwrap(), 1e-323);
        assert_eq!(got.bound, 0.0, "{name}");
        exact += 1;
        // with infinities left in, scipy's distance is infinite or none; here they are counted apart
        let with_infinite = &vector["expected"]["drop_nan"];
        match with_infinite["n_reference"] == want["n_reference"] && with_infinite["n_current"] == want["n_current"] {
            true => {
                assert_eq!((&with_infinite["wasserstein"], &with_infinite["ks_statistic"]), (&want["wasserstein"], &want["ks_statistic"]))
            }
            false => with_infinities += 1,
        }
        // over the reference's own points: values beyond it are known by their sums
        let points_of_reference = distinct(&reference);
        let coarse = [&reference, &current].map(|values| Sample::new(&points_of_reference, values));
        let got = wasserstein(&points_of_reference, coarse[0].line(), coarse[1].line()).unwrap();
        let true_distance = want["wasserstein"].as_f64().unwrap();
        near(name, got.value, true_distance, got.bound + 1e-323);
        coarse_ones += 1;

        let got = energy_distance(&points, known.line(), live.line()).unwrap();
        if let Some(want) = more["energy_distance"].as_f64() {
            near(name, got.value, want, 1e-161);
            assert_eq!(got.bound, 0.0, "{name}");
            let got = energy_distance(&points_of_reference, coarse[0].line(), coarse[1].line()).unwrap();
            near(name, got.value, want, got.bound + 1e-161);
            energies += 1;
        }
        for (test, key, p_error) in [
            (cramer_von_mises as fn(&[u64], &[u64]) -> Option<RankReading>, "cramervonmises_2samp", 1e-6),
            (anderson_darling, "anderson_ksamp", 0.0),
        ] {
            let Some(figures) = more[key].as_array() else { continue };
            // with ties scipy's statistic is another one than Anderson's
            if key == "cramervonmises_2samp" && points.len() < reference.len() + current.len() {
                tied += 1;
                let got = test(&known.cells, &live.cells).unwrap();
                near(name, got.statistic, by_definition(&reference, &current), 1e-13);
                continue;
            }
            let got = test(&known.cells, &live.cells).unwrap();
            near(name, got.statistic, figures[0].as_f64().unwrap(), 1e-13);
            near(name, got.p_value, figures[1].as_f64().unwrap(), p_error);
            assert_eq!(got.bound, 0.0, "{name}");
            let got = test(&coarse[0].cells, &coarse[1].cells).unwrap();
            near(name, got.statistic, figures[0].as_f64().unwrap(), got.bound + 1e-13);
            ranks += 1;
        }
        let d = ks(&known.cells, &live.cells).unwrap().distance;
        if let Some(p) = want["ks_pvalue_asymp"].as_f64() {
            let p_of_ours = ks_p_value(d, reference.len() as u64, current.len() as u64);
            near(name, p_of_ours, p, 1e-13);
            p_values += 1;
        }
    }
    assert_eq!((exact, coarse_ones, energies, ranks, tied, p_values, with_infinities), (32, 32, 32, 36, 24, 31, 3));
}

#[test]
fn shares_of_deciles_and_categories() {
    let (mut shares, mut tests, mut kl, mut fits) = (0, 0, [0, 0], 0);
    for (name, figures) in all_counts() {
        let (reference, current) = (counts(&figures["reference_counts"]), counts(&figures["current_counts"]));
        let js = jensen_shannon(&reference, &current).unwrap();
        let base_e = js * std::f64::consts::LN_2.sqrt();
        for (got, key) in [
            (js, "js_distance_base2"),
            (base_e, "js_distance_base_e"),
            (js * js, "js_divergence_base2"),
            (hellinger(&reference, &current).unwrap(), "hellinger"),
            (l_infinity(&reference, &current).unwrap(), "l_infinity"),
        ] {
            if let Some(want) = figures[key].as_f64() {
                near(&name, got, want, 1e-15);
                shares += 1;
            }
        }
        // scipy.stats.entropy(p, q): of the reference from the current sample, without smoothing
        let got = kullback_leibler(&current, &reference, Smoothing::Epsilon(0.0)).unwrap();
        match &figures["kl_reference_to_current"] {
            Value::Null => {}
            want if want == "Infinity" => kl[1] += usize::from(got == f64::INFINITY),
            want => {
                near(&name, got, want.as_f64().unwrap(), 1e-15);
                kl[0] += 1;
            }
        }
        let test = chi_square(&reference, &current, 0.0).unwrap();
        // a bin that is empty in both samples is none
        let (r, c): (Vec<u64>, Vec<u64>) = reference.iter().zip(&current).filter(|(r, c)| **r + **c > 0).unzip();
        let with_yates = if r.len() == 2 { with_yates(&r, &c) } else { test.statistic };
        for (statistic, key) in [(test.statistic, "chi2_contingency_no_yates"), (with_yates, "chi2_contingency")] {
            // 10 + 16 + 3 of them; of numbers there is none
            if let Some(want) = figures[key].as_object().filter(|f| f.contains_key("stat")) {
                near(&name, statistic, want["stat"].as_f64().unwrap(), 1e-13);
                near(&name, chi_square_tail(statistic, test.degrees), want["p"].as_f64().unwrap(), 1e-300);
                assert_eq!(u64::from(test.degrees), want["dof"].as_u64().unwrap(), "{name}");
                tests += 1;
            }
        }
        let fit = &figures["chi2_goodness_of_fit_vs_reference"];
        if let Some(want) = fit["p"].as_f64() {
            near(&name, goodness_of_fit(&r, &c), want, 1e-300);
            fits += 1;
        }
    }
    // 29 sets of names and 62 of numbers; the latter have no divergence in base 2, no Kullback–Leibler figure and no test
    assert_eq!((shares, tests, kl, fits), (29 * 5 + 62 * 4, 29 * 2, [19, 10], 28));
}

#[test]
fn the_distribution_of_the_distance() {
    for row in golden()["kstwo_sf"].as_array().unwrap() {
        let (n, d, want) = (row[0].as_u64().unwrap(), row[1].as_f64().unwrap(), row[2].as_f64().unwrap());
        // of n and n values the size is n/2
        let got = ks_p_value(d, 2 * n, 2 * n);
        // above 3,000 values an expansion stands in
        let relative = if n > 3_000 { 2e-5 } else { 1e-9 };
        assert!((got - want).abs() <= relative * want + 1e-13, "{n} {d}: got {got}, want {want}");
    }
}

#[test]
fn the_limit_of_cramer_von_mises() {
    // T standardised is (T − E)/√(45·V) + 1/6: a large sample whose statistic is known gives the limit itself
    for row in golden()["cvm_limit_sf"].as_array().unwrap() {
        let (x, want) = (row[0].as_f64().unwrap(), row[1].as_f64().unwrap());
        let got = super::super::rank::cramer_von_mises_tail(x);
        assert!((got - want).abs() <= 2e-7, "{x}: got {got}, want {want}");
    }
    // Csörgő and Faraway, J. R. Stat. Soc. B 58, 1996, Table 1: critical values of the limit
    for (x, p) in [(0.34730, 0.1), (0.46136, 0.05), (0.74346, 0.01), (1.16786, 0.001)] {
        let got = super::super::rank::cramer_von_mises_tail(x);
        assert!((got / p - 1.0).abs() < 5e-5, "{x}: {got}");
    }
}

#[test]
fn expectations_against_hand_made_tables() {
    // R: vcd/DescTools::CramerV(matrix(c(30, 20, 50, 10, 40, 50), nrow = 2, byrow = TRUE), correct = TRUE) by Bergsma's formula:
    // chi2 = 16.666666666666668, n = 200, phi2 = 1/12 - 2/199, rows 1 - 1/199, columns 2 - 4/199
    let got = chi_square(&[30, 20, 50], &[10, 40, 50], LEAST_EXPECTED).unwrap();
    close(got.statistic, 16.666_666_666_666_668);
    close(got.p_value, (-25.0f64 / 3.0).exp());
    close(got.cramers_v, ((1.0 / 12.0 - 2.0 / 199.0) / (1.0 - 1.0 / 199.0f64)).sqrt());
    assert_eq!(got.degrees, 2);
    // 52 of 1105 values are expected 4.5 times in the smaller sample, and go together with the next rarest
    let many = chi_square(&[500, 400, 60, 50], &[60, 30, 3, 2], LEAST_EXPECTED).unwrap();
    let few = chi_square(&[500, 400, 110], &[60, 30, 5], 0.0).unwrap();
    close(many.statistic, few.statistic);
    assert_eq!(many.degrees, few.degrees);
    // two bins remain whatever is expected
    assert_eq!(chi_square(&[1, 0], &[0, 1], LEAST_EXPECTED).unwrap().statistic, 2.0);
}

#[test]
fn quantiles_by_nearest_rank() {
    let points = [1.0, 2.0, 10.0];
    let sample = Sample::new(&points, &[-3.0, -1.0, 1.0, 2.0, 5.0, 6.0, 10.0, 12.0]);
    for (rank, value, bound) in
        [(1, -2.0, 3.0), (2, -2.0, 3.0), (3, 1.0, 0.0), (4, 2.0, 0.0), (5, 6.0, 4.0), (6, 6.0, 4.0), (7, 10.0, 0.0), (8, 12.0, 0.0)]
    {
        assert_eq!(quantile(&points, sample.line(), rank, 8), Ok(Bounded { value, bound }), "{rank}");
    }
    let unknown = LineSample { below: None, ..sample.line() };
    assert_eq!(quantile(&points, unknown, 1, 8), Err(NoValue::OutOfRange));
    assert_eq!(quantile(&points, unknown, 1, 2), Ok(Bounded { value: 2.0, bound: 0.0 }));
}

#[test]
fn what_is_beyond_the_range_of_numbers_has_no_distance() {
    let points = [-1.7e308, 1.7e308];
    let (left, right) = (Sample::new(&points, &[-1.7e308]), Sample::new(&points, &[1.7e308]));
    assert_eq!(wasserstein(&points, left.line(), right.line()), Err(NoValue::OutOfRange));
    assert_eq!(energy_distance(&points, left.line(), right.line()), Err(NoValue::OutOfRange));
    assert_eq!(wasserstein(&points, left.line(), left.line()), Ok(Bounded { value: 0.0, bound: 0.0 }));
    let saturated = Sample::new(&[0.0], &[1.0]);
    let saturated = LineSample { above: None, ..saturated.line() };
    assert_eq!(wasserstein(&[0.0], Sample::new(&[0.0], &[0.0]).line(), saturated), Err(NoValue::OutOfRange));
    assert_eq!(expected(&Value::from("NaN")), None);
    matches("none", None, None);
}

#[test]
fn twice_an_integral_near_the_end_of_the_range_is_no_infinity() {
    // found by properties::no_value_makes_nan_or_infinity
    let (points, known, live) = ([0.0], [0, 1, 0], [2, 0, 0]);
    let reference = LineSample { cells: &known, below: Some(0.0), above: Some(0.0) };
    let current = LineSample { cells: &live, below: Some(1.7e308), above: Some(0.0) };
    let read = energy_distance(&points, reference, current).unwrap();
    // both far values at one place: √(2·0.85e308); one of them at 0: √(2·0.425e308)
    close(read.value, 1.7e308f64.sqrt());
    close(read.bound, 1.7e308f64.sqrt() - 0.85e308f64.sqrt());
}
