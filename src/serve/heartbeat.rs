//! When the engine last turned, shared between its loop and the liveness probe.
//!
//! Invariant: monotonic time, so that a set clock kills nobody; and no word about Kafka or receivers, so that a broker's outage restarts nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// The last turn of the engine's loop. Clones share it.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    origin: Instant,
    last_ms: Arc<AtomicI64>,
    limit: Duration,
}

impl Heartbeat {
    /// After this long without a turn the process counts as stuck.
    pub const LIMIT: Duration = Duration::from_secs(30);

    /// A heartbeat that has just beaten; `limit` is the longest healthy time between two beats.
    pub fn new(limit: Duration) -> Self {
        Self { origin: Instant::now(), last_ms: Arc::new(AtomicI64::new(0)), limit }
    }

    /// Says that the loop turned. To be called at every turn, at least every few seconds.
    pub fn beat(&self) {
        self.last_ms.store(self.elapsed_ms(), Ordering::Relaxed);
    }

    /// Time since the last turn.
    pub fn age(&self) -> Duration {
        let ms = self.elapsed_ms().saturating_sub(self.last_ms.load(Ordering::Relaxed));
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }

    /// Whether the loop still turns.
    pub fn is_alive(&self) -> bool {
        self.age() <= self.limit
    }

    fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.origin.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::new(Self::LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_death_and_a_beat_is_life() {
        let heartbeat = Heartbeat::new(Duration::from_millis(20));
        let engine = heartbeat.clone();
        assert!(heartbeat.is_alive());
        std::thread::sleep(Duration::from_millis(40));
        assert!(!heartbeat.is_alive());
        engine.beat();
        assert!(heartbeat.is_alive());
    }
}
