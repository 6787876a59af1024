//! `driftd run` as a process of its own.

use crate::measure::cpu_of_process;
use crate::traffic::Watched;
use driftd::edge::ingest::KafkaSettings;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Time between two looks: rarely enough not to be a load.
const LOOK: Duration = Duration::from_millis(200);
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(300);

/// A running daemon with a state directory; both go with this value.
pub(crate) struct Daemon {
    child: Child,
    listen: SocketAddr,
    _state: TempDir,
}

impl Daemon {
    /// Starts it on the installation, with further settings before the models.
    pub(crate) fn start(watched: &Watched, kafka: &KafkaSettings, settings: &str) -> Self {
        let state = tempfile::tempdir().expect("a directory can be made");
        // free a moment ago, which is enough on a machine that measures
        let listen = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port is free");
        let KafkaSettings { brokers, group, predictions, labels, .. } = kafka;
        let text =
            format!("{settings}\n[kafka]\nbrokers = {brokers:?}\ngroup = {group:?}\npredictions = {predictions:?}\nlabels = {labels:?}\n");
        // the configuration is the installation's: no two daemons of it run at once
        watched.with(&text);
        let log = File::create(state.path().join("log")).expect("the directory takes files");
        let child = Command::new(env!("CARGO_BIN_EXE_driftd"))
            .args(["run", "--stop-with-stdin", "--config"])
            .arg(watched.directory().join("driftd.toml"))
            .env("DRIFTD__DAEMON__LISTEN", listen.to_string())
            .env("DRIFTD__DAEMON__STATE_DIR", state.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("driftd starts");
        Self { child, listen, _state: state }
    }

    /// Its number.
    pub(crate) fn process(&self) -> String {
        self.child.id().to_string()
    }

    /// CPU seconds so far, with its start.
    pub(crate) fn cpu(&self) -> f64 {
        cpu_of_process(&self.process(), false)
    }

    /// The sum of a metric over its labels; 0 where there is none yet.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let page = self.get("/metrics").unwrap_or_default();
        let series = page.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
        series.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    }

    /// Waits until a metric has reached a value.
    pub(crate) fn wait_for(&mut self, name: &str, least: f64) {
        let began = Instant::now();
        while self.metric(name) < least {
            assert!(self.child.try_wait().expect("the child is ours").is_none(), "driftd has ended");
            assert!(began.elapsed() < PATIENCE, "{name} is {} of {least}", self.metric(name));
            std::thread::sleep(LOOK);
        }
    }

    fn get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.listen)?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // it may have ended by itself
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
