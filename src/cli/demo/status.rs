//! What the daemon says about itself: its `/status`, as far as the demo shows and checks it.

use super::Event;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::time::Duration;

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(250);
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The part of `/status` that is used here.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Status {
    pub ready: bool,
    pub counts: Counts,
    pub event_time_lag_seconds: Option<f64>,
    pub models: Vec<Model>,
    pub alerts: Vec<Alert>,
    pub outbox: Outbox,
}

/// Where every event went.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Counts {
    pub received: u64,
    pub applied: u64,
    pub duplicate: u64,
    pub late: u64,
    pub rejected: BTreeMap<String, u64>,
    pub labels_waiting: u64,
}

/// The latest readings of a version.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Model {
    pub version: String,
    pub window: Window,
    pub readings: Vec<Reading>,
}

/// A window; RFC 3339 in UTC, so that later is greater.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Window {
    pub end: String,
    pub predictions: u64,
}

/// One reading.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Reading {
    pub subject: String,
    pub metric: String,
    pub value: Option<f64>,
    pub threshold: Option<f64>,
    pub verdict: Option<String>,
}

/// One alert that is pending or fires.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Alert {
    pub rule: String,
    pub version: String,
    pub state: String,
    pub worst: Vec<WorstSubject>,
}

/// What an alert is about.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct WorstSubject {
    pub subject: String,
    pub metric: String,
}

/// What is owed.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Outbox {
    pub pending: u64,
}

impl Status {
    /// The version that answers: the one with the newest window.
    pub(super) fn newest(&self) -> Option<&Model> {
        self.models.iter().filter(|model| model.window.predictions > 0).max_by(|a, b| a.window.end.cmp(&b.window.end))
    }

    /// The readings of one version.
    pub(super) fn model(&self, version: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.version == version)
    }

    /// Alerts that fire.
    pub(super) fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter().filter(|alert| alert.state == "firing")
    }
}

impl Counts {
    /// Every event that has ended somewhere, or waits.
    pub(super) fn accounted(&self) -> u64 {
        self.applied + self.late + self.duplicate + self.rejected.values().sum::<u64>() + self.labels_waiting
    }
}

impl Model {
    /// Accuracy of the latest window whose labels have come.
    pub(super) fn accuracy(&self) -> Option<f64> {
        self.readings.iter().find(|r| r.subject == "quality" && r.metric == "accuracy")?.value
    }

    /// The input that is the furthest beyond its bound, or the nearest to it.
    pub(super) fn worst_input(&self) -> Option<(&str, &Reading)> {
        let share = |r: &Reading| r.value.zip(r.threshold).map_or(f64::NEG_INFINITY, |(value, threshold)| value / threshold);
        let inputs = self.readings.iter().filter_map(|r| Some((r.subject.strip_prefix("feature:")?, r)));
        inputs.filter(|(_, r)| r.value.is_some() && r.threshold.is_some()).max_by(|(_, a), (_, b)| share(a).total_cmp(&share(b)))
    }

    /// Whether all inputs with a bound were judged, and none is beyond it.
    pub(super) fn inputs_are_fine(&self) -> bool {
        let mut bounded = self.readings.iter().filter(|r| r.subject.starts_with("feature:") && r.threshold.is_some()).peekable();
        bounded.peek().is_some() && bounded.all(|r| r.verdict.as_deref() == Some("ok"))
    }
}

/// One look.
pub(super) async fn fetch(client: &reqwest::Client, address: &str) -> anyhow::Result<Status> {
    let answer = client.get(format!("http://{address}/status")).timeout(TIMEOUT).send().await?;
    let bytes = answer.error_for_status()?.bytes().await?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Looks again and again, until nobody listens. A look that fails is passed over: the daemon's end is noticed elsewhere.
pub(super) async fn watch(client: reqwest::Client, address: String, events: Sender<Event>) {
    loop {
        if let Ok(status) = fetch(&client, &address).await
            && events.send(Event::Status(Box::new(status))).is_err()
        {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_is_understood() {
        let status: Status = serde_json::from_str(include_str!("../../../tests/data/status.json")).unwrap();
        assert_eq!(status.counts.received, status.counts.applied + 7 + 3 + 8);
        let model = status.newest().unwrap();
        assert_eq!(model.accuracy(), Some(0.875), "the later of two equal windows");
        let (input, reading) = status.models[0].worst_input().unwrap();
        assert_eq!((input, reading.metric.as_str(), reading.value), ("amount", "psi", Some(0.3125)));
        assert!(!status.models[0].inputs_are_fine());
        assert_eq!(status.firing().map(|a| a.rule.as_str()).collect::<Vec<_>>(), ["feature-drift"]);
    }
}
