//! The two clocks of a window.

use crate::engine::metric::{Metric, Subject};
use serde::{Deserialize, Serialize};

/// When a figure can be judged: what went in and out when the watermark passes the window, what was true once its labels are mature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Aspect {
    /// Features, predictions, scores, service figures.
    Inputs,
    /// Labels and quality.
    Outcomes,
}

impl Aspect {
    /// Every aspect, for tables and suites.
    pub const ALL: [Self; 2] = [Self::Inputs, Self::Outcomes];

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Outcomes => "outcomes",
        }
    }

    /// The clock by which `metric` of `subject` is judged.
    pub fn of(subject: &Subject, metric: Metric) -> Self {
        let by_labels = matches!(metric, Metric::LabelCoverage | Metric::LabelDelayP50 | Metric::LabelDelayP95);
        match subject {
            Subject::Label | Subject::Quality | Subject::ClassQuality(_) | Subject::Fairness(_) => Self::Outcomes,
            _ if by_labels => Self::Outcomes,
            _ => Self::Inputs,
        }
    }
}
