//! What driftd says about itself: logs, and the names of its own Prometheus metrics.
//!
//! Invariant: nothing here knows another room; a metric's name, help, type and labels stand in one place.
//! The values are rendered by `serve`.

mod log;
mod metric_name;
mod settings;

pub use log::{LogError, init};
pub use metric_name::{MetricKind, MetricName, markdown_table};
pub use settings::LogFormat;
