//! The state machine as scripts: windows in, standing and transitions out.

mod histories;
mod subjects;

use super::*;
use crate::engine::metric::{Metric, Reading, UndefinedReason, Verdict};
use crate::engine::settings::ReceiverSettings;
use crate::engine::verdict::tests::{ABOVE, condition, measurement, rule};
use crate::engine::verdict::{Severity, judge};

fn receiver(name: &str, min_severity: Severity, send_resolved: bool) -> ReceiverSettings {
    ReceiverSettings { name: name.into(), min_severity, send_resolved }
}

fn settings() -> AlertSettings {
    AlertSettings {
        environment: "prod".into(),
        receivers: vec![
            receiver("slack", Severity::Info, true),
            receiver("pager", Severity::Critical, true),
            receiver("log", Severity::Info, false),
        ],
        retrain: None,
        max_outbox: 100,
    }
}

/// Looks at predictions (inputs) and labels (outcomes), above 0.05.
fn concept() -> Rule {
    rule(
        "concept",
        vec![condition("prediction", Metric::TotalVariation, ABOVE(0.05)), condition("label", Metric::TotalVariation, ABOVE(0.05))],
    )
}

struct Script {
    rules: Vec<Arc<Rule>>,
    settings: AlertSettings,
    alerts: Alerts,
    stream: StreamKey,
}

impl Script {
    fn new(rules: Vec<Rule>) -> Self {
        let stream = StreamKey { model: ModelKey::new("fraud", "v1"), segment: None };
        Self { rules: rules.into_iter().map(Arc::new).collect(), settings: settings(), alerts: Alerts::default(), stream }
    }

    /// A window in minutes with readings; NaN stands for no data.
    fn window(&mut self, aspect: Aspect, minutes: (i64, i64), readings: &[(&str, Metric, f64)]) -> Observed {
        let window = window(minutes);
        let mut measurements: Vec<_> = readings.iter().map(|&(subject, metric, value)| measurement(subject, metric, value)).collect();
        for measurement in &mut measurements {
            measurement.window = window;
            if measurement.reading.value().is_some_and(f64::is_nan) {
                measurement.reading = Reading::Undefined(UndefinedReason::NoData);
            }
        }
        self.judged(aspect, minutes, measurements)
    }

    /// A window in minutes with measurements that are not judged yet.
    fn judged(&mut self, aspect: Aspect, minutes: (i64, i64), mut measurements: Vec<Measurement>) -> Observed {
        let window = window(minutes);
        let kinds = |_: &Subject| None;
        judge(&self.rules, Task::Binary, &kinds, self.stream.segment.is_some(), true, &mut measurements);
        let judged = Judged {
            stream: &self.stream,
            aspect,
            window,
            rules: &self.rules,
            task: Task::Binary,
            kinds: &kinds,
            measurements: &measurements,
            insight: &(),
        };
        self.alerts.observe(&judged, &self.settings)
    }

    fn inputs(&mut self, minutes: (i64, i64), value: f64) -> Observed {
        self.window(Aspect::Inputs, minutes, &[("prediction", Metric::TotalVariation, value)])
    }

    fn outcomes(&mut self, minutes: (i64, i64), value: f64) -> Observed {
        self.window(Aspect::Outcomes, minutes, &[("label", Metric::TotalVariation, value)])
    }

    fn state(&self) -> Option<AlertState> {
        self.alerts.active().next().map(|facts| facts.state)
    }
}

fn window((start, end): (i64, i64)) -> WindowFacts {
    WindowFacts { start: Timestamp(start * 60_000), end: Timestamp(end * 60_000), predictions: 1, labels: 1, whole: true }
}

fn steps(observed: &Observed) -> Vec<&'static str> {
    observed.transitions.iter().map(|transition| transition.facts.state.as_str()).collect()
}

fn told(observed: &Observed) -> Vec<&str> {
    observed.notifications.iter().map(|notification| notification.id.split_once('-').unwrap().1).collect()
}

/// Feeds windows of the inputs, ((start, end), value), and compares the step that each makes.
#[track_caller]
fn check(rule: Rule, windows: &[((i64, i64), f64, &str)]) {
    let mut script = Script::new(vec![rule]);
    for &(minutes, value, step) in windows {
        let observed = script.inputs(minutes, value);
        assert_eq!(steps(&observed).join(","), step, "window {minutes:?} with {value}");
    }
}

const NO_DATA: f64 = f64::NAN;
const HIGH: f64 = 0.06;
const BETWEEN: f64 = 0.045;
const LOW: f64 = 0.03;

#[test]
fn confirmation_counts_windows_that_do_not_overlap() {
    check(
        concept(),
        &[
            ((0, 60), LOW, ""),
            ((5, 65), HIGH, "pending"),
            ((10, 70), HIGH, ""),
            ((60, 120), HIGH, ""),
            ((65, 125), HIGH, "firing"),
            ((70, 130), HIGH, ""),
        ],
    );
}

#[test]
fn a_clear_window_resets_the_confirmation() {
    check(
        concept(),
        &[
            ((0, 60), HIGH, "pending"),
            ((30, 90), BETWEEN, ""),
            ((60, 120), HIGH, "pending"),
            ((90, 150), LOW, ""),
            ((120, 180), HIGH, "pending"),
        ],
    );
}

#[test]
fn what_is_not_judged_neither_counts_nor_resets() {
    check(
        concept(),
        &[
            ((0, 60), HIGH, "pending"),
            ((60, 120), NO_DATA, ""),
            ((120, 180), HIGH, "firing"),
            ((180, 240), LOW, ""),
            ((240, 300), NO_DATA, ""),
            ((300, 360), LOW, "resolved"),
        ],
    );
}

#[test]
fn a_pending_alert_of_which_nothing_is_heard_is_dropped() {
    let mut script = Script::new(vec![concept()]);
    script.inputs((0, 60), HIGH);
    script.inputs((600, 660), NO_DATA);
    assert_eq!(script.state(), Some(AlertState::Pending), "ten window lengths are not yet too long");
    script.inputs((601, 661), NO_DATA);
    assert_eq!(script.state(), None);
    assert_eq!(steps(&script.inputs((700, 760), HIGH)), ["pending"]);
    // nor does a breach after a long silence confirm the one before it
    assert_eq!(steps(&script.inputs((2000, 2060), HIGH)), ["pending"]);
}

#[test]
fn resolving_takes_clear_windows_that_do_not_overlap() {
    check(
        concept(),
        &[
            ((0, 60), HIGH, "pending"),
            ((60, 120), HIGH, "firing"),
            ((65, 125), LOW, ""),
            ((70, 130), LOW, ""),
            ((120, 180), BETWEEN, ""),
            ((125, 185), LOW, ""),
            ((180, 240), LOW, ""),
            ((184, 244), HIGH, ""),
            ((190, 250), LOW, ""),
            ((250, 310), LOW, "resolved"),
            ((310, 370), LOW, ""),
        ],
    );
}

#[test]
fn one_window_is_enough_where_the_rule_says_so() {
    let mut quick = concept();
    (quick.confirm, quick.resolve_after) = (1, 1);
    check(quick, &[((0, 60), HIGH, "firing"), ((5, 65), HIGH, ""), ((10, 70), LOW, "resolved"), ((15, 75), HIGH, "firing")]);
}

#[test]
fn older_and_repeated_windows_are_ignored() {
    let mut script = Script::new(vec![concept()]);
    script.inputs((0, 60), LOW);
    script.inputs((60, 120), LOW);
    assert_eq!(steps(&script.inputs((0, 60), HIGH)), [""; 0]);
    assert_eq!(steps(&script.inputs((60, 120), HIGH)), [""; 0], "the same window, amended");
    assert_eq!(script.state(), None);
    // a window that could not be judged may be judged later
    script.inputs((120, 180), NO_DATA);
    assert_eq!(steps(&script.inputs((120, 180), HIGH)), ["pending"]);
}

#[test]
fn the_two_clocks_confirm_and_clear_apart() {
    let mut script = Script::new(vec![concept()]);
    script.inputs((600, 660), HIGH);
    assert_eq!(steps(&script.outcomes((0, 60), HIGH)), [""; 0], "one breach each is no confirmation");
    assert_eq!(script.alerts.active().next().unwrap().since, window((0, 60)).start);
    let fired = script.outcomes((60, 120), HIGH);
    assert_eq!(steps(&fired), ["firing"]);
    assert_eq!(fired.transitions[0].facts.fired_at, Some(window((60, 120)).end));
    assert_eq!(fired.transitions[0].facts.n_breaching, 2);
    for minutes in [(120, 180), (180, 240)] {
        assert_eq!(steps(&script.outcomes(minutes, LOW)), [""; 0], "the predictions have not been clear yet");
    }
    script.inputs((660, 720), LOW);
    assert_eq!(steps(&script.inputs((720, 780), LOW)), ["resolved"]);
}

#[test]
fn a_clear_clock_does_not_reset_the_other() {
    let mut script = Script::new(vec![concept()]);
    script.outcomes((0, 60), HIGH);
    script.inputs((600, 660), LOW);
    assert_eq!(steps(&script.outcomes((60, 120), HIGH)), ["firing"]);
}

#[test]
fn an_unconfirmed_part_of_which_nothing_is_heard_does_not_hold_the_alert() {
    let mut script = Script::new(vec![concept()]);
    script.inputs((0, 60), HIGH);
    script.outcomes((0, 60), HIGH);
    script.inputs((60, 120), HIGH);
    script.inputs((120, 180), LOW);
    assert_eq!(steps(&script.inputs((180, 240), LOW)), [""; 0]);
    let resolved = script.outcomes((1000, 1060), NO_DATA);
    assert_eq!(steps(&resolved), ["resolved"]);
    assert!(resolved.transitions[0].facts.note.is_some());
}

fn drift() -> Rule {
    rule("drift", vec![condition("feature:*", Metric::Psi, ABOVE(0.1)), condition("feature:*", Metric::Ks, ABOVE(0.1))])
}

#[test]
fn the_worst_come_first_and_are_kept_for_the_end() {
    let mut script = Script::new(vec![drift()]);
    let name = |n: usize| format!("feature:f{n:02}");
    let names: Vec<_> = (0..12).map(name).collect();
    let high: Vec<_> = names
        .iter()
        .map(|name| (&**name, Metric::Psi, 0.2))
        .chain([("feature:z", Metric::Ks, 0.4), ("feature:z", Metric::Psi, 0.1)])
        .collect();
    script.window(Aspect::Inputs, (0, 60), &high);
    let fired = script.window(Aspect::Inputs, (60, 120), &high[1..]);
    let facts = &fired.transitions[0].facts;
    assert_eq!((facts.worst.len(), facts.n_breaching, facts.n_judged), (10, 12, 12));
    let order: Vec<_> = facts.worst.iter().take(3).map(|worst| (worst.subject.to_string(), worst.metric)).collect();
    assert_eq!(order, [("feature:z".into(), Metric::Ks), ("feature:f01".into(), Metric::Psi), ("feature:f02".into(), Metric::Psi)]);
    script.window(Aspect::Inputs, (120, 180), &[("feature:f01", Metric::Psi, 0.11)]);
    assert_eq!(script.alerts.firing().next().unwrap().n_breaching, 1);
    script.window(Aspect::Inputs, (180, 240), &[("feature:z", Metric::Psi, 0.01)]);
    let resolved = script.window(Aspect::Inputs, (240, 300), &[("feature:z", Metric::Psi, 0.01)]);
    let facts = &resolved.transitions[0].facts;
    assert_eq!((facts.worst[0].value, facts.n_breaching, facts.state), (0.4, 13, AlertState::Resolved));
    assert_eq!(facts.resolved_at, Some(window((240, 300)).end));
}

#[test]
fn a_drifted_feature_that_falls_silent_is_not_clear() {
    let mut script = Script::new(vec![drift()]);
    let drifted = [("feature:a", Metric::Psi, 0.2), ("feature:b", Metric::Psi, 0.01)];
    script.window(Aspect::Inputs, (0, 60), &drifted);
    script.window(Aspect::Inputs, (60, 120), &drifted);
    let silent = [("feature:a", Metric::Psi, NO_DATA), ("feature:b", Metric::Psi, 0.01)];
    for hour in 2..6 {
        assert_eq!(steps(&script.window(Aspect::Inputs, (hour * 60, hour * 60 + 60), &silent)), [""; 0]);
    }
    let back = [("feature:a", Metric::Psi, 0.02), ("feature:b", Metric::Psi, 0.01)];
    script.window(Aspect::Inputs, (360, 420), &back);
    assert_eq!(steps(&script.window(Aspect::Inputs, (420, 480), &back)), ["resolved"]);
}

#[test]
fn every_rule_judges_by_its_own_bound() {
    let mut severe = drift();
    severe.name = "severe".into();
    severe.conditions[0].bound = ABOVE(0.25);
    let mut script = Script::new(vec![drift(), severe]);
    script.window(Aspect::Inputs, (0, 60), &[("feature:a", Metric::Psi, 0.2)]);
    script.window(Aspect::Inputs, (60, 120), &[("feature:a", Metric::Psi, 0.2)]);
    let firing: Vec<_> = script.alerts.firing().map(|facts| &*facts.rule).collect();
    assert_eq!(firing, ["drift"]);
}

#[test]
fn receivers_are_told_by_severity_and_name() {
    let mut script = Script::new(vec![concept()]);
    script.inputs((0, 60), HIGH);
    let fired = script.inputs((60, 120), HIGH);
    assert_eq!(told(&fired), ["1-firing-slack", "1-firing-log"]);
    script.inputs((120, 180), LOW);
    assert_eq!(told(&script.inputs((180, 240), LOW)), ["1-resolved-slack"], "only who was told, and wants to know");
    script.inputs((240, 300), HIGH);
    assert_eq!(told(&script.inputs((300, 360), HIGH)), ["2-firing-slack", "2-firing-log"]);

    let mut named = concept();
    (named.severity, named.receivers) = (Severity::Critical, vec!["pager".into()]);
    let mut script = Script::new(vec![named]);
    script.inputs((0, 60), HIGH);
    assert_eq!(told(&script.inputs((60, 120), HIGH)), ["1-firing-pager"]);

    let mut quiet = concept();
    quiet.notify = false;
    let mut script = Script::new(vec![quiet]);
    script.inputs((0, 60), HIGH);
    let fired = script.inputs((60, 120), HIGH);
    assert_eq!((steps(&fired), told(&fired)), (vec!["firing"], vec![]));
}

#[test]
fn a_firing_alert_is_told_again_on_its_own_clock() {
    let mut repeating = concept();
    repeating.repeat_ms = Some(4 * 3_600_000);
    let mut script = Script::new(vec![repeating]);
    script.outcomes((0, 60), HIGH);
    script.outcomes((60, 120), HIGH);
    assert_eq!(told(&script.inputs((6000, 6060), HIGH)), [""; 0], "the clock of the inputs is days ahead");
    assert_eq!(told(&script.outcomes((299, 359), HIGH)), [""; 0]);
    let again = script.outcomes((300, 360), NO_DATA);
    assert_eq!(told(&again), ["1-repeat-1-slack", "1-repeat-1-log"]);
    assert_eq!(steps(&again), [""; 0]);
    assert_eq!(told(&script.outcomes((1500, 1560), HIGH)), ["1-repeat-2-slack", "1-repeat-2-log"]);
}

#[test]
fn a_wish_for_retraining_is_repeated_until_it_was_asked() {
    let mut training = concept();
    training.retrain = true;
    let mut script = Script::new(vec![training]);
    assert!(script.inputs((0, 60), HIGH).retrain.is_empty());
    let wish = script.inputs((60, 120), HIGH).retrain;
    assert_eq!(wish.len(), 1);
    assert_eq!(script.inputs((65, 125), NO_DATA).retrain, wish);
    assert_eq!(script.alerts.get(&wish[0]).unwrap().incident, wish[0]);
    script.alerts.retrain_asked(&wish[0]);
    assert!(script.inputs((120, 180), HIGH).retrain.is_empty());
}

#[test]
fn a_retired_version_resolves_its_alerts() {
    let mut script = Script::new(vec![concept(), drift()]);
    script.inputs((0, 60), HIGH);
    script.inputs((60, 120), HIGH);
    script.window(Aspect::Inputs, (120, 180), &[("feature:a", Metric::Psi, 0.5)]);
    script.stream.segment = Some("country=DE".into());
    script.inputs((120, 180), HIGH);
    let other = ModelKey::new("fraud", "v10");
    assert_eq!(script.alerts.retire(&other, Timestamp(1), window((0, 60)), "x", &script.settings), Observed::default());
    let model = ModelKey::new("fraud", "v1");
    let retired = script.alerts.retire(&model, Timestamp(9_999_999), window((180, 240)), "takes no traffic", &script.settings);
    assert_eq!((steps(&retired), told(&retired)), (vec!["resolved"], vec!["1-resolved-slack"]));
    let facts = &retired.transitions[0].facts;
    assert_eq!((facts.note.as_deref(), facts.resolved_at, facts.worst.len()), (Some("takes no traffic"), Some(Timestamp(9_999_999)), 1));
    assert_eq!(script.alerts.active().count(), 0);
    assert_eq!(script.alerts.entries.len(), 1, "what never fired is forgotten, what fired keeps its number");
}

#[test]
fn an_alert_without_its_rule_resolves() {
    let mut script = Script::new(vec![concept(), drift()]);
    script.inputs((0, 60), HIGH);
    script.inputs((60, 120), HIGH);
    script.rules.remove(0);
    let observed = script.inputs((120, 180), HIGH);
    assert_eq!(steps(&observed), ["resolved"]);
    assert!(observed.transitions[0].facts.note.as_deref().unwrap().contains("no longer configured"));
}

#[test]
fn what_is_forgotten_leaves_its_number() {
    let mut script = Script::new(vec![concept()]);
    for version in 0..20 {
        script.stream.model = ModelKey::new("fraud", format!("v{version}"));
        let begin = version * 240;
        for (hour, value) in [HIGH, HIGH, LOW, LOW].into_iter().enumerate() {
            let start = begin + hour as i64 * 60;
            script.inputs((start, start + 60), value);
        }
    }
    script.alerts.forget_beyond(20);
    assert_eq!(script.alerts.entries.len(), 20);
    script.alerts.forget_beyond(19);
    assert_eq!((script.alerts.entries.len(), script.alerts.forgotten()), (18, 2));
    script.stream.model = ModelKey::new("fraud", "v0");
    script.inputs((9000, 9060), HIGH);
    assert_eq!(told(&script.inputs((9060, 9120), HIGH)), ["2-firing-slack", "2-firing-log"], "episode 1 was used before it was forgotten");
}

#[test]
fn immature_outcomes_are_not_judged_by_any_rule() {
    let mut script = Script::new(vec![concept()]);
    script.outcomes((0, 60), HIGH);
    let mut immature = measurement("label", Metric::TotalVariation, HIGH);
    immature.verdict = Some(Verdict::Immature);
    let judged = Judged {
        stream: &script.stream,
        aspect: Aspect::Outcomes,
        window: window((60, 120)),
        rules: &script.rules,
        task: Task::Binary,
        kinds: &|_| None,
        measurements: &[immature],
        insight: &(),
    };
    assert_eq!(script.alerts.observe(&judged, &script.settings), Observed::default());
}
