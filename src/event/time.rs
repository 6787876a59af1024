//! Event time in milliseconds.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A point of event time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

/// A text that is no RFC 3339 timestamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 timestamp: {0:?}")]
pub struct TimestampError(pub String);

impl Timestamp {
    /// Before every event.
    pub const MIN: Self = Self(i64::MIN);
    /// After every event.
    pub const MAX: Self = Self(i64::MAX);

    /// Milliseconds since the epoch.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This time plus `ms`, kept within range.
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// This time minus `ms`, kept within range.
    #[must_use]
    pub fn minus(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// Milliseconds from `earlier` to this time.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The start of the slot of length `step_ms` that holds this time; slots are aligned with the epoch, before it too.
    #[must_use]
    pub fn floor(self, step_ms: i64) -> Self {
        Self(self.0.saturating_sub(self.0.rem_euclid(step_ms)))
    }

    /// Parses RFC 3339 (`2026-11-22T09:40:00.123Z`, any offset); finer than a millisecond is cut off.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        text.parse::<jiff::Timestamp>()
            .map(|t| Self(t.as_nanosecond().div_euclid(1_000_000) as i64))
            .map_err(|_| TimestampError(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(t) => write!(f, "{t:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let t = Timestamp::parse("2026-11-22T10:40:00.1239+01:00").unwrap();
        assert_eq!(t.to_string(), "2026-11-22T09:40:00.123Z");
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert!(Timestamp::parse("yesterday").is_err());
    }

    #[test]
    fn floor_holds_before_the_epoch() {
        assert_eq!(Timestamp(-1).floor(1000), Timestamp(-1000));
        assert_eq!(Timestamp(-1000).floor(1000), Timestamp(-1000));
        assert_eq!(Timestamp(1999).floor(1000), Timestamp(1000));
    }
}
