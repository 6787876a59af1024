//! The generated world keeps its promises, measured.

use super::*;

const N: usize = 20_000;

fn traffic(task: Task, seed: u64) -> Traffic {
    Traffic::new(&Scenario::healthy(task), seed)
}

fn take(traffic: &mut Traffic, n: usize) -> Vec<Request> {
    (0..n).map(|i| traffic.next_request(Timestamp(1_000 * i as i64))).collect()
}

fn changed(changes: &[Change], seed: u64) -> Vec<Request> {
    let mut traffic = traffic(Task::Binary, seed);
    for change in changes {
        traffic.apply(change).unwrap();
    }
    take(&mut traffic, N)
}

/// Accuracy, precision, recall.
fn quality(requests: &[Request]) -> (f64, f64, f64) {
    let mut matrix = [[0.0_f64; 2]; 2];
    for request in requests {
        if let (Some(Answer { prediction: Target::Binary(p), .. }), Target::Binary(t)) = (&request.answer, request.truth) {
            matrix[usize::from(*p)][usize::from(t)] += 1.0;
        }
    }
    let [[tn, fneg], [fpos, tp]] = matrix;
    ((tp + tn) / (tp + tn + fpos + fneg), tp / (tp + fpos), tp / (tp + fneg))
}

fn share(requests: &[Request], positive: impl Fn(&Request) -> bool) -> f64 {
    requests.iter().filter(|r| positive(r)).count() as f64 / requests.len() as f64
}

fn labelled_positive(requests: &[Request]) -> f64 {
    share(requests, |r| r.truth == Target::Binary(1))
}

fn predicted_positive(requests: &[Request]) -> f64 {
    share(requests, |r| r.answer.as_ref().is_some_and(|a| a.prediction == Target::Binary(1)))
}

fn column(requests: &[Request], feature: Feature) -> Vec<f64> {
    requests.iter().filter_map(|r| r.inputs.numeric[feature.index()]).collect()
}

/// Two-sample Kolmogorov–Smirnov distance.
fn ks(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let below = |sample: &[f64], x: f64| sample.partition_point(|v| *v <= x) as f64 / sample.len() as f64;
    a.iter().chain(&b).map(|x| (below(&a, *x) - below(&b, *x)).abs()).fold(0.0, f64::max)
}

fn concept(strength: f64) -> Change {
    Change::Concept { strength }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let lines =
        |seed| -> Vec<_> { take(&mut traffic(Task::Binary, seed), 500).iter().map(|r| (r.prediction_line(), r.label_line())).collect() };
    assert_eq!(lines(7), lines(7));
    assert_ne!(lines(7), lines(8));
    let ids: std::collections::BTreeSet<_> = take(&mut traffic(Task::Binary, 7), N).into_iter().map(|r| r.id).collect();
    assert_eq!(ids.len(), N);
}

#[test]
fn healthy_traffic_is_healthy() {
    let requests = take(&mut traffic(Task::Binary, 1), N);
    let (accuracy, precision, recall) = quality(&requests);
    assert!(accuracy >= 0.95 && precision >= 0.93 && recall >= 0.93, "{accuracy} {precision} {recall}");
    let positive = labelled_positive(&requests);
    assert!((0.36..0.44).contains(&positive), "{positive}");
    let mut latency: Vec<_> = requests.iter().map(|r| r.latency_ms).collect();
    latency.sort_by(f64::total_cmp);
    assert!((10.0..60.0).contains(&latency[N * 95 / 100]), "p95 {}", latency[N * 95 / 100]);
    let failed = share(&requests, |r| r.answer.is_none());
    assert!((0.001..0.004).contains(&failed), "{failed}");
    let labelled = share(&requests, |r| r.label_at.is_some());
    assert!((0.98..0.995).contains(&labelled), "{labelled}");
    let missing = share(&requests, |r| r.inputs.numeric[Feature::DistanceKm.index()].is_none());
    assert!((0.015..0.025).contains(&missing), "{missing}");
    let delays: Vec<_> = requests.iter().filter_map(|r| Some(r.label_at?.since(r.at) as f64)).collect();
    let mean = delays.iter().sum::<f64>() / delays.len() as f64;
    assert!((19_000.0..21_000.0).contains(&mean), "{mean}");
}

#[test]
fn a_turned_concept_breaks_v1_and_a_retrained_v2_is_healthy_again() {
    let healthy = take(&mut traffic(Task::Binary, 1), N);
    let broken = changed(&[concept(1.0)], 2);
    let (accuracy, precision, recall) = quality(&broken);
    assert!(accuracy < 0.87 && precision < 0.89 && recall < 0.89, "{accuracy} {precision} {recall}");
    let (labels, answers) =
        (labelled_positive(&broken) - labelled_positive(&healthy), predicted_positive(&broken) - predicted_positive(&healthy));
    assert!(labels > 0.06 && answers > 0.06, "{labels} {answers}");
    for feature in &Feature::ALL[..N_NUMERIC] {
        let distance = ks(column(&healthy, *feature), column(&broken, *feature));
        assert!(distance < 0.07, "{feature:?} {distance}");
    }
    let retrained = changed(&[concept(1.0), Change::Deploy { version: "v2".into() }], 3);
    assert!(retrained.iter().all(|r| &*r.version == "v2"));
    let (accuracy, precision, recall) = quality(&retrained);
    assert!(accuracy >= 0.95 && precision >= 0.93 && recall >= 0.93, "{accuracy} {precision} {recall}");
}

#[test]
fn a_shift_moves_its_features_and_no_others() {
    let shift = |feature, mean_sigma, scale| Change::Shift { feature, mean_sigma, scale };
    let healthy = take(&mut traffic(Task::Binary, 1), N);
    let shifted = changed(&[shift(Feature::Amount, 1.0, 1.0), shift(Feature::Age, 0.8, 1.0), shift(Feature::Velocity, 0.0, 2.5)], 2);
    for feature in &Feature::ALL[..N_NUMERIC] {
        let distance = ks(column(&healthy, *feature), column(&shifted, *feature));
        match feature {
            Feature::Amount | Feature::Age | Feature::Velocity => assert!(distance > 0.15, "{feature:?} {distance}"),
            _ => assert!(distance < 0.05, "{feature:?} {distance}"),
        }
    }
}

#[test]
fn the_built_in_shift_leaves_quality_and_answers_healthy() {
    let steps = Scenario::parse(Scenario::BUILT_IN, Task::Binary).unwrap().steps;
    let shifts: Vec<_> = steps.into_iter().filter(|s| s.at_ms == 60_000).map(|s| s.change).collect();
    assert_eq!(shifts.len(), 2);
    let shifted = changed(&shifts, 2);
    let (accuracy, precision, recall) = quality(&shifted);
    assert!(accuracy >= 0.95 && precision >= 0.93 && recall >= 0.93, "{accuracy} {precision} {recall}");
    let moved = (predicted_positive(&shifted) - predicted_positive(&take(&mut traffic(Task::Binary, 1), N))).abs();
    assert!(moved < 0.03, "{moved}");
}

#[test]
fn nulls_new_categories_latency_and_errors_do_as_they_say_and_can_be_undone() {
    let nulls = |share| Change::Nulls { feature: Feature::Amount, share };
    let category = |share| Change::NewCategory { feature: Feature::Country, category: "XX".into(), share };
    let sick = [nulls(0.3), category(0.2), Change::Latency { factor: 5.0 }, Change::Errors { share: 0.1 }, Change::Rate { factor: 0.5 }];
    let requests = changed(&sick, 4);
    let near = |value: f64, expected: f64| assert!((value - expected).abs() < 0.02, "{value} {expected}");
    near(share(&requests, |r| r.inputs.numeric[Feature::Amount.index()].is_none()), 0.3);
    near(share(&requests, |r| r.inputs.categorical[0].as_deref() == Some("XX")), 0.2);
    near(share(&requests, |r| r.latency_ms > 90.0), 0.5);
    near(share(&requests, |r| r.answer.is_none()), 0.1);

    let mut traffic = traffic(Task::Binary, 4);
    let cure = [nulls(0.0), category(0.0), Change::Latency { factor: 1.0 }, Change::Errors { share: 0.002 }, Change::Rate { factor: 1.0 }];
    for change in sick.iter().chain(&cure) {
        traffic.apply(change).unwrap();
    }
    assert_eq!(take(&mut traffic, 1000), changed(&[], 4)[..1000]);
    assert!(traffic.apply(&Change::Latency { factor: f64::NAN }).is_err());
}

#[test]
fn a_change_of_one_input_leaves_the_draws_of_all_others() {
    let shifted = changed(&[Change::Shift { feature: Feature::Amount, mean_sigma: 2.0, scale: 1.0 }], 5);
    for (healthy, shifted) in changed(&[], 5).iter().zip(&shifted) {
        assert_eq!(healthy.inputs.numeric[1..], shifted.inputs.numeric[1..]);
        assert_eq!(healthy.inputs.categorical, shifted.inputs.categorical);
        assert_eq!((healthy.latency_ms, healthy.answer.is_some()), (shifted.latency_ms, shifted.answer.is_some()));
    }
}

#[test]
fn multiclass_and_regression_are_healthy_and_turn_too() {
    let accuracy = |requests: &[Request]| {
        let answered: Vec<_> = requests.iter().filter_map(|r| Some((r.answer.as_ref()?.prediction, r.truth))).collect();
        answered.iter().filter(|(p, t)| p == t).count() as f64 / answered.len() as f64
    };
    let r2 = |requests: &[Request]| {
        let pairs: Vec<_> = requests
            .iter()
            .filter_map(|r| match (r.answer.as_ref()?.prediction, r.truth) {
                (Target::Number(p), Target::Number(t)) => Some((p, t)),
                _ => None,
            })
            .collect();
        let mean = pairs.iter().map(|(_, t)| t).sum::<f64>() / pairs.len() as f64;
        1.0 - pairs.iter().map(|(p, t)| (t - p).powi(2)).sum::<f64>() / pairs.iter().map(|(_, t)| (t - mean).powi(2)).sum::<f64>()
    };
    for (task, figure) in [(Task::Multiclass, &accuracy as &dyn Fn(&[Request]) -> f64), (Task::Regression, &r2)] {
        let mut traffic = traffic(task, 6);
        let healthy = figure(&take(&mut traffic, N));
        traffic.apply(&concept(1.0)).unwrap();
        let broken = figure(&take(&mut traffic, N));
        traffic.apply(&Change::Deploy { version: "v2".into() }).unwrap();
        let retrained = figure(&take(&mut traffic, N));
        assert!(healthy > 0.93 && broken < 0.85 && retrained > 0.93, "{task:?} {healthy} {broken} {retrained}");
    }
}

#[test]
fn probabilities_add_up_and_scores_follow() {
    for task in [Task::Binary, Task::Multiclass] {
        for risk in [-50.0, -0.5, 0.0, 0.2533, 3.0, 50.0] {
            let p = probabilities(task, risk);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12 && p.iter().all(|p| *p >= 0.0), "{task:?} {risk} {p:?}");
        }
    }
}
