//! `driftd run` as a process of its own, the very binary of the demo with a configuration file.
//!
//! Invariant: it never outlives the demo. It is told to stop when its standard input ends, which the system sees to even when the demo is killed.

use anyhow::{Context, bail};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The file of the running program, also where it was replaced (Linux).
const RUNNING: &str = "/proc/self/exe";
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// Lines of the log that are shown when it failed.
const SHOWN_LINES: usize = 15;

/// The running daemon.
#[derive(Debug)]
pub(super) struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts it; what it logs goes to the file `log`.
    pub(super) fn start(config: &Path, log: PathBuf) -> anyhow::Result<Self> {
        let named = std::env::current_exe().context("cannot tell which program this is")?;
        // a file that was built anew meanwhile is gone by its name; Linux still has the one that runs
        let program = if named.exists() { named } else { PathBuf::from(RUNNING) };
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(&program);
        command.args(["run", "--stop-with-stdin", "--config"]).arg(config).stdin(Stdio::piped()).stdout(file.try_clone()?).stderr(file);
        // the environment must not change the configuration of the demo
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DRIFTD__")) {
            command.env_remove(name);
        }
        // a group of its own keeps Ctrl-C for the demo, which then ends the daemon in order
        command.process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, log })
    }

    /// `host:port` of its HTTP server, once it says so.
    pub(super) fn address(&mut self, patience: Duration) -> anyhow::Result<String> {
        let began = Instant::now();
        loop {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            // only whole lines: the last one may still be on its way
            let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
            if let Some(address) = whole.lines().find_map(listening) {
                return Ok(address.to_owned());
            }
            self.check()?;
            if began.elapsed() > patience {
                bail!("the daemon does not listen after {patience:?}{}", self.log_end());
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Fails where it has ended.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait().context("cannot look after the daemon")? {
            Some(status) => bail!("the daemon ended by itself ({status}){}", self.log_end()),
            None => Ok(()),
        }
    }

    /// Tells it to stop and waits for its end; `None`: it did not end in time and is killed.
    pub(super) fn stop(mut self, patience: Duration) -> Option<ExitStatus> {
        drop(self.child.stdin.take());
        let began = Instant::now();
        while began.elapsed() < patience {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(LOOK);
        }
        None
    }

    fn log_end(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
        if shown.is_empty() { String::new() } else { format!("; its log ends with\n{}", shown.join("\n")) }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // both fail only for a process that is gone
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address in the log line that says where the daemon listens.
fn listening(line: &str) -> Option<&str> {
    let (_, address) = line.split_once(" listening ")?.1.split_once("address=")?;
    address.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_the_log() {
        let line = "2026-11-22T12:00:00.000Z  INFO driftd::app::daemon: listening address=127.0.0.1:41234";
        assert_eq!(listening(line), Some("127.0.0.1:41234"));
        assert_eq!(listening("2026-11-22T12:00:00.000Z  INFO driftd::app::daemon: state restored"), None);
    }
}
