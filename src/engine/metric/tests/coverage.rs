//! How often the realised figure lies in the 95 % interval of the estimated one: seeded simulations in which the assumptions of the estimate hold, from rows to
//! a reference to measurements.

use super::*;
use crate::engine::reference::compile::{CompileSpec, compile};
use crate::engine::reference::table::{Column, Table};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

const REFERENCES: usize = 40;
const WINDOWS: usize = 5;
const ROWS: usize = 3000;
const ROWS_OF_WINDOW: usize = 500;

fn table(columns: [(&str, Vec<f64>); 3]) -> Table {
    let columns = columns.into_iter().filter(|(_, values)| !values.is_empty());
    Table::new(columns.map(|(name, values)| Column::of(name, values.into_iter().map(Scalar::Number))).collect())
}

/// Counts, by metric, estimates whose interval holds the realised figure.
fn inside(estimated: &[Measurement], realised: &[Measurement], metrics: &[Metric], hits: &mut [usize]) {
    for (place, &metric) in metrics.iter().enumerate() {
        let (low, high) = reading(estimated, &Subject::EstimatedQuality, metric).interval.unwrap();
        let truth = reading(realised, &Subject::Quality, metric).reading.value().unwrap();
        hits[place] += usize::from(low <= truth && truth <= high);
    }
}

#[track_caller]
fn assert_coverage(metrics: &[Metric], hits: &[usize]) {
    let n = (REFERENCES * WINDOWS) as f64;
    for (metric, &hits) in metrics.iter().zip(hits) {
        assert!((0.90..=0.99).contains(&(hits as f64 / n)), "{metric:?}: {hits} of {n}");
    }
}

/// Scores of two decimals that are right with a chance of their square: a model that is too sure of itself.
#[test]
fn estimated_quality_of_a_classifier_holds_the_realised_one() {
    const METRICS: [Metric; 6] =
        [Metric::Accuracy, Metric::Precision, Metric::Recall, Metric::F1, Metric::Specificity, Metric::BalancedAccuracy];
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    let mut row = || {
        let score = f64::from(rng.random_range(0u32..=100)) / 100.0;
        (score, rng.random::<f64>() < score * score)
    };
    let (stream, classes, mut hits) = (stream(), classes(&["0", "1"]), [0; 6]);
    for _ in 0..REFERENCES {
        let rows: Vec<(f64, bool)> = (0..ROWS).map(|_| row()).collect();
        let number = |of: &dyn Fn(f64, bool) -> bool| rows.iter().map(|&(s, y)| f64::from(u8::from(of(s, y)))).collect::<Vec<f64>>();
        let columns =
            [("score", rows.iter().map(|r| r.0).collect()), ("prediction", number(&|s, _| s >= 0.5)), ("label", number(&|_, y| y))];
        let spec = CompileSpec { task: Some(Task::Binary), positive: Some("1".into()), ..CompileSpec::default() };
        let known = compile(&table(columns), &spec).unwrap().reference;
        let ctx = context(&stream, Task::Binary, &classes, Some(&known));
        for _ in 0..WINDOWS {
            let (mut pane, mut confusion) = (InputPane::default(), Confusion::default());
            for (score, truth) in (0..ROWS_OF_WINDOW).map(|_| row()) {
                pane.add_score(0, score_cell(score), score >= 0.5);
                confusion.add(u16::from(truth), u16::from(score >= 0.5));
            }
            let realised = measure_outcomes(&ctx, &OutcomePane::new(Quality::Classes(confusion), None));
            inside(&measure_inputs(&ctx, &pane, &SERVICE), &realised, &METRICS, &mut hits);
        }
    }
    assert_coverage(&METRICS, &hits);
}

/// Predictions from 0 to 10 whose errors grow with them.
#[test]
fn expected_errors_of_a_regression_hold_the_realised_ones() {
    const METRICS: [Metric; 2] = [Metric::Mae, Metric::Rmse];
    let mut rng = ChaCha8Rng::seed_from_u64(18);
    let mut row = || {
        let (said, noise) = (10.0 * rng.random::<f64>(), rng.sample::<f64, _>(StandardNormal));
        (said, said - (0.5 + 0.2 * said) * noise)
    };
    let (stream, mut hits) = (stream(), [0; 2]);
    for _ in 0..REFERENCES {
        let rows: Vec<(f64, f64)> = (0..ROWS).map(|_| row()).collect();
        let columns = [("prediction", rows.iter().map(|r| r.0).collect()), ("label", rows.iter().map(|r| r.1).collect()), ("", vec![])];
        let known = compile(&table(columns), &CompileSpec { task: Some(Task::Regression), ..CompileSpec::default() }).unwrap().reference;
        let ctx = context(&stream, Task::Regression, &[], Some(&known));
        for _ in 0..WINDOWS {
            let rows: Vec<(f64, f64)> = (0..ROWS_OF_WINDOW).map(|_| row()).collect();
            let mut sums = RegressionSums::new(5.0, 3.0);
            rows.iter().for_each(|&(said, truth)| sums.add(said, truth));
            let said: Vec<f64> = rows.iter().map(|r| r.0).collect();
            let pane =
                InputPane { prediction: Some(counts(known.outputs.prediction.as_ref().unwrap(), &numbers(&said))), ..InputPane::default() };
            let realised = measure_outcomes(&ctx, &OutcomePane::new(Quality::Numbers(sums), None));
            inside(&measure_inputs(&ctx, &pane, &SERVICE), &realised, &METRICS, &mut hits);
        }
    }
    assert_coverage(&METRICS, &hits);
}
