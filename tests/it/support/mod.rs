//! What tests need around the daemon: a real broker, receivers that misbehave on command, the built binary as a process.

#![allow(dead_code, reason = "a tool box: not every tool is in use at every time")]

pub(crate) mod daemon;
pub(crate) mod dataset;
pub(crate) mod installation;
pub(crate) mod kafka;
pub(crate) mod oracle;
pub(crate) mod receiver;
pub(crate) mod signature;
pub(crate) mod source;
pub(crate) mod traffic;

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Polls until `ready` gives something; panics with `what` at the deadline.
#[track_caller]
pub(crate) fn wait_until<T>(what: &str, timeout: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {timeout:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The root of the checkout under test. Cargo says it at run time; what it was at compile time is another one where several
/// checkouts share a target directory.
pub(crate) fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// A port that was free a moment ago, on loopback.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Every `.rs` file below a folder of the repository with its path from that folder, in order.
pub(crate) fn rust_files(folder: &str) -> Vec<(String, String)> {
    let top = root().join(folder);
    let (mut folders, mut files) = (vec![top.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&top).unwrap().to_str().unwrap().replace('\\', "/");
                files.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    files.sort();
    files
}
