//! Reference data sets: Parquet, CSV and JSON lines → [`Table`].
//!
//! Invariant: numbers are parsed exactly, a file that cannot be read is refused with its name, line or column and what to do about it, and memory is
//! bounded by the cells of the file, whatever they hold. Which column is a feature is not decided here.

mod csv;
mod jsonl;
mod parquet;

use crate::engine::reference::table::{NOT_READ, TIME, Table};
use crate::event::{Scalar, Timestamp};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Rows between two calls of the progress function.
const PROGRESS_STEP: u64 = 8192;

/// Bounds on what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLimits {
    /// Most columns of a table.
    pub columns: usize,
}

impl Default for TableLimits {
    fn default() -> Self {
        Self { columns: 10_000 }
    }
}

/// A format of reference data sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableFormat {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header line.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

impl TableFormat {
    /// Every format, for tables and suites.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::JsonLines];

    /// The name used in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

/// Why a file is no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is compressed as a whole.
    #[error("{path} is compressed; unpack it first")]
    Compressed {
        /// The file.
        path: String,
    },
    /// A line is broken.
    #[error("{path}, line {line}: {problem}")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The file is no Parquet file, or a damaged one.
    #[error("{path} cannot be read as Parquet{}: {problem}", column.as_ref().map(|c| format!(", column {c:?}")).unwrap_or_default())]
    Parquet {
        /// The file.
        path: String,
        /// The column, where it is known.
        column: Option<String>,
        /// What is wrong.
        problem: String,
    },
    /// More columns than a table may have.
    #[error("{path} has more than {max} columns; is it the right file?")]
    TooManyColumns {
        /// The file.
        path: String,
        /// The bound.
        max: usize,
    },
}

/// Reads a table in the format that its name or its content says. `progress` is told the rows read so far, and of how many where that is known.
pub fn read_table(path: &Path, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<Table, TableError> {
    read_table_within(path, TableLimits::default(), progress)
}

/// As [`read_table`], within given bounds.
pub fn read_table_within(path: &Path, limits: TableLimits, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<Table, TableError> {
    match table_format(path)? {
        TableFormat::Parquet => parquet::read(path, limits, progress),
        TableFormat::Csv => csv::read(path, limits, progress),
        TableFormat::JsonLines => jsonl::read(path, limits, progress),
    }
}

/// The format of a file: by its extension, else by how it begins.
pub fn table_format(path: &Path) -> Result<TableFormat, TableError> {
    let mut start = Vec::new();
    open(path)?.take(512).read_to_end(&mut start).map_err(|source| io(path, source))?;
    if start.starts_with(&[0x1f, 0x8b]) || start.starts_with(b"PK\x03\x04") || start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Err(TableError::Compressed { path: name(path) });
    }
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    Ok(match extension.as_deref() {
        Some("parquet" | "pq") => TableFormat::Parquet,
        Some("csv" | "tsv") => TableFormat::Csv,
        Some("jsonl" | "ndjson" | "json") => TableFormat::JsonLines,
        _ if start.starts_with(b"PAR1") => TableFormat::Parquet,
        _ if start.trim_ascii_start().starts_with(b"{") => TableFormat::JsonLines,
        _ => TableFormat::Csv,
    })
}

fn open(path: &Path) -> Result<File, TableError> {
    File::open(path).map_err(|source| io(path, source))
}

fn io(path: &Path, source: std::io::Error) -> TableError {
    TableError::Io { path: name(path), source }
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// Whether a column of a flat table is left out.
fn is_not_read(column: &str) -> bool {
    NOT_READ.contains(&column)
}

/// Whether a column of a flat table holds the times of its rows.
fn is_time(column: &str) -> bool {
    column == TIME
}

/// The time of a row as a number of milliseconds since 1970: an RFC 3339 text, or such a number (also as text); null for anything else.
fn time(cell: &Scalar<'_>) -> Scalar<'static> {
    match cell {
        Scalar::Number(ms) if ms.is_finite() => Scalar::Number(*ms),
        Scalar::Text(text) => match (Timestamp::parse(text.trim()), text.trim().parse::<i64>()) {
            (Ok(time), _) => Scalar::Number(time.millis() as f64),
            (_, Ok(ms)) => Scalar::Number(ms as f64),
            _ => Scalar::Null,
        },
        _ => Scalar::Null,
    }
}

#[cfg(test)]
mod tests;
