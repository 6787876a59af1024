//! Tests of the configuration as a whole; each part has its own beside it.

mod broken;
mod layering;
mod overriding;
mod page;
mod secrets;
mod shipped;

use super::*;
use crate::engine::metric::{Metric, Subject};
use crate::engine::verdict::{Bound, Condition, Rule, Severity, SubjectPattern, Threshold};
use std::collections::BTreeMap;
use std::path::Path;

/// Two rules like the built-in ones: features by two metrics of one level, service by three of different ones.
fn rules() -> Vec<Rule> {
    let condition = |subject: SubjectPattern, metric, bound| Condition {
        min_events: 100,
        origin: DEFAULT_RULES_ORIGIN.into(),
        ..Condition::new(subject, metric, bound)
    };
    let service = || SubjectPattern::Exactly(Subject::Service);
    let above = |level| Bound::Above(Threshold::Absolute(level));
    let rule = |name: &str, conditions| Rule {
        segments: false,
        confirm: 1,
        resolve_after: 1,
        resolve_level: 0.9,
        repeat_ms: Some(6 * 3_600_000),
        ..Rule::new(name, conditions)
    };
    vec![
        rule(
            "feature-drift",
            vec![
                condition(SubjectPattern::AnyFeature, Metric::Psi, above(0.1)),
                condition(SubjectPattern::AnyFeature, Metric::Ks, above(0.1)),
            ],
        ),
        rule(
            "service",
            vec![
                condition(service(), Metric::LatencyP95, above(100.0)),
                condition(service(), Metric::ErrorRate, above(0.01)),
                condition(service(), Metric::Throughput, Bound::Below(Threshold::Absolute(1000.0))),
            ],
        ),
    ]
}

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn options() -> LoadOptions {
    LoadOptions { secrets: SecretPolicy::Required, default_rules: Some(rules()) }
}

/// What every test configuration begins with, so that only what is tested is told.
const MODEL: &str = "[[model]]\nname = \"m\"\ntask = \"binary\"\n";

fn load_with_env(text: &str, pairs: &[(&str, &str)]) -> Result<Loaded, LoadError> {
    load_text(text, Path::new("/nowhere/c.toml"), &env(pairs), &options())
}

#[track_caller]
fn loaded(text: &str) -> Loaded {
    load_with_env(text, &[]).unwrap_or_else(|error| panic!("{error}"))
}

/// The problems of a configuration, as people read them.
#[track_caller]
fn problems(text: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    match load_with_env(text, pairs) {
        Ok(_) => panic!("loads:\n{text}"),
        Err(LoadError::Invalid { findings, .. }) => findings.iter().map(|finding| finding.problem.to_string()).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[track_caller]
fn effective<'a>(loaded: &'a Loaded, path: &str) -> &'a Effective {
    loaded.effective.iter().find(|e| e.path == path).unwrap_or_else(|| panic!("{path} in {:#?}", loaded.effective))
}
