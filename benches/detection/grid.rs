//! Which streams are simulated, and how much of each.

use crate::watcher::Setup;
use crate::world::{Kind, World};

/// A stream, and how long it is listened to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) world: World,
    pub(crate) months: usize,
    pub(crate) peer_months: usize,
    /// References among which months and trials are divided, so that none decides a row alone.
    pub(crate) references: usize,
    /// Trials of each sudden change; 0: no change is tried.
    pub(crate) trials: usize,
    /// Of them, those in which each change comes gradually too.
    pub(crate) gradual_trials: usize,
}

const KINDS: [(&str, Kind); 5] = [
    ("i.i.d.", Kind::Independent),
    ("autocorrelated, ρ = 0.6", Kind::Autocorrelated(0.6)),
    ("autocorrelated, ρ = 0.9", Kind::Autocorrelated(0.9)),
    ("daily season", Kind::Daily(0.5)),
    ("weekly season", Kind::Weekly(0.5)),
];
const HOURLY: (usize, usize) = (1000, 1000);
const LARGE: (usize, usize) = (5000, 5000);
const SPARSE: (usize, usize) = (50, 300);

/// Every stream, in the order of the tables. A hundred features cost twenty times what five do, and are listened to for less long.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, kind) in KINDS {
        let mut add = |setup, wide: (usize, usize), features, (months, peer_months), (trials, gradual_trials)| {
            let world = World { name, kind, features, rows: wide, setup };
            rows.push(Row { world, months, peer_months, references: if features == 100 { 2 } else { 3 }, trials, gradual_trials });
        };
        let independent = kind == Kind::Independent;
        let only = |trials| if independent { trials } else { (0, 0) };
        add(Setup::Hourly, LARGE, 5, (6, 6), (60, 6));
        if independent {
            add(Setup::Hourly, LARGE, 25, (3, 3), (15, 0));
        }
        add(Setup::Hourly, HOURLY, 5, (30, 30), (60, 9));
        add(Setup::Hourly, HOURLY, 25, (12, 12), only((30, 6)));
        add(Setup::Hourly, HOURLY, 100, (2, 2), (0, 0));
        add(Setup::Hourly, SPARSE, 5, (30, 30), only((60, 9)));
        add(Setup::Hourly, SPARSE, 25, (12, 12), (0, 0));
        add(Setup::Hourly, SPARSE, 100, (6, 6), (0, 0));
        if matches!(kind, Kind::Independent | Kind::Autocorrelated(_)) {
            add(Setup::FiveMinutes, HOURLY, 5, (12, 0), (0, 0));
        } else {
            add(Setup::LastWeek, LARGE, 5, (3, 0), (21, 3));
            add(Setup::LastWeek, HOURLY, 5, (6, 0), (21, 3));
        }
    }
    rows
}

impl Row {
    /// What it costs, roughly: cells that are made.
    pub(crate) fn cost(&self) -> usize {
        let per_hour = self.world.features * (self.world.rows.0 + self.world.rows.1) / 2;
        per_hour * (336 + 720 * self.months + 70 * self.trials + 18 * 36 * self.gradual_trials)
    }
}
