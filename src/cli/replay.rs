//! `driftd replay`: the very engine of the daemon over files, deterministically.

use crate::app::{Pipeline, load_config, load_references};
use crate::config::SecretPolicy;
use crate::edge::decode::TopicRole;
use crate::edge::decode::json::{Decoder, decode};
use crate::edge::encode::Line;
use crate::edge::ingest::replay::{LineFile, merged};
use crate::engine::evaluator::Effect;
use crate::engine::window::Carries;
use crate::event::{PartitionId, Position, RejectReason, Timestamp, TopicId};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Seed of the id hash: fixed, so that equal input gives equal bytes.
const SEED: u64 = 0;
/// Lines between two looks at the progress bar.
const PROGRESS_LINES: u64 = 4096;

/// Replays files of events through the rules.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// The configuration; [kafka] and the receivers are not used.
    #[arg(long, default_value = "driftd.toml")]
    config: PathBuf,
    /// Predictions, one JSON event a line; may be given more than once.
    #[arg(long, required = true)]
    predictions: Vec<PathBuf>,
    /// Labels, one JSON event a line; may be given more than once.
    #[arg(long)]
    labels: Vec<PathBuf>,
    /// What to print: every measurement, alert, retraining and rejected line as JSON, or alerts and the summary for people.
    #[arg(long, value_enum, default_value = "ndjson")]
    format: Format,
    /// Write to this file instead of the standard output.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Ndjson,
    Text,
}

/// One input file as the engine sees it.
struct Input {
    name: String,
    role: TopicRole,
    topic: TopicId,
}

/// Runs the command.
pub fn run(args: &ReplayArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let config = load_config(&args.config, SecretPolicy::Unread)?;
    let references = load_references(&config)?;
    let mut pipeline = Pipeline::new(Arc::new(config.engine.clone()), config.events.clone(), references, SEED);
    if args.format == Format::Ndjson {
        pipeline.evaluator.name_all_parts();
    }
    let (inputs, files) = open(args, &mut pipeline)?;
    let mut file_out;
    let out: &mut dyn Write = match &args.out {
        Some(path) => {
            file_out = BufWriter::new(File::create(path).with_context(|| format!("cannot write {}", path.display()))?);
            &mut file_out
        }
        None => out,
    };
    let progress = progress(files.iter().map(LineFile::len).sum::<usize>() as u64);
    let mut printer = Printer { out, format: args.format };
    let decoder = RefCell::new(Decoder::default());
    let time_of = |file: usize, bytes: &[u8]| {
        let mut time = None;
        decoder.borrow_mut().decode(Some(bytes), inputs[file].role, &config.events, &mut |event| {
            time = time.or(event.ok().map(|e| e.timestamp()));
        });
        time
    };
    // a batch comes with its last event: none of them is ahead of the clock
    let latest_of = |file: usize, bytes: &[u8]| {
        let mut latest = Timestamp::MIN;
        decode(Some(bytes), inputs[file].role, &config.events, &mut |event| {
            latest = event.map_or(latest, |e| latest.max(e.timestamp()));
        });
        latest
    };
    let partitions: Vec<PartitionId> = inputs.iter().map(|i| PartitionId { topic: i.topic, partition: 0 }).collect();
    let mut done = 0;
    // offsets count a file's lines in the order of time, which is the order of the log that the files make up
    let mut offsets = vec![0; inputs.len()];
    let mut predictions_left: usize =
        inputs.iter().zip(&files).filter(|(i, _)| i.role == TopicRole::Predictions).map(|(_, f)| f.records()).sum();
    for turn in merged(&files, time_of) {
        let at = turn.at;
        // all files are one log in the order of time: what one of them says of the time holds for all
        partitions.iter().for_each(|&partition| pipeline.shard.progress(partition, at));
        printer.effects(pipeline.turn())?;
        let input = &inputs[turn.file];
        let position = Position { partition: partitions[turn.file], offset: offsets[turn.file] };
        offsets[turn.file] += 1;
        let mut rejected: Vec<RejectReason> = Vec::new();
        let arrival = if turn.bytes.trim_ascii_start().starts_with(b"[") { latest_of(turn.file, turn.bytes).max(at) } else { at };
        pipeline.message(Some(turn.bytes), input.role, position, arrival, &mut |reason| rejected.push(reason));
        for reason in rejected {
            printer.line(&Line::rejected(&input.name, turn.line as u64 + 1, reason))?;
        }
        if input.role == TopicRole::Predictions {
            predictions_left -= 1;
            if predictions_left == 0 {
                pipeline.end_inputs();
            }
        }
        done += 1;
        if done % PROGRESS_LINES == 0 {
            progress.set_position(done);
        }
    }
    printer.effects(pipeline.finish())?;
    progress.finish_and_clear();
    let state = pipeline.shard.state();
    printer.line(&Line::summary(state.counts(), pipeline.shard.in_flight(), pipeline.evaluator.state().windows))?;
    printer.out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn open(args: &ReplayArgs, pipeline: &mut Pipeline) -> anyhow::Result<(Vec<Input>, Vec<LineFile>)> {
    let (mut inputs, mut files) = (Vec::new(), Vec::new());
    let predictions = args.predictions.iter().map(|path| (path, TopicRole::Predictions));
    for (path, role) in predictions.chain(args.labels.iter().map(|path| (path, TopicRole::Labels))) {
        let name = path.display().to_string();
        files.push(LineFile::read(path).with_context(|| format!("cannot read {name}"))?);
        let carries = Carries { predictions: role == TopicRole::Predictions, labels: role == TopicRole::Labels };
        let topic = pipeline.shard.topic(&name, carries).context("too many files")?;
        pipeline.shard.assign(PartitionId { topic, partition: 0 }, Timestamp::MIN);
        inputs.push(Input { name, role, topic });
    }
    Ok((inputs, files))
}

fn progress(lines: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(lines), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} lines, {per_sec}, {eta} left");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Prints effects in the chosen format.
struct Printer<'a> {
    out: &'a mut dyn Write,
    format: Format,
}

impl Printer<'_> {
    fn effects(&mut self, effects: Vec<Effect>) -> std::io::Result<()> {
        for effect in &effects {
            match effect {
                Effect::Measured(measurement) if self.format == Format::Ndjson => self.line(&Line::measurement(measurement))?,
                Effect::Measured(_) => {}
                Effect::Alert(transition) => self.line(&Line::alert(&transition.facts))?,
                Effect::Retrain(facts) => self.line(&Line::retrain(facts))?,
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &Line) -> std::io::Result<()> {
        match self.format {
            Format::Ndjson => line.write(self.out),
            Format::Text => match line.text() {
                Some(text) => writeln!(self.out, "{text}"),
                None => Ok(()),
            },
        }
    }
}
