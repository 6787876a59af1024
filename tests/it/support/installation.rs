//! A whole installation: topics, a configuration as `driftd init` writes it (with short windows), a state directory; and the daemon that runs it.

use super::daemon::{Daemon, http_get};
use super::kafka::{Broker, unique_name};
use super::receiver::Receiver;
use super::traffic::{Request, reference_csv};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;
use tempfile::TempDir;
use toml::Table;

/// Longest wait for anything on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// Length of a window.
pub(crate) const SIZE_MS: i64 = 4_000;
/// Distance between two windows.
pub(crate) const SLIDE_MS: i64 = 2_000;
/// Signing secret of every webhook.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Topics, configuration and state.
pub(crate) struct Installation {
    pub(crate) directory: TempDir,
    pub(crate) predictions: String,
    pub(crate) labels: String,
    pub(crate) n_partitions: i32,
    /// The configuration, written at each start.
    pub(crate) config: Table,
}

impl Installation {
    /// An installation of its own: nothing of it exists beside the directory, not even the topics.
    pub(crate) fn prepare(broker: &Broker, name: &str, n_partitions: i32) -> Self {
        let (predictions, labels) = (unique_name(&format!("{name}-predictions")), unique_name(&format!("{name}-labels")));
        Self::over(broker.address(), predictions, labels, n_partitions)
    }

    /// One that never sees a broker: for replays.
    pub(crate) fn offline() -> Self {
        Self::over("127.0.0.1:9", "predictions".to_owned(), "labels".to_owned(), 1)
    }

    /// The same with its topics.
    pub(crate) fn new(broker: &Broker, name: &str, n_partitions: i32) -> Self {
        let installation = Self::prepare(broker, name, n_partitions);
        installation.create_topics(broker);
        installation
    }

    /// Another installation, with a group and a state of its own, over the topics of this one.
    pub(crate) fn twin(&self, broker: &Broker) -> Self {
        Self::over(broker.address(), self.predictions.clone(), self.labels.clone(), self.n_partitions)
    }

    fn over(brokers: &str, predictions: String, labels: String, n_partitions: i32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("reference.csv"), reference_csv()).unwrap();
        let mut installation = Self { directory, predictions, labels, n_partitions, config: Table::new() };
        let topics = ["--predictions-topic", &installation.predictions, "--labels-topic", &installation.labels];
        let model = ["init", "--reference", "reference.csv", "--model", "fraud", "--task", "binary", "--positive", "1"];
        let windows = ["--window", "4s", "--slide", "2s", "--brokers", brokers];
        let output = installation.driftd(&[&model[..], &windows, &topics].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        installation.config = std::fs::read_to_string(installation.path("driftd.toml")).unwrap().parse().unwrap();
        installation.set("daemon", "listen", "127.0.0.1:0");
        installation.set("daemon", "checkpoint", "1s");
        installation.set("log", "format", "json");
        installation.set("log", "level", "info,driftd::measurement=debug");
        installation.set("kafka", "group", unique_name("group"));
        installation.set("window", "lateness", "1s");
        // 250 requests a second are no fault of this model
        installation.add("model.override", [("rule", "throughput".into()), ("enabled", false.into())]);
        installation
    }

    /// Creates both topics.
    pub(crate) fn create_topics(&self, broker: &Broker) {
        broker.create_topic(&self.predictions, self.n_partitions);
        broker.create_topic(&self.labels, self.n_partitions);
    }

    /// Sets `key` of `[section]`.
    pub(crate) fn set(&mut self, section: &str, key: &str, value: impl Into<toml::Value>) {
        let section = self.config.entry(section).or_insert_with(|| Table::new().into());
        section.as_table_mut().unwrap().insert(key.to_owned(), value.into());
    }

    /// Adds a `[[block]]`; `model.override` is one of the first model.
    fn add<const N: usize>(&mut self, block: &str, keys: [(&str, toml::Value); N]) {
        let table = match block.strip_prefix("model.") {
            Some(_) => self.config["model"].as_array_mut().unwrap()[0].as_table_mut().unwrap(),
            None => &mut self.config,
        };
        let name = block.rsplit('.').next().unwrap();
        let list = table.entry(name).or_insert_with(|| toml::Value::Array(Vec::new()));
        let keys: Table = keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        list.as_array_mut().unwrap().push(keys.into());
    }

    /// Slack at `receiver`.
    pub(crate) fn slack(&mut self, name: &str, receiver: &Receiver) {
        self.add("receiver", [("name", name.into()), ("type", "slack".into()), ("url", receiver.url("/slack").into())]);
    }

    /// PagerDuty at `receiver`, with the integration key `key0`.
    pub(crate) fn pagerduty(&mut self, name: &str, receiver: &Receiver) {
        std::fs::write(self.path("routing-key"), "key0").unwrap();
        let key = self.path("routing-key").display().to_string();
        let url = receiver.url("/v2/enqueue");
        self.add("receiver", [("name", name.into()), ("type", "pagerduty".into()), ("url", url.into()), ("routing_key_file", key.into())]);
    }

    /// A webhook at `receiver`, signed with [`SECRET`].
    pub(crate) fn webhook(&mut self, name: &str, receiver: &Receiver) {
        let secret = self.secret_file();
        let url = receiver.url("/hook");
        self.add(
            "receiver",
            [
                ("name", name.into()),
                ("type", "webhook".into()),
                ("url", url.into()),
                ("secret_file", secret.into()),
                ("timeout", "60s".into()),
            ],
        );
    }

    /// The retraining trigger at `receiver`, signed with [`SECRET`].
    pub(crate) fn retrain(&mut self, receiver: &Receiver) {
        let secret = self.secret_file();
        self.set("retrain", "url", receiver.url("/retrain"));
        self.set("retrain", "secret_file", secret);
        self.set("retrain", "min_labels", 500);
    }

    fn secret_file(&self) -> String {
        std::fs::write(self.path("webhook-secret"), SECRET).unwrap();
        self.path("webhook-secret").display().to_string()
    }

    /// A file of it.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// Runs a command in its directory.
    pub(crate) fn driftd(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_driftd")).args(arguments).current_dir(self.directory.path()).output().unwrap()
    }

    /// Writes the configuration and starts the daemon; returns when it listens.
    pub(crate) fn start(&self) -> Running {
        std::fs::write(self.path("driftd.toml"), self.config.to_string()).unwrap();
        let mut daemon = Daemon::start([PathBuf::from("run"), "--config".into(), self.path("driftd.toml")]);
        let line: Value = serde_json::from_str(&daemon.wait_for_line("\"listening\"", PATIENCE)).unwrap();
        Running { daemon, address: line["address"].as_str().unwrap().to_owned() }
    }

    /// Produces a prediction to the partition of its id.
    pub(crate) fn predict(&self, broker: &Broker, request: &Request) {
        let partition = request.partition(self.n_partitions);
        broker.produce(&self.predictions, partition, &request.id, request.prediction().to_string());
    }

    /// Produces a label to the partition of its id.
    pub(crate) fn label(&self, broker: &Broker, request: &Request, delay_ms: i64) {
        let partition = request.partition(self.n_partitions);
        broker.produce(&self.labels, partition, &request.id, request.label(delay_ms).to_string());
    }

    /// Replays events from files, one message a line: what it printed, line by line.
    pub(crate) fn replay<L: AsRef<[u8]>>(&self, predictions: &[L], labels: &[L]) -> Vec<String> {
        std::fs::write(self.path("driftd.toml"), self.config.to_string()).unwrap();
        for (file, lines) in [("predictions.jsonl", predictions), ("labels.jsonl", labels)] {
            let lines: Vec<&[u8]> = lines.iter().map(AsRef::as_ref).collect();
            std::fs::write(self.path(file), lines.join(&b'\n')).unwrap();
        }
        let files = ["--predictions", "predictions.jsonl", "--labels", "labels.jsonl"];
        let output = self.driftd(&[&["replay", "--config", "driftd.toml"], &files[..]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

/// The daemon of an installation.
pub(crate) struct Running {
    pub(crate) daemon: Daemon,
    /// Where it listens.
    pub(crate) address: String,
}

impl Running {
    /// One scrape: the value of each series by its name with labels.
    pub(crate) fn metrics(&mut self) -> Metrics {
        let text = self.daemon.wait_for_http(&self.address, "/metrics", 200, PATIENCE);
        let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
        Metrics(samples.map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect())
    }

    /// Waits until the metrics are as `enough` wants them; each scrape must hold the balance of events.
    #[track_caller]
    pub(crate) fn wait_for_metrics(&mut self, what: &str, mut enough: impl FnMut(&Metrics) -> bool) -> Metrics {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let metrics = self.metrics();
            metrics.assert_conserved();
            if enough(&metrics) {
                return metrics;
            }
            assert!(std::time::Instant::now() < deadline, "not within {PATIENCE:?}: {what}: {:#?}", metrics.0);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until so many events were received, which must be all there are.
    #[track_caller]
    pub(crate) fn wait_for_received(&mut self, n_events: u64) -> Metrics {
        self.wait_for_metrics(&format!("{n_events} events"), |metrics| {
            let received = metrics.sum("driftd_events_received_total");
            assert!(received <= n_events, "{received} events received of {n_events} that were produced");
            received == n_events
        })
    }

    /// Every measurement printed so far.
    pub(crate) fn measurements(&self) -> Vec<Value> {
        measurements(&self.daemon.lines())
    }

    /// Waits until a measurement has been printed for the window that ends at `end_ms`.
    #[track_caller]
    pub(crate) fn wait_for_reading(&mut self, end_ms: i64, subject: &str, metric: &str) -> Value {
        let end = format!(r#"\"end\":\"{}\""#, super::traffic::timestamp(end_ms));
        let what = format!("{metric} of {subject} in the window that ends at {end}");
        super::wait_until(&what, PATIENCE, || {
            let lines = self.daemon.lines();
            let relevant: Vec<String> = lines.into_iter().filter(|line| line.contains(&end)).collect();
            measurements(&relevant).into_iter().rev().find(|line| line["subject"] == subject && line["metric"] == metric)
        })
    }

    /// SIGTERM, which must end it well within its shutdown time.
    #[track_caller]
    pub(crate) fn terminate(&mut self) {
        self.daemon.terminate();
        let status = self.daemon.wait(Duration::from_secs(15));
        assert_eq!(status.code(), Some(0), "{}", self.daemon.lines().join("\n"));
    }
}

/// The measurements among log lines.
pub(crate) fn measurements(lines: &[String]) -> Vec<Value> {
    let marked = lines.iter().filter(|line| line.contains(r#""driftd::measurement""#));
    // a process that was killed may have left half a line
    let events = marked.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events.map(|event| serde_json::from_str(event["line"].as_str().unwrap()).unwrap()).collect()
}

/// One scrape of `/metrics`.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// The sum over all series of a counter or gauge.
    pub(crate) fn sum(&self, name: &str) -> u64 {
        let of_name = |series: &str| series.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'));
        self.0.iter().filter(|(series, _)| of_name(series)).map(|(_, value)| *value as u64).sum()
    }

    /// One series, named in full; absent is zero.
    pub(crate) fn get(&self, series: &str) -> u64 {
        self.0.get(series).map_or(0, |value| *value as u64)
    }

    /// Invariant I1: received = applied + late + duplicate + not sampled + rejected + waiting.
    #[track_caller]
    pub(crate) fn assert_conserved(&self) {
        let parts = [
            "driftd_events_applied_total",
            "driftd_events_late_total",
            "driftd_events_duplicate_total",
            "driftd_events_rejected_total",
            "driftd_labels_not_sampled_total",
        ];
        let settled: u64 = parts.iter().map(|name| self.sum(name)).sum();
        let waiting = self.sum("driftd_labels_waiting");
        assert_eq!(self.sum("driftd_events_received_total"), settled + waiting, "{:#?}", self.0);
    }
}

/// What one listener must be able to answer: a body of `path`, whatever its status.
pub(crate) fn get(address: &str, path: &str) -> Option<(u16, String)> {
    http_get(address, path).ok()
}
