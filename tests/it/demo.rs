//! The demo as a user starts it: everything happens as told, and nothing stays behind.

use crate::support::daemon::Daemon;
use std::time::Duration;

/// The story takes about 75 s; a busy machine tells it more slowly.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn everything_happens_as_told() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("demo");
    let mut demo = Daemon::start(["demo", "--dir", directory.to_str().unwrap()]);
    let status = demo.wait(PATIENCE);
    let printed = demo.lines().join("\n");
    assert!(status.success(), "{status}:\n{printed}\nlog:\n{}", std::fs::read_to_string(directory.join("daemon.log")).unwrap_or_default());
    for part in [
        "feature-drift: amount, age",
        "model-quality: ",
        "retraining asked for",
        "feature-drift resolved",
        "model-quality resolved",
        "✓ the drift alert names exactly the two inputs",
        "✓ one signed retraining request goes out",
        "✓ PagerDuty: trigger and resolve, one dedup_key",
        "✓ every event is accounted for",
        "everything happened as told",
    ] {
        assert!(printed.contains(part), "{part:?} is missing in\n{printed}");
    }
    assert!(!printed.contains('✗') && !printed.contains('\u{1b}'), "{printed}");
    assert!(directory.join("driftd.toml").exists());
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut demo = Daemon::start_with_env(["demo"], [("TMPDIR", temporary.path().to_str().unwrap())]);
    demo.wait_for_line("requests/s", PATIENCE);
    let work = std::fs::read_dir(temporary.path()).unwrap().next().unwrap().unwrap().path();
    let log = std::fs::read_to_string(work.join("daemon.log")).unwrap();
    let address = log.lines().find_map(|line| line.split_once("address=")).unwrap().1.trim().to_owned();
    assert!(std::net::TcpStream::connect(&address).is_ok(), "the daemon runs at {address}");
    demo.terminate();
    assert_eq!(demo.wait(Duration::from_secs(30)).code(), Some(130), "{}", demo.lines().join("\n"));
    assert!(std::net::TcpStream::connect(&address).is_err(), "the daemon still listens at {address}");
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn a_killed_demo_takes_its_daemon_along() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("demo");
    let mut demo = Daemon::start(["demo", "--dir", directory.to_str().unwrap()]);
    demo.wait_for_line("requests/s", PATIENCE);
    let log = || std::fs::read_to_string(directory.join("daemon.log")).unwrap();
    let address = log().lines().find_map(|line| line.split_once("address=")).unwrap().1.trim().to_owned();
    demo.kill();
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(&address).is_ok() {
        assert!(std::time::Instant::now() < deadline, "the daemon still listens at {address}:\n{}", log());
        std::thread::sleep(Duration::from_millis(100));
    }
}
