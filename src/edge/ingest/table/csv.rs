//! CSV: a header line, then rows of equal length; an empty cell is null.
//!
//! The format has no types: a column in which every cell that is not empty spells a number is numeric, any other holds names. The file is read
//! twice, first for the types, so that no cell is kept in two forms.

use super::{PROGRESS_STEP, TableError, TableLimits, io, is_not_read, is_time, name, open, time};
use crate::engine::reference::table::{Column, ColumnValues, Table};
use crate::event::Scalar;
use ::csv::{Reader, ReaderBuilder, StringRecord};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Texts that stand for null among numbers, in lower case; among names they are names.
const NULLS: [&str; 6] = ["nan", "na", "n/a", "null", "none", "-nan"];

/// Reads a CSV file.
pub(super) fn read(path: &Path, limits: TableLimits, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<Table, TableError> {
    let delimiter = delimiter(path)?;
    let mut reader = reader(path, delimiter)?;
    let header = reader.headers().map_err(|error| broken(path, &error))?.clone();
    if header.len() > limits.columns {
        return Err(TableError::TooManyColumns { path: name(path), max: limits.columns });
    }
    let mut numeric = vec![true; header.len()];
    let mut rows = 0u64;
    each_row(path, &mut reader, |record| {
        rows += 1;
        for (is_numeric, cell) in numeric.iter_mut().zip(record) {
            *is_numeric = *is_numeric && (cell.is_empty() || number(cell).is_some());
        }
    })?;

    let mut reader = self::reader(path, delimiter)?;
    let mut columns: Vec<ColumnValues> = numeric.iter().map(|_| ColumnValues::default()).collect();
    let kept: Vec<bool> = header.iter().map(|name| !is_not_read(name)).collect();
    let (time_column, mut times) = (header.iter().position(is_time), ColumnValues::default());
    let mut row = 0u64;
    each_row(path, &mut reader, |record| {
        for (i, cell) in record.iter().enumerate().filter(|&(i, _)| kept[i]) {
            columns[i].push(&if cell.is_empty() {
                Scalar::Null
            } else if numeric[i] {
                number(cell).unwrap_or(Scalar::Null)
            } else {
                Scalar::Text(cell.into())
            });
        }
        if let Some(cell) = time_column.and_then(|i| record.get(i)) {
            times.push(&time(&Scalar::Text(cell.into())));
        }
        row += 1;
        if row.is_multiple_of(PROGRESS_STEP) {
            progress(row, Some(rows));
        }
    })?;
    progress(row, Some(rows));
    let columns = header.iter().zip(columns).zip(kept).filter(|(_, kept)| *kept);
    let mut table = Table::new(columns.map(|((name, values), _)| Column { values, ..Column::new(name) }).collect());
    table.times = times;
    table.rows = table.rows.max(row as usize);
    table.columns.iter_mut().for_each(|column| column.values.fill(row as usize));
    Ok(table)
}

/// The number that a cell spells; null for the usual marks of a missing number. `None`: no number. Digits after a leading zero ("007") are
/// a code and no number.
fn number(cell: &str) -> Option<Scalar<'static>> {
    let cell = cell.trim();
    if NULLS.iter().any(|null| cell.eq_ignore_ascii_case(null)) {
        return Some(Scalar::Null);
    }
    let digits = cell.trim_start_matches(['+', '-']).as_bytes();
    if digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit() {
        return None;
    }
    let number: f64 = cell.parse().ok()?;
    Some(if number.is_finite() { Scalar::Number(number) } else { Scalar::NonFinite })
}

/// A comma, unless the name or the header line says otherwise.
fn delimiter(path: &Path) -> Result<u8, TableError> {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv")) {
        return Ok(b'\t');
    }
    let mut header = Vec::new();
    let file = std::io::Read::take(open(path)?, 1 << 20);
    BufReader::new(file).read_until(b'\n', &mut header).map_err(|source| io(path, source))?;
    Ok(if header.contains(&b',') { b',' } else { [b';', b'\t'].into_iter().find(|d| header.contains(d)).unwrap_or(b',') })
}

fn reader(path: &Path, delimiter: u8) -> Result<Reader<File>, TableError> {
    Ok(ReaderBuilder::new().delimiter(delimiter).buffer_capacity(1 << 18).from_reader(open(path)?))
}

fn each_row(path: &Path, reader: &mut Reader<File>, mut row: impl FnMut(&StringRecord)) -> Result<(), TableError> {
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| broken(path, &error))? {
        row(&record);
    }
    Ok(())
}

fn broken(path: &Path, error: &::csv::Error) -> TableError {
    let line = error.position().map_or(1, ::csv::Position::line);
    let problem = match error.kind() {
        ::csv::ErrorKind::Io(source) => return io(path, std::io::Error::new(source.kind(), source.to_string())),
        ::csv::ErrorKind::Utf8 { .. } => "not UTF-8; convert the file".to_owned(),
        ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells where the header has {expected_len}; is a text with commas not quoted?")
        }
        _ => error.to_string(),
    };
    TableError::Line { path: name(path), line, problem }
}
