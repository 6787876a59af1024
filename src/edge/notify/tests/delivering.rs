//! What an attempt comes to, against real servers; what is on the wire; and that no secret is ever printed.

use super::super::{Channel, ChannelSettings, sign};
use super::server::{Answers, Server};
use super::{ROUTING_KEY, SECRET, notifier, pagerduty, settings, to, webhook};
use crate::engine::alert::{Delivery, FailureReason, NotifyReason};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing::instrument::WithSubscriber;

const AT: i64 = 1_795_341_700;

fn retry(reason: FailureReason, after_ms: Option<i64>) -> Delivery {
    Delivery::Retry { reason, after_ms }
}

#[tokio::test]
async fn answers_and_faults_fall_into_their_classes() {
    use FailureReason as F;
    let mut cases = vec![
        (webhook(), Answers::With(200, "", "anything"), Delivery::Accepted),
        (pagerduty(), Answers::With(202, "", "{}"), Delivery::Accepted),
        (pagerduty(), Answers::With(400, "", "{}"), Delivery::Refused(F::ClientError)),
        (Channel::Slack, Answers::With(200, "", "ok"), Delivery::Accepted),
        (Channel::Slack, Answers::With(200, "", "no_text"), Delivery::Refused(F::ClientError)),
        (Channel::Slack, Answers::With(404, "", "no_service"), Delivery::Refused(F::Gone)),
        (Channel::Slack, Answers::NeverEnds, Delivery::Refused(F::ClientError)),
        (webhook(), Answers::With(429, "Retry-After: 7\r\n", ""), retry(F::RateLimited, Some(7_000))),
        (webhook(), Answers::With(503, "Retry-After: Sun, 22 Nov 2026 10:01:50 GMT\r\n", ""), retry(F::ServerError, Some(10_000))),
        (webhook(), Answers::With(500, "", ""), retry(F::ServerError, None)),
        (webhook(), Answers::With(410, "", ""), Delivery::Refused(F::Gone)),
        (webhook(), Answers::With(401, "", ""), Delivery::Refused(F::AuthError)),
        (webhook(), Answers::With(307, "Location: /elsewhere\r\n", ""), Delivery::Refused(F::ClientError)),
        (webhook(), Answers::Resets, retry(F::Network, None)),
        (webhook(), Answers::Hangs, retry(F::Timeout, None)),
        (Channel::Slack, Answers::HangsInBody, retry(F::Timeout, None)),
    ];
    for (channel, answers, want) in cases.drain(..) {
        let case = format!("{channel:?} {answers:?}");
        let server = Server::start(vec![answers]).await;
        let receiver = ChannelSettings { timeout_ms: 400, ..settings("r", channel, &server.url) };
        let delivery = notifier(vec![receiver]).deliver(&to("r", NotifyReason::Firing), AT).await;
        assert_eq!(delivery, want, "{case}");
        assert_eq!(server.received().len(), 1, "{case}: one attempt, no redirect followed");
    }
}

#[tokio::test]
async fn no_server_is_a_network_failure_and_no_receiver_is_final() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let notifier = notifier(vec![settings("r", webhook(), &format!("http://127.0.0.1:{port}/S3CR3T-PATH"))]);
    assert_eq!(notifier.deliver(&to("r", NotifyReason::Firing), AT).await, retry(FailureReason::Network, None));
    assert_eq!(notifier.deliver(&to("other", NotifyReason::Firing), AT).await, Delivery::Refused(FailureReason::Unbuildable));
}

#[tokio::test]
async fn a_signed_request_arrives_whole_and_a_retry_carries_the_same_id() {
    let server = Server::start(vec![Answers::With(500, "", ""), Answers::With(204, "", "")]).await;
    let notifier = notifier(vec![settings("retrain", webhook(), &server.url)]);
    let notification = to("retrain", NotifyReason::Retrain);
    assert_eq!(notifier.deliver(&notification, AT).await, retry(FailureReason::ServerError, None));
    assert_eq!(notifier.deliver(&notification, AT + 1).await, Delivery::Accepted);

    let received = server.received();
    assert_eq!(received.len(), 2);
    for (request, at) in received.iter().zip([AT, AT + 1]) {
        assert_eq!(request.line, "POST /services/S3CR3T-PATH HTTP/1.1");
        assert_eq!(request.headers["content-type"], "application/cloudevents+json");
        assert_eq!(request.headers["user-agent"], concat!("driftd/", env!("CARGO_PKG_VERSION")));
        assert_eq!(request.headers["x-team"], "ml-token");
        assert_eq!(request.headers["webhook-id"], &*notification.id);
        assert_eq!(request.headers["webhook-timestamp"], at.to_string());
        let want = sign::signature(&SECRET.into(), &notification.id, at, &request.body).unwrap();
        assert_eq!(request.headers["webhook-signature"], want);
    }
    assert_eq!(received[0].body, received[1].body);
    let event: super::super::contract::CloudEvent<super::super::contract::RetrainData> = serde_json::from_slice(&received[0].body).unwrap();
    assert_eq!((event.id.as_str(), event.data.incident.as_str()), (&*notification.id, "8f3a0c6e51d2b794-3"));
    assert_eq!(event.data.data.predictions[1].last, 101_730);
}

/// Collects log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn urls_and_secrets_are_never_printed() {
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let servers = [Server::start(vec![Answers::With(500, "", "")]).await, Server::start(vec![Answers::Hangs]).await];
    let receivers = vec![
        settings("a", webhook(), &servers[0].url),
        ChannelSettings { timeout_ms: 200, ..settings("b", pagerduty(), &servers[1].url) },
        settings("c", Channel::Slack, &format!("http://127.0.0.1:{refused}/S3CR3T-PATH")),
    ];
    let mut printed = format!("{receivers:?}");
    let notifier = notifier(receivers.clone());
    printed += &format!("{notifier:?}");

    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(move || writer.clone()).finish();
    // with one subscriber in the process, tracing lets whichever thread meets a log line first decide for all whether it is wanted;
    // with two it asks both
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    async {
        for receiver in &receivers {
            let notification = to(&receiver.name, NotifyReason::Firing);
            printed += &format!("{:?}", notifier.render(&notification, receiver, AT).unwrap());
            assert!(matches!(notifier.deliver(&notification, AT).await, Delivery::Retry { .. }));
        }
    }
    .with_subscriber(subscriber)
    .await;
    let logged = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(logged.matches("notification failed").count(), 3, "{logged}");
    for secret in ["S3CR3T", ROUTING_KEY, SECRET, "ml-token", "127.0.0.1"] {
        assert!(!printed.contains(secret) && !logged.contains(secret), "{secret} in {printed} {logged}");
    }
}
