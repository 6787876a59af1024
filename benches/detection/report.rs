//! The tables of docs/DETECTION.md.

use crate::changes::{CHANGES, FACTORS};
use crate::goals::GOAL_QUIET;
use crate::grid::Row;
use crate::peers::Peer;
use crate::results::{Detected, Quiet, upper_bound};
use crate::trials::{AFTER_GRADUAL, FADE, Found};
use crate::watcher::Setup;
use crate::world::World;
use std::fmt::Write as _;

const PAGE: &str = "docs/DETECTION.md";
const MARKS: (&str, &str) = ("<!-- written by make bench-detection -->\n", "<!-- end of what make bench-detection writes -->");
const WRITES: &str = "writing to a String does not fail";

#[derive(Debug)]
pub(crate) struct Report {
    grid: Vec<Row>,
    pub(crate) quiet: Vec<Quiet>,
    pub(crate) detected: Vec<Detected>,
}

/// Rows of a window, as the tables have them.
pub(crate) fn rows(world: &World) -> String {
    if world.rows.0 == world.rows.1 { world.rows.0.to_string() } else { format!("{}–{}", world.rows.0, world.rows.1) }
}

/// The stream, and how it is watched where that is not as the others are.
pub(crate) fn title(world: &World) -> String {
    match world.setup {
        Setup::Hourly => world.name.to_owned(),
        Setup::FiveMinutes => format!("{}, slide of 5 minutes", world.name),
        Setup::LastWeek => format!("{}, with a rule on last week", world.name),
    }
}

impl Report {
    /// Puts together what was found with each reference, in the order of the grid.
    pub(crate) fn new(grid: Vec<Row>, found: impl Iterator<Item = Found>) -> Self {
        let (mut quiet, mut detected): (Vec<Quiet>, Vec<Detected>) = (Vec::new(), Vec::new());
        for found in found {
            match quiet.iter_mut().find(|q| q.world == found.quiet.world) {
                Some(same) => same.merge(found.quiet),
                None => quiet.push(found.quiet),
            }
            for new in found.detected {
                match detected.iter_mut().find(|d| d.case == new.case) {
                    Some(same) => same.merge(new),
                    None => detected.push(new),
                }
            }
        }
        Self { grid, quiet, detected }
    }

    pub(crate) fn markdown(&self) -> String {
        self.quiet_table() + &self.front_table() + &self.lists() + &self.our_table() + &self.peer_table()
    }

    /// One row a stream: alerts where nothing changes.
    fn quiet_table(&self) -> String {
        let (peers, line) = peer_heads();
        let mut text = format!(
            "### Alerts in a model-month without a change\n\nThree references a row, two where there are 100 features. Months in brackets: of the other tools, where they are fewer. \
             \"At most\": a higher rate would show more alerts in as many months with 95 % probability.\n\n\
             | stream | rows a window | features | months | driftd | at most | which rules |{peers}\n|---|--:|--:|--:|--:|--:|---|{line}\n"
        );
        for q in &self.quiet {
            let rules: Vec<String> = q.rules.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
            let months = match q.peer_months {
                0 => q.months.to_string(),
                n if n == q.months => n.to_string(),
                n => format!("{} ({n})", q.months),
            };
            let peers: String = (0..Peer::ALL.len())
                .map(|peer| if q.peer_months == 0 { " |".to_owned() } else { format!(" {:.1} |", q.peer_rate(peer)) })
                .collect();
            let (stream, rows, most) = (title(&q.world), rows(&q.world), upper_bound(q.ours, q.months));
            let (features, rate, rules) = (q.world.features, q.rate(), rules.join(", "));
            writeln!(text, "| {stream} | {rows} | {features} | {months} | **{rate:.2}** | {most:.2} | {rules} |{peers}").expect(WRITES);
        }
        let (alerts, months) = self.quiet.iter().fold((0, 0), |(a, m), q| (a + q.ours, m + q.months));
        let (rate, most) = (alerts as f64 / months as f64, upper_bound(alerts, months));
        writeln!(text, "\nAll rows together: {alerts} alerts of driftd in {months} model-months, {rate:.3} a month, at most {most:.3}.")
            .expect(WRITES);
        text
    }

    /// One row a stream: how quiet, and how much of all sudden changes.
    fn front_table(&self) -> String {
        let (peers, line) = peer_heads();
        let mut text = format!(
            "\n### Quietness against detection\n\nAlerts in a model-month without a change, on the same stream with the same rows a window, and share of all \
             sudden changes, of all kinds and sizes, that are seen within two windows. In brackets: the rule is not as quiet as driftd, or as \
             {GOAL_QUIET} a month.\n\n| stream | rows a window | features | driftd |{peers}\n|---|--:|--:|--:|{line}\n"
        );
        for front in self.fronts() {
            let Some(quiet) = self.quiet_of(&front.world) else { continue };
            let peers: String = (0..Peer::ALL.len())
                .map(|peer| {
                    let cell = format!("{:.1}: {:.1} %", quiet.peer_rate(peer), 100.0 * front.peers[peer]);
                    self.cell(peer, &front.world, cell)
                })
                .collect();
            let (stream, rows, features) = (title(&front.world), rows(&front.world), front.world.features);
            let (rate, ours) = (quiet.rate(), 100.0 * front.ours);
            writeln!(text, "| {stream} | {rows} | {features} | **{rate:.2}: {ours:.1} %** |{peers}").expect(WRITES);
        }
        text
    }

    /// driftd's detections: one row a stream and change.
    fn our_table(&self) -> String {
        let mut text = format!(
            "\n### Changes seen by driftd\n\nSudden: share seen within two windows. Gradual, over {FADE} windows: share seen within {AFTER_GRADUAL}. In \
             brackets the median delay in windows, of those that were seen at all (sudden: within 4, sparse 24). Trials: of each sudden \
             change, and of each gradual one.\n\n| stream | rows a window | features | trials | change | 1× | 1.5× | 3× | gradual 1× | 1.5× | 3× |\n\
             |---|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|\n"
        );
        for (row, change) in self.cases() {
            let of = |gradual: bool, factor: f64| {
                let found = self.find(row, change, factor, gradual);
                found.map_or(" |".to_owned(), |d| {
                    let cell = format!("{:.0} % ({})", 100.0 * d.ours_share(), d.ours_delay());
                    if factor == 1.5 && !gradual { format!(" **{cell}** |") } else { format!(" {cell} |") }
                })
            };
            let cells: String = [false, true].into_iter().flat_map(|gradual| FACTORS.map(|factor| of(gradual, factor))).collect();
            let (stream, rows, features) = (title(&row.world), rows(&row.world), row.world.features);
            let trials = format!("{}, {}", row.trials, row.gradual_trials);
            writeln!(text, "| {stream} | {rows} | {features} | {trials} | {change} |{cells}").expect(WRITES);
        }
        text
    }

    /// The other tools' detections: one row a stream and change.
    fn peer_table(&self) -> String {
        let (peers, line) = peer_heads();
        let mut text = format!(
            "\n### Changes seen by the other tools' rules\n\nShare of sudden changes of 1×, 1.5× and 3× that are seen within two windows; then the median delay in \
             windows at 1.5×, sudden, and gradual where that was tried. In brackets: the rule is not as quiet as driftd, or as {GOAL_QUIET} a \
             month.\n\n| stream | rows a window | features | change |{peers}\n|---|--:|--:|---|{line}\n"
        );
        for (row, change) in self.cases().filter(|(row, _)| row.world.setup == Setup::Hourly) {
            let peers: String = (0..Peer::ALL.len())
                .map(|peer| {
                    let shares = FACTORS.map(|factor| self.find(row, change, factor, false).map_or(0.0, |d| 100.0 * d.peer_share(peer)));
                    let delays: Vec<String> =
                        [false, true].iter().filter_map(|&g| Some(self.find(row, change, 1.5, g)?.peer_delay(peer))).collect();
                    let cell = format!("{:.0}/{:.0}/{:.0} %; {}", shares[0], shares[1], shares[2], delays.join(", "));
                    self.cell(peer, &row.world, cell)
                })
                .collect();
            let (stream, rows, features) = (title(&row.world), rows(&row.world), row.world.features);
            writeln!(text, "| {stream} | {rows} | {features} | {change} |{peers}").expect(WRITES);
        }
        text
    }

    /// Every stream and change that was tried.
    fn cases(&self) -> impl Iterator<Item = (&Row, &'static str)> {
        self.grid.iter().filter(|row| row.trials > 0).flat_map(|row| CHANGES.map(|change| (row, change)))
    }

    fn find(&self, row: &Row, change: &str, factor: f64, gradual: bool) -> Option<&Detected> {
        self.detected.iter().find(|d| d.case.world == row.world && d.case.is(change, factor, gradual))
    }

    /// A peer's cell: in brackets where it is not quiet, empty where it was not tried.
    fn cell(&self, peer: usize, world: &World, cell: String) -> String {
        match self.quiet_of(world) {
            Some(quiet) if quiet.peer_months == 0 => " |".to_owned(),
            _ if self.is_quiet(peer, world) => format!(" {cell} |"),
            _ => format!(" ({cell}) |"),
        }
    }
}

/// The heads of the peers' columns, and the line under them.
fn peer_heads() -> (String, String) {
    (Peer::ALL.iter().map(|peer| format!(" {} |", peer.name())).collect(), "--:|".repeat(Peer::ALL.len()))
}

/// Puts the tables into the page.
pub(crate) fn write(text: &str) {
    let page = std::fs::read_to_string(PAGE).expect("the page is there");
    let (head, rest) = page.split_once(MARKS.0).expect("the page has its mark");
    let (_, tail) = rest.split_once(MARKS.1).expect("the page has its second mark");
    std::fs::write(PAGE, format!("{head}{}{text}{}{tail}", MARKS.0, MARKS.1)).expect("the page can be written");
}
