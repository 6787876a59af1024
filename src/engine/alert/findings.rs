//! What one rule found in one window of one stream, on one of the two clocks.

use super::{Judged, Worst};
use crate::engine::metric::{Metric, Subject, Verdict};
use crate::engine::verdict::{Aspect, Rule, Scope, Standing, assess};
use std::collections::BTreeSet;

/// Most entries that an alert names.
pub(super) const MAX_WORST: usize = 10;

/// What one rule found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Everything beyond its bound, worst first.
    pub breaching: Vec<Worst>,
    /// Subjects beyond their bound.
    pub n_breaching: u64,
    /// Subjects that were judged.
    pub n_judged: u64,
    /// Whether something that was judged is not far enough within its bound to resolve.
    pub any_between: bool,
    /// What the rule looks at and could not judge.
    pub unjudged: BTreeSet<(Subject, Metric)>,
}

impl Findings {
    /// Judges every measurement of the aspect by the rule's own conditions (another rule may have given the measurement its printed verdict).
    pub(super) fn of(rule: &Rule, judged: &Judged<'_>) -> Self {
        let scope = Scope { task: judged.task, kinds: judged.kinds, is_segment: judged.stream.segment.is_some() };
        let mut found = Self::default();
        let (mut breaching, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for measurement in judged.measurements {
            if Aspect::of(&measurement.subject, measurement.metric) != judged.aspect {
                continue;
            }
            let Some(condition) = rule.condition_for(&scope, measurement) else { continue };
            let mature = measurement.verdict != Some(Verdict::Immature);
            let assessment = assess(rule, condition, mature, measurement);
            match (assessment.standing, measurement.reading.value(), assessment.threshold) {
                (Standing::Breach, Some(value), Some(threshold)) => {
                    breaching.insert(&measurement.subject);
                    found.breaching.push(Worst {
                        subject: measurement.subject.clone(),
                        metric: measurement.metric,
                        value,
                        threshold,
                        above: condition.bound.is_above(),
                        n_current: measurement.n_current,
                    });
                }
                (Standing::Unjudged, ..) => {
                    found.unjudged.insert((measurement.subject.clone(), measurement.metric));
                    continue;
                }
                (standing, ..) => found.any_between |= standing != Standing::Clear,
            }
            seen.insert(&measurement.subject);
        }
        found.n_breaching = breaching.len() as u64;
        found.n_judged = seen.len() as u64;
        sort_worst_first(&mut found.breaching);
        found
    }
}

impl Worst {
    /// How far the value is beyond its bound, as a share of the bound (of 1 for a bound of 0).
    pub fn excess(&self) -> f64 {
        let beyond = if self.above { self.value - self.threshold } else { self.threshold - self.value };
        if self.threshold == 0.0 { beyond } else { beyond / self.threshold.abs() }
    }
}

/// By excess, ties by subject and metric.
pub(super) fn sort_worst_first(worst: &mut [Worst]) {
    worst.sort_by(|a, b| b.excess().total_cmp(&a.excess()).then_with(|| (&a.subject, a.metric).cmp(&(&b.subject, b.metric))));
}
