//! What is in force, and where each value came from: every key that was read, then every rule of every model.

use super::origin::Origin;
use super::overrides::{Changes, print_bound_level, print_repeat};
use super::reader::{Entry, Fallback};
use crate::engine::metric::Baseline;
use crate::engine::settings::ModelSettings;
use crate::engine::verdict::{Bound, Condition, Rule, SubjectPattern, Threshold};

/// One value in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// Key path; a rule's values stand below its model: `model[0].rule.feature-drift.confirm`.
    pub path: String,
    /// The value, as it would stand in the file; a secret as `***`.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
    /// Whether it equals the default.
    pub is_default: bool,
}

/// The keys that were read, in the order of reading.
pub(crate) fn of_entries(entries: &[Entry]) -> Vec<Effective> {
    let effective = entries.iter().map(|entry| {
        let default = match entry.fallback {
            Fallback::Required => None,
            Fallback::Nothing => Some("-"),
            Fallback::Text(text) => Some(text),
        };
        let is_default = entry.origin.is_default() || default == Some(entry.value.as_str());
        Effective { path: entry.path.clone(), value: entry.value.clone(), origin: entry.origin.clone(), is_default }
    });
    effective.collect()
}

/// The rules of one model; `built_in`: whether they are the ones that hold without `rules.files`.
pub(crate) fn of_rules(index: usize, model: &ModelSettings, changes: &Changes, built_in: bool) -> Vec<Effective> {
    let mut effective = Vec::new();
    for rule in model.rules.iter() {
        let path = format!("model[{index}].rule.{}", rule.name);
        // `alerts/default.toml: rule[0].condition[0]` without its end is the place of the rule
        let source = changes.sources.get(&rule.name).and_then(|place| place.split(".condition[").next()).unwrap_or_default();
        for (name, value) in settings_of(rule) {
            let by_override = changes.settings.get(&(rule.name.clone(), name));
            let origin = by_override.map_or_else(|| Origin::Rules(source.to_owned()), |path| Origin::Override(path.clone()));
            let is_default = built_in && by_override.is_none();
            effective.push(Effective { path: format!("{path}.{name}"), value, origin, is_default });
        }
        for condition in rule.conditions.iter().filter(|c| c.task.is_none_or(|task| task == model.task)) {
            let origin = origin_of(condition);
            let is_default = built_in && matches!(origin, Origin::Rules(_));
            effective.push(Effective {
                path: format!("{path}.{}", condition_name(condition)),
                value: print_condition(condition),
                origin,
                is_default,
            });
        }
    }
    effective
}

/// The values of a rule as a whole.
fn settings_of(rule: &Rule) -> [(&'static str, String); 9] {
    let action = match (rule.notify, rule.retrain) {
        (true, true) => "notify, retrain",
        (true, false) => "notify",
        (false, true) => "retrain",
        (false, false) => "-",
    };
    [
        ("action", action.to_owned()),
        ("severity", format!("{:?}", rule.severity.as_str())),
        ("confirm", rule.confirm.to_string()),
        ("resolve_after", rule.resolve_after.to_string()),
        ("resolve_level", rule.resolve_level.to_string()),
        ("repeat", print_repeat(rule.repeat_ms)),
        ("segments", rule.segments.to_string()),
        ("alpha", rule.alpha.to_string()),
        ("inhibits", format!("{:?}", rule.inhibits)),
    ]
}

/// `feature:*.psi[numeric]`, `feature:*.psi[previous_window]`.
fn condition_name(condition: &Condition) -> String {
    let subject = match &condition.subject {
        SubjectPattern::AnyFeature => "feature:*".to_owned(),
        SubjectPattern::Exactly(subject) => subject.to_string(),
    };
    let kind = condition.kind.map(|kind| format!("[{}]", kind.as_str())).unwrap_or_default();
    let against = match condition.against {
        Baseline::Reference => String::new(),
        trailing => format!("[{}]", trailing.as_str()),
    };
    format!("{subject}.{}{kind}{against}", condition.metric.as_str())
}

/// `above 0.1 from 100 events`, `below 0.9 from 100 events, confident`.
fn print_condition(condition: &Condition) -> String {
    let (side, level) = match condition.bound {
        Bound::Above(level) => ("above", level),
        Bound::Below(level) => ("below", level),
    };
    let confident = if condition.confident { ", confident" } else { "" };
    match level {
        Threshold::Absolute(level) if !level.is_finite() => "off".to_owned(),
        // 0: what the metric itself needs
        _ if condition.min_events == 0 => format!("{side} {}{confident}", print_bound_level(level)),
        _ => format!("{side} {} from {} events{confident}", print_bound_level(level), condition.min_events),
    }
}

fn origin_of(condition: &Condition) -> Origin {
    let origin = condition.origin.as_ref();
    if origin.starts_with("model[") { Origin::Override(origin.to_owned()) } else { Origin::Rules(origin.to_owned()) }
}
