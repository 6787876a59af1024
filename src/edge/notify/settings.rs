//! What the notifier is told about one receiver.

use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
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

/// What a receiver speaks. Prints the names of further headers only: a value may be a token.
#[derive(Clone)]
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
        /// `whsec_…`; `None`: unsigned. Several, apart by white space, sign each (while a secret is rotated).
        secret: Option<SecretString>,
        /// Further headers.
        headers: BTreeMap<String, String>,
    },
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slack => f.write_str("Slack"),
            Self::PagerDuty { .. } => f.debug_struct("PagerDuty").finish_non_exhaustive(),
            Self::Webhook { secret, headers } => {
                let names: Vec<&String> = headers.keys().collect();
                f.debug_struct("Webhook").field("signed", &secret.is_some()).field("headers", &names).finish()
            }
        }
    }
}
