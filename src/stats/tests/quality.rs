//! Quality against scikit-learn 1.6.1 on `tests/data/vectors.json`, and by hand.

use super::golden::{counts, expected, matches, vectors};
use super::*;
use crate::stats::interval::{jackknife, median_ranks, wilson};
use crate::stats::scores::*;
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn scored(vector: &Value) -> Vec<(f64, bool)> {
    numbers(&vector["score"]).into_iter().zip(numbers(&vector["label"])).map(|(score, label)| (score, label == 1.0)).collect()
}

/// The mean of a sum's terms.
fn mean(terms: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = terms.len() as f64;
    terms.sum::<f64>() / n
}

#[test]
fn binary_vectors() {
    let all = vectors("binary");
    assert_eq!(all.len(), 15);
    for vector in all {
        let (name, want) = (vector["name"].as_str().unwrap(), &vector["expected"]);
        let count = |key: &str| want[key].as_u64().unwrap();
        let matrix = array![[count("tn"), count("fp")], [count("fn"), count("tp")]];
        let positive = ClassCounts::of(matrix.view(), 1);
        assert_eq!(positive.matrix(), matrix, "{name}");
        matches(name, accuracy(matrix.view()).ok(), expected(&want["accuracy"]));
        matches(name, positive.precision().ok(), expected(&want["precision"]));
        matches(name, positive.recall().ok(), expected(&want["recall"]));
        matches(name, balanced_accuracy(matrix.view()).ok(), expected(&want["balanced_accuracy"]));
        if positive.occurs() {
            matches(name, positive.f1().ok(), expected(&want["f1_zero_division_0"]));
            matches(name, positive.f_beta(1.0).ok(), expected(&want["f1_zero_division_0"]));
        }
        // the model's own threshold, evaluated on its scores, is its predictions
        let (scores, threshold) = (scored(&vector), vector["threshold"].as_f64().unwrap());
        let hits = scores.iter().filter(|(score, yes)| *score >= threshold && *yes).count() as u64;
        assert_eq!(hits, positive.true_positive, "{name}");

        let groups = groups(scores.iter().copied());
        let exact = |got: Result<Bounded, NoValue>| {
            got.map(|got| {
                assert_eq!(got.bound, 0.0);
                got.value
            })
        };
        matches(name, Some(mean(scores.iter().map(|&(score, yes)| binary_loss(score, yes).0))), expected(&want["log_loss"]));
        matches(name, Some(mean(scores.iter().map(|&(score, yes)| binary_loss(score, yes).1))), expected(&want["brier"]));
        matches(name, exact(brier(&groups)).ok(), expected(&want["brier"]));
        matches(name, exact(roc_auc(&groups)).ok(), expected(&want["roc_auc"]));
        if scores.iter().all(|(_, yes)| *yes == scores[0].1) {
            // scikit-learn: average precision 1 or 0, correlation 0
            assert_eq!(
                (exact(average_precision(&groups)), matthews(matrix.view())),
                (Err(NoValue::OneClass), Err(NoValue::OneClass)),
                "{name}"
            );
        } else {
            matches(name, exact(average_precision(&groups)).ok(), expected(&want["average_precision"]));
            matches(name, matthews(matrix.view()).ok(), expected(&want["mcc"]));
        }
    }
}

#[test]
fn multiclass_vectors() {
    let all = vectors("multiclass");
    assert_eq!(all.len(), 4);
    let mut compared = 0;
    for vector in all {
        let (name, want) = (vector["name"].as_str().unwrap(), &vector["expected"]);
        let rows: Vec<_> = want["confusion_rows_are_labels"].as_array().unwrap().iter().map(counts).collect();
        let matrix = Array2::from_shape_fn((rows.len(), rows.len()), |(label, predicted)| rows[label][predicted]);
        let (view, pooled) = (matrix.view(), ClassCounts::pooled(matrix.view()));
        matches(name, accuracy(view).ok(), expected(&want["accuracy"]));
        for (figure, of) in [
            ("precision", ClassCounts::precision as fn(ClassCounts) -> Result<f64, NoValue>),
            ("recall", ClassCounts::recall),
            ("f1", ClassCounts::f1),
        ] {
            matches(name, macro_mean(view, of).ok(), expected(&want[format!("{figure}_macro_present")]));
            matches(name, weighted_mean(view, of).ok(), expected(&want[format!("{figure}_weighted_present")]));
            matches(name, weighted_mean(view, of).ok(), expected(&want[format!("{figure}_weighted_all_classes")]));
            matches(name, of(pooled).ok(), expected(&want[format!("{figure}_micro_present")]));
            matches(name, of(pooled).ok(), expected(&want[format!("{figure}_micro_all_classes")]));
            // every class of these vectors occurs, as a label or as an answer
            matches(name, macro_mean(view, of).ok(), expected(&want[format!("{figure}_macro_all_classes")]));
            compared += 6;
        }
        let classes: Vec<&str> = vector["classes"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        let labels: Vec<usize> =
            vector["label"].as_array().unwrap().iter().map(|v| classes.iter().position(|c| *c == v.as_str().unwrap()).unwrap()).collect();
        let scores: Vec<Vec<f64>> = vector["scores"].as_array().unwrap().iter().map(numbers).collect();
        let losses = scores.iter().zip(&labels).map(|(scores, &label)| class_loss(scores, label).unwrap().0);
        matches(name, Some(mean(losses)), expected(&want["log_loss"]));
        let area = |class: usize| roc_auc(&groups(scores.iter().zip(&labels).map(|(s, &label)| (s[class], label == class))));
        let areas: Vec<f64> = (0..classes.len()).filter_map(|class| Some(area(class).ok()?.value)).collect();
        let macro_area = mean(areas.iter().copied());
        if want["roc_auc_ovr_macro"].is_number() {
            matches(name, Some(macro_area), expected(&want["roc_auc_ovr_macro"]));
        } else if want["roc_auc_ovr_weighted"].is_number() {
            // one class has no label: not a number for scikit-learn's mean, left out of ours; the others are as frequent as each other
            matches(name, Some(macro_area), expected(&want["roc_auc_ovr_weighted"]));
            assert!(areas.len() < classes.len(), "{name}");
        }
        compared += usize::from(want["roc_auc_ovr_weighted"].is_number());
    }
    // 6 averages of 3 figures, and 3 areas
    assert_eq!(compared, 4 * 18 + 3);
}

#[test]
fn regression_vectors() {
    let all = vectors("regression");
    assert_eq!(all.len(), 10);
    for vector in all {
        let (name, want) = (vector["name"].as_str().unwrap(), &vector["expected"]);
        let (labels, predictions) = (numbers(&vector["label"]), numbers(&vector["prediction"]));
        let (pairs, center) = (|| labels.iter().zip(&predictions), labels[0]);
        let errors = || pairs().map(|(y, p)| p - y);
        let relative = || pairs().filter(|(y, _)| **y != 0.0).map(|(y, p)| ((p - y) / y).abs());
        let totals = RegressionTotals {
            n: labels.len() as u64,
            absolute_error: errors().map(f64::abs).sum(),
            squared_error: errors().map(|e| e * e).sum(),
            error: errors().sum(),
            relative_error: relative().sum(),
            n_relative: relative().count() as u64,
            label: labels.iter().map(|y| y - center).sum(),
            label_squared: labels.iter().map(|y| (y - center) * (y - center)).sum(),
        };
        matches(name, totals.mae().ok(), expected(&want["mae"]));
        // the terms cancel: to the last digits of the greatest of them
        let scale = errors().fold(0.0f64, |most, e| most.max(e.abs()));
        let bias = expected(&want["mean_error_pred_minus_label"]).unwrap();
        assert!((totals.mean_error().unwrap() - bias).abs() <= RELATIVE * scale, "{name}");
        if labels.contains(&0.0) {
            // scikit-learn divides by 2.2e-16: 1.5e15
            assert_eq!((totals.mape(), totals.n_relative), (Ok(0.0), 2), "{name}");
        } else {
            matches(name, totals.mape().ok(), expected(&want["mape"]));
        }
        if want["rmse"] == "Infinity" {
            assert_eq!((totals.rmse(), totals.r2()), (Err(NoValue::OutOfRange), Err(NoValue::OutOfRange)), "{name}");
            continue;
        }
        matches(name, totals.rmse().ok(), expected(&want["rmse"]));
        matches(name, totals.rmse().ok().map(|rmse| rmse * rmse), expected(&want["mse"]));
        if labels.iter().all(|&y| y == labels[0]) {
            // scikit-learn: 1 when perfect, else 0, NaN for one label
            assert_eq!(totals.r2(), Err(NoValue::ConstantLabels), "{name}");
        } else {
            matches(name, totals.r2().ok(), expected(&want["r2"]));
        }
    }
}

/// Cases of a peer's own tests (`tests/data/peer_tests/evidently.json`, `quality`).
#[test]
fn evidently_classification_cases() {
    let cases: Value = serde_json::from_str(include_str!("../../../tests/data/peer_tests/evidently.json")).unwrap();
    let mut compared = 0;
    for case in cases["quality"].as_array().unwrap() {
        let want = case["expected"].as_object().unwrap();
        if let Some(classes) = case["classes"].as_array() {
            let rows: Vec<_> = case["confusion_rows_are_labels"].as_array().unwrap().iter().map(counts).collect();
            let matrix = Array2::from_shape_fn((rows.len(), rows.len()), |(label, predicted)| rows[label][predicted]);
            for (place, class) in classes.iter().enumerate() {
                let got = ClassCounts::of(matrix.view(), place);
                let got = [("tp", got.true_positive), ("fn", got.false_negative), ("fp", got.false_positive), ("tn", got.true_negative)];
                got.iter().for_each(|(key, n)| assert_eq!(want[class.as_str().unwrap()][key], *n, "{class} {key}"));
                compared += got.len();
            }
            continue;
        }
        let (scores, threshold) = (scored(case), case["threshold"].as_f64().unwrap());
        let mut matrix = Array2::zeros((2, 2));
        scores.iter().for_each(|&(score, label)| matrix[[usize::from(label), usize::from(score >= threshold)]] += 1);
        let counts = ClassCounts::of(matrix.view(), 1);
        for (key, figure) in want {
            let got = match key.as_str() {
                "accuracy" => accuracy(matrix.view()).unwrap(),
                "precision" => counts.precision().unwrap(),
                "recall" | "tpr" => counts.recall().unwrap(),
                "f1" => counts.f1().unwrap(),
                "tnr" => counts.specificity().unwrap(),
                "fpr" => 1.0 - counts.specificity().unwrap(),
                "fnr" => 1.0 - counts.recall().unwrap(),
                "roc_auc" => roc_auc(&groups(scores.iter().copied())).unwrap().value,
                "log_loss" => mean(scores.iter().map(|&(score, label)| binary_loss(score, label).0)),
                other => panic!("{other}"),
            };
            close(got, figure.as_f64().unwrap());
            compared += 1;
        }
    }
    assert_eq!(compared, 10 + 8);
}

#[test]
fn figures_by_hand() {
    let matrix = array![[50, 10], [5, 35]];
    let counts = ClassCounts::of(matrix.view(), 1);
    // sklearn.metrics.fbeta_score(beta=2): 5·35 / (5·35 + 4·5 + 10)
    close(counts.f_beta(2.0).unwrap(), 175.0 / 205.0);
    close(counts.f_beta(0.0).unwrap(), counts.precision().unwrap());
    close(counts.specificity().unwrap(), 50.0 / 60.0);
    close(counts.selection_rate().unwrap(), 0.45);
    // sklearn.metrics.matthews_corrcoef: (35·50 − 10·5) / √(45·40·60·55)
    close(matthews(matrix.view()).unwrap(), 1700.0 / (45.0f64 * 40.0 * 60.0 * 55.0).sqrt());
    close(mean_value(matrix.view(), array![[1.0, -5.0], [-20.0, 10.0]].view()).unwrap(), (50.0 - 50.0 - 100.0 + 350.0) / 100.0);
    // answers that are all the same say nothing; labels that are leave nothing to correlate with
    assert_eq!(matthews(array![[7, 0], [3, 0]].view()), Ok(0.0));
    assert_eq!(matthews(array![[0, 0], [3, 4]].view()), Err(NoValue::OneClass));
    assert_eq!(ClassCounts::of(array![[0, 0], [3, 4]].view(), 1).specificity(), Err(NoValue::OneClass));
}

#[test]
fn calibration_error_of_known_bins() {
    // two bins: (0.2, 0.3] with mean 0.25 and half positive, (0.9, 1] with mean 0.95 and all positive
    let scores = [(0.2, false), (0.3, true), (0.95, true), (0.95, true)];
    let scores = scores.map(|(score, yes)| (if score == 0.2 { 0.201 } else { score }, yes));
    let got = calibration_error(&groups(scores)).unwrap();
    close(got.value, ((0.501f64 - 1.0).abs() + (1.9f64 - 2.0).abs()) / 4.0);
    // a multiple of 0.1 closes the bin below it, 0 belongs to the first
    for edge in 1..=10 {
        let edge = f64::from(edge) / 10.0;
        let both = calibration_error(&groups([(edge, true), (edge - 0.05, false)])).unwrap().value;
        close(both, (2.0 * edge - 0.05 - 1.0).abs() / 2.0);
    }
    assert_eq!(calibration_error(&groups([(0.0, false)])).unwrap(), Bounded { value: 0.0, bound: 0.0 });
}

/// By the formula in Python; R. G. Newcombe, Statistics in Medicine 17 (1998), has 0.2553 to 0.3662 for 81 of 263.
#[test]
fn wilson_intervals() {
    for (part, whole, low, high) in [
        (0, 10, 0.0, 0.277_532_799_862_889_2),
        (10, 10, 0.722_467_200_137_110_8, 1.0),
        (5, 10, 0.236_593_090_512_564_3, 0.763_406_909_487_435_7),
        (81, 263, 0.255_288_519_878_274_2, 0.366_209_576_982_800_1),
    ] {
        let (got_low, got_high) = wilson(part, whole).unwrap();
        assert!((got_low - low).abs() < 1e-9 && (got_high - high).abs() < 1e-9, "{part}/{whole}: {got_low} {got_high}");
    }
    assert_eq!((wilson(0, 0), wilson(3, 2)), (None, None));
}

#[test]
fn the_jackknife_of_a_mean_is_the_textbook_interval() {
    // accuracy 0.8 of 100: ± 1.96·√(0.8·0.2/99)
    let (low, high) = jackknife(array![[50, 12], [8, 30]].view(), accuracy).unwrap();
    let half = 1.959963984540054 * (0.16f64 / 99.0).sqrt();
    close(low, 0.8 - half);
    close(high, 0.8 + half);
    assert_eq!(jackknife(array![[50, 0], [0, 30]].view(), accuracy), None, "nothing went wrong so far");
    assert_eq!(jackknife(array![[50, 3], [1, 0]].view(), |m| ClassCounts::of(m, 1).recall()), None, "hangs on one pair");
}

#[test]
fn median_ranks_hold_the_binomial() {
    // scipy.stats.binom.interval(0.95, 100, 0.5) = (40, 60): ranks 40 and 61
    assert_eq!(median_ranks(100), Some((40, 61)));
    assert_eq!(median_ranks(9), None);
    assert!((10..2000).all(|n| median_ranks(n).is_some_and(|(low, high)| 1 <= low && low < high && high <= n)));
}

/// DeLong's variance of a small sample by its definition (structural components), and the interval on the logit's scale.
#[test]
fn roc_auc_interval_by_hand() {
    // components of positives {0.4, 0.8, 0.9} over negatives {0.1, 0.5}: 1/2, 1, 1; of negatives: 1, 2/3; AUC 5/6
    let groups = groups([(0.1, false), (0.5, false), (0.4, true), (0.8, true), (0.9, true)]);
    let auc: f64 = 5.0 / 6.0;
    close(roc_auc(&groups).unwrap().value, auc);
    let variance = (1.0 / 12.0) / 3.0 + (1.0 / 18.0) / 2.0;
    let (centre, half) = ((auc / (1.0 - auc)).ln(), 1.959963984540054 * f64::sqrt(variance) / (auc * (1.0 - auc)));
    let (low, high) = roc_auc_interval(&groups).unwrap();
    close(low, 1.0 / (1.0 + (half - centre).exp()));
    close(high, 1.0 / (1.0 + (-half - centre).exp()));
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    type Figure = fn(ndarray::ArrayView2<'_, u64>) -> Result<f64, NoValue>;

    fn scores() -> impl Strategy<Value = Vec<(f64, bool)>> {
        prop_oneof![
            prop::collection::vec((0.0..=1.0f64, any::<bool>()), 2..80),
            prop::collection::vec(((0u32..=12).prop_map(|s| f64::from(s) / 12.0), any::<bool>()), 2..80),
        ]
    }

    /// The same scores, those between two points of a grid of `steps` thrown together.
    fn coarse(scores: &[(f64, bool)], steps: u32) -> Vec<ScoreGroup> {
        let mut groups: Vec<ScoreGroup> = Vec::new();
        for exact in super::groups(scores.iter().copied()) {
            let at = exact.low * f64::from(steps);
            let (low, high) = (at.floor() / f64::from(steps), at.ceil() / f64::from(steps));
            match groups.last_mut().filter(|g| g.low == low && g.high == high) {
                Some(group) => (group.negatives, group.positives) = (group.negatives + exact.negatives, group.positives + exact.positives),
                None => groups.push(ScoreGroup { low, high, ..exact }),
            }
        }
        groups
    }

    /// The definition: pairs of a positive and a negative.
    fn pairs(scores: &[(f64, bool)]) -> Option<f64> {
        let of = |wanted| scores.iter().filter(move |(_, yes)| *yes == wanted).map(|(score, _)| *score);
        let n = of(true).count() * of(false).count();
        let won = of(true)
            .flat_map(|p| {
                of(false).map(move |n| {
                    if p > n {
                        1.0
                    } else if p == n {
                        0.5
                    } else {
                        0.0
                    }
                })
            })
            .sum::<f64>();
        (n > 0).then(|| won / n as f64)
    }

    proptest! {
        #[test]
        fn exact_groups_are_the_definition(scores in scores()) {
            let got = roc_auc(&groups(scores.iter().copied()));
            match pairs(&scores) {
                Some(want) => prop_assert!((got.unwrap().value - want).abs() < 1e-12 && got.unwrap().bound == 0.0),
                None => prop_assert_eq!(got, Err(NoValue::OneClass)),
            }
        }

        #[test]
        fn coarse_groups_are_off_by_their_bound_at_most(scores in scores(), steps in 2u32..40) {
            let (exact, rough) = (groups(scores.iter().copied()), coarse(&scores, steps));
            for figure in [roc_auc, average_precision, brier] {
                if let (Ok(exact), Ok(rough)) = (figure(&exact), figure(&rough)) {
                    prop_assert!((exact.value - rough.value).abs() <= rough.bound + 1e-12, "{:?} {:?}", exact, rough);
                }
            }
            let rough = coarse(&scores, 10 * steps);
            let (exact, rough) = (calibration_error(&exact).unwrap(), calibration_error(&rough).unwrap());
            prop_assert!((exact.value - rough.value).abs() <= rough.bound + 1e-9, "{:?} {:?}", exact, rough);
        }

        #[test]
        fn figures_are_in_range_with_intervals_around_them(scores in scores()) {
            let groups = groups(scores.iter().copied());
            for (figure, interval) in
                [(roc_auc(&groups), roc_auc_interval(&groups)), (average_precision(&groups), average_precision_interval(&groups))]
            {
                if let Ok(Bounded { value, bound }) = figure {
                    prop_assert!((0.0..=1.0).contains(&value) && bound >= 0.0);
                    prop_assert!(interval.is_none_or(|(low, high)| 0.0 <= low && low <= value && value <= high && high <= 1.0));
                } else {
                    prop_assert_eq!(interval, None);
                }
            }
            // a score of what the class is not is turned round
            let turned = super::groups(scores.iter().map(|(score, yes)| (1.0 - score, !yes)));
            if let (Ok(one), Ok(other)) = (roc_auc(&groups), roc_auc(&turned)) {
                prop_assert!((one.value - other.value).abs() < 1e-12);
            }
        }

        #[test]
        fn the_order_of_classes_is_of_no_account(cells in prop::collection::vec(0u64..20, 16), turn in 1usize..4) {
            let matrix = Array2::from_shape_vec((4, 4), cells).unwrap();
            let turned = Array2::from_shape_fn((4, 4), |(label, predicted)| matrix[[(label + turn) % 4, (predicted + turn) % 4]]);
            let figures: [Figure; 6] = [
                accuracy, balanced_accuracy, matthews,
                |m| macro_mean(m, |c| c.f_beta(2.0)), |m| weighted_mean(m, ClassCounts::precision), |m| macro_mean(m, ClassCounts::specificity),
            ];
            for figure in figures {
                match (figure(matrix.view()), figure(turned.view())) {
                    (Ok(one), Ok(other)) => {
                        prop_assert!((one - other).abs() < 1e-12 && (-1.0..=1.0).contains(&one));
                        if let Some((low, high)) = jackknife(matrix.view(), figure) {
                            prop_assert!(low.is_finite() && low <= one && one <= high);
                        }
                    }
                    (one, other) => prop_assert_eq!(one, other),
                }
            }
        }

        #[test]
        fn wilson_holds_its_share(part in 0u64..500, more in 0u64..500) {
            if let Some((low, high)) = wilson(part, part + more) {
                let share = part as f64 / (part + more) as f64;
                prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
                let (other_low, other_high) = wilson(more, part + more).unwrap();
                prop_assert!((low + other_high - 1.0).abs() < 1e-12 && (high + other_low - 1.0).abs() < 1e-12);
            }
        }

        #[test]
        fn losses_are_finite(scores in prop::collection::vec(0.0..=1.0f64, 1..6), truth in 0usize..6) {
            for &score in &scores {
                let (log, square) = binary_loss(score, truth % 2 == 0);
                prop_assert!(log.is_finite() && log >= 0.0 && (0.0..=1.0).contains(&square));
            }
            if let Some((log, square)) = class_loss(&scores, truth) {
                prop_assert!(log.is_finite() && log >= 0.0 && (0.0..=2.0 + 1e-12).contains(&square));
            }
        }
    }
}
