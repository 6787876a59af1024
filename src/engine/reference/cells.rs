//! Cells of a numeric column.

use super::lookup::CellLookup;
use serde::{Deserialize, Serialize};

/// The real line cut at `m` points of the reference, into `2m+1` cells: cell `2i` lies strictly between point `i−1` and point `i`,
/// cell `2i+1` is point `i` itself, cell `2m` lies above the last point.
///
/// Where every distinct reference value is a point, both empirical distribution functions are constant between points except the
/// live one's, whose distance to the reference is then greatest at a cell's border: KS from counts is exact.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Cells {
    points: Vec<f64>,
    exact: bool,
    #[serde(skip)]
    lookup: CellLookup,
}

/// What is written down of cells; the rest follows from it.
#[derive(Deserialize)]
struct Stored {
    points: Vec<f64>,
    exact: bool,
}

impl From<Stored> for Cells {
    fn from(Stored { points, exact }: Stored) -> Self {
        Self { lookup: CellLookup::new(&points), points, exact }
    }
}

impl PartialEq for Cells {
    fn eq(&self, other: &Self) -> bool {
        self.exact == other.exact && self.points == other.points
    }
}

impl Cells {
    /// Cuts at `points`, which must be finite; they are sorted and made distinct (`-0.0` is `0.0`).
    /// `exact` says that they are all the distinct values of the reference.
    pub fn new(mut points: Vec<f64>, exact: bool) -> Self {
        points.retain(|p| p.is_finite());
        points.iter_mut().for_each(|p| *p += 0.0);
        points.sort_by(f64::total_cmp);
        points.dedup();
        Stored { points, exact }.into()
    }

    /// The points, ascending.
    pub fn points(&self) -> &[f64] {
        &self.points
    }

    /// Whether the points are all the distinct values of the reference.
    pub fn exact(&self) -> bool {
        self.exact
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        2 * self.points.len() + 1
    }

    /// The cell of a finite value.
    #[inline]
    pub fn cell(&self, value: f64) -> usize {
        let place = self.lookup.points_below(&self.points, value);
        2 * place + usize::from(self.points.get(place).is_some_and(|&p| p == value))
    }

    /// How far a finite value is above the greatest point, or (negative) below the least; 0 between them.
    pub fn beyond(&self, value: f64) -> f64 {
        match (self.points.first(), self.points.last()) {
            (Some(&least), _) if value < least => value - least,
            (_, Some(&greatest)) if value > greatest => value - greatest,
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_have_cells_of_their_own() {
        let cells = Cells::new(vec![2.0, 1.0, 1.0], true);
        let got: Vec<usize> = [0.5, 1.0, 1.5, 2.0, 1e300, -0.0].iter().map(|&v| cells.cell(v)).collect();
        assert_eq!(got, [0, 1, 2, 3, 4, 0]);
        assert_eq!(Cells::new(vec![], true).cell(3.0), 0);
        assert_eq!(Cells::new(vec![-0.0], true).cell(0.0), 1);
    }
}
