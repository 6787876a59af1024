//! Two engines on two threads, each with its own half of the models: what a second core adds. Wall time, since that is what a core adds to; and CPU
//! time, which says how much of a shortfall is the machine's (caches, memory, other processes) and how much is waiting.

use crate::Options;
use crate::figure::{Figure, Goal};
use crate::measure::{cpu_of, wall_of};
use crate::memory::{USUAL, feed};
use crate::traffic::{Body, Log, Traffic, Watched};

/// Threads, and so halves of the input.
const SHARDS: usize = 2;

pub(crate) fn run(options: &Options) -> Vec<Figure> {
    let watched = Watched::new(Traffic::of(Body::Long), USUAL);
    let logs: Vec<Log> = (0..SHARDS).map(|shard| Log::new(watched.traffic, options.rows, true, shard as u64)).collect();
    let [mut one, mut both, mut one_cpu, mut both_cpu] = [const { Vec::new() }; 4];
    for round in 0..2 * options.rounds {
        let log = &logs[round % SHARDS];
        let mut driver = watched.driver();
        let (wall, (cpu, ())) = wall_of(|| cpu_of(|| feed(&mut driver, log, true)));
        one.push(wall);
        one_cpu.push(cpu * 1e9 / log.rows as f64);
        drop(driver);
        let mut drivers: Vec<_> = logs.iter().map(|_| watched.driver()).collect();
        let (wall, (cpu, ())) = wall_of(|| {
            cpu_of(|| {
                std::thread::scope(|scope| {
                    for (driver, log) in drivers.iter_mut().zip(&logs) {
                        scope.spawn(|| feed(driver, log, true));
                    }
                });
            })
        });
        both.push(wall);
        both_cpu.push(cpu * 1e9 / (SHARDS * options.rows) as f64);
    }
    // the second input is as long as the first: twice the rows in `both`
    let speedup: Vec<f64> = one.iter().zip(&both).map(|(one, both)| SHARDS as f64 * one / both).collect();
    let least = |walls: &[f64]| walls.iter().copied().fold(f64::INFINITY, f64::min);
    vec![
        Figure::new("one shard", "ns CPU/prediction", one_cpu.clone()),
        Figure::new("two shards on two threads", "ns CPU/prediction", both_cpu.clone()),
        Figure::ratio("CPU cost of a prediction, two shards against one", &both_cpu, &one_cpu),
        Figure::new("predictions a second, two shards against one", "×", speedup).goal(Goal::AtLeast(1.8)),
        Figure::new("the same, of the fastest rounds", "×", [SHARDS as f64 * least(&one) / least(&both)]),
    ]
}
