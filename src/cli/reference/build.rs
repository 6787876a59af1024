//! `driftd reference build`.

use super::{BuildArgs, CompileArgs, show};
use crate::config::duration::parse_duration;
use crate::edge::ingest::table::read_table;
use crate::edge::state::reference_file::ReferenceFile;
use crate::engine::calibration::{CalibrationSpec, calibrate};
use crate::engine::catalogue::MetricSet;
use crate::engine::reference::compile::{NoteKind, compile};
use crate::engine::reference::table::{NOT_READ, Table};
use crate::engine::settings::Task;
use crate::event::Timestamp;
use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Builds a reference, writes it and says what is in it.
pub(super) fn run(args: &BuildArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let file = compile_input(&args.input, &args.compile, args.window)?;
    file.save(&args.out)?;
    show::print(&file, out)?;
    writeln!(out, "\nwritten to {}", args.out.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Reads and compiles a data set, and calibrates it on windows of that length.
pub(crate) fn compile_input(input: &Path, args: &CompileArgs, window: Duration) -> anyhow::Result<ReferenceFile> {
    let bar = ProgressBar::no_length();
    bar.set_style(ProgressStyle::with_template("{spinner} {msg} {human_pos} rows, {elapsed}").context("a progress line")?);
    bar.set_message(format!("reading {}", input.display()));
    let table = read_table(input, &mut |rows, total| {
        total.into_iter().for_each(|total| bar.set_length(total));
        bar.set_position(rows);
    })?;
    bar.set_message("compiling");
    let spec = args.spec();
    let mut compiled = compile(&table, &spec).with_context(|| format!("{} cannot be a reference", input.display()))?;
    bar.set_message("calibrating");
    let calibration = CalibrationSpec {
        window_ms: i64::try_from(window.as_millis()).unwrap_or(i64::MAX),
        task: compiled.task,
        positive: compiled.positive.clone(),
        numeric: spec.numeric,
        costly: MetricSet::all(),
    };
    calibrate(&mut compiled.reference, &table, &calibration);
    bar.finish_and_clear();
    let unknown = compiled.notes.iter().filter(|note| note.kind == NoteKind::NoSuchColumn).find_map(|note| note.column.as_deref());
    if let Some(unknown) = unknown.filter(|name| !NOT_READ.contains(name)) {
        bail!("{} has no column {unknown:?}; it has {}", input.display(), columns(&table));
    }
    let source = input.file_name().map_or_else(|| input.display().to_string(), |name| name.to_string_lossy().into_owned());
    Ok(ReferenceFile::new(compiled, source, now(), args.version.as_deref().map(Into::into)))
}

/// A task by its name.
pub(crate) fn parse_task(text: &str) -> Result<Task, String> {
    Task::ALL.into_iter().find(|task| task.as_str() == text).ok_or_else(|| {
        let names: Vec<&str> = Task::ALL.iter().map(|task| task.as_str()).collect();
        format!("one of {}", names.join(", "))
    })
}

/// A positive length of time.
pub(super) fn parse_window(text: &str) -> Result<Duration, String> {
    match u64::try_from(parse_duration(text)?) {
        Ok(ms) if ms > 0 => Ok(Duration::from_millis(ms)),
        _ => Err(format!("{text:?} is no length of a window")),
    }
}

fn columns(table: &Table) -> String {
    const SHOWN: usize = 20;
    let names: Vec<&str> = table.columns.iter().take(SHOWN).map(|column| &*column.name).collect();
    let more = table.columns.len().saturating_sub(SHOWN);
    names.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// The wall clock; before 1970 it is 1970.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
