//! One clock's part of an alert: how many windows of each subject breached, how many of the whole have been clear since.
//!
//! Invariants: only windows that do not overlap are counted, breaching and clear ones apart from each other; one subject's breaches never confirm
//! another's (of a hundred features one breaches by chance now, and another one next time). There are at most as many suspects as the model has subjects.

use super::findings::{Findings, Ground, MAX_WORST};
use super::{Explanation, Timestamp, WindowFacts, Worst};
use crate::engine::metric::Subject;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// After this many window lengths without a breach or an all-clear an unconfirmed suspect is forgotten.
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
    /// What was beyond its bound: while the alert is pending, until it is judged within it; once it fires, until it is over. Never empty.
    suspects: BTreeMap<Subject, Suspect>,
    /// End of the last breaching window.
    last_end: Timestamp,
    /// Clear windows since, that do not overlap.
    clear_windows: u32,
    /// End of the last one that was counted.
    clear_end: Timestamp,
    /// What was beyond its bound in the last breaching window, worst first.
    pub worst: Vec<Worst>,
    /// How many subjects that were.
    pub n_breaching: u64,
    /// Why, once the alert fires.
    pub explanation: Option<Explanation>,
}

/// A subject that was beyond its bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Suspect {
    /// Start of its first breaching window.
    since: Timestamp,
    /// Its breaching windows that do not overlap, by whatever metric.
    windows: u32,
    /// End of the last one that was counted.
    counted_end: Timestamp,
    /// End of its last breaching window, counted or not.
    last_end: Timestamp,
    /// How far it was beyond its bound in that window, as [`Worst::excess`].
    excess: f64,
    /// By what: each must be judged, and clear, before a window counts as clear.
    grounds: BTreeSet<Ground>,
}

impl Breach {
    /// Start of the first breaching window of what is still suspected.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.suspects.values().map(|suspect| suspect.since).min()
    }

    /// Whether one subject has had as many breaching windows.
    pub(super) fn is_confirmed(&self, confirm: u32) -> bool {
        self.suspects.values().any(|suspect| suspect.windows >= confirm)
    }

    /// Whether the subject was beyond its bound and has not been cleared.
    pub(super) fn suspects(&self, subject: &Subject) -> bool {
        self.suspects.contains_key(subject)
    }

    /// How far everything was beyond its bound in the last breaching window.
    pub(super) fn excess(&self) -> f64 {
        self.suspects.values().filter(|suspect| suspect.last_end == self.last_end).map(|suspect| suspect.excess).sum()
    }

    fn is_silent(&self, findings: &Findings) -> bool {
        self.suspects.iter().any(|(subject, suspect)| findings.is_silent(subject, &suspect.grounds))
    }

    /// Takes every subject out that was judged and is within its bound: its count begins anew.
    fn acquit_calm(&mut self, findings: &Findings) {
        self.suspects.retain(|subject, suspect| !findings.is_calm(subject, &suspect.grounds));
        self.worst.retain(|worst| self.suspects.contains_key(&worst.subject));
        self.n_breaching = self.suspects.values().filter(|suspect| suspect.last_end == self.last_end).count() as u64;
    }
}

impl Track {
    /// The breach that is not over yet.
    pub(super) fn breach(&self) -> Option<&Breach> {
        self.breach.as_ref()
    }

    /// Takes a breaching window. `pending`: whether the alert is not confirmed yet, so that subjects within their bound are suspected no more.
    pub(super) fn take_breach(&mut self, window: &WindowFacts, findings: Findings, pending: bool) {
        self.n_judged = findings.n_judged();
        let breach = self.breach.get_or_insert_with(|| Breach {
            suspects: BTreeMap::new(),
            last_end: window.end,
            clear_windows: 0,
            clear_end: window.start,
            worst: Vec::new(),
            n_breaching: 0,
            explanation: None,
        });
        if pending {
            breach.acquit_calm(&findings);
        }
        let excesses = findings.excesses();
        for (subject, grounds) in findings.beyond() {
            let suspect = breach.suspects.entry(subject.clone()).or_insert_with(|| Suspect {
                since: window.start,
                windows: 0,
                counted_end: window.start,
                last_end: window.end,
                excess: 0.0,
                grounds: BTreeSet::new(),
            });
            if window.start >= suspect.counted_end {
                suspect.windows = suspect.windows.saturating_add(1);
                suspect.counted_end = window.end;
            }
            suspect.last_end = window.end;
            suspect.excess = excesses.get(subject).copied().unwrap_or_default();
            suspect.grounds.extend(grounds);
        }
        breach.last_end = window.end;
        breach.clear_windows = 0;
        breach.n_breaching = findings.beyond().count() as u64;
        breach.worst = findings.breaching;
        breach.worst.truncate(MAX_WORST);
    }

    /// Says why it was beyond its bound in the breaching window that was taken last.
    pub(super) fn explain(&mut self, of: impl FnOnce(&[Worst]) -> Option<Explanation>) {
        if let Some(breach) = &mut self.breach {
            breach.explanation = of(&breach.worst);
        }
    }

    /// Takes a judged window without a breach. `settled`: clear windows that end the breach; `None`: the alert is pending, and whatever was judged is
    /// suspected no more.
    pub(super) fn take_calm(&mut self, window: &WindowFacts, findings: &Findings, settled: Option<u32>) {
        self.n_judged = findings.n_judged();
        let Some(breach) = &mut self.breach else { return };
        let is_over = match settled {
            // no data is never no drift: what was beyond its bound and has not been seen within it stays
            None => {
                breach.acquit_calm(findings);
                breach.suspects.is_empty()
            }
            Some(_) if findings.any_between => {
                breach.clear_windows = 0;
                false
            }
            Some(_) if breach.is_silent(findings) => false,
            Some(needed) => {
                if breach.clear_windows == 0 || window.start >= breach.clear_end {
                    breach.clear_windows += 1;
                    breach.clear_end = window.end;
                }
                breach.clear_windows >= needed.max(1)
            }
        };
        if is_over {
            self.breach = None;
        }
    }

    /// Forgets what was never confirmed and of which nothing was heard for too long. Returns whether that ended the breach.
    pub(super) fn expire(&mut self, window: &WindowFacts, confirm: u32) -> bool {
        let Some(breach) = &mut self.breach else { return false };
        let quiet_ms = window.end.since(window.start).saturating_mul(QUIET_WINDOWS);
        breach.suspects.retain(|_, suspect| suspect.windows >= confirm || window.end.since(suspect.last_end) <= quiet_ms);
        let is_over = breach.suspects.is_empty();
        if is_over {
            self.breach = None;
        }
        is_over
    }
}
