//! What overrides make of the rules.

use super::*;

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
        "{MODEL}[[model.override]]\nrule = \"service\"\nconfirm = 3\nseverity = \"critical\"\nrepeat = \"never\"\nresolve_after = 2\nresolve_level = 0.5\n\
         [[model]]\nname = \"other\"\ntask = \"regression\"\n"
    );
    let loaded = loaded(&text);
    let rule = &loaded.config.engine.models[0].rules[1];
    assert_eq!(
        (rule.confirm, rule.resolve_after, rule.resolve_level, rule.repeat_ms, rule.severity),
        (3, 2, 0.5, None, Severity::Critical)
    );
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
