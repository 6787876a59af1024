//! The room's suites: what is rendered, what an attempt comes to, how the workers behave. Servers are real ones on loopback.

mod delivering;
mod rendering;
mod server;
mod working;

use super::{Channel, ChannelSettings, Notifier};
use crate::engine::alert::{Notification, NotifyReason};
use std::collections::BTreeMap;
use std::sync::Arc;

const ROUTING_KEY: &str = "R0UT1NGKEY0000000000000000000000";
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn settings(name: &str, channel: Channel, url: &str) -> ChannelSettings {
    ChannelSettings { name: name.into(), channel, url: url.into(), timeout_ms: 2_000 }
}

fn pagerduty() -> Channel {
    Channel::PagerDuty { routing_key: ROUTING_KEY.into() }
}

fn webhook() -> Channel {
    let headers = BTreeMap::from([("X-Team".to_owned(), "ml-token".to_owned())]);
    Channel::Webhook { secret: Some(SECRET.into()), headers }
}

fn notifier(receivers: Vec<ChannelSettings>) -> Arc<Notifier> {
    Arc::new(Notifier::new(receivers, None).unwrap())
}

/// A sample notification to `receiver`.
fn to(receiver: &str, reason: NotifyReason) -> Notification {
    Notification { receiver: receiver.into(), ..super::sample::full(reason) }
}
