//! Confirmation subject by subject, and rules that inhibit others.

use super::*;
use crate::engine::metric::Baseline;
use crate::engine::verdict::Condition;
use proptest::prelude::*;

const A: &str = "feature:a";
const B: &str = "feature:b";
const OVER: f64 = 0.2;
const UNDER: f64 = 0.01;

/// What a window reads, and the steps that it makes.
type Hour<'a> = (&'a [(&'a str, Metric, f64)], &'a str);

/// One window after the other, each of an hour: readings of PSI by feature, and the step that each makes.
#[track_caller]
fn check_hours(rules: Vec<Rule>, hours: &[Hour<'_>]) -> Script {
    let mut script = Script::new(rules);
    for (hour, (readings, expected)) in hours.iter().enumerate() {
        let start = hour as i64 * 60;
        let observed = script.window(Aspect::Inputs, (start, start + 60), readings);
        let found: Vec<_> = observed.transitions.iter().map(|t| format!("{} {}", t.facts.rule, t.facts.state.as_str())).collect();
        assert_eq!(found.join(", "), *expected, "hour {hour}");
    }
    script
}

#[test]
fn one_feature_does_not_confirm_another() {
    let hour = |a, b| [(A, Metric::Psi, a), (B, Metric::Psi, b)];
    let script = check_hours(
        vec![drift()],
        &[
            (&hour(OVER, UNDER), "drift pending"),
            (&hour(UNDER, OVER), ""),
            (&hour(OVER, UNDER), ""),
            (&hour(UNDER, OVER), ""),
            (&hour(UNDER, OVER), "drift firing"),
        ],
    );
    let facts = script.alerts.firing().next().unwrap();
    assert_eq!(facts.since, window((180, 240)).start, "since the first window of the one that is confirmed");
    assert_eq!((facts.n_breaching, facts.worst.len()), (1, 1));
}

/// Bound 0.1: the excesses are 1 and 0.5 bounds by PSI and 3 by KS, which is that of its feature.
#[test]
fn a_share_is_that_of_the_subject_by_its_largest_excess() {
    let hour = [(A, Metric::Psi, 0.2), (B, Metric::Psi, 0.15), (B, Metric::Ks, 0.4)];
    let script = check_hours(vec![drift()], &[(&hour, "drift pending"), (&hour, "drift firing")]);
    let facts = script.alerts.firing().next().unwrap();
    let shares: Vec<_> = facts.worst.iter().map(|w| (w.subject.to_string(), w.metric, w.share)).collect();
    let want = [(B, Metric::Ks, 0.75), (A, Metric::Psi, 0.25), (B, Metric::Psi, 0.75)];
    assert_eq!(shares.len(), want.len());
    for ((subject, metric, share), (name, by, wanted)) in shares.iter().zip(want) {
        assert_eq!((subject.as_str(), *metric), (name, by));
        assert!((share - wanted).abs() < 1e-9, "{share}, not {wanted}");
    }
}

#[test]
fn shares_of_more_features_than_are_named_are_shares_of_all() {
    let names: Vec<String> = (0..40).map(|n| format!("feature:f{n}")).collect();
    let hour: Vec<_> = names.iter().map(|name| (name.as_str(), Metric::Psi, OVER)).collect();
    let script = check_hours(vec![drift()], &[(&hour, "drift pending"), (&hour, "drift firing")]);
    let facts = script.alerts.firing().next().unwrap();
    assert_eq!((facts.worst.len(), facts.n_breaching), (10, 40));
    assert!(facts.worst.iter().all(|worst| (worst.share - 0.025).abs() < 1e-9), "{:?}", facts.worst[0].share);
}

#[test]
fn what_was_cleared_while_pending_is_no_part_of_the_alert() {
    let hour = |a, b| [(A, Metric::Psi, a), (B, Metric::Psi, b)];
    let script = check_hours(
        vec![drift()],
        &[
            (&hour(9.0, UNDER), "drift pending"),
            (&hour(UNDER, OVER), ""),
            (&hour(UNDER, OVER), "drift firing"),
            (&hour(UNDER, UNDER), ""),
            (&hour(UNDER, UNDER), "drift resolved"),
        ],
    );
    assert_eq!(script.state(), None);
    let mut again = Script::new(vec![drift()]);
    for (hour, readings) in [hour(9.0, UNDER), hour(UNDER, OVER), hour(UNDER, OVER), hour(UNDER, UNDER)].into_iter().enumerate() {
        again.window(Aspect::Inputs, (hour as i64 * 60, hour as i64 * 60 + 60), &readings);
    }
    let resolved = again.window(Aspect::Inputs, (240, 300), &hour(UNDER, UNDER));
    let worst: Vec<_> = resolved.transitions[0].facts.worst.iter().map(|w| (w.subject.to_string(), w.value)).collect();
    assert_eq!(worst, [(B.to_owned(), OVER)]);
}

#[test]
fn the_metric_may_change_and_the_subject_may_not() {
    let hour = |psi, ks| [(A, Metric::Psi, psi), (A, Metric::Ks, ks)];
    check_hours(vec![drift()], &[(&hour(OVER, UNDER), "drift pending"), (&hour(UNDER, OVER), "drift firing")]);
}

#[test]
fn a_feature_that_is_not_judged_keeps_its_count_while_others_are_calm() {
    let hour = |a, b| [(A, Metric::Psi, a), (B, Metric::Psi, b)];
    check_hours(
        vec![drift()],
        &[
            (&hour(OVER, UNDER), "drift pending"),
            (&hour(NO_DATA, UNDER), ""),
            (&hour(NO_DATA, OVER), ""),
            (&hour(OVER, UNDER), "drift firing"),
        ],
    );
    // the other metric alone does not clear what this one found
    let hour = |psi, ks| [(A, Metric::Psi, psi), (A, Metric::Ks, ks)];
    check_hours(vec![drift()], &[(&hour(OVER, UNDER), "drift pending"), (&hour(NO_DATA, UNDER), ""), (&hour(OVER, UNDER), "drift firing")]);
}

#[test]
fn a_baseline_that_is_not_there_yet_holds_nothing() {
    let trailing = Condition { against: Baseline::LastWeek, ..condition("feature:*", Metric::Psi, ABOVE(0.1)) };
    let both = rule("drift", vec![condition("feature:*", Metric::Psi, ABOVE(0.1)), trailing]);
    let mut script = Script::new(vec![both]);
    let mut step = |hour: i64, value| {
        let reference = Measurement { window: window((hour * 60, hour * 60 + 60)), ..measurement(A, Metric::Psi, value) };
        let missing = Reading::Undefined(UndefinedReason::NoData);
        let last_week = Measurement { baseline: Baseline::LastWeek, reading: missing, ..reference.clone() };
        steps(&script.judged(Aspect::Inputs, (hour * 60, hour * 60 + 60), vec![reference, last_week])).join("")
    };
    let found = [OVER, UNDER, OVER, OVER, UNDER, UNDER].iter().enumerate().map(|(hour, value)| step(hour as i64, *value));
    assert_eq!(found.collect::<Vec<_>>(), ["pending", "", "pending", "firing", "", "resolved"]);
}

#[test]
fn a_pending_alert_shows_what_is_still_suspected() {
    let script = check_hours(
        vec![drift()],
        &[(&[(A, Metric::Psi, OVER), (B, Metric::Psi, 0.5)], "drift pending"), (&[(A, Metric::Psi, NO_DATA), (B, Metric::Psi, UNDER)], "")],
    );
    let facts = script.alerts.active().next().unwrap();
    assert_eq!((facts.n_breaching, facts.worst.len(), facts.worst[0].subject.to_string()), (1, 1, A.to_owned()));
}

/// Says that nulls surge, and keeps `drift` from saying so too.
fn nulls(inhibits: &str) -> Rule {
    let inhibits = vec![inhibits.into()];
    Rule { inhibits, ..rule("nulls", vec![condition("feature:*", Metric::MissingRate, ABOVE(0.05))]) }
}

#[test]
fn a_rule_inhibits_another_on_the_same_subject() {
    let hour = |missing, psi_a, psi_b| [(A, Metric::MissingRate, missing), (A, Metric::Psi, psi_a), (B, Metric::Psi, psi_b)];
    // the inhibitor stands behind the inhibited rule: the order of evaluation is another one than that of the steps
    check_hours(
        vec![drift(), nulls("drift")],
        &[
            (&hour(0.5, OVER, UNDER), "nulls pending"),
            (&hour(0.5, OVER, OVER), "drift pending, nulls firing"),
            (&hour(0.5, OVER, OVER), "drift firing"),
        ],
    );
    check_hours(
        vec![drift(), nulls("other")],
        &[(&hour(0.5, OVER, UNDER), "drift pending, nulls pending"), (&hour(0.5, OVER, UNDER), "drift firing, nulls firing")],
    );
}

#[test]
fn what_is_inhibited_is_neither_confirmed_nor_cleared() {
    let hour = |missing, psi| [(A, Metric::MissingRate, missing), (A, Metric::Psi, psi), (B, Metric::Psi, UNDER)];
    check_hours(
        vec![nulls("drift"), drift()],
        &[
            (&hour(0.0, OVER), "drift pending"),
            (&hour(0.5, UNDER), "nulls pending"),
            (&hour(0.0, OVER), "drift firing"),
            // three calm hours, but in two of them nobody can know
            (&hour(0.5, UNDER), "nulls pending"),
            (&hour(0.5, UNDER), "nulls firing"),
            (&hour(0.0, UNDER), ""),
            (&hour(0.0, UNDER), "nulls resolved, drift resolved"),
        ],
    );
}

#[test]
fn an_inhibited_rule_inhibits_nothing_and_circles_end() {
    let hour = |missing, psi, ks| [(A, Metric::MissingRate, missing), (A, Metric::Psi, psi), (A, Metric::Ks, ks)];
    let psi = || Rule { inhibits: vec!["ks".into()], ..rule("psi", vec![condition("feature:*", Metric::Psi, ABOVE(0.1))]) };
    let ks = |inhibits: &[&str]| Rule {
        inhibits: inhibits.iter().map(|&name| name.into()).collect(),
        ..rule("ks", vec![condition("feature:*", Metric::Ks, ABOVE(0.1))])
    };
    check_hours(vec![ks(&[]), psi()], &[(&hour(0.0, OVER, OVER), "psi pending"), (&hour(0.0, UNDER, OVER), "ks pending")]);
    check_hours(vec![ks(&[]), psi(), nulls("psi")], &[(&hour(0.5, OVER, OVER), "ks pending, nulls pending")]);
    check_hours(vec![ks(&["psi"]), psi()], &[(&hour(0.0, OVER, OVER), "psi pending")]);
}

#[test]
fn a_breach_of_the_whole_stream_inhibits_every_subject() {
    let outage = Rule { inhibits: vec!["drift".into()], ..rule("outage", vec![condition("service", Metric::ErrorRate, ABOVE(0.1))]) };
    let hour = |errors| [("service", Metric::ErrorRate, errors), (A, Metric::Psi, OVER), (B, Metric::Psi, OVER)];
    check_hours(
        vec![drift(), outage],
        &[
            (&hour(0.5), "outage pending"),
            (&hour(0.5), "outage firing"),
            (&hour(0.0), "drift pending"),
            (&hour(0.0), "drift firing, outage resolved"),
        ],
    );
}

#[test]
fn an_inhibitor_on_the_other_clock_has_no_effect() {
    let poor = Rule { inhibits: vec!["concept".into()], ..rule("poor", vec![condition("quality", Metric::Accuracy, ABOVE(0.5))]) };
    let mut script = Script::new(vec![poor, concept()]);
    let readings =
        [("quality", Metric::Accuracy, 0.9), ("label", Metric::TotalVariation, HIGH), ("prediction", Metric::TotalVariation, HIGH)];
    let outcomes = script.window(Aspect::Outcomes, (0, 60), &readings);
    assert_eq!(outcomes.transitions.iter().map(|t| &*t.facts.rule).collect::<Vec<_>>(), ["poor"]);
    let inputs = script.window(Aspect::Inputs, (0, 60), &readings);
    assert_eq!(inputs.transitions.iter().map(|t| &*t.facts.rule).collect::<Vec<_>>(), ["concept"]);
}

proptest! {
    /// Against a model of one line for each subject: its breaching windows that do not overlap, since it was last judged within the bound.
    #[test]
    fn it_fires_with_the_window_that_confirms_one_subject(
        history in proptest::collection::vec((1i64..8, proptest::collection::vec(0u8..3, 4)), 1..40),
        confirm in 1u32..4,
    ) {
        let names = ["feature:a", "feature:b", "feature:c", "feature:d"];
        let mut script = Script::new(vec![Rule { confirm, ..drift() }]);
        let (mut start, mut counts) = (0, [(0u32, i64::MIN); 4]);
        for (slide, values) in history {
            start += slide * 15;
            let readings: Vec<_> =
                names.iter().zip(&values).map(|(name, value)| (*name, Metric::Psi, [UNDER, OVER, NO_DATA][usize::from(*value)])).collect();
            let observed = script.window(Aspect::Inputs, (start, start + 60), &readings);
            for ((count, counted_end), value) in counts.iter_mut().zip(&values) {
                match value {
                    0 => (*count, *counted_end) = (0, i64::MIN),
                    1 if start >= *counted_end => (*count, *counted_end) = (*count + 1, start + 60),
                    _ => {}
                }
            }
            let expected = match (counts.iter().any(|(n, _)| *n >= confirm), counts.iter().any(|(n, _)| *n > 0)) {
                (true, _) => Some(AlertState::Firing),
                (false, true) => Some(AlertState::Pending),
                (false, false) => None,
            };
            // a suspect of which nothing is heard for ten window lengths is forgotten, which this model does not know
            prop_assume!(counts.iter().all(|(n, end)| *n == 0 || start - end < 300));
            prop_assert_eq!(script.state(), expected, "{:?}", counts);
            if expected == Some(AlertState::Firing) {
                prop_assert!(observed.transitions.iter().any(|t| t.facts.state == AlertState::Firing));
                break;
            }
        }
    }
}
