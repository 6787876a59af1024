//! What overrides make of the rules.

use super::*;
use crate::engine::metric::Baseline;

/// The conditions of a rule after the overrides, one text each.
fn conditions(overrides: &str, rule: &str) -> Vec<String> {
    let loaded = loaded(&format!("{MODEL}{overrides}"));
    let path = format!("model[0].rule.{rule}.");
    let of_rule = loaded.effective.iter().filter_map(|e| Some((e, e.path.strip_prefix(&path)?)));
    of_rule.filter(|(_, rest)| rest.contains('.')).map(|(e, rest)| format!("{rest} {} ({})", e.value, e.origin)).collect()
}

#[test]
fn one_for_a_feature_stands_before_the_general_one_in_whatever_order_they_are_written() {
    let overrides = "[[model.override]]\nrule = \"feature-drift\"\nfeature = \"amount\"\nmetric = \"psi\"\nabove = 0.25\n\
                     [[model.override]]\nmetric = \"psi\"\nabove = \"reference * 2\"\nmin_events = 500\n";
    assert_eq!(
        conditions(overrides, "feature-drift"),
        [
            "feature:amount.psi above 0.25 from 500 events (override model[0].override[0])",
            "feature:*.psi above \"reference * 2\" from 500 events (override model[0].override[1])",
            "feature:*.ks above 0.1 from 100 events (rules alerts/default.toml)",
        ]
    );
}

#[test]
fn two_for_one_feature_meet_in_one_condition() {
    let overrides =
        "[[model.override]]\nfeature = \"a\"\nmetric = \"ks\"\nabove = 0.2\n[[model.override]]\nfeature = \"a\"\nmin_events = 9\n";
    assert_eq!(
        conditions(overrides, "feature-drift"),
        [
            "feature:a.psi above 0.1 from 9 events (override model[0].override[1])",
            "feature:*.psi above 0.1 from 100 events (rules alerts/default.toml)",
            "feature:a.ks above 0.2 from 9 events (override model[0].override[1])",
            "feature:*.ks above 0.1 from 100 events (rules alerts/default.toml)",
        ]
    );
}

#[test]
fn switched_off() {
    let off = |narrow: &str| format!("[[model.override]]\n{narrow}\nenabled = false\n");
    assert_eq!(conditions(&off("rule = \"service\""), "service"), [""; 0]);
    assert_eq!(conditions(&off("metric = \"error_rate\""), "service").len(), 2);
    let of_feature = conditions(&off("feature = \"a\"\nmetric = \"psi\""), "feature-drift");
    assert_eq!(of_feature[0], "feature:a.psi off (override model[0].override[0])");
    assert_eq!(of_feature.len(), 3);
    let all = loaded(&format!("{MODEL}{}", off("")));
    assert!(all.config.engine.models[0].rules.is_empty());
    assert_eq!(all.rules.len(), 2);
}

#[test]
fn settings_of_a_whole_rule() {
    let text = format!(
        "{MODEL}[[model.override]]\nrule = \"service\"\nconfirm = 3\nseverity = \"critical\"\nrepeat = \"never\"\nresolve_after = 2\nresolve_level = 0.5\nalpha = 0.05\n\
         [[model]]\nname = \"other\"\ntask = \"regression\"\n"
    );
    let loaded = loaded(&text);
    let rule = &loaded.config.engine.models[0].rules[1];
    assert_eq!(
        (rule.confirm, rule.resolve_after, rule.resolve_level, rule.repeat_ms, rule.severity),
        (3, 2, 0.5, None, Severity::Critical)
    );
    assert_eq!((rule.alpha, loaded.config.engine.models[1].rules[1].alpha), (0.05, 0.01));
    assert_eq!(loaded.config.engine.models[1].rules[1].confirm, 1, "another model keeps the rule");
    assert_eq!(effective(&loaded, "model[0].rule.service.segments").origin, Origin::Rules(DEFAULT_RULES_ORIGIN.into()));
    let confirm = effective(&loaded, "model[0].rule.service.confirm");
    assert_eq!((confirm.value.as_str(), confirm.origin.to_string().as_str()), ("3", "override model[0].override[0]"));
    assert!(effective(&loaded, "model[1].rule.service.confirm").is_default);
}

#[test]
fn what_is_switched_off_for_a_feature_never_breaches() {
    use crate::engine::metric::{Measurement, Reading, Verdict, WindowFacts};
    use crate::engine::verdict::assess;
    use crate::event::{ModelKey, Timestamp};

    let text = format!("{MODEL}[[model.override]]\nrule = \"feature-drift\"\nfeature = \"a\"\nenabled = false\n");
    let loaded = loaded(&text);
    let rule = &loaded.config.engine.models[0].rules[0];
    for metric in [Metric::Psi, Metric::Ks] {
        let window = WindowFacts { start: Timestamp(0), end: Timestamp(1), predictions: 1_000_000, labels: 0, whole: true };
        let feature = Subject::Feature("a".into());
        let measurement = Measurement {
            degrees: 9,
            n_reference: 1_000_000,
            n_current: 1_000_000,
            ..Measurement::new(ModelKey::new("m", "1"), window, feature, metric, Reading::Value(0.9))
        };
        let fits = |c: &&Condition| c.metric == metric && c.subject.matches(&measurement.subject);
        let judge = |condition: &Condition| assess(rule, condition, true, &measurement).verdict;
        assert_ne!(judge(rule.conditions.iter().find(fits).unwrap()), Verdict::Breach, "the first that fits is the one that judges");
        assert_eq!(judge(rule.conditions.iter().filter(fits).nth(1).unwrap()), Verdict::Breach, "the general one would");
    }
}

#[test]
fn an_alpha_that_is_none() {
    for alpha in ["0", "0.6", "\"0.01\""] {
        let text = format!("{MODEL}[[model.override]]\nrule = \"service\"\nalpha = {alpha}\n");
        let problems = problems(&text, &[]);
        assert!(problems.len() == 1 && problems[0].starts_with("model[0].override[0].alpha: "), "{problems:?}");
    }
    let narrowed = format!("{MODEL}[[model.override]]\nfeature = \"a\"\nalpha = 0.1\n");
    assert!(problems(&narrowed, &[])[0].contains("holds for a whole rule"));
}

/// Users of other tools changed one threshold and got all changed (nannyml#386), or had thresholds that could not be changed at all
/// (sagemaker-python-sdk#2628, mlrun#5917): each stands for itself by rule, model and feature, and is printed with where it came from.
#[test]
fn every_threshold_by_rule_model_and_feature_with_its_origin() {
    let text = format!(
        "{MODEL}[[model.override]]\nrule = \"feature-drift\"\nfeature = \"amount\"\nmetric = \"psi\"\nabove = 0.25\n\
         [[model.override]]\nrule = \"feature-drift\"\nmetric = \"ks\"\nabove = \"reference + 3 sigma\"\n\
         [[model.override]]\nrule = \"feature-drift\"\nalpha = 0.001\n\
         [[model]]\nname = \"other\"\ntask = \"binary\"\n"
    );
    let mut rules = rules();
    let mut trailing = rules[0].conditions[0].clone();
    (trailing.against, trailing.bound) = (Baseline::PreviousWindow, Bound::Above(Threshold::Absolute(0.3)));
    let mut certain = Condition::new(SubjectPattern::Exactly(Subject::Quality), Metric::Recall, Bound::Below(Threshold::Absolute(0.8)));
    (certain.confident, certain.origin) = (true, DEFAULT_RULES_ORIGIN.into());
    rules.push(Rule { inhibits: vec!["feature-drift".into()], ..Rule::new("own", vec![trailing, certain]) });
    let options = LoadOptions { default_rules: Some(rules), ..options() };
    let loaded = load_text(&text, Path::new("/nowhere/c.toml"), &env(&[]), &options).unwrap();
    let check = |path: &str, value: &str, origin: &str| {
        let found = effective(&loaded, path);
        assert_eq!((found.value.as_str(), found.origin.to_string().as_str()), (value, origin), "{path}");
    };
    let built_in = "rules alerts/default.toml";
    check("model[0].rule.feature-drift.feature:amount.psi", "above 0.25 from 100 events", "override model[0].override[0]");
    check("model[0].rule.feature-drift.feature:*.psi", "above 0.1 from 100 events", built_in);
    check("model[0].rule.feature-drift.feature:*.ks", "above \"reference + 3 sigma\" from 100 events", "override model[0].override[1]");
    check("model[0].rule.feature-drift.alpha", "0.001", "override model[0].override[2]");
    check("model[0].rule.own.feature:*.psi[previous_window]", "above 0.3 from 100 events", built_in);
    check("model[0].rule.own.quality.recall", "below 0.8, confident", built_in);
    check("model[0].rule.own.alpha", "0.01", built_in);
    check("model[0].rule.own.inhibits", "[\"feature-drift\"]", built_in);
    // the other model and the other rule keep theirs
    check("model[1].rule.feature-drift.feature:*.ks", "above 0.1 from 100 events", built_in);
    check("model[1].rule.feature-drift.alpha", "0.01", built_in);
    check("model[0].rule.service.service.error_rate", "above 0.01 from 100 events", built_in);
    assert!(!loaded.effective.iter().any(|e| e.path == "model[1].rule.feature-drift.feature:amount.psi"));
}
