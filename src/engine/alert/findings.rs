//! What one rule found in one window of one stream, on one of the two clocks.

use super::inhibition::Inhibited;
use super::{Judged, Worst};
use crate::engine::metric::{Baseline, Metric, Subject, Verdict};
use crate::engine::verdict::{Aspect, Rule, Scope, Standing, assess};
use std::collections::{BTreeMap, BTreeSet};

/// Most entries that an alert names.
pub(super) const MAX_WORST: usize = 10;
/// Most parts that an entry names.
const MAX_PARTS: usize = 3;

/// By what a subject was judged: one baseline may have nothing to compare with where another one has.
pub(super) type Ground = (Metric, Baseline);

/// What one rule found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Everything beyond its bound, worst first.
    pub breaching: Vec<Worst>,
    /// Subjects that were judged, and by what they are beyond their bound.
    judged: BTreeMap<Subject, BTreeSet<Ground>>,
    /// Whether something that was judged is not far enough within its bound to resolve.
    pub any_between: bool,
    /// What the rule looks at and could not judge, or must not.
    unjudged: BTreeSet<(Subject, Ground)>,
}

impl Findings {
    /// Judges every measurement of the aspect by the rule's own conditions (another rule may have given the measurement its printed verdict).
    pub(super) fn of(rule: &Rule, judged: &Judged<'_>, inhibited: &Inhibited) -> Self {
        let scope = Scope { task: judged.task, kinds: judged.kinds, is_segment: judged.stream.segment.is_some() };
        let mut found = Self::default();
        for measurement in judged.measurements {
            if Aspect::of(&measurement.subject, measurement.metric) != judged.aspect {
                continue;
            }
            let Some(condition) = rule.condition_for(&scope, measurement) else { continue };
            let (subject, ground) = (&measurement.subject, (measurement.metric, measurement.baseline));
            let mature = measurement.verdict != Some(Verdict::Immature);
            let assessment = assess(rule, condition, mature, measurement);
            if assessment.standing == Standing::Unjudged || inhibited.contains(subject) {
                found.unjudged.insert((subject.clone(), ground));
                continue;
            }
            found.any_between |= assessment.standing == Standing::Between;
            let beyond = found.judged.entry(subject.clone()).or_default();
            if let (Standing::Breach, Some(value), Some(threshold)) =
                (assessment.standing, measurement.reading.value(), assessment.threshold)
            {
                beyond.insert(ground);
                found.breaching.push(Worst {
                    subject: subject.clone(),
                    metric: measurement.metric,
                    value,
                    threshold,
                    above: condition.bound.is_above(),
                    n_current: measurement.n_current,
                    against: measurement.baseline,
                    reference: measurement.on_reference,
                    parts: judged.parts(measurement).iter().take(MAX_PARTS).cloned().collect(),
                    share: 0.0,
                });
            }
        }
        sort_worst_first(&mut found.breaching);
        found
    }

    /// Subjects that were judged.
    pub(super) fn n_judged(&self) -> u64 {
        self.judged.len() as u64
    }

    /// Subjects beyond their bound, and by what.
    pub(super) fn beyond(&self) -> impl Iterator<Item = (&Subject, &BTreeSet<Ground>)> {
        self.judged.iter().filter(|(_, grounds)| !grounds.is_empty())
    }

    /// The largest excess of every subject beyond its bound, as a number that can be added up.
    pub(super) fn excesses(&self) -> BTreeMap<&Subject, f64> {
        // worst first: the last one to be put in is the largest
        self.breaching.iter().rev().map(|worst| (&worst.subject, worst.weight())).collect()
    }

    /// Whether a subject that was beyond its bound by these grounds is known to be within it: it was judged, by each of them, and nothing breached.
    pub(super) fn is_calm(&self, subject: &Subject, grounds: &BTreeSet<Ground>) -> bool {
        self.judged.get(subject).is_some_and(BTreeSet::is_empty) && !self.is_silent(subject, grounds)
    }

    /// Whether the subject could not be judged by one of these grounds.
    pub(super) fn is_silent(&self, subject: &Subject, grounds: &BTreeSet<Ground>) -> bool {
        !self.unjudged.is_empty() && grounds.iter().any(|&ground| self.unjudged.contains(&(subject.clone(), ground)))
    }
}

impl Worst {
    /// How far the value is beyond its bound, as a share of the bound (of 1 for a bound of 0).
    pub fn excess(&self) -> f64 {
        let beyond = if self.above { self.value - self.threshold } else { self.threshold - self.value };
        if self.threshold == 0.0 { beyond } else { beyond / self.threshold.abs() }
    }

    /// [`Self::excess`] as a number that can be added up: finite, and not negative.
    pub(super) fn weight(&self) -> f64 {
        const MOST: f64 = 1e12;
        self.excess().clamp(0.0, MOST)
    }
}

/// By excess, ties by subject and metric.
pub(super) fn sort_worst_first(worst: &mut [Worst]) {
    worst.sort_by(|a, b| b.excess().total_cmp(&a.excess()).then_with(|| (&a.subject, a.metric).cmp(&(&b.subject, b.metric))));
}
