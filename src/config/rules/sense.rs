//! A condition that could never judge anything is a mistake, and a silent one: it is refused.

use super::table::Table;
use crate::engine::catalogue::Family;
use crate::engine::metric::{Baseline, Metric, Subject};
use crate::engine::settings::{ColumnKind, Task};
use crate::engine::verdict::{Condition, SubjectPattern, Threshold};

/// Notes what keeps `condition` from ever judging.
pub(super) fn check_sense(block: &Table<'_>, condition: &Condition) {
    let Condition { subject, metric, kind, task, bound, against, confident, .. } = condition;
    let name = metric.as_str();
    if !is_measured_on(*metric, subject) {
        block.refuse("metric", format!("{name:?} is not measured on this subject"));
    }
    let needs = match metric {
        Metric::Ks | Metric::OutOfRangeRate => Some(ColumnKind::Numeric),
        Metric::NewCategoryRate => Some(ColumnKind::Categorical),
        Metric::Mmd => Some(ColumnKind::Vector),
        _ => None,
    };
    if let (Some(needs), Some(kind)) = (needs, kind)
        && needs != *kind
    {
        block.refuse("kind", format!("{name:?} is measured on {} columns only", needs.as_str()));
    }
    let in_numbers = *subject == SubjectPattern::Exactly(Subject::Latency) || *task == Some(Task::Regression);
    if metric.needs_answers() && in_numbers {
        let message = format!("{name:?} works on right and wrong answers, not on numbers: write adwin, page_hinkley, kswin or cusum");
        block.refuse("metric", message);
    }
    let trails = *against != Baseline::Reference;
    if trails && !is_of_bins(*metric) {
        let names: Vec<_> = Metric::ALL.iter().filter(|metric| is_of_bins(**metric)).map(|metric| metric.as_str()).collect();
        block.refuse("against", format!("{name:?} is compared with the reference only; over bins are {}", names.join(", ")));
    }
    let key = if bound.is_above() { "above" } else { "below" };
    if matches!(bound.threshold(), Threshold::Reference { .. }) {
        if !has_reference(*metric) {
            block.refuse(key, format!("follows the reference, which has no {name:?} of its own: write a number"));
        } else if trails {
            block.refuse(key, format!("follows the reference, but is against {}: write a number", against.as_str()));
        }
    }
    if *confident && !has_interval(*metric) {
        block.refuse("confident", format!("{name:?} has no confidence interval: quality and fairness have one"));
    }
}

fn is_measured_on(metric: Metric, subject: &SubjectPattern) -> bool {
    match subject {
        SubjectPattern::AnyFeature => matches!(metric.family(), Family::Distance | Family::Rate),
        SubjectPattern::Exactly(exactly) => exactly.carries(metric),
    }
}

/// Whether the metric is one of quality, of labelled predictions.
pub(super) fn is_quality(metric: Metric) -> bool {
    matches!(metric.family(), Family::Classes | Family::Numbers | Family::Ranking)
}

/// Whether a reference can have the figure, or its spread from window to window: not what is about requests, arrival and order.
fn has_reference(metric: Metric) -> bool {
    let is_known = match metric.family() {
        Family::Distance | Family::Rate | Family::Inputs | Family::Fairness => true,
        Family::Data | Family::Arrival | Family::Service | Family::Detector => false,
        Family::Classes | Family::Numbers | Family::Ranking => true,
    };
    // by their definition 0 on the reference
    is_known && !matches!(metric, Metric::Constant)
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

fn has_interval(metric: Metric) -> bool {
    is_quality(metric) || metric.family() == Family::Fairness
}
