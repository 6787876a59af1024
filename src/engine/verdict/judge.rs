//! Measurement × Rule → Verdict. Each missing ground has its own name, in a fixed order: a value, mature labels, enough data, significance, materiality.
//!
//! Invariant: a measurement without a value, or with too few values, is never `Ok` and never `Breach`. Knows no channel and no alert.

use super::enough::need;
use super::level::is_clear;
use super::significance::correct;
use super::{Aspect, Bound, Condition, Rule, Significance, SubjectPattern, Threshold};
use crate::engine::metric::{Measurement, Reading, Subject, UndefinedReason, Verdict};
use crate::engine::settings::{ColumnKind, Task};
use std::fmt;
use std::sync::Arc;

/// What a rule must know of the stream in order to choose its condition.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// What the model predicts.
    pub task: Task,
    /// How the column behind a subject is understood; `None`: there is no such column.
    pub kinds: &'a dyn Fn(&Subject) -> Option<ColumnKind>,
    /// Whether the stream is a segment and not the whole.
    pub is_segment: bool,
}

/// What one condition says of one measurement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assessment {
    /// The verdict.
    pub verdict: Verdict,
    /// The bound as a number; `None`: it follows the reference, which does not have the metric.
    pub threshold: Option<f64>,
    /// What an alert makes of it.
    pub standing: Standing,
}

/// What an alert makes of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Beyond the bound.
    Breach,
    /// Not beyond the bound (or by chance only), and not within the level at which an alert resolves.
    Between,
    /// Within the level at which an alert resolves.
    Clear,
    /// Nothing can be said.
    Unjudged,
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("task", &self.task).field("is_segment", &self.is_segment).finish_non_exhaustive()
    }
}

/// Fills the corrected p-value of every measurement of one stream and window, then its threshold and verdict, by the first rule and in it the first
/// condition that fits. What no rule looks at keeps `None`.
///
/// The whole evaluation must come in one call: the correction is over its features.
///
/// `kinds`: how the column behind a subject is understood (inputs; for prediction, score and label the task decides where it answers `None`).
/// `mature`: whether the window's labels have come as far as they are waited for.
pub fn judge(
    rules: &[Arc<Rule>],
    task: Task,
    kinds: &dyn Fn(&Subject) -> Option<ColumnKind>,
    is_segment: bool,
    mature: bool,
    measurements: &mut [Measurement],
) {
    let scope = Scope { task, kinds, is_segment };
    correct(measurements);
    for measurement in measurements {
        let fitting = rules.iter().find_map(|rule| Some((rule, rule.condition_for(&scope, measurement)?)));
        if let Some((rule, condition)) = fitting {
            let assessment = assess(rule, condition, mature, measurement);
            measurement.threshold = assessment.threshold;
            measurement.verdict = Some(assessment.verdict);
        }
    }
}

/// What `condition` of `rule` says of `measurement`, which it fits.
///
/// `mature`: as for [`judge`].
pub fn assess(rule: &Rule, condition: &Condition, mature: bool, measurement: &Measurement) -> Assessment {
    let threshold = condition.bound.threshold().level(measurement.on_reference, measurement.sigma);
    let unjudged = |verdict| Assessment { verdict, threshold, standing: Standing::Unjudged };
    let value = match measurement.reading {
        Reading::Undefined(reason) => return unjudged(Verdict::Undefined(reason)),
        Reading::Value(value) => value,
    };
    let Some(level) = threshold else {
        return unjudged(Verdict::Undefined(UndefinedReason::NotInReference));
    };
    if !mature && Aspect::of(&measurement.subject, measurement.metric) == Aspect::Outcomes {
        return unjudged(Verdict::Immature);
    }
    let need = need(condition, level, measurement);
    if measurement.n_current < need || need == super::NEVER_ENOUGH {
        return unjudged(Verdict::NotEnough { n: measurement.n_current, need });
    }
    let within = |verdict| {
        let clear = is_clear(condition, measurement, value, level, rule.resolve_level);
        Assessment { verdict, threshold, standing: if clear { Standing::Clear } else { Standing::Between } }
    };
    if !condition.bound.is_beyond(value, level) {
        return within(Verdict::Ok);
    }
    let by_chance = Assessment { verdict: Verdict::NotSignificant, threshold, standing: Standing::Between };
    match Significance::of(measurement, value, condition.bound, rule.alpha) {
        // the reference's own windows go as far: that is where this metric normally is, and it must be able to resolve there
        Significance::WithinNoise => within(Verdict::NotSignificant),
        Significance::Chance => by_chance,
        Significance::Untested | Significance::Significant if condition.confident && !is_certain(condition.bound, measurement, level) => {
            by_chance
        }
        Significance::Untested | Significance::Significant => {
            Assessment { verdict: Verdict::Breach, threshold, standing: Standing::Breach }
        }
    }
}

/// Whether the whole confidence interval lies beyond the bound. Without an interval nothing is certain.
fn is_certain(bound: Bound, measurement: &Measurement, level: f64) -> bool {
    measurement.interval.is_some_and(|(lower, upper)| bound.is_beyond(if bound.is_above() { lower } else { upper }, level))
}

impl Rule {
    /// The condition by which this rule judges `measurement`: the first that fits; `None`: it does not look at it. A first condition whose bound nothing
    /// can reach (an infinite level: a feature that is switched off for one model) means that it does not look.
    pub fn condition_for(&self, scope: &Scope<'_>, measurement: &Measurement) -> Option<&Condition> {
        if scope.is_segment && !self.segments {
            return None;
        }
        self.conditions.iter().find(|condition| condition.fits(scope, measurement)).filter(|condition| condition.is_on())
    }
}

impl Condition {
    fn is_on(&self) -> bool {
        !matches!(self.bound.threshold(), Threshold::Absolute(level) if level.is_infinite())
    }

    fn fits(&self, scope: &Scope<'_>, measurement: &Measurement) -> bool {
        self.metric == measurement.metric
            && self.against == measurement.baseline
            && self.subject.matches(&measurement.subject)
            && self.task.is_none_or(|task| task == scope.task)
            && self.kind.is_none_or(|kind| kind_of(scope, &measurement.subject) == Some(kind))
    }
}

impl SubjectPattern {
    /// Whether it looks at `subject`.
    pub fn matches(&self, subject: &Subject) -> bool {
        match self {
            Self::AnyFeature => matches!(subject, Subject::Feature(_)),
            Self::Exactly(exactly) => exactly == subject,
        }
    }
}

/// The kind of the column behind a subject; that of an output follows from the task where no column is known.
fn kind_of(scope: &Scope<'_>, subject: &Subject) -> Option<ColumnKind> {
    (scope.kinds)(subject).or_else(|| subject.kind(scope.task))
}
