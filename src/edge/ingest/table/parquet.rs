//! Parquet: flat columns of numbers, booleans and texts; timestamps, dates and decimals are numbers, lists of numbers are vectors. Other nested columns
//! and types without a single value come back as structured cells, so that one odd column does not cost the file.

use super::{TableError, TableLimits, is_not_read, is_time, name, open, time};
use crate::engine::reference::table::{Column, ColumnValues, Table};
use crate::event::{MAX_DIMENSIONS, Scalar};
use ::parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::DataType;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::schema::types::ColumnDescriptor;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Records taken from a column at once.
const BATCH: usize = 8192;

/// Lists taken from a column at once: each may be long.
const LISTS: usize = 256;

/// Reads a Parquet file, column by column. Progress is told in rows, as if columns were read side by side.
pub(super) fn read(path: &Path, limits: TableLimits, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<Table, TableError> {
    // the library asserts some of what a damaged file can break; nothing that it touched is used after that
    catch_unwind(AssertUnwindSafe(|| read_columns(path, limits, progress))).unwrap_or_else(|_| {
        let problem = "damaged; write the file again".to_owned();
        Err(TableError::Parquet { path: name(path), column: None, problem })
    })
}

fn read_columns(path: &Path, limits: TableLimits, progress: &mut dyn FnMut(u64, Option<u64>)) -> Result<Table, TableError> {
    let broken =
        |column: Option<&str>, problem: String| TableError::Parquet { path: name(path), column: column.map(str::to_owned), problem };
    let reader = SerializedFileReader::new(open(path)?).map_err(|error| broken(None, problem(&error)))?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema_descr_ptr();
    let rows = u64::try_from(metadata.file_metadata().num_rows()).map_err(|_| broken(None, "a negative number of rows".to_owned()))?;
    if schema.num_columns() > limits.columns {
        return Err(TableError::TooManyColumns { path: name(path), max: limits.columns });
    }
    let (mut columns, mut unreadable) = (Vec::<Column>::new(), BTreeSet::new());
    let mut times = ColumnValues::default();
    for (i, descriptor) in schema.columns().iter().enumerate() {
        let root = descriptor.path().parts().first().map_or("", String::as_str);
        if is_time(root) && descriptor.path().parts().len() == 1 && is_readable(descriptor) {
            let mut cells = ColumnValues::default();
            read_column(&reader, i, descriptor, &mut cells, read_chunk).map_err(|error| broken(Some(root), problem(&error)))?;
            let per_ms = units_per_millisecond(descriptor);
            cells.iter().for_each(|cell| times.push(&time(&in_milliseconds(cell, per_ms))));
        }
        if is_not_read(root) || columns.last().is_some_and(|column| *column.name == *root && descriptor.path().parts().len() > 1) {
            continue;
        }
        let mut column = Column::new(root);
        let leaves = schema.columns().iter().filter(|leaf| leaf.path().parts().first().is_some_and(|first| first == root)).count();
        let is_list = leaves == 1 && is_list_of_numbers(descriptor);
        if is_readable(descriptor) || is_list {
            let read = if is_list { read_lists } else { read_chunk };
            read_column(&reader, i, descriptor, &mut column.values, read).map_err(|error| broken(Some(root), problem(&error)))?;
            if column.values.len() as u64 != rows {
                return Err(broken(Some(root), format!("{} cells where the file has {rows} rows", column.values.len())));
            }
        } else {
            unreadable.insert(column.name.clone());
        }
        columns.push(column);
        progress(rows * (i as u64 + 1) / schema.num_columns() as u64, Some(rows));
    }
    // only now, because a damaged file may claim any number of rows
    let mut table = Table { times, ..Table::new(columns) };
    for column in table.columns.iter_mut().filter(|column| unreadable.contains(&column.name)) {
        column.values = ColumnValues::default();
        (0..table.rows).for_each(|_| column.values.push(&Scalar::Structured));
    }
    Ok(table)
}

fn problem(error: &ParquetError) -> String {
    match error {
        ParquetError::General(text) | ParquetError::NYI(text) | ParquetError::EOF(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether every cell is a single value of a type that is known here.
fn is_readable(descriptor: &ColumnDescriptor) -> bool {
    let flat = descriptor.path().parts().len() == 1 && descriptor.max_rep_level() == 0;
    flat && (descriptor.physical_type() != Type::FIXED_LEN_BYTE_ARRAY || decimal_scale(descriptor).is_some())
}

/// Whether every cell is a list of plain numbers, and nothing but that.
fn is_list_of_numbers(descriptor: &ColumnDescriptor) -> bool {
    let number = matches!(descriptor.physical_type(), Type::FLOAT | Type::DOUBLE | Type::INT32 | Type::INT64);
    let plain = decimal_scale(descriptor).is_none() && !is_unsigned(descriptor) && !is_temporal(descriptor);
    descriptor.max_rep_level() == 1 && descriptor.path().parts().len() <= 3 && number && plain
}

fn is_temporal(descriptor: &ColumnDescriptor) -> bool {
    matches!(descriptor.logical_type_ref(), Some(LogicalType::Date | LogicalType::Time { .. } | LogicalType::Timestamp { .. }))
}

/// Reads a column of lists.
fn read_lists(reader: ColumnReader, descriptor: &ColumnDescriptor, into: &mut ColumnValues) -> Result<(), ParquetError> {
    let max = descriptor.max_def_level();
    // the level from which a list has an element, null or not
    let optional = descriptor.self_type().get_basic_info().repetition() == Repetition::OPTIONAL;
    let element = if optional { max - 1 } else { max };
    match reader {
        ColumnReader::FloatColumnReader(r) => lists(r, element, max, into, |v| f64::from(*v)),
        ColumnReader::DoubleColumnReader(r) => lists(r, element, max, into, |v| *v),
        ColumnReader::Int32ColumnReader(r) => lists(r, element, max, into, |v| f64::from(*v)),
        ColumnReader::Int64ColumnReader(r) => lists(r, element, max, into, |v| *v as f64),
        _ => Err(ParquetError::General("a list of no numbers".to_owned())),
    }
}

/// Appends every list of one chunk. A definition level below `element - 1` is a null, one below `element` an empty list, one below `max` a list with a null
/// in it, which is a number that is not finite.
fn lists<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    element: i16,
    max: i16,
    into: &mut ColumnValues,
    number: impl Fn(&T::T) -> f64,
) -> Result<(), ParquetError> {
    let (mut definitions, mut repetitions, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let mut vector: Vec<f64> = Vec::new();
    loop {
        definitions.clear();
        repetitions.clear();
        values.clear();
        let (records, ..) = reader.read_records(LISTS, Some(&mut definitions), Some(&mut repetitions), &mut values)?;
        if records == 0 {
            return Ok(());
        }
        let mut present = values.iter();
        let mut at = 0;
        while at < definitions.len() {
            let start = at;
            vector.clear();
            let mut length = 0;
            while at < definitions.len() && (at == start || repetitions.get(at).is_some_and(|&level| level > 0)) {
                if definitions[at] >= element {
                    let value = if definitions[at] == max { present.next().map_or(f64::INFINITY, &number) } else { f64::INFINITY };
                    length += 1;
                    if length <= MAX_DIMENSIONS {
                        vector.push(if value.is_finite() { value } else { f64::INFINITY });
                    }
                }
                at += 1;
            }
            into.push(&match length {
                0 if definitions[start] < element - 1 => Scalar::Null,
                1..=MAX_DIMENSIONS => Scalar::Vector(Cow::Borrowed(&vector)),
                _ => Scalar::Structured,
            });
        }
    }
}

/// Reads one column of all row groups.
fn read_column(
    reader: &SerializedFileReader<std::fs::File>,
    column: usize,
    descriptor: &ColumnDescriptor,
    into: &mut ColumnValues,
    read: fn(ColumnReader, &ColumnDescriptor, &mut ColumnValues) -> Result<(), ParquetError>,
) -> Result<(), ParquetError> {
    for group in 0..reader.num_row_groups() {
        let chunk = reader.get_row_group(group).and_then(|group| group.get_column_reader(column))?;
        read(chunk, descriptor, into)?;
    }
    Ok(())
}

/// What one millisecond is in the unit of a column of times; other numbers are milliseconds already.
fn units_per_millisecond(descriptor: &ColumnDescriptor) -> f64 {
    match (descriptor.logical_type_ref(), descriptor.converted_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _) => match timestamp.unit {
            TimeUnit::MILLIS => 1.0,
            TimeUnit::MICROS => 1e3,
            TimeUnit::NANOS => 1e6,
        },
        (_, ConvertedType::TIMESTAMP_MICROS) => 1e3,
        _ => 1.0,
    }
}

pub(super) fn in_milliseconds(cell: Scalar<'_>, per_ms: f64) -> Scalar<'_> {
    match cell {
        Scalar::Number(number) => Scalar::Number((number / per_ms).floor()),
        other => other,
    }
}

fn read_chunk(reader: ColumnReader, descriptor: &ColumnDescriptor, into: &mut ColumnValues) -> Result<(), ParquetError> {
    let (scale, unsigned) = (decimal_scale(descriptor), is_unsigned(descriptor));
    let integer = |value: i64| match scale {
        Some(scale) => decimal(value.into(), scale),
        None if unsigned => Scalar::Number(value as u64 as f64),
        None => Scalar::Number(value as f64),
    };
    let bytes = |bytes: &[u8]| match scale {
        Some(scale) => big_endian(bytes).map_or(Scalar::NonFinite, |value| decimal(value, scale)),
        None => std::str::from_utf8(bytes).map_or(Scalar::Structured, |text| Scalar::Text(Cow::Owned(text.to_owned()))),
    };
    let max = descriptor.max_def_level();
    match reader {
        ColumnReader::BoolColumnReader(r) => cells(r, max, into, |v| Scalar::Bool(*v)),
        // an unsigned number of 32 bits fills the sign bit of its storage
        ColumnReader::Int32ColumnReader(r) if unsigned => cells(r, max, into, |v| integer(i64::from(*v as u32))),
        ColumnReader::Int32ColumnReader(r) => cells(r, max, into, |v| integer(i64::from(*v))),
        ColumnReader::Int64ColumnReader(r) => cells(r, max, into, |v| integer(*v)),
        ColumnReader::Int96ColumnReader(r) => cells(r, max, into, |v| Scalar::Number(v.to_millis() as f64)),
        ColumnReader::FloatColumnReader(r) => cells(r, max, into, |v| Scalar::Number(f64::from(*v))),
        ColumnReader::DoubleColumnReader(r) => cells(r, max, into, |v| Scalar::Number(*v)),
        ColumnReader::ByteArrayColumnReader(r) => cells(r, max, into, |v| bytes(v.data())),
        ColumnReader::FixedLenByteArrayColumnReader(r) => cells(r, max, into, |v| bytes(v.data())),
    }
}

/// Appends every cell of one chunk; a definition level below `max_level` is a null.
fn cells<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    max_level: i16,
    into: &mut ColumnValues,
    scalar: impl Fn(&T::T) -> Scalar<'static>,
) -> Result<(), ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    loop {
        levels.clear();
        values.clear();
        let (records, ..) = reader.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        if records == 0 {
            return Ok(());
        }
        let mut present = values.iter();
        for record in 0..records {
            let is_null = max_level > 0 && levels.get(record).is_some_and(|&level| level < max_level);
            into.push(&if is_null { Scalar::Null } else { present.next().map_or(Scalar::Null, &scalar) });
        }
    }
}

fn decimal_scale(descriptor: &ColumnDescriptor) -> Option<i32> {
    match descriptor.logical_type_ref() {
        Some(LogicalType::Decimal(decimal)) => Some(decimal.scale),
        _ => (descriptor.converted_type() == ConvertedType::DECIMAL).then(|| descriptor.type_scale()),
    }
}

fn is_unsigned(descriptor: &ColumnDescriptor) -> bool {
    use ConvertedType as C;
    matches!(descriptor.logical_type_ref(), Some(LogicalType::Integer(integer)) if !integer.is_signed)
        || matches!(descriptor.converted_type(), C::UINT_8 | C::UINT_16 | C::UINT_32 | C::UINT_64)
}

/// The number nearest to `unscaled · 10^−scale`, the same as its text would give.
fn decimal(unscaled: i128, scale: i32) -> Scalar<'static> {
    format!("{unscaled}e{}", -i64::from(scale)).parse().map_or(Scalar::NonFinite, Scalar::Number)
}

/// A two's complement number of up to 16 bytes, most significant first.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let fill = if bytes.first()? & 0x80 == 0 { 0 } else { 0xff };
    let mut padded = [fill; 16];
    padded.get_mut(16usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(padded))
}
