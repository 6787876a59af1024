//! What a receiver reads from a message: the very JSON that Slack, PagerDuty and a training pipeline get, taken apart as they would.

use super::checks::thousands;
use super::receivers::To;
use crate::edge::notify::contract::{AlertData, CloudEvent, RetrainData};
use anyhow::Context;
use serde_json::Value;
use std::time::Instant;

/// A message that came in.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// Who was told.
    pub to: To,
    /// When.
    pub at: Instant,
    /// What about.
    pub what: What,
    /// The incident: PagerDuty's `dedup_key`.
    pub incident: String,
    /// Name of the rule; empty where the message does not say it (PagerDuty's resolve).
    pub rule: String,
    /// `model/version`; empty where the message does not say it.
    pub model: String,
    /// What a person reads, line by line.
    pub text: Vec<String>,
    /// What it is about, e.g. `amount`, `accuracy`, with its value in words; worst first.
    pub worst: Vec<Finding>,
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// An alert fires.
    Firing,
    /// An alert is over.
    Resolved,
    /// A retraining is asked for.
    Retrain,
}

/// One thing beyond its bound.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    /// `PSI of amount`, `accuracy`.
    pub what: String,
    /// `1.02 (above 0.1)`.
    pub value: String,
}

impl Finding {
    /// What it is a property of: the last word.
    pub(super) fn of(&self) -> &str {
        self.what.rsplit(' ').next().unwrap_or_default()
    }
}

/// A message to a Slack channel (Block Kit).
pub(super) fn slack(body: &[u8], at: Instant) -> anyhow::Result<Told> {
    let json: Value = serde_json::from_slice(body).context("not JSON")?;
    let blocks = json["blocks"].as_array().context("no blocks")?;
    let block = |kind: &'static str| blocks.iter().filter(move |block| block["type"] == kind);
    let header = block("header").find_map(|block| block["text"]["text"].as_str()).context("no header")?.to_owned();
    let small_print = block("context").find_map(|block| block["elements"][0]["text"].as_str()).context("no context")?;
    let part = |name: &str| small_print.split(" · ").find_map(|part| part.strip_prefix(name)).map(str::trim);
    let incident = part("incident ").context("no incident")?.trim_matches('`').to_owned();
    let body = block("section").find_map(|block| block["text"]["text"].as_str()).unwrap_or_default();
    let fields = block("section").filter_map(|block| block["fields"].as_array()).flatten().filter_map(|field| field["text"].as_str());
    let fields = fields.filter_map(|text| text.strip_prefix('*')?.split_once("*\n"));
    let worst: Vec<Finding> = fields.filter(|(_, value)| value.contains('(')).map(finding).collect();
    let what = if header.starts_with('✅') { What::Resolved } else { What::Firing };
    let mut text = vec![header.clone()];
    if what == What::Resolved {
        text.extend(body.lines().filter(|line| !line.starts_with("At its worst")).map(plain));
    } else {
        text.extend(worst.iter().map(|finding| format!("{} {}", finding.what, finding.value)));
    }
    Ok(Told {
        to: To::Slack,
        at,
        what,
        incident,
        rule: part("rule ").context("no rule")?.to_owned(),
        model: header.rsplit(' ').next().unwrap_or_default().to_owned(),
        text,
        worst,
    })
}

/// An event to PagerDuty (Events API v2).
pub(super) fn pagerduty(body: &[u8], at: Instant) -> anyhow::Result<Told> {
    let json: Value = serde_json::from_slice(body).context("not JSON")?;
    let incident = json["dedup_key"].as_str().context("no dedup_key")?.to_owned();
    let resolved = Told {
        to: To::PagerDuty,
        at,
        what: What::Resolved,
        text: vec![format!("resolve, dedup_key {incident}")],
        incident,
        rule: String::new(),
        model: String::new(),
        worst: Vec::new(),
    };
    match json["event_action"].as_str() {
        Some("resolve") => Ok(resolved),
        Some("trigger") => {
            let payload = &json["payload"];
            let summary = payload["summary"].as_str().context("no summary")?;
            let severity = payload["severity"].as_str().context("no severity")?;
            let details: AlertData = serde_json::from_value(payload["custom_details"].clone()).context("custom_details")?;
            let worst = details.worst.iter().map(|worst| Finding {
                what: worst.metric.clone(),
                value: worst.value.map_or_else(String::new, |value| value.to_string()),
            });
            let text = vec![format!("trigger, {severity}: {summary}"), format!("dedup_key {}", resolved.incident)];
            let model = format!("{}/{}", details.model, details.version);
            Ok(Told { what: What::Firing, rule: details.rule, model, text, worst: worst.collect(), ..resolved })
        }
        _ => anyhow::bail!("no event_action"),
    }
}

/// A request for a retraining (a CloudEvent); the facts too, for whoever retrains.
pub(super) fn retrain(body: &[u8], at: Instant) -> anyhow::Result<(Told, RetrainData)> {
    let event: CloudEvent<RetrainData> = serde_json::from_slice(body).context("not the documented JSON")?;
    anyhow::ensure!(event.r#type == "dev.driftd.retrain.requested.v1", "an event of type {:?}", event.r#type);
    let data = event.data;
    let told = Told {
        to: To::Pipeline,
        at,
        what: What::Retrain,
        incident: data.incident.clone(),
        rule: data.rule.clone(),
        model: format!("{}/{}", data.model, data.version),
        text: vec![
            format!("retraining of {} {} asked for, signature valid", data.model, data.version),
            data.reason.clone(),
            format!("window: {} predictions, {} labels", thousands(data.counts.predictions), thousands(data.counts.labels)),
        ],
        worst: Vec::new(),
    };
    Ok((told, data))
}

fn finding((what, value): (&str, &str)) -> Finding {
    let value = value.split_once(", n ").map_or(value, |(value, _)| value);
    Finding { what: what.to_owned(), value: value.to_owned() }
}

/// Slack's markup without the marks.
fn plain(line: &str) -> String {
    line.replace('*', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slack_messages_are_read() {
        let told = slack(include_bytes!("../../../tests/data/webhooks/slack-firing.json"), Instant::now()).unwrap();
        assert_eq!(told.what, What::Firing);
        assert_eq!((told.rule.as_str(), told.model.as_str(), told.incident.as_str()), ("feature-drift", "fraud/v1", "8f3a0c6e51d2b794-3"));
        assert_eq!(told.worst[0], Finding { what: "PSI of amount".into(), value: "0.312 (above 0.1)".into() });
        let about: Vec<&str> = told.worst.iter().map(Finding::of).collect();
        assert_eq!(about, ["amount", "age", "country", "prediction", "accuracy"]);
        let told = slack(include_bytes!("../../../tests/data/webhooks/slack-resolved.json"), Instant::now()).unwrap();
        assert_eq!((told.what, told.incident.as_str()), (What::Resolved, "8f3a0c6e51d2b794-3"));
        assert_eq!(told.text[2], "version v1 no longer takes traffic");
    }

    #[test]
    fn pagerduty_events_are_read() {
        let told = pagerduty(include_bytes!("../../../tests/data/webhooks/pagerduty-firing.json"), Instant::now()).unwrap();
        assert_eq!((told.what, told.rule.as_str(), told.model.as_str()), (What::Firing, "feature-drift", "fraud/v1"));
        assert!(told.worst.contains(&Finding { what: "accuracy".into(), value: "0.8713".into() }), "{:?}", told.worst);
        let resolved = pagerduty(include_bytes!("../../../tests/data/webhooks/pagerduty-resolved.json"), Instant::now()).unwrap();
        assert_eq!((resolved.what, &resolved.incident), (What::Resolved, &told.incident));
    }

    #[test]
    fn retraining_requests_are_read_and_nothing_else() {
        let (told, data) = retrain(include_bytes!("../../../tests/data/webhooks/webhook-retrain.json"), Instant::now()).unwrap();
        assert_eq!((told.what, told.model.as_str(), data.data.predictions.len()), (What::Retrain, "fraud/v1", 2));
        assert!(retrain(include_bytes!("../../../tests/data/webhooks/webhook-firing.json"), Instant::now()).is_err());
    }
}
