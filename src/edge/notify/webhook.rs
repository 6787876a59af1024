//! The generic webhook: the contract's body, signed where there is a secret, with the receiver's own headers.

use super::{RenderError, sign};
use secrecy::SecretString;
use std::collections::BTreeMap;

/// Headers that are ours or the connection's to set.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];

/// The headers of one attempt at sending `body`.
///
/// `webhook-id` and `webhook-timestamp` are sent unsigned too: the id is the key by which a receiver recognises a repetition.
pub(super) fn headers(
    id: &str,
    unix_seconds: i64,
    body: &[u8],
    secret: Option<&SecretString>,
    own: &BTreeMap<String, String>,
) -> Result<Vec<(String, String)>, RenderError> {
    check_headers(own)?;
    let mut headers: Vec<(String, String)> = own.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    headers.push(("content-type".to_owned(), "application/cloudevents+json".to_owned()));
    headers.push(("webhook-id".to_owned(), id.to_owned()));
    headers.push(("webhook-timestamp".to_owned(), unix_seconds.to_string()));
    if let Some(secret) = secret {
        headers.push(("webhook-signature".to_owned(), sign::signature(secret, id, unix_seconds, body)?));
    }
    Ok(headers)
}

/// Whether a receiver's own headers can be sent.
pub(super) fn check_headers(own: &BTreeMap<String, String>) -> Result<(), RenderError> {
    for (name, value) in own {
        let usable = reqwest::header::HeaderName::try_from(name.as_str()).is_ok_and(|name| !RESERVED.contains(&name.as_str()))
            && reqwest::header::HeaderValue::try_from(value.as_str()).is_ok();
        if !usable {
            return Err(RenderError::Header { name: name.clone() });
        }
    }
    Ok(())
}
