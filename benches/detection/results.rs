//! What was counted: alerts on streams without a change, and after how many windows changes were seen.

use crate::peers::{ByPeer, Peer};
use crate::world::World;
use statrs::distribution::{ChiSquared, ContinuousCDF};
use std::collections::BTreeMap;

/// A rule is seen as prompt within as many windows.
const PROMPT: usize = 2;

/// Alerts on one stream without a change.
#[derive(Debug)]
pub(crate) struct Quiet {
    pub(crate) world: World,
    pub(crate) months: usize,
    pub(crate) peer_months: usize,
    pub(crate) ours: u64,
    pub(crate) rules: BTreeMap<String, u64>,
    pub(crate) peers: ByPeer<u64>,
}

/// One change on one stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Case {
    pub(crate) world: World,
    pub(crate) change: &'static str,
    /// Times the documented threshold.
    pub(crate) factor: f64,
    pub(crate) gradual: bool,
}

/// After how many windows each trial of a case was seen.
#[derive(Debug)]
pub(crate) struct Detected {
    pub(crate) case: Case,
    pub(crate) ours: Vec<Option<usize>>,
    pub(crate) peers: Vec<ByPeer<Option<usize>>>,
}

impl Quiet {
    pub(crate) fn new(world: World) -> Self {
        Self { world, months: 0, peer_months: 0, ours: 0, rules: BTreeMap::new(), peers: [0; Peer::ALL.len()] }
    }

    /// The same stream with another reference.
    pub(crate) fn merge(&mut self, other: Self) {
        self.months += other.months;
        self.peer_months += other.peer_months;
        self.ours += other.ours;
        other.rules.into_iter().for_each(|(rule, n)| *self.rules.entry(rule).or_default() += n);
        self.peers.iter_mut().zip(other.peers).for_each(|(mine, theirs)| *mine += theirs);
    }

    pub(crate) fn rate(&self) -> f64 {
        self.ours as f64 / self.months as f64
    }

    pub(crate) fn peer_rate(&self, peer: usize) -> f64 {
        self.peers[peer] as f64 / self.peer_months as f64
    }
}

impl Case {
    pub(crate) fn is(&self, change: &str, factor: f64, gradual: bool) -> bool {
        self.change == change && self.factor == factor && self.gradual == gradual
    }
}

impl Detected {
    pub(crate) fn new(case: Case) -> Self {
        Self { case, ours: Vec::new(), peers: Vec::new() }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.ours.extend(other.ours);
        self.peers.extend(other.peers);
    }

    pub(crate) fn ours_share(&self) -> f64 {
        self.share(self.ours.iter().copied())
    }

    pub(crate) fn peer_share(&self, peer: usize) -> f64 {
        self.share(self.peers.iter().map(|p| p[peer]))
    }

    pub(crate) fn ours_delay(&self) -> String {
        median(self.ours.iter().flatten().copied().collect())
    }

    pub(crate) fn peer_delay(&self, peer: usize) -> String {
        median(self.peers.iter().filter_map(|p| p[peer]).collect())
    }

    /// Share seen within two windows (gradual: within all that were shown).
    fn share(&self, delays: impl Iterator<Item = Option<usize>>) -> f64 {
        let within = if self.case.gradual { usize::MAX } else { PROMPT };
        delays.filter(|delay| delay.is_some_and(|d| d <= within)).count() as f64 / self.ours.len() as f64
    }
}

fn median(mut delays: Vec<usize>) -> String {
    delays.sort_unstable();
    delays.get(delays.len() / 2).map_or("–".to_owned(), usize::to_string)
}

/// The rate that 95 % of counts as low as this one speak against being exceeded (of a Poisson count: ½ χ²₀.₉₅(2k + 2), Garwood 1936).
pub(crate) fn upper_bound(alerts: u64, months: usize) -> f64 {
    let chi = ChiSquared::new(2.0 * alerts as f64 + 2.0).expect("its degrees of freedom are above 0");
    0.5 * chi.inverse_cdf(0.95) / months as f64
}
