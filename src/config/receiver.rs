//! `[[receiver]]` and `[retrain]`: who is told, and where.

use super::reader::{Fallback, Section};
use super::secret::{SecretKeys, SecretPolicy, Secrets, UrlKind, secret, url};
use crate::edge::notify::{Channel, ChannelSettings};
use crate::engine::settings::{ReceiverSettings, RetrainSettings};
use crate::engine::verdict::Severity;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Name of the retraining trigger in the outbox; no receiver may have it.
pub(crate) const RETRAIN: &str = "retrain";

const ROUTING_KEY: SecretKeys = SecretKeys {
    name: "routing_key",
    kind: "secret",
    doc: "",
    file: "routing_key_file",
    variable: "routing_key_env",
    file_doc: "pagerduty: file that holds the integration key.",
    variable_doc: "pagerduty: variable of the environment that holds the integration key.",
};

const SIGNATURE: SecretKeys = SecretKeys {
    name: "secret",
    kind: "secret",
    doc: "",
    file: "secret_file",
    variable: "secret_env",
    file_doc: "File that holds the signing secret (`whsec_…`, Standard Webhooks); without one, requests are not signed.",
    variable_doc: "Variable of the environment that holds the signing secret.",
};

/// Length of a signing key by Standard Webhooks 1.0, in bytes.
const SIGNING_KEY: RangeInclusive<usize> = 24..=64;

/// What a receiver can be.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Slack,
    PagerDuty,
    Webhook,
}

const KINDS: [(&str, Kind); 3] = [("slack", Kind::Slack), ("pagerduty", Kind::PagerDuty), ("webhook", Kind::Webhook)];

/// Every `[[receiver]]`: what the engine knows of it, and what the rim does.
pub(crate) fn receivers(blocks: Vec<Section<'_>>, secrets: &Secrets<'_>) -> (Vec<ReceiverSettings>, Vec<ChannelSettings>) {
    let mut known: Vec<ReceiverSettings> = Vec::new();
    let mut channels = Vec::new();
    for block in blocks {
        let (path, reader) = (block.path("name"), block.reader);
        let (receiver, channel) = receiver(block, secrets);
        if receiver.name.as_ref() == RETRAIN {
            reader.refuse(path, "\"retrain\" is the name of the retraining trigger: choose another");
        } else if !receiver.name.is_empty() && known.iter().any(|other| other.name == receiver.name) {
            reader.refuse(path, format!("{:?} is the name of an earlier receiver", receiver.name));
        }
        known.push(receiver);
        // a channel without its secrets would be half right
        channels.extend(channel.filter(|_| secrets.policy == SecretPolicy::Required));
    }
    (known, channels)
}

fn receiver(section: Section<'_>, secrets: &Secrets<'_>) -> (ReceiverSettings, Option<ChannelSettings>) {
    let name = section.checked_text("name", Fallback::Required, "Name of the receiver; rules name it, metrics carry it.", receiver_name);
    let kind = section.choice("type", &KINDS, Fallback::Required, "What it speaks: `slack`, `pagerduty` or `webhook`.");
    let severities = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let min_severity = section.choice(
        "min_severity",
        &severities,
        Fallback::Text("\"warning\""),
        "The least severity it is told of: `info`, `warning`, `error` or `critical`.",
    );
    let send_resolved = section.flag("send_resolved", true, "Whether it is told when an alert resolves.");
    let timeout_ms = timeout(&section, "\"15s\"");
    let channel = match kind {
        Some(Kind::Slack) => Some((url(&section, secrets, UrlKind::Secret), Some(Channel::Slack))),
        Some(Kind::PagerDuty) => Some((url(&section, secrets, UrlKind::PagerDuty), pagerduty(&section, secrets))),
        Some(Kind::Webhook) => Some((url(&section, secrets, UrlKind::Secret), Some(webhook(&section, secrets)))),
        // without a type nobody can say which keys belong here: the one problem is enough
        None => None,
    };
    if channel.is_some() {
        section.finish();
    }
    let name: std::sync::Arc<str> = name.into();
    let channel = channel.and_then(|(url, channel)| Some(ChannelSettings { name: name.clone(), channel: channel?, url: url?, timeout_ms }));
    (ReceiverSettings { name, min_severity: min_severity.unwrap_or(Severity::Warning), send_resolved }, channel)
}

fn receiver_name(text: &str) -> Result<(), String> {
    let plain = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if plain { Ok(()) } else { Err(format!("{text:?} is no name: at most 64 letters, digits and - _ .")) }
}

fn timeout(section: &Section<'_>, default: &'static str) -> u64 {
    section.duration("timeout", default, 100, "Longest time for one attempt.").unsigned_abs()
}

fn pagerduty(section: &Section<'_>, secrets: &Secrets<'_>) -> Option<Channel> {
    let check = |key: &str| {
        let plain = key.bytes().all(|b| b.is_ascii_alphanumeric());
        if plain && key.len() <= 64 { Ok(()) } else { Err("what is read there is no integration key (letters and digits)".to_owned()) }
    };
    let routing_key = secret(section, secrets, ROUTING_KEY, check);
    if !section.has(ROUTING_KEY.file) && !section.has(ROUTING_KEY.variable) {
        section.refuse("", "has no routing key: name the file or the variable that holds it in routing_key_file or routing_key_env");
    }
    routing_key.map(|routing_key| Channel::PagerDuty { routing_key })
}

fn webhook(section: &Section<'_>, secrets: &Secrets<'_>) -> Channel {
    let secret = secret(section, secrets, SIGNATURE, signing_secret);
    let headers = section.map("headers", "webhook: further headers, e.g. `{ \"X-Team\" = \"ml\" }`; none that holds a secret.");
    for (name, value) in &headers {
        if let Err(message) = header(name, value) {
            section.refuse(&format!("headers.{name}"), message);
        }
    }
    Channel::Webhook { secret, headers }
}

/// `whsec_` and 24 to 64 bytes in base64; the message does not quote it.
fn signing_secret(text: &str) -> Result<(), String> {
    let bytes = text.strip_prefix("whsec_").and_then(|rest| STANDARD.decode(rest).ok());
    match bytes {
        Some(bytes) if SIGNING_KEY.contains(&bytes.len()) => Ok(()),
        Some(bytes) => Err(format!("the secret that is read there has {} bytes; Standard Webhooks wants 24 to 64", bytes.len())),
        None => Err("what is read there is no signing secret: whsec_ and then base64 (`echo whsec_$(openssl rand -base64 32)`)".to_owned()),
    }
}

fn header(name: &str, value: &str) -> Result<(), String> {
    let lower = name.to_ascii_lowercase();
    let token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    if !token {
        return Err("is no header name".to_owned());
    }
    if !value.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b)) {
        return Err("has a value beyond printable ASCII".to_owned());
    }
    if lower.starts_with("webhook-")
        || ["content-type", "content-length", "host", "transfer-encoding", "connection"].contains(&lower.as_str())
    {
        return Err("is set by driftd".to_owned());
    }
    if ["authorization", "proxy-authorization", "cookie"].contains(&lower.as_str()) {
        return Err("holds a secret, and secrets do not stand in this file: sign the requests (secret_file) instead".to_owned());
    }
    Ok(())
}

/// `[retrain]`, where there is one.
pub(crate) fn retrain(section: Section<'_>, secrets: &Secrets<'_>) -> (Option<RetrainSettings>, Option<ChannelSettings>) {
    if !section.is_there() {
        return (None, None);
    }
    let url = url(&section, secrets, UrlKind::Secret);
    let secret = secret(&section, secrets, SIGNATURE, signing_secret);
    if !section.has(SIGNATURE.file) && !section.has(SIGNATURE.variable) {
        let message = "has no signing secret: whoever knows the URL can ask for a retraining; name one in secret_file or secret_env";
        section.reader.warn(section.path(""), message);
    }
    let cooldown_ms = section.duration("cooldown", "\"6h\"", 0, "Time between two triggers of one model.");
    let daily_budget = section.count("daily_budget", "4", 0..=1000, "Most triggers of one model in a UTC day; 0 asks for none.");
    let min_labels = section.count("min_labels", "1000", 0..=1_000_000_000, "Least number of labelled predictions to retrain from.");
    let timeout_ms = timeout(&section, "\"30s\"");
    section.finish();
    let settings = RetrainSettings {
        receiver: RETRAIN.into(),
        cooldown_ms,
        daily_budget: u32::try_from(daily_budget).unwrap_or(u32::MAX),
        min_labels,
    };
    let channel = url.filter(|_| secrets.policy == SecretPolicy::Required).map(|url| ChannelSettings {
        name: RETRAIN.into(),
        channel: Channel::Webhook { secret, headers: BTreeMap::new() },
        url,
        timeout_ms,
    });
    (Some(settings), channel)
}
