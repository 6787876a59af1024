//! When a failed notification is tried again: a pure function of how often it was tried and of its id.
//!
//! 1 s, 2 s, 4 s … 32 s, then every minute; after about half an hour of trying, every five minutes, for as long as the outbox keeps it.
//! Each delay is shortened by up to a quarter so that notifications that failed together do not come back together. The share depends on the id and the
//! attempt only, so a restart computes the same times.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Attempts up to here wait at most [`LONGEST_MS`]: six while it doubles, the rest one a minute less jitter (52.5 s on average), about 30 minutes in all.
const PATIENT_AFTER: u32 = 39;
const FIRST_MS: i64 = 1_000;
const LONGEST_MS: i64 = 60_000;
const PATIENT_MS: i64 = 300_000;

/// Milliseconds to wait after attempt number `attempt` (0 is the first) of the notification `id` has failed.
///
/// Between three quarters of the nominal delay and the whole of it. A receiver's own `Retry-After` may ask for more, never for less.
pub fn backoff_ms(attempt: u32, id: &str) -> i64 {
    let nominal = match attempt {
        0..6 => FIRST_MS << attempt,
        6..PATIENT_AFTER => LONGEST_MS,
        _ => PATIENT_MS,
    };
    let quarter = nominal / 4;
    let less = xxh3_64_with_seed(id.as_bytes(), u64::from(attempt)) % (quarter.unsigned_abs() + 1);
    nominal - i64::try_from(less).unwrap_or(quarter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_a_minute_then_waits_five() {
        for (attempt, nominal) in [(0, 1_000), (1, 2_000), (5, 32_000), (6, 60_000), (38, 60_000), (39, 300_000), (u32::MAX, 300_000)] {
            let ms = backoff_ms(attempt, "0011223344556677-1-slack");
            assert!(ms <= nominal && ms >= nominal * 3 / 4, "attempt {attempt}: {ms}");
        }
    }

    #[test]
    fn the_first_half_hour_is_tried_often() {
        for id in ["a", "b", "c", "d"] {
            let total: i64 = (0..PATIENT_AFTER).map(|n| backoff_ms(n, id)).sum();
            assert!((25 * 60_000..35 * 60_000).contains(&total), "{total}");
        }
    }

    #[test]
    fn is_the_same_every_time_and_differs_between_ids() {
        assert_eq!(backoff_ms(7, "x"), backoff_ms(7, "x"));
        let distinct: std::collections::BTreeSet<i64> = (0..50).map(|i| backoff_ms(7, &format!("id-{i}"))).collect();
        assert!(distinct.len() > 40);
    }
}
