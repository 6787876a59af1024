//! The tool that runs the binary sees what a process does, whatever it is that runs.

use crate::support::daemon::{Daemon, http_get};
use crate::support::receiver::Receiver;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn shell(program: &str) -> Daemon {
    Daemon::spawn(Command::new("sh").args(["-c", program]))
}

#[test]
fn the_binary_starts_and_ends() {
    let status = Daemon::start(["--version"]).wait(PATIENCE);
    assert!(status.success(), "{status}");
}

#[test]
fn output_of_both_streams_is_kept_and_the_exit_code_seen() {
    let mut process = shell("echo first; echo second >&2; exit 3");
    assert_eq!(process.wait_for_line("second", PATIENCE), "second");
    assert_eq!(process.wait(PATIENCE).code(), Some(3));
    assert!(process.lines().contains(&"first".to_owned()));
}

#[test]
fn a_signal_reaches_the_process() {
    let mut process = shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    process.wait_for_line("ready", PATIENCE);
    process.terminate();
    assert!(process.wait(PATIENCE).success());
    assert_eq!(process.lines(), ["ready", "bye"]);
}

#[test]
fn a_killed_process_is_gone() {
    let mut process = shell("echo ready; exec sleep 600");
    process.wait_for_line("ready", PATIENCE);
    process.kill();
    assert_eq!(process.wait(PATIENCE).code(), None, "ended by a signal");
}

#[test]
#[should_panic(expected = "driftd ended (exit status: 1) before a line with")]
fn waiting_for_a_process_that_ended_panics() {
    shell("exit 1").wait_for_line("ready", PATIENCE);
}

#[test]
fn http_get_reads_status_and_body() {
    let receiver = Receiver::start();
    let address = receiver.url("").trim_start_matches("http://").to_owned();
    assert_eq!(http_get(&address, "/livez").unwrap(), (200, "ok".to_owned()));
    assert_eq!(receiver.received()[0].path, "/livez");
}
