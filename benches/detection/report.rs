//! The tables of docs/DETECTION.md, and whether the goals are met.

use crate::peers::Peer;
use crate::world::World;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Most alerts in a model-month that a stream without a change may raise.
const GOAL_QUIET: f64 = 0.1;
/// Share of changes of 1.5 times the threshold that must be seen within two windows of 5,000 rows.
const GOAL_DETECTED: f64 = 0.99;
const PAGE: &str = "docs/DETECTION.md";
const MARKS: (&str, &str) = ("<!-- written by make bench-detection -->\n", "<!-- end of what make bench-detection writes -->");

/// Alerts on one stream without a change.
#[derive(Debug)]
pub(crate) struct Quiet {
    pub(crate) world: World,
    pub(crate) months: usize,
    pub(crate) peer_months: usize,
    pub(crate) ours: u64,
    pub(crate) rules: BTreeMap<String, u64>,
    pub(crate) peers: [u64; Peer::ALL.len()],
}

/// Detections of one change on one stream.
#[derive(Debug)]
pub(crate) struct Detected {
    pub(crate) world: World,
    pub(crate) change: &'static str,
    pub(crate) factor: f64,
    pub(crate) gradual: bool,
    pub(crate) ours: Vec<Option<usize>>,
    pub(crate) peers: Vec<[Option<usize>; Peer::ALL.len()]>,
}

#[derive(Debug)]
pub(crate) struct Report {
    months: usize,
    trials: usize,
    pub(crate) quiet: Vec<Quiet>,
    pub(crate) detected: Vec<Detected>,
}

impl Quiet {
    pub(crate) fn new(world: World, months: usize, peer_months: usize) -> Self {
        Self { world, months, peer_months, ours: 0, rules: BTreeMap::new(), peers: [0; Peer::ALL.len()] }
    }

    fn rate(&self) -> f64 {
        self.ours as f64 / self.months as f64
    }

    fn peer_rate(&self, peer: usize) -> f64 {
        self.peers[peer] as f64 / self.peer_months as f64
    }
}

impl Detected {
    pub(crate) fn new(world: World, change: &'static str, factor: f64, gradual: bool) -> Self {
        Self { world, change, factor, gradual, ours: Vec::new(), peers: Vec::new() }
    }

    pub(crate) fn add(&mut self, ours: Option<usize>, peers: [Option<usize>; Peer::ALL.len()]) {
        self.ours.push(ours);
        self.peers.push(peers);
    }

    /// Share seen within two windows (gradual: within all that were shown).
    fn share(&self, delays: impl Iterator<Item = Option<usize>>) -> f64 {
        let within = if self.gradual { usize::MAX } else { 2 };
        delays.filter(|delay| delay.is_some_and(|d| d <= within)).count() as f64 / self.ours.len() as f64
    }

    fn ours_share(&self) -> f64 {
        self.share(self.ours.iter().copied())
    }

    fn peer_share(&self, peer: usize) -> f64 {
        self.share(self.peers.iter().map(|p| p[peer]))
    }

    fn delay(&self) -> String {
        let mut delays: Vec<usize> = self.ours.iter().flatten().copied().collect();
        delays.sort_unstable();
        delays.get(delays.len() / 2).map_or("–".to_owned(), usize::to_string)
    }
}

fn rows(world: &World) -> String {
    if world.rows.0 == world.rows.1 { world.rows.0.to_string() } else { format!("{}–{}", world.rows.0, world.rows.1) }
}

impl Report {
    pub(crate) fn new(months: usize, trials: usize) -> Self {
        Self { months, trials, quiet: Vec::new(), detected: Vec::new() }
    }

    pub(crate) fn sort(&mut self) {
        self.quiet.sort_by_key(|q| (order(&q.world), q.world.rows.0 < 1000, q.world.features));
        self.detected.sort_by(|a, b| {
            let key = |d: &Detected| (std::cmp::Reverse(d.world.rows.0), order(&d.world), change_order(d.change), d.gradual);
            key(a).cmp(&key(b)).then(a.factor.total_cmp(&b.factor))
        });
    }

    pub(crate) fn markdown(&self) -> String {
        let peers: String = Peer::ALL.iter().map(|peer| format!(" {} |", peer.name())).collect();
        let line = "--:|".repeat(Peer::ALL.len());
        let mut text = format!(
            "### Alerts in a model-month without a change\n\n{} model-months a row ({} for the peers), hourly windows.\n\n| stream | rows a window | features | driftd | which rules |{peers}\n|---|--:|--:|--:|---|{line}\n",
            self.months,
            self.quiet.first().map_or(0, |q| q.peer_months)
        );
        for q in &self.quiet {
            let rules: Vec<String> = q.rules.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
            let peers: String = (0..Peer::ALL.len()).map(|peer| format!(" {:.1} |", q.peer_rate(peer))).collect();
            writeln!(
                text,
                "| {} | {} | {} | **{:.2}** | {} |{peers}",
                q.world.name,
                rows(&q.world),
                q.world.features,
                q.rate(),
                rules.join(", ")
            )
            .expect("writing to a String does not fail");
        }
        write!(
            text,
            "\n### Changes seen\n\n{} trials a row (a fifth of them where the change is gradual), 5 features. Sudden: share seen within two windows. Gradual: over 24 windows, share seen within 48. A share in brackets: the rule fires on the unchanged stream more than {GOAL_QUIET} times a month, and more often than driftd.\n\n| stream | rows a window | change | size | driftd | delay |{peers}\n|---|--:|---|--:|--:|--:|{line}\n",
            self.trials
        )
        .expect("writing to a String does not fail");
        for d in &self.detected {
            let size = format!("{}×{}", d.factor, if d.gradual { ", gradual" } else { "" });
            let peers: String = (0..Peer::ALL.len())
                .map(|peer| {
                    let share = format!("{:.0} %", 100.0 * d.peer_share(peer));
                    if self.is_quiet(peer, &d.world) { format!(" {share} |") } else { format!(" ({share}) |") }
                })
                .collect();
            writeln!(
                text,
                "| {} | {} | {} | {size} | **{:.1} %** | {} |{peers}",
                d.world.name,
                rows(&d.world),
                d.change,
                100.0 * d.ours_share(),
                d.delay()
            )
            .expect("writing to a String does not fail");
        }
        text
    }

    /// Whether a peer's rule is as quiet as driftd on the unchanged stream of that kind (5 features, 1,000 rows).
    fn is_quiet(&self, peer: usize, world: &World) -> bool {
        let of_kind = self.quiet.iter().find(|q| q.world.name == world.name && q.world.features == 5 && q.world.rows.0 == 1000);
        of_kind.is_none_or(|q| q.peer_rate(peer) <= q.rate().max(GOAL_QUIET))
    }

    /// The goals that are not met.
    pub(crate) fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        for q in self.quiet.iter().filter(|q| q.rate() > GOAL_QUIET) {
            missed.push(format!(
                "{}, {} rows, {} features: {:.2} alerts a month",
                q.world.name,
                rows(&q.world),
                q.world.features,
                q.rate()
            ));
        }
        for d in &self.detected {
            let what = format!("{}, {} rows, {} {}×", d.world.name, rows(&d.world), d.change, d.factor);
            if d.factor == 1.5 && !d.gradual && d.world.rows.0 == 5000 && d.world.name == "i.i.d." && d.ours_share() < GOAL_DETECTED {
                missed.push(format!("{what}: {:.1} % within two windows", 100.0 * d.ours_share()));
            }
            for (peer, name) in Peer::ALL.iter().enumerate() {
                if self.is_quiet(peer, &d.world) && d.peer_share(peer) > d.ours_share() {
                    missed.push(format!(
                        "{what}: {} sees {:.1} %, driftd {:.1} %",
                        name.name(),
                        100.0 * d.peer_share(peer),
                        100.0 * d.ours_share()
                    ));
                }
            }
        }
        missed
    }
}

fn order(world: &World) -> usize {
    ["i.i.d.", "autocorrelated, ρ = 0.6", "autocorrelated, ρ = 0.9", "daily season", "weekly season"]
        .iter()
        .position(|name| *name == world.name)
        .unwrap_or(usize::MAX)
}

fn change_order(change: &str) -> usize {
    crate::CHANGES.iter().position(|name| *name == change).unwrap_or(usize::MAX)
}

/// Puts the tables into the page.
pub(crate) fn write(text: &str) {
    let page = std::fs::read_to_string(PAGE).expect("the page is there");
    let (head, rest) = page.split_once(MARKS.0).expect("the page has its mark");
    let (_, tail) = rest.split_once(MARKS.1).expect("the page has its second mark");
    std::fs::write(PAGE, format!("{head}{}{text}{}{tail}", MARKS.0, MARKS.1)).expect("the page can be written");
}
