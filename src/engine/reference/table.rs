//! Rows as columns, before they are compiled: what the readers of files and the learner of live events both fill.
//!
//! Invariant: every column has exactly `rows` cells. A column of numbers takes 8 bytes a cell, a column of names 4 bytes a cell and each name
//! once; only a column that holds both takes 16. It knows no file format, and nothing of roles or kinds.

use crate::event::Scalar;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// Columns of a flat table that are no part of a reference: readers leave them out, but for the times of the rows.
pub const NOT_READ: [&str; 2] = ["prediction_id", TIME];

/// The column of a flat table, or the field of an event, that says when its prediction was made.
pub const TIME: &str = "timestamp";

/// Columns of equal length.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The columns, in the order in which they were met.
    pub columns: Vec<Column>,
    /// Cells of every column.
    pub rows: usize,
    /// When each row's prediction was made: numbers of milliseconds since 1970, or RFC 3339 texts; shorter than the columns, or empty, where that is
    /// not known.
    pub times: ColumnValues,
}

/// One column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: Arc<str>,
    /// Where it stood: decides whether its name can make it an output.
    pub origin: Origin,
    /// Its cells.
    pub values: ColumnValues,
}

/// Where a column stood in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Among the columns of a flat table: its name decides what it is.
    Flat,
    /// Inside the `features` of an event: always a feature, whatever its name.
    Features,
}

/// Cells of one column, each a [`Scalar`]; booleans are kept as the names "true" and "false".
#[derive(Debug, Clone, Default)]
pub struct ColumnValues {
    cells: Cells,
    names: Names,
    vectors: Vec<Box<[f64]>>,
}

/// The least layout that holds what was pushed so far.
#[derive(Debug, Clone)]
enum Cells {
    /// Nothing but this many nulls.
    Nulls(usize),
    /// Numbers; NaN stands for null, an infinity for a value that is not finite.
    Numbers(Vec<f64>),
    /// Codes of names, or `NULL`.
    Names(Vec<u32>),
    /// Anything.
    Mixed(Vec<Cell>),
}

impl Default for Cells {
    fn default() -> Self {
        Self::Nulls(0)
    }
}

#[derive(Debug, Clone, Copy)]
enum Cell {
    Null,
    NonFinite,
    Structured,
    Number(f64),
    Name(u32),
    Vector(u32),
}

const NULL: u32 = u32::MAX;

/// Each name once.
#[derive(Debug, Clone, Default)]
struct Names {
    list: Vec<Arc<str>>,
    codes: HashMap<Arc<str>, u32>,
}

impl Origin {
    /// Every origin, for tables and suites.
    pub const ALL: [Self; 2] = [Self::Flat, Self::Features];

    /// The name used in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Features => "features",
        }
    }
}

impl Column {
    /// An empty column of a flat table.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), origin: Origin::Flat, values: ColumnValues::default() }
    }

    /// A column of a flat table with these cells.
    pub fn of<'a>(name: impl Into<Arc<str>>, cells: impl IntoIterator<Item = Scalar<'a>>) -> Self {
        let mut column = Self::new(name);
        cells.into_iter().for_each(|cell| column.values.push(&cell));
        column
    }

    /// The same column as one that stood inside `features`.
    #[must_use]
    pub fn within_features(mut self) -> Self {
        self.origin = Origin::Features;
        self
    }
}

impl Table {
    /// A table of columns; shorter ones are filled up with nulls.
    pub fn new(mut columns: Vec<Column>) -> Self {
        let rows = columns.iter().map(|column| column.values.len()).max().unwrap_or(0);
        columns.iter_mut().for_each(|column| column.values.fill(rows));
        Self { columns, rows, times: ColumnValues::default() }
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| &*column.name == name)
    }
}

impl ColumnValues {
    /// Number of cells.
    pub fn len(&self) -> usize {
        match &self.cells {
            Cells::Nulls(n) => *n,
            Cells::Numbers(cells) => cells.len(),
            Cells::Names(cells) => cells.len(),
            Cells::Mixed(cells) => cells.len(),
        }
    }

    /// Whether there is no cell at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends nulls until there are `rows` cells.
    pub fn fill(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.len());
        match &mut self.cells {
            Cells::Nulls(n) => *n += missing,
            Cells::Numbers(cells) => cells.extend(std::iter::repeat_n(f64::NAN, missing)),
            Cells::Names(cells) => cells.extend(std::iter::repeat_n(NULL, missing)),
            Cells::Mixed(cells) => cells.extend(std::iter::repeat_n(Cell::Null, missing)),
        }
    }

    /// Appends one cell.
    pub fn push(&mut self, value: &Scalar<'_>) {
        let cell = match value {
            Scalar::Null => Cell::Null,
            Scalar::Number(number) if number.is_finite() => Cell::Number(*number),
            Scalar::Number(_) | Scalar::NonFinite => Cell::NonFinite,
            Scalar::Structured => Cell::Structured,
            Scalar::Vector(vector) => {
                self.vectors.push(vector.as_ref().into());
                Cell::Vector(self.vectors.len() as u32 - 1)
            }
            Scalar::Bool(value) => Cell::Name(self.names.code(if *value { "true" } else { "false" })),
            Scalar::Text(text) => Cell::Name(self.names.code(text)),
        };
        self.make_room_for(cell);
        match (&mut self.cells, cell) {
            (Cells::Nulls(n), _) => *n += 1,
            (Cells::Numbers(cells), Cell::Number(number)) => cells.push(number),
            (Cells::Numbers(cells), Cell::NonFinite) => cells.push(f64::INFINITY),
            (Cells::Numbers(cells), _) => cells.push(f64::NAN),
            (Cells::Names(cells), Cell::Name(code)) => cells.push(code),
            (Cells::Names(cells), _) => cells.push(NULL),
            (Cells::Mixed(cells), cell) => cells.push(cell),
        }
    }

    /// Changes the layout where the present one cannot hold `cell`.
    fn make_room_for(&mut self, cell: Cell) {
        let cells = match (&self.cells, cell) {
            (_, Cell::Null)
            | (Cells::Mixed(_), _)
            | (Cells::Numbers(_), Cell::Number(_) | Cell::NonFinite)
            | (Cells::Names(_), Cell::Name(_)) => return,
            (Cells::Nulls(n), Cell::Number(_) | Cell::NonFinite) => Cells::Numbers(vec![f64::NAN; *n]),
            (Cells::Nulls(n), Cell::Name(_)) => Cells::Names(vec![NULL; *n]),
            _ => Cells::Mixed((0..self.len()).map(|row| self.cell(row)).collect()),
        };
        self.cells = cells;
    }

    fn cell(&self, row: usize) -> Cell {
        match &self.cells {
            Cells::Nulls(_) => Cell::Null,
            Cells::Numbers(cells) => match cells.get(row) {
                Some(number) if number.is_finite() => Cell::Number(*number),
                Some(number) if number.is_infinite() => Cell::NonFinite,
                _ => Cell::Null,
            },
            Cells::Names(cells) => cells.get(row).filter(|&&code| code != NULL).map_or(Cell::Null, |&code| Cell::Name(code)),
            Cells::Mixed(cells) => cells.get(row).copied().unwrap_or(Cell::Null),
        }
    }

    /// The cell of a row; null beyond the last one.
    pub fn get(&self, row: usize) -> Scalar<'_> {
        match self.cell(row) {
            Cell::Null => Scalar::Null,
            Cell::NonFinite => Scalar::NonFinite,
            Cell::Structured => Scalar::Structured,
            Cell::Number(number) => Scalar::Number(number),
            Cell::Vector(place) => self.vectors.get(place as usize).map_or(Scalar::Null, |v| Scalar::Vector(Cow::Borrowed(v))),
            Cell::Name(code) => self.names.list.get(code as usize).map_or(Scalar::Null, |name| Scalar::Text(Cow::Borrowed(name))),
        }
    }

    /// Every cell, in order.
    pub fn iter(&self) -> impl Iterator<Item = Scalar<'_>> {
        (0..self.len()).map(|row| self.get(row))
    }
}

impl Names {
    fn code(&mut self, name: &str) -> u32 {
        if let Some(&code) = self.codes.get(name) {
            return code;
        }
        let (code, name) = (self.list.len() as u32, Arc::<str>::from(name));
        self.list.push(name.clone());
        self.codes.insert(name, code);
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_whatever_the_order_of_their_types() {
        let pool = [
            Scalar::Null,
            Scalar::Number(1.5),
            Scalar::NonFinite,
            Scalar::Text("a".into()),
            Scalar::Structured,
            Scalar::Vector(vec![1.0, f64::INFINITY].into()),
            Scalar::Text("a".into()),
            Scalar::Number(-0.0),
        ];
        for start in 0..pool.len() {
            let cells: Vec<Scalar<'_>> = (0..pool.len()).map(|i| pool[(start + i) % pool.len()].clone()).collect();
            let column = Column::of("x", cells.clone());
            assert_eq!(column.values.iter().collect::<Vec<_>>(), cells);
        }
    }

    #[test]
    fn booleans_become_names_and_short_columns_are_filled() {
        let flags = Column::of("flag", [Scalar::Bool(true), Scalar::Bool(false)]);
        let table = Table::new(vec![flags, Column::of("x", [Scalar::Number(1.0)]), Column::new("empty")]);
        assert_eq!(table.rows, 2);
        assert_eq!(table.columns[0].values.get(1), Scalar::Text("false".into()));
        assert!(table.columns.iter().all(|column| column.values.len() == 2));
        assert_eq!(table.column("x").unwrap().values.get(1), Scalar::Null);
        assert_eq!(table.columns[0].values.get(7), Scalar::Null);
    }
}
