//! Rule files (`alerts/*.toml`) → rules.
//!
//! Invariant: a file is taken as a whole or refused with every problem that it has. Models, overrides and receivers are not known here.

mod inhibition;
mod sense;
pub(in crate::config) mod table;

use super::duration::parse_duration;
use super::{Problem, parse_threshold};
use crate::engine::catalogue::Family;
use crate::engine::metric::{Baseline, Metric, Subject};
use crate::engine::settings::{ColumnKind, Task};
use crate::engine::verdict::{Bound, Condition, Rule, Severity, SubjectPattern, Threshold};
pub(in crate::config) use inhibition::check_inhibitions;
use sense::{check_sense, is_quality};
use std::sync::Arc;
use table::{Problems, Table, choice, count, flag, list, number, text};

/// The built-in rules: the documented thresholds.
pub const DEFAULT_RULES: &str = include_str!("../../alerts/default.toml");

/// Labels (quality) or requests (latency, errors) without which a condition that does not say `min_events` does not judge.
const MIN_EVENTS: u64 = 100;
const MOST_WINDOWS: u64 = 1000;
/// Windows that confirm and that resolve, unless a rule says otherwise.
const CONFIRM: u32 = 2;
/// A greater chance of a false alarm is no significance.
const MOST_ALPHA: f64 = 0.5;

/// Reads the rules of one file; `origin` names the file in every condition.
///
/// # Errors
/// Every problem of the file, each at its key path (`rule[0].condition[2].above`).
pub fn parse_rules(text: &str, origin: &str) -> Result<Vec<Rule>, Vec<Problem>> {
    let root = table::parse(text).map_err(|problem| vec![problem])?;
    let problems = Problems::default();
    let file = Table::new(String::new(), &root, &problems);
    let blocks = file.blocks("rule");
    if blocks.is_empty() {
        file.refuse("rule", "is required: write at least one [[rule]]");
    }
    file.finish();
    let rules: Vec<Rule> = blocks.iter().filter_map(|block| read_rule(block, origin)).collect();
    for (i, rule) in rules.iter().enumerate() {
        if rules[..i].iter().any(|earlier| earlier.name == rule.name) {
            file.refuse("rule", format!("two rules have the name {:?}", rule.name));
        }
    }
    let problems = problems.into_inner();
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

/// `None` only where a problem was noted.
fn read_rule(block: &Table<'_>, origin: &str) -> Option<Rule> {
    let name = block.required("name", "short, it is part of every alert's identity", rule_name);
    let title = block.read("title", text).or(name);
    let severity = block.read("severity", choice(&Severity::ALL.map(|s| (s.as_str(), s)))).unwrap_or(Severity::Warning);
    let notify = block.read("notify", flag).unwrap_or(true);
    let retrain = block.read("retrain", flag).unwrap_or(false);
    let segments = block.read("segments", flag).unwrap_or(true);
    let windows = |key| block.read(key, count(1..=MOST_WINDOWS)).map(|n| n as u32);
    let (confirm, resolve_after) = (windows("confirm"), windows("resolve_after").unwrap_or(CONFIRM));
    let resolve_level = block.read("resolve_level", share).unwrap_or(0.8);
    let repeat_ms = block.read("repeat", repeat).flatten();
    let receivers = block.read("receivers", list(|item| text(item).map(Arc::from))).unwrap_or_default();
    let alpha = block.read("alpha", alpha).unwrap_or_else(|| Rule::new("", Vec::new()).alpha);
    let inhibits = block.read("inhibits", list(|item| text(item).map(Arc::from))).unwrap_or_default();
    let blocks = block.blocks("condition");
    if blocks.is_empty() {
        block.refuse("condition", "is required: write at least one [[rule.condition]]");
    }
    let conditions: Vec<Condition> = blocks.iter().filter_map(|condition| read_condition(condition, origin)).collect();
    let confirm = confirm.unwrap_or_else(|| default_confirm(block, &conditions));
    block.finish();
    Some(Rule {
        name: name?.into(),
        title: title?.into(),
        severity,
        conditions,
        notify,
        retrain,
        segments,
        confirm,
        resolve_after,
        resolve_level,
        repeat_ms,
        receivers,
        alpha,
        inhibits,
    })
}

fn read_condition(block: &Table<'_>, origin: &str) -> Option<Condition> {
    let subject = block.required("subject", "e.g. \"feature:*\", \"feature:amount\", \"prediction\", \"quality\"", subject);
    let metrics: Vec<_> = Metric::ALL.iter().map(|metric| (metric.as_str(), *metric)).collect();
    let metric = block.required("metric", "e.g. \"psi\"", choice(&metrics));
    let kinds = [ColumnKind::Numeric, ColumnKind::Categorical, ColumnKind::Vector, ColumnKind::Text].map(|kind| (kind.as_str(), kind));
    let kind = block.read("kind", choice(&kinds));
    let task = block.read("task", choice(&Task::ALL.map(|task| (task.as_str(), task))));
    let above = block.read("above", threshold);
    let below = block.read("below", threshold);
    match (block.value("above").is_some(), block.value("below").is_some()) {
        (true, true) => block.refuse("below", "stands beside above: a bound has one side"),
        (false, false) => block.refuse("above", "is required, or below: a number, or e.g. \"reference * 0.9\""),
        _ => {}
    }
    let min_events = block.read("min_events", count(0..=u64::from(u32::MAX)));
    let baselines = Baseline::ALL.map(|baseline| (baseline.as_str(), baseline));
    let against = block.read("against", choice(&baselines)).unwrap_or_default();
    let confident = block.read("confident", flag).unwrap_or(false);
    let at = block.read("threshold", share);
    block.finish();
    let (subject, metric, bound) = (subject?, metric?, above.map(Bound::Above).or(below.map(Bound::Below))?);
    let subject = match at {
        Some(at) => at_threshold(block, subject, at)?,
        None => subject,
    };
    let min_events = min_events.unwrap_or_else(|| default_min_events(metric));
    let origin = format!("{origin}: {}", block.path_of("")).into();
    let condition = Condition { subject, metric, kind, task, bound, min_events, against, confident, origin };
    check_sense(block, &condition);
    Some(condition)
}

/// Quality as it would be with another decision threshold than the model's own.
fn at_threshold(block: &Table<'_>, subject: SubjectPattern, threshold: f64) -> Option<SubjectPattern> {
    if subject != SubjectPattern::Exactly(Subject::Quality) {
        block.refuse("threshold", "is a decision threshold and belongs to subject \"quality\"; the bound is above or below");
        return None;
    }
    Some(SubjectPattern::Exactly(Subject::QualityAt(threshold.to_string().into())))
}

/// A change that a detector found is found once: a rule on detectors that waited for a second window would never fire. One rule has one number of windows,
/// so where others stand beside them it must be said.
fn default_confirm(block: &Table<'_>, conditions: &[Condition]) -> u32 {
    let is_detector = |condition: &Condition| condition.metric.family() == Family::Detector;
    let found = conditions.iter().filter(|condition| is_detector(condition)).count();
    if found > 0 && found < conditions.len() && block.value("confirm").is_none() {
        let message = "is required where change detectors stand beside other metrics: 1 fires on a single change, or make two rules of it";
        block.refuse("confirm", message.to_owned());
    }
    if found > 0 { 1 } else { CONFIRM }
}

fn default_min_events(metric: Metric) -> u64 {
    match metric {
        Metric::LatencyP50 | Metric::LatencyP95 | Metric::LatencyP99 | Metric::ErrorRate => MIN_EVENTS,
        Metric::Constant | Metric::VanishedFeatures => MIN_EVENTS,
        _ if is_quality(metric) => MIN_EVENTS,
        _ => 0,
    }
}

fn rule_name(value: &toml::Value) -> Result<&str, String> {
    let name = text(value)?;
    let plain = name.len() <= 64 && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if plain { Ok(name) } else { Err(format!("{name:?} is no name: at most 64 of a-z, 0-9 and -")) }
}

pub(in crate::config) fn subject(value: &toml::Value) -> Result<SubjectPattern, String> {
    let name = text(value)?;
    if name == "feature:*" {
        return Ok(SubjectPattern::AnyFeature);
    }
    let refusal = || {
        format!(
            "{name:?} is no subject: feature:*, feature:<name>, prediction, score, label, residual, features, data, quality, quality:<class>, quality@<threshold>, estimated_quality, fairness:<feature>, service, errors, latency"
        )
    };
    Subject::parse(name).map(SubjectPattern::Exactly).ok_or_else(refusal)
}

fn threshold(value: &toml::Value) -> Result<Threshold, String> {
    match value.as_str() {
        Some(text) => parse_threshold(text),
        None => number(value).map(Threshold::Absolute),
    }
}

pub(in crate::config) fn share(value: &toml::Value) -> Result<f64, String> {
    let share = number(value)?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(format!("{share} is not within 0 to 1")) }
}

/// A level of significance.
pub(in crate::config) fn check_alpha(alpha: f64) -> Result<f64, String> {
    if alpha > 0.0 && alpha <= MOST_ALPHA { Ok(alpha) } else { Err(format!("{alpha} is not above 0 and at most {MOST_ALPHA}")) }
}

fn alpha(value: &toml::Value) -> Result<f64, String> {
    number(value).and_then(check_alpha)
}

fn repeat(value: &toml::Value) -> Result<Option<i64>, String> {
    match text(value)? {
        "never" => Ok(None),
        text => match parse_duration(text)? {
            ms if ms >= 1000 => Ok(Some(ms)),
            _ => Err(format!("{text:?} is shorter than a second")),
        },
    }
}

#[cfg(test)]
mod tests;
