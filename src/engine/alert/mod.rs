//! inactive → pending → firing → resolved, and what is owed to whom because of it.

mod facts;
mod outbox;

pub use facts::{AlertFacts, AlertState, Incident, OffsetSpan, RetrainFacts, Transition, Worst};
pub use outbox::{Body, Delivery, FailureReason, Notification, NotifyReason, Outbox};
