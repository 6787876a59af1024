//! Which way the values of a column went.

use super::{ColumnReference, Slots};
use crate::engine::summary::{ColumnCounts, NumberSums};
use serde::{Deserialize, Serialize};

/// One way counts as the only one when the distribution functions are this many times as far apart on its side as on the other.
const CLEARLY: u128 = 2;

/// How a column of a window lies to its reference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    /// Which way.
    pub direction: Direction,
    /// Arithmetic mean of the reference and of the window, in the column's unit; `None` for categories, or where a sum is beyond the range of numbers.
    pub means: Option<(f64, f64)>,
}

/// Which way values went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Direction {
    /// They are greater.
    Up,
    /// They are less.
    Down,
    /// Some are greater and some are less: wider, narrower, or two heaps where one was.
    BothWays,
    /// Categories, which have no order: their shares are others.
    Shares,
}

impl ColumnReference {
    /// Which way the valid values of `current` went, counted over this column's slots; `None` where there are none, or where nothing differs.
    ///
    /// By the one-sided distances of Smirnov (1939), D⁺ = max(F − G) and D⁻ = max(G − F) of the reference's distribution function F and the window's G: values
    /// went up where D⁺ is more than twice D⁻. Ranks alone decide, so no outlier does.
    pub fn movement(&self, current: &ColumnCounts) -> Option<Movement> {
        let (n, m) = (self.counts.valid(), current.valid());
        if n == 0 || m == 0 || current.slots.len() != self.counts.slots.len() {
            return None;
        }
        let Slots::Numeric(_) = &self.slots else {
            let same =
                self.counts.slots.iter().zip(&current.slots).all(|(&r, &c)| u128::from(r) * u128::from(m) == u128::from(c) * u128::from(n));
            return (!same).then_some(Movement { direction: Direction::Shares, means: None });
        };
        let (mut f, mut g, mut up, mut down) = (0u128, 0u128, 0u128, 0u128);
        for (&r, &c) in self.counts.slots.iter().zip(&current.slots) {
            f += u128::from(r) * u128::from(m);
            g += u128::from(c) * u128::from(n);
            up = up.max(f.saturating_sub(g));
            down = down.max(g.saturating_sub(f));
        }
        let direction = match (up, down) {
            (0, 0) => return None,
            _ if up > CLEARLY * down => Direction::Up,
            _ if down > CLEARLY * up => Direction::Down,
            _ => Direction::BothWays,
        };
        let mean = |counts: &ColumnCounts| {
            let deviation = NumberSums::known(&counts.sums?.deviation)?;
            Some(self.moments?.mean + deviation / counts.valid() as f64).filter(|mean| mean.is_finite())
        };
        Some(Movement { direction, means: mean(&self.counts).zip(mean(current)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::reference::{Categories, Cells, Moments};

    /// A numeric column cut at 1, 2 and 3 with these counts at the points.
    fn numeric(counts: [u64; 3]) -> ColumnReference {
        let slots = of_points(counts);
        let counts = ColumnCounts { slots, ..ColumnCounts::new(7) };
        let moments = Some(Moments { mean: 2.0, std: 1.0, min: 1.0, max: 3.0 });
        ColumnReference { slots: Slots::Numeric(Cells::new(vec![1.0, 2.0, 3.0], true)), counts, bins: (0..7).collect(), n_bins: 7, moments }
    }

    fn of_points([a, b, c]: [u64; 3]) -> Vec<u64> {
        vec![0, a, 0, b, 0, c, 0]
    }

    #[test]
    fn ranks_say_which_way() {
        let column = numeric([10, 20, 10]);
        for (current, want) in [
            ([10, 20, 10], None),
            ([20, 40, 20], None),
            ([0, 0, 0], None),
            ([0, 10, 30], Some(Direction::Up)),
            ([30, 10, 0], Some(Direction::Down)),
            ([20, 0, 20], Some(Direction::BothWays)),
            ([0, 40, 0], Some(Direction::BothWays)),
            // D+ 0.25, D− 0.125: exactly twice as far is not clearly more
            ([0, 35, 5], Some(Direction::BothWays)),
            // D+ 0.25, D− 0.1
            ([0, 34, 6], Some(Direction::Up)),
        ] {
            let counts = ColumnCounts { slots: of_points(current), ..ColumnCounts::new(7) };
            assert_eq!(column.movement(&counts).map(|movement| movement.direction), want, "{current:?}");
        }
        assert_eq!(column.movement(&ColumnCounts { slots: vec![1, 2], ..ColumnCounts::new(2) }), None, "of another column");
    }

    #[test]
    fn means_are_those_of_the_sums_and_only_of_them() {
        let mut column = numeric([10, 20, 10]);
        let mut current = ColumnCounts { slots: of_points([0, 0, 4]), ..ColumnCounts::new(7) };
        assert_eq!(column.movement(&current).unwrap().means, None, "no sums");
        (column.counts.sums, current.sums) = (Some(NumberSums::new(1.0)), Some(NumberSums::new(1.0)));
        (0..4).for_each(|_| current.sums.as_mut().unwrap().add(1.0, 0.0));
        assert_eq!(column.movement(&current).unwrap().means, Some((2.0, 3.0)));
    }

    #[test]
    fn categories_have_no_order() {
        let categories = Categories::new(vec!["a".into(), "b".into()], Vec::new(), false);
        let counts = ColumnCounts { slots: vec![5, 5, 0, 0], ..ColumnCounts::new(4) };
        let column = ColumnReference { slots: Slots::Categorical(categories), counts, bins: (0..4).collect(), n_bins: 4, moments: None };
        let current = ColumnCounts { slots: vec![1, 9, 0, 0], ..ColumnCounts::new(4) };
        assert_eq!(column.movement(&current), Some(Movement { direction: Direction::Shares, means: None }));
    }
}
