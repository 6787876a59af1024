//! Wishes and answers.

use super::*;

const HOUR: i64 = 3_600_000;

fn settings() -> RetrainSettings {
    RetrainSettings { receiver: "retrain".into(), cooldown_ms: 6 * HOUR, daily_budget: 2, min_labels: 1000 }
}

fn incident(n: u32) -> Incident {
    Incident(format!("0123456789abcdef-{n}").into())
}

#[track_caller]
fn check(gate: &mut RetrainGate, n: u32, labelled: u64, hour: i64, expected: Admission) {
    assert_eq!(gate.admit("fraud", &incident(n), labelled, Timestamp(hour * HOUR), &settings()), expected, "incident {n} at hour {hour}");
}

#[test]
fn once_an_incident_with_cooldown_budget_and_labels() {
    let mut gate = RetrainGate::default();
    check(&mut gate, 1, 999, 0, Admission::TooFewLabels { labelled: 999, need: 1000 });
    check(&mut gate, 1, 1000, 1, Admission::Granted);
    check(&mut gate, 1, 1000, 20, Admission::AlreadyAsked);
    check(&mut gate, 2, 1000, 6, Admission::Cooldown { until: Timestamp(7 * HOUR) });
    check(&mut gate, 2, 1000, -50, Admission::Cooldown { until: Timestamp(7 * HOUR) });
    check(&mut gate, 2, 1000, 7, Admission::Granted);
    check(&mut gate, 3, 1000, 14, Admission::BudgetSpent);
    check(&mut gate, 3, 1000, 24, Admission::Granted);
    assert_eq!(gate.admit("churn", &incident(9), 1000, Timestamp(14 * HOUR), &settings()), Admission::Granted, "each model has its own");
    let restored: RetrainGate = postcard::from_bytes(&postcard::to_allocvec(&gate).unwrap()).unwrap();
    assert_eq!(restored, gate);
    let mut restored = restored;
    check(&mut restored, 3, 1000, 100, Admission::AlreadyAsked);
}

#[test]
fn yesterdays_evaluation_does_not_open_todays_budget() {
    let mut gate = RetrainGate::default();
    let mut settings = settings();
    (settings.cooldown_ms, settings.daily_budget) = (0, 1);
    assert_eq!(gate.admit("fraud", &incident(1), 1000, Timestamp(25 * HOUR), &settings), Admission::Granted);
    for hour in [25, 30, 47] {
        assert_eq!(gate.admit("fraud", &incident(2), 1000, Timestamp(hour * HOUR), &settings), Admission::BudgetSpent);
    }
    assert_eq!(gate.admit("fraud", &incident(2), 1000, Timestamp(48 * HOUR), &settings), Admission::Granted);
}

#[test]
fn no_budget_is_never() {
    let mut settings = settings();
    settings.daily_budget = 0;
    assert_eq!(RetrainGate::default().admit("fraud", &incident(1), 5000, Timestamp(0), &settings), Admission::BudgetSpent);
}

#[test]
fn memory_is_bounded() {
    let mut gate = RetrainGate::default();
    let mut settings = settings();
    (settings.cooldown_ms, settings.daily_budget) = (0, u32::MAX);
    for n in 0..200 {
        gate.admit("fraud", &incident(n), 1000, Timestamp(i64::from(n)), &settings);
    }
    assert_eq!(gate.models["fraud"].incidents.len(), MAX_GRANTED);
    for n in 0..=MAX_MODELS as i64 {
        gate.admit(&format!("m{n}"), &incident(1), 1000, Timestamp(1000 + n), &settings);
    }
    assert_eq!(gate.models.len(), MAX_MODELS);
    assert!(!gate.models.contains_key("fraud"), "the one that asked longest ago went first");
}

#[test]
fn names_are_stable() {
    let all = [
        Admission::Granted,
        Admission::Cooldown { until: Timestamp(0) },
        Admission::BudgetSpent,
        Admission::TooFewLabels { labelled: 0, need: 0 },
        Admission::AlreadyAsked,
    ];
    assert_eq!(all.map(Admission::as_str), Admission::NAMES);
}
