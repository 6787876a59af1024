//! `driftd init`: from a reference to a configuration that works as it stands.

mod template;

use super::reference::{CompileArgs, compile_input};
use crate::edge::state::reference_file::{ReferenceFile, is_reference_file};
use crate::engine::settings::Task;
use crate::event::{Scalar, class_place};
use anyhow::{Context, bail, ensure};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Write a commented configuration, and the compiled reference beside it.
#[derive(Debug, Clone, clap::Args)]
pub struct InitArgs {
    /// The reference: a Parquet, CSV or JSON lines file, or an already compiled reference
    #[arg(long, value_name = "FILE")]
    pub reference: PathBuf,
    /// Name of the model, as its events carry it
    #[arg(long, value_name = "NAME")]
    pub model: String,
    /// Length of a window
    #[arg(long, default_value = "1h", value_parser = duration, value_name = "DURATION")]
    pub window: Duration,
    /// Distance between two windows
    #[arg(long, default_value = "5m", value_parser = duration, value_name = "DURATION")]
    pub slide: Duration,
    /// Kafka brokers, host:port, comma-separated
    #[arg(long, default_value = "localhost:9092")]
    pub brokers: String,
    /// Topic of predictions
    #[arg(long, default_value = "predictions", value_name = "TOPIC")]
    pub predictions_topic: String,
    /// Topic of labels; may be the topic of predictions
    #[arg(long, default_value = "labels", value_name = "TOPIC")]
    pub labels_topic: String,
    /// The configuration to write
    #[arg(long, default_value = "driftd.toml", value_name = "FILE")]
    pub out: PathBuf,
    /// Overwrite what is there
    #[arg(long)]
    pub force: bool,
    /// How the data set is to be understood
    #[command(flatten)]
    pub compile: CompileArgs,
}

/// Runs the command; what it says goes to `out`.
pub fn run(args: &InitArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    check_windows(args)?;
    let reference_path = args.out.with_file_name(format!("{}.reference", file_stem(&args.model)));
    let compiled = is_reference_file(&args.reference).with_context(|| format!("cannot read {}", args.reference.display()))?;
    let in_place = compiled && same_file(&args.reference, &reference_path);
    refuse_to_overwrite(&args.out, args.force)?;
    if !in_place {
        refuse_to_overwrite(&reference_path, args.force)?;
    }
    let mut file = if compiled { load(args)? } else { compile_input(&args.reference, &args.compile, args.window)? };
    let (task, positive) = settle(args, &file)?;
    file.task = Some(task);
    file.positive = positive;
    let text = template::configuration(args, &file, &reference_path);
    if let Some(folder) = args.out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    if !in_place {
        file.save(&reference_path)?;
    }
    fs::write(&args.out, text).with_context(|| format!("cannot write {}", args.out.display()))?;
    report(args, &file, &reference_path, out)?;
    Ok(ExitCode::SUCCESS)
}

fn report(args: &InitArgs, file: &ReferenceFile, reference_path: &Path, out: &mut dyn Write) -> anyhow::Result<()> {
    let reference = &file.reference;
    writeln!(
        out,
        "{}: {} features, {} rows, reference {}",
        reference_path.display(),
        reference.inputs.len(),
        reference.rows,
        reference.id
    )?;
    for note in &file.notes {
        writeln!(out, "  note: {note}")?;
    }
    writeln!(out, "{}: model {}, {} windows every {}", args.out.display(), args.model, show(args.window), show(args.slide))?;
    writeln!(out, "next: driftd check --config {0}, then driftd run --config {0}", args.out.display())?;
    Ok(())
}

/// An already compiled reference; what can only be said while compiling is refused.
fn load(args: &InitArgs) -> anyhow::Result<ReferenceFile> {
    let mut file = ReferenceFile::load(&args.reference)?;
    let options = &args.compile;
    let late = [
        ("--numeric", !options.numeric.is_empty()),
        ("--categorical", !options.categorical.is_empty()),
        ("--cells", options.cells.is_some()),
        ("--bins", options.bins.is_some()),
        ("--max-categories", options.max_categories.is_some()),
        ("--classes", !options.classes.is_empty()),
    ];
    if let Some((option, _)) = late.iter().find(|(_, given)| *given) {
        bail!("{} is compiled already, so {option} comes too late; give it to `driftd reference build`", args.reference.display());
    }
    if options.version.is_some() {
        file.version = options.version.as_deref().map(Into::into);
    }
    Ok(file)
}

/// Task and positive class: as told where the reference allows it, else as the reference has them.
fn settle(args: &InitArgs, file: &ReferenceFile) -> anyhow::Result<(Task, Option<std::sync::Arc<str>>)> {
    let Some(task) = args.compile.task.or(file.task) else {
        bail!(
            "{} has neither predictions nor labels to tell the task from; say --task binary, multiclass, regression or ranking",
            args.reference.display()
        );
    };
    let classes = &file.reference.outputs.classes;
    let is_regression = file.task == Some(Task::Regression);
    let fits = match task {
        Task::Binary => classes.len() == 2 || (classes.is_empty() && !is_regression),
        Task::Multiclass => !is_regression,
        Task::Regression => classes.is_empty(),
        // no column of the reference speaks of lists
        Task::Ranking => true,
    };
    if !fits {
        let holds = if is_regression { "numbers".to_owned() } else { format!("{} classes ({})", classes.len(), classes.join(", ")) };
        bail!("--task {} does not fit {}: its predictions and labels are {holds}", task.as_str(), args.reference.display());
    }
    if task != Task::Binary {
        ensure!(args.compile.positive.is_none(), "a {} model has no positive class; leave --positive out", task.as_str());
        return Ok((task, None));
    }
    let wanted = args.compile.positive.as_deref().or(file.positive.as_deref());
    match wanted {
        Some(wanted) if classes.is_empty() => Ok((task, Some(wanted.into()))),
        Some(wanted) => match class_place(classes, &Scalar::Text(wanted.into())) {
            Some(place) => Ok((task, Some(classes[place].clone()))),
            None => bail!("--positive {wanted} is not among the classes of the reference ({})", classes.join(", ")),
        },
        None if classes.is_empty() => Ok((task, Some("1".into()))),
        None => match class_place(classes, &Scalar::Text("1".into())) {
            Some(place) => Ok((task, Some(classes[place].clone()))),
            None => bail!("the classes are {}; say with --positive which of them is the positive one", classes.join(" and ")),
        },
    }
}

fn check_windows(args: &InitArgs) -> anyhow::Result<()> {
    let (window, slide) = (args.window.as_millis(), args.slide.as_millis());
    ensure!(slide > 0 && slide.is_multiple_of(1000), "--slide {} is not a whole number of seconds", show(args.slide));
    ensure!(
        window >= slide && window.is_multiple_of(slide),
        "--window {} is not a multiple of --slide {}; windows are made of slides",
        show(args.window),
        show(args.slide)
    );
    ensure!(!args.model.is_empty(), "--model is empty");
    Ok(())
}

fn refuse_to_overwrite(path: &Path, force: bool) -> anyhow::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(_) if !force => bail!("{} exists already; move it, or say --force", path.display()),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| format!("cannot look at {}", path.display())),
        _ => Ok(()),
    }
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// The model's name as part of a file's name.
fn file_stem(model: &str) -> String {
    let stem: String = model.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }).collect();
    let stem = stem.trim_start_matches('.').trim_matches('-');
    if stem.is_empty() { "model".to_owned() } else { stem.to_owned() }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write e.g. 30s, 5m, 1h, 7d"))
}

/// A duration as the configuration writes it.
fn show(duration: Duration) -> String {
    humantime::format_duration(duration).to_string().replace(' ', "")
}

#[cfg(test)]
mod tests;
