//! Every metric by name.

use serde::{Deserialize, Serialize};

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident => $text:literal,)*) => {
        /// Every metric. The name is the contract: it stands in rules, output, API and metric labels.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Metric { $($(#[$doc])* $name,)* }

        impl Metric {
            /// Every metric, for tables and suites.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name used in configuration and output.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The metric of that name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|m| m.as_str() == name)
            }
        }
    };
}

metrics! {
    /// Population stability index over bins, Jeffreys-smoothed.
    Psi => "psi",
    /// Kolmogorov–Smirnov distance sup|F−G|.
    Ks => "ks",
    /// Total variation distance ½Σ|p−q| (numeric columns: over bins).
    TotalVariation => "total_variation",
    /// Share of nulls and absent keys (0 to 1).
    MissingRate => "missing_rate",
    /// Share of values that could not be used (0 to 1).
    InvalidRate => "invalid_rate",
    /// Share of valid values whose category the reference does not have (0 to 1).
    NewCategoryRate => "new_category_rate",
    /// Share of labelled predictions that are right (0 to 1).
    Accuracy => "accuracy",
    /// Share of positive predictions that are right; multiclass: mean over the classes that occur.
    Precision => "precision",
    /// Share of positives that were found; multiclass: mean over the classes that occur.
    Recall => "recall",
    /// Harmonic mean of precision and recall; multiclass: mean over the classes that occur.
    F1 => "f1",
    /// Mean absolute error, in the label's unit.
    Mae => "mae",
    /// Root of the mean squared error, in the label's unit.
    Rmse => "rmse",
    /// Coefficient of determination.
    R2 => "r2",
    /// Share of predictions that have a label (0 to 1).
    LabelCoverage => "label_coverage",
    /// Median time from prediction to label, in seconds.
    LabelDelayP50 => "label_delay_p50_seconds",
    /// 95th percentile of the time from prediction to label, in seconds.
    LabelDelayP95 => "label_delay_p95_seconds",
    /// Median latency, in milliseconds.
    LatencyP50 => "latency_p50_ms",
    /// 95th percentile of the latency, in milliseconds.
    LatencyP95 => "latency_p95_ms",
    /// 99th percentile of the latency, in milliseconds.
    LatencyP99 => "latency_p99_ms",
    /// Requests per second of the model, all its versions together.
    Throughput => "throughput_rps",
    /// Share of failed requests (0 to 1).
    ErrorRate => "error_rate",
}
