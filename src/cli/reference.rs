//! `driftd reference`: a data set becomes a compiled reference, and a compiled reference a readable table.

mod build;
mod calibration;
mod show;

pub(crate) use build::compile_input;

use crate::engine::reference::compile::CompileSpec;
use crate::engine::settings::Task;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Compile a reference data set, or look at a compiled one.
#[derive(Debug, Clone, clap::Args)]
pub struct ReferenceArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ReferenceCommand,
}

/// What to do with a reference.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum ReferenceCommand {
    /// Compile a Parquet, CSV or JSON lines file into a reference
    Build(Box<BuildArgs>),
    /// Print what a compiled reference holds
    Show(ShowArgs),
}

/// Arguments of `driftd reference build`.
#[derive(Debug, Clone, clap::Args)]
pub struct BuildArgs {
    /// The data set: features by name, and where they are known `prediction`, `score` (or `score_<class>`) and `label`
    pub input: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Length of the windows that the data set is cut into by its column `timestamp`, to see how far windows differ without any change; best the
    /// `window.size` of the configuration
    #[arg(long, default_value = DEFAULT_WINDOW, value_parser = build::parse_window, value_name = "DURATION")]
    pub window: Duration,
    /// How the data set is to be understood
    #[command(flatten)]
    pub compile: CompileArgs,
}

/// The default of `window.size`.
pub(crate) const DEFAULT_WINDOW: &str = "1h";

/// How a data set is to be understood.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CompileArgs {
    /// Features that are numbers, whatever they look like
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub numeric: Vec<String>,
    /// Features that are names, whatever they look like
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub categorical: Vec<String>,
    /// Features that are texts: counted by length, words, unseen words and 3-grams
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub text: Vec<String>,
    /// Columns to leave out
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub ignore: Vec<String>,
    /// Resolution of numeric features; a feature with at most this many distinct values is kept exactly [default: 256]
    #[arg(long, value_name = "N")]
    pub cells: Option<usize>,
    /// Bins of numeric features with more than 20 distinct values, for PSI and its like: parts of about equal mass of the reference [default: 10]
    #[arg(long, value_name = "N")]
    pub bins: Option<usize>,
    /// Names of a categorical feature that are counted apart [default: 50]
    #[arg(long, value_name = "N")]
    pub max_categories: Option<usize>,
    /// What the model predicts: binary, multiclass or regression [default: as prediction and label look]
    #[arg(long, value_parser = build::parse_task)]
    pub task: Option<Task>,
    /// The positive class of a binary model
    #[arg(long, value_name = "CLASS")]
    pub positive: Option<String>,
    /// The classes [default: those of prediction and label]
    #[arg(long, value_delimiter = ',', value_name = "CLASSES")]
    pub classes: Vec<String>,
    /// The version of the model that the data set describes
    #[arg(long = "version", id = "model_version", value_name = "VERSION")]
    pub version: Option<String>,
}

/// Arguments of `driftd reference show`.
#[derive(Debug, Clone, clap::Args)]
pub struct ShowArgs {
    /// The compiled reference
    pub file: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl CompileArgs {
    /// The same for the compiler.
    pub fn spec(&self) -> CompileSpec {
        let names = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect();
        let default = CompileSpec::default();
        CompileSpec {
            cells: self.cells.unwrap_or(default.cells),
            bins: self.bins.unwrap_or(default.bins),
            max_categories: self.max_categories.unwrap_or(default.max_categories),
            numeric: names(&self.numeric),
            categorical: names(&self.categorical),
            text: names(&self.text),
            ignore: names(&self.ignore),
            task: self.task,
            positive: self.positive.as_deref().map(Into::into),
            classes: names(&self.classes),
            ..default
        }
    }
}

/// Runs the command; what it says goes to `out`, progress to standard error where that is a terminal.
pub fn run(args: &ReferenceArgs, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match &args.command {
        ReferenceCommand::Build(args) => build::run(args, out),
        ReferenceCommand::Show(args) => show::run(args, out),
    }
}

#[cfg(test)]
mod tests;
