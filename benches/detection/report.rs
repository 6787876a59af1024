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

/// How much of all changes of one stream is seen.
#[derive(Debug)]
struct Front {
    world: World,
    n: f64,
    ours: f64,
    peers: [f64; Peer::ALL.len()],
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
        let (peers, line) = peer_heads();
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
        text.push_str(&self.front_table());
        text.push_str(&self.change_table());
        text
    }

    /// One row a stream: how quiet, and how much of all sudden changes.
    fn front_table(&self) -> String {
        let (peers, line) = peer_heads();
        let mut text = format!(
            "\n### Quietness against detection\n\nAlerts in a model-month without a change (5 features, 1,000 rows), and share of all sudden changes, of all kinds and sizes, that are seen within two windows ({} trials of each). A share in brackets: the rule is not as quiet as driftd, or as {GOAL_QUIET} a month.\n\n| stream | rows a window | driftd |{peers}\n|---|--:|--:|{line}\n",
            self.trials
        );
        for front in self.fronts() {
            let quiet = self.quiet_of(&front.world);
            let ours = format!("**{:.2}: {:.1} %**", quiet.map_or(0.0, Quiet::rate), 100.0 * front.ours);
            let peers: String = (0..Peer::ALL.len())
                .map(|peer| {
                    let cell = format!("{:.1}: {:.1} %", quiet.map_or(0.0, |q| q.peer_rate(peer)), 100.0 * front.peers[peer]);
                    if self.is_quiet(peer, &front.world) { format!(" {cell} |") } else { format!(" ({cell}) |") }
                })
                .collect();
            writeln!(text, "| {} | {} | {ours} |{peers}", front.world.name, rows(&front.world)).expect("writing to a String does not fail");
        }
        let above: Vec<String> = self
            .detected
            .iter()
            .flat_map(|d| Peer::ALL.iter().enumerate().map(move |(peer, name)| (d, peer, name)))
            .filter(|(d, peer, _)| !d.gradual && self.is_quiet(*peer, &d.world) && d.peer_share(*peer) > d.ours_share())
            .map(|(d, peer, name)| {
                let (theirs, ours) = (100.0 * d.peer_share(peer), 100.0 * d.ours_share());
                format!(
                    "{}, {} rows, {} {}×: {} {theirs:.0} %, driftd {ours:.0} %",
                    d.world.name,
                    rows(&d.world),
                    d.change,
                    d.factor,
                    name.name()
                )
            })
            .collect();
        if !above.is_empty() {
            text.push_str(&format!("\nSingle changes of which a rule as quiet sees more:\n\n- {}\n", above.join("\n- ")));
        }
        text
    }

    /// One row a stream and change.
    fn change_table(&self) -> String {
        let (peers, line) = peer_heads();
        let mut text = format!(
            "\n### Changes seen\n\n{} trials of each size (a fifth of them where the change is gradual), 5 features; delays are medians, in windows. Other tools: 1.5×, sudden, within two windows.\n\n| stream | rows a window | change | driftd 1× | 1.5× | 3× | 1.5× over 24 windows, seen within 48 |{peers}\n|---|--:|---|--:|--:|--:|--:|{line}\n",
            self.trials
        );
        for d in self.detected.iter().filter(|d| d.factor == 1.5 && !d.gradual) {
            let of = |factor: f64, gradual: bool| {
                let same = |o: &&Detected| rows(&o.world) == rows(&d.world) && o.world.name == d.world.name && o.change == d.change;
                let found = self.detected.iter().filter(same).find(|o| o.factor == factor && o.gradual == gradual);
                found.map_or(String::new(), |o| format!("{:.0} % ({})", 100.0 * o.ours_share(), o.delay()))
            };
            let peers: String = (0..Peer::ALL.len())
                .map(|peer| {
                    let share = format!("{:.0} %", 100.0 * d.peer_share(peer));
                    if self.is_quiet(peer, &d.world) { format!(" {share} |") } else { format!(" ({share}) |") }
                })
                .collect();
            let (one, half, three, gradual) = (of(1.0, false), of(1.5, false), of(3.0, false), of(1.5, true));
            writeln!(text, "| {} | {} | {} | {one} | **{half}** | {three} | {gradual} |{peers}", d.world.name, rows(&d.world), d.change)
                .expect("writing to a String does not fail");
        }
        text
    }

    /// Mean shares of all sudden changes by stream.
    fn fronts(&self) -> Vec<Front> {
        let mut fronts: Vec<Front> = Vec::new();
        for d in self.detected.iter().filter(|d| !d.gradual) {
            let same = |f: &&mut Front| f.world.name == d.world.name && rows(&f.world) == rows(&d.world);
            let front = match fronts.iter_mut().find(same) {
                Some(front) => front,
                None => {
                    fronts.push(Front { world: d.world, n: 0.0, ours: 0.0, peers: [0.0; Peer::ALL.len()] });
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

    /// The unchanged stream of that kind, with 5 features and 1,000 rows.
    fn quiet_of(&self, world: &World) -> Option<&Quiet> {
        self.quiet.iter().find(|q| q.world.name == world.name && q.world.features == 5 && q.world.rows.0 == 1000)
    }

    /// Whether a peer's rule is as quiet as driftd on the unchanged stream of that kind (5 features, 1,000 rows).
    fn is_quiet(&self, peer: usize, world: &World) -> bool {
        self.quiet_of(world).is_none_or(|q| q.peer_rate(peer) <= q.rate().max(GOAL_QUIET))
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
        }
        for front in self.fronts() {
            for (peer, name) in Peer::ALL.iter().enumerate().filter(|(peer, _)| self.is_quiet(*peer, &front.world)) {
                if front.peers[peer] > front.ours {
                    let (theirs, ours) = (100.0 * front.peers[peer], 100.0 * front.ours);
                    missed.push(format!(
                        "{}, {} rows: {} sees {theirs:.1} %, driftd {ours:.1} %",
                        front.world.name,
                        rows(&front.world),
                        name.name()
                    ));
                }
            }
        }
        missed
    }
}

/// The heads of the peers' columns, and the line under them.
fn peer_heads() -> (String, String) {
    (Peer::ALL.iter().map(|peer| format!(" {} |", peer.name())).collect(), "--:|".repeat(Peer::ALL.len()))
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
