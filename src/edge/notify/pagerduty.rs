//! PagerDuty Events API v2: firing and repeat trigger, resolved resolves, all under one `dedup_key`, the incident.
//!
//! A repeat joins the open incident; if a person resolved it by hand while the alert still fires, the repeat opens it again.
//! Every text is bounded, so that the body stays far below the 512 KB that PagerDuty takes.

use super::templates::{PAGERDUTY_PARTS, Templates};
use super::{RenderError, contract, text};
use crate::engine::alert::{AlertFacts, Body, Notification, NotifyReason};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// PagerDuty's limits, in characters.
const MAX_SUMMARY: usize = 1_024;
const MAX_KEY: usize = 255;
/// Ours: longest component, group and class.
const MAX_NAME: usize = 255;

/// The body for a notification; it holds the integration key.
pub(super) fn body(templates: &Templates, notification: &Notification, routing_key: &SecretString) -> Result<Vec<u8>, RenderError> {
    let Body::Alert(alert) = &notification.body else { return Err(RenderError::NotAPipeline) };
    let action = match notification.reason {
        NotifyReason::Firing | NotifyReason::Repeat => "trigger",
        NotifyReason::Resolved => "resolve",
        NotifyReason::Retrain => return Err(RenderError::NotAPipeline),
    };
    let mut event = json!({
        "routing_key": routing_key.expose_secret().trim(),
        "event_action": action,
        "dedup_key": text::cut(&alert.incident.0, MAX_KEY),
    });
    if action == "trigger" {
        let [summary] = templates.parts("pagerduty", PAGERDUTY_PARTS, notification)?;
        if summary.is_empty() {
            return Err(RenderError::Empty { part: "summary" });
        }
        event["client"] = json!("driftd");
        event["payload"] = payload(alert, &summary)?;
    }
    Ok(event.to_string().into_bytes())
}

fn payload(alert: &AlertFacts, summary: &str) -> Result<Value, RenderError> {
    Ok(json!({
        "summary": text::one_line(summary, MAX_SUMMARY),
        "source": text::one_line(&format!("driftd/{}", alert.environment), MAX_NAME),
        "severity": alert.severity.as_str(),
        "timestamp": contract::happened_at(alert).to_string(),
        "component": text::one_line(&alert.model.to_string(), MAX_NAME),
        "group": text::one_line(&alert.environment, MAX_NAME),
        "class": text::one_line(&alert.rule, MAX_NAME),
        "custom_details": serde_json::to_value(contract::alert_data(alert))?,
    }))
}
