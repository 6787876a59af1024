//! What is owed to the world: the words. `Outbox` keeps them.

use super::{AlertFacts, RetrainFacts};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One message to one receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The idempotency key: the same over every retry and restart. No `.` in it (Standard Webhooks).
    pub id: Arc<str>,
    /// Name of the receiver in the configuration.
    pub receiver: Arc<str>,
    /// Why it is sent.
    pub reason: NotifyReason,
    /// What it says.
    pub body: Body,
}

/// What a notification says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// To people.
    Alert(AlertFacts),
    /// To a pipeline.
    Retrain(RetrainFacts),
}

/// Why a notification is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NotifyReason {
    /// The alert began to fire.
    Firing,
    /// It still fires, and the repeat interval has passed.
    Repeat,
    /// It is over.
    Resolved,
    /// A retraining is asked for.
    Retrain,
}

impl NotifyReason {
    /// Every reason, for tables and suites.
    pub const ALL: [Self; 4] = [Self::Firing, Self::Repeat, Self::Resolved, Self::Retrain];

    /// The name used in output and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Repeat => "repeat",
            Self::Resolved => "resolved",
            Self::Retrain => "retrain",
        }
    }
}

/// What became of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver has it.
    Accepted,
    /// Not now; again after this many milliseconds at the earliest where the receiver said so.
    Retry {
        /// Why.
        reason: FailureReason,
        /// The receiver's own wish (`Retry-After`), in milliseconds.
        after_ms: Option<i64>,
    },
    /// Never: the same message would be refused again.
    Refused(FailureReason),
}

/// Why an attempt failed, a metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FailureReason {
    /// No connection, or it broke.
    Network,
    /// No answer in time.
    Timeout,
    /// 429.
    RateLimited,
    /// 5xx.
    ServerError,
    /// 401 or 403.
    AuthError,
    /// 410, or a channel that no longer exists.
    Gone,
    /// Any other answer that is not success.
    ClientError,
    /// The message could not be built (a template failed), or no such receiver is configured any more.
    Unbuildable,
}

impl FailureReason {
    /// Every reason, for tables and suites.
    pub const ALL: [Self; 8] = [
        Self::Network,
        Self::Timeout,
        Self::RateLimited,
        Self::ServerError,
        Self::AuthError,
        Self::Gone,
        Self::ClientError,
        Self::Unbuildable,
    ];

    /// The name used in output and metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::AuthError => "auth_error",
            Self::Gone => "gone",
            Self::ClientError => "client_error",
            Self::Unbuildable => "unbuildable",
        }
    }
}
