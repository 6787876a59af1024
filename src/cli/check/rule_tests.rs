//! Runs the tests of rules (`alerts/tests/*.toml`) through the very judge and the very alerts of the daemon.

use crate::config::rule_test::{Expectation, Expected, ExpectedState, RuleTest, Series, parse_rule_tests};
use crate::engine::alert::{AlertState, Alerts, Judged, Observed, Worst};
use crate::engine::metric::{Measurement, Subject, Verdict, WindowFacts};
use crate::engine::settings::AlertSettings;
use crate::engine::verdict::{Aspect, Rule, judge};
use crate::engine::window::StreamKey;
use crate::event::{ModelKey, Timestamp};
use std::fmt;
use std::sync::Arc;

/// What came of the tests of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestReport {
    /// Tests that passed.
    pub n_passed: usize,
    /// Everything that went otherwise than expected, and everything that is wrong with the file.
    pub failures: Vec<TestFailure>,
}

/// One thing that went otherwise than expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFailure {
    /// File and key path.
    pub place: String,
    /// Name of the test; `None`: the file could not be read.
    pub test: Option<Arc<str>>,
    /// What was expected, and what came.
    pub message: String,
}

impl fmt::Display for TestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.test {
            Some(test) => write!(f, "{}: {test:?}: {}", self.place, self.message),
            None => write!(f, "{}: {}", self.place, self.message),
        }
    }
}

/// Runs the tests of one file against `rules`; `origin` names the file in failures.
///
/// A rule that no expectation of a test names must stay inactive in it.
pub fn run_rule_tests(rules: &[Arc<Rule>], text: &str, origin: &str) -> TestReport {
    let mut report = TestReport::default();
    let tests = match parse_rule_tests(text) {
        Ok(tests) => tests,
        Err(problems) => {
            let failure =
                |p: crate::config::Problem| TestFailure { place: format!("{origin}: {}", p.path), test: None, message: p.message };
            report.failures = problems.into_iter().map(failure).collect();
            return report;
        }
    };
    for (i, test) in tests.iter().enumerate() {
        let failures = run_one(rules, test);
        report.n_passed += usize::from(failures.is_empty());
        report.failures.extend(failures.into_iter().map(|(path, message)| {
            let path = if path.is_empty() { format!("test[{i}]") } else { path };
            TestFailure { place: format!("{origin}: {path}"), test: Some(Arc::clone(&test.name)), message }
        }));
    }
    report
}

/// Key path (empty: the test as a whole) and message of everything that failed.
fn run_one(rules: &[Arc<Rule>], test: &RuleTest) -> Vec<(String, String)> {
    let mut failures = Vec::new();
    let mut alerts = Alerts::default();
    let named = |name: &str| test.expectations.iter().any(|e| matches!(&e.what, Expected::Alert { rule, .. } if **rule == *name));
    for k in 0..test.n_windows {
        let window = play(rules, test, k, &mut alerts);
        for expectation in test.expectations.iter().filter(|expectation| expectation.window == k) {
            if let Err(message) = window.check(expectation, rules, &alerts) {
                failures.push((expectation.path.clone(), format!("after window {k}: {message}")));
            }
        }
        for Observed { transitions, .. } in &window.observed {
            for facts in transitions.iter().map(|transition| &transition.facts).filter(|facts| !named(&facts.rule)) {
                failures.push((String::new(), format!("after window {k}: {} is {} unexpectedly", facts.rule, facts.state.as_str())));
            }
        }
    }
    failures
}

/// What one window came to.
struct Window {
    measurements: Vec<Measurement>,
    /// By aspect.
    observed: [Observed; 2],
}

fn play(rules: &[Arc<Rule>], test: &RuleTest, k: usize, alerts: &mut Alerts) -> Window {
    let settings = AlertSettings { environment: "test".into(), receivers: Vec::new(), retrain: None, max_outbox: 1 };
    let stream = StreamKey { model: ModelKey::new("model", "v1"), segment: test.segment.clone() };
    let start = Timestamp(test.slide_ms.saturating_mul(k as i64));
    let n = test.series.iter().filter_map(|series| series.n.get(k)).max().copied().unwrap_or(0);
    let window = WindowFacts { start, end: start.plus(test.size_ms), predictions: n, labels: n, whole: true };
    let mut measurements: Vec<_> = test.series.iter().map(|series| measurement(series, &stream, window, k)).collect();
    let kinds = |subject: &Subject| test.series.iter().find(|series| series.subject == *subject).and_then(|series| series.kind);
    judge(rules, test.task, &kinds, stream.segment.is_some(), !test.immature.contains(&k), &mut measurements);
    let observed = Aspect::ALL.map(|aspect| {
        let judged =
            Judged { stream: &stream, aspect, window, rules, task: test.task, kinds: &kinds, measurements: &measurements, insight: &() };
        alerts.observe(&judged, &settings)
    });
    Window { measurements, observed }
}

fn measurement(series: &Series, stream: &StreamKey, window: WindowFacts, k: usize) -> Measurement {
    let interval = series.readings[k].value().zip(series.interval.get(k)).map(|(value, by)| (value - by, value + by));
    Measurement {
        p_value: series.p.get(k).copied(),
        noise_floor: series.noise_floor,
        sigma: series.sigma,
        interval,
        baseline: series.against,
        segment: stream.segment.clone(),
        n_reference: series.n_reference,
        n_current: series.n[k],
        degrees: series.degrees,
        on_reference: series.on_reference,
        ..Measurement::new(stream.model.clone(), window, series.subject.clone(), series.metric, series.readings[k])
    }
}

impl Window {
    fn check(&self, expectation: &Expectation, rules: &[Arc<Rule>], alerts: &Alerts) -> Result<(), String> {
        match &expectation.what {
            Expected::Alert { rule, state, worst, retrain } => {
                if !rules.iter().any(|one| one.name == *rule) {
                    return Err(format!("there is no rule {rule:?}"));
                }
                self.check_alert(rule, *state, worst.as_deref(), *retrain, alerts)
            }
            Expected::Verdict { subject, metric, verdict, threshold, need, against } => {
                let meant = |m: &&Measurement| (&m.subject, m.metric, m.baseline) == (subject, *metric, *against);
                let found = self.measurements.iter().find(meant);
                let found = found.ok_or_else(|| format!("there is no series of {subject} {}", metric.as_str()))?;
                check_verdict(found, verdict, *threshold, *need)
            }
        }
    }

    fn check_alert(
        &self,
        rule: &str,
        expected: ExpectedState,
        worst: Option<&[String]>,
        retrain: Option<bool>,
        alerts: &Alerts,
    ) -> Result<(), String> {
        let steps = || self.observed.iter().flat_map(|observed| &observed.transitions).map(|transition| &transition.facts);
        let facts = alerts.active().find(|facts| *facts.rule == *rule);
        let facts = facts.or_else(|| steps().find(|facts| *facts.rule == *rule && facts.state == AlertState::Resolved));
        let state = facts.map_or("inactive", |facts| facts.state.as_str());
        if state != expected.as_str() {
            return Err(format!("{rule} is {state}, expected {}", expected.as_str()));
        }
        let print = |worst: &Worst| format!("{} {}", worst.subject, worst.metric.as_str());
        let found: Vec<String> = facts.into_iter().flat_map(|facts| &facts.worst).map(print).collect();
        if let Some(worst) = worst.filter(|worst| **worst != *found) {
            return Err(format!("the worst of {rule} are {found:?}, expected {worst:?}"));
        }
        let wanted = facts.is_some_and(|facts| self.observed.iter().any(|observed| observed.retrain.contains(&facts.incident)));
        match retrain {
            Some(true) if !wanted => Err(format!("{rule} wants no retraining")),
            Some(false) if wanted => Err(format!("{rule} wants a retraining")),
            _ => Ok(()),
        }
    }
}

fn check_verdict(found: &Measurement, verdict: &str, threshold: Option<f64>, need: Option<u64>) -> Result<(), String> {
    let (subject, metric) = (&found.subject, found.metric.as_str());
    let name = found.verdict.map_or("none", Verdict::as_str);
    if name != verdict {
        let printed = found.verdict.map_or("none".to_owned(), |verdict| verdict.to_string());
        return Err(format!("{subject} {metric} is {printed}, expected {verdict}"));
    }
    // a bound that follows the reference is a product: equal but for its last digits
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(b.abs());
    if let Some(threshold) = threshold
        && !found.threshold.is_some_and(|found| near(found, threshold))
    {
        return Err(format!("the bound of {subject} {metric} is {:?}, expected {threshold}", found.threshold));
    }
    match (need, found.verdict) {
        (Some(need), Some(Verdict::NotEnough { need: found, .. })) if found != need => {
            Err(format!("{subject} {metric} needs {found} values, expected {need}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::rules::{DEFAULT_RULES, parse_rules};
    use crate::engine::metric::Baseline;
    use crate::engine::verdict::{Bound, Threshold};

    fn default_rules() -> Vec<Arc<Rule>> {
        parse_rules(DEFAULT_RULES, "alerts/default.toml").unwrap().into_iter().map(Arc::new).collect()
    }

    const FILES: [(&str, &str); 5] = [
        ("alerts/tests/concept-drift.toml", include_str!("../../../alerts/tests/concept-drift.toml")),
        ("alerts/tests/data-quality.toml", include_str!("../../../alerts/tests/data-quality.toml")),
        ("alerts/tests/feature-drift.toml", include_str!("../../../alerts/tests/feature-drift.toml")),
        ("alerts/tests/model-performance.toml", include_str!("../../../alerts/tests/model-performance.toml")),
        ("alerts/tests/model-quality.toml", include_str!("../../../alerts/tests/model-quality.toml")),
    ];

    #[test]
    fn the_built_in_rules_pass_their_tests() {
        let rules = default_rules();
        for (name, text) in FILES {
            let report = run_rule_tests(&rules, text, name);
            let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
            assert!(failures.is_empty(), "{}", failures.join("\n"));
            assert!(report.n_passed >= 6, "{name}: only {} tests", report.n_passed);
        }
    }

    /// The tests would notice: each condition a little stricter or looser, and each count of windows one off, fails at least one of them.
    #[test]
    fn a_changed_rule_fails_its_tests() {
        let rules = default_rules();
        let passes = |changed: &[Arc<Rule>]| FILES.iter().all(|(name, text)| run_rule_tests(changed, text, name).failures.is_empty());
        let with = |r: usize, change: &dyn Fn(&mut Rule)| {
            let mut changed = rules.clone();
            change(Arc::make_mut(&mut changed[r]));
            changed
        };
        for (r, rule) in rules.iter().enumerate() {
            for c in 0..rule.conditions.len() {
                for factor in [0.99, 1.01] {
                    let changed = with(r, &|rule| rule.conditions[c].bound = scaled(rule.conditions[c].bound, factor));
                    assert!(!passes(&changed), "condition {c} of {} by {factor} went unnoticed", rule.name);
                }
            }
            let changes: [(&str, Change); 7] = [
                ("confirm 1", |rule| rule.confirm = 1),
                ("confirm 2", |rule| rule.confirm = 2),
                ("resolve_after 2", |rule| rule.resolve_after = 2),
                ("confirm 3", |rule| rule.confirm = 3),
                ("resolve_after 1", |rule| rule.resolve_after = 1),
                ("resolve_after 3", |rule| rule.resolve_after = 3),
                ("retrain", |rule| rule.retrain = !rule.retrain),
            ];
            for (what, change) in changes {
                if *with(r, &change)[r] == **rule {
                    continue;
                }
                assert!(!passes(&with(r, &change)), "{what} of {} went unnoticed", rule.name);
            }
        }
    }

    type Change = fn(&mut Rule);

    fn scaled(bound: Bound, by: f64) -> Bound {
        let scale = |threshold| match threshold {
            Threshold::Absolute(0.0) => Threshold::Absolute(by - 1.0),
            Threshold::Absolute(level) => Threshold::Absolute(level * by),
            Threshold::Reference { factor, offset, sigmas } => Threshold::Reference { factor: factor * by, offset, sigmas },
        };
        match bound {
            Bound::Above(threshold) => Bound::Above(scale(threshold)),
            Bound::Below(threshold) => Bound::Below(scale(threshold)),
        }
    }

    const OWN_RULES: &str = include_str!("../../../tests/data/rules/verdicts.toml");
    const OWN_TESTS: &str = include_str!("../../../tests/data/rules/verdicts-tests.toml");

    /// Significance, confidence, sigmas, baselines, inhibition: as written they hold, and none can be taken away unnoticed.
    #[test]
    fn what_rules_ask_besides_a_bound() {
        let own = || parse_rules(OWN_RULES, "verdicts.toml").unwrap();
        let failures = |rules: Vec<Rule>| -> Vec<String> {
            let rules: Vec<_> = rules.into_iter().map(Arc::new).collect();
            run_rule_tests(&rules, OWN_TESTS, "verdicts-tests.toml").failures.iter().map(ToString::to_string).collect()
        };
        assert_eq!(failures(own()), [""; 0]);
        let changes: [(&str, Change); 6] = [
            ("alpha", |rule| rule.alpha *= 0.99),
            ("a looser alpha", |rule| rule.alpha *= 1.21),
            ("inhibits", |rule| rule.inhibits.clear()),
            ("confident", |rule| rule.conditions.iter_mut().for_each(|condition| condition.confident = false)),
            ("against", |rule| rule.conditions.iter_mut().for_each(|condition| condition.against = Baseline::Reference)),
            ("sigmas", |rule| {
                for condition in &mut rule.conditions {
                    if let Bound::Above(Threshold::Reference { sigmas, .. }) | Bound::Below(Threshold::Reference { sigmas, .. }) =
                        &mut condition.bound
                    {
                        *sigmas *= 1.1;
                    }
                }
            }),
        ];
        for (what, change) in changes {
            let mut changed = own();
            changed.iter_mut().for_each(change);
            assert!(!failures(changed).is_empty(), "{what} went unnoticed");
        }
    }

    #[test]
    fn failures_say_what_came_instead() {
        let text = "[[test]]\nname = \"wrong\"\n[[test.series]]\nsubject = \"service\"\nmetric = \"error_rate\"\nvalues = [0.5, 0.5]\n\
             [[test.series]]\nsubject = \"service\"\nmetric = \"latency_p95_ms\"\nvalues = [900, 900]\n\
             [[test.expect]]\nwindow = 0\nrule = \"error-rate\"\nstate = \"firing\"\n\
             [[test.expect]]\nwindow = 1\nrule = \"error-rate\"\nstate = \"firing\"\nworst = []\n\
             [[test.expect]]\nwindow = 1\nrule = \"eror\"\nstate = \"inactive\"\n\
             [[test.expect]]\nwindow = 0\nsubject = \"service\"\nmetric = \"error_rate\"\nverdict = \"ok\"\n";
        let report = run_rule_tests(&default_rules(), text, "own.toml");
        let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
        assert_eq!(
            failures,
            [
                "own.toml: test[0].expect[0]: \"wrong\": after window 0: error-rate is pending, expected firing",
                "own.toml: test[0].expect[3]: \"wrong\": after window 0: service error_rate is breach, expected ok",
                "own.toml: test[0]: \"wrong\": after window 0: latency is pending unexpectedly",
                "own.toml: test[0].expect[1]: \"wrong\": after window 1: the worst of error-rate are [\"service error_rate\"], expected []",
                "own.toml: test[0].expect[2]: \"wrong\": after window 1: there is no rule \"eror\"",
                "own.toml: test[0]: \"wrong\": after window 1: latency is firing unexpectedly",
            ]
        );
        assert_eq!(report.n_passed, 0);
    }

    #[test]
    fn a_file_that_is_wrong_is_a_failure() {
        let report = run_rule_tests(&default_rules(), "[[test]]\nname = 1\n", "own.toml");
        assert!(report.failures[0].to_string().starts_with("own.toml: test[0].name: is a text"), "{:?}", report.failures);
    }
}
