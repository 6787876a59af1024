//! Quietness against detection: how often rules fire on streams that do not change, and how surely and how soon they see a change.
//!
//! `make bench-detection` runs it and writes the tables of docs/DETECTION.md; `ARGS="--months 3 --trials 6"` bounds both, to try something. Everything
//! follows from seeds. `--only "last week"` takes the streams whose name has that, and writes nothing.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to whoever runs it")]

mod changes;
mod figures;
mod goals;
mod grid;
mod peers;
mod report;
mod results;
mod trials;
mod watcher;
mod world;

use report::Report;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

fn main() {
    let most = |name: &str| {
        let mut arguments = std::env::args().skip_while(|a| a != name).skip(1);
        arguments.next().and_then(|text| text.parse::<usize>().ok()).unwrap_or(usize::MAX)
    };
    let (months, trials) = (most("--months"), most("--trials"));
    let only = std::env::args().skip_while(|a| a != "--only").nth(1);
    let mut rows = grid::rows();
    rows.retain(|row| only.as_ref().is_none_or(|text| report::title(&row.world).contains(text.as_str())));
    for row in &mut rows {
        row.months = row.months.min(months);
        row.peer_months = row.peer_months.min(months);
        row.trials = row.trials.min(trials);
        row.gradual_trials = row.gradual_trials.min(trials);
    }
    let mut jobs = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        // a bounded run leaves some references nothing to do
        jobs.extend((0..row.references.min(row.months.max(row.trials))).map(|reference| (place, reference)));
    }
    // the largest first, so that no worker ends alone with one
    jobs.sort_by_key(|&(row, _)| std::cmp::Reverse(rows[row].cost()));
    let found = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(2, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(&(row, reference)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    let result = trials::run(&rows[row], reference);
                    let mut found = found.lock().expect("no worker panics");
                    found.push(((row, reference), result));
                    let (world, seconds) = (&rows[row].world, began.elapsed().as_secs());
                    eprintln!(
                        "{}/{} {}, {} rows, {} features: {seconds} s",
                        found.len(),
                        jobs.len(),
                        world.name,
                        world.rows.1,
                        world.features
                    );
                }
            });
        }
    });
    let mut found = found.into_inner().expect("no worker panics");
    // in the order of the grid, whoever came first
    found.sort_by_key(|(job, _)| *job);
    let report = Report::new(rows, found.into_iter().map(|(_, found)| found));
    let text = report.markdown();
    if only.is_none() && std::env::args().any(|a| a == "--write") {
        report::write(&text);
    }
    println!("{text}");
    let missed = report.missed();
    for line in &missed {
        eprintln!("MISSED: {line}");
    }
    std::process::exit(i32::from(!missed.is_empty()));
}
