//! The built-in rules exactly, and every mistake of a rule file at its key path.

use super::*;

/// The documented thresholds (docs/ARCHITECTURE.md, "Documented thresholds"); a change here is a change of the contract.
const DOCUMENTED: &str = "\
feature-drift warning notify segments 2/2 0.8, inhibits out-of-range
  feature:* numeric psi > 0.1
  feature:* numeric ks > 0.1
  feature:* categorical psi > 0.1
  feature:* categorical total_variation > 0.1
concept-drift error notify retrain segments 2/2 0.8
  prediction categorical total_variation > 0.05
  prediction numeric ks > 0.05
  label categorical total_variation > 0.05
  label numeric ks > 0.05
model-quality critical notify retrain segments 2/2 1
  quality accuracy < 0.9, 100 events
  quality precision < 0.9, 100 events
  quality recall < 0.9, 100 events
  quality regression r2 < reference * 0.9, 100 events
  quality regression mae > reference * 1.1, 100 events
latency error notify 2/2 1
  service latency_p95_ms > 100, 100 events
throughput warning notify 2/2 1
  service throughput_rps < 1000
error-rate error notify 2/2 1
  service error_rate > 0.01, 100 events
missing-values warning notify segments 2/2 0.8, inhibits feature-drift
  feature:* missing_rate > reference + 0.05, 100 events
  feature:* invalid_rate > reference + 0.01, 100 events
constant-feature warning notify segments 2/2 0.8, inhibits feature-drift
  feature:* constant > 0.5, 100 events
new-categories warning notify segments 2/2 0.8, inhibits feature-drift
  feature:* categorical new_category_rate > 0.05, 100 events
out-of-range warning notify segments 2/2 0.8
  feature:* numeric out_of_range_rate > 0.05, 100 events
schema-change warning notify 2/2 1
  data vanished_features > 0, 100 events
  data new_features > 0, 100 events
duplicates warning notify 2/2 0.8
  data duplicate_rate > 0.05, 100 events
clock-skew warning notify 2/2 0.8
  data clock_skew_seconds > 60, 100 events
no-data error notify 1/1 1, inhibits throughput label-stall
  data silence_seconds > 3600
label-stall warning notify 2/2 1
  data label_silence_seconds > 86400
  quality label_coverage < 0.1, 100 events
";

fn print(rules: &[Rule]) -> String {
    let mut text = String::new();
    for rule in rules {
        let flags = [(rule.notify, " notify"), (rule.retrain, " retrain"), (rule.segments, " segments")];
        let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        let (windows, level) = (format!("{}/{}", rule.confirm, rule.resolve_after), rule.resolve_level);
        let inhibits = if rule.inhibits.is_empty() { String::new() } else { format!(", inhibits {}", rule.inhibits.join(" ")) };
        text += &format!("{} {}{flags} {windows} {level}{inhibits}\n", rule.name, rule.severity.as_str());
        for c in &rule.conditions {
            let subject = match &c.subject {
                SubjectPattern::AnyFeature => "feature:*".to_owned(),
                SubjectPattern::Exactly(subject) => subject.to_string(),
            };
            let words = [c.kind.map(ColumnKind::as_str), c.task.map(Task::as_str), Some(c.metric.as_str())];
            let words: Vec<_> = words.into_iter().flatten().collect();
            let side = if c.bound.is_above() { '>' } else { '<' };
            let level = crate::config::print_threshold(c.bound.threshold());
            let events = if c.min_events > 0 { format!(", {} events", c.min_events) } else { String::new() };
            let against = if c.against == Baseline::Reference { String::new() } else { format!(", against {}", c.against.as_str()) };
            let confident = if c.confident { ", confident" } else { "" };
            text += &format!("  {subject} {} {side} {level}{events}{against}{confident}\n", words.join(" "));
        }
    }
    text
}

#[test]
fn the_built_in_rules_are_the_documented_thresholds() {
    let rules = parse_rules(DEFAULT_RULES, "alerts/default.toml").unwrap();
    assert_eq!(print(&rules), DOCUMENTED);
    assert!(rules.iter().all(|rule| rule.repeat_ms == Some(14_400_000) && rule.receivers.is_empty() && !rule.title.is_empty()));
    assert_eq!(&*rules[0].conditions[1].origin, "alerts/default.toml: rule[0].condition[1]");
}

#[test]
fn a_short_rule_is_complete() {
    let text = "[[rule]]\nname = \"late\"\nrepeat = \"never\"\nreceivers = [\"a\", \"b\"]\n\
        [[rule.condition]]\nsubject = \"quality\"\nmetric = \"label_coverage\"\nbelow = 1\n\
        [[rule.condition]]\nsubject = \"quality:fraud\"\nmetric = \"f1\"\nbelow = \"reference - 0.05\"\n\
        [[rule.condition]]\nsubject = \"feature:amount\"\nmetric = \"missing_rate\"\nabove = \"reference * 2 + 0.01\"\n";
    let rules = parse_rules(text, "own.toml").unwrap();
    let expected = "late warning notify segments 2/2 0.8\n  quality label_coverage < 1\n  quality:fraud f1 < reference - 0.05, 100 events\n  \
        feature:amount missing_rate > reference * 2 + 0.01\n";
    assert_eq!(print(&rules), expected);
    assert_eq!((&*rules[0].title, rules[0].repeat_ms, rules[0].receivers.len()), ("late", None, 2));
}

#[test]
fn what_a_rule_asks_besides_the_bound() {
    let text = "[[rule]]\nname = \"own\"\nalpha = 0.05\ninhibits = [\"feature-drift\"]\n\
        [[rule.condition]]\nsubject = \"feature:*\"\nmetric = \"psi\"\nabove = \"reference + 3 sigma\"\n\
        [[rule.condition]]\nsubject = \"feature:*\"\nmetric = \"hellinger\"\nabove = 0.2\nagainst = \"last_week\"\n\
        [[rule.condition]]\nsubject = \"quality\"\nmetric = \"recall\"\nbelow = \"reference * 0.9 - 2 sigma\"\nconfident = true\nthreshold = 0.3\n";
    let rules = parse_rules(text, "own.toml").unwrap();
    let expected = "own warning notify segments 2/2 0.8, inhibits feature-drift\n  feature:* psi > reference + 3 sigma\n  feature:* hellinger > 0.2, against last_week\n  \
        quality@0.3 recall < reference * 0.9 - 2 sigma, 100 events, confident\n";
    assert_eq!(print(&rules), expected);
    assert_eq!((rules[0].alpha, &*rules[0].inhibits), (0.05, &["feature-drift".into()][..]));
    let built_in = parse_rules(DEFAULT_RULES, "alerts/default.toml").unwrap();
    let plain = built_in.iter().find(|rule| &*rule.name == "latency").unwrap();
    assert_eq!((plain.alpha, plain.inhibits.len()), (0.01, 0));
    for alpha in ["0", "0.51", "-0.1", "nan", "\"0.01\""] {
        check(&text.replace("0.05", alpha), &[("rule[0].alpha", "")]);
    }
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) {
    let problems = parse_rules(text, "own.toml").unwrap_err();
    let found: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(found, expected.iter().map(|(path, _)| *path).collect::<Vec<_>>(), "{problems:#?}");
    for (problem, (path, words)) in problems.iter().zip(expected) {
        assert!(problem.message.contains(words), "{path}: {:?} should contain {words:?}", problem.message);
    }
}

#[test]
fn files_that_are_no_rule_files() {
    check("", &[("rule", "required")]);
    check("rule = 1", &[("rule", "write [[rule]]"), ("rule", "required")]);
    check("[[rule]]\nname = \"a\n", &[("line 2", "")]);
    check("[rules]\n", &[("rule", "required"), ("rules", "no such key")]);
}

#[test]
fn every_problem_of_a_rule_is_told_at_once() {
    check(
        "[[rule]]\nname = \"Drift of it\"\ntitle = 3\nseverity = \"bad\"\nnotify = \"yes\"\nconfirm = 0\nresolve_after = 1001\nresolve_level = 1.5\n\
         repeat = \"4\"\nreceivers = [1]\nconfrim = 2\n",
        &[
            ("rule[0].name", "\"Drift of it\" is no name"),
            ("rule[0].title", "is a text"),
            ("rule[0].severity", "info, warning, error, critical"),
            ("rule[0].notify", "true or false"),
            ("rule[0].confirm", "from 1 to 1000"),
            ("rule[0].resolve_after", "1001"),
            ("rule[0].resolve_level", "1.5 is not within 0 to 1"),
            ("rule[0].repeat", "no duration"),
            ("rule[0].receivers", "item 0 is a text"),
            ("rule[0].condition", "at least one [[rule.condition]]"),
            ("rule[0].confrim", "confirm"),
        ],
    );
}

#[test]
fn every_problem_of_a_condition_is_told_at_once() {
    let condition = |text: &str| format!("[[rule]]\nname = \"a\"\n[[rule.condition]]\n{text}");
    check(
        &condition("subject = \"feature\"\nmetric = \"psy\"\nkind = \"colour\"\ntask = \"any\"\nmin_events = -1\nabov = 1\n"),
        &[
            ("rule[0].condition[0].subject", "feature:*"),
            ("rule[0].condition[0].metric", "psi"),
            ("rule[0].condition[0].kind", "numeric, categorical"),
            ("rule[0].condition[0].task", "binary"),
            ("rule[0].condition[0].above", "is required, or below"),
            ("rule[0].condition[0].min_events", "whole number"),
            ("rule[0].condition[0].abov", "above, against, below"),
        ],
    );
    let bound = |above: &str| condition(&format!("subject = \"quality\"\nmetric = \"accuracy\"\nbelow = {above}\n"));
    check(&bound("nan"), &[("rule[0].condition[0].below", "finite")]);
    check(&bound("\"inf\""), &[("rule[0].condition[0].below", "no threshold")]);
    check(&bound("0.9\nabove = 0.1"), &[("rule[0].condition[0].below", "one side")]);
}

#[test]
fn a_condition_that_could_never_judge_is_refused() {
    let condition = |subject: &str, metric: &str, rest: &str| {
        format!("[[rule]]\nname = \"a\"\n[[rule.condition]]\nsubject = \"{subject}\"\nmetric = \"{metric}\"\n{rest}")
    };
    check(&condition("feature:*", "accuracy", "below = 0.9"), &[("rule[0].condition[0].metric", "not measured on this subject")]);
    check(&condition("service", "psi", "above = 0.1"), &[("rule[0].condition[0].metric", "not measured")]);
    check(&condition("feature:*", "ks", "kind = \"categorical\"\nabove = 0.1"), &[("rule[0].condition[0].kind", "numeric columns only")]);
    let above = |subject, metric, refused| {
        check(&condition(subject, metric, "above = \"reference * 2\""), &[("rule[0].condition[0].above", refused)])
    };
    above("service", "latency_p95_ms", "no \"latency_p95_ms\" of its own");
    above("feature:*", "constant", "no \"constant\" of its own");
    above("errors", "adwin", "no \"adwin\" of its own");
    let with = |metric, rest: &str| condition("feature:*", metric, &format!("above = 0.1\n{rest}"));
    check(&with("ks", "against = \"previous_window\""), &[("rule[0].condition[0].against", "over bins are psi, total_variation")]);
    check(&with("missing_rate", "against = \"last_week\""), &[("rule[0].condition[0].against", "with the reference only")]);
    check(&with("psi", "against = \"yesterday\""), &[("rule[0].condition[0].against", "reference, previous_window, last_week")]);
    let trailing = "above = \"reference + 3 sigma\"\nagainst = \"previous_window\"";
    check(&condition("feature:*", "psi", trailing), &[("rule[0].condition[0].above", "but is against previous_window")]);
    check(&with("psi", "confident = true"), &[("rule[0].condition[0].confident", "no confidence interval")]);
    check(&with("psi", "threshold = 0.3"), &[("rule[0].condition[0].threshold", "subject \"quality\"")]);
    check(&condition("quality:1", "f1", "below = 0.9\nthreshold = 0.3"), &[("rule[0].condition[0].threshold", "subject \"quality\"")]);
    check(&condition("quality", "mae", "above = 1\nthreshold = 0.3"), &[("rule[0].condition[0].metric", "not measured on this")]);
    check(&condition("quality", "f1", "below = 0.9\nthreshold = 1.5"), &[("rule[0].condition[0].threshold", "within 0 to 1")]);
    for metric in ["ddm", "eddm", "hddm_a", "hddm_w"] {
        let refused = [("rule[0].condition[0].metric", "works on right and wrong answers")];
        check(&condition("latency", metric, "above = 0"), &refused);
        check(&condition("errors", metric, "task = \"regression\"\nabove = 0"), &refused);
        assert!(parse_rules(&condition("errors", metric, "above = 0"), "own.toml").is_ok());
    }
    assert!(parse_rules(&condition("latency", "cusum", "above = 0"), "own.toml").is_ok());
    let confirmed = |text: &str| parse_rules(text, "own.toml").unwrap()[0].confirm;
    assert_eq!(confirmed(&condition("latency", "cusum", "above = 0")), 1, "a change is found once");
    assert_eq!(confirmed(&condition("latency", "cusum", "above = 0").replace("\"a\"", "\"a\"\nconfirm = 3")), 3);
    let mixed = condition("latency", "cusum", "above = 0") + "\n[[rule.condition]]\nsubject = \"quality\"\nmetric = \"f1\"\nbelow = 0.9\n";
    check(&mixed, &[("rule[0].confirm", "1 fires on a single change")]);
    assert_eq!(confirmed(&mixed.replace("\"a\"", "\"a\"\nconfirm = 2")), 2);
    check(&condition("service", "adwin", "above = 0"), &[("rule[0].condition[0].metric", "not measured")]);
    check(&format!("{0}\n{0}", condition("feature:*", "psi", "above = 0.1")), &[("rule", "two rules have the name \"a\"")]);
}

#[test]
fn what_has_no_reading_no_figure_or_no_interval_is_refused() {
    let condition = |subject: &str, metric: &str, rest: &str| {
        format!("[[rule]]\nname = \"a\"\n[[rule.condition]]\nsubject = \"{subject}\"\nmetric = \"{metric}\"\n{rest}")
    };
    let place = |subject: &str, metric: &str, rest: &str, key: &str, words: &str| {
        check(&condition(subject, metric, &format!("above = 0.1\n{rest}")), &[(&format!("rule[0].condition[0].{key}"), words)]);
    };
    for metric in ["missing_rate", "invalid_rate", "new_category_rate", "out_of_range_rate", "constant"] {
        place("label", metric, "", "metric", "not measured on this subject");
        place("residual", metric, "", "metric", "not measured on this subject");
    }
    for subject in ["prediction", "score"] {
        place(subject, "new_category_rate", "", "metric", "not measured on this subject");
    }
    for subject in ["prediction", "score", "label", "residual"] {
        place(subject, "mmd", "", "metric", "not measured on this subject");
    }
    for metric in ["wasserstein", "energy_distance", "cramer_von_mises", "anderson_darling", "mean_shift", "p95_shift"] {
        place("feature:*", metric, "kind = \"categorical\"", "kind", "measured on numeric columns only");
    }
    place("feature:*", "psi", "kind = \"vector\"", "kind", "measured on numeric and categorical and text columns only");
    place("quality", "accuracy", "kind = \"numeric\"", "kind", "narrows columns, and quality is none");
    place("prediction", "ks", "task = \"binary\"", "task", "of regression models only");
    place("quality", "f1_micro", "task = \"binary\"", "task", "of multiclass models only");
    place("quality", "roc_auc_weighted", "task = \"binary\"", "task", "of multiclass models only");
    place("quality", "selection_rate", "task = \"multiclass\"", "task", "of binary models only");
    place("quality@0.3", "f1", "task = \"multiclass\"", "task", "of binary models only");
    place("quality:1", "f1", "task = \"regression\"", "task", "of binary and multiclass models only");
    place("fairness:country", "selection_rate_ratio", "task = \"multiclass\"", "task", "of binary models only");
    place("label", "psi", "against = \"last_week\"", "against", "compared with the reference only");
    // bounds that follow a figure that no reference has
    for (subject, metric) in [("features", "drifted_share"), ("fairness:country", "recall_ratio")] {
        let bound = "below = \"reference - 3 sigma\"";
        check(&condition(subject, metric, bound), &[("rule[0].condition[0].below", "of its own: write a number")]);
    }
    // and an interval where there is none
    for metric in ["r2", "mape", "expected_calibration_error"] {
        check(&condition("quality", metric, "above = 0.1\nconfident = true"), &[("rule[0].condition[0].confident", "would never fire")]);
    }
    for (subject, metric, rest) in [
        ("quality", "rmse", "above = 1\nconfident = true"),
        ("quality", "roc_auc", "below = 0.8\ntask = \"multiclass\"\nconfident = true"),
        ("quality:1", "brier_score", "above = 0.2\nconfident = true"),
        ("quality", "label_coverage", "below = 0.1\nconfident = true"),
        ("estimated_quality", "rmse", "above = 1\nconfident = true"),
        ("features", "frechet_distance", "above = \"reference + 3 sigma\""),
        ("quality@0.3", "f1", "below = \"reference - 3 sigma\""),
        ("residual", "ks", "kind = \"numeric\"\nabove = 0.1"),
        ("feature:e", "mmd", "kind = \"vector\"\nabove = 0.1"),
    ] {
        assert!(parse_rules(&condition(subject, metric, rest), "own.toml").is_ok(), "{subject} {metric} {rest}");
    }
}
