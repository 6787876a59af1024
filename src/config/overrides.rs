//! `[[model.override]]`: what one model wants otherwise than the rules say.
//!
//! Invariant: the more specific wins, in whatever order the blocks stand. Blocks without a feature are applied first and change
//! conditions in place; those with one then add a condition for that feature before the general one (the first that fits judges).
//! Nothing is applied half: a block with a problem changes nothing.

use super::Problem;
use super::raw::Raw;
use super::reader::{Fallback, Reader, Section, quoted};
use super::threshold::{parse_threshold, print_threshold};
use crate::engine::metric::{Metric, Subject};
use crate::engine::verdict::{Bound, Condition, Rule, Severity, SubjectPattern, Threshold};
use ::config::ValueKind;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The rules of one model, and who changed their settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    pub(crate) rules: Vec<Rule>,
    /// (rule, setting) → key path of the override that set it.
    pub(crate) settings: BTreeMap<(Arc<str>, &'static str), String>,
    /// Rule → where it stands, as its first condition says.
    pub(crate) sources: BTreeMap<Arc<str>, Arc<str>>,
}

/// One block as read.
#[derive(Debug, Clone)]
struct Override {
    path: String,
    rule: Option<String>,
    feature: Option<String>,
    metric: Option<Metric>,
    bound: Option<Bound>,
    min_events: Option<u64>,
    enabled: Option<bool>,
    whole: WholeRule,
}

/// Settings that hold for a rule as a whole.
#[derive(Debug, Clone, Default)]
struct WholeRule {
    confirm: Option<u32>,
    resolve_after: Option<u32>,
    resolve_level: Option<f64>,
    repeat_ms: Option<Option<i64>>,
    severity: Option<Severity>,
    alpha: Option<f64>,
}

impl WholeRule {
    fn names(&self) -> Vec<&'static str> {
        let there = [
            ("confirm", self.confirm.is_some()),
            ("resolve_after", self.resolve_after.is_some()),
            ("resolve_level", self.resolve_level.is_some()),
            ("repeat", self.repeat_ms.is_some()),
            ("severity", self.severity.is_some()),
            ("alpha", self.alpha.is_some()),
        ];
        there.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect()
    }
}

/// Applies the blocks of one model to the rules.
pub(crate) fn apply(blocks: Vec<Section<'_>>, rules: &[Rule], ignored: &[String], reader: &Reader) -> Changes {
    let sources = rules.iter().filter_map(|rule| Some((rule.name.clone(), rule.conditions.first()?.origin.clone()))).collect();
    let mut changes = Changes { rules: rules.to_vec(), settings: BTreeMap::new(), sources };
    let overrides: Vec<Override> = blocks.into_iter().filter_map(read).collect();
    let (specific, general): (Vec<_>, Vec<_>) = overrides.into_iter().partition(|block| block.feature.is_some());
    for block in general.iter().chain(&specific) {
        if let Some(feature) = block.feature.as_ref().filter(|feature| ignored.contains(feature)) {
            reader.refuse(format!("{}.feature", block.path), format!("{feature:?} stands in ignore, so nothing judges it"));
            continue;
        }
        if let Err(problem) = apply_one(block, &mut changes, rules) {
            reader.problems.borrow_mut().push(problem);
        }
    }
    changes
}

/// Reads one block; `None` where something was wrong with it.
fn read(section: Section<'_>) -> Option<Override> {
    let path = section.path("");
    let reader = section.reader;
    let given = |text: String| (!text.is_empty()).then_some(text);
    let rule = given(section.text("rule", Fallback::Nothing, "Only this rule."));
    let feature = given(section.checked_text(
        "feature",
        Fallback::Nothing,
        "Only this feature; a condition for it is added before the general one.",
        feature_name,
    ));
    let metrics: Vec<(&'static str, Metric)> = Metric::ALL.iter().map(|metric| (metric.as_str(), *metric)).collect();
    let metric = section.choice("metric", &metrics, Fallback::Nothing, "Only this metric.");
    let bound = |key, doc| section.take(key, "threshold", Fallback::Nothing, doc, threshold, |t| print_bound_level(*t));
    let above = bound("above", "Breached when greater: a number, or e.g. `\"reference * 1.2\"`.");
    let below = bound("below", "Breached when less: a number, or e.g. `\"reference - 0.05\"`.");
    let enabled =
        section.take("enabled", "flag", Fallback::Nothing, "`false` switches off what the block narrows.", Raw::flag, bool::to_string);
    let count = |key, range, doc| section.take(key, "count", Fallback::Nothing, doc, move |raw| raw.count(&range), u64::to_string);
    let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let whole = WholeRule {
        confirm: count("confirm", 1..=1000, "Non-overlapping breaching windows until it fires.").map(small),
        resolve_after: count("resolve_after", 1..=1000, "Non-overlapping clear windows until it resolves.").map(small),
        resolve_level: section.take(
            "resolve_level",
            "number",
            Fallback::Nothing,
            "Part of the firing level below which a window is clear (0 to 1).",
            |raw| raw.number(&(0.0..=1.0)),
            f64::to_string,
        ),
        repeat_ms: section.take(
            "repeat",
            "duration",
            Fallback::Nothing,
            "Time after which a firing alert is told again; `\"never\"`.",
            repeat,
            |ms| print_repeat(*ms),
        ),
        severity: section.choice("severity", &Severity::ALL.map(|s| (s.as_str(), s)), Fallback::Nothing, "How bad it is."),
        alpha: section.take(
            "alpha",
            "number",
            Fallback::Nothing,
            "A reading counts as significant where its corrected p-value is at most this (above 0, at most 0.5).",
            |raw| raw.number(&(0.0..=1.0)).and_then(super::rules::check_alpha),
            f64::to_string,
        ),
    };
    let min_events = count(
        "min_events",
        0..=1_000_000_000,
        "Least number of events (labels for quality) to judge, besides what the metric itself needs.",
    );
    if above.is_some() && below.is_some() {
        section.refuse("below", "stands beside above: a bound has one side");
    }
    let narrowed = feature.is_some() || metric.is_some();
    if narrowed && let Some(name) = whole.names().first() {
        section.refuse(name, "holds for a whole rule: leave out feature and metric, or write a block of its own");
    }
    let bound = above.map(Bound::Above).or(below.map(Bound::Below));
    if enabled == Some(false) && (bound.is_some() || min_events.is_some() || !whole.names().is_empty()) {
        section.refuse("enabled", "switches off what the block's other settings change: keep one of them");
    }
    let empty = bound.is_none() && enabled.is_none() && min_events.is_none() && whole.names().is_empty();
    if empty && section.sound(&[""]) {
        section.refuse(
            "",
            "changes nothing: add above, below, enabled, min_events, confirm, resolve_after, resolve_level, repeat, severity or alpha",
        );
    }
    section.finish();
    let sound = reader.sound(std::slice::from_ref(&path));
    sound.then_some(Override { path, rule, feature, metric, bound, min_events, enabled, whole })
}

fn feature_name(text: &str) -> Result<(), String> {
    if text.contains('*') { Err(format!("{text:?} is a pattern: name one feature a block, or leave feature out for all")) } else { Ok(()) }
}

fn threshold(raw: Raw<'_>) -> Result<Threshold, String> {
    match &raw.0.kind {
        ValueKind::String(text) => parse_threshold(text),
        _ => raw.number(&(f64::MIN..=f64::MAX)).map(Threshold::Absolute),
    }
}

pub(crate) fn print_bound_level(threshold: Threshold) -> String {
    match threshold {
        Threshold::Absolute(_) => print_threshold(threshold),
        Threshold::Reference { .. } => quoted(&print_threshold(threshold)),
    }
}

fn repeat(raw: Raw<'_>) -> Result<Option<i64>, String> {
    if matches!(&raw.0.kind, ValueKind::String(text) if text == "never") { Ok(None) } else { raw.duration(1000).map(Some) }
}

pub(crate) fn print_repeat(repeat_ms: Option<i64>) -> String {
    quoted(&repeat_ms.map_or("never".to_owned(), super::duration::print_duration))
}

fn apply_one(block: &Override, changes: &mut Changes, all: &[Rule]) -> Result<(), Problem> {
    let refuse = |key: &str, message: String| Problem::new(super::layers::join(&block.path, key), message);
    if let Some(name) = &block.rule
        && !all.iter().any(|rule| rule.name.as_ref() == name)
    {
        let names = all.iter().map(|rule| rule.name.as_ref());
        return Err(refuse("rule", format!("there is no rule {name:?}{}", super::suggest::hint(name, names))));
    }
    let named = |rule: &Rule| block.rule.as_ref().is_none_or(|name| rule.name.as_ref() == name);
    let fitting: Vec<&Condition> =
        changes.rules.iter().filter(|rule| named(rule)).flat_map(|rule| &rule.conditions).filter(|c| fits(block, c)).collect();
    let of_rule = block.rule.as_ref().map_or("any rule".to_owned(), |name| format!("rule {name:?}"));
    if fitting.is_empty() && (block.feature.is_some() || block.metric.is_some()) {
        let subject = if block.feature.is_some() { " on features" } else { "" };
        return Err(match block.metric {
            Some(metric) => refuse("metric", format!("{:?} is not judged{subject} by {of_rule}", metric.as_str())),
            None => refuse("feature", format!("features are not judged by {of_rule}")),
        });
    }
    if let Some(bound) = block.bound {
        check_bound(block, bound, &fitting)?;
    }
    for rule in changes.rules.iter_mut().filter(|rule| block.rule.as_ref().is_none_or(|name| rule.name.as_ref() == name)) {
        change_settings(block, rule, &mut changes.settings);
        change_conditions(block, rule);
    }
    if block.enabled == Some(false) {
        let without_conditions = block.feature.is_none() && block.metric.is_none();
        changes.rules.retain(|rule| if without_conditions { !named(rule) } else { !rule.conditions.is_empty() });
    }
    Ok(())
}

/// Whether a block speaks of a condition.
fn fits(block: &Override, condition: &Condition) -> bool {
    let metric = block.metric.is_none_or(|metric| metric == condition.metric);
    let feature = block.feature.as_ref().is_none_or(|name| match &condition.subject {
        SubjectPattern::AnyFeature => true,
        SubjectPattern::Exactly(subject) => *subject == Subject::Feature(name.as_str().into()),
    });
    metric && feature
}

/// A level must not land on bounds of another side, nor, unnamed, on metrics whose levels differ: they have other units.
fn check_bound(block: &Override, bound: Bound, fitting: &[&Condition]) -> Result<(), Problem> {
    let (key, other) = match bound {
        Bound::Above(_) => ("above", "below"),
        Bound::Below(_) => ("below", "above"),
    };
    let path = super::layers::join(&block.path, key);
    if let Some(wrong) = fitting.iter().find(|c| std::mem::discriminant(&c.bound) != std::mem::discriminant(&bound)) {
        return Err(Problem::new(path, format!("{:?} is bounded from the other side here: write {other}", wrong.metric.as_str())));
    }
    let mut metrics: Vec<&str> = fitting.iter().map(|c| c.metric.as_str()).collect();
    metrics.sort_unstable();
    metrics.dedup();
    let same_level = fitting.windows(2).all(|pair| pair[0].bound == pair[1].bound);
    if block.metric.is_none() && metrics.len() > 1 && !same_level {
        return Err(Problem::new(path, format!("would set {} to one level: name a metric", metrics.join(", "))));
    }
    Ok(())
}

fn change_settings(block: &Override, rule: &mut Rule, settings: &mut BTreeMap<(Arc<str>, &'static str), String>) {
    let whole = &block.whole;
    rule.confirm = whole.confirm.unwrap_or(rule.confirm);
    rule.resolve_after = whole.resolve_after.unwrap_or(rule.resolve_after);
    rule.resolve_level = whole.resolve_level.unwrap_or(rule.resolve_level);
    rule.repeat_ms = whole.repeat_ms.unwrap_or(rule.repeat_ms);
    rule.severity = whole.severity.unwrap_or(rule.severity);
    rule.alpha = whole.alpha.unwrap_or(rule.alpha);
    settings.extend(whole.names().into_iter().map(|name| ((rule.name.clone(), name), block.path.clone())));
}

fn change_conditions(block: &Override, rule: &mut Rule) {
    let touched = block.bound.is_some() || block.min_events.is_some() || block.enabled == Some(false);
    if !touched {
        return;
    }
    let exact = block.feature.as_ref().map(|name| SubjectPattern::Exactly(Subject::Feature(name.as_str().into())));
    let mut changed = Vec::with_capacity(rule.conditions.len() + 1);
    for condition in rule.conditions.drain(..) {
        if !fits(block, &condition) {
            changed.push(condition);
            continue;
        }
        match &exact {
            // the general one stays behind the one for this feature
            Some(subject) if condition.subject == SubjectPattern::AnyFeature => {
                let own = Condition { subject: subject.clone(), ..condition.clone() };
                let there =
                    |c: &Condition| Condition { bound: c.bound, min_events: c.min_events, origin: c.origin.clone(), ..own.clone() } == *c;
                if !changed.iter().any(there) {
                    changed.extend(change(block, own, true));
                }
                changed.push(condition);
            }
            Some(_) => changed.extend(change(block, condition, true)),
            None => changed.extend(change(block, condition, false)),
        }
    }
    rule.conditions = changed;
}

/// The condition as the block wants it. One that is switched off for a feature must stay, with a level that nothing reaches: without
/// it the general condition would judge that feature.
fn change(block: &Override, mut condition: Condition, for_feature: bool) -> Option<Condition> {
    if block.enabled == Some(false) {
        if !for_feature {
            return None;
        }
        condition.bound = match condition.bound {
            Bound::Above(_) => Bound::Above(Threshold::Absolute(f64::INFINITY)),
            Bound::Below(_) => Bound::Below(Threshold::Absolute(f64::NEG_INFINITY)),
        };
    }
    condition.bound = block.bound.unwrap_or(condition.bound);
    condition.min_events = block.min_events.unwrap_or(condition.min_events);
    condition.origin = block.path.as_str().into();
    Some(condition)
}
