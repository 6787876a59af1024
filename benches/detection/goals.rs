//! What is held, and what is only listed.
//!
//! Held: the quiet of every stream, the changes of 1.5× on large independent windows, and that no rule as quiet sees more of all sudden changes of a stream
//! together. Listed: changes of 1.5× that are missed on other large windows, and single changes of which a rule as quiet sees more.

use crate::peers::{ByPeer, Peer};
use crate::report::{Report, rows, title};
use crate::results::{Detected, Quiet};
use crate::watcher::Setup;
use crate::world::World;

/// Most alerts in a model-month that a stream without a change may raise.
pub(crate) const GOAL_QUIET: f64 = 0.1;
/// Share of changes of 1.5 times the threshold that must be seen within two windows of 5,000 rows.
const GOAL_DETECTED: f64 = 0.99;

/// How much of all sudden changes of one stream is seen.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) world: World,
    n: f64,
    pub(crate) ours: f64,
    pub(crate) peers: ByPeer<f64>,
}

impl Report {
    /// Mean shares of all sudden changes by stream.
    pub(crate) fn fronts(&self) -> Vec<Front> {
        let mut fronts: Vec<Front> = Vec::new();
        for d in self.detected.iter().filter(|d| !d.case.gradual) {
            let front = match fronts.iter_mut().find(|f| f.world == d.case.world) {
                Some(front) => front,
                None => {
                    fronts.push(Front { world: d.case.world, n: 0.0, ours: 0.0, peers: [0.0; Peer::ALL.len()] });
                    fronts.last_mut().expect("one was pushed")
                }
            };
            front.n += 1.0;
            front.ours += d.ours_share();
            front.peers.iter_mut().enumerate().for_each(|(peer, sum)| *sum += d.peer_share(peer));
        }
        for front in &mut fronts {
            front.ours /= front.n;
            front.peers.iter_mut().for_each(|sum| *sum /= front.n);
        }
        fronts
    }

    /// What the very stream does where nothing changes: the same kind, rows a window, features and setup.
    pub(crate) fn quiet_of(&self, world: &World) -> Option<&Quiet> {
        self.quiet.iter().find(|q| q.world == *world)
    }

    /// Whether a peer's rule is as quiet as driftd on that stream, or as the goal.
    pub(crate) fn is_quiet(&self, peer: usize, world: &World) -> bool {
        self.quiet_of(world).is_some_and(|q| q.peer_months > 0 && q.peer_rate(peer) <= q.rate().max(GOAL_QUIET))
    }

    /// The goals that are not met.
    pub(crate) fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        for q in self.quiet.iter().filter(|q| q.rate() > GOAL_QUIET) {
            missed.push(format!("{}: {:.2} alerts a month", place(&q.world), q.rate()));
        }
        for d in self.short_of_goal().filter(|d| d.case.world.name == "i.i.d.") {
            missed.push(format!("{}, {} 1.5×: {:.0} % within two windows", place(&d.case.world), d.case.change, 100.0 * d.ours_share()));
        }
        for front in self.fronts() {
            for (peer, name) in Peer::ALL.iter().enumerate().filter(|(peer, _)| self.is_quiet(*peer, &front.world)) {
                if front.peers[peer] > front.ours {
                    let (theirs, ours) = (100.0 * front.peers[peer], 100.0 * front.ours);
                    missed.push(format!("{}: {} sees {theirs:.1} %, driftd {ours:.1} %", place(&front.world), name.name()));
                }
            }
        }
        missed
    }

    /// Sudden changes of 1.5× that are seen too rarely within two windows of 5,000 rows.
    fn short_of_goal(&self) -> impl Iterator<Item = &Detected> {
        let large = self.detected.iter().filter(|d| !d.case.gradual && d.case.factor == 1.5 && d.case.world.rows.0 == 5000);
        large.filter(|d| d.ours_share() < GOAL_DETECTED)
    }

    /// What the page lists below the table of fronts.
    pub(crate) fn lists(&self) -> String {
        let short: Vec<String> = self
            .short_of_goal()
            .filter(|d| d.case.world.setup == Setup::Hourly)
            .map(|d| format!("{}, {}: {:.0} %", place(&d.case.world), d.case.change, 100.0 * d.ours_share()))
            .collect();
        let mut behind = Vec::new();
        for d in self.detected.iter().filter(|d| !d.case.gradual && d.case.world.setup == Setup::Hourly) {
            let ours = d.ours_share();
            let theirs = Peer::ALL.iter().enumerate().filter(|(peer, _)| self.is_quiet(*peer, &d.case.world) && d.peer_share(*peer) > ours);
            let theirs: Vec<String> = theirs.map(|(peer, name)| format!("{} {:.0} %", name.name(), 100.0 * d.peer_share(peer))).collect();
            if !theirs.is_empty() {
                let (place, case) = (place(&d.case.world), d.case);
                behind.push(format!("{place}, {} {}×: {}; driftd {:.0} %", case.change, case.factor, theirs.join(", "), 100.0 * ours));
            }
        }
        let list = |head: &str, lines: &[String]| {
            if lines.is_empty() { format!("\n{head}: none.\n") } else { format!("\n{head}:\n\n- {}\n", lines.join("\n- ")) }
        };
        list("Sudden changes of 1.5× of which less than 99 % are seen within two windows of 5,000 rows", &short)
            + &list("Single changes of which a rule as quiet sees more", &behind)
    }
}

fn place(world: &World) -> String {
    format!("{}, {} rows, {} features", title(world), rows(world), world.features)
}
