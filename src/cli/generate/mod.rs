//! `driftd generate`: seeded, realistic traffic with scripted drift, to files or to Kafka.
//!
//! `Traffic` is the pure generator and also serves the demo; `Schedule` plays a scenario with it; a sink takes the events.

mod change;
mod concept;
mod feature;
mod kafka;
mod play;
mod reference;
mod request;
mod scenario;
mod schedule;
mod sink;
mod traffic;

pub use change::{Change, ChangeError};
pub use feature::Feature;
pub(crate) use reference::{ReferenceFormat, write_reference};
pub use request::{Answer, Inputs, Request, Target};
pub use scenario::{Scenario, ScenarioError, Step};
pub use schedule::{Happening, Message, Schedule, What};
pub use traffic::Traffic;

use crate::engine::settings::Task;
use crate::event::Timestamp;
use anyhow::{Context, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use play::{Pace, Played, play};
use sink::{FileSink, Sink, TopicSink};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Start of a run to files where none is given: fixed, so that the same seed gives the same bytes.
const FILE_START: &str = "2026-01-01T00:00:00Z";

/// Make seeded, realistic traffic with scripted drift.
#[derive(Debug, Clone, Args)]
pub struct GenerateArgs {
    /// Write prediction events to this file, one JSON object a line
    #[arg(long, value_name = "FILE", conflicts_with = "brokers")]
    predictions: Option<PathBuf>,
    /// Write label events to this file
    #[arg(long, value_name = "FILE", conflicts_with = "brokers")]
    labels: Option<PathBuf>,
    /// Write reference rows of the healthy model to this file (.csv, .jsonl, .ndjson)
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Rows of the reference
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    reference_rows: u32,
    /// Send events to these Kafka brokers, host:port separated by commas
    #[arg(long, value_name = "BROKERS")]
    brokers: Option<String>,
    /// Further librdkafka property, may be repeated; others on this machine can read it, so no secrets
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_property, requires = "brokers")]
    property: Vec<(String, String)>,
    /// Topic of predictions
    #[arg(long, value_name = "TOPIC", default_value = "predictions")]
    predictions_topic: String,
    /// Topic of labels
    #[arg(long, value_name = "TOPIC", default_value = "labels")]
    labels_topic: String,
    /// Script of what changes when (TOML); without it the built-in one: healthy, drift, turned concept, retrained version
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// What the model predicts: binary, multiclass or regression
    #[arg(long, default_value = "binary", value_parser = parse_task)]
    task: Task,
    /// Seed: the same seed, scenario and start give the same bytes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Event time of the start, RFC 3339 or "now" [default: 2026-01-01T00:00:00Z for files, now for Kafka]
    #[arg(long, value_name = "TIME", value_parser = parse_start)]
    start: Option<Timestamp>,
    /// Length of the run instead of the scenario's, e.g. 10m
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    duration: Option<Duration>,
    /// Requests per second instead of the scenario's
    #[arg(long, value_name = "N")]
    rate: Option<f64>,
    /// Mean time from a prediction to its label instead of the scenario's, e.g. 20s
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    label_delay: Option<Duration>,
    /// How many times as fast as the clock event time passes, or "max" [default: max for files, 1 for Kafka]
    #[arg(long, value_name = "FACTOR", value_parser = parse_pace)]
    speed: Option<Pace>,
}

/// Runs the command; what was made, and what was injected when, is written to `out`.
pub fn run(args: GenerateArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let scenario = scenario(&args)?;
    let to_files = args.predictions.is_some() || args.labels.is_some();
    if !to_files && args.brokers.is_none() && args.reference.is_none() {
        bail!("nothing to make: give --predictions and --labels, --brokers, or --reference");
    }
    if let Some(path) = &args.reference {
        let format = ReferenceFormat::of(path)?;
        write_reference(&mut sink::create(path)?, format, &scenario, args.seed, args.reference_rows as usize)?;
        writeln!(out, "{} reference rows of {} {} in {}", args.reference_rows, scenario.model, scenario.version, path.display())?;
    }
    if let Some(brokers) = &args.brokers {
        let start = args.start.unwrap_or_else(now);
        let mut sink = TopicSink::new(kafka::connect(brokers, &args.property)?, &args.predictions_topic, &args.labels_topic);
        play_all(scenario, &args, start, &mut sink, args.speed.unwrap_or(Pace::Timed(1.0)), out)?;
    } else if to_files {
        let start = args.start.unwrap_or(Timestamp::parse(FILE_START).expect("the constant is a timestamp"));
        let mut sink = FileSink::create(args.predictions.as_deref(), args.labels.as_deref())?;
        play_all(scenario, &args, start, &mut sink, args.speed.unwrap_or(Pace::Fast), out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The scenario asked for, with what the arguments override.
fn scenario(args: &GenerateArgs) -> anyhow::Result<Scenario> {
    let (name, text) = match &args.scenario {
        Some(path) => {
            (path.display().to_string(), std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?)
        }
        None => ("built-in".to_owned(), Scenario::BUILT_IN.to_owned()),
    };
    let mut scenario = Scenario::parse(&text, args.task).with_context(|| format!("invalid scenario {name}"))?;
    if let Some(rate) = args.rate {
        scenario.rate = rate;
        scenario.check_rate().map_err(anyhow::Error::msg).context("invalid --rate")?;
    }
    if let Some(duration) = args.duration {
        scenario.duration_ms = i64::try_from(duration.as_millis()).context("--duration is too long")?;
    }
    if let Some(delay) = args.label_delay {
        scenario.label_delay_ms = delay.as_secs_f64() * 1000.0;
    }
    Ok(scenario)
}

fn play_all(
    scenario: Scenario,
    args: &GenerateArgs,
    start: Timestamp,
    sink: &mut dyn Sink,
    pace: Pace,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let bar = progress_bar(scenario.duration_ms);
    let schedule = Schedule::new(scenario, args.seed, start)?;
    let progress = |at: Timestamp| bar.set_position(u64::try_from(at.since(start)).unwrap_or(0));
    let played = play(schedule, start, sink, pace, &progress);
    bar.finish_and_clear();
    report(&played?, start, out)
}

fn report(played: &Played, start: Timestamp, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{} predictions, {} labels from {start}", played.n_predictions, played.n_labels)?;
    if played.n_labels_left_out > 0 {
        writeln!(out, "{} labels were due after the end and are left out", played.n_labels_left_out)?;
    }
    for (at, change) in &played.changes {
        writeln!(out, "{at}  {change}")?;
    }
    Ok(())
}

/// On standard error, and only where that is a terminal.
fn progress_bar(duration_ms: i64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} % of event time, {eta} left").expect("the template is valid");
    ProgressBar::new(u64::try_from(duration_ms).unwrap_or(0)).with_style(style)
}

fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
}

fn parse_start(text: &str) -> Result<Timestamp, String> {
    if text == "now" { Ok(now()) } else { Timestamp::parse(text).map_err(|error| error.to_string()) }
}

/// What traffic is made of: not lists.
const TASKS: [Task; 3] = [Task::Binary, Task::Multiclass, Task::Regression];

fn parse_task(text: &str) -> Result<Task, String> {
    let names = || TASKS.map(Task::as_str).join(", ");
    TASKS.into_iter().find(|task| task.as_str() == text).ok_or_else(|| format!("give one of {}", names()))
}

fn parse_property(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("give KEY=VALUE".to_owned()),
    }
}

fn parse_pace(text: &str) -> Result<Pace, String> {
    match text {
        "max" => Ok(Pace::Fast),
        number => match number.parse::<f64>() {
            Ok(speed) if (0.001..=1_000_000.0).contains(&speed) => Ok(Pace::Timed(speed)),
            _ => Err("give a number from 0.001 to 1000000, or max".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests;
