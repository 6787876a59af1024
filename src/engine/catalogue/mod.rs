//! The vocabulary of measuring: every metric and every subject by name. Data only; how a metric is computed stands in `stats` and `metric`.

mod measured;
mod metric;
mod signal;
mod subject;

pub use metric::{Family, Metric, MetricSet, Range, markdown_table};
pub use signal::Signal;
pub use subject::{OF_ONE_CLASS, OF_THRESHOLD, Subject};
