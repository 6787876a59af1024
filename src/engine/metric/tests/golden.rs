//! Against scipy 1.15.3, numpy 2.2.6 and scikit-learn 1.6.1 on real data (see `tests/data/golden/README.md`): values in, measurements out.

use super::*;
use crate::stats::{Smoothing, psi};
use serde_json::Value;

/// Numbers of other libraries are met to this relative error.
const RELATIVE: f64 = 1e-9;

const ELEC2: &str = include_str!("../../../../tests/data/golden/elec2.json");
const CREDIT_CARD: &str = include_str!("../../../../tests/data/golden/nml_credit_card.json");
const CAR_PRICE: &str = include_str!("../../../../tests/data/golden/nml_car_price.json");
const VECTORS: &str = include_str!("../../../../tests/data/vectors.json");

fn data_sets() -> [Value; 3] {
    [ELEC2, CREDIT_CARD, CAR_PRICE].map(|text| serde_json::from_str(text).unwrap())
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Values from `[value, count]` pairs.
fn spread(pairs: &Value) -> Vec<f64> {
    let pairs = pairs.as_array().unwrap().iter();
    pairs.flat_map(|p| std::iter::repeat_n(p[0].as_f64().unwrap(), p[1].as_u64().unwrap() as usize)).collect()
}

#[track_caller]
fn close(name: &str, got: f64, want: f64) {
    assert!((got - want).abs() <= RELATIVE * want.abs(), "{name}: got {got}, want {want}");
}

/// Measures one column alone.
fn measure_column(column: ColumnReference, current: &ColumnCounts) -> Vec<Measurement> {
    let reference = reference(vec![("x", column)], OutputReference::default());
    let stream = stream();
    let pane = InputPane { inputs: vec![current.clone()], ..InputPane::default() };
    measure_inputs(&context(&stream, Task::Binary, &[], Some(&reference)), &pane, &SERVICE)
}

/// A numeric column with bins `[edge_i, edge_i+1)`; the edges are points besides every `step`th value of the reference.
fn with_edges(reference: &[f64], edges: &[f64], step: usize) -> ColumnReference {
    let mut points: Vec<f64> = reference.to_vec();
    points.sort_by(f64::total_cmp);
    points.dedup();
    let points: Vec<f64> = points.into_iter().step_by(step).chain(edges.iter().copied()).collect();
    let cells = Cells::new(points, step == 1);
    // point i is cell 2i+1 and the open cell 2i+2 above it has no edge inside: both lie in the bin of the point
    let bin_of = |point: f64| edges.iter().filter(|edge| **edge <= point).count() as u16;
    let bins = std::iter::once(0).chain(cells.points().iter().flat_map(|&p| [bin_of(p); 2])).collect();
    column(bins, Slots::Numeric(cells), &numbers(reference))
}

#[test]
fn numeric_columns_of_real_data() {
    let mut exactly_placed = 0;
    for data in data_sets() {
        for (name, figures) in data["numerical"].as_object().unwrap() {
            let edges = floats(&figures["deciles"]["inner_edges"]);
            let reference = spread(&figures["reference"]);
            let exact = with_edges(&reference, &edges, 1);
            let expected: Vec<u64> = serde_json::from_value(figures["deciles"]["reference_counts"].clone()).unwrap();
            let binned = exact.binned(&exact.counts);
            assert_eq!(binned, expected, "{name}");
            let coarse = with_edges(&reference, &edges, 7);
            for (place, chunk) in figures["chunks"].as_array().unwrap().iter().enumerate() {
                let chunk = numbers(&spread(chunk));
                let (live, ks) = (counts(&exact, &chunk), figures["ks_stat"][place].as_f64().unwrap());
                let measured = measure_column(exact.clone(), &live);
                let got = reading(&measured, &feature("x"), Metric::Ks);
                // scipy.stats.ks_2samp(reference, chunk).statistic
                close(name, got.reading.value().unwrap(), ks);
                assert_eq!(got.error_bound, 0.0, "{name}");
                assert_eq!(got.n_current, chunk.len() as u64);
                for (eps, key) in [(1e-4, "decile_psi_eps1e-4"), (1e-6, "decile_psi_eps1e-6")] {
                    let got = psi(&binned, &exact.binned(&live), Smoothing::Epsilon(eps)).unwrap();
                    close(name, got.value, figures[key][place].as_f64().unwrap());
                }
                let value = |metric| {
                    let got = reading(&measured, &feature("x"), metric);
                    assert_eq!(got.error_bound, 0.0, "{name}: {metric:?}");
                    got.reading.value().unwrap()
                };
                // ks_2samp(method="asymp").pvalue
                close(name, got.p_value.unwrap(), figures["ks_p_asymp"][place].as_f64().unwrap());
                close(name, value(Metric::JensenShannon), figures["decile_js_base2"][place].as_f64().unwrap());
                close(
                    name,
                    value(Metric::JensenShannon) * std::f64::consts::LN_2.sqrt(),
                    figures["decile_js_base_e"][place].as_f64().unwrap(),
                );
                close(name, value(Metric::Hellinger), figures["decile_hellinger"][place].as_f64().unwrap());
                // scipy.stats.wasserstein_distance; values between the reference's own are at the middle of their cell, and the bound says so
                let moved = reading(&measured, &feature("x"), Metric::Wasserstein);
                let want = figures["wasserstein"][place].as_f64().unwrap();
                let off = (moved.reading.value().unwrap() - want).abs();
                assert!(off <= RELATIVE * want + moved.error_bound, "{name}: {moved:?}, want {want}");
                exactly_placed += usize::from(moved.error_bound == 0.0);
                let scaled = reading(&measured, &feature("x"), Metric::WassersteinScaled);
                match figures["wasserstein_over_ref_std"][place].as_f64() {
                    Some(want) if exact.moments.unwrap().std > 0.0 => {
                        let off = (scaled.reading.value().unwrap() - want).abs();
                        assert!(off <= RELATIVE * want + scaled.error_bound, "{name}: {scaled:?}, want {want}");
                        let shift =
                            (figures["mean"][place].as_f64().unwrap() - exact.moments.unwrap().mean).abs() / exact.moments.unwrap().std;
                        assert!((value(Metric::MeanShift) - shift).abs() <= 1e-9 * shift.max(1e-3), "{name}: {shift}");
                    }
                    // numpy's standard deviation of a constant is rounding noise
                    _ => assert!(scaled.reading.value().is_none_or(|v| v == 0.0), "{name}"),
                }
                let measured = measure_column(coarse.clone(), &counts(&coarse, &chunk));
                let got = reading(&measured, &feature("x"), Metric::Ks);
                let (least, most) = (got.reading.value().unwrap(), got.reading.value().unwrap() + got.error_bound);
                assert!(least <= ks + 1e-15 && ks <= most + 1e-15, "{name}: {ks} outside {least} to {most}");
                // with coarse cells Wasserstein's bound holds too, beyond the points exactly
                let moved = reading(&measured, &feature("x"), Metric::Wasserstein);
                assert!(
                    (moved.reading.value().unwrap() - want).abs() <= RELATIVE * want + moved.error_bound,
                    "{name}: {moved:?}, want {want}"
                );
            }
        }
    }
    assert!(exactly_placed >= 9, "{exactly_placed}");
}

#[test]
fn categorical_columns_of_real_data() {
    for data in data_sets() {
        for (name, figures) in data["categorical"].as_object().unwrap() {
            let keys: Vec<Arc<str>> = serde_json::from_value(figures["keys"].clone()).unwrap();
            let names = Categories::new(keys.clone(), vec![], false);
            let tally = |counts: &Value| {
                let mut slots = vec![0; names.n_slots()];
                keys.iter().enumerate().for_each(|(place, key)| slots[names.slot(key)] = counts[place].as_u64().unwrap());
                ColumnCounts { slots, ..ColumnCounts::new(0) }
            };
            let mut column = column((0..names.n_slots() as u16).collect(), Slots::Categorical(names.clone()), &[]);
            column.counts = tally(&figures["reference_counts"]);
            for (place, chunk) in figures["counts"].as_array().unwrap().iter().enumerate() {
                let live = tally(chunk);
                let measured = measure_column(column.clone(), &live);
                let got = reading(&measured, &feature("x"), Metric::TotalVariation);
                // .5 * np.abs(p - q).sum()
                close(name, got.reading.value().unwrap(), figures["tvd"][place].as_f64().unwrap());
                assert_eq!(got.degrees as usize, keys.len() - 1);
                for (metric, key) in
                    [(Metric::JensenShannon, "js_base2"), (Metric::Hellinger, "hellinger"), (Metric::LInfinity, "l_infinity")]
                {
                    let (got, want) =
                        (reading(&measured, &feature("x"), metric).reading.value().unwrap(), figures[key][place].as_f64().unwrap());
                    // numpy's shares cancel in the last digits
                    assert!((got - want).abs() <= RELATIVE * want + 1e-15, "{name}: {metric:?} {got}, want {want}");
                }
                // scipy.stats.chi2_contingency(correction=False); every expected count is 5 or more here
                let got = reading(&measured, &feature("x"), Metric::ChiSquare);
                close(name, got.reading.value().unwrap(), figures["chi2_contingency_stat_no_yates"][place].as_f64().unwrap());
                let (p, want) = (got.p_value.unwrap(), figures["chi2_contingency_p_no_yates"][place].as_f64().unwrap());
                assert!((p - want).abs() <= RELATIVE * want + 1e-300, "{name}: {p}, want {want}");
                assert_eq!(u64::from(got.degrees), figures["chi2_contingency_dof"][place].as_u64().unwrap(), "{name}");
                let got = psi(&column.counts.slots, &live.slots, Smoothing::Epsilon(1e-4)).unwrap();
                close(name, got.value, figures["psi_eps1e-4"][place].as_f64().unwrap());
            }
        }
    }
}

fn outcome(quality: Quality, n: u64) -> OutcomePane {
    OutcomePane { expected: n, labelled: n, ..OutcomePane::new(quality, None) }
}

fn matrix(rows: &[Vec<u64>]) -> OutcomePane {
    let mut confusion = Confusion::default();
    for (label, row) in rows.iter().enumerate() {
        for (predicted, &n) in row.iter().enumerate() {
            (0..n).for_each(|_| confusion.add(label as u16, predicted as u16));
        }
    }
    let n = confusion.total();
    outcome(Quality::Classes(confusion), n)
}

#[track_caller]
fn check_quality(measured: &[Measurement], figures: &Value, wanted: &[(Metric, &str)]) {
    for &(metric, key) in wanted {
        let got = reading(measured, &Subject::Quality, metric).reading.value().unwrap();
        close(key, got, figures[key].as_f64().unwrap());
    }
}

#[test]
fn quality_on_real_data() {
    let stream = stream();
    let [elec2, credit_card, car_price] = data_sets();
    let classes = ["0".into(), "1".into()];
    for figures in elec2["quality"].as_array().unwrap() {
        let count = |key: &str| figures["confusion"][key].as_u64().unwrap();
        let pane = matrix(&[vec![count("tn"), count("fp")], vec![count("fn"), count("tp")]]);
        let measured = measure_outcomes(&context(&stream, Task::Binary, &classes, None), &pane);
        let wanted = [(Metric::Accuracy, "accuracy"), (Metric::Precision, "precision"), (Metric::Recall, "recall"), (Metric::F1, "f1")];
        check_quality(&measured, figures, &wanted);
    }
    for figures in credit_card["quality"].as_array().unwrap() {
        let classes: Vec<Arc<str>> = serde_json::from_value(figures["confusion"]["classes"].clone()).unwrap();
        let rows: Vec<Vec<u64>> = serde_json::from_value(figures["confusion"]["matrix_rows_are_labels"].clone()).unwrap();
        let measured = measure_outcomes(&context(&stream, Task::Multiclass, &classes, None), &matrix(&rows));
        for wanted in [
            [(Metric::Precision, "precision_macro_present_classes"), (Metric::Recall, "recall_macro_present_classes")],
            [(Metric::Precision, "precision_macro_all_classes"), (Metric::Recall, "recall_macro_all_classes")],
            [(Metric::Accuracy, "accuracy"), (Metric::F1, "f1_macro_present_classes")],
        ] {
            check_quality(&measured, figures, &wanted);
        }
        for class in &classes {
            for (metric, key) in
                [(Metric::Precision, "precision_per_class"), (Metric::Recall, "recall_per_class"), (Metric::F1, "f1_per_class")]
            {
                let got = reading(&measured, &Subject::ClassQuality(class.clone()), metric).reading.value().unwrap();
                close(key, got, figures[key][&**class].as_f64().unwrap());
            }
        }
    }
    for figures in car_price["quality"].as_array().unwrap() {
        let pairs: Vec<(f64, f64)> = serde_json::from_value(figures["pairs_prediction_label"].clone()).unwrap();
        let mut sums = RegressionSums::new(10_000.0, 3_000.0);
        pairs.iter().for_each(|&(predicted, label)| sums.add(predicted, label));
        let pane = outcome(Quality::Numbers(sums), pairs.len() as u64);
        let measured = measure_outcomes(&context(&stream, Task::Regression, &[], None), &pane);
        check_quality(&measured, figures, &[(Metric::Mae, "mae"), (Metric::Rmse, "rmse"), (Metric::R2, "r2")]);
    }
}

#[test]
fn ks_of_hand_sized_vectors() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let seen = |values: &Value| -> Vec<Seen> {
        let values = values.as_array().unwrap().iter();
        values.map(|v| v.as_f64().map_or(if v == "NaN" { Seen::Missing } else { Seen::Invalid }, Seen::Number)).collect()
    };
    let mut compared = 0;
    for vector in vectors["numerical"].as_array().unwrap() {
        let (name, figures) = (vector["name"].as_str().unwrap(), &vector["expected"]["drop_nan_and_inf"]);
        let (known, current) = (seen(&vector["reference"]), seen(&vector["current"]));
        let column = numeric(&known);
        let live = counts(&column, &current);
        let measured = measure_column(column, &live);
        let got = reading(&measured, &feature("x"), Metric::Ks);
        assert_eq!(Some(got.n_reference), figures["n_reference"].as_u64(), "{name}");
        assert_eq!(Some(got.n_current), figures["n_current"].as_u64(), "{name}");
        match figures["ks_statistic"].as_f64() {
            Some(want) => {
                assert!((got.reading.value().unwrap() - want).abs() <= 1e-15, "{name}: {got:?}, want {want}");
                compared += 1;
            }
            None => assert!(matches!(got.reading, Reading::Undefined(_)), "{name}"),
        }
    }
    assert!(compared >= 30, "{compared}");
}
