//! inactive → pending → firing → resolved, and what is owed to whom because of it.
//!
//! `Alerts` turns judged windows into steps of alerts and into notifications, `Outbox` keeps these until they are delivered, `RetrainGate` decides whether
//! a wish for a retraining is granted. All three are state: one snapshot holds them together with the panes they speak about.

mod episode;
mod explain;
mod facts;
mod findings;
mod incident;
mod inhibition;
mod machine;
mod notification;
mod outbox;
mod retrain;
mod track;

pub use explain::{Cause, CauseKind, Explanation, Insight, MAX_SEGMENTS, Moved, SegmentShare};
pub use facts::{AlertFacts, AlertState, Incident, OffsetSpan, RetrainFacts, Transition, Worst};
pub use machine::{Alerts, Judged, Observed};
pub use notification::{Body, Delivery, FailureReason, Notification, NotifyReason};
pub use outbox::Outbox;
pub use retrain::{Admission, RetrainGate, retrain_reason};

use crate::engine::metric::WindowFacts;
use crate::event::Timestamp;
