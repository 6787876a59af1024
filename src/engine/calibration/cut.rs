//! Rows of a reference → windows of rows.

use crate::engine::reference::table::{ColumnValues, Table};
use crate::event::{Scalar, Timestamp};
use std::collections::BTreeMap;

/// Fewer windows say too little of how they vary.
const LEAST_WINDOWS: usize = 8;
/// Most windows that are measured; of more, every so many-th is.
const MOST_WINDOWS: usize = 400;
/// As many are, whatever the cost.
const LEAST_MEASURED: usize = 32;
/// Cells that are measured, summed over windows: what the time of a calibration goes by.
const MOST_CELLS: usize = 4_000_000;
/// Fewer rows are no window that anything could be said of.
const LEAST_ROWS: usize = 30;
/// Blocks that a table without times is cut into.
const BLOCKS: usize = 16;
const WEEK_MS: i64 = 7 * 24 * 3_600_000;

/// Windows of a table.
#[derive(Debug, PartialEq)]
pub(super) struct Cut {
    /// Whether they were cut by time.
    pub(super) timed: bool,
    /// The rows of each.
    pub(super) windows: Vec<Vec<usize>>,
    /// When each begins; empty where they were not cut by time.
    starts: Vec<Timestamp>,
}

/// Non-overlapping windows of `window_ms`, aligned with the epoch as live ones are, that hold at least half the mean number of rows (the table rarely begins
/// and ends with a window's border). Where there are too few, or no times: blocks of consecutive rows, by time as far as it is known. `None`
/// where those would be too few or too small as well. `cells`: of all columns together; the more, the fewer windows are taken.
pub(super) fn cut(table: &Table, window_ms: i64, cells: usize) -> Option<Cut> {
    let times = times(&table.times);
    // a table with few times is not about time
    let dated = !times.is_empty() && times.len() * 2 >= table.rows;
    if dated
        && window_ms > 0
        && let Some((starts, windows)) = by_time(&times, window_ms, cells)
    {
        return Some(Cut { timed: true, windows, starts });
    }
    let mut order: Vec<usize> = (0..table.rows).collect();
    if dated {
        order = times.iter().map(|&(_, row)| row).collect();
    }
    Some(Cut { timed: false, windows: blocks(&order)?, starts: Vec::new() })
}

impl Cut {
    /// Windows of the same sizes, dealt from all their rows in an order that has nothing to do with time: what they show is chance.
    pub(super) fn dealt(&self) -> Vec<Vec<usize>> {
        let mut rows = self.windows.concat();
        rows.sort_by_cached_key(|&row| scatter(row as u64));
        let mut rows = rows.into_iter();
        self.windows.iter().map(|window| rows.by_ref().take(window.len()).collect()).collect()
    }

    /// Pairs of windows, by their places, of which the second begins a week after the first.
    pub(super) fn a_week_apart(&self) -> Vec<(usize, usize)> {
        let later = |start: &Timestamp| self.starts.binary_search(&start.plus(WEEK_MS)).ok();
        self.starts.iter().enumerate().filter_map(|(place, start)| Some((place, later(start)?))).collect()
    }
}

/// A number without order for each number, always the same (the finaliser of SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
fn scatter(row: u64) -> u64 {
    let mut z = row.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Rows that have a time, by time; rows of the same time in their order.
fn times(values: &ColumnValues) -> Vec<(Timestamp, usize)> {
    let time = |value: Scalar<'_>| match value {
        Scalar::Number(ms) => Some(Timestamp(ms as i64)),
        Scalar::Text(text) => Timestamp::parse(&text).ok(),
        _ => None,
    };
    let mut times: Vec<_> = values.iter().enumerate().filter_map(|(row, value)| Some((time(value)?, row))).collect();
    times.sort_unstable();
    times
}

/// Windows by time, with their starts.
fn by_time(times: &[(Timestamp, usize)], window_ms: i64, cells: usize) -> Option<(Vec<Timestamp>, Vec<Vec<usize>>)> {
    let mut by_start: BTreeMap<Timestamp, Vec<usize>> = BTreeMap::new();
    for &(time, row) in times {
        by_start.entry(time.floor(window_ms)).or_default().push(row);
    }
    let mean = times.len() / by_start.len().max(1);
    let mut windows: Vec<_> = by_start.into_iter().filter(|(_, rows)| rows.len() >= LEAST_ROWS && rows.len() * 2 >= mean).collect();
    let n = windows.len();
    let most = (MOST_CELLS / cells.max(1)).clamp(LEAST_MEASURED, MOST_WINDOWS);
    if n > most {
        // an even number of them is even over two weeks too, and keeps its pairs a week apart
        let most = most & !1;
        windows = (0..most).map(|i| (windows[i * n / most].0, std::mem::take(&mut windows[i * n / most].1))).collect();
    }
    (n >= LEAST_WINDOWS).then(|| windows.into_iter().unzip())
}

fn blocks(order: &[usize]) -> Option<Vec<Vec<usize>>> {
    let n = BLOCKS.min(order.len() / LEAST_ROWS);
    let border = |i: usize| i * order.len() / n;
    (n >= LEAST_WINDOWS).then(|| (0..n).map(|i| order[border(i)..border(i + 1)].to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::reference::table::Column;

    /// A table of rows that were made at these milliseconds.
    fn table(times: impl IntoIterator<Item = Option<i64>>) -> Table {
        let times: Vec<Option<i64>> = times.into_iter().collect();
        let x = Column::of("x", times.iter().map(|_| Scalar::Number(1.0)));
        let mut table = Table::new(vec![x]);
        times.iter().for_each(|t| table.times.push(&t.map_or(Scalar::Null, |ms| Scalar::Number(ms as f64))));
        table
    }

    fn sizes(cut: &Cut) -> Vec<usize> {
        cut.windows.iter().map(Vec::len).collect()
    }

    #[test]
    fn windows_are_aligned_and_halves_are_left_out() {
        // one row a millisecond from −40 on, so that the first window holds 40 of 100 rows, and the last 30
        let cut = cut(&table((-40..1030).map(Some)), 100, 100).unwrap();
        assert!(cut.timed);
        assert_eq!(sizes(&cut), [100; 10]);
        assert_eq!(cut.windows[0][0], 40);
    }

    #[test]
    fn the_order_of_rows_does_not_matter_where_they_have_times() {
        let (forth, back) =
            (cut(&table((0..1000).map(Some)), 100, 100).unwrap(), cut(&table((0..1000).rev().map(Some)), 100, 100).unwrap());
        let turned: Vec<Vec<usize>> = back.windows.iter().map(|rows| rows.iter().map(|row| 999 - row).collect()).collect();
        assert_eq!(forth.windows, turned);
    }

    #[test]
    fn texts_are_times_too() {
        let mut table = table((0..400).map(|_| None));
        table.times = ColumnValues::default();
        for row in 0..400 {
            table.times.push(&Scalar::Text(format!("2026-11-22T{:02}:00:{:02}Z", row / 40, row % 40).into()));
        }
        let cut = cut(&table, 3_600_000, 100).unwrap();
        assert_eq!((cut.timed, sizes(&cut)), (true, vec![40; 10]));
    }

    #[test]
    fn without_times_there_are_blocks_of_rows() {
        let cut = cut(&table((0..1000).map(|_| None)), 100, 100).unwrap();
        assert!(!cut.timed);
        assert_eq!((cut.windows.len(), cut.windows.concat()), (16, (0..1000).collect::<Vec<_>>()));
        assert_eq!(super::cut(&table((0..300).map(|_| None)), 100, 100).unwrap().windows.len(), 10, "no block has fewer than 30 rows");
        assert_eq!(super::cut(&table((0..239).map(|_| None)), 100, 100), None, "seven blocks are not enough");
    }

    #[test]
    fn too_few_windows_become_blocks_by_time() {
        let cut = cut(&table((0..1000).rev().map(Some)), 200, 100).unwrap();
        assert!(!cut.timed);
        assert_eq!((cut.windows.len(), cut.windows[0][0]), (16, 999));
    }

    #[test]
    fn few_times_are_no_times() {
        let cut = cut(&table((0..1000).map(|row| (row < 490).then_some(row))), 40, 100).unwrap();
        assert_eq!((cut.timed, cut.windows.concat().len()), (false, 1000));
    }

    #[test]
    fn the_number_of_windows_is_bounded() {
        let cut = cut(&table((0..30 * 1000).map(Some)), 30, 100).unwrap();
        assert_eq!(cut.windows.len(), 400);
        assert!(cut.windows[399][0] > 29_000 && cut.windows[0][0] == 0, "evenly spaced");
        for (cells, windows) in [(10_000, 400), (40_000, 100), (1_000_000, 32)] {
            assert_eq!(super::cut(&table((0..30 * 1000).map(Some)), 30, cells).unwrap().windows.len(), windows);
        }
    }

    #[test]
    fn windows_of_the_same_hour_of_two_weeks_are_paired() {
        let hour = WEEK_MS / 168;
        // 40 rows an hour for two weeks, but for the second hour of the second week
        let rows = (0..336 * 40).filter(|row| row / 40 != 169).map(|row| Some(row * hour / 40));
        let pairs = cut(&table(rows), hour, 100).unwrap().a_week_apart();
        assert_eq!(pairs.len(), 167);
        assert_eq!(pairs[..3], [(0, 168), (2, 169), (3, 170)]);
        let few = cut(&table((0..336 * 40).map(|row| Some(row * hour / 40))), hour, MOST_CELLS / 79).unwrap();
        assert_eq!((few.windows.len(), few.a_week_apart().len()), (78, 39), "thinned");
        assert_eq!(cut(&table((0..1000).map(|_| None)), hour, 100).unwrap().a_week_apart(), []);
    }

    #[test]
    fn dealt_windows_have_the_sizes_and_rows_of_the_real_ones_and_no_order() {
        let cut = cut(&table((0..1000).map(Some)), 100, 100).unwrap();
        let dealt = cut.dealt();
        assert_eq!(dealt.iter().map(Vec::len).collect::<Vec<_>>(), sizes(&cut));
        let mut rows = dealt.concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..1000).collect::<Vec<_>>());
        for window in &dealt {
            let mean = window.iter().sum::<usize>() / 100;
            assert!((400..600).contains(&mean), "{mean}: three standard deviations are 87");
        }
    }
}
