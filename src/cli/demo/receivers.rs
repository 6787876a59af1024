//! Loopback servers that stand for Slack, PagerDuty and the training pipeline. They answer as those do, and check what those check.

use super::Event;
use super::message;
use super::place::Secrets;
use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Largest message that is taken, in bytes.
const MAX_BODY: usize = 1 << 20;
/// How old a signed message may be, in seconds (Standard Webhooks recommends five minutes).
const MAX_AGE: i64 = 300;

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    /// The team's channel.
    Slack,
    /// Who is on call.
    PagerDuty,
    /// The training pipeline.
    Pipeline,
}

impl To {
    /// Everybody, for tables.
    pub(super) const ALL: [Self; 3] = [Self::Slack, Self::PagerDuty, Self::Pipeline];

    /// The name that is shown.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "Slack",
            Self::PagerDuty => "PagerDuty",
            Self::Pipeline => "pipeline",
        }
    }
}

struct Shared {
    secrets: Secrets,
    events: Sender<Event>,
}

/// Starts the servers on a free port; their URL. They end with the runtime.
pub(super) fn start(runtime: &Runtime, secrets: Secrets, events: Sender<Event>) -> anyhow::Result<String> {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("cannot listen on 127.0.0.1")?;
    let url = format!("http://{}", listener.local_addr()?);
    let app = Router::new()
        .route("/slack", post(slack))
        .route("/pagerduty", post(pagerduty))
        .route("/retrain", post(retrain))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(Shared { secrets, events }));
    runtime.spawn(async move { axum::serve(listener, app).await });
    Ok(url)
}

async fn slack(State(shared): State<Arc<Shared>>, body: Bytes) -> (StatusCode, &'static str) {
    match message::slack(&body, Instant::now()) {
        Ok(told) => shared.tell(Event::Told(told), StatusCode::OK, "ok"),
        Err(error) => shared.refuse(To::Slack, &error, "invalid_payload"),
    }
}

async fn pagerduty(State(shared): State<Arc<Shared>>, body: Bytes) -> (StatusCode, &'static str) {
    let key = serde_json::from_slice::<serde_json::Value>(&body).ok().and_then(|json| Some(json["routing_key"].as_str()?.to_owned()));
    if key.as_deref() != Some(&shared.secrets.routing_key) {
        return shared.refuse(To::PagerDuty, &anyhow::anyhow!("the routing key is wrong"), "invalid routing key");
    }
    match message::pagerduty(&body, Instant::now()) {
        Ok(told) => shared.tell(Event::Told(told), StatusCode::ACCEPTED, r#"{"status":"success","message":"Event processed"}"#),
        Err(error) => shared.refuse(To::PagerDuty, &error, r#"{"status":"invalid event"}"#),
    }
}

async fn retrain(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> (StatusCode, &'static str) {
    let now = jiff::Timestamp::now().as_second();
    if let Err(error) = verify(&shared.secrets.signing_key, &headers, &body, now) {
        return shared.refuse(To::Pipeline, &error, "who are you");
    }
    match message::retrain(&body, Instant::now()) {
        Ok((told, data)) => shared.tell(Event::Retrain(told, Box::new(data)), StatusCode::ACCEPTED, "accepted"),
        Err(error) => shared.refuse(To::Pipeline, &error, "bad request"),
    }
}

impl Shared {
    fn tell(&self, event: Event, status: StatusCode, answer: &'static str) -> (StatusCode, &'static str) {
        // nobody listens any more where the demo is at its end
        drop(self.events.send(event));
        (status, answer)
    }

    fn refuse(&self, to: To, error: &anyhow::Error, answer: &'static str) -> (StatusCode, &'static str) {
        self.tell(Event::Broken(format!("{} cannot take what it was sent: {error:#}", to.as_str())), StatusCode::BAD_REQUEST, answer)
    }
}

/// Checks a signature as Standard Webhooks 1.0 describes it for receivers.
fn verify(secret: &str, headers: &HeaderMap, body: &[u8], now: i64) -> anyhow::Result<()> {
    let header = |name: &'static str| headers.get(name).and_then(|value| value.to_str().ok()).with_context(|| format!("no {name}"));
    let (id, time, signatures) = (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    let sent: i64 = time.parse().context("webhook-timestamp is no number")?;
    anyhow::ensure!((now - sent).abs() <= MAX_AGE, "webhook-timestamp is too old");
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).context("the secret is not base64")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).context("the secret's length")?;
    mac.update(format!("{id}.{time}.").as_bytes());
    mac.update(body);
    let given = signatures.split(' ').filter_map(|part| STANDARD.decode(part.strip_prefix("v1,")?).ok());
    // compares in constant time
    let valid = given.into_iter().any(|signature| mac.clone().verify_slice(&signature).is_ok());
    anyhow::ensure!(valid, "the signature is wrong");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // the vector of the specification's reference libraries
    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const SIGNATURE: &str = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
    const BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
    const SENT: i64 = 1_649_367_553;

    fn check(signature: &str, body: &[u8], now: i64) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".parse().unwrap());
        headers.insert("webhook-timestamp", SENT.to_string().parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        verify(SECRET, &headers, body, now).map_err(|error| error.to_string())
    }

    #[test]
    fn the_published_vector_is_accepted_and_what_was_changed_is_not() {
        assert_eq!(check(SIGNATURE, BODY, SENT + 10), Ok(()));
        assert_eq!(check(&format!("v1,AAAA {SIGNATURE}"), BODY, SENT), Ok(()), "one of several is enough");
        assert!(check(SIGNATURE, b"{}", SENT).unwrap_err().contains("wrong"));
        assert!(check("v1,AAAA", BODY, SENT).unwrap_err().contains("wrong"));
        assert!(check(SIGNATURE, BODY, SENT + 3600).unwrap_err().contains("too old"));
    }
}
