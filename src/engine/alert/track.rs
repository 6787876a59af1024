//! One clock's part of an alert: how many windows breached, how many have been clear since.
//!
//! Invariant: only windows that do not overlap are counted, breaching and clear ones apart from each other.

use super::findings::{Findings, MAX_WORST};
use super::{Timestamp, WindowFacts, Worst};
use crate::engine::metric::{Metric, Subject};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// After this many window lengths without a breach or an all-clear an unconfirmed breach is forgotten.
const QUIET_WINDOWS: i64 = 10;

/// One clock's part of an alert.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Track {
    breach: Option<Breach>,
    /// Subjects judged in the last window that was judged.
    pub n_judged: u64,
}

/// From the first breaching window until enough clear ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Breach {
    /// Start of the first breaching window.
    pub since: Timestamp,
    /// Breaching windows that do not overlap.
    pub windows: u32,
    /// End of the last one that was counted.
    counted_end: Timestamp,
    /// End of the last breaching window, counted or not.
    last_end: Timestamp,
    /// Clear windows since, that do not overlap.
    clear_windows: u32,
    /// End of the last one that was counted.
    clear_end: Timestamp,
    /// Everything that was beyond its bound: it must be judged, and clear, before a window counts as clear.
    suspects: BTreeSet<(Subject, Metric)>,
    /// What was beyond its bound in the last breaching window, worst first.
    pub worst: Vec<Worst>,
    /// How many subjects that were.
    pub n_breaching: u64,
}

impl Track {
    /// The breach that is not over yet.
    pub(super) fn breach(&self) -> Option<&Breach> {
        self.breach.as_ref()
    }

    /// Takes a breaching window.
    pub(super) fn take_breach(&mut self, window: &WindowFacts, findings: Findings) {
        self.n_judged = findings.n_judged;
        let breach = self.breach.get_or_insert_with(|| Breach {
            since: window.start,
            windows: 0,
            counted_end: window.start,
            last_end: window.end,
            clear_windows: 0,
            clear_end: window.start,
            suspects: BTreeSet::new(),
            worst: Vec::new(),
            n_breaching: 0,
        });
        if window.start >= breach.counted_end {
            breach.windows = breach.windows.saturating_add(1);
            breach.counted_end = window.end;
        }
        breach.last_end = window.end;
        breach.clear_windows = 0;
        breach.suspects.extend(findings.breaching.iter().map(|worst| (worst.subject.clone(), worst.metric)));
        breach.n_breaching = findings.n_breaching;
        breach.worst = findings.breaching;
        breach.worst.truncate(MAX_WORST);
    }

    /// Takes a judged window without a breach. `settled`: clear windows that end the breach; `None`: any window without a breach ends it (pending).
    pub(super) fn take_calm(&mut self, window: &WindowFacts, findings: &Findings, settled: Option<u32>) {
        self.n_judged = findings.n_judged;
        let Some(breach) = &mut self.breach else { return };
        let silent = breach.suspects.iter().any(|suspect| findings.unjudged.contains(suspect));
        match settled {
            // no data is never no drift: what was beyond its bound has not been seen within it
            None if silent => {}
            None => self.breach = None,
            Some(_) if findings.any_between => breach.clear_windows = 0,
            Some(_) if silent => {}
            Some(needed) => {
                if breach.clear_windows == 0 || window.start >= breach.clear_end {
                    breach.clear_windows += 1;
                    breach.clear_end = window.end;
                }
                if breach.clear_windows >= needed.max(1) {
                    self.breach = None;
                }
            }
        }
    }

    /// Forgets a breach that was never confirmed and of which nothing was heard for too long. Returns what was forgotten.
    pub(super) fn expire(&mut self, window: &WindowFacts, confirm: u32) -> Option<Breach> {
        let length = window.end.since(window.start);
        self.breach.take_if(|breach| {
            let quiet = window.end.since(breach.last_end) > length.saturating_mul(QUIET_WINDOWS);
            breach.windows < confirm && quiet
        })
    }
}
