//! What must be so before this instance counts as ready, and what a person does where it is not.
//!
//! Invariant: every check has a name and, when it fails, a next step. Who publishes the view decides; here it is only said.

use super::View;
use std::fmt::Write;

/// One thing that readiness asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReadyCheck {
    /// The last snapshot was read, or there was none to read.
    State,
    /// A broker answers and the topics exist.
    Kafka,
    /// Partitions are assigned, or it is known that none are left for this instance.
    Partitions,
    /// Snapshots reach the disk.
    Checkpoint,
    /// The outbox takes notifications.
    Outbox,
}

impl ReadyCheck {
    /// Every check, in the order they are listed.
    pub const ALL: [Self; 5] = [Self::State, Self::Kafka, Self::Partitions, Self::Checkpoint, Self::Outbox];

    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Kafka => "kafka",
            Self::Partitions => "partitions",
            Self::Checkpoint => "checkpoint",
            Self::Outbox => "outbox",
        }
    }
}

/// A check that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady {
    /// Which.
    pub check: ReadyCheck,
    /// Why, with the value at fault.
    pub reason: String,
    /// The next step for a person.
    pub what_to_do: String,
}

impl NotReady {
    /// Names a check that fails, why, and what to do.
    pub fn new(check: ReadyCheck, reason: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self { check, reason: reason.into(), what_to_do: what_to_do.into() }
    }
}

/// The body of `/readyz`: one line that says it, or with `verbose` one line a check.
pub(super) fn report(view: &View, verbose: bool) -> String {
    let mut text = String::new();
    if verbose {
        for check in ReadyCheck::ALL {
            let failed: Vec<_> = view.not_ready.iter().filter(|n| n.check == check).collect();
            if failed.is_empty() {
                writeln!(text, "[ok] {}", check.as_str()).expect("writing to a String does not fail");
            }
            for not_ready in failed {
                writeln!(text, "[no] {}: {}; {}", check.as_str(), not_ready.reason, not_ready.what_to_do)
                    .expect("writing to a String does not fail");
            }
        }
    }
    let mut failed: Vec<_> = view.not_ready.iter().map(|n| n.check.as_str()).collect();
    failed.dedup();
    let failed = failed.join(", ");
    text.push_str(&if failed.is_empty() { "ready\n".to_owned() } else { format!("not ready: {failed}\n") });
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    #[test]
    fn verbose_lists_every_check_and_the_next_step() {
        let mut view = View::starting("test", Timestamp(0));
        view.not_ready = vec![NotReady::new(ReadyCheck::Kafka, "no broker answers at kafka:9092", "check kafka.brokers")];
        assert_eq!(report(&view, false), "not ready: kafka\n");
        let text = report(&view, true);
        assert_eq!(text.lines().count(), ReadyCheck::ALL.len() + 1);
        assert!(text.contains("[no] kafka: no broker answers at kafka:9092; check kafka.brokers\n"), "{text}");
        assert!(text.contains("[ok] state\n"), "{text}");
        view.not_ready.clear();
        assert_eq!(report(&view, false), "ready\n");
    }
}
