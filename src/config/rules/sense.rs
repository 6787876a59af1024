//! A condition that could never judge anything is a mistake, and a silent one: it is refused.

use super::table::Table;
use crate::engine::catalogue::Family;
use crate::engine::metric::{Baseline, Metric, Subject};
use crate::engine::settings::{ColumnKind, Task};
use crate::engine::verdict::{Condition, SubjectPattern, Threshold};

/// Notes what keeps `condition` from ever judging.
pub(super) fn check_sense(block: &Table<'_>, condition: &Condition) {
    let Condition { subject, metric, bound, against, confident, .. } = condition;
    let name = metric.as_str();
    check_place(block, condition);
    let trails = *against != Baseline::Reference;
    if trails && !is_of_bins(*metric) {
        let names: Vec<_> = Metric::ALL.iter().filter(|metric| is_of_bins(**metric)).map(|metric| metric.as_str()).collect();
        block.refuse("against", format!("{name:?} is compared with the reference only; over bins are {}", names.join(", ")));
    }
    if trails && matches!(subject, SubjectPattern::Exactly(Subject::Label | Subject::Residual)) {
        block.refuse("against", "is for inputs and answers: labels are compared with the reference only".to_owned());
    }
    let key = if bound.is_above() { "above" } else { "below" };
    if matches!(bound.threshold(), Threshold::Reference { .. }) {
        if !has_reference(*metric) {
            block.refuse(key, format!("follows the reference, which has no {name:?} of its own: write a number"));
        } else if trails {
            block.refuse(key, format!("follows the reference, but is against {}: write a number", against.as_str()));
        }
    }
    if *confident && !has_interval(subject, *metric) {
        block.refuse("confident", format!("{name:?} has no confidence interval, so this would never fire: {WITH_INTERVAL}"));
    }
}

const WITH_INTERVAL: &str = "quality (but r2, mape and expected_calibration_error), fairness, label_coverage and error_rate have one";

/// Notes where nothing is measured: no metric of this subject, of such columns, of such models.
fn check_place(block: &Table<'_>, condition: &Condition) {
    let Condition { subject, metric, kind, task, .. } = condition;
    let (name, any_feature) = (metric.as_str(), Subject::Feature("*".into()));
    let subject = match subject {
        SubjectPattern::AnyFeature => &any_feature,
        SubjectPattern::Exactly(subject) => subject,
    };
    let has = |task: Option<Task>, kind| Task::ALL.into_iter().any(|t| task.is_none_or(|task| task == t) && subject.has(*metric, t, kind));
    let in_numbers = *subject == Subject::Latency || *subject == Subject::Errors && *task == Some(Task::Regression);
    if metric.needs_answers() && in_numbers {
        let message = format!("{name:?} works on right and wrong answers, not on numbers: write adwin, page_hinkley, kswin or cusum");
        block.refuse("metric", message);
    } else if !has(None, None) {
        block.refuse("metric", format!("{name:?} is not measured on this subject"));
    } else if !has(None, *kind) {
        let kinds: Vec<_> = ColumnKind::ALL.into_iter().filter(|kind| has(None, Some(*kind))).map(ColumnKind::as_str).collect();
        let message = if kinds.is_empty() {
            format!("narrows columns, and {subject} is none: leave it out")
        } else {
            format!("{name:?} is measured on {} columns only", kinds.join(" and "))
        };
        block.refuse("kind", message);
    } else if *task == Some(Task::Ranking) && *subject == Subject::Errors {
        block.refuse("subject", "is nothing of a ranking: a list is not right or wrong as a whole".to_owned());
    } else if !has(*task, *kind) {
        let tasks: Vec<_> = Task::ALL.into_iter().filter(|task| has(Some(*task), *kind)).map(Task::as_str).collect();
        block.refuse("task", format!("{name:?} is measured on this subject of {} models only", tasks.join(" and ")));
    }
}

/// Whether the metric is one of quality, of labelled predictions.
pub(super) fn is_quality(metric: Metric) -> bool {
    matches!(metric.family(), Family::Classes | Family::Numbers | Family::Ranking)
}

/// Whether a reference can have the figure, or its spread from window to window: not what is about requests, arrival and order, nor what is about lists,
/// which are no columns; nor what segments say of each other, which a reference does not keep apart, nor the share of drifted features, which is one of
/// verdicts.
fn has_reference(metric: Metric) -> bool {
    let is_known = match metric.family() {
        Family::Distance | Family::Rate | Family::Inputs => true,
        Family::Fairness | Family::Data | Family::Arrival | Family::Service | Family::Detector | Family::Ranking => false,
        Family::Classes | Family::Numbers => true,
    };
    // by their definition 0 on the reference
    is_known && !matches!(metric, Metric::Constant | Metric::DriftedShare)
}

/// Whether the metric compares shares of bins or categories, which two windows have in common: nothing else is kept of a window that is over.
fn is_of_bins(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::Psi
            | Metric::TotalVariation
            | Metric::JensenShannon
            | Metric::Hellinger
            | Metric::KullbackLeibler
            | Metric::LInfinity
            | Metric::ChiSquare
            | Metric::CramersV
    )
}

/// R² would take sums of products of errors and labels, MAPE is ruled by a few labels near 0, the calibration error is biased upwards in small windows.
fn has_interval(subject: &SubjectPattern, metric: Metric) -> bool {
    let without = matches!(metric, Metric::R2 | Metric::Mape | Metric::CalibrationError);
    let is_estimated = *subject == SubjectPattern::Exactly(Subject::EstimatedQuality);
    let has_one = is_quality(metric) || metric.family() == Family::Fairness || matches!(metric, Metric::LabelCoverage | Metric::ErrorRate);
    has_one && (is_estimated || !without)
}
