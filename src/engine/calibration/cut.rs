//! Rows of a reference → windows of rows.

use crate::engine::reference::table::{ColumnValues, Table};
use crate::event::{Scalar, Timestamp};
use std::collections::BTreeMap;

/// Fewer windows say too little of how they vary.
const LEAST_WINDOWS: usize = 8;
/// Most windows that are measured; of more, every so many-th is.
const MOST_WINDOWS: usize = 400;
/// Fewer rows are no window that anything could be said of.
const LEAST_ROWS: usize = 30;
/// Blocks that a table without times is cut into.
const BLOCKS: usize = 16;

/// Windows of a table.
#[derive(Debug, PartialEq)]
pub(super) struct Cut {
    /// Whether they were cut by time.
    pub(super) timed: bool,
    /// The rows of each.
    pub(super) windows: Vec<Vec<usize>>,
}

/// Non-overlapping windows of `window_ms`, aligned with the epoch as live ones are, that hold at least half the mean number of rows (the table rarely begins
/// and ends with a window's border). Where there are too few, or no times: blocks of consecutive rows, by time as far as it is known. `None`
/// where those would be too few or too small as well.
pub(super) fn cut(table: &Table, window_ms: i64) -> Option<Cut> {
    let times = times(&table.times);
    // a table with few times is not about time
    let dated = !times.is_empty() && times.len() * 2 >= table.rows;
    if dated
        && window_ms > 0
        && let Some(windows) = by_time(&times, window_ms)
    {
        return Some(Cut { timed: true, windows });
    }
    let mut order: Vec<usize> = (0..table.rows).collect();
    if dated {
        order = times.iter().map(|&(_, row)| row).collect();
    }
    Some(Cut { timed: false, windows: blocks(&order)? })
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

fn by_time(times: &[(Timestamp, usize)], window_ms: i64) -> Option<Vec<Vec<usize>>> {
    let mut by_start: BTreeMap<Timestamp, Vec<usize>> = BTreeMap::new();
    for &(time, row) in times {
        by_start.entry(time.floor(window_ms)).or_default().push(row);
    }
    let mean = times.len() / by_start.len().max(1);
    let mut windows: Vec<Vec<usize>> = by_start.into_values().filter(|rows| rows.len() >= LEAST_ROWS && rows.len() * 2 >= mean).collect();
    let n = windows.len();
    if n > MOST_WINDOWS {
        windows = (0..MOST_WINDOWS).map(|i| std::mem::take(&mut windows[i * n / MOST_WINDOWS])).collect();
    }
    (n >= LEAST_WINDOWS).then_some(windows)
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
        let cut = cut(&table((-40..1030).map(Some)), 100).unwrap();
        assert!(cut.timed);
        assert_eq!(sizes(&cut), [100; 10]);
        assert_eq!(cut.windows[0][0], 40);
    }

    #[test]
    fn the_order_of_rows_does_not_matter_where_they_have_times() {
        let (forth, back) = (cut(&table((0..1000).map(Some)), 100).unwrap(), cut(&table((0..1000).rev().map(Some)), 100).unwrap());
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
        let cut = cut(&table, 3_600_000).unwrap();
        assert_eq!((cut.timed, sizes(&cut)), (true, vec![40; 10]));
    }

    #[test]
    fn without_times_there_are_blocks_of_rows() {
        let cut = cut(&table((0..1000).map(|_| None)), 100).unwrap();
        assert!(!cut.timed);
        assert_eq!((cut.windows.len(), cut.windows.concat()), (16, (0..1000).collect::<Vec<_>>()));
        assert_eq!(super::cut(&table((0..300).map(|_| None)), 100).unwrap().windows.len(), 10, "no block has fewer than 30 rows");
        assert_eq!(super::cut(&table((0..239).map(|_| None)), 100), None, "seven blocks are not enough");
    }

    #[test]
    fn too_few_windows_become_blocks_by_time() {
        let cut = cut(&table((0..1000).rev().map(Some)), 200).unwrap();
        assert!(!cut.timed);
        assert_eq!((cut.windows.len(), cut.windows[0][0]), (16, 999));
    }

    #[test]
    fn few_times_are_no_times() {
        let cut = cut(&table((0..1000).map(|row| (row < 490).then_some(row))), 40).unwrap();
        assert_eq!((cut.timed, cut.windows.concat().len()), (false, 1000));
    }

    #[test]
    fn the_number_of_windows_is_bounded() {
        let cut = cut(&table((0..30 * 1000).map(Some)), 30).unwrap();
        assert_eq!(cut.windows.len(), 400);
        assert!(cut.windows[399][0] > 29_000 && cut.windows[0][0] == 0, "evenly spaced");
    }
}
