//! Streams of single values that change detectors watch.

use super::{Metric, Subject};
use serde::{Deserialize, Serialize};

/// A stream of single values, one for each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Signal {
    /// Answers by the first label that each got, in the order in which labels are joined: 1 wrong, 0 right; regression: the absolute error.
    Errors,
    /// Latencies in milliseconds, in the order of the requests.
    Latency,
}

impl Signal {
    /// Every signal, for tables and suites.
    pub const ALL: [Self; 2] = [Self::Errors, Self::Latency];

    /// The subject under which its changes are measured.
    pub fn subject(self) -> Subject {
        match self {
            Self::Errors => Subject::Errors,
            Self::Latency => Subject::Latency,
        }
    }

    /// The signal behind a subject; `None`: none is.
    pub fn of(subject: &Subject) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.subject() == *subject)
    }
}

impl Metric {
    /// Whether it is a change detector that works on right and wrong answers only, and not on numbers of any size.
    pub fn needs_answers(self) -> bool {
        matches!(self, Self::Ddm | Self::Eddm | Self::HddmA | Self::HddmW)
    }
}
