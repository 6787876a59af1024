//! One stream with one reference: months without a change, and trials of every change.

use crate::changes::{CHANGES, Change, FACTORS, faded, sized};
use crate::grid::Row;
use crate::peers::{ByPeer, Peer, Peers};
use crate::results::{Case, Detected, Quiet};
use crate::watcher::{Prepared, Setup, Watcher};
use crate::world::{REFERENCE_HOURS, Stream, World};

/// Hours of a model-month.
const MONTH: usize = 30 * 24;
const WEEK: usize = 7 * 24;
/// Hours of a trial before the change where nothing asks for more.
const BEFORE: usize = 2;
/// Hours of a trial after a sudden change; sparse windows are not always enough to be judged, and take longer.
const AFTER_SUDDEN: usize = 4;
const AFTER_SPARSE: usize = 24;
/// Hours in which a gradual change comes, and hours after its beginning.
pub(crate) const FADE: usize = 24;
pub(crate) const AFTER_GRADUAL: usize = 36;

/// What a stream was seen to do.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) quiet: Quiet,
    pub(crate) detected: Vec<Detected>,
}

/// The share of a row that falls to one reference.
pub(crate) fn run(row: &Row, reference: usize) -> Found {
    let mut stream = Stream::new(row.world, 1 + reference as u64, 0);
    let hours: Vec<_> = (0..REFERENCE_HOURS).map(|_| stream.next_hour(Change::None)).collect();
    let prepared = Prepared::new(row.world, &hours);
    // a setup of driftd's has no other tools beside it: theirs are in the row of the plain stream
    let peers = (row.world.setup == Setup::Hourly).then(|| Peers::new(&hours));
    drop(hours);
    let mine = |n: usize| (reference..n).step_by(row.references);
    let mut quiet = Quiet::new(row.world);
    for month in mine(row.months) {
        let peers = peers.as_ref().filter(|_| month < row.peer_months);
        listen(&prepared, peers, row.world, month, &mut quiet);
    }
    let mut detected = Vec::new();
    for trial in mine(row.trials) {
        detect(&prepared, peers.as_ref(), row, trial, &mut detected);
    }
    Found { quiet, detected }
}

/// A month without a change.
fn listen(prepared: &Prepared, peers: Option<&Peers>, world: World, month: usize, quiet: &mut Quiet) {
    let (mut stream, mut watcher) = (Stream::new(world, 1000 + month as u64, 0), Watcher::new(prepared, 0));
    // last week is there from the beginning, where it is asked for; an alert in that week counts too
    let before = if world.setup == Setup::LastWeek { WEEK } else { 0 };
    let mut last = [false; Peer::ALL.len()];
    for hour in 0..before + MONTH {
        let rows = stream.next_hour(Change::None);
        quiet.ours += watcher.watch(&rows);
        if let Some(peers) = peers.filter(|_| hour >= before) {
            let now = peers.alerts(&rows);
            for (peer, (now, last)) in now.iter().zip(&last).enumerate() {
                // an alert lasts until the first quiet hour
                quiet.peers[peer] += u64::from(*now && !last);
            }
            last = now;
        }
    }
    quiet.months += 1;
    quiet.peer_months += usize::from(peers.is_some());
    for (rule, n) in watcher.fired {
        *quiet.rules.entry(rule.to_string()).or_default() += n;
    }
}

/// Every change from one place of one stream, the same rows otherwise.
fn detect(prepared: &Prepared, peers: Option<&Peers>, row: &Row, trial: usize, found: &mut Vec<Detected>) {
    let world = row.world;
    // at another hour of the week each time: 61 has no factor in common with 168
    let hour = trial * 61 % WEEK;
    let (mut stream, mut watcher) = (Stream::new(world, 50_000 + trial as u64, hour), Watcher::new(prepared, hour));
    for _ in 0..if world.setup == Setup::LastWeek { WEEK } else { BEFORE } {
        watcher.watch(&stream.next_hour(Change::None));
    }
    for change in CHANGES {
        for factor in FACTORS {
            for gradual in [false, true] {
                if gradual && trial >= row.gradual_trials {
                    continue;
                }
                let case = Case { world, change, factor, gradual };
                let (ours, theirs) = seen(case, stream.clone(), watcher.fork(), peers);
                let detected = match found.iter_mut().find(|d| d.case == case) {
                    Some(detected) => detected,
                    None => {
                        found.push(Detected::new(case));
                        found.last_mut().expect("one was pushed")
                    }
                };
                detected.ours.push(ours);
                detected.peers.push(theirs);
            }
        }
    }
}

/// After how many hours of the change each rule fired first. Of the other tools an alert of that hour counts, whether the change is its cause or not.
fn seen(case: Case, mut stream: Stream, mut watcher: Watcher, peers: Option<&Peers>) -> (Option<usize>, ByPeer<Option<usize>>) {
    let change = sized(case.change, case.factor);
    let after = match (case.gradual, case.world.rows.0 < 1000) {
        (true, _) => AFTER_GRADUAL,
        (false, true) => AFTER_SPARSE,
        (false, false) => AFTER_SUDDEN,
    };
    let (mut ours, mut theirs) = (None, [None; Peer::ALL.len()]);
    for hour in 1..=after {
        let now = if case.gradual { faded(change, (hour as f64 / FADE as f64).min(1.0)) } else { change };
        let rows = stream.next_hour(now);
        if ours.is_none() && watcher.watch(&rows) > 0 {
            ours = Some(hour);
        }
        if let Some(peers) = peers.filter(|_| theirs.iter().any(Option::is_none)) {
            for (first, alert) in theirs.iter_mut().zip(peers.alerts(&rows)) {
                if alert && first.is_none() {
                    *first = Some(hour);
                }
            }
        }
        if ours.is_some() && (peers.is_none() || theirs.iter().all(Option::is_some)) {
            break;
        }
    }
    (ours, theirs)
}
