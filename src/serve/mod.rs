//! HTTP over an immutable view: probes, metrics and a readable status.
//!
//! Invariant: a request reads the last published `View` and never the engine; nothing here can slow or stop the watching.
//! It does not judge anything either: what is ready, what drifted and what fires is said by whoever publishes the view.

mod connection;
#[cfg(test)]
mod docs;
mod heartbeat;
mod http;
mod metrics;
mod process;
mod readiness;
mod route;
mod status;
mod view;

pub use heartbeat::Heartbeat;
pub use http::serve;
pub use metrics::render_metrics;
pub use process::ProcessFacts;
pub use readiness::{NotReady, ReadyCheck};
pub use route::{Route, markdown_table};
pub use status::Status;
pub use view::{
    AlertPhase, AlertView, CheckpointView, EventCounts, JoinView, MAX_ALERTS, MAX_SERIES, NotificationCounts, OutboxView, PartitionView,
    ReadingView, StreamView, View, WindowView, WorstView,
};
