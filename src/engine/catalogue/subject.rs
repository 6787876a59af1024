//! What a measurement is about.

use super::Metric;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// What a measurement is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// An input.
    Feature(Arc<str>),
    /// The model's answers.
    Prediction,
    /// The score of the positive class.
    Score,
    /// The truth.
    Label,
    /// Answers against truth.
    Quality,
    /// Answers against truth for one class against the rest.
    ClassQuality(Arc<str>),
    /// What the answers would have been worth at another decision threshold than the model's own (as written: `0.3`).
    QualityAt(Arc<str>),
    /// Quality as the scores or predictions let expect it, before labels arrive.
    EstimatedQuality,
    /// Prediction minus label.
    Residual,
    /// The segments of one feature against each other.
    Fairness(Arc<str>),
    /// The stream of right and wrong answers, in the order in which labels come.
    Errors,
    /// The stream of latencies, in the order in which requests come.
    Latency,
    /// Latency, throughput, errors.
    Service,
    /// The data itself.
    Data,
    /// All inputs together.
    Features,
}

/// What is measured of one class against the rest.
pub const OF_ONE_CLASS: &[Metric] = &[
    Metric::Precision,
    Metric::Recall,
    Metric::F1,
    Metric::FBeta,
    Metric::Specificity,
    Metric::RocAuc,
    Metric::PrAuc,
    Metric::Brier,
    Metric::CalibrationError,
    Metric::Matthews,
    Metric::SelectionRate,
];

/// What hangs on the decision threshold of a binary model.
pub const OF_THRESHOLD: &[Metric] = &[
    Metric::Accuracy,
    Metric::BalancedAccuracy,
    Metric::Precision,
    Metric::Recall,
    Metric::F1,
    Metric::FBeta,
    Metric::Specificity,
    Metric::Matthews,
    Metric::SelectionRate,
    Metric::BusinessValue,
];

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feature(name) => write!(f, "feature:{name}"),
            Self::Prediction => f.write_str("prediction"),
            Self::Score => f.write_str("score"),
            Self::Label => f.write_str("label"),
            Self::Quality => f.write_str("quality"),
            Self::ClassQuality(class) => write!(f, "quality:{class}"),
            Self::QualityAt(threshold) => write!(f, "quality@{threshold}"),
            Self::EstimatedQuality => f.write_str("estimated_quality"),
            Self::Residual => f.write_str("residual"),
            Self::Fairness(feature) => write!(f, "fairness:{feature}"),
            Self::Errors => f.write_str("errors"),
            Self::Latency => f.write_str("latency"),
            Self::Service => f.write_str("service"),
            Self::Data => f.write_str("data"),
            Self::Features => f.write_str("features"),
        }
    }
}

impl Subject {
    /// The subject of that name.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(threshold) = text.strip_prefix("quality@") {
            let score = threshold.parse::<f64>().ok()?;
            return (0.0..=1.0).contains(&score).then(|| Self::QualityAt(threshold.into()));
        }
        Some(match text.split_once(':') {
            Some(("feature", name)) if !name.is_empty() => Self::Feature(name.into()),
            Some(("quality", class)) if !class.is_empty() => Self::ClassQuality(class.into()),
            Some(("fairness", feature)) if !feature.is_empty() => Self::Fairness(feature.into()),
            Some(_) => return None,
            None => match text {
                "prediction" => Self::Prediction,
                "score" => Self::Score,
                "label" => Self::Label,
                "quality" => Self::Quality,
                "estimated_quality" => Self::EstimatedQuality,
                "residual" => Self::Residual,
                "errors" => Self::Errors,
                "latency" => Self::Latency,
                "service" => Self::Service,
                "data" => Self::Data,
                "features" => Self::Features,
                _ => return None,
            },
        })
    }
}
