//! Which subjects a rule must not look at, because another rule that explains them breaches in the same window.
//!
//! A stateless thing: it holds for one window of one stream on one of its clocks, whether the inhibiting alert is pending or fires. What is inhibited is
//! as if it could not be judged, so it neither confirms nor clears. An inhibitor on the other clock has no effect.

use super::Judged;
use super::findings::Findings;
use crate::engine::metric::Subject;
use crate::engine::verdict::Rule;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What one rule must not look at in one window.
#[derive(Debug, Default)]
pub(super) struct Inhibited {
    all: bool,
    subjects: BTreeSet<Subject>,
}

impl Inhibited {
    /// Whether the rule must not look at `subject`.
    pub(super) fn contains(&self, subject: &Subject) -> bool {
        self.all || self.subjects.contains(subject)
    }

    /// Takes what an inhibiting rule found.
    fn extend(&mut self, findings: &Findings) {
        for (subject, _) in findings.beyond() {
            self.all |= is_whole(subject);
            self.subjects.insert(subject.clone());
        }
    }
}

/// Whether a subject stands for the whole stream: a breach on it puts every other subject in doubt.
fn is_whole(subject: &Subject) -> bool {
    match subject {
        Subject::Data | Subject::Service | Subject::Features | Subject::Quality | Subject::Errors | Subject::Latency => true,
        Subject::Feature(_)
        | Subject::Prediction
        | Subject::Score
        | Subject::Label
        | Subject::Residual
        | Subject::ClassQuality(_)
        | Subject::QualityAt(_)
        | Subject::EstimatedQuality
        | Subject::Fairness(_) => false,
    }
}

/// What every rule found in one window, in the order of the rules; those that inhibit others are asked before them.
pub(super) fn findings(judged: &Judged<'_>) -> Vec<Findings> {
    let mut found: Vec<Findings> = judged.rules.iter().map(|_| Findings::default()).collect();
    for place in inhibitors_first(judged.rules) {
        let mut inhibited = Inhibited::default();
        inhibitors(judged.rules, place).for_each(|inhibitor| inhibited.extend(&found[inhibitor]));
        found[place] = Findings::of(&judged.rules[place], judged, &inhibited);
    }
    found
}

/// The places of the rules, each behind those that inhibit it. Of rules that inhibit each other in a circle (the configuration refuses it) the first one
/// is asked last.
fn inhibitors_first(rules: &[Arc<Rule>]) -> Vec<usize> {
    if rules.iter().all(|rule| rule.inhibits.is_empty()) {
        return (0..rules.len()).collect();
    }
    let mut order = Vec::with_capacity(rules.len());
    let mut seen = vec![false; rules.len()];
    (0..rules.len()).for_each(|place| visit(rules, place, &mut seen, &mut order));
    order
}

fn visit(rules: &[Arc<Rule>], place: usize, seen: &mut [bool], order: &mut Vec<usize>) {
    if !std::mem::replace(&mut seen[place], true) {
        inhibitors(rules, place).for_each(|inhibitor| visit(rules, inhibitor, seen, order));
        order.push(place);
    }
}

/// The places of the rules that inhibit the one at `place`.
fn inhibitors(rules: &[Arc<Rule>], place: usize) -> impl Iterator<Item = usize> {
    let name = &rules[place].name;
    rules.iter().enumerate().filter(move |(other, rule)| *other != place && rule.inhibits.contains(name)).map(|(other, _)| other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::verdict::tests::rule;

    #[track_caller]
    fn check(inhibits: &[(&str, &[&str])], expected: &[usize]) {
        let rules = inhibits.iter().map(|&(name, inhibited)| {
            Arc::new(Rule { inhibits: inhibited.iter().map(|&name| name.into()).collect(), ..rule(name, Vec::new()) })
        });
        assert_eq!(inhibitors_first(&rules.collect::<Vec<_>>()), expected);
    }

    #[test]
    fn inhibitors_come_first_and_circles_end() {
        check(&[], &[]);
        check(&[("a", &[]), ("b", &[])], &[0, 1]);
        check(&[("a", &[]), ("b", &["a"])], &[1, 0]);
        check(&[("a", &["b"]), ("b", &["c"]), ("c", &[])], &[0, 1, 2]);
        check(&[("c", &[]), ("b", &["c"]), ("a", &["b", "c"])], &[2, 1, 0]);
        check(&[("a", &["a", "nobody"])], &[0]);
        check(&[("a", &["b"]), ("b", &["a"])], &[1, 0]);
    }
}
