//! Quietness against detection: how often rules fire on streams that do not change, and how surely and how soon they see a change.
//!
//! `make bench-detection` runs it and writes the tables of docs/DETECTION.md; `ARGS="--months 3 --trials 20"` makes it shorter. Everything follows from seeds.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to whoever runs it")]

mod peers;
mod report;
mod watcher;
mod world;

use peers::{Peer, Peers};
use report::{Detected, Quiet, Report};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use watcher::{Prepared, Watcher};
use world::{Change, Kind, Stream, World, faded, sized};

/// Hours of a model-month.
const MONTH: usize = 30 * 24;
/// Peers fire so much more often that fewer months tell their rate.
const PEER_MONTHS: usize = 4;
/// Hours of a trial before the change, and after it.
const BEFORE: usize = 2;
const AFTER_SUDDEN: usize = 4;
const AFTER_GRADUAL: usize = 48;
/// Hours in which a gradual change comes.
const FADE: usize = 24;
pub(crate) const CHANGES: [&str; 6] = ["mean shift", "variance", "new category", "null surge", "label shift", "concept shift"];
pub(crate) const FACTORS: [f64; 3] = [1.0, 1.5, 3.0];

fn quiet_worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    let kinds = [
        ("i.i.d.", Kind::Independent),
        ("autocorrelated, ρ = 0.6", Kind::Autocorrelated(0.6)),
        ("autocorrelated, ρ = 0.9", Kind::Autocorrelated(0.9)),
        ("daily season", Kind::Daily(0.5)),
        ("weekly season", Kind::Weekly(0.5)),
    ];
    for (name, kind) in kinds {
        for features in [5, 25, 100].into_iter().filter(|n| *n < 100 || !matches!(kind, Kind::Autocorrelated(0.6) | Kind::Weekly(_))) {
            worlds.push(World { name, kind, features, rows: (1000, 1000) });
        }
        worlds.push(World { name, kind, features: 5, rows: (50, 300) });
    }
    worlds
}

fn changing_worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for world in quiet_worlds().into_iter().filter(|w| w.features == 5 && w.rows.0 == w.rows.1) {
        worlds.push(World { rows: (5000, 5000), ..world });
    }
    worlds.push(World { name: "i.i.d.", kind: Kind::Independent, features: 5, rows: (1000, 1000) });
    worlds.push(World { name: "autocorrelated, ρ = 0.9", kind: Kind::Autocorrelated(0.9), features: 5, rows: (1000, 1000) });
    worlds
}

fn main() {
    let number = |name: &str, default: usize| {
        let mut arguments = std::env::args().skip_while(|a| a != name).skip(1);
        arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (months, trials) = (number("--months", 10), number("--trials", 100));
    let report = Mutex::new(Report::new(months, trials));
    let (quiet, changing) = (quiet_worlds(), changing_worlds());
    let n_jobs = quiet.len() + changing.len();
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    // the largest first, so that no worker ends alone with one
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    if job >= n_jobs {
                        break;
                    }
                    if let Some(&world) = changing.get(job) {
                        let found = detect(world, trials);
                        report.lock().expect("no worker panics").detected.extend(found);
                    } else {
                        let found = listen(quiet[quiet.len() - 1 - (job - changing.len())], months);
                        report.lock().expect("no worker panics").quiet.push(found);
                    }
                    eprintln!("{}/{n_jobs}", job + 1);
                }
            });
        }
    });
    let mut report = report.into_inner().expect("no worker panics");
    report.sort();
    let text = report.markdown();
    if std::env::args().any(|a| a == "--write") {
        report::write(&text);
    }
    println!("{text}");
    let missed = report.missed();
    for line in &missed {
        eprintln!("MISSED: {line}");
    }
    std::process::exit(i32::from(!missed.is_empty()));
}

/// Alerts on a stream that does not change.
fn listen(world: World, months: usize) -> Quiet {
    let prepared = Prepared::new(world, 1);
    let peers = Peers::new(&prepared.hours);
    let mut quiet = Quiet::new(world, months, PEER_MONTHS.min(months));
    for month in 0..months {
        let (mut stream, mut watcher) = (Stream::new(world, 1000 + month as u64), Watcher::new(&prepared));
        let mut last = [false; Peer::ALL.len()];
        for _ in 0..MONTH {
            let hour = stream.next_hour(Change::None);
            quiet.ours += watcher.watch(&hour);
            if month < PEER_MONTHS {
                let now = peers.alerts(&hour);
                for (peer, (now, last)) in now.iter().zip(&last).enumerate() {
                    // an alert lasts until the first quiet hour
                    quiet.peers[peer] += u64::from(*now && !last);
                }
                last = now;
            }
        }
        for (rule, n) in watcher.fired {
            *quiet.rules.entry(rule.to_string()).or_default() += n;
        }
    }
    quiet
}

/// How surely and how soon changes are seen.
fn detect(world: World, trials: usize) -> Vec<Detected> {
    let prepared = Prepared::new(world, 1);
    let peers = Peers::new(&prepared.hours);
    let mut found = Vec::new();
    for change in CHANGES {
        for factor in FACTORS {
            for gradual in [false, true] {
                // gradual changes take many hours: they are tried less often, and at the middle size alone
                if gradual && factor != 1.5 {
                    continue;
                }
                let n = if gradual { (trials / 5).max(1) } else { trials };
                let mut detected = Detected::new(world, change, factor, gradual);
                for trial in 0..n {
                    let after = if gradual { AFTER_GRADUAL } else { AFTER_SUDDEN };
                    // begin at another hour of the week each time
                    let (ours, theirs) = one_trial(&prepared, &peers, world, sized(change, factor), gradual, after, trial);
                    detected.add(ours, theirs);
                }
                found.push(detected);
            }
        }
    }
    found
}

/// After how many hours of the change each rule fired first; what fires before it does not count.
fn one_trial(
    prepared: &Prepared,
    peers: &Peers,
    world: World,
    change: Change,
    gradual: bool,
    after: usize,
    trial: usize,
) -> (Option<usize>, [Option<usize>; Peer::ALL.len()]) {
    let (mut stream, mut watcher) = (Stream::new(world, 50_000 + trial as u64), Watcher::new(prepared));
    let (mut ours, mut theirs) = (None, [None; Peer::ALL.len()]);
    for hour in 0..BEFORE + after {
        let since = (hour + 1).saturating_sub(BEFORE);
        let now = match since {
            0 => Change::None,
            since if gradual => faded(change, (since as f64 / FADE as f64).min(1.0)),
            _ => change,
        };
        let rows = stream.next_hour(now);
        let fired = watcher.watch(&rows) > 0;
        if since == 0 {
            continue;
        }
        if fired && ours.is_none() {
            ours = Some(since);
        }
        for (first, alert) in theirs.iter_mut().zip(peers.alerts(&rows)) {
            if alert && first.is_none() {
                *first = Some(since);
            }
        }
        if ours.is_some() && theirs.iter().all(Option::is_some) {
            break;
        }
    }
    (ours, theirs)
}
