//! Measurement × Rule → Verdict. Each missing ground has its own name, in a fixed order: a value, mature labels, enough data, significance, materiality.
//!
//! Invariant: a measurement without a value, or with too few values, is never `Ok` and never `Breach`. Knows no channel and no alert.

use super::enough::need;
use super::{Aspect, Bound, Condition, Rule, SubjectPattern, Threshold};
use crate::engine::metric::{Measurement, Metric, Reading, Subject, UndefinedReason, Verdict};
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

/// Whether a reading beyond its bound is more than chance explains.
///
/// The place of the two-sample test, corrected over the features of one evaluation: `judge` asks after "enough" and before "material". Until
/// the p-values are there nothing is tested and everything passes; `enough` alone keeps 99 % of the noise below the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Significance {
    /// No test was made.
    Untested,
}

impl Significance {
    /// Every answer, for tables and suites.
    pub const ALL: [Self; 1] = [Self::Untested];

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untested => "untested",
        }
    }

    fn of(_measurement: &Measurement) -> Self {
        Self::Untested
    }

    fn passes(self) -> bool {
        match self {
            Self::Untested => true,
        }
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("task", &self.task).field("is_segment", &self.is_segment).finish_non_exhaustive()
    }
}

/// Fills threshold and verdict of every measurement of one stream and window, by the first rule and in it the first condition that fits.
/// What no rule looks at keeps `None`.
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
    for measurement in measurements {
        let fitting = rules.iter().find_map(|rule| Some((rule, rule.condition_for(&scope, measurement)?)));
        if let Some((rule, condition)) = fitting {
            let assessment = assess(condition, rule.resolve_level, mature, measurement);
            measurement.threshold = assessment.threshold;
            measurement.verdict = Some(assessment.verdict);
        }
    }
}

/// What `condition` says of `measurement`, which it fits.
///
/// `resolve_level`: the rule's. `mature`: as for [`judge`].
pub fn assess(condition: &Condition, resolve_level: f64, mature: bool, measurement: &Measurement) -> Assessment {
    let threshold = condition.bound.threshold().level(measurement.on_reference, measurement.sigma);
    let unjudged = |verdict| Assessment { verdict, threshold, standing: Standing::Unjudged };
    let value = match measurement.reading {
        Reading::Undefined(reason) => return unjudged(Verdict::Undefined(reason)),
        Reading::Value(value) => value,
    };
    let Some(level) = threshold else {
        return unjudged(Verdict::Undefined(UndefinedReason::NoReference));
    };
    if !mature && Aspect::of(&measurement.subject, measurement.metric) == Aspect::Outcomes {
        return unjudged(Verdict::Immature);
    }
    let need = need(condition, level, measurement);
    if measurement.n_current < need || need == super::NEVER_ENOUGH {
        return unjudged(Verdict::NotEnough { n: measurement.n_current, need });
    }
    let (verdict, standing) = if !is_beyond(condition.bound, value, level) {
        let clear = is_clear(condition.bound, measurement.metric, value, level, resolve_level);
        (Verdict::Ok, if clear { Standing::Clear } else { Standing::Between })
    } else if Significance::of(measurement).passes() {
        (Verdict::Breach, Standing::Breach)
    } else {
        (Verdict::NotSignificant, Standing::Between)
    };
    Assessment { verdict, threshold, standing }
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
    (scope.kinds)(subject).or(match (subject, scope.task) {
        (Subject::Score, _) | (Subject::Prediction | Subject::Label, Task::Regression) => Some(ColumnKind::Numeric),
        (Subject::Prediction | Subject::Label, Task::Binary | Task::Multiclass) => Some(ColumnKind::Categorical),
        _ => None,
    })
}

fn is_beyond(bound: Bound, value: f64, level: f64) -> bool {
    if bound.is_above() { value > level } else { value < level }
}

/// Whether a value that is not beyond its bound is far enough within it for an alert to resolve. The resolve level takes its share of the bound
/// itself, for a lower bound on a rate of the room left to 1; other lower bounds (throughput, R²) have no such room and resolve at the bound.
fn is_clear(bound: Bound, metric: Metric, value: f64, level: f64, resolve_level: f64) -> bool {
    if resolve_level >= 1.0 || !level.is_finite() {
        return true;
    }
    if bound.is_above() {
        value <= level - level.abs() * (1.0 - resolve_level)
    } else if is_rate(metric) {
        value >= (1.0 - (1.0 - level) * resolve_level).max(level)
    } else {
        true
    }
}

/// Whether the metric lies between 0 and 1 and 1 is its ideal or its end.
fn is_rate(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::Accuracy
            | Metric::Precision
            | Metric::Recall
            | Metric::F1
            | Metric::LabelCoverage
            | Metric::MissingRate
            | Metric::InvalidRate
            | Metric::NewCategoryRate
            | Metric::ErrorRate
    )
}
