//! The hand-sized vectors of `tests/data/vectors.json` through columns and windows, against scipy 1.15.3, numpy 2.2.6 and scikit-learn 1.6.1.

use super::golden::{floats, measure};
use super::*;
use serde_json::Value;

/// Numbers of other libraries are met to this relative error.
const RELATIVE: f64 = 1e-9;

const VECTORS: &str = include_str!("../../../../tests/data/vectors.json");

fn vectors(group: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(VECTORS).unwrap()[group].as_array().unwrap().clone()
}

#[test]
fn hand_sized_vectors() {
    let seen = |values: &Value| -> Vec<Seen> {
        let values = values.as_array().unwrap().iter();
        values.map(|v| v.as_f64().map_or(if v == "NaN" { Seen::Missing } else { Seen::Invalid }, Seen::Number)).collect()
    };
    let (mut compared, mut undefined, mut scaled, mut beside_a_constant) = (0, 0, 0, 0);
    for vector in vectors("numerical") {
        let (name, figures) = (vector["name"].as_str().unwrap(), &vector["expected"]["drop_nan_and_inf"]);
        let (known, current) = (seen(&vector["reference"]), seen(&vector["current"]));
        let points = known.iter().chain(&current).filter_map(|v| if let Seen::Number(v) = v { Some(*v + 0.0) } else { None }).collect();
        let cells = Cells::new(points, true);
        let column = column((0..cells.n_cells() as u16).collect(), Slots::Numeric(cells), &known);
        let known = reference(vec![("x", column)], OutputReference::default());
        let live = counts(&known.inputs[0].column, &current);
        let measured = measure(&known, vec![live], MetricSet::all());
        let got = reading(&measured, &feature("x"), Metric::Ks);
        assert_eq!(Some(got.n_reference), figures["n_reference"].as_u64(), "{name}");
        assert_eq!(Some(got.n_current), figures["n_current"].as_u64(), "{name}");
        match figures["ks_statistic"].as_f64() {
            Some(want) => {
                assert!((got.reading.value().unwrap() - want).abs() <= 1e-15, "{name}: {got:?}, want {want}");
                compared += 1;
            }
            None => {
                assert!(matches!(got.reading, Reading::Undefined(_)), "{name}");
                undefined += 1;
            }
        }
        let got = reading(&measured, &feature("x"), Metric::WassersteinScaled);
        match figures["wasserstein_over_std"].as_f64() {
            // numpy's variance of 1e300 overflows, that of 1e-300 underflows; here neither does
            Some(_) if name == "huge_values" => {}
            Some(want) => {
                assert!((got.reading.value().unwrap() - want).abs() <= RELATIVE * want, "{name}: {got:?}, want {want}");
                assert_eq!(got.error_bound, 0.0, "{name}");
                scaled += 1;
            }
            None if ["tiny_values", "denormal"].contains(&name) => assert!(got.reading.value().is_some(), "{name}: {got:?}"),
            None if figures["wasserstein_over_std"].is_string() => {
                assert!(matches!(got.reading, Reading::Undefined(_) | Reading::Value(0.0)), "{name}: {got:?}");
                beside_a_constant += 1;
            }
            None => assert!(matches!(got.reading, Reading::Undefined(_)), "{name}"),
        }
    }
    assert_eq!((compared, undefined, scaled, beside_a_constant), (32, 4, 24, 7));
}

/// `sklearn.metrics.median_absolute_error`, within the 1 % of the cells of errors, by the bound that the reading states.
#[test]
fn median_errors_of_hand_sized_vectors() {
    let mut compared = 0;
    for vector in vectors("regression") {
        let (name, want) = (vector["name"].as_str().unwrap(), vector["expected"]["medae"].as_f64().unwrap());
        let (labels, predictions) = (floats(&vector["label"]), floats(&vector["prediction"]));
        let spread = moments_of(&labels).std;
        let mut sums = RegressionSums::new(labels[0], if spread > 0.0 { spread } else { 1.0 });
        predictions.iter().zip(&labels).for_each(|(&predicted, &label)| sums.add(predicted, label));
        let pane = OutcomePane { expected: 3, labelled: 3, ..OutcomePane::new(Quality::Numbers(sums), None) };
        let stream = stream();
        let measured = measure_outcomes(&context(&stream, Task::Regression, &[], None), &pane);
        let got = reading(&measured, &Subject::Quality, Metric::MedianAbsoluteError);
        let off = (got.reading.value().unwrap() - want).abs();
        assert!(off <= got.error_bound + RELATIVE * want && got.error_bound <= 0.011 * want, "{name}: {got:?}, want {want}");
        compared += 1;
    }
    assert_eq!(compared, 10);
}

fn moments_of(values: &[f64]) -> crate::engine::reference::Moments {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    moments(&sorted).unwrap()
}
