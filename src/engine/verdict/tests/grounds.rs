//! More than chance, more than the reference's own windows show, more than the interval leaves open; and which windows can say so at all.

use super::*;
use crate::engine::metric::Baseline;
use crate::stats::power;

fn drift(alpha: f64) -> Rule {
    Rule {
        alpha,
        ..rule("drift", vec![condition("feature:*", Metric::Psi, ABOVE(0.10)), condition("prediction", Metric::Psi, ABOVE(0.10))])
    }
}

fn psi(subject: &str, value: f64, p_value: Option<f64>) -> Measurement {
    Measurement { p_value, ..measurement(subject, Metric::Psi, value) }
}

fn judge_all(rule: &Rule, measurements: &mut [Measurement]) -> Vec<Verdict> {
    judge(&[Arc::new(rule.clone())], Task::Binary, &no_kinds, false, true, measurements);
    measurements.iter().filter_map(|measurement| measurement.verdict).collect()
}

#[test]
fn a_p_value_is_corrected_over_the_features_of_one_evaluation() {
    let mut measurements: Vec<_> = (0..100).map(|n| psi(&format!("feature:f{n}"), 0.2, Some(0.5))).collect();
    measurements[7].p_value = Some(0.001);
    measurements.push(psi("prediction", 0.2, Some(0.001)));
    measurements.push(Measurement { baseline: Baseline::PreviousWindow, ..psi("feature:f7", 0.2, Some(0.003)) });
    measurements.push(Measurement { metric: Metric::Ks, ..psi("feature:f7", 0.2, Some(0.004)) });
    measurements.push(psi("feature:untested", 0.2, None));
    let verdicts = judge_all(&drift(0.01), &mut measurements);
    assert_eq!(measurements[7].q_value, Some(0.1), "0.001 among a hundred is chance");
    assert_eq!(verdicts[7], Verdict::NotSignificant);
    assert_eq!((measurements[100].q_value, verdicts[100]), (Some(0.001), Verdict::Breach), "a prediction stands alone");
    assert_eq!(measurements[101].q_value, Some(0.003), "another baseline is another family");
    assert_eq!(measurements[102].q_value, Some(0.004), "another metric is another family");
    assert_eq!((measurements[103].q_value, verdicts.last()), (None, Some(&Verdict::Breach)));
    // with the whole alone it would have been significant, and with a looser alpha it is
    assert_eq!(judge_all(&drift(0.01), &mut [psi("feature:f7", 0.2, Some(0.001))]), [Verdict::Breach]);
    assert_eq!(judge_all(&drift(0.10), &mut measurements)[7], Verdict::Breach);
}

#[track_caller]
fn check(measurement: Measurement, bound: Bound, expected: Significance) {
    let value = measurement.reading.value().unwrap();
    assert_eq!(Significance::of(&measurement, value, bound, 0.01), expected);
}

#[test]
fn what_is_significant() {
    let with = |p_value, noise_floor| Measurement { noise_floor, ..psi("feature:a", 0.2, p_value) };
    check(with(None, None), ABOVE(0.1), Significance::Untested);
    check(with(Some(0.01), None), ABOVE(0.1), Significance::Significant);
    check(with(Some(0.011), None), ABOVE(0.1), Significance::Chance);
    check(with(Some(1e-40), Some(0.2)), ABOVE(0.1), Significance::WithinNoise);
    check(with(Some(1e-40), Some(0.19)), ABOVE(0.1), Significance::Significant);
    check(with(None, Some(0.19)), ABOVE(0.1), Significance::Significant);
    check(with(Some(0.5), Some(0.19)), ABOVE(0.1), Significance::Chance);
    check(with(Some(1e-40), Some(f64::NAN)), ABOVE(0.1), Significance::Significant);
    // too alike is asked neither of the test nor of the floor
    check(with(Some(0.9), Some(0.5)), BELOW(0.3), Significance::Untested);
    // the floor is of distances; a rate and a quality have their test only
    check(Measurement { metric: Metric::MissingRate, ..with(None, Some(0.5)) }, ABOVE(0.1), Significance::Untested);
    check(Measurement { noise_floor: Some(0.9), ..measurement("quality", Metric::Accuracy, 0.8) }, BELOW(0.9), Significance::Untested);
    check(Measurement { p_value: Some(0.2), ..measurement("quality", Metric::Accuracy, 0.8) }, BELOW(0.9), Significance::Chance);
}

#[track_caller]
fn check_standing(value: f64, noise_floor: f64, verdict: Verdict, standing: Standing) {
    let rule = drift(0.01);
    let noisy = Measurement { noise_floor: Some(noise_floor), ..psi("feature:a", value, Some(0.0)) };
    let assessment = assess(&rule, &rule.conditions[0], true, &noisy);
    assert_eq!((assessment.verdict, assessment.standing), (verdict, standing), "{value} over a floor of {noise_floor}");
}

#[test]
fn traffic_that_is_noisier_than_the_bound_fires_and_resolves_at_its_floor() {
    check_standing(0.31, 0.30, Verdict::Breach, Standing::Breach);
    check_standing(0.30, 0.30, Verdict::NotSignificant, Standing::Between);
    check_standing(0.25, 0.30, Verdict::NotSignificant, Standing::Between);
    // 80 % of the floor, although twice the bound
    check_standing(0.239, 0.30, Verdict::NotSignificant, Standing::Clear);
    check_standing(0.09, 0.30, Verdict::Ok, Standing::Clear);
    // a floor below the bound changes nothing
    check_standing(0.101, 0.05, Verdict::Breach, Standing::Breach);
    check_standing(0.09, 0.05, Verdict::Ok, Standing::Between);
    check_standing(0.08, 0.05, Verdict::Ok, Standing::Clear);
}

#[test]
fn a_confident_bound_asks_the_whole_interval() {
    let check = |subject: &str, metric, bound, value, interval, expected| {
        let mut own = rule("own", vec![Condition { confident: true, ..condition(subject, metric, bound) }]);
        let uncertain = Measurement { interval, ..measurement(subject, metric, value) };
        let assessment = assess(&own, &own.conditions[0], true, &uncertain);
        assert_eq!((assessment.verdict, assessment.standing), expected, "{value} {interval:?}");
        own.conditions[0].confident = false;
        let point = assess(&own, &own.conditions[0], true, &uncertain).verdict;
        assert_eq!(point, if expected.0 == Verdict::Ok { Verdict::Ok } else { Verdict::Breach });
    };
    let open = (Verdict::NotSignificant, Standing::Between);
    let certain = (Verdict::Breach, Standing::Breach);
    check("quality", Metric::Accuracy, BELOW(0.90), 0.88, Some((0.86, 0.8999)), certain);
    check("quality", Metric::Accuracy, BELOW(0.90), 0.88, Some((0.85, 0.90)), open);
    check("quality", Metric::Accuracy, BELOW(0.90), 0.88, None, open);
    check("quality", Metric::Accuracy, BELOW(0.90), 0.90, Some((0.5, 0.95)), (Verdict::Ok, Standing::Between));
    check("quality", Metric::Mae, ABOVE(2.0), 2.5, Some((2.1, 2.9)), certain);
    check("quality", Metric::Mae, ABOVE(2.0), 2.5, Some((2.0, 3.0)), open);
    check("quality", Metric::Mae, ABOVE(2.0), 2.5, Some((f64::NAN, 3.0)), open);
}

#[track_caller]
fn check_sigma(bound: Bound, metric: Metric, value: f64, verdict: Verdict, standing: Standing) {
    let subject = if metric == Metric::Psi { "feature:a" } else { "quality" };
    let rule = rule("own", vec![condition(subject, metric, bound)]);
    let calibrated = Measurement { on_reference: Some(0.80), sigma: Some(0.02), ..measurement(subject, metric, value) };
    let assessment = assess(&rule, &rule.conditions[0], true, &calibrated);
    assert_eq!((assessment.verdict, assessment.standing), (verdict, standing), "{value}");
}

#[test]
fn a_bound_in_sigmas_resolves_on_the_way_back_to_the_reference() {
    let below = Bound::Below(Threshold::Reference { factor: 1.0, offset: 0.0, sigmas: -3.0 });
    check_sigma(below, Metric::Accuracy, 0.739, Verdict::Breach, Standing::Breach);
    check_sigma(below, Metric::Accuracy, 0.745, Verdict::Ok, Standing::Between);
    check_sigma(below, Metric::Accuracy, 0.753, Verdict::Ok, Standing::Clear);
    let above = Bound::Above(Threshold::Reference { factor: 1.0, offset: 0.0, sigmas: 3.0 });
    check_sigma(above, Metric::Psi, 0.861, Verdict::Breach, Standing::Breach);
    check_sigma(above, Metric::Psi, 0.849, Verdict::Ok, Standing::Between);
    // 80 % of 0.86 is less than what is normal here: it would never resolve
    check_sigma(above, Metric::Psi, 0.847, Verdict::Ok, Standing::Clear);
    // a level on the wrong side of the reference's own figure has no way back to it
    let strict = Bound::Above(Threshold::Reference { factor: 0.5, offset: 0.0, sigmas: 0.0 });
    check_sigma(strict, Metric::Psi, 0.33, Verdict::Ok, Standing::Between);
    check_sigma(strict, Metric::Psi, 0.32, Verdict::Ok, Standing::Clear);
}

#[test]
fn without_the_spread_of_the_reference_a_bound_in_sigmas_is_not_judged() {
    let bound = Bound::Above(Threshold::Reference { factor: 1.0, offset: 0.0, sigmas: 3.0 });
    let rule = rule("own", vec![condition("feature:a", Metric::Psi, bound)]);
    for (on_reference, sigma) in [(None, Some(0.1)), (Some(0.1), None)] {
        let mut bare = [Measurement { on_reference, sigma, ..measurement("feature:a", Metric::Psi, 0.5) }];
        assert_eq!(judge_all(&rule, &mut bare), [Verdict::Undefined(UndefinedReason::NotInReference)]);
        assert_eq!(bare[0].threshold, None);
    }
}

#[test]
fn a_condition_looks_at_its_own_baseline() {
    let previous = Condition { against: Baseline::PreviousWindow, ..condition("feature:*", Metric::Psi, ABOVE(0.3)) };
    let rule = rule("own", vec![previous, condition("feature:*", Metric::Psi, ABOVE(0.1))]);
    let mut both = [psi("feature:a", 0.2, None), Measurement { baseline: Baseline::PreviousWindow, ..psi("feature:a", 0.2, None) }];
    assert_eq!(judge_all(&rule, &mut both), [Verdict::Breach, Verdict::Ok]);
    assert_eq!(both.map(|m| m.threshold), [Some(0.1), Some(0.3)]);
    let mut other = [Measurement { baseline: Baseline::LastWeek, ..psi("feature:a", 0.2, None) }];
    assert!(judge_all(&rule, &mut other).is_empty(), "no condition is against last week");
}

/// Users of other tools got drift from fifty rows and drift from a million alike (evidently#50, #20, #509; deepchecks#2339): a window that is too small
/// to say says so, and a window that is large enough to prove any trifle asks whether it matters.
#[test]
fn a_verdict_does_not_depend_on_the_number_of_rows() {
    let rule = rule("drift", vec![condition("feature:*", Metric::Psi, ABOVE(0.10)), condition("feature:*", Metric::Ks, ABOVE(0.10))]);
    let verdict = |metric, value, n, p_value| {
        let window = Measurement { n_current: n, p_value: Some(p_value), ..measurement("feature:a", metric, value) };
        judge_all(&rule, &mut [window]).remove(0)
    };
    // below: fifty rows of the same distribution show a PSI of 0.18 on average
    assert_eq!(verdict(Metric::Psi, 0.18, 50, 0.5), Verdict::NotEnough { n: 50, need: 217 });
    assert_eq!(verdict(Metric::Ks, 0.19, 50, 0.05), Verdict::NotEnough { n: 50, need: 265 });
    // even a shift that is plain: too few values are neither drift nor an all-clear
    assert_eq!(verdict(Metric::Psi, 5.0, 216, 0.0), Verdict::NotEnough { n: 216, need: 217 });
    // above: at a million rows a distance of 0.01 has a p-value of 7e-44, and is none that matters
    assert_eq!(verdict(Metric::Ks, 0.01, 1_000_000, 7e-44), Verdict::Ok);
    assert_eq!(verdict(Metric::Psi, 0.0999, 1_000_000, 0.0), Verdict::Ok);
    // in between the same shift is the same verdict, whatever the size
    for n in [300, 3_000, 300_000, 30_000_000] {
        assert_eq!(verdict(Metric::Ks, 0.15, n, 1e-4), Verdict::Breach, "{n}");
    }
    assert_eq!(power::psi_least_n(9, 0.10, 1_000_000), Some(217));
}
