//! What is measured on what, of which models: the one table that rules, the documentation and the suite of the metrics go by.
//!
//! Invariant: a combination that is not in it has no reading in any window, and one that is in it has one, a number or the reason why there is none.

use super::{Family, Metric, OF_ONE_CLASS, OF_THRESHOLD, Subject};
use crate::engine::settings::{ColumnKind, Task};

impl Metric {
    /// Whether it is a distance that has a meaning for columns of that kind. N-grams of a text depend on each other, so what is a test of independent
    /// values is none for them; vectors have a distance of their own.
    pub fn compares(self, kind: ColumnKind) -> bool {
        use Metric::{ChiSquare, CramersV, Hellinger, JensenShannon, KullbackLeibler, LInfinity, Mmd, Psi, TotalVariation};
        let of_shares = matches!(self, Psi | TotalVariation | JensenShannon | Hellinger | KullbackLeibler | LInfinity);
        match kind {
            ColumnKind::Numeric => self.family() == Family::Distance && self != Mmd,
            ColumnKind::Categorical => of_shares || matches!(self, ChiSquare | CramersV),
            ColumnKind::Text => of_shares,
            ColumnKind::Vector => self == Mmd,
        }
    }

    /// Whether it is a rate of columns of that kind. N-grams and events do not add up to one: the other columns of a text tell how many are missing.
    fn is_rate_of(self, kind: ColumnKind) -> bool {
        match self {
            Self::MissingRate | Self::InvalidRate => kind != ColumnKind::Text,
            Self::NewCategoryRate => kind == ColumnKind::Categorical,
            Self::OutOfRangeRate => kind == ColumnKind::Numeric,
            Self::Constant => matches!(kind, ColumnKind::Numeric | ColumnKind::Categorical),
            _ => false,
        }
    }

    /// Whether it says nothing of two classes that another figure does not: pooled decisions are the accuracy, and the areas of both classes against each other
    /// are one.
    fn is_of_several(self) -> bool {
        use Metric::{F1Micro, FBetaMicro, PrAucWeighted, PrecisionMicro, RecallMicro, RocAucWeighted, SpecificityMicro};
        matches!(self, PrecisionMicro | RecallMicro | F1Micro | FBetaMicro | SpecificityMicro | RocAucWeighted | PrAucWeighted)
    }
}

impl Subject {
    /// Whether windows of a model of that task have a reading of `metric` on it. `kind` narrows to columns of that kind, `None` does not; what is no column
    /// has no kind.
    pub fn has(&self, metric: Metric, task: Task, kind: Option<ColumnKind>) -> bool {
        if let Self::Feature(_) = self {
            let of_kind = |kind: ColumnKind| metric.compares(kind) || metric.is_rate_of(kind);
            return kind.map_or_else(|| ColumnKind::ALL.into_iter().any(of_kind), of_kind);
        }
        let own = self.kind(task);
        if kind.is_some() && kind != own {
            return false;
        }
        let compares = own.is_some_and(|kind| metric.compares(kind));
        let classifies = matches!(task, Task::Binary | Task::Multiclass);
        match self {
            Self::Feature(_) => false,
            // what answers are unknown to the label map is invalid
            Self::Prediction | Self::Score => {
                compares || metric != Metric::NewCategoryRate && own.is_some_and(|kind| metric.is_rate_of(kind))
            }
            // they are joined, so none is missing or invalid
            Self::Label | Self::Residual => compares,
            Self::Quality => match metric.family() {
                Family::Classes if task == Task::Binary => !metric.is_of_several(),
                // a selection rate is one class's
                Family::Classes => task == Task::Multiclass && metric != Metric::SelectionRate,
                Family::Numbers => task == Task::Regression,
                Family::Ranking => task == Task::Ranking,
                Family::Arrival => true,
                _ => false,
            },
            Self::ClassQuality(_) => classifies && OF_ONE_CLASS.contains(&metric),
            Self::QualityAt(_) => task == Task::Binary && OF_THRESHOLD.contains(&metric),
            Self::EstimatedQuality => {
                metric.is_estimated()
                    && match metric.family() {
                        Family::Classes => classifies,
                        _ => task == Task::Regression,
                    }
            }
            // of several classes none is the positive one
            Self::Fairness(_) => {
                let of_positive = matches!(metric, Metric::SelectionRateDifference | Metric::SelectionRateRatio);
                metric.family() == Family::Fairness && (task == Task::Binary || task == Task::Multiclass && !of_positive)
            }
            // a list is not right or wrong as a whole
            Self::Errors => metric.family() == Family::Detector && (classifies || task == Task::Regression && !metric.needs_answers()),
            Self::Latency => metric.family() == Family::Detector && !metric.needs_answers(),
            Self::Service => metric.family() == Family::Service,
            Self::Data => metric.family() == Family::Data,
            Self::Features => metric.family() == Family::Inputs,
        }
    }

    /// The kind of the column behind an output; `None`: it is an input, whose kind the reference knows, or no column of a model of that task.
    pub fn kind(&self, task: Task) -> Option<ColumnKind> {
        match (self, task) {
            (Self::Score, Task::Binary) | (Self::Prediction | Self::Label | Self::Residual, Task::Regression) => Some(ColumnKind::Numeric),
            (Self::Prediction | Self::Label, Task::Binary | Task::Multiclass) => Some(ColumnKind::Categorical),
            _ => None,
        }
    }

    /// Whether `metric` is measured on it, of models of some task.
    pub fn carries(&self, metric: Metric) -> bool {
        Task::ALL.into_iter().any(|task| self.has(metric, task, None))
    }
}

/// The subjects on which a metric is measured, as a rule writes them; in brackets the only columns or models.
pub(super) fn subjects_of(metric: Metric) -> String {
    let subjects = [
        ("`feature:<name>`, `feature:*`", Subject::Feature("x".into())),
        ("`prediction`", Subject::Prediction),
        ("`score`", Subject::Score),
        ("`label`", Subject::Label),
        ("`residual`", Subject::Residual),
        ("`quality`", Subject::Quality),
        ("`quality:<class>`", Subject::ClassQuality("x".into())),
        ("`quality@<threshold>`", Subject::QualityAt("0.5".into())),
        ("`estimated_quality`", Subject::EstimatedQuality),
        ("`fairness:<feature>`", Subject::Fairness("x".into())),
        ("`errors`", Subject::Errors),
        ("`latency`", Subject::Latency),
        ("`service`", Subject::Service),
        ("`data`", Subject::Data),
        ("`features`", Subject::Features),
    ];
    let only = |narrowed: Vec<&'static str>, all: usize| {
        if narrowed.len() < all { format!(" ({})", narrowed.join(", ")) } else { String::new() }
    };
    let carried = subjects.into_iter().filter(|(_, subject)| subject.carries(metric)).map(|(name, subject)| {
        let kinds: Vec<_> = ColumnKind::ALL.into_iter().filter(|&kind| subject.has(metric, Task::Binary, Some(kind))).collect();
        let known = |task: &Task| Metric::ALL.iter().any(|&any| subject.has(any, *task, None));
        let tasks: Vec<_> = Task::ALL.into_iter().filter(|&task| subject.has(metric, task, None)).map(Task::as_str).collect();
        match subject {
            Subject::Feature(_) => name.to_owned() + &only(kinds.into_iter().map(ColumnKind::as_str).collect(), ColumnKind::ALL.len()),
            _ => name.to_owned() + &only(tasks, Task::ALL.iter().filter(|task| known(task)).count()),
        }
    });
    carried.collect::<Vec<_>>().join(", ")
}
