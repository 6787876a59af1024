//! The commands, one file each.

pub mod check;
pub mod demo;
pub mod generate;
pub mod health;
pub mod init;
pub mod reference;
pub mod replay;

use clap::{Parser, Subcommand};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Watches machine-learning models in production: drift, quality and service figures from Kafka.
#[derive(Debug, Parser)]
#[command(name = "driftd", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch: read Kafka, judge windows, tell receivers, until SIGTERM.
    Run {
        /// The configuration.
        #[arg(long, default_value = "driftd.toml")]
        config: PathBuf,
        /// Stop when the standard input ends, too: for a parent that must not leave it behind.
        #[arg(long, hide = true)]
        stop_with_stdin: bool,
    },
    /// Show the whole story in a minute and a half: drift, alerts, retraining, recovery; needs nothing, not even a broker.
    Demo(demo::DemoArgs),
    /// Put files through the very engine of the daemon and print what it finds.
    Replay(replay::ReplayArgs),
    /// Check a configuration and its rules; all problems at once.
    Check(check::CheckArgs),
    /// Write a configuration that works as it stands, from a reference data set.
    Init(init::InitArgs),
    /// Compile a reference data set, or look at a compiled one.
    Reference(reference::ReferenceArgs),
    /// Make realistic traffic with scripted drift, to files or Kafka.
    Generate(generate::GenerateArgs),
    /// Ask a running daemon whether it lives (for container health checks).
    #[command(hide = true)]
    Health(health::HealthArgs),
}

/// Runs the command line; the exit code is 0 when all went well, 1 on an error, 2 on wrong arguments.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let ended = match cli.command {
        Command::Run { config, stop_with_stdin } => {
            drop(out);
            return exit_code(crate::app::run(&config, stop_with_stdin).map(|()| ExitCode::SUCCESS));
        }
        Command::Demo(args) => {
            drop(out);
            return exit_code(demo::run(&args));
        }
        Command::Replay(args) => replay::run(&args, &mut out),
        Command::Check(args) => check::run(args, &mut out),
        Command::Init(args) => init::run(&args, &mut out),
        Command::Reference(args) => reference::run(&args, &mut out),
        Command::Generate(args) => generate::run(args, &mut out),
        Command::Health(args) => health::run(&args),
    };
    let flushed = out.flush();
    exit_code(ended.and_then(|code| flushed.map(|()| code).map_err(Into::into)))
}

fn exit_code(ended: anyhow::Result<ExitCode>) -> ExitCode {
    ended.unwrap_or_else(|error| {
        // a reader that went away (`driftd replay … | head`) is no error
        let broken_pipe = |e: &std::io::Error| e.kind() == std::io::ErrorKind::BrokenPipe;
        if error.chain().any(|cause| cause.downcast_ref().is_some_and(broken_pipe)) {
            return ExitCode::SUCCESS;
        }
        // nothing is left to be done where even the standard error is closed
        let _written = writeln!(std::io::stderr(), "driftd: {}", told_once(&error)).is_ok();
        ExitCode::FAILURE
    })
}

/// An error with its causes, leaving out a cause that the text before it tells already.
fn told_once(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string).filter(|cause| !cause.is_empty()) {
        if !text.contains(&cause) {
            text = if text.is_empty() { cause } else { format!("{text}: {cause}") };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::told_once;
    use anyhow::anyhow;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow!("no such file").context("cannot read a.toml: no such file; make one").context("the demo");
        assert_eq!(told_once(&error), "the demo: cannot read a.toml: no such file; make one");
    }
}
