//! What the notifier is told about one receiver.

use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One receiver as the rim sees it. Its URL may be a secret and never prints.
#[derive(Debug, Clone)]
pub struct ChannelSettings {
    /// Name in the configuration; `retrain` for the retraining trigger.
    pub name: Arc<str>,
    /// What it speaks.
    pub channel: Channel,
    /// Where it listens.
    pub url: SecretString,
    /// Longest time for one attempt, in milliseconds.
    pub timeout_ms: u64,
}

/// What a receiver speaks.
#[derive(Debug, Clone)]
pub enum Channel {
    /// Slack incoming webhook, Block Kit.
    Slack,
    /// PagerDuty Events API v2.
    PagerDuty {
        /// The integration key.
        routing_key: SecretString,
    },
    /// CloudEvents 1.0 body with a Standard Webhooks signature.
    Webhook {
        /// `whsec_…`; `None`: unsigned.
        secret: Option<SecretString>,
        /// Further headers.
        headers: BTreeMap<String, String>,
    },
}
