//! Clocks, and rounds that take turns.

use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

/// CPU seconds of all threads of this process so far.
pub(crate) fn cpu() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// CPU seconds that something takes.
pub(crate) fn cpu_of<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let began = cpu();
    let result = run();
    (cpu() - began, result)
}

/// Seconds that something takes.
pub(crate) fn wall_of<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let began = Instant::now();
    let result = run();
    (began.elapsed().as_secs_f64(), result)
}

/// CPU seconds of a process by its number, in ticks of a hundredth; `reaped`: of its children that have ended.
pub(crate) fn cpu_of_process(process: &str, reaped: bool) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("the process is there");
    // the name in brackets may hold blanks
    let behind_name = stat.rsplit_once(')').expect("a name in brackets").1;
    let fields: Vec<f64> = behind_name.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0.0)).collect();
    let first = if reaped { 12 } else { 10 };
    (fields[first] + fields[first + 1]) / 100.0
}

/// A size from the status of a process, in MB: `VmRSS` (now) or `VmHWM` (at most so far).
pub(crate) fn memory(process: &str, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib: f64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).expect("the status has sizes");
    kib * 1024.0 / 1e6
}

/// One thing that is measured each round.
pub(crate) struct Stage<'a> {
    pub(crate) name: String,
    run: Box<dyn FnMut() -> f64 + 'a>,
    pub(crate) samples: Vec<f64>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(name: impl Into<String>, run: impl FnMut() -> f64 + 'a) -> Self {
        Self { name: name.into(), run: Box::new(run), samples: Vec::new() }
    }
}

/// Runs all stages `rounds` times, taking turns, so that what disturbs the machine disturbs all alike.
pub(crate) fn rounds(n: usize, stages: &mut [Stage<'_>]) {
    for _ in 0..n {
        for stage in &mut *stages {
            stage.samples.push((stage.run)());
        }
    }
}
