//! One attempt to send one notification, and what its outcome means.
//!
//! Invariant: nothing here retries, sleeps or follows a redirect; what came of an attempt is data ([`Delivery`]). No URL, header value or body is logged.

use super::{Channel, ChannelSettings, Notifier, Request};
use crate::engine::alert::{Delivery, FailureReason, Notification};
use reqwest::StatusCode;
use secrecy::ExposeSecret;
use std::time::Duration;

/// Most of an answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// The longest pause a receiver may ask for, in milliseconds.
const MAX_RETRY_AFTER_MS: i64 = 3_600_000;

/// What Slack answers where there is no point in telling it anything again.
const SLACK_GONE: [&str; 2] = ["channel_is_archived", "no_service"];
/// What Slack answers where it failed itself.
const SLACK_FAILED: [&str; 1] = ["rollup_error"];

/// What a receiver answered.
struct Answer {
    status: StatusCode,
    retry_after: Option<String>,
    /// Read for Slack only: elsewhere the status says it all.
    text: String,
}

impl Notifier {
    /// Sends a notification to its receiver, once. `unix_seconds` is the time of the attempt.
    pub async fn deliver(&self, notification: &Notification, unix_seconds: i64) -> Delivery {
        let (receiver, id, reason) = (&*notification.receiver, &*notification.id, notification.reason.as_str());
        let Some(settings) = self.receivers.get(&notification.receiver) else {
            tracing::error!(receiver, id, reason, "no such receiver is configured, notification given up");
            return Delivery::Refused(FailureReason::Unbuildable);
        };
        let request = match self.render(notification, settings, unix_seconds) {
            Ok(request) => request,
            Err(error) => {
                tracing::error!(receiver, id, reason, %error, "notification cannot be built, given up");
                return Delivery::Refused(FailureReason::Unbuildable);
            }
        };
        let (delivery, status) = match self.send(request, settings).await {
            Ok(answer) => (classify(&settings.channel, &answer, unix_seconds), Some(answer.status.as_u16())),
            Err(error) => (classify_error(&error), None),
        };
        match delivery {
            Delivery::Accepted => tracing::info!(receiver, id, reason, status, "notification delivered"),
            Delivery::Retry { reason: failure, after_ms } => {
                tracing::warn!(
                    receiver,
                    id,
                    reason,
                    status,
                    failure = failure.as_str(),
                    after_ms,
                    "notification failed, will be tried again"
                );
            }
            Delivery::Refused(failure) => {
                tracing::error!(receiver, id, reason, status, failure = failure.as_str(), "notification refused, given up");
            }
        }
        delivery
    }

    async fn send(&self, request: Request, settings: &ChannelSettings) -> Result<Answer, reqwest::Error> {
        let mut post =
            self.client.post(request.url.expose_secret().trim()).timeout(Duration::from_millis(settings.timeout_ms)).body(request.body);
        for (name, value) in request.headers {
            post = post.header(name, value);
        }
        let response = post.send().await.map_err(reqwest::Error::without_url)?;
        let status = response.status();
        let retry_after = response.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        let text = match settings.channel {
            Channel::Slack => read_capped(response).await.map_err(reqwest::Error::without_url)?,
            Channel::PagerDuty { .. } | Channel::Webhook { .. } => String::new(),
        };
        Ok(Answer { status, retry_after, text })
    }
}

/// The beginning of an answer's body as text.
async fn read_capped(mut response: reqwest::Response) -> Result<String, reqwest::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = MAX_ANSWER - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if bytes.len() == MAX_ANSWER {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// What an answer means for its notification.
fn classify(channel: &Channel, answer: &Answer, unix_seconds: i64) -> Delivery {
    let status = answer.status;
    let retry = |reason| Delivery::Retry { reason, after_ms: retry_after_ms(answer.retry_after.as_deref(), unix_seconds) };
    if matches!(channel, Channel::Slack) {
        let text = answer.text.as_str();
        if SLACK_GONE.contains(&text) {
            return Delivery::Refused(FailureReason::Gone);
        }
        if SLACK_FAILED.contains(&text) {
            return retry(FailureReason::ServerError);
        }
        if status.is_success() && text != "ok" {
            return Delivery::Refused(FailureReason::ClientError);
        }
    }
    match status.as_u16() {
        200..300 => Delivery::Accepted,
        401 | 403 => Delivery::Refused(FailureReason::AuthError),
        408 => retry(FailureReason::Timeout),
        410 => Delivery::Refused(FailureReason::Gone),
        429 => retry(FailureReason::RateLimited),
        // 425: the receiver would not take it this early; its own passing trouble, as a 5xx is
        425 | 500.. => retry(FailureReason::ServerError),
        _ => Delivery::Refused(FailureReason::ClientError),
    }
}

/// What it means that there is no (whole) answer.
fn classify_error(error: &reqwest::Error) -> Delivery {
    if error.is_builder() {
        return Delivery::Refused(FailureReason::Unbuildable);
    }
    let reason = if error.is_timeout() { FailureReason::Timeout } else { FailureReason::Network };
    Delivery::Retry { reason, after_ms: None }
}

/// `Retry-After` in milliseconds from `unix_seconds`: a number of seconds or an HTTP date, never more than an hour; `None` where it is neither.
fn retry_after_ms(value: Option<&str>, unix_seconds: i64) -> Option<i64> {
    let value = value?.trim();
    let seconds = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        value.parse().unwrap_or(i64::MAX)
    } else {
        let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
        at.as_second().saturating_sub(unix_seconds).max(0)
    };
    Some(seconds.saturating_mul(1_000).min(MAX_RETRY_AFTER_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, text: &str) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), retry_after: None, text: text.to_owned() }
    }

    #[test]
    fn statuses_fall_into_their_classes() {
        use FailureReason as F;
        let pager = Channel::PagerDuty { routing_key: "k".into() };
        let retry = |reason| Delivery::Retry { reason, after_ms: None };
        for (status, want) in [
            (200, Delivery::Accepted),
            (202, Delivery::Accepted),
            (204, Delivery::Accepted),
            (301, Delivery::Refused(F::ClientError)),
            (307, Delivery::Refused(F::ClientError)),
            (400, Delivery::Refused(F::ClientError)),
            (401, Delivery::Refused(F::AuthError)),
            (403, Delivery::Refused(F::AuthError)),
            (404, Delivery::Refused(F::ClientError)),
            (408, retry(F::Timeout)),
            (410, Delivery::Refused(F::Gone)),
            (413, Delivery::Refused(F::ClientError)),
            (425, retry(F::ServerError)),
            (429, retry(F::RateLimited)),
            (500, retry(F::ServerError)),
            (503, retry(F::ServerError)),
            (599, retry(F::ServerError)),
        ] {
            assert_eq!(classify(&pager, &answer(status, ""), 0), want, "{status}");
        }
    }

    #[test]
    fn slack_says_it_in_the_body() {
        use FailureReason as F;
        for (status, text, want) in [
            (200, "ok", Delivery::Accepted),
            (200, "", Delivery::Refused(F::ClientError)),
            (200, "<html>sign in</html>", Delivery::Refused(F::ClientError)),
            (400, "invalid_payload", Delivery::Refused(F::ClientError)),
            (403, "action_prohibited", Delivery::Refused(F::AuthError)),
            (404, "no_service", Delivery::Refused(F::Gone)),
            (410, "channel_is_archived", Delivery::Refused(F::Gone)),
            (200, "channel_is_archived", Delivery::Refused(F::Gone)),
            (500, "rollup_error", Delivery::Retry { reason: F::ServerError, after_ms: None }),
        ] {
            assert_eq!(classify(&Channel::Slack, &answer(status, text), 0), want, "{status} {text}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // 784_111_777 is Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110
        for (value, want) in [
            ("120", Some(120_000)),
            (" 0 ", Some(0)),
            ("7200", Some(3_600_000)),
            ("99999999999999999999", Some(3_600_000)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37_000)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after_ms(Some(value), 784_111_777 - 37), want, "{value:?}");
        }
        assert_eq!(retry_after_ms(None, 0), None);
    }
}
